"""Heads of HTTP/1.1 to fields (RFC 9112 §2 to §6), as far as a handshake and its neighbours need.

`take_head` reads one head line by line, tells what each field means for WebSocket, and says how the body
behind it is framed; `dissect_bodies` reads that body. Unlike `wslab.http`, which must refuse, it goes on
after a wrong line. What is wrong with a handshake as a whole is asked of `wslab.handshake`. One side's
bytes do not tell that a response answers a HEAD request: its Content-Length is then taken for a body.

A head without its blank line is described as far as it goes.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from wslab.handshake import RequestReader, Response, judge_request
from wslab.lab.dissector.dissection import Dissection, Draft, count, plain
from wslab.lab.dissector.header_meanings import meaning_of

__all__ = ["Framing", "Head", "add_header", "ending_error", "next_line", "take_head"]

_REQUEST_LINE = re.compile(r"([!#-'*+\-.^-z|~0-9A-Z]+) ([\x21-\x7e]+) (HTTP/\d\.\d)")
_STATUS_LINE = re.compile(r"(HTTP/\d\.\d) ([1-9]\d\d)(?: (.*))?")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

Framing = int | Literal["chunked", "rest"] | None


class Head(NamedTuple):
    """Hold what the walk must know of a head: what may follow it.

    Args:
        framing: of the body: its length in bytes, "chunked", "rest" (until the connection ends), or None.
        upgrade: whether frames follow: a request that asks for WebSocket, or a 101.
        extensions: the value of Sec-WebSocket-Extensions.
    """

    framing: Framing
    upgrade: bool
    extensions: str


class _Start(NamedTuple):
    """Hold a start line: the pieces of a request line, or the status of a status line."""

    request: bool
    what: str
    status: int = 0


def take_head(stream: bytes, start: int) -> tuple[Dissection, Head]:
    r"""Dissect the head that starts at an offset of the stream.

    >>> piece, head = take_head(b"HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n", 0)
    >>> piece.what, piece.meaning, head.framing
    ('204 No Content', 'answers; no body', None)
    """
    draft = Draft(stream, start)
    begun: _Start | None = None
    pairs: list[tuple[str, str]] = []
    complete = False
    while not complete and (line := next_line(draft)):
        if begun is None and line in (b"\r\n", b"\n"):
            draft.add("blank line", 8 * len(line), "", "an empty line before the start line", "RFC 9112 §2.2")
        elif begun is None:
            begun = _start_line(draft, line)
        elif line in (b"\r\n", b"\n"):
            draft.add("blank line", 8 * len(line), "", "the head ends", "RFC 9112 §2.1", ending_error(line))
            complete = True
        else:
            pairs.append(add_header(draft, line, request=begun.request))
    begun = begun or _Start(True, "not HTTP")
    head = _head(begun, pairs)
    meaning = _meaning(begun, pairs, head) if complete else "incomplete: the blank line that ends the head"
    meaning += "" if complete else " has not arrived"
    problems = [] if draft.errors or not complete else _judge(draft, begun, pairs, head)
    return draft.finish("head", begun.what, meaning, problems=problems, complete=complete), head


def next_line(draft: Draft) -> bytes:
    """Return the next line with its ending, the bytes that are left when it has none, or nothing."""
    end = draft.stream.find(b"\n", draft.at)
    return draft.stream[draft.at : end + 1] if end >= 0 else draft.rest()


def ending_error(line: bytes) -> str | None:
    if line.endswith(b"\r\n") or not line.endswith(b"\n"):
        return None
    return "a line ends with LF alone, not with CR LF (RFC 9112 §2.2)"


def _start_line(draft: Draft, line: bytes) -> _Start:
    text = line.rstrip(b"\r\n").decode("latin-1")
    value = plain(line.rstrip(b"\r\n"))
    whole = line.endswith(b"\n")
    if match := _STATUS_LINE.fullmatch(text):
        what = " ".join(filter(None, [match[2], match[3]]))
        draft.add("start line", 8 * len(line), value, f"status {match[2]}", "RFC 9112 §4", ending_error(line))
        return _Start(False, plain(what.encode("latin-1"), 40), int(match[2]))
    if match := _REQUEST_LINE.fullmatch(text):
        meaning = f"method {match[1]}, target, version"
        draft.add("start line", 8 * len(line), value, meaning, "RFC 9112 §3", ending_error(line))
        return _Start(True, f"{match[1]} {match[2]}" if len(text) < 60 else f"{match[1]} {match[2][:40]}…")
    wrong = whole or not text.isascii() or not text.isprintable()
    error = "the first line is neither a request line nor a status line (RFC 9112 §2.1)" if wrong else None
    draft.add(
        "start line", 8 * len(line), value, "not HTTP" if wrong else "incomplete", "RFC 9112 §2.1", error
    )
    return _Start(True, "not HTTP" if wrong else "head")


def add_header(draft: Draft, line: bytes, *, request: bool) -> tuple[str, str]:
    """Add the name and the value of one header line; return both."""
    name_bytes, colon, value_bytes = line.partition(b":")
    name, value = name_bytes.decode("latin-1"), value_bytes.strip(b" \t\r\n").decode("latin-1")
    whole = line.endswith(b"\n")
    if not colon:
        error = "a header line has no colon (RFC 9112 §5)" if whole else None
        shown = plain(line.rstrip(b"\r\n"), 60)
        draft.add("header name", 8 * len(line), shown, "" if whole else "incomplete", "RFC 9112 §5", error)
        return name.strip(), ""
    error = (
        None if _NAME.fullmatch(name) else "a header name has a character that is not allowed (RFC 9112 §5)"
    )
    if name[:1] in (" ", "\t"):
        error = "a header line begins with a space: folded lines are obsolete (RFC 9112 §5.2)"
    shown = plain(name_bytes, 60)
    draft.add("header name", 8 * (len(name) + 1), shown, "", "RFC 9112 §5", error)
    if value_bytes:
        meaning, section, error = meaning_of(name, value, request=request)
        if not all(c == "\t" or " " <= c <= "~" or c >= "\x80" for c in value):
            error = f"the value of {shown} has a character that is not allowed (RFC 9110 §5.5)"
        shown = plain(value.encode("latin-1"))
        meaning = meaning if whole else "incomplete"
        draft.add("header value", 8 * len(value_bytes), shown, meaning, section, ending_error(line) or error)
    return name, value


# -- what a head says (RFC 9112 §6, RFC 6455 §4) ------------------------------------------------------------


def _values(pairs: list[tuple[str, str]], wanted: str) -> list[str]:
    joined = ",".join(value for name, value in pairs if name.lower() == wanted)
    return [part.strip() for part in joined.split(",") if part.strip()]


def _head(begun: _Start, pairs: list[tuple[str, str]]) -> Head:
    upgrade = "websocket" in [value.lower() for value in _values(pairs, "upgrade")]
    extensions = ", ".join(_values(pairs, "sec-websocket-extensions"))
    if begun.request:
        return Head(_framing(pairs, None), upgrade, extensions)
    bodiless = begun.status < 200 or begun.status in (204, 304)
    return Head(None if bodiless else _framing(pairs, "rest"), begun.status == 101, extensions)


def _framing(pairs: list[tuple[str, str]], otherwise: Framing) -> Framing:
    """Return how the body is framed (RFC 9112 §6.3)."""
    codings = _values(pairs, "transfer-encoding")
    if codings:
        return "chunked" if codings[-1].lower() == "chunked" else otherwise
    lengths = set(_values(pairs, "content-length"))
    if len(lengths) != 1 or not _is_length(length := lengths.pop()):
        return otherwise
    return int(length)


def _is_length(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 19


def _meaning(begun: _Start, pairs: list[tuple[str, str]], head: Head) -> str:
    if begun.request and begun.what == "not HTTP":
        return "cannot be read as HTTP"
    if begun.request and head.upgrade:
        return "asks to upgrade to WebSocket"
    if head.upgrade:
        names = _values(pairs, "sec-websocket-protocol")
        chosen = f", subprotocol {plain(names[0].encode('latin-1'), 40)}" if names else ""
        return f"agrees to upgrade to WebSocket{chosen}"
    verb = "asks" if begun.request else "refuses" if begun.status >= 400 else "answers"
    match head.framing:
        case int(length):
            return f"{verb}; body of {count(length)}"
        case "chunked":
            return f"{verb}; body in chunks"
        case "rest":
            return f"{verb}; body until the connection ends"
    return f"{verb}; no body"


def _judge(draft: Draft, begun: _Start, pairs: list[tuple[str, str]], head: Head) -> list[str]:
    """Say what is wrong with a head whose lines are all right."""
    lengths = set(_values(pairs, "content-length"))
    if len(lengths) > 1 or not all(map(_is_length, lengths)):
        return ["Content-Length is not one number (RFC 9112 §6.3)"]
    if not head.upgrade:
        return []
    if begun.request:
        data = draft.stream[draft.start : draft.at]
        read = RequestReader().feed(data.lstrip(b"\r\n"))
        verdict = read if isinstance(read, Response) or read is None else judge_request(read)
        return [verdict.body.decode().strip()] if verdict and verdict.status != 101 else []
    names = ("upgrade", "connection", "sec-websocket-accept")
    missing = [name for name in names if not _values(pairs, name)]
    titles = {
        "upgrade": "Upgrade",
        "connection": "Connection",
        "sec-websocket-accept": "Sec-WebSocket-Accept",
    }
    return [f"header {titles[name]} is missing (§4.2.2)" for name in missing]
