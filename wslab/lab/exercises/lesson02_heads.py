"""The exercises of lesson 02 on whole heads: write a request, judge requests and responses (RFC 6455 §4).

This module knows the questions, their typical wrong answers and their hints. The right answers come from the
judgements of ``wslab.handshake``, so the feedback is what a server or a client of this package says.
``REQUESTS`` is the material of one question. A request is judged whole: where an answer lacks octets, the
feedback says that a server would wait for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wslab.handshake import (
    HandshakeError,
    Headers,
    RequestReader,
    Response,
    accept_key,
    judge_request,
    judge_response,
)
from wslab.lab.exercises.answer import show
from wslab.lab.exercises.exercise import Case, Exercise, Fault, Mistake, equals, returns
from wslab.lab.exercises.lesson02 import COURSE_KEY, RFC_KEY

__all__ = ["EXERCISES", "REQUESTS"]


def _judge_write_request(answer: Any) -> Fault | None:
    """Have the package's own server judge the request: its refusal is the feedback."""
    for host, path, key in (
        ("server.example.com:8000", "/", RFC_KEY),
        ("example.com", "/chat?room=1", COURSE_KEY),
    ):
        octets = answer(host, path, key)
        call = (host, path, key)
        if not isinstance(octets, (bytes, bytearray)):
            return Fault(
                f"gives {type(octets).__name__}, not bytes: encode the text.", given=octets, call=call
            )
        reader = RequestReader()
        request = reader.feed(octets)
        given = (("given", repr(bytes(octets))),)
        if request is None:
            sentence = "is not whole: a server waits for the empty line that ends the head."
            return Fault(sentence, given, octets, call)
        response = request if isinstance(request, Response) else judge_request(request)
        if response.status != 101:
            told = response.body.decode().strip()
            return Fault(f"is refused with {response.status}: {told}", given, octets, call)
        if reader.rest:
            return Fault("goes on after the empty line, where frames begin.", given, octets, call)
        assert not isinstance(request, Response)
        found = (request.headers["Host"], request.path, request.headers["Sec-WebSocket-Key"])
        if found != call:
            rows = (("given", show(found)), ("expected", show(call)))
            return Fault("is a good request, but not for this host, path and key.", rows, octets, call)
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
            "Sec-WebSocket-Version is missing. Only version 13 is in use.",
        ),
        Mistake(
            lambda host, path, key: _request(host, path, key, (*_UPGRADE, _VERSION), end="\n"),
            "Lines end in two characters, CR and LF, also on Linux and macOS.",
        ),
        Mistake(
            lambda host, path, key: _request(host, path, key, (*_UPGRADE, _VERSION))[:-2],
            "The last header has its line end, and the empty line that ends the head is missing.",
        ),
        Mistake(
            lambda host, path, key: _request(host, path, key, ("Upgrade: websocket", _VERSION)),
            "Connection: Upgrade is missing. It says that Upgrade is meant for the next hop only.",
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
            "an old client": "Upgrade came with HTTP/1.1: this version is not supported (RFC 9110 §15.6.6).",
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
        "Run judge_request on them, one after the other, with origins=[None, 'https://chat.example'].",
    ),
    mistakes=(
        Mistake(
            _STATUSES | {"complete": 200},
            "200 would leave the connection with HTTP. Only 101 switches protocols.",
        ),
        Mistake(
            _STATUSES | {"a draft": 400},
            "426 together with Sec-WebSocket-Version: 13 tells the client what to try instead.",
        ),
    ),
    why="A refusal is plain HTTP. A browser hides its status from the page, which sees close code 1006.",
)


def _answer(without: str = "", *added: tuple[str, str], status: int = 101) -> Response:
    """Build the answer to ``RFC_KEY`` with one thing changed."""
    accept = (_ACCEPT, accept_key(RFC_KEY))
    fields = [("Upgrade", "websocket"), ("Connection", "Upgrade"), accept]
    kept = [(name, value) for name, value in fields if name != without]
    return Response(status, "", Headers([*kept, *added]))


def _compare_whole(key: str, offered: Sequence[str], response: Response) -> str:
    """Judge a response by comparing whole texts: a typical mistake."""
    wanted = {"Upgrade": "websocket", "Connection": "Upgrade", _ACCEPT: accept_key(key)}
    if response.status != 101:
        return "status"
    return next((name for name, value in wanted.items() if response.headers.get(name) != value), "ok")


def _forget_protocol(key: str, offered: Sequence[str], response: Response) -> str:
    """Judge a response but for its subprotocol: a typical mistake."""
    if response.status != 101:
        return "status"
    head = response._replace(headers=Headers([f for f in response.headers.items() if f[0] != _PROTOCOL]))
    try:
        judge_response(head, key)
    except HandshakeError as error:
        return next(name for name in ("Upgrade", "Connection", _ACCEPT) if name in str(error))
    return "ok"


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
                ("Upgrade", [], _answer("Upgrade")),
                ("ok", [], _answer("Upgrade", ("Upgrade", "WebSocket"))),
                ("Connection", [], _answer("Connection")),
                ("ok", [], _answer("Connection", ("Connection", "keep-alive, upgrade"))),
                (_ACCEPT, [], _answer(_ACCEPT)),
                (_ACCEPT, [], _answer(_ACCEPT, (_ACCEPT, accept_key(RFC_KEY).swapcase()))),
                ("ok", ["chat"], _answer("", (_PROTOCOL, "chat"))),
                (_PROTOCOL, ["chat"], _answer("", (_PROTOCOL, "soap"))),
            )
        )
    ),
    section='RFC 6455 §4.1, the list after "Once the client\'s opening handshake has been sent"',
    hints=(
        "The order is: status, Upgrade, Connection, Sec-WebSocket-Accept, Sec-WebSocket-Protocol.",
        "Compare Upgrade without case, split Connection at its commas, compare the accept key exactly.",
    ),
    mistakes=(
        Mistake(_forget_protocol, "The server may name a subprotocol only if it was offered."),
        Mistake(_compare_whole, "Compare Upgrade without case; Connection is a list, without case too."),
        Mistake(
            lambda key, offered, response: (
                "ok" if response.headers.get(_ACCEPT) == accept_key(key) else _ACCEPT
            ),
            "The accept key alone does not do: a client checks the status and the other headers too.",
        ),
    ),
    why="A client that skips one of these checks can be led to send frames to a server that never agreed.",
)

EXERCISES = (WRITE_REQUEST, STATUS_FOR, JUDGE_RESPONSE)
