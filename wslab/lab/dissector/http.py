"""Heads and bodies of HTTP/1.1 to fields (RFC 9112 §2 to §7), as far as a handshake and its neighbours need.

`take_head` reads one head line by line, says what each field means for WebSocket (RFC 6455 §4, §11.3), and
how the body after it is framed: so many bytes, chunks, or all until the connection ends. `take_body` reads
that body. Unlike `wslab.http`, which must refuse, both go on after a wrong line. What is wrong with a
handshake as a whole is asked of `wslab.handshake`.

What has not arrived in full is described as far as it goes. A chunk that is wrong ends the reading: what
follows it is kept as one unread field.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import partial
from typing import Literal, NamedTuple

from wslab.handshake import VERSION, RequestReader, Response, is_valid_key, judge_request
from wslab.lab.dissector.dissection import Dissection
from wslab.lab.dissector.draft import Draft
from wslab.lab.views.words import count, plain, quoted

__all__ = ["ChunkSearch", "Framing", "Head", "take_body", "take_head"]

_REQUEST_LINE = re.compile(r"([!#-'*+\-.^-z|~0-9A-Z]+) ([\x21-\x7e]+) (HTTP/\d\.\d)")
_STATUS_LINE = re.compile(r"(HTTP/\d\.\d) ([1-9]\d\d)(?: (.*))?")
_CHUNK_SIZE = rb"[0-9A-Fa-f]{1,16}"
_ACCEPTING = ("Upgrade", "Connection", "Sec-WebSocket-Accept")  # header fields of a 101
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

Framing = int | Literal["chunked", "rest"] | None


class Head(NamedTuple):
    """What may follow a head.

    Args:
        framing: of the body: its length in bytes, "chunked", "rest" (until the connection ends), or None.
        upgrade: whether frames follow: a request that asks for WebSocket, or a 101.
        extensions: the value of Sec-WebSocket-Extensions.
        method: of a request; else empty.
        status: of a response; else 0.
    """

    framing: Framing
    upgrade: bool
    extensions: str
    method: str = ""
    status: int = 0


class _Start(NamedTuple):
    """A start line: the method of a request line, or the status of a status line."""

    request: bool
    what: str
    status: int = 0
    method: str = ""


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
    while not complete and (line := _next_line(draft)):
        if begun is None and line in (b"\r\n", b"\n"):
            draft.add("blank line", 8 * len(line), "", "an empty line before the start line", "RFC 9112 §2.2")
        elif begun is None:
            begun = _start_line(draft, line)
        elif line in (b"\r\n", b"\n"):
            draft.add("blank line", 8 * len(line), "", "the head ends", "RFC 9112 §2.1", _ending_error(line))
            complete = True
        else:
            pairs.append(_add_header(draft, line, request=begun.request))
    begun = begun or _Start(True, "not HTTP")
    head = _head(begun, pairs)
    meaning = _meaning(begun, pairs, head) if complete else "incomplete: the blank line that ends the head"
    meaning += "" if complete else " has not arrived"
    problems = [] if draft.errors or not complete else _judge(draft, begun, pairs, head)
    return draft.finish("head", begun.what, meaning, problems=problems, complete=complete), head


def _next_line(draft: Draft) -> bytes:
    """Return the next line with its ending, the bytes that are left when it has none, or nothing."""
    end = draft.stream.find(b"\n", draft.at)
    return draft.stream[draft.at : end + 1] if end >= 0 else draft.rest()


def _ending_error(line: bytes) -> str | None:
    if line.endswith(b"\r\n") or not line.endswith(b"\n"):
        return None
    return "a line ends with LF alone, not with CR LF (RFC 9112 §2.2)"


def _start_line(draft: Draft, line: bytes) -> _Start:
    text = line.rstrip(b"\r\n").decode("latin-1")
    value = plain(line.rstrip(b"\r\n"))
    add = partial(draft.add, "start line", 8 * len(line), value)
    if match := _STATUS_LINE.fullmatch(text):
        what = " ".join(filter(None, [match[2], match[3]]))
        add(f"status {match[2]}", "RFC 9112 §4", _ending_error(line))
        return _Start(False, plain(what.encode("latin-1"), 40), int(match[2]))
    if match := _REQUEST_LINE.fullmatch(text):
        add(f"method {match[1]}, target, version", "RFC 9112 §3", _ending_error(line))
        what = f"{match[1]} {match[2]}" if len(text) < 60 else f"{match[1]} {match[2][:40]}…"
        return _Start(True, what, method=match[1])
    wrong = line.endswith(b"\n") or not text.isascii() or not text.isprintable()
    error = "the first line is neither a request line nor a status line (RFC 9112 §2.1)" if wrong else None
    add("not HTTP" if wrong else "incomplete", "RFC 9112 §2.1", error)
    return _Start(True, "not HTTP" if wrong else "head")


def _add_header(draft: Draft, line: bytes, *, request: bool) -> tuple[str, str]:
    """Add the name and the value of one header line; return both."""
    name_bytes, colon, value_bytes = line.partition(b":")
    name, value = name_bytes.decode("latin-1"), value_bytes.strip(b" \t\r\n").decode("latin-1")
    whole = line.endswith(b"\n")
    if not colon:
        error = "a header line has no colon (RFC 9112 §5)" if whole else None
        shown = plain(line.rstrip(b"\r\n"), 60)
        draft.add("header name", 8 * len(line), shown, "" if whole else "incomplete", "RFC 9112 §5", error)
        return name.strip(), ""
    error = "a header name has a character that is not allowed (RFC 9112 §5)"
    error = None if _NAME.fullmatch(name) else error
    if name[:1] in (" ", "\t"):
        error = "a header line begins with a space: folded lines are obsolete (RFC 9112 §5.2)"
    shown = plain(name_bytes, 60)
    draft.add("header name", 8 * (len(name) + 1), shown, "", "RFC 9112 §5", error)
    if value_bytes:
        meaning, section, error = _meaning_of(name, value, request=request)
        if not all(c == "\t" or " " <= c <= "~" or c >= "\x80" for c in value):
            error = f"the value of {shown} has a character that is not allowed (RFC 9110 §5.5)"
        shown = plain(value.encode("latin-1"))
        meaning = meaning if whole else "incomplete"
        draft.add("header value", 8 * len(value_bytes), shown, meaning, section, _ending_error(line) or error)
    return name, value


# -- what a head says (RFC 9112 §6, RFC 6455 §4) ------------------------------------------------------------


def _values(pairs: list[tuple[str, str]], wanted: str) -> list[str]:
    joined = ",".join(value for name, value in pairs if name.lower() == wanted)
    return [part.strip() for part in joined.split(",") if part.strip()]


def _head(begun: _Start, pairs: list[tuple[str, str]]) -> Head:
    upgrade = "websocket" in [value.lower() for value in _values(pairs, "upgrade")]
    extensions = ", ".join(_values(pairs, "sec-websocket-extensions"))
    if begun.request:
        return Head(_framing(pairs, None), upgrade, extensions, method=begun.method)
    bodiless = begun.status < 200 or begun.status in (204, 304)
    framing = None if bodiless else _framing(pairs, "rest")
    return Head(framing, begun.status == 101, extensions, status=begun.status)


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
    """Return what is wrong with a head whose lines are all right."""
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
    missing = [name for name in _ACCEPTING if not _values(pairs, name.lower())]
    return [f"header {name} is missing (§4.2.2)" for name in missing]


# -- bodies (RFC 9112 §6, §7.1) ----------------------------------------------------------------------------


def take_body(stream: bytes, start: int, framing: Framing) -> Dissection:
    r"""Dissect the body that starts at an offset of the stream.

    >>> take_body(b"5\r\nHello\r\n0\r\n\r\n", 0, "chunked").meaning
    '"Hello" in 1 chunk'
    """
    draft = Draft(stream, start)
    if framing == "chunked":
        return _chunks(draft)
    length = framing if isinstance(framing, int) else None
    data, missing = draft.rest(length), draft.missing(length or 0)
    note = "until the connection ends" if length is None else f"Content-Length: {length}"
    section = "RFC 9112 §6.3" if length is None else "RFC 9112 §6.2"
    draft.add("body", 8 * len(data), quoted(data), note, section)
    meaning = quoted(data) + _note(missing)
    return draft.finish("body", "body", meaning, complete=not missing)


def _note(size: int) -> str:
    return f"; incomplete: {count(size, 'more byte')} needed" if size else ""


def _chunks(draft: Draft) -> Dissection:
    data: list[bytes] = []
    complete = False
    while not complete and (line := _next_line(draft)):
        digits = line.partition(b";")[0].strip(b" \t\r\n")
        if not re.fullmatch(_CHUNK_SIZE, digits):
            error = "the chunk size is not a hexadecimal number (RFC 9112 §7.1)"
            _add_unread(draft, error if line.endswith(b"\n") else None)
            break
        size, wrong = int(digits, 16), _ending_error(line)
        draft.add("chunk size", 8 * len(line), digits.decode(), count(size), "RFC 9112 §7.1", wrong)
        if size == 0 and line.endswith(b"\n"):
            complete = _trailers(draft)
            break
        if not _chunk(draft, size, data):
            break
    meaning = f"{quoted(b''.join(data))} in {count(len(data), 'chunk')}"
    meaning += "" if complete or draft.errors else "; incomplete: more chunks follow"
    return draft.finish("body", "body", meaning, complete=complete)


def _chunk(draft: Draft, size: int, data: list[bytes]) -> bool:
    """Add the data of one chunk and its CR LF; return whether it is whole and the next one can be read."""
    raw, missing = draft.rest(size), draft.missing(size + 2)
    if raw:
        data.append(raw)
        meaning = f"chunk {len(data)}" + _note(missing)
        draft.add("body", 8 * len(raw), quoted(raw), meaning, "RFC 9112 §7.1")
    end = draft.rest(2)
    if end and not b"\r\n".startswith(end):
        _add_unread(draft, "the chunk is longer than its size says (RFC 9112 §7.1)")
        return False
    if end:
        draft.add("blank line", 8 * len(end), "", "the chunk ends", "RFC 9112 §7.1")
    return not missing


def _add_unread(draft: Draft, error: str | None) -> None:
    draft.add("unread", 8 * len(draft.rest()), quoted(draft.rest()), "", "RFC 9112 §7.1", error)


def _trailers(draft: Draft) -> bool:
    """Add the lines after the last chunk; return whether the blank line that ends the body is there."""
    while line := _next_line(draft):
        if line in (b"\r\n", b"\n"):
            draft.add("blank line", 8 * len(line), "", "the body ends", "RFC 9112 §7.1", _ending_error(line))
            return True
        _add_header(draft, line, request=False)
    return False


class ChunkSearch:
    r"""The search for the end of a chunked body while its bytes arrive: no chunk is looked at twice.

    >>> search = ChunkSearch()
    >>> search.size(b"5\r\nHello\r\n0\r\n"), search.size(b"5\r\nHello\r\n0\r\n\r\n")
    (None, 15)
    """

    def __init__(self) -> None:
        self._at = 0  # where the line begins that is read next
        self._last = False  # whether the chunk of size 0 was there: only trailers follow

    def size(self, data: bytes | bytearray) -> int | None:
        """Return the size of the body at the start of the data, or None while it is not whole."""
        while (end := data.find(b"\n", self._at)) >= 0:
            line = bytes(data[self._at : end + 1])
            if self._last and line in (b"\r\n", b"\n"):
                return end + 1
            after = end + 1
            if not self._last:
                digits = line.partition(b";")[0].strip(b" \t\r\n")
                if not re.fullmatch(_CHUNK_SIZE, digits):
                    return None  # what is wrong is never whole
                length = int(digits, 16)
                self._last = length == 0
                after += length + 2 if length else 0
                if after > len(data) or (length and data[after - 2 : after] != b"\r\n"):
                    return None
            self._at = after
        return None


# -- what header fields mean (RFC 6455 §4, §11.3) ----------------------------------------------------------

_BOTH = {
    "host": ("host and port that the client means", "RFC 9110 §7.2"),
    "origin": ("the origin of the page that asks", "§10.2"),
    "content-length": ("bytes in the body", "RFC 9112 §6.2"),
    "transfer-encoding": ("how the body is framed", "RFC 9112 §6.1"),
    "content-type": ("what the body is", "RFC 9110 §8.3"),
}
_REQUEST = {
    "upgrade": ("asks to change the protocol", "§4.1"),
    "sec-websocket-key": ("16 random bytes in base64", "§4.1"),
    "sec-websocket-version": ("version of the protocol", "§4.1"),
    "sec-websocket-protocol": ("subprotocols offered, the preferred first", "§4.1"),
    "sec-websocket-extensions": ("extensions offered", "§9.1"),
}
_RESPONSE = {
    "upgrade": ("the protocol from here on", "§4.2.2"),
    "sec-websocket-accept": ("SHA-1 of key and GUID, in base64", "§4.2.2"),
    "sec-websocket-version": ("versions that the server speaks", "§4.4"),
    "sec-websocket-protocol": ("the subprotocol chosen", "§4.2.2"),
    "sec-websocket-extensions": ("extensions in use", "§9.1"),
}


def _meaning_of(name: str, value: str, *, request: bool) -> tuple[str, str, str | None]:
    """Return the meaning of a header field, its section, and what is wrong with its value, or None.

    Args:
        name: the name as it was sent; compared without case.
        value: the value without the space around it.
        request: whether it is in a request or in a response.
    """
    lowered = name.lower()
    if lowered == "connection":
        return _connection(value), "RFC 9110 §7.6.1", None
    table = {**_BOTH, **(_REQUEST if request else _RESPONSE)}
    meaning, section = table.get(lowered, ("other HTTP field", "RFC 9110 §5"))
    return meaning, section, _value_error(lowered, value, request)


def _connection(value: str) -> str:
    options = {option.strip().lower() for option in value.split(",")}
    if "upgrade" in options:
        return "Upgrade concerns this connection"
    if "close" in options:
        return "the connection ends after this answer"
    return "the connection is used again" if "keep-alive" in options else "options of this connection"


def _value_error(lowered: str, value: str, request: bool) -> str | None:
    if request and lowered == "sec-websocket-key" and not is_valid_key(value):
        return "Sec-WebSocket-Key is not 16 bytes in base64 (§4.1)"
    if request and lowered == "sec-websocket-version" and value != VERSION:
        return f"Sec-WebSocket-Version is not {VERSION} (§4.1)"
    if not request and lowered == "sec-websocket-accept" and not _is_digest(value):
        return "Sec-WebSocket-Accept is not 20 bytes in base64 (§4.2.2)"
    return None


def _is_digest(value: str) -> bool:
    try:
        return len(base64.b64decode(value.encode("latin-1"), validate=True)) == 20
    except (binascii.Error, UnicodeEncodeError):
        return False
