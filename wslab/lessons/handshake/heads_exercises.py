"""The exercises of lesson 02 on whole heads: write a request, judge requests and responses (RFC 6455 §4).

This module knows the questions, their typical wrong answers and their hints. The right answers come from the
judgements of ``wslab.handshake``, so the feedback is what a server or a client of this package says.
``REQUESTS`` is the material of one question. A request is judged whole: where an answer lacks bytes, the
feedback says that a server would wait for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from wslab.handshake import (
    Headers,
    RequestReader,
    Response,
    accept_key,
    judge_request,
)
from wslab.lab.exercises.answer import show
from wslab.lab.exercises.exercise import Case, Exercise, Fault, Mistake, equals, returns
from wslab.lessons.handshake.exercises import COURSE_KEY, RFC_KEY

__all__ = ["EXERCISES", "REQUESTS"]


_LOOK_AT = (  # what is seen in the bytes of a request that is refused, and the sentence on it
    (rb"\{\w+\}", "Names in braces stand in it as they are: the f before the quotes is missing."),
    (rb"(?<!\r)\n", "Lines end in two characters, CR and LF, also on Linux and macOS."),
    (rb"\A(?!.*\r\n\r\n).*\r\n\Z", "The last header has its line end; one more makes the empty line."),
    (rb"\r\n\r\n.", "The head ends at its first empty line. What stands behind it is no part of it."),
    (rb"\A(?!.*\r\nsec-websocket-version:)", "Every handshake of today has version 13 in it."),
    (
        rb"\A(?!.*\r\nconnection:)",
        "Connection: Upgrade says that Upgrade is meant for the next machine only.",
    ),
)


def _look_at(data: bytes | bytearray) -> str:
    """Give the sentence on what a request lacks that is seen in its bytes, or an empty one."""
    return next((text for seen, text in _LOOK_AT if re.search(seen, data.lower(), re.DOTALL)), "")


def _judge_write_request(answer: Any) -> Fault | None:
    """Have the package's own server judge the request: its refusal is the feedback."""
    for host, path, key in (
        ("server.example.com:8000", "/", RFC_KEY),
        ("Example.com", "/Chat?room=1", COURSE_KEY),
    ):
        data = answer(host, path, key)
        call = (host, path, key)
        if not isinstance(data, (bytes, bytearray)):
            what = "None" if data is None else f"a value of type {type(data).__name__}"
            how = ": encode the text" if isinstance(data, str) else ""
            return Fault(f"gives {what}, not bytes{how}.", (("given", show(data)),), call=call)
        reader = RequestReader()
        request = reader.feed(data)
        given = (("given", repr(bytes(data))),)
        if request is None:
            sentence = "is not whole: a server waits for the empty line that ends the head. "
            return Fault((sentence + _look_at(data)).rstrip(), given, call=call)
        response = request if isinstance(request, Response) else judge_request(request)
        if response.status != 101:
            told = response.body.decode().strip()
            sentence = f"is refused with {response.status}: {told}. {_look_at(data)}".rstrip()
            return Fault(sentence, given, call=call)
        if reader.rest:
            return Fault("goes on after the empty line, where frames begin.", given, call=call)
        assert not isinstance(request, Response)
        found = (request.headers["Host"], request.path, request.headers["Sec-WebSocket-Key"])
        if found != call:
            rows = (("given", show(found)), ("expected", show(call)))
            return Fault("is a good request, but not for this host, path and key.", rows, call=call)
    return None


def _request(host: str, path: str, key: str, lines: Sequence[str] = (), end: str = "\r\n") -> bytes:
    """Write a request with given lines besides Host and key, for typical mistakes and ``REQUESTS``."""
    head = [f"GET {path} HTTP/1.1", f"Host: {host}", *lines, f"Sec-WebSocket-Key: {key}"]
    return (end.join(head) + 2 * end).encode()


_UPGRADE = ("Upgrade: websocket", "Connection: Upgrade")
_VERSION = "Sec-WebSocket-Version: 13"
_ACCEPT = "Sec-WebSocket-Accept"
_PROTOCOL = "Sec-WebSocket-Protocol"

WRITE_REQUEST = Exercise(
    name="write-request",
    lesson="02",
    title="Write the request of the opening handshake",
    asks="my_request(host, path, key)",
    judge=_judge_write_request,
    section="RFC 6455 §4.1 and §4.2.1; RFC 9112 §2.1",
    hints=(
        "A request line, then Host, Upgrade, Connection, Sec-WebSocket-Key and Sec-WebSocket-Version.",
        'Join the lines with "\\r\\n", end with "\\r\\n\\r\\n", and encode the whole text.',
    ),
    mistakes=(
        Mistake(
            lambda host, path, key: _request(host, path, key, _UPGRADE),
            "Every handshake of today has version 13 in it.",
        ),
        Mistake(
            lambda host, path, key: _request(host, path, key, (*_UPGRADE, _VERSION), end="\n"),
            "Lines end in two characters, CR and LF, also on Linux and macOS.",
        ),
        Mistake(
            lambda host, path, key: _request(host, path, key, (*_UPGRADE, _VERSION))[:-2],
            "The last header has its line end; one more makes the empty line.",
        ),
        Mistake(
            lambda host, path, key: _request(host, path, key, ("Upgrade: websocket", _VERSION)),
            "Connection: Upgrade says that Upgrade is meant for the next machine only.",
        ),
        Mistake(
            lambda host, path, key: _request("{host}", "{path}", "{key}", (*_UPGRADE, _VERSION)),
            "Names in braces stand in it as they are: the f before the quotes is missing.",
        ),
        Mistake(
            lambda host, path, key: _request(host, path, key, (*_UPGRADE, _VERSION), end="\r\n\r\n"),
            "The head ends at its first empty line. What stands behind it is no part of it.",
        ),
    ),
    why="Anything that can write these lines into a TCP connection can open a WebSocket.",
)


def _variant(without: str = "", *lines: str, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    """Write the request of §1.3 with one thing changed."""
    head = ["Host: example.com", *_UPGRADE, f"Sec-WebSocket-Key: {RFC_KEY}", _VERSION]
    kept = [line for line in head if not without or not line.startswith(without + ":")]
    return "\r\n".join([f"{method} /chat {version}", *kept, *lines, "", ""]).encode()


REQUESTS = {
    "complete": _variant(),
    "a form is sent": _variant(method="POST"),
    "an old client": _variant(version="HTTP/1.0"),
    "a browser's address bar": _variant("Upgrade"),
    "a draft": _variant("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"),
    "a short key": _variant("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZQ=="),
    "a foreign page": _variant("", "Origin: https://evil.example"),
    "no host": _variant("Host"),
}
"""Eight requests to a server that lets in pages of https://chat.example and programs without Origin."""

_STATUSES = {
    "complete": 101,
    "a form is sent": 405,
    "an old client": 505,
    "a browser's address bar": 426,
    "a draft": 426,
    "a short key": 400,
    "a foreign page": 403,
    "no host": 400,
}

STATUS_FOR = Exercise(
    name="status-for",
    lesson="02",
    title="Predict the status of eight answers",
    judge=equals(
        _STATUSES,
        {
            "complete": "All that §4.2.1 lists is there: what does a server answer that agrees to switch?",
            "a form is sent": "The method is not allowed here (RFC 9110 §15.5.6).",
            "an old client": "§4.2.1 wants HTTP/1.1: this server says that it does not support the version.",
            "a browser's address bar": "It is good HTTP, but an upgrade is required (RFC 9110 §15.5.22).",
            "a draft": "The server answers with the version that it speaks, and a status for it (§4.4).",
            "a short key": "The key is not 16 bytes: a bad request, with no status of its own (§4.2.1).",
            "a foreign page": "All is well formed; the server does not want this page (§4.2.2, point 4).",
            "no host": "Every HTTP/1.1 request has one; without it, it is a bad request (RFC 9112 §3.2).",
        },
        noun="request",
    ),
    section="RFC 6455 §4.2.1, §4.2.2 and §4.4; RFC 9110 §15",
    hints=(
        "One is answered with 101; the others with 400 (twice), 403, 405, 426 (twice) and 505.",
        "The server's own judgement: judge_request(RequestReader().feed(data), origins=origins).status",
    ),
    mistakes=(
        Mistake(
            _STATUSES | {"complete": 200},
            "200 would leave the connection with HTTP. Only 101 switches protocols.",
        ),
        Mistake(
            _STATUSES | {"a draft": 400},
            "With Sec-WebSocket-Version, the RFC shows 426 (§4.2.2) and 400 (§4.4). This server says 426.",
        ),
    ),
    why="A refusal is plain HTTP. A browser hides its status from the page, which sees close code 1006.",
)


class _Answer(Response):
    """Show a response by what is changed in it: a call is named in one line."""

    def __repr__(self) -> str:
        complete = {"Upgrade": "websocket", "Connection": "Upgrade", _ACCEPT: accept_key(RFC_KEY)}
        changed = [f"{name}: {value}" for name, value in self.headers.items() if value != complete.get(name)]
        missing = [f"no {name}" for name in complete if name not in self.headers]
        return f"<{', '.join([str(self.status), *(changed + missing[:1] or ['complete'])])}>"


def _answer(without: str = "", *added: tuple[str, str], status: int = 101) -> Response:
    """Build the answer to ``RFC_KEY`` with one thing changed."""
    accept = (_ACCEPT, accept_key(RFC_KEY))
    fields = [("Upgrade", "websocket"), ("Connection", "Upgrade"), accept]
    kept = [(name, value) for name, value in fields if name != without]
    return _Answer(status, "", Headers([*kept, *added]))


def _compare_whole(key: str, offered: Sequence[str], response: Response) -> str:
    """Judge a response by comparing whole texts: a typical mistake."""
    wanted = {"Upgrade": "websocket", "Connection": "Upgrade", _ACCEPT: accept_key(key)}
    if response.status != 101:
        return "status"
    return next((name for name, value in wanted.items() if response.headers.get(name) != value), "ok")


def _faults(key: str, offered: Sequence[str], response: Response) -> list[str]:
    """Name all that is wrong with a response, in the order of the question."""
    get = response.headers.get
    rules = {
        "status": response.status == 101,
        "Upgrade": (get("Upgrade") or "").lower() == "websocket",
        "Connection": "upgrade"
        in [option.strip() for option in (get("Connection") or "").lower().split(",")],
        _ACCEPT: get(_ACCEPT) == accept_key(key),
        _PROTOCOL: get(_PROTOCOL) in [None, *offered],
    }
    return [name for name, holds in rules.items() if not holds]


def _blind(to: str, when: Callable[[Headers], bool] = lambda headers: True) -> Callable[..., str]:
    """Make the typical mistake that does not see one fault, when the headers are such."""

    def my_fault(key: str, offered: Sequence[str], response: Response) -> str:
        unseen = to if when(response.headers) else ""
        return next((fault for fault in _faults(key, offered, response) if fault != unseen), "ok")

    return my_fault


def _strict(on: str, when: Callable[[Headers], bool]) -> Callable[..., str]:
    """Make the typical mistake that sees a fault where there is none, when the headers are such."""

    def my_fault(key: str, offered: Sequence[str], response: Response) -> str:
        return next(iter(_faults(key, offered, response)), on if when(response.headers) else "ok")

    return my_fault


_NEAR_MISSES: tuple[tuple[str, list[str], Response], ...] = (
    ("status", [], _answer(status=102)),
    ("status", [], _answer(status=426)),
    ("Upgrade", [], _answer("Upgrade", ("Upgrade", "websockets"))),
    ("ok", [], _answer("Upgrade", ("Upgrade", "WEBSOCKET"))),
    ("Connection", [], _answer("Connection", ("Connection", "keep-alive"))),
    ("Connection", [], _answer("Connection", ("Connection", "no-upgrade"))),
    ("ok", [], _answer("Connection", ("Connection", "UPGRADE,keep-alive"))),
    (_ACCEPT, [], _answer(_ACCEPT, (_ACCEPT, accept_key(RFC_KEY)[:-1]))),
    (_ACCEPT, [], _answer(_ACCEPT, (_ACCEPT, accept_key(RFC_KEY) + "="))),
    ("ok", ["chat.v2", "chat.v1"], _answer("", (_PROTOCOL, "chat.v1"))),
    (_PROTOCOL, ["superchat"], _answer("", (_PROTOCOL, "chat"))),
    (_PROTOCOL, ["chat"], _answer("", (_PROTOCOL, "Chat"))),
    ("Upgrade", [], _Answer(101, "", Headers([]))),
    ("Connection", [], _Answer(101, "", Headers([("Upgrade", "websocket"), (_PROTOCOL, "soap")]))),
    (_ACCEPT, [], _answer(_ACCEPT, (_PROTOCOL, "soap"))),
)
"""Faults, offered subprotocols and responses that tell a comparison of whole names from a looser one."""

JUDGE_RESPONSE = Exercise(
    name="judge-response",
    lesson="02",
    title="Judge a server's answer as a client",
    asks="my_fault(key, offered, response)",
    judge=returns(
        *(
            Case((RFC_KEY, offered, response), fault)
            for fault, offered, response in (
                ("status", [], _answer(status=403)),
                ("ok", [], _answer()),
                ("status", [], _Answer(200, "OK", Headers([("Content-Type", "text/html")]))),
                ("Upgrade", [], _answer("Upgrade")),
                ("ok", [], _answer("Upgrade", ("Upgrade", "WebSocket"))),
                ("Connection", [], _answer("Connection")),
                ("ok", [], _answer("Connection", ("Connection", "keep-alive, upgrade"))),
                (_ACCEPT, [], _answer(_ACCEPT)),
                (_ACCEPT, [], _answer(_ACCEPT, (_ACCEPT, accept_key(COURSE_KEY)))),
                (_ACCEPT, [], _answer(_ACCEPT, (_ACCEPT, accept_key(RFC_KEY).swapcase()))),
                ("ok", ["chat"], _answer("", (_PROTOCOL, "chat"))),
                ("ok", ["chat"], _answer()),
                (_PROTOCOL, ["chat"], _answer("", (_PROTOCOL, "soap"))),
                (_PROTOCOL, [], _answer("", (_PROTOCOL, "soap"))),
                *_NEAR_MISSES,
            )
        ),
        Case((COURSE_KEY, [], _answer(_ACCEPT, (_ACCEPT, accept_key(COURSE_KEY)))), "ok"),
    ),
    section="RFC 6455 §4.1, the last list",
    hints=(
        "The order is: status, Upgrade, Connection, Sec-WebSocket-Accept, Sec-WebSocket-Protocol.",
        "Compare Upgrade without case, split Connection at its commas, compare the accept key exactly.",
    ),
    mistakes=(
        Mistake(_blind(_PROTOCOL), "The server may name a subprotocol only if it was offered."),
        Mistake(_compare_whole, "Compare Upgrade without case; Connection is a list, without case too."),
        Mistake(
            _blind("status"),
            "Only 101 switches protocols: any other status is the first thing that is wrong.",
        ),
        Mistake(
            lambda key, offered, response: (
                "ok" if response.headers.get(_ACCEPT) == accept_key(key) else _ACCEPT
            ),
            "Only 101 switches protocols: any other status is the first thing that is wrong.",
        ),
        Mistake(
            _strict(_PROTOCOL, lambda headers: _PROTOCOL not in headers),
            "A server need not choose a subprotocol: by the RFC, an answer without this header is in order.",
        ),
        Mistake(
            _blind(_ACCEPT, lambda headers: headers.get(_ACCEPT) == accept_key(COURSE_KEY)),
            "It answers another key, as a cache does that kept an old answer.",
        ),
        Mistake(
            _strict(_ACCEPT, lambda headers: True),
            "The header does not repeat the key, it answers it: compare it with accept_key(key).",
        ),
        Mistake(
            _blind(
                _ACCEPT, lambda headers: (headers.get(_ACCEPT) or "").lower() == accept_key(RFC_KEY).lower()
            ),
            "base64 tells capitals from small letters: compare the accept key as it stands.",
        ),
    ),
    why="§4.1 says MUST for each check: a client that skips one takes for agreed what was not.",
)

EXERCISES = (WRITE_REQUEST, STATUS_FOR, JUDGE_RESPONSE)
