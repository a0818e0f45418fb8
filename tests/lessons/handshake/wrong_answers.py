"""Attempts at the exercises of lesson 02."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

from tests.support.attempts import right, wrong
from wslab.handshake import GUID, accept_digest, accept_key
from wslab.http import Request, Response

OTHER_KEY = "x3JJHMbDL1EzLkh9GBhXDw=="
LINES = (
    "GET PATH HTTP/1.1",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: KEY",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Host: HOST",
)
ACCEPT, PROTOCOL = "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol"


# -- write-request ------------------------------------------------------------------------------------------


def request(*lines: str, end: str = "\r\n") -> Callable[..., bytes]:
    """Make an answer to write-request that fills in host, path and key."""

    def my_request(host: str, path: str, key: str) -> bytes:
        head = end.join(lines).replace("HOST", host).replace("PATH", path).replace("KEY", key)
        return (head + 2 * end).encode()

    return my_request


def join_lines(host: str, path: str, key: str) -> bytes:
    lines = [b"GET %s HTTP/1.1" % path.encode(), b"Host: %s" % host.encode(), b"Upgrade: websocket"]
    lines += [b"Connection: Upgrade", b"Sec-WebSocket-Key: " + key.encode(), b"Sec-WebSocket-Version: 13"]
    return b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def from_a_dictionary(host: str, path: str, key: str) -> bytearray:
    fields = {"host": host, "upgrade": "WebSocket", "connection": "keep-alive, Upgrade"}
    fields |= {"sec-websocket-key": key, "sec-websocket-version": "13", "user-agent": "me"}
    head = f"GET {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return bytearray(f"{head}\r\n", "ascii")


WRITE_REQUEST = wrong(
    "write-request",
    (lambda *call: memoryview(b""), "of type memoryview, not bytes"),
    (request(*LINES[:1], *LINES[2:]), "Sec-WebSocket-Version: 13"),
    (request(*LINES, end="\n"), "A line ends in two characters"),
    (lambda *call: request(*LINES)(*call)[:-2], "One more makes the empty line"),
    (request(*LINES, end="\\r\\n"), "A backslash is still in it"),
    (request(*LINES, end="\r\n  "), "A line begins with a space"),
    (request(*LINES[:3], *LINES[4:]), "Without Connection: Upgrade"),
    (request(LINES[0].replace("PATH", "{path}"), *LINES[1:]), "Put the f in front"),
    (request("GET {path} HTTP/1.1", *LINES[1:-1], "Host: {host}"), "Put the f in front"),
    (request(*LINES, end="\r\n\r\n"), "The head ends at its first empty line"),
    (lambda host, path, key: path, "not bytes"),
    (lambda *call: request(*LINES)(*call).decode(), "returned a str, not bytes"),
    (lambda host, path, key: [b"GET"], "a value of type list, not bytes"),
    (lambda *call: b"\r\n" + request(*LINES)(*call), "Leave out the empty line in front"),
    (request(*LINES[:2], "Sec-WebSocket-Key: dGVzdA==", *LINES[3:]), "is refused with 400"),
    (request(*LINES[:-1], "Host: example.com"), "not for this host"),
    (request(LINES[0].replace("1.1", "1.0"), *LINES[1:]), "is refused with 505"),
    (lambda *call: request(*LINES)(*call) + b"\x81\x00", "The head ends at its first"),
    (
        lambda host, path, key: request(*LINES)("server.example.com:8000", "/", "dGhlIHNhbXBsZSBub25jZQ=="),
        "not for this host, path and key",
    ),
)

# -- accept-key ---------------------------------------------------------------------------------------------


def in_base64(data: bytes) -> str:
    return base64.b64encode(hashlib.sha1(data).digest()).decode()


def step_by_step(key: str) -> str:
    digest = hashlib.sha1()
    digest.update(key.encode("ascii"))
    digest.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
    return str(base64.b64encode(digest.digest()), "ascii")


def with_encodebytes(key: str) -> str:
    return base64.encodebytes(hashlib.sha1(bytes(key + GUID, "ascii")).digest()).decode().rstrip()


ACCEPT_KEY = wrong(
    "accept-key",
    (lambda key: hashlib.sha1((key + GUID).encode()).hexdigest(), "digest in hexadecimal"),
    (lambda key: in_base64(base64.b64decode(key) + GUID.encode()), "You decoded the key"),
    (
        lambda key: base64.b64encode(hashlib.sha1((key + GUID).encode()).hexdigest().encode()).decode(),
        "You encoded 40 hexadecimal characters",
    ),
    (lambda key: in_base64((key + GUID.lower()).encode()), "written in capital letters"),
    (lambda key: in_base64((GUID + key).encode()), "You put the GUID first"),
    (lambda key: in_base64((key + "GUID").encode()), "GUID is a name"),
    (lambda key: in_base64(key.encode()), "You left out the GUID"),
    (lambda key: hashlib.sha1((key + GUID).encode()).digest(), "returned bytes, not a str"),
    (lambda key: str(step_by_step(key).encode()), "Use .decode(), not str(...)"),
    (
        lambda key: base64.b64encode(hashlib.sha256((key + GUID).encode()).digest()).decode(),
        "This is SHA-256",
    ),
    (lambda key: step_by_step(key).replace("+", "-").replace("/", "_"), "not the alphabet for URLs"),
    (lambda key: f"{ACCEPT}: {step_by_step(key)}", "You returned the whole header"),
    (lambda key: step_by_step(key).encode(), "Decode"),
    (lambda key: step_by_step(key) + "\n", "with white space around it"),
    (lambda key: hashlib.sha1(key.encode()), "not str"),
    (accept_key, "accept_key is the course's own function"),
    (
        lambda key: base64.b64encode(accept_digest(key)).decode(),
        "accept_digest is the course's",
    ),
    (lambda key: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "returned the wrong value"),
    (lambda key: None, "Write the function", "not yet"),
)

# -- spot-the-key -------------------------------------------------------------------------------------------

KEYS = {"A": True, "B": False, "C": True, "D": False, "E": False, "F": True}
SPOT_THE_KEY = wrong(
    "spot-the-key",
    (KEYS | {"B": True}, "B is an example in the RFC itself"),
    (KEYS | {"D": True}, "Count the bytes"),
    (KEYS | {"E": True}, "The key 'E' is wrong"),
    (KEYS | {"F": False}, "The key 'F' is wrong"),
    (dict.fromkeys("ABCDEF", "yes"), "The key 'A' is wrong"),
    (dict.fromkeys("ABCDEF", ...), "Still to fill in", "not yet"),
    ([True, False], "not a dict"),
)

# -- switch-protocols and answer-request --------------------------------------------------------------------


def switch(key: str, *, accept: str = "", end: str = "\r\n") -> bytes:
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    return (end.join([*lines, f"{ACCEPT}: {accept or step_by_step(key)}"]) + 2 * end).encode()


def switch_in_one(key: str) -> bytes:
    return (
        b"HTTP/1.1 101 OK\r\nconnection: upgrade\r\nupgrade: WebSocket\r\nServer: mine\r\n"
        b"sec-websocket-accept: " + step_by_step(key).encode() + b"\r\n\r\n"
    )


def switch_from_a_template(key: str) -> bytes:
    template = """HTTP/1.1 101 Switching Protocols
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Accept: {}

"""
    return template.format(step_by_step(key)).replace("\n", "\r\n").encode()


def change(before: bytes, after: bytes) -> Callable[[str], bytes]:
    return lambda key: switch(key).replace(before, after)


SWITCH = wrong(
    "switch-protocols",
    (change(b"101 Switching Protocols", b"200 OK"), "is not believed"),
    (change(b"Upgrade: websocket\r\n", b""), "is not believed: header Upgrade"),
    (change(b"Connection: Upgrade\r\n", b""), "Without Connection: Upgrade"),
    (lambda key: switch(key, accept=key), "The server does not repeat the key"),
    (lambda key: switch(OTHER_KEY), "is not believed"),
    (lambda key: switch(key, end="\n"), "A line ends in two characters"),
    (lambda key: switch(key)[:-2], "One more makes the empty line"),
    (lambda key: switch(key).decode(), "returned a str, not bytes. Encode it."),
    (lambda key: b"\r\n" + switch(key), "Leave out the empty line"),
    (lambda key: switch(key) + b"\x81\x00", "The head ends at its first empty line"),
    (lambda key: b"Hello", "returned half an answer"),
    (lambda key: None, "Write the function", "not yet"),
)


def refuse(status: str, body: str = "", *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", body]).encode()


def answer(request: Request) -> bytes:
    """Judge a request; the plain way."""

    def get(name: str, default: str = "") -> str:
        return request.headers.get(name) or default

    if request.method != "GET":
        return refuse("405 Method Not Allowed")
    if get("Upgrade", "").lower() != "websocket":
        return refuse("426 Upgrade Required", "speak WebSocket", "Upgrade: websocket")
    if "upgrade" not in [part.strip().lower() for part in get("Connection", "").split(",")]:
        return refuse("400 Bad Request")
    if get("Sec-WebSocket-Version") != "13":
        return refuse("426 Upgrade Required", "", "Sec-WebSocket-Version: 13")
    try:
        assert len(base64.b64decode(get("Sec-WebSocket-Key", ""), validate=True)) == 16
    except (ValueError, AssertionError):
        return refuse("400 Bad Request")
    return switch(request.headers["Sec-WebSocket-Key"])


def answer_with_400(request: Request) -> bytes:
    """Judge a request; every fault is a bad request."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    key = headers.get("sec-websocket-key", "")
    rules = (
        request.method == "GET",
        headers.get("upgrade", "").casefold() == "websocket",
        "upgrade" in headers.get("connection", "").lower().replace(",", " ").split(),
        headers.get("sec-websocket-version") == "13",
        bool(re.fullmatch(r"[A-Za-z0-9+/]{22}==", key)),
    )
    return switch(key) if all(rules) else refuse("400 Bad Request", "no", "Sec-WebSocket-Version: 13")


def answer_with_a_list(request: Request) -> bytes:
    """Judge a request; the faults are collected."""
    faults = []

    def get(name: str, default: str = "") -> str:
        return request.headers.get(name) or default

    if request.method != "GET":
        faults.append("501 Not Implemented")
    if "websocket" not in map(str.strip, get("Upgrade", "").lower().split(",")):
        faults.append("400 Bad Request")
    if not re.search(r"(^|,)\s*upgrade\s*(,|$)", get("Connection", ""), re.IGNORECASE):
        faults.append("400 Bad Request")
    if get("Sec-WebSocket-Version") != "13":
        faults.append("400 Bad Request")
    key = get("Sec-WebSocket-Key", "")
    try:
        if len(base64.b64decode(key, validate=True)) != 16:
            raise ValueError
    except ValueError:
        faults.append("400 Bad Request")
    return refuse(faults[0], "", "Sec-WebSocket-Version: 13") if faults else switch(key)


def without(name: str, value: str) -> Callable[[Request], bytes]:
    """Make a server that does not look at one header: to it, the header is always right."""

    def careless(request: Request) -> bytes:
        headers = dict(request.headers.items()) | {name: value}
        return answer(request._replace(headers=type(request.headers)(headers.items())))

    return careless


def ignore_the_method(request: Request) -> bytes:
    return answer(request._replace(method="GET"))


def exact(request: Request) -> bytes:
    return answer(request) if request.headers.get("Connection") == "Upgrade" else refuse("400 Bad Request")


def knows_the_version(request: Request) -> bytes:
    """Judge a request; refuse the one draft of the question only."""
    return without("Sec-WebSocket-Version", "13")(request) if version_of(request) != "8" else answer(request)


def version_of(request: Request) -> str | None:
    return request.headers.get("Sec-WebSocket-Version")


def knows_the_method(request: Request) -> bytes:
    return answer(request if request.method == "POST" else request._replace(method="GET"))


def reading(name: str, right_when: Callable[[str], bool], good: str) -> Callable[[Request], bytes]:
    """Make a server that reads one header in a way of its own, and crashes where it is missing."""

    def careless(request: Request) -> bytes:
        value = good if right_when(request.headers[name]) else "wrong"
        headers = dict(request.headers.items()) | {name: value}
        return answer(request._replace(headers=type(request.headers)(headers.items())))

    return careless


def careful(name: str, right_when: Callable[[str], bool], good: str) -> Callable[[Request], bytes]:
    """Make a server that reads one header, if there is one, in a way of its own."""
    read = reading(name, right_when, good)
    return lambda request: read(request) if request.headers.get(name) else answer(request)


def decoded(key: str) -> bool:
    try:
        return len(base64.b64decode(key)) == 16
    except ValueError:
        return False


def with_any_letter(request: Request) -> bytes:
    """Decode the key without validate=True, which leaves out every letter that base64 has not."""
    key = request.headers.get("Sec-WebSocket-Key") or ""
    return switch(key) if answer_but_key(request) and decoded(key) else answer(request)


def answer_but_key(request: Request) -> bool:
    return without("Sec-WebSocket-Key", OTHER_KEY)(request).startswith(b"HTTP/1.1 101")


ANSWER = wrong(
    "answer-request",
    (careful("Connection", lambda value: "upgrade" in value.lower(), "Upgrade"), "names another option"),
    (careful("Upgrade", lambda value: "websocket" in value.lower(), "websocket"), "names websockets"),
    (careful("Sec-WebSocket-Version", lambda value: "13" in value, "13"), "although the version is 130"),
    (careful("Sec-WebSocket-Version", lambda value: int(value) == 13, "13"), "raised an exception"),
    (reading("Sec-WebSocket-Version", lambda value: value == "13", "13"), "raised an exception"),
    (with_any_letter, "a letter too many"),
    (
        lambda request: switch(request.headers["Sec-WebSocket-Key"]),
        "although the method is POST",
    ),
    (ignore_the_method, "although the method is POST"),
    (without("Upgrade", "websocket"), "although Upgrade is missing"),
    (without("Connection", "Upgrade"), "although Connection is missing"),
    (without("Sec-WebSocket-Version", "13"), "although the version is 8"),
    (without("Sec-WebSocket-Key", OTHER_KEY), "is not believed"),
    (knows_the_version, "although the version is"),
    (knows_the_method, "although the method is"),
    (lambda request: answer(request).replace(b"Length: 0", b"Length: 9"), "announces 9 bytes of body"),
    (exact, "Connection: keep-alive, Upgrade is right too"),
    (
        lambda request: refuse("400 Bad Request"),
        "is not believed: the server answered 400",
    ),
    (
        lambda request: answer(request).replace(b"Sec-WebSocket-Version: 13\r\n", b""),
        "does not say which version it speaks",
    ),
    (
        lambda request: answer(request).replace(b"405", b"200"),
        "answered 200, although the method",
    ),
    (lambda request: 101, "a value of type int, not bytes"),
    (lambda request: None, "Write the function", "not yet"),
)

# -- status-for ---------------------------------------------------------------------------------------------

STATUSES = {
    "complete": 101,
    "a form is sent": 405,
    "an old client": 505,
    "a browser's address bar": 426,
    "another protocol": 426,
    "a short key": 400,
    "no key": 400,
    "a foreign page": 403,
}
STATUS_FOR = wrong(
    "status-for",
    (STATUSES | {"complete": 200}, "200 would leave the connection with HTTP"),
    (STATUSES | {"a foreign page": 401}, "401 asks for a password"),
    (STATUSES | {"another protocol": 400}, "The request 'another protocol' is wrong"),
    (STATUSES | {"a short key": 403}, "The request 'a short key' is wrong"),
    ({name: str(status) for name, status in STATUSES.items()}, "The request 'complete' is"),
    (dict.fromkeys(STATUSES, 101), "The request 'a form is sent' is wrong"),
    (dict.fromkeys(STATUSES, ...), "Still to fill in", "not yet"),
)

# -- choose-subprotocol -------------------------------------------------------------------------------------

Names = list[str]


def first(names: Names, test: Callable[[str], bool]) -> str | None:
    return next((name for name in names if test(name)), None)


def plain_loop(offered: Names, supported: Names) -> str | None:
    for name in supported:
        if name in offered:
            return name
    return None


def with_sets(offered: Names, supported: Names) -> str | None:
    common = set(offered) & set(supported)
    return min(common, key=supported.index) if common else None


def with_a_list(offered: Names, supported: Names) -> str | None:
    return ([name for name in supported if offered.count(name)] or [None])[0]  # type: ignore[list-item]


def last_of_mine(offered: Names, supported: Names) -> str | None:
    chosen = None
    for name in supported:
        chosen = name if name in offered else chosen
    return chosen


def spoil(offered: Names, supported: Names) -> str | None:
    while supported and supported[0] not in offered:
        supported.pop(0)
    return supported[0] if supported else None


def gives_up(offered: Names, supported: Names) -> str | None:
    for name in supported:
        if name in offered:
            return name
        else:
            return None
    return None


CHOOSE = wrong(
    "choose-subprotocol",
    (lambda o, s: first(o, s.__contains__), "You followed the client's order"),
    (lambda o, s: first(s[::-1], o.__contains__), "the last of your own names"),
    (lambda o, s: o[0] if o else None, "You returned the client's first choice"),
    (
        lambda o, s: first(s, lambda n: n.lower() in [x.lower() for x in o]),
        "wrong value",
    ),
    (
        lambda o, s: first(s, lambda n: n in o or any(n in x and n != x.lower() for x in o)),
        "Compare whole names",
    ),
    (lambda o, s: first(s, lambda n: n in ",".join(o)), "Compare whole names"),
    (lambda o, s: first(s, o.__contains__) or "", "An empty name is not valid"),
    (lambda o, s: first(s, o.__contains__) or (s or [None])[0], "did not offer this name"),
    (lambda o, s: s[0], "returned the wrong value"),
    (last_of_mine, "the last of your own names"),
    (spoil, "changed what it was given"),
    (gives_up, "Your loop ends at its first turn"),
    (lambda o, s: "x", "returned the wrong value"),
    (lambda o, s: None, "Write the function", "not yet"),
)

# -- judge-response -----------------------------------------------------------------------------------------


def fault(key: str, offered: Sequence[str], response: Response) -> str:
    """Judge a response; the plain way."""
    get = response.headers.get
    if response.status != 101:
        return "status"
    if (get("Upgrade") or "").lower() != "websocket":
        return "Upgrade"
    if "upgrade" not in (get("Connection") or "").lower().replace(",", " ").split():
        return "Connection"
    if get(ACCEPT) != accept_key(key):
        return ACCEPT
    return "ok" if get(PROTOCOL) in (None, *offered) else PROTOCOL


def fault_by_rules(key: str, offered: Sequence[str], response: Response) -> str:
    fields = {name.lower(): value for name, value in response.headers.items()}
    options = {part.strip().casefold() for part in fields.get("connection", "").split(",")}
    chosen = fields.get("sec-websocket-protocol")
    switches = response.status == 101 and fields.get("upgrade", "").casefold() == "websocket"
    if switches and "upgrade" in options:
        answered = fields.get("sec-websocket-accept") == accept_key(key)
        return ACCEPT if not answered else PROTOCOL if chosen and chosen not in offered else "ok"
    if response.status != 101:
        return "status"
    return "Connection" if fields.get("upgrade", "").casefold() == "websocket" else "Upgrade"


def fault_by_exception(key: str, offered: Sequence[str], response: Response) -> str:
    get = response.headers.get
    wrong = ["status"] * (response.status != 101)
    wrong += ["Upgrade"] * ((get("Upgrade") or "").lower() != "websocket")
    connection = re.split(r"\s*,\s*", (response.headers.get("Connection") or "").strip().lower())
    wrong += ["Connection"] * ("upgrade" not in connection)
    wrong += [ACCEPT] * (response.headers.get(ACCEPT, "") != accept_key(key))
    chosen = response.headers.get(PROTOCOL)
    wrong += [PROTOCOL] * (bool(chosen) and chosen not in offered)
    return [*wrong, "ok"][0]


def blind(to: str) -> Callable[..., str]:
    """Make an answer that does not see one fault."""
    good = {"Upgrade": "websocket", "Connection": "Upgrade"}

    def my_fault(key: str, offered: Sequence[str], response: Response) -> str:
        changed = {name: value for name, value in response.headers.items() if name != to}
        if to in good:
            changed[to] = good[to]
        if to == ACCEPT:
            changed[to] = accept_key(key)
        status = 101 if to == "status" else response.status
        return fault(
            key, offered, response._replace(status=status, headers=type(response.headers)(changed.items()))
        )

    return my_fault


def loose(name: str, test: Callable[[str], bool]) -> Callable[..., str]:
    """Make an answer that is content when one header passes a test of its own."""

    def my_fault(key: str, offered: Sequence[str], response: Response) -> str:
        order = ["status", "Upgrade", "Connection", ACCEPT, PROTOCOL, "ok"]
        found = fault(key, offered, response)
        seen = test(response.headers.get(name) or "")
        if found == name and seen:
            return blind(name)(key, offered, response)
        return name if not seen and order.index(found) > order.index(name) else found

    return my_fault


def compare_whole(key: str, offered: Sequence[str], response: Response) -> str:
    wanted = {"Upgrade": "websocket", "Connection": "Upgrade", ACCEPT: accept_key(key)}
    if response.status != 101:
        return "status"
    return next((name for name, value in wanted.items() if response.headers.get(name) != value), "ok")


def accept_first(key: str, offered: Sequence[str], response: Response) -> str:
    return fault(key, offered, response) if response.headers.get(ACCEPT) == accept_key(key) else ACCEPT


def wants_a_choice(key: str, offered: Sequence[str], response: Response) -> str:
    protocol = response.headers.get(PROTOCOL)
    found = fault(key, [*offered, protocol or ""], response)
    return PROTOCOL if found == "ok" and offered and protocol not in offered else found


JUDGE = wrong(
    "judge-response",
    (blind(PROTOCOL), "only if it was offered"),
    (compare_whole, "Compare Upgrade without case"),
    (blind("status"), "Only 101 switches protocols"),
    (
        lambda key, offered, response: "ok" if response.headers.get(ACCEPT) == accept_key(key) else ACCEPT,
        "Only 101 switches protocols",
    ),
    (accept_first, "returned the wrong value"),
    (wants_a_choice, "A server need not choose"),
    (blind(ACCEPT), "returned the wrong value"),
    (loose(ACCEPT, bool), "as a cache does"),
    (loose(ACCEPT, lambda value: False), "does not repeat the key"),
    (
        lambda key, offered, response: loose(ACCEPT, lambda value: value.lower() == accept_key(key).lower())(
            key, offered, response
        ),
        "tells capitals from small letters",
    ),
    (
        loose("Upgrade", lambda value: "websocket" in value.lower()),
        "Compare all of Upgrade",
    ),
    (loose("Upgrade", lambda value: "upgrade" in value), "wrong value"),
    (
        loose("Connection", lambda value: "upgrade" in value.lower()),
        "no-upgrade is another",
    ),
    (loose("Connection", lambda value: "upgrade" in value.lower().split(",")), "Strip each part"),
    (
        lambda key, offered, response: (
            PROTOCOL
            if response.status == 101 and response.headers.get(PROTOCOL) not in offered
            else fault(key, offered, response)
        ),
        "the server chose none, as it may",
    ),
    (loose("Connection", lambda value: value == "Upgrade"), "Compare Connection as a list"),
    (lambda key, offered, response: "Status", "not its capitals"),
    (
        lambda key, offered, response: fault(key, offered or ["soap"], response),
        "wrong value",
    ),
    (lambda key, offered, response: "ok", "Only 101 switches protocols"),
    (lambda *call: None, "Write the function", "not yet"),
)

WRONG: list[Any] = [
    *WRITE_REQUEST,
    *ACCEPT_KEY,
    *SPOT_THE_KEY,
    *SWITCH,
    *ANSWER,
    *STATUS_FOR,
    *CHOOSE,
    *JUDGE,
]
RIGHT = [
    *right("write-request", request(*LINES), join_lines, from_a_dictionary),
    *right("accept-key", lambda key: in_base64((key + GUID).encode()), step_by_step, with_encodebytes),
    *right("switch-protocols", switch, switch_in_one, switch_from_a_template),
    *right("answer-request", answer, answer_with_400, answer_with_a_list),
    *right("choose-subprotocol", plain_loop, with_sets, with_a_list),
    *right("judge-response", fault, fault_by_rules, fault_by_exception),
]
