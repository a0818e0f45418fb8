"""How many bytes passed a tap, and how many heads, bodies and frames: summed up from what the `reader` read.

The bytes of a piece that is not whole count for its kind, the piece itself does not. Bytes that are neither
HTTP nor a frame, and bytes that passed after the recording was full, count only in the sum of all bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from wslab.lab.dissector.stream import Sender
from wslab.lab.views.table import Column, Table, Tabled
from wslab.lab.views.words import count
from wslab.lab.wire.conversation import Row
from wslab.lab.wire.reader import Reader

__all__ = ["Counts", "SideCounts", "counted"]

_KINDS = ("head", "body", "frame")


class SideCounts(NamedTuple):
    """What one side sent: bytes in all and in each kind of piece, and how many pieces were whole."""

    bytes: int = 0
    head_bytes: int = 0
    body_bytes: int = 0
    frame_bytes: int = 0
    heads: int = 0
    bodies: int = 0
    frames: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Counts(Tabled):
    """What passed a tap: how many connections, and what each side sent on all of them.

    >>> counts = Counts(1, SideCounts(bytes=90, head_bytes=90, heads=1), SideCounts())
    >>> counts.requests, counts.client.bytes
    (1, 90)
    """

    connections: int
    client: SideCounts
    server: SideCounts

    @property
    def requests(self) -> int:
        """How many HTTP requests the clients sent; the handshake of WebSocket is one of them."""
        return self.client.heads

    def _table(self) -> Table:
        sides = (("client sent", self.client), ("server sent", self.server))
        rows = [(word, *(f"{number:,}" for number in side)) for word, side in sides]
        heading = ("bytes", "in heads", "in bodies", "in frames", "heads", "bodies", "frames")
        return Table([Column("", number=False), *heading], rows, title=count(self.connections, "connection"))


def counted(reader: Reader) -> Counts:
    """Count what has passed so far."""
    reader.read()
    rest = [row for _, row in reader.rest()]
    return Counts(reader.recording.connections, _side(reader, rest, "client"), _side(reader, rest, "server"))


def _side(reader: Reader, rest: list[Row], sender: Sender) -> SideCounts:
    sizes = {kind: reader.sizes[sender, kind] for kind in (*_KINDS, "other")}
    for row in rest:
        if row.sender == sender:
            sizes["other" if row.what == "not HTTP" else row.kind] += row.bytes
    total = sum(sizes.values()) + reader.recording.unkept[sender]
    return SideCounts(total, *(sizes[k] for k in _KINDS), *(reader.whole[sender, k] for k in _KINDS))
