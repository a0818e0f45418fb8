"""The head of an HTTP message: request or status line, header fields, blank line (RFC 9112 §2 to §5).

This module knows just as much of HTTP/1.1 as the opening handshake of WebSocket needs: it reads one head,
cut anywhere, and writes one. What the fields mean is left to ``handshake``; bodies, chunks and connections
that are used again to a real HTTP library.

A head that breaks a rule is refused at its first wrong line, like one over 64 KiB or 100 fields. When more
bytes are needed, ``feed`` keeps what it has and returns None; the bytes after a head are in ``rest``.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Iterator, Mapping

TYPE_CHECKING = False  # wslab/__init__.py says why it is not imported
if TYPE_CHECKING:
    import re

__all__ = ["HandshakeError", "Headers", "Request", "RequestReader", "Response", "ResponseReader"]

MAX_HEAD = 64 * 1024  # bytes
MAX_FIELDS = 100

TOKEN = r"[-!#$%&'*+.^_`|~0-9A-Za-z]+"  # RFC 9110 §5.6.2
_VALUE = r"[\t\x20-\x7e\x80-\xff]*"  # RFC 9110 §5.5, read as Latin-1
_TARGET = r"[\x21-\x7e]+"
_REQUEST_LINE = rf"({TOKEN}) ({_TARGET}) (HTTP/[0-9]\.[0-9])"  # RFC 9112 §3
_STATUS_LINE = rf"(HTTP/[0-9]\.[0-9]) ([1-9][0-9][0-9])(?: ({_VALUE}))?"  # RFC 9112 §4


def match(pattern: str, text: str) -> re.Match[str] | None:
    """Match a whole text, as ``re.fullmatch`` does."""
    import re  # takes longer to load than the rest of the protocol, and only an opening handshake needs it

    return re.fullmatch(pattern, text)


class HandshakeError(Exception):
    """An opening handshake that failed, and why, in one sentence.

    Args:
        message: what was wrong and the value that was seen.
        status: the HTTP status that goes with it, to be sent or received; None if there is none.

    >>> HandshakeError("the server answered 403 Forbidden", 403).status
    403
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Headers:
    """Header fields in their order; names are compared without case (RFC 9110 §5.1).

    Args:
        fields: pairs of name and value, or a mapping, or other headers.

    Raises:
        ValueError: a name or value that cannot be sent, such as one with a line break.

    >>> headers = Headers([("Host", "example.com"), ("Upgrade", "websocket")])
    >>> headers["host"], headers.get("Origin"), "upgrade" in headers
    ('example.com', None, True)
    """

    def __init__(self, fields: Iterable[tuple[str, str]] | Mapping[str, str] | Headers = ()) -> None:
        self._fields: list[tuple[str, str]] = []
        pairs = fields.items() if isinstance(fields, (Mapping, Headers)) else fields
        for name, value in pairs:
            self[name] = value

    def __setitem__(self, name: str, value: str) -> None:
        """Add a field after the others. To replace one, delete it first: fields of the same name stay."""
        if not match(TOKEN, name):
            raise ValueError(f"header name {name!r} is not a token")
        # The value is not quoted in the message: it may be a credential.
        if not match(_VALUE, value) or value != value.strip(" \t"):
            raise ValueError(f"the value of header {name} has a character that is not allowed")
        self._fields.append((name, value))

    def __delitem__(self, name: str) -> None:
        """Remove all fields of that name, if there are any."""
        self._fields = [field for field in self._fields if field[0].lower() != name.lower()]

    def get_all(self, name: str) -> list[str]:
        """Return the values of all fields of that name, in order."""
        wanted = name.lower()
        return [value for name, value in self._fields if name.lower() == wanted]

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the value of a field; the values of several are joined with ", " (RFC 9110 §5.3)."""
        values = self.get_all(name)
        return ", ".join(values) if values else default

    def items(self) -> list[tuple[str, str]]:
        """Return the pairs of name and value, in the order in which they are sent."""
        return list(self._fields)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.get_all(name))

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._fields])

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return self._fields == other._fields if isinstance(other, Headers) else NotImplemented

    def __repr__(self) -> str:
        return f"Headers({self._fields})"

    def encode(self) -> bytes:
        """Write the fields and the blank line that ends the head (RFC 9112 §5)."""
        return "".join(f"{name}: {value}\r\n" for name, value in self._fields).encode("latin-1") + b"\r\n"


class Request(namedtuple("Request", "path headers method version")):
    r"""The head of a request (RFC 9112 §3).

    Args:
        path: the request target: path and query, "/chat?room=1".
        headers: the header fields.
        method: the request method.
        version: the HTTP version.

    >>> Request("/chat", Headers([("Host", "example.com")])).encode()
    b'GET /chat HTTP/1.1\r\nHost: example.com\r\n\r\n'
    """

    __slots__ = ()
    path: str
    headers: Headers
    method: str
    version: str

    def __new__(cls, path: str, headers: Headers, method: str = "GET", version: str = "HTTP/1.1") -> Request:
        return super().__new__(cls, path, headers, method, version)

    def encode(self) -> bytes:
        """Write the head.

        Raises:
            ValueError: the method, the path or the version is malformed.
        """
        line = f"{self.method} {self.path} {self.version}"
        if not match(_REQUEST_LINE, line):
            raise ValueError(f"request line {line!r} is malformed")
        return line.encode() + b"\r\n" + self.headers.encode()


class Response(namedtuple("Response", "status reason headers body version")):
    r"""A response: its head, and the body if that is known (RFC 9112 §4).

    Args:
        status: the status code, 100 to 999.
        reason: the reason phrase.
        headers: the header fields.
        body: the content, in bytes.
        version: the HTTP version.

    >>> Response(404, "Not Found", Headers([("Content-Length", "0")])).encode()
    b'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'
    """

    __slots__ = ()
    status: int
    reason: str
    headers: Headers
    body: bytes
    version: str

    def __new__(
        cls, status: int, reason: str, headers: Headers, body: bytes = b"", version: str = "HTTP/1.1"
    ) -> Response:
        return super().__new__(cls, status, reason, headers, body, version)

    @classmethod
    def text(cls, status: int, text: str, headers: Iterable[tuple[str, str]] = ()) -> Response:
        """Build a response with a plain text as its body, after which the connection ends.

        Args:
            status: the status code.
            text: the body, which is sent in UTF-8.
            headers: further pairs of name and value.

        >>> Response.text(405, "use GET", [("Allow", "GET")]).headers["Allow"]
        'GET'
        """
        body = text.encode()
        fields = [
            *headers,
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        return cls(status, _reason(status), Headers(fields), body)

    def encode(self) -> bytes:
        """Write head and body.

        Raises:
            ValueError: the status, the reason or the version is malformed.
        """
        line = f"{self.version} {self.status} {self.reason}"
        if not match(_STATUS_LINE, line):
            raise ValueError(f"status line {line!r} is malformed")
        return line.encode("latin-1") + b"\r\n" + self.headers.encode() + self.body


def _reason(status: int) -> str:
    """Return the reason phrase that is registered for a status code, or an empty one (RFC 9110 §15)."""
    from http import HTTPStatus  # only refusals and pages need it

    return next((known.phrase for known in HTTPStatus if known == status), "")


class _HeadReader:
    """The lines of one head as its bytes arrive; the first wrong one is refused (RFC 9112 §2.2, §5)."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._size = 0  # bytes of the lines taken so far
        self._start: re.Match[str] | None = None
        self._fields: list[tuple[str, str]] = []
        self.rest = b""  # bytes after the head

    def _collect(self, data: bytes | bytearray | memoryview, start_line: str, name: str) -> bool:
        """Take bytes; return whether the head is whole. Raise HandshakeError with the status to answer."""
        searched = len(self._buffer)
        self._buffer += data
        while (end := self._buffer.find(b"\n", searched)) >= 0:
            line = bytes(self._buffer[: end + 1])
            del self._buffer[: end + 1]
            searched = 0
            self._size += len(line)
            if self._size > MAX_HEAD:
                break
            if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
                raise HandshakeError("a line of the head does not end with CR LF, or holds another CR", 400)
            if line == b"\r\n" and self._size == 2:
                continue  # one empty line before a message is ignored (RFC 9112 §2.2)
            if self._start is None:
                self._take_start(line[:-2].decode("latin-1"), start_line, name)
            elif line == b"\r\n":
                self.rest = bytes(self._buffer)
                self._buffer.clear()
                return True
            else:
                self._take_field(line[:-2].decode("latin-1"))
        if self._size + len(self._buffer) > MAX_HEAD:
            raise HandshakeError(f"the head is longer than {MAX_HEAD} bytes", 431)
        return False

    def _take_start(self, line: str, start_line: str, name: str) -> None:
        self._start = match(start_line, line)
        if self._start is None:
            # Anything that may be a credential is not quoted, since it would be logged.
            begin = line
            for stop in " ?:" if name == "request" else "?:":
                begin = begin.partition(stop)[0]
            quoted = _short(begin if begin == line else f"{begin}…")
            raise HandshakeError(f"the first line is no {name} line of HTTP: {quoted}", 400)

    def _take_field(self, line: str) -> None:
        if len(self._fields) == MAX_FIELDS:
            raise HandshakeError(f"the head has more than {MAX_FIELDS} fields", 431)
        name, colon, value = line.partition(":")
        value = value.strip(" \t")
        if not colon or not match(TOKEN, name):
            line_number = len(self._fields) + 2
            raise HandshakeError(f"line {line_number} of the head is not a header field", 400)
        if not match(_VALUE, value):
            raise HandshakeError(f"header {name} has a character that is not allowed", 400)
        self._fields.append((name, value))


class RequestReader(_HeadReader):
    r"""A reader of the head of a request, cut anywhere.

    >>> reader = RequestReader()
    >>> reader.feed(b"GET /chat HTTP/1.1\r\nHost: exam")
    >>> reader.feed(b"ple.com\r\n\r\nmore").path, reader.rest
    ('/chat', b'more')
    >>> RequestReader().feed(b"\x16\x03\x01").status
    400
    """

    def __init__(self) -> None:
        super().__init__()
        self._refusal: Response | None = None

    def feed(self, data: bytes | bytearray | memoryview) -> Request | Response | None:
        """Take bytes as they arrive. Nothing that the peer sends raises.

        Args:
            data: any number of bytes.

        Returns:
            None when more bytes are needed, the request once its head is whole, or the response that
            refuses it: 400 for a malformed head, 431 for one that is too large.
        """
        if self._refusal:
            return self._refusal
        try:
            if self._start is None:
                _refuse_other_protocols(bytes(self._buffer[:1]) or bytes(data[:1]))
            if not self._collect(data, _REQUEST_LINE, "request"):
                return None
        except HandshakeError as error:
            self._buffer.clear()
            self._refusal = Response.text(error.status or 400, f"{error}\n")
            return self._refusal
        assert self._start is not None
        method, path, version = self._start.groups()
        return Request(path, Headers(self._fields), method, version)


def _refuse_other_protocols(first: bytes) -> None:
    """Refuse, without waiting for more, a first byte that no request can begin with."""
    if first == b"\x16":
        raise HandshakeError("this is a TLS handshake: use ws:// here, or give the server a certificate", 400)
    if first and first != b"\r" and not match(TOKEN, first.decode("latin-1")):
        raise HandshakeError(f"byte {first.hex()} begins no HTTP request", 400)


class ResponseReader(_HeadReader):
    r"""A reader of the head of a response, cut anywhere.

    >>> reader = ResponseReader()
    >>> reader.feed(b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x00").status, reader.rest
    (101, b'\x81\x00')
    """

    def feed(self, data: bytes | bytearray | memoryview) -> Response | None:
        """Take bytes as they arrive.

        Args:
            data: any number of bytes.

        Returns:
            None when more bytes are needed, else the response, without its body.

        Raises:
            HandshakeError: the head is malformed (400), or too large (431).
        """
        if not self._collect(data, _STATUS_LINE, "status"):
            return None
        assert self._start is not None
        version, status, reason = self._start.groups()
        return Response(int(status), reason or "", Headers(self._fields), version=version)


def _short(line: str) -> str:
    return repr(line if len(line) <= 60 else line[:59] + "…")
