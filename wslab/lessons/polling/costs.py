"""What one update costs on the wire, weighed byte by byte.

A single client is sent through a tap. Whenever it has learned a reading, what passed so far is noted, and the
clock changes at once. So the difference of two notes is exactly what one update takes: for a client that
asks, its request, and head and body of the response; for a stream, a chunk (RFC 9112 §7.1); for WebSocket, a
frame (RFC 6455 §5.2). Nothing here depends on time.

What passes once and before the first update is the opening: for WebSocket the opening handshake, for a stream
its request and the head of the response. Segments and acknowledgements of TCP are not counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from wslab.lab.views.table import Table
from wslab.lab.wire.counts import Counts
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.ways import Lane, Way

__all__ = ["Cost", "Costs", "weigh"]

READINGS = 4  # that are weighed; all but the first must weigh the same


@dataclass(frozen=True, slots=True)
class Cost:
    """Hold what one update costs, in bytes: in heads of requests and of responses, in bodies, in frames.

    ``opening`` is what passes once before the first update, in bytes.

    >>> Cost(request=100, head=120, body=8, frame=0, opening=0).update
    228
    """

    request: int
    head: int
    body: int
    frame: int
    opening: int

    @property
    def update(self) -> int:
        """Everything that crosses the wire for one update, in both directions, in bytes."""
        return self.request + self.head + self.body + self.frame


class Costs(dict[str, Cost]):
    """Hold the costs of several ways by their kind, and show them as a table.

    >>> Costs({"polling": Cost(100, 120, 8, 0, 0)})
    way      request  head  body  frame  one update  opening
    -------  -------  ----  ----  -----  ----------  -------
    polling      100   120     8      0         228        0
    """

    def of(self, way: Way) -> Cost:
        """Return the cost of a way; of polling, the interval does not matter.

        Raises:
            KeyError: it was not weighed.
        """
        return self[way.kind]

    def _table(self) -> Table:
        heading = ("way", "request", "head", "body", "frame", "one update", "opening")
        rows = [
            (name, *map(str, (cost.request, cost.head, cost.body, cost.frame, cost.update, cost.opening)))
            for name, cost in self.items()
        ]
        return Table(heading, rows)

    def __repr__(self) -> str:
        return repr(self._table())

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()


async def weigh(ways: Iterable[Way]) -> Costs:
    """Weigh one update of each way.

    Args:
        ways: one of each kind.

    Raises:
        RuntimeError: two updates of a way have different sizes, or its client ends.
        TimeoutError: a client does not learn what the clock shows.
    """
    listed = list(ways)
    costs = await asyncio.gather(*map(_weigh, listed))
    return Costs({way.kind: cost for way, cost in zip(listed, costs, strict=True)})


async def _weigh(way: Way) -> Cost:
    notes: list[Counts] = []
    clock = Clock()

    def note(text: str) -> None:
        notes.append(lane.tap.counts())
        clock.change()

    lane = Lane(way, clock, on_learn=note)
    async with lane:
        await lane.until(lambda: len(notes) >= READINGS)
    sums = [_bytes(counts) for counts in notes[:READINGS]]
    updates = {tuple(after[kind] - before[kind] for kind in range(4)) for before, after in pairwise(sums)}
    if len(updates) != 1:
        raise RuntimeError(f"updates of {way.name} have different sizes: {sorted(updates)}")
    request, head, body, frame = updates.pop()
    return Cost(request, head, body, frame, opening=sum(sums[0]) - request - head - body - frame)


def _bytes(counts: Counts) -> tuple[int, int, int, int]:
    client, server = counts.client, counts.server
    frames = client.frame_bytes + server.frame_bytes
    return client.head_bytes, server.head_bytes, client.body_bytes + server.body_bytes, frames
