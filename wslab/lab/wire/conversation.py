"""What two peers said to each other, row by row: HTTP heads, HTTP bodies and frames in the order of the wire.

A `Conversation` is a sequence of rows that shows itself as a table, in plain text and in HTML. The direction
is an arrow and two words, and in HTML a colour too; the client is always on the left. What happened to TCP
(SYN, FIN, RST) has rows only on request. A long conversation is shown without its middle, and says how many
rows that leaves out; all of them are still in the object. ``reader`` makes the rows, ``sequence`` draws them.

The usual view is the same in every run: it has no times, no ports, no random keys. Credentials are not shown
either, see ``credentials``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

from wslab.lab.dissector.dissection import Dissection
from wslab.lab.dissector.stream import Sender
from wslab.lab.views.palette import CLIENT, LEGEND, SERVER, Colour
from wslab.lab.views.table import Cell, Column, Line, Table
from wslab.lab.views.words import quoted
from wslab.lab.wire.recording import OTHER

__all__ = ["Conversation", "Row", "caption", "direction", "in_words", "legend_of", "shorten"]

MAX_ROWS = 200  # in a table
TIMES = ("ms", "arrived")
COLUMNS = {
    "ms": Column("ms", 9, number=True),
    "arrived": Column("arrived", 9, number=True),
    "connection": Column("connection", 15, number=True),
    "direction": Column("direction", 15, number=False, whole=True),
    "bytes": Column("bytes", 15, number=True),
    "what": Column("what", 30, 8, number=False),
    "meaning": Column("meaning", 0, 16, number=False),
}
SIDES: dict[str | None, Colour] = {"client": CLIENT, "server": SERVER}
_DIRECTIONS = {"client": "client → server", "server": "client ← server", None: "network"}


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """One row of a conversation.

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
        return "  ".join([direction(self), self.what, self.meaning])


class Conversation:
    """The rows of a conversation in order; shows itself as a table, and can be indexed, sliced and iterated.

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
        return repr(self._table()) if self.rows else self._note() or "nothing has passed yet"

    def _repr_html_(self) -> str:
        return self._table()._repr_html_() if self.rows else f"<p>{self!r}</p>"

    def _note(self) -> str:
        full = f"the recording is full: {self.unkept:,} more bytes passed and are not shown"
        return full if self.unkept else ""

    def _table(self) -> Table:
        """Return the rows as a table, a long one with its middle left out."""
        first, left_out, last = shorten(self.rows, MAX_ROWS)
        several = len({row.connection for row in self if row.connection}) > 1
        hidden = {*(() if self.times else TIMES), *(() if several else ("connection",))}
        shown = [name for name in COLUMNS if name not in hidden]
        lines = [_line(row, shown) for row in (*first, *last)]
        if left_out:
            lines.insert(len(first), Line((*[""] * (len(shown) - 1), f"… {left_out} rows left out")))
        return Table([COLUMNS[name] for name in shown], lines, self._note())


def direction(row: Row) -> str:
    """Write who sent a row, as an arrow between the two; what the tap did is the network's."""
    return _DIRECTIONS[None if row.kind == "tap" else row.sender]


def legend_of(row: Row) -> str:
    """Return the entry of a row in the legend of every picture.

    >>> legend_of(Row(0.0, None, 1, "client", "tcp", 0, "SYN", "the client opens TCP"))
    'TCP and network'
    """
    if row.kind == "frame":
        return "data frame" if row.what in ("TEXT", "BINARY", "CONTINUATION") else "control frame"
    return "HTTP" if row.kind in ("head", "body") else "TCP and network"


def caption(row: Row, most: int = 70) -> str:
    """Write the label at the arrow of a row, in so many characters at most.

    >>> caption(Row(0.0, None, 1, "client", "tcp", 0, "SYN", "the client opens TCP"))
    'SYN'
    """
    frame = row.dissection.frame if row.dissection else None
    text = row.what
    if row.kind == "tap":
        text = f"{row.what}: {row.meaning}"
    elif row.kind in ("frame", "body"):
        text = f"{row.what} {row.meaning}"
    if frame is not None and row.what == "CLOSE":
        text = row.meaning.replace("close", "CLOSE", 1)
    elif frame is not None and row.what in ("PING", "PONG"):
        text = f"{row.what} {quoted(frame.payload)}" if _is_written(frame.payload) else row.what
    if not (row.dissection is None or row.dissection.complete):
        text += " (incomplete)"
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip("… ") + "…"


def _is_written(payload: bytes) -> bool:
    """Return whether a person wrote the payload of a ping; that of a heartbeat is 4 random bytes."""
    return len(payload) not in (0, 4) and payload.isascii() and payload.decode("ascii").isprintable()


def in_words(title: str, rows: Sequence[Row], most: int) -> str:
    """Return rows in words: the title, then a line for each row that a picture of so many has."""
    if not rows:
        return f"{title} Nothing has passed yet."
    several = len({row.connection for row in rows if row.connection}) > 1
    first, left_out, last = shorten(rows, most)
    gap = [f"({left_out} rows left out)"] if left_out else []
    return "\n".join([title, *(_say(r, several) for r in first), *gap, *(_say(r, several) for r in last)])


def _say(row: Row, several: bool) -> str:
    who = f"{row.sender} to {OTHER[row.sender]}" if row.sender and row.kind != "tap" else "network"
    return (f"connection {row.connection}, " if several and row.connection else "") + f"{who}: {caption(row)}"


def shorten(rows: Sequence[Row], most: int) -> tuple[Sequence[Row], int, Sequence[Row]]:
    """Return the first rows, how many are left out after them, and the last rows."""
    if len(rows) <= most:
        return rows, 0, ()
    last = most // 3
    return rows[: most - last], len(rows) - most, rows[-last:]


def _line(row: Row, shown: Sequence[str]) -> Line:
    arrived = "never" if row.arrived is None else f"{row.arrived:.1f}"
    side = SIDES.get(row.sender) if row.kind != "tap" else None
    cells: dict[str, str | Cell] = {
        "ms": f"{row.time:.1f}",
        "arrived": "" if row.kind == "tap" else arrived,
        "connection": str(row.connection or ""),
        "direction": Cell(direction(row), side),
        "bytes": str(row.bytes or ""),
        "what": Cell(row.what, LEGEND[legend_of(row)].colour),
        "meaning": row.meaning,
    }
    return Line([cells[name] for name in shown], row.error or "")
