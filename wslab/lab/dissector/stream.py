"""All bytes that one side of a connection sent, in order: heads, bodies and frames, field by field.

A `Stream` decides what comes next: a body where a head announces one, the next head on a connection that is
used again, frames after a request for WebSocket or a 101 (RFC 6455 §4). It reads any bytes and never raises
for what they say: wrong ones are described, with the section that they break. No byte is dropped: the bytes
of all pieces, joined, are the stream.

It is fed as bytes arrive, and each piece is read once, when its last byte has arrived. `rest` shows at any
time what is not whole yet, and how many bytes are missing. Two things are not in the bytes of one side:
whether its request for WebSocket was granted, and whether its response answers HEAD and so has no body (RFC
9112 §6.3). A caller that sees both sides passes them in (`decide`, `methods`); `dissect`, which sees one,
judges by what follows.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import Literal

from wslab.lab.dissector.dissection import Dissection, Dissections
from wslab.lab.dissector.field import Field
from wslab.lab.dissector.frame import FrameWalk, frame_size
from wslab.lab.dissector.http import ChunkSearch, Framing, Head, take_body, take_head

__all__ = ["Dissection", "Dissections", "Field", "Sender", "Stream", "dissect"]

Sender = Literal["client", "server"]
Start = Literal["head", "frame"]
# No frame of a client begins like this: it would have RSV1 set. A refused client asks again.
_ASKS_AGAIN = re.compile(rb"[A-Z]{3,10} [\x21-\x7e]{1,8000} HTTP/1\.[01]\r?\n")
_EMPTY_LINES = re.compile(rb"(?:\r?\n)*")  # before the start line; RFC 9112 §2.2 says to skip them
_EMPTY_LINE = re.compile(rb"\n\r?\n")


def dissect(
    data: bytes | bytearray | memoryview,
    *,
    sender: Sender | None = None,
    start: Start = "head",
    extensions: str | None = None,
) -> Dissections:
    r"""Dissect what one side sent.

    Args:
        data: all bytes of that side, in order; none may be left out before them.
        sender: the side that sent them, to check the direction of masking (§5.1); None leaves it unchecked.
        start: "head" for a stream that begins with HTTP, "frame" for one after the handshake.
        extensions: the value of Sec-WebSocket-Extensions in the server's answer. When it is not given, that
            of the stream's own head counts, in a request too, where it is only an offer.

    Raises:
        TypeError: the data are not bytes-like.
        ValueError: ``sender`` or ``start`` is none of the words above.

    >>> hello, ping = dissect(bytes.fromhex("810548656c6c6f 8900"), start="frame")
    >>> hello.what, hello.meaning, ping.what
    ('TEXT', '"Hello"', 'PING')
    >>> [field.name for field in hello.fields][-2:]
    ['payload length', 'payload data']
    >>> dissect(b"\x83\x00", start="frame")[0].error
    'opcode 3 is reserved (§5.2)'
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"data is {type(data).__name__}, not bytes; encode a text with .encode() first")
    if sender not in ("client", "server", None) or start not in ("head", "frame"):
        known = 'sender is "client", "server" or None, start is "head" or "frame"'
        raise ValueError(f"{known}; not {sender!r}, {start!r}")
    stream = Stream(sender, start=start, extensions=extensions)
    return Dissections([*stream.feed(data), *stream.rest()])


class Stream:
    """One side of a connection, cut into pieces as its bytes arrive.

    Args:
        sender, start, extensions: as `dissect` takes them.

    >>> stream = Stream("server")
    >>> [piece.what for piece in stream.feed(b"HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n\\x89")]
    ['101 Switching Protocols']
    >>> [piece.meaning for piece in stream.rest()]
    ['incomplete: at least 1 more byte needed']
    >>> [piece.what for piece in stream.feed(b"\\x00")]
    ['PING']
    """

    def __init__(
        self, sender: Sender | None = None, *, start: Start = "head", extensions: str | None = None
    ) -> None:
        self.head: Head | None = None  # the last one that was whole
        self.methods: deque[str] = deque()  # of requests that responses of this side have not answered yet
        self.undecided = False  # it asked for WebSocket, and neither an answer nor what follows decides
        self._sender, self._extensions = sender, extensions
        self._data, self._at = bytearray(), 0  # what is not whole yet, and where in the stream it begins
        self._looked = 0  # bytes of an unfinished head that hold no empty line
        self._framing: Framing = None  # of the body that comes next
        self._chunks = ChunkSearch()
        self._frames = self._walk(extensions or "") if start == "frame" else None

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[Dissection]:
        """Take the next bytes, cut anywhere; yield the pieces that are whole now."""
        self._data += data
        while self._data and (piece := self._next()) is not None:
            yield piece

    def decide(self, upgraded: bool, extensions: str = "") -> Iterator[Dissection]:
        """Take the answer to a request for WebSocket; yield the pieces that waited for it.

        Args:
            upgraded: whether frames follow; else the next request does.
            extensions: those in use.
        """
        if self.undecided:
            self.undecided = False
            self._frames = self._walk(extensions) if upgraded else None
        return self.feed(b"")

    def end(self) -> Iterator[Dissection]:
        """Take the end of the connection: a body that lasts until then is whole."""
        if self._framing == "rest":
            yield self._whole(take_body(bytes(self._data), 0, "rest"))
            self._framing = None

    def rest(self) -> list[Dissection]:
        """Describe what is not whole yet, or waits for a decision, as far as it goes; nothing is changed."""
        if not self._data:
            return []
        other = copy(self)
        other._data, other.methods, other._chunks = self._data[:], self.methods.copy(), copy(self._chunks)
        other._frames = self._frames.copy() if self._frames else None
        pieces: list[Dissection] = []
        while other._data:
            if other.undecided:
                other.undecided = False
                asks_again = _ASKS_AGAIN.match(other._data)
                other._frames = None if asks_again else other._walk(self._in_use())
            pieces.append(other._next() or other._partial())
        return pieces

    def _in_use(self) -> str:
        own = self.head.extensions if self.head else ""
        return own if self._extensions is None else self._extensions

    def _walk(self, extensions: str) -> FrameWalk:
        names = [extension.partition(";")[0].strip().lower() for extension in extensions.split(",")]
        return FrameWalk(self._sender, deflate="permessage-deflate" in names)

    # -- one piece ------------------------------------------------------------------------------------------

    def _next(self) -> Dissection | None:
        """Return the next piece if it is whole."""
        if self._frames:
            size, known = frame_size(self._data, 0)
            whole = known and size <= len(self._data)
            return self._whole(self._frames.take(bytes(self._data[:size]), 0)) if whole else None
        if self.undecided:
            return None
        if self._framing is not None:
            return self._body()
        return self._head()

    def _head(self) -> Dissection | None:
        begins = _EMPTY_LINES.match(self._data)
        end = _EMPTY_LINE.search(self._data, max(self._looked, begins.end() if begins else 0))
        if end is None:
            self._looked = max(0, len(self._data) - 2)  # an empty line may be cut in two
            return None
        piece, head = take_head(bytes(self._data[: end.end()]), 0)
        self._looked, self.head = 0, head
        self._expect(head)
        return self._whole(piece)

    def _expect(self, head: Head) -> None:
        """Note what follows a head (RFC 9112 §6.3, RFC 6455 §4)."""
        final = head.status >= 200 or head.status == 101
        method = self.methods.popleft() if final and self.methods else ""
        self._framing = None if method == "HEAD" or head.framing == 0 else head.framing
        self._chunks = ChunkSearch()
        if head.status == 101:
            self._frames = self._walk(self._in_use())
        elif head.upgrade:
            self.undecided = self._framing is None

    def _body(self) -> Dissection | None:
        size = self._chunks.size(self._data) if self._framing == "chunked" else self._framing
        if not isinstance(size, int) or size > len(self._data):
            return None
        piece = take_body(bytes(self._data[:size]), 0, self._framing)
        self._framing, self.undecided = None, bool(self.head and self.head.upgrade)
        return self._whole(piece)

    def _partial(self) -> Dissection:
        data = bytes(self._data)
        if self._frames:
            return self._whole(self._frames.take(data, 0))
        return self._whole(take_body(data, 0, self._framing) if self._framing else take_head(data, 0)[0])

    def _whole(self, piece: Dissection) -> Dissection:
        """Go on after a piece, and return it with its place in the stream."""
        size, start = len(piece.data), self._at
        del self._data[:size]
        self._at += size
        return replace(piece, start=start)
