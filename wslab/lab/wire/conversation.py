"""What two peers said to each other, row by row: HTTP heads, HTTP bodies and frames in the order of the wire.

A `Conversation` is made from a ``recording``: the bytes of each side are dissected by ``dissect``, and the
pieces of both sides are put in the order in which their last byte passed the tap. What happened to TCP (SYN,
FIN, RST) is there too, but hidden unless it is asked for. ``conversation_views`` shows the rows as a table,
``sequence`` draws them.

The usual view is the same for every run: it has no times, no ports, no random keys. Credentials are never
shown: `redact` takes them out of a head before it is dissected. The bytes in the recording stay as they are.

A piece of which some bytes have not passed yet is the last row of its side, and says what is missing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import overload

from wslab.lab.dissector.stream import Dissection, dissect
from wslab.lab.wire import conversation_views as views
from wslab.lab.wire.recording import Passage, Recording, Sender

__all__ = ["Conversation", "Row", "read", "redact"]

_SECRET_FIELD = re.compile(
    rb"^([ \t]*(?:(?:proxy-)?authorization|(?:set-)?cookie)[ \t]*:[ \t]*)[^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*",
    re.IGNORECASE | re.MULTILINE,
)
_SECRET_QUERY = re.compile(rb"([?&;][\w.-]*token=)[^&;#\s]+", re.IGNORECASE)
_EXTENSIONS = re.compile(rb"^sec-websocket-extensions[ \t]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)

_BOTH_WAYS = {
    "refused": ("refused", "nothing listens on the port behind the tap"),
    "unreachable": ("unreachable", "the tap could not connect to the server"),
    "cut": ("cut", "the tap resets the connection on both sides"),
    "freeze": ("freeze", "nothing passes any more; neither side is told"),
    "thaw": ("thaw", "everything passes again"),
}
_ONE_WAY = {
    "open": ("SYN", "the {} opens TCP"),
    "FIN": ("FIN", "the {} closes its direction of TCP"),
    "RST": ("RST", "the {} resets TCP"),
    "freeze": ("freeze", "what the {} sends does not pass; nobody is told"),
    "thaw": ("thaw", "what the {} sends passes again"),
}


def redact(data: bytes) -> bytes:
    r"""Replace the credentials in an HTTP head: cookies, Authorization, and tokens in a query.

    >>> redact(b"GET /chat?token=abc HTTP/1.1\r\nCookie: a=b\r\n\r\n")
    b'GET /chat?token=(hidden) HTTP/1.1\r\nCookie: (hidden)\r\n\r\n'
    """
    return _SECRET_QUERY.sub(rb"\1(hidden)", _SECRET_FIELD.sub(rb"\1(hidden)", data))


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """Hold one row of a conversation.

    Args:
        time: when the last byte passed the tap, in milliseconds since the first thing recorded.
        arrived: when the tap handed it on, after the delay; None if it never did.
        connection: the number of the connection, from 1; 0 for what happened to the network as a whole.
        sender: "client", "server", or None for what the tap did in both directions.
        kind: "head", "body" or "frame"; "tcp" for what happened to TCP, "tap" for what the tap did.
        bytes: how many bytes crossed the wire.
        what: its name: "GET /chat", "TEXT", "FIN".
        meaning: what it says, in one line.
        error: what is wrong with it, or None.
        dissection: its fields; None for "tcp" and "tap".

    >>> Row(0.0, None, 1, "client", "tcp", 0, "SYN", "the client opens TCP")
    client → server  SYN  the client opens TCP
    """

    time: float
    arrived: float | None
    connection: int
    sender: Sender | None
    kind: str
    bytes: int
    what: str
    meaning: str
    error: str | None = None
    dissection: Dissection | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return "  ".join([views.direction(self), self.what, self.meaning])


class Conversation:
    """Hold the rows of a conversation; shows itself as a table, and can be indexed, sliced and iterated.

    Args:
        rows: the rows in order.
        times: whether the table has the times, which differ from run to run.
        unkept: bytes that passed after the recording was full.

    >>> Conversation([])
    nothing has passed yet
    """

    def __init__(self, rows: Iterable[Row], *, times: bool = False, unkept: int = 0) -> None:
        self.rows = tuple(rows)
        self.times = times
        self.unkept = unkept

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Conversation: ...
    def __getitem__(self, index: int | slice) -> Row | Conversation:
        return self._of(self.rows[index]) if isinstance(index, slice) else self.rows[index]

    def sent_by(self, sender: Sender) -> Conversation:
        """Return the rows of one side only."""
        return self._of(row for row in self.rows if row.sender == sender)

    def _of(self, rows: Iterable[Row]) -> Conversation:
        return Conversation(rows, times=self.times, unkept=self.unkept)

    def __repr__(self) -> str:
        return views.text(self)

    def _repr_html_(self) -> str:
        return views.html(self)


def read(recording: Recording, *, times: bool = False, tcp: bool = False) -> Conversation:
    """Read a recording as a conversation.

    Args:
        recording: what a tap has recorded so far.
        times: whether the table shows the times.
        tcp: whether there are rows for what happened to TCP: SYN, FIN, RST.
    """
    placed: list[tuple[int, Row]] = []
    streams: dict[tuple[int, str], list[tuple[int, Passage]]] = {}
    for place, passage in enumerate(recording.passages):
        if passage.event == "bytes":
            streams.setdefault((passage.connection, passage.sender or ""), []).append((place, passage))
        elif tcp or _row(passage).kind == "tap":
            placed.append((place, _row(passage)))
    for connection in sorted({number for number, _ in streams}):
        server, client = (streams.get((connection, side), []) for side in ("server", "client"))
        extensions = _agreed(b"".join(passage.data for _, passage in server))
        placed += _pieces(server, "server", extensions)
        placed += _pieces(client, "client", extensions)
    placed.sort(key=lambda pair: pair[0])  # stable: pieces that end in one passage stay in order
    return Conversation((row for _, row in placed), times=times, unkept=recording.unkept.total())


def _agreed(server: bytes) -> str:
    """Return the extensions that the server agreed to: they hold for both directions (§9.1)."""
    head = server.partition(b"\r\n\r\n")[0]
    found = _EXTENSIONS.findall(head) if head.split(b" ")[1:2] == [b"101"] else []
    return b", ".join(found).decode("latin-1").strip()


def _pieces(stream: list[tuple[int, Passage]], sender: Sender, extensions: str) -> Iterator[tuple[int, Row]]:
    """Yield the pieces that one side sent, each with the place of the passage that holds its last byte."""
    ends = list(accumulate(len(passage.data) for _, passage in stream))
    data = b"".join(passage.data for _, passage in stream)
    for piece in dissect(data, sender=sender, extensions=extensions):
        place, passage = stream[bisect_left(ends, piece.start + len(piece.data))]
        shown = _without_secrets(piece, sender)
        yield place, _at(passage, shown.kind, len(piece.data), shown)


def _without_secrets(piece: Dissection, sender: Sender) -> Dissection:
    cleaned = redact(piece.data) if piece.kind == "head" else piece.data
    if cleaned == piece.data:
        return piece
    return replace(dissect(cleaned, sender=sender)[0], start=piece.start)


def _at(passage: Passage, kind: str, size: int, piece: Dissection) -> Row:
    arrived = None if passage.delivered is None else 1000 * passage.delivered
    return Row(
        1000 * passage.time,
        arrived,
        passage.connection,
        passage.sender,
        kind,
        size,
        piece.what,
        piece.meaning,
        piece.error,
        piece,
    )


def _row(passage: Passage) -> Row:
    """Return the row for something that happened and is not bytes."""
    table = _BOTH_WAYS if passage.sender is None else _ONE_WAY
    what, meaning = table[passage.event]
    kind = "tcp" if passage.event in ("open", "FIN", "RST") else "tap"
    arrived = None if passage.delivered is None else 1000 * passage.delivered
    meaning = meaning.format(passage.sender)
    return Row(1000 * passage.time, arrived, passage.connection, passage.sender, kind, 0, what, meaning)
