"""The race: the same changes of the same clock, over several ways and networks at the same time.

Every way runs on a ``lane`` of its own, once for each delay. All lanes are opened first, until every client
knows what the clock shows; then the clock runs, and all see the same changes. The bytes are counted until a
mean gap after the last change. Then the race waits until the clients that ask know it too, so that every
staleness is measured in full. What the results should be is in the lesson.
"""

from __future__ import annotations

import asyncio
import gc
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from statistics import fmean

from wslab.lab.views.table import Table, Tabled
from wslab.lab.wire.counts import Counts
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.ways import Lane, Way

__all__ = ["Race", "Result", "race", "staleness"]

Learned = list[tuple[float, int]]
Watch = Callable[[Lane, str], None]


async def race(
    ways: Iterable[Way],
    clock: Clock,
    delays: Sequence[float] = (0.0,),
    *,
    rest: float | None = None,
    watch: Watch | None = None,
) -> Race:
    """Run several ways at the same time, and measure each.

    Args:
        ways: what runs.
        clock: a new one; it is started when all clients are there.
        delays: what the network adds one way, in seconds; each way runs once with each.
        rest: how long the bytes are counted after the last change, in seconds; None: for a mean gap.
        watch: called with a lane and a text whenever a client learns one; see ``lanes``.

    Raises:
        RuntimeError: the clock ran already, or a client ended.
        TimeoutError: a client does not learn what it should.
    """
    if clock.number:
        raise RuntimeError("this clock ran already; make a new one for each race")
    number = len(clock.moments)
    if rest is None:
        rest = clock.moments[-1] / number
    lanes = [Lane(way, clock, delay=delay) for delay, way in product(delays, ways)]
    for lane in lanes:
        lane.on_learn = watch and partial(watch, lane)
    async with _opened(lanes):
        start, offsets = time.perf_counter(), [lane.tap.elapsed for lane in lanes]
        before = [lane.tap.counts() for lane in lanes]
        async with _counted(lanes):
            await clock.run()
            await asyncio.sleep(rest)
            await asyncio.gather(*(lane.know(number) for lane in lanes if lane.way.interval is None))
        after, seconds = [lane.tap.counts() for lane in lanes], time.perf_counter() - start
        await asyncio.gather(*(lane.know(number) for lane in lanes))
    counted = zip(lanes, offsets, before, after, strict=True)
    return Race(Result(lane, seconds, start, offset, *counts) for lane, offset, *counts in counted)


@asynccontextmanager
async def _opened(lanes: Sequence[Lane]) -> AsyncIterator[None]:
    """Open all lanes at once, and close all at once: with a delay, one after the other takes long."""
    gc.collect()
    gc.freeze()  # to collect all that a notebook holds would stop the race, on a busy machine for 0.7 s
    try:
        for outcome in await asyncio.gather(*(lane.__aenter__() for lane in lanes), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        yield
    finally:
        gc.unfreeze()
        await asyncio.gather(*(lane.__aexit__() for lane in lanes))


@asynccontextmanager
async def _counted(lanes: Sequence[Lane]) -> AsyncIterator[None]:
    """Let each tap read its recording in turn: all at once, at the end, would stop the race for long."""

    async def count() -> None:
        while True:
            for lane in lanes:
                lane.tap.counts()
                await asyncio.sleep(0.01)

    counting = asyncio.ensure_future(count())
    try:
        yield
    finally:
        counting.cancel()


def staleness(changes: Sequence[float], learned: Learned) -> list[float]:
    """Return for each change how long the client did not know of it, in seconds.

    A change that a client never saw, because a later one came first, counts until that later one arrived.

    Args:
        changes: when each happened, in seconds.
        learned: when the client learned something, and the number of the change it learned, in order.

    Raises:
        ValueError: the client did not get to know the last change.

    >>> staleness((1.0, 2.0), [(0.5, 0), (2.25, 2)])
    [1.25, 0.25]
    """
    numbers = [number for _, number in learned]
    places = [bisect_left(numbers, number) for number in range(1, len(changes) + 1)]
    if places and places[-1] == len(learned):
        raise ValueError(f"the client does not know the last of {len(changes)} changes")
    return [learned[place][0] - moment for place, moment in zip(places, changes, strict=True)]


@dataclass(frozen=True)
class Result:
    """What was measured on one lane.

    Args:
        lane: what ran; its tap no longer listens.
        seconds: how long the bytes were counted.
        start: when the clock was started, by ``time.perf_counter``.
        offset: the tap's time when the clock was started, in milliseconds.
        before, after: what had passed the tap when the counting began and ended.
    """

    lane: Lane
    seconds: float
    start: float
    offset: float
    before: Counts
    after: Counts

    @property
    def requests(self) -> int:
        """How many requests the client sent."""
        return self.after.requests - self.before.requests

    @property
    def bytes(self) -> int:
        """How many bytes crossed the wire, in both directions."""
        before, after = self.before, self.after
        return after.client.bytes + after.server.bytes - before.client.bytes - before.server.bytes

    @property
    def bytes_per_update(self) -> float:
        """What the client cost for each change, in bytes, whether it learned of it or not."""
        return self.bytes / max(1, self.lane.clock.number)

    @property
    def mean(self) -> float:
        """The mean staleness, in seconds."""
        return fmean(staleness(self.lane.clock.times, self.lane.learned))

    @property
    def missed(self) -> int:
        """How many changes the client never saw."""
        return self.lane.clock.number - len({number for _, number in self.lane.learned if number})

    @property
    def asked(self) -> list[float]:
        """When requests were sent, in seconds since the clock was started."""
        rows = self.lane.tap.conversation().sent_by("client")
        return [(row.time - self.offset) / 1000 for row in rows if row.kind == "head"]


class Race(Tabled, list[Result]):
    """The results of a race, one for each way and delay, shown as a table."""

    def find(self, name: str, delay: float = 0.0) -> Result:
        """Return the result of the way of that name with that delay.

        Raises:
            KeyError: it did not run.
        """
        for result in self:
            if (result.lane.way.name, result.lane.delay) == (name, delay):
                return result
        raise KeyError(name)

    def _table(self) -> Table:
        ms = ("delay\nms", "mean stale-\nness, ms")
        return Table(("way", *ms, "missed", "requests", "bytes", "for one\nupdate"), [*map(_row, self)])


def _row(result: Result) -> tuple[str, ...]:
    known, update = ("–", "–"), "–"
    if result.lane.clock.number:
        mean = 1000 * result.mean
        known = (f"{mean:,.0f}" if mean >= 10 else f"{mean:.1f}", f"{result.missed:,}")
        update = f"{result.bytes_per_update:,.0f}"
    passed = (f"{result.requests:,}", f"{result.bytes:,}", update)
    return (result.lane.way.name, f"{1000 * result.lane.delay:.0f}", *known, *passed)
