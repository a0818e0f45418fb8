"""Count what passes while it passes: bytes in heads, bodies and frames, and how many of each there were.

A `Splitter` cuts what one side sends into HTTP heads, HTTP bodies and WebSocket frames as the bytes arrive,
and keeps none of them: what it needs does not grow with the connection. It reads just enough to know where
each piece ends (RFC 9112 §6, RFC 6455 §5.2); what a piece says, and what is wrong with it, is left to
``dissect``.

When more bytes are needed, a splitter stands still where it is: it is a generator that yields until it is
fed. What is neither HTTP nor a frame is counted as "other" for the rest of the connection.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial

from wslab.frames import Opcode
from wslab.lab.dissector import view as views

__all__ = ["Counts", "SideCounts", "Splitter", "Tally"]

MAX_HEAD = 64 * 2**10  # bytes without an empty line after which it is not an HTTP head any more
_START = re.compile(rb"(?:\r?\n)*(?:HTTP/\d\.\d (\d{3})( [^\r\n]*)?|([!-~]+) ([!-~]+) HTTP/\d\.\d)\r?\n")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r?\n")
_CHUNKED = re.compile(rb"\ntransfer-encoding:[^\n]*\bchunked\b")
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_UPGRADE = re.compile(rb"\nupgrade:[^\n]*\bwebsocket\b")

Steps = Generator[None, None, None]
Report = Callable[[str, str], None]


class Splitter:
    """Cut what one side sends into pieces.

    Args:
        report: called with the kind ("head", "body", "frame") and the name of each piece that is whole.

    >>> pieces = []
    >>> splitter = Splitter(lambda kind, name: pieces.append((kind, name)))
    >>> splitter.feed(b"HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n\\x89")
    >>> splitter.feed(b"\\x00")
    >>> pieces, splitter.data()["frame"]
    ([('head', '101 Switching Protocols'), ('frame', 'PING')], 2)
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._buffer = bytearray()
        self._counted: Counter[str] = Counter()
        self._kind = "head"
        self.upgraded: bool | None = False  # None: asked, and not answered yet
        self._steps = self._read()
        next(self._steps)

    def feed(self, data: bytes) -> None:
        """Take the next bytes, cut anywhere."""
        self._buffer += data
        next(self._steps)

    def decide(self, upgraded: bool) -> None:
        """Say whether the other side agreed to the upgrade: then frames follow, else the next request."""
        if self.upgraded is None:
            self.upgraded = upgraded
            next(self._steps)

    def data(self) -> Counter[str]:
        """Return the bytes so far for each kind of piece, unfinished pieces included."""
        return self._counted + Counter({self._kind: len(self._buffer)})

    def _read(self) -> Steps:
        while True:
            self._kind, looked = "head", 0
            while (size := _head_size(self._buffer, looked)) is None:
                looked = max(0, len(self._buffer) - 3)  # the end of a head may be cut in two
                yield
            start = _START.match(self._buffer)
            if start is None:
                yield from self._skip(None, "other")
                return
            head = bytes(self._buffer[:size]).lower()
            status, reason, method, path = (part.decode("latin-1") if part else "" for part in start.groups())
            yield from self._skip(size, "head")
            if status == "101" or (method == "GET" and _UPGRADE.search(head)):
                self.upgraded = True if status else None
            self._report("head", f"{status}{reason}" if status else f"{method} {path}")
            while self.upgraded is None:
                yield
            if self.upgraded:
                yield from self._frames()
            yield from self._body(head, status)

    def _body(self, head: bytes, status: str) -> Steps:
        length = _LENGTH.search(head)
        chunked = _CHUNKED.search(head)
        empty = int(length[1]) == 0 if length else not status  # a request without a length has no body
        if (empty and not chunked) or status[:1] == "1" or status in ("204", "304"):
            return
        if chunked:
            yield from self._chunks()
        else:  # without a length, until the server closes TCP (RFC 9112 §6.3)
            yield from self._skip(int(length[1]) if length else None, "body")
        self._report("body", "body")

    def _chunks(self) -> Steps:
        self._kind, trailer = "body", False
        while True:
            while (end := self._buffer.find(b"\n")) < 0:
                yield
            line = bytes(self._buffer[:end]).split(b";")[0].strip()
            yield from self._skip(end + 1, "body")
            if trailer and not line:
                return
            if not trailer:
                size = int(line, 16) if re.fullmatch(rb"[0-9A-Fa-f]{1,15}", line) else 0
                trailer = size == 0
                yield from self._skip(size + 2 if size else 0, "body")

    def _frames(self) -> Steps:
        self._kind = "frame"
        while True:
            while (size := _frame_size(self._buffer)) is None:
                yield
            opcode = self._buffer[0] & 0b0000_1111
            yield from self._skip(size, "frame")
            self._report("frame", Opcode(opcode).name if opcode in set(Opcode) else f"opcode {opcode:X}")

    def _skip(self, size: int | None, kind: str) -> Steps:
        """Count so many bytes and forget them; None: all that ever come."""
        self._kind = kind
        while size is None or size > 0:
            part = len(self._buffer) if size is None else min(size, len(self._buffer))
            del self._buffer[:part]
            self._counted[kind] += part
            if size is not None:
                size -= part
            if size is None or size:
                yield


def _head_size(data: bytearray, looked: int) -> int | None:
    """Return the bytes up to the end of the empty line; all of them when there are too many to be a head."""
    end = _EMPTY_LINE.search(data, looked)
    return end.end() if end else len(data) if len(data) > MAX_HEAD else None


def _frame_size(data: bytearray) -> int | None:
    """Return the size of the frame that begins here (§5.2), or None while its header is not whole."""
    if len(data) < 2:
        return None
    length, key = data[1] & 0b0111_1111, 4 if data[1] & 0b1000_0000 else 0
    extended = {126: 2, 127: 8}.get(length, 0)
    if len(data) < 2 + extended:
        return None
    return 2 + extended + key + (int.from_bytes(data[2 : 2 + extended], "big") if extended else length)


@dataclass(frozen=True, slots=True)
class SideCounts:
    """Hold what one side sent: bytes in all and in each kind of piece, and how many pieces were whole."""

    bytes: int = 0
    head_bytes: int = 0
    body_bytes: int = 0
    frame_bytes: int = 0
    heads: int = 0
    bodies: int = 0
    frames: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Counts:
    """Hold what passed a tap: how many connections, and what each side sent on all of them.

    >>> counts = Counts(1, SideCounts(bytes=90, head_bytes=90, heads=1), SideCounts())
    >>> counts.requests, counts.client.bytes
    (1, 90)
    """

    connections: int
    client: SideCounts
    server: SideCounts

    @property
    def requests(self) -> int:
        """Return how many HTTP requests the clients sent; the handshake of WebSocket is one of them."""
        return self.client.heads

    def _table(self) -> tuple[str, tuple[str, ...], list[views.Row]]:
        heading = ("", "bytes", "in heads", "in bodies", "in frames", "heads", "bodies", "frames")
        names = ("bytes", "head_bytes", "body_bytes", "frame_bytes", "heads", "bodies", "frames")
        rows = [
            views.Row((word, *(f"{getattr(side, name):,}" for name in names)))
            for word, side in (("client sent", self.client), ("server sent", self.server))
        ]
        return f"{self.connections} connection{'s' * (self.connections != 1)}", heading, rows

    def __repr__(self) -> str:
        title, heading, rows = self._table()
        return f"{title}\n{views.text_table(heading, rows, caps=(11, *[15] * 7))}"

    def _repr_html_(self) -> str:
        title, heading, rows = self._table()
        cell = "border:1px solid rgba(128,128,128,.4);padding:2px 9px;text-align:right"
        lines = [[f'<th style="{cell}">{name}</th>' for name in heading]]
        lines += [[f'<td style="{cell}">{text}</td>' for text in row.cells] for row in rows]
        body = "".join(f"<tr>{''.join(line)}</tr>" for line in lines)
        table = f'<table style="border-collapse:collapse;margin:4px 0;font-size:13px">{body}</table>'
        return f'<div style="overflow-x:auto;color:inherit">{title}{table}</div>'


class Tally:
    """Count the pieces of both directions of every connection.

    >>> tally = Tally()
    >>> tally.feed(1, "client", b"GET /chat HTTP/1.1\\r\\n\\r\\n")
    >>> tally.passed["client", "GET"], tally.counts(1).requests
    (1, 1)
    """

    def __init__(self) -> None:
        self._splitters: dict[tuple[int, str], Splitter] = {}
        self._whole: Counter[tuple[str, str]] = Counter()
        self.passed: Counter[tuple[str, str]] = Counter()
        """How often a sender sent a whole piece of that name, or of that first word of its name."""

    def feed(self, connection: int, sender: str, data: bytes) -> None:
        """Count the next bytes of one side of a connection."""
        key = connection, sender
        if key not in self._splitters:
            self._splitters[key] = Splitter(partial(self._report, connection, sender))
        self._splitters[key].feed(data)

    def _report(self, connection: int, sender: str, kind: str, name: str) -> None:
        self._whole[sender, kind] += 1
        for word in {name, name.partition(" ")[0]}:
            self.passed[sender, word] += 1
        asker = self._splitters.get((connection, "client"))
        if sender == "server" and kind == "head" and asker is not None:
            asker.decide(name.startswith("101"))

    def counts(self, connections: int) -> Counts:
        """Return the counts of all connections together."""
        return Counts(connections, self._side("client"), self._side("server"))

    def _side(self, sender: str) -> SideCounts:
        data: Counter[str] = Counter()
        for (_, whose), splitter in self._splitters.items():
            if whose == sender:
                data.update(splitter.data())
        sizes = (data["head"], data["body"], data["frame"])
        whole = (self._whole[sender, kind] for kind in ("head", "body", "frame"))
        return SideCounts(data.total(), *sizes, *whole)
