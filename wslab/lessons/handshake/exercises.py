"""The exercises of lesson 02, the opening handshake (RFC 6455 §1.3, §4), from easy to hard.

The right answers come from ``wslab.handshake`` wherever it has a function for them. ``KEYS`` and ``REQUESTS``
are the material of two questions. Heads are judged whole: where bytes are missing, the verdict says that the
other end would wait for them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from wslab.handshake import GUID, accept_digest, accept_key, judge_request, judge_response
from wslab.http import HandshakeError, Headers, Request, RequestReader, Response, ResponseReader
from wslab.lab.exercises.answer import one_line
from wslab.lab.exercises.kinds import Fault, Function, Value, Watched, compare

__all__ = ["COURSE_KEY", "EXERCISES", "KEYS", "REQUESTS", "RFC_KEY"]

RFC_KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # §1.3
COURSE_KEY = "x3JJHMbDL1EzLkh9GBhXDw=="
_KEY, _ACCEPT = "Sec-WebSocket-Key", "Sec-WebSocket-Accept"
_PROTOCOL, _VERSION = "Sec-WebSocket-Protocol", "Sec-WebSocket-Version"
_UPGRADE = ("Upgrade: websocket", "Connection: Upgrade")


def _drawn_key(source: Random) -> str:
    return _base64(source.randbytes(16))


def _word(source: Random) -> str:
    return "".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=6))


# -- a request ----------------------------------------------------------------------------------------------

_LOOK_AT = {  # what is seen in the bytes of a head that is not accepted, and the sentence on it
    rb"\A\s": "Leave out the empty line in front of the first line.",
    rb"\{\w+\}": "The braces are still in it. Put the f in front of the quotes.",
    rb"\\[rn]": "A backslash is still in it: the text is raw, or has two of them.",
    rb"(?<!\r)\n": "A line ends in two characters, CR and LF, also on Linux and macOS.",
    rb"\A(?:(?!\r\n\r\n).)*\n[ \t]": "A line begins with a space. Leave out what indents it.",
    rb"\A(?!.*\r\n\r\n).*\r\n\Z": "The last header has its line end. One more makes the empty line.",
    rb"\r\n\r\n.": "The head ends at its first empty line, and more follows it here.",
    rb"\A(?!.*\r\nsec-websocket-version:)get": "Every handshake has Sec-WebSocket-Version: 13.",
    rb"\A(?=get|http/1.1 101)(?!.*\r\nconnection:)": "Without Connection: Upgrade, nobody looks at Upgrade.",
}


def _look_at(data: bytes | bytearray) -> str:
    return next((text for seen, text in _LOOK_AT.items() if re.search(seen, data.lower(), re.DOTALL)), "")


def _read(data: Any, what: str) -> tuple[Fault | None, Any]:
    """Read one request or answer as the other end does; return what is wrong with it, and the head."""
    if not isinstance(data, (bytes, bytearray)):
        fault = compare(data, data.encode() if isinstance(data, str) else b"bytes")
        return fault and replace(fault, rows=fault.rows[:1]), None
    reader: Any = RequestReader() if what == "a request" else ResponseReader()
    wrong = "begins with an empty line (RFC 9112 §2.2)." if data[:1].isspace() else ""
    try:
        head = reader.feed(data)
    except HandshakeError as error:
        head, wrong = None, wrong or f"is not an answer of HTTP: {error}."
    if head is None:
        wrong = wrong or f"returned half {what}. The other end waits for the empty line that ends its head."
    elif reader.rest and (what == "a request" or head.status == 101):
        wrong = wrong or "goes on after the empty line, where frames begin."
    elif (
        what == "an answer" and head.headers.get("Content-Length", follow := str(len(reader.rest))) != follow
    ):
        wrong = f"announces {head.headers['Content-Length']} bytes of body, and {follow} follow."
    return _fault(wrong, data) if wrong else None, head


def _fault(sentence: str, data: bytes | bytearray, advice: str = "") -> Fault:
    return Fault(sentence, (("returned", repr(bytes(data))),), advice=advice or _look_at(data))


def _judge_request_of(answer: Any) -> Fault | None:
    """Have a server judge the request: its refusal is the feedback."""
    source = Random("write-request")
    drawn = [(f"{_word(source)}.example", f"/{_word(source)}", _drawn_key(source)) for _ in range(5)]
    for call in [
        ("server.example.com:8000", "/", RFC_KEY),
        ("Example.com", "/Chat?room=1", COURSE_KEY),
        *drawn,
    ]:
        data = answer(*call)
        fault, request = _read(data, "a request")
        if fault:
            return fault
        response = request if isinstance(request, Response) else judge_request(request)
        if response.status != 101:
            told = response.body.decode().strip()
            return _fault(f"is refused with {response.status}: {told}.", data)
        found = (request.headers["Host"], request.path, request.headers[_KEY])
        if found != call:
            rows = (("returned", one_line(found)), ("expected", one_line(call)))
            return Fault("is a valid request, but not for this host, path and key.", rows)
    return None


WRITE_REQUEST = Watched(
    name="write-request",
    title="Write the request of the opening handshake",
    asks="my_request(host, path, key)",
    judge=_judge_request_of,
    borrows=("build_request",),
    section="RFC 6455 §4.1 and §4.2.1; RFC 9112 §2.1",
    hints=(
        "A request line, then Host, Upgrade, Connection, Sec-WebSocket-Key and Sec-WebSocket-Version.",
        'Join the lines with "\\r\\n", end with "\\r\\n\\r\\n", and encode the whole text.',
    ),
    why="Anything that can write these lines into a TCP connection can open a WebSocket.",
)


# -- keys ---------------------------------------------------------------------------------------------------


def _sha(*parts: str | bytes, by: str = "sha1") -> bytes:
    return hashlib.new(by, b"".join(p if isinstance(p, bytes) else p.encode() for p in parts)).digest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


ACCEPT_KEY = Function(
    name="accept-key",
    title="Compute the accept key",
    asks="my_accept_key(key)",
    right=accept_key,
    calls=[(RFC_KEY,), (COURSE_KEY,), ("AQIDBAUGBwgJCgsMDQ4PEA==",)],
    drawn=lambda source: (_drawn_key(source),),
    borrows=("accept_key", "accept_digest"),
    section="RFC 6455 §4.2.2, point 5.4",
    hints=(
        "Do not decode the key. Put the GUID after its 24 characters, and encode the whole text.",
        "hashlib.sha1(...) has .digest(), 20 bytes. base64.b64encode takes bytes and returns bytes.",
    ),
    mistakes={
        "You wrote the digest in hexadecimal. Encode its 20 bytes in base64.": lambda k: accept_digest(
            k
        ).hex(),
        "You decoded the key. Its characters are used as they are.": lambda k: _base64(
            _sha(base64.b64decode(k), GUID)
        ),
        "You encoded 40 hexadecimal characters. Take the 20 bytes of .digest().": lambda k: _base64(
            accept_digest(k).hex().encode()
        ),
        "You put the GUID first. The key comes first.": lambda k: _base64(_sha(GUID, k)),
        "You left out the GUID. Put it after the key.": lambda k: _base64(_sha(k)),
        "GUID is a name. Write it without quotes.": lambda k: _base64(_sha(k, "GUID")),
        "This is SHA-256. The RFC takes SHA-1, of 20 bytes.": lambda k: _base64(_sha(k, GUID, by="sha256")),
        "The header has + and /. Use b64encode, not the alphabet for URLs.": lambda k: _base64(
            accept_digest(k)
        ).translate({43: 45, 47: 95}),
        "The GUID is written in capital letters.": lambda k: _base64(_sha(k, GUID.lower())),
        "You returned the whole header. Return its value.": lambda k: f"{_ACCEPT}: {accept_key(k)}",
    },
    why="It proves that the server read this very request and speaks WebSocket. It keeps nothing secret.",
)

KEYS = {
    "A": RFC_KEY,
    "B": "AQIDBAUGBwgJCgsMDQ4PEC==",
    "C": COURSE_KEY,
    "D": "c2V2ZW50ZWVuIG9jdGV0cy4=",
    "E": "____________________-w==",
    "F": "////////////////////+w==",
}
"""Six values of Sec-WebSocket-Key; three of them are not what base64 makes of 16 bytes."""

SPOT_THE_KEY = Value(
    name="spot-the-key",
    title="Spot the keys that no client may send",
    right={"A": True, "B": False, "C": True, "D": False, "E": False, "F": True},
    look_at={
        "A": "It decodes to 16 bytes, and they encode to the same characters.",
        "B": "Decode it and encode the result again. Compare the last character in front of the padding.",
        "C": "It decodes to 16 bytes, and they encode to the same characters.",
        "D": "How many bytes does it decode to?",
        "E": "Which alphabet is this? The last two characters of base64 are + and / (RFC 4648 §4).",
        "F": "It looks odd, and decodes to 16 bytes, which encode to the same characters.",
    },
    noun="key",
    section="RFC 6455 §4.1, point 7; RFC 4648 §3.5 and §4",
    hints=(
        "A key is what base64 makes of 16 bytes. Decode each, count, and encode again.",
        "16 bytes are 128 bits, 24 characters carry 132. What must the last 4 bits be? (RFC 4648 §3.5)",
    ),
    mistakes={
        "B is an example in the RFC itself. Its bytes are right, but encode to another text.": {"B": True},
        "The length in characters is not enough. Count the bytes.": {"D": True},
    },
    why="§4.1 prints B as an example. Many servers decode it all the same; no base64 encoder writes it.",
)


# -- a server -----------------------------------------------------------------------------------------------


def _judge_switch(answer: Any) -> Fault | None:
    """Have a client judge the answer: its complaint is the feedback."""
    source = Random("switch-protocols")
    drawn = [_drawn_key(source) for _ in range(5)]
    return next(filter(None, (_believed(answer(key), key) for key in [RFC_KEY, COURSE_KEY, *drawn])), None)


def _believed(data: Any, key: str) -> Fault | None:
    fault, response = _read(data, "an answer")
    if fault:
        return fault
    try:
        judge_response(response, key)
    except HandshakeError as error:
        repeated = "The server does not repeat the key. It sends the accept key that answers it."
        advice = repeated if response.headers.get(_ACCEPT) == key else ""
        return _fault(f"is not believed: {error}.", data, advice)
    return None


SWITCH = Watched(
    name="switch-protocols",
    title="Write the 101",
    asks="my_switch(key)",
    judge=_judge_switch,
    borrows=("judge_request",),
    section="RFC 6455 §4.2.2, point 5",
    hints=(
        "The answer from the beginning of this lesson has all four lines. One of them depends on the key.",
        "A status line with 101, Upgrade, Connection, Sec-WebSocket-Accept, an empty line. Encode the text.",
    ),
    why="These four lines are all that a client needs to believe that a server speaks WebSocket.",
)


def _variant(without: str = "", *lines: str, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    """Write the request of §1.3 with one thing changed."""
    head = ["Host: example.com", *_UPGRADE, f"Sec-WebSocket-Key: {RFC_KEY}", f"{_VERSION}: 13"]
    kept = [line for line in head if not without or not line.startswith(without + ":")]
    return "\r\n".join([f"{method} /chat {version}", *kept, *lines, "", ""]).encode()


REQUESTS = {
    "complete": _variant(),
    "a form is sent": _variant(method="POST"),
    "an old client": _variant(version="HTTP/1.0"),
    "a browser's address bar": _variant("Upgrade"),
    "another protocol": _variant("Upgrade", "Upgrade: h2c"),
    "a short key": _variant(_KEY, f"{_KEY}: dGhlIHNhbXBsZQ=="),
    "no key": _variant(_KEY),
    "a foreign page": _variant("", "Origin: https://evil.example"),
}
"""Eight requests to a server that accepts pages of https://chat.example and programs without Origin."""

_CHANGED = {  # what is wrong with a request, and its line
    "Upgrade is missing": ("Upgrade",),
    "Upgrade names another protocol": ("Upgrade", "Upgrade: h2c"),
    "Upgrade names websockets": ("Upgrade", "Upgrade: websockets"),
    "Connection is missing": ("Connection",),
    "Connection does not name Upgrade": ("Connection", "Connection: keep-alive"),
    "Connection names another option": ("Connection", "Connection: no-upgrade"),
    **{f"the version is {n}": (_VERSION, f"{_VERSION}: {n}") for n in ("8", "130")},
    "the version is no number": (_VERSION, f"{_VERSION}: draft"),
    "Sec-WebSocket-Version is missing": (_VERSION,),
    "the key is missing": (_KEY,),
    "the key is empty": (_KEY, f"{_KEY}:"),
    "the key is not 16 bytes in base64": (_KEY, f"{_KEY}: dGhlIHNhbXBsZQ=="),
    "the key has a letter too many": (_KEY, f"{_KEY}: *{RFC_KEY}"),
    "the key has a letter that base64 has not": (_KEY, f"{_KEY}: *{RFC_KEY[1:]}"),
}
_ACCEPTED = {  # a valid request, and what is unusual in it
    "": _variant(),
    "Upgrade: WebSocket is right too. Compare it without case.": _variant("Upgrade", "Upgrade: WebSocket"),
    "Connection: keep-alive, Upgrade is right too. Split it at its commas, and strip each part.": (
        _variant("Connection", "Connection: keep-alive, Upgrade")
    ),
    "Other headers, such as Origin and Cookie, do no harm.": (
        _variant("", "Origin: https://chat.example", "Cookie: a=b")
    ),
}


class _Head(Request):
    """A request that shows itself in one line of a verdict."""

    def __repr__(self) -> str:
        return f"<{self.method} {self.path}, {', '.join(f'{n}: {v}' for n, v in self.headers.items())}>"


def _judge_answers(answer: Any) -> Fault | None:
    source = Random("answer-request")
    drawn = [("", _variant(_KEY, f"{_KEY}: {_drawn_key(source)}")) for _ in range(5)]
    for unusual, data in (*_ACCEPTED.items(), *drawn):
        request = _parsed(data)
        if fault := _believed(answer(request), request.headers[_KEY]):
            return replace(fault, advice=unusual or fault.advice)
    versions, methods = source.sample(range(14, 99), 2), ("POST", "HEAD", "PUT", _word(source).upper())
    faults = {f"the method is {name}": _variant(method=name) for name in methods}
    faults |= {wrong: _variant(*changed) for wrong, changed in _CHANGED.items()}
    faults |= {f"the version is {n}": _variant(_VERSION, f"{_VERSION}: {n}") for n in versions}
    refused = (_not_refused(answer(_parsed(data)), wrong) for wrong, data in faults.items())
    return next(filter(None, refused), None)


def _not_refused(data: Any, wrong: str) -> Fault | None:
    """Say what is wrong with the answer to a request in which something is wrong."""
    fault, response = _read(data, "an answer")
    if fault:
        return fault
    fits = (400, 405, 501) if "method" in wrong else (400,) if "key" in wrong else (400, 426)
    rows = (("returned", repr(bytes(data))), ("expected", " or ".join(map(str, fits))))
    if response.status not in fits:
        accepted = "accepted this request" if response.status == 101 else f"answered {response.status}"
        return Fault(f"{accepted}, although {wrong}.", rows)
    if "ersion" in wrong and response.headers.get(_VERSION) != "13":
        return Fault(f"does not say which version it speaks: add {_VERSION}: 13 (§4.4).", rows)
    return None


def _parsed(data: bytes) -> Request:
    request = RequestReader().feed(data)
    assert isinstance(request, Request)
    return _Head(*request)


ANSWER_REQUEST = Watched(
    name="answer-request",
    title="Judge a request as a server, and answer it",
    asks="my_answer(request)",
    judge=_judge_answers,
    borrows=("judge_request",),
    section="RFC 6455 §4.2.1, §4.2.2 and §4.4",
    hints=(
        "Look at method, Upgrade, Connection, version and key, in this order. Refuse at the first fault.",
        "Compare Upgrade without case. Split Connection at its commas, and look for upgrade without case.",
        "base64.b64decode(key, validate=True) raises ValueError for what is not base64. Count the bytes.",
    ),
    why="A real client believes this server. What judge_request does besides: Host, HTTP versions, Origin.",
)

_STATUSES = dict(zip(REQUESTS, (101, 405, 505, 426, 426, 400, 400, 403), strict=True))

STATUS_FOR = Value(
    name="status-for",
    title="Predict the status of eight answers",
    right=_STATUSES,
    look_at={
        "complete": "All that §4.2.1 lists is there. What does a server answer that agrees to switch?",
        "a form is sent": "The method is not allowed here (RFC 9110 §15.5.6).",
        "an old client": "§4.2.1 wants HTTP/1.1. The server says that it does not support this version.",
        "a browser's address bar": "It is valid HTTP, but an upgrade is required (RFC 9110 §15.5.22).",
        "another protocol": "The server does not speak h2c. It says that another upgrade is required.",
        "a short key": "The key is not 16 bytes: a bad request, with no status of its own (§4.2.1).",
        "no key": "Without a key there is nothing to answer: a bad request (§4.2.1).",
        "a foreign page": "All is well formed. The server does not want this page (§4.2.2, point 4).",
    },
    noun="request",
    section="RFC 6455 §4.2.1, §4.2.2 and §4.4; RFC 9110 §15",
    hints=(
        "One is answered with 101. The others get 400 (twice), 403, 405, 426 (twice) and 505.",
        "Ask a server: judge_request(RequestReader().feed(data), origins=origins).status",
    ),
    mistakes={
        "200 would leave the connection with HTTP. Only 101 switches protocols.": {"complete": 200},
        "401 asks for a password. This page is refused whatever it sends.": {"a foreign page": 401},
    },
    why="A refusal is plain HTTP. A browser hides its status from the page, which sees close code 1006.",
)


# -- subprotocols --------------------------------------------------------------------------------------------


def _choose(offered: list[str], supported: list[str]) -> str | None:
    return next((name for name in supported if name in offered), None)


def _draw_names(source: Random) -> tuple[list[str], list[str]]:
    names = ["chat", "Chat", "superchat", "chat.v1", "chat.v2", "soap", "wamp", _word(source)]
    return source.sample(names, source.randrange(5)), source.sample(names, source.randrange(5))


CHOOSE_SUBPROTOCOL = Function(
    name="choose-subprotocol",
    title="Choose the subprotocol as a server",
    asks="my_choose_subprotocol(offered, supported)",
    right=_choose,
    calls=[
        (["superchat", "chat"], ["chat"]),
        (["soap", "wamp", "stomp"], ["mqtt", "wamp", "soap", "stomp"]),
        (["soap"], ["chat"]),
        (["chat"], ["Chat"]),
        (["superchat"], ["chat"]),
        (["chat"], ["superchat"]),
        (["chat"], []),
        ([], ["chat"]),
        (["a", "b", "c"], ["b", "c", "a"]),
        (["chat.v2"], ["chat"]),
    ],
    drawn=_draw_names,
    keeps=True,
    section="RFC 6455 §4.2.2, points 4 and 5.5",
    hints=(
        "Go through your own names in order of preference, and stop at the first that the client offered.",
        "Without a name in common, the server answers without a subprotocol. Return None.",
    ),
    mistakes={
        "You followed the client's order. The server's own order decides.": lambda o, s: _choose(s, o),
        "You returned the last of your own names. Stop at the first.": lambda o, s: _choose(o, s[::-1]),
        "You returned the client's first choice. The server chooses.": lambda o, s: next(iter(o), None),
        "Compare whole names: chat is only a part of superchat.": lambda o, s: next(
            (name for name in s if any(name in other for other in o)), None
        ),
        "Without a name in common, return None. An empty name is not valid.": lambda o, s: (
            _choose(o, s) or ""
        ),
        "The client did not offer this name, so it would fail the connection (§4.1).": lambda o, s: (
            _choose(o, s) or next(iter(s), None)
        ),
        "Your loop ends at its first turn. Put return None after it.": lambda o, s: _choose(o, s[:1]),
    },
    why="Never answer with a name that was not offered: the client must then fail the connection (§4.1).",
)


# -- a client -----------------------------------------------------------------------------------------------


class _Answer(Response):
    """A response that shows what is changed in it: a call is named in one line."""

    def __repr__(self) -> str:
        complete = {"Upgrade": "websocket", "Connection": "Upgrade", _ACCEPT: accept_key(RFC_KEY)}
        changed = [f"{name}: {value}" for name, value in self.headers.items() if value != complete.get(name)]
        missing = [f"no {name}" for name in complete if name not in self.headers]
        return f"<{', '.join([str(self.status), *(changed + missing[:1] or ['complete'])])}>"


def _answer(changed: dict[str, str] | None = None, *, status: int = 101, key: str = RFC_KEY) -> Response:
    """Build the answer to a key with some headers changed; an empty one is left out."""
    fields = {"Upgrade": "websocket", "Connection": "Upgrade", _ACCEPT: accept_key(key), **(changed or {})}
    return _Answer(status, "", Headers([(name, value) for name, value in fields.items() if value]))


Rule = Callable[[Any, str, Sequence[str]], bool]  # of a value, the right accept key, what was offered
_RULES: dict[str, Rule] = {
    "status": lambda value, right, offered: value == 101,
    "Upgrade": lambda value, right, offered: value.lower() == "websocket",
    "Connection": lambda value, right, offered: "upgrade" in map(str.strip, value.lower().split(",")),
    _ACCEPT: lambda value, right, offered: value == right,
    _PROTOCOL: lambda value, right, offered: value in ["", *offered],
}


def _judged_by(rules: dict[str, Rule]) -> Callable[[str, Sequence[str], Response], str]:
    def fault(key: str, offered: Sequence[str], response: Response) -> str:
        for name, rule in rules.items():
            value = response.status if name == "status" else response.headers.get(name) or ""
            if not rule(value, accept_key(key), offered):
                return name
        return "ok"

    return fault


_LOOSE: dict[str, tuple[str, Rule]] = {  # what a rule that is wrong deserves to be told
    "The server may name a subprotocol only if it was offered.": (_PROTOCOL, lambda *_: True),
    "Compare Upgrade without case: WebSocket is right too.": ("Upgrade", lambda v, *_: v == "websocket"),
    "Compare all of Upgrade: websockets is another word.": (
        "Upgrade",
        lambda v, *_: "websocket" in v.lower(),
    ),
    "Split Connection at its commas: no-upgrade is another.": (
        "Connection",
        lambda v, *_: "upgrade" in v.lower(),
    ),
    "Compare Connection as a list, without case.": ("Connection", lambda v, *_: v == "Upgrade"),
    "A comma may have a space after it. Strip each part of Connection.": (
        "Connection",
        lambda v, *_: "upgrade" in v.lower().split(","),
    ),
    "Only 101 switches protocols. Any other status is the first fault.": ("status", lambda *_: True),
    "Without Sec-WebSocket-Protocol, the server chose none, as it may.": (
        _PROTOCOL,
        lambda v, _, offered: v in offered,
    ),
    "A server need not choose a subprotocol.": (_PROTOCOL, lambda v, _, o: v in (o or [""])),
    "The header does not repeat the key. Compare it with accept_key(key).": (_ACCEPT, lambda *_: False),
    "Base64 tells capitals from small letters.": (_ACCEPT, lambda v, right, _: v.lower() == right.lower()),
    "It answers another key, as a cache does that kept an old answer.": (_ACCEPT, lambda v, *_: bool(v)),
}
_BARE = {"Upgrade": "", "Connection": "", _ACCEPT: ""}
_VALUES = {  # of each header: without it first, then what tells a comparison of whole words from a looser one
    "Upgrade": ("", "WebSocket", "websockets"),
    "Connection": ("", "UPGRADE,keep-alive", "keep-alive, upgrade", "keep-alive", "no-upgrade"),
    _ACCEPT: ("", *(accept_key(RFC_KEY)[:cut] + end for cut, end in ((-1, ""), (28, "=")))),
}
_CHOSEN: tuple[tuple[str, list[str]], ...] = (
    ("chat", ["chat"]),
    ("soap", ["chat"]),
    ("soap", []),
    ("chat.v1", ["chat.v2", "chat.v1"]),
)
_ALIKE = (("chat", ["superchat"]), ("Chat", ["chat"]))
_RESPONSES: list[tuple[list[str], Response]] = [
    *(([], each) for each in (_answer(status=403), _answer(), _answer(_BARE, status=200))),
    *(([], _answer({name: value})) for name, values in _VALUES.items() for value in values),
    *(([], each) for each in (_answer(key=COURSE_KEY), _answer({_ACCEPT: accept_key(RFC_KEY).swapcase()}))),
    (["chat"], _answer()),
    *((offered, _answer({_PROTOCOL: chosen})) for chosen, offered in (*_CHOSEN, *_ALIKE)),
    *(([], _answer(status=status)) for status in (102, 426)),
    *(([], _answer(changed)) for changed in (_BARE, _BARE | {"Upgrade": "websocket", _PROTOCOL: "soap"})),
    ([], _answer({_ACCEPT: "", _PROTOCOL: "soap"})),
]


def _draw_response(source: Random) -> tuple[str, list[str], Response]:
    key, name = _drawn_key(source), _word(source)
    offered = source.sample([name, "chat", "soap"], source.randrange(3))
    changed = {source.choice(["", "", "Upgrade", "Connection", _ACCEPT]): ""}
    changed |= {_PROTOCOL: source.choice([name, "chat"])} if source.random() < 0.5 else {}
    return key, offered, _answer(changed, status=source.choice([101, 101, 101, 400]), key=key)


JUDGE_RESPONSE = Function(
    name="judge-response",
    title="Judge a server's answer as a client",
    asks="my_fault(key, offered, response)",
    right=_judged_by(_RULES),
    calls=[
        *((RFC_KEY, offered, response) for offered, response in _RESPONSES),
        (COURSE_KEY, [], _answer(key=COURSE_KEY)),
    ],
    drawn=_draw_response,
    borrows=("judge_response",),
    section="RFC 6455 §4.1, the last list",
    hints=(
        "The order is: status, Upgrade, Connection, Sec-WebSocket-Accept, Sec-WebSocket-Protocol.",
        "Compare Upgrade without case, split Connection at its commas, compare the accept key exactly.",
    ),
    mistakes={text: _judged_by({**_RULES, name: rule}) for text, (name, rule) in _LOOSE.items()},
    why="§4.1 says MUST for each check: a client that skips one relies on what was never agreed.",
)

EXERCISES = (
    WRITE_REQUEST,
    ACCEPT_KEY,
    SPOT_THE_KEY,
    SWITCH,
    ANSWER_REQUEST,
    STATUS_FOR,
    CHOOSE_SUBPROTOCOL,
    JUDGE_RESPONSE,
)
