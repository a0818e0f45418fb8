"""The race: the same changes of the same clock, over several ways and networks at the same time.

Every way runs on a ``lane`` of its own, once for each delay. All lanes are opened first, until every client
knows what the clock shows; then the clock runs, and all of them see the same changes. The bytes are counted
until a mean gap after the last change, when everybody who is told knows it. Then the race waits until those
who ask know it, too: every staleness is known to its end, and none is cut off.

A lane takes little of the machine, so the lanes do not disturb each other; but the machine has other things
to do, too. What is measured in seconds is therefore shown beside what theory predicts, and held to it within
a tolerance (``prediction``); a watch notes how late alarms ring meanwhile. What is counted in bytes needs no
tolerance.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import product
from typing import overload

from wslab.lab.views.table import Table
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.costs import Costs
from wslab.lessons.polling.prediction import Prediction, predict
from wslab.lessons.polling.result import Result
from wslab.lessons.polling.ways import Lane, Way

__all__ = ["Race", "race"]

ALARM = 0.01  # seconds between two alarms of the watch


async def race(
    ways: Iterable[Way],
    clock: Clock,
    *,
    delays: Sequence[float] = (0.0,),
    clients: int = 1,
    rest: float | None = None,
) -> Race:
    """Run several ways at the same time, and measure each.

    Args:
        ways: what runs.
        clock: a new one; it is started when all clients are there.
        delays: what the network adds one way, in seconds; each way runs once with each.
        clients: of each way.
        rest: how long the bytes are counted after the last change, in seconds; None: for a mean gap.

    Raises:
        RuntimeError: the clock ran already, or a client ended.
        TimeoutError: a client does not learn what it should.
    """
    if clock.number:
        raise RuntimeError("this clock ran already; make a new one for each race")
    if rest is None:
        rest = clock.moments[-1] / len(clock.moments)
    number = len(clock.moments)
    lanes = [Lane(way, clock, delay=delay, clients=clients) for delay, way in product(delays, ways)]
    async with _opened(lanes), _watch() as late:
        start, offsets = time.perf_counter(), [lane.tap.elapsed for lane in lanes]
        before = [lane.tap.counts() for lane in lanes]
        await clock.run()
        await asyncio.sleep(rest)
        await asyncio.gather(*(lane.know(number) for lane in lanes if lane.way.interval is None))
        measured, after = time.perf_counter() - start, [lane.tap.counts() for lane in lanes]
        await asyncio.gather(*(lane.know(number) for lane in lanes))
    return Race(
        clock,
        _mean_lateness(late),
        [
            Result(way, delay, measured, start, clock.times, lane.learned, *counts, lane.tap, offset)
            for lane, counts, offset in zip(lanes, zip(before, after, strict=True), offsets, strict=True)
            for way, delay in [(lane.way, lane.delay)]
        ],
    )


@asynccontextmanager
async def _opened(lanes: Sequence[Lane]) -> AsyncIterator[None]:
    """Open all lanes at once, and close all at once: with a delay, one after the other takes long."""
    try:
        for outcome in await asyncio.gather(*(lane.__aenter__() for lane in lanes), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        yield
    finally:
        await asyncio.gather(*(lane.__aexit__() for lane in lanes))


def _mean_lateness(late: Sequence[float]) -> float:
    """Return how late an alarm at any moment would ring, in seconds: a long delay counts for longer."""
    if not late:
        return 0.0  # the race was over before the first one
    return sum(each * (each + ALARM) for each in late) / sum(each + ALARM for each in late)


@asynccontextmanager
async def _watch() -> AsyncIterator[list[float]]:
    """Note how late the alarms of the event loop ring, in seconds."""
    late: list[float] = []

    async def watch() -> None:
        while True:
            due = time.perf_counter() + ALARM
            await asyncio.sleep(ALARM)
            late.append(max(0.0, time.perf_counter() - due))

    watching = asyncio.ensure_future(watch())
    try:
        yield late
    finally:
        watching.cancel()


class Race(Sequence[Result]):
    """Hold the results of a race, and show them as a table; the numbers of heads and bodies are bytes.

    It is indexed by number or by the name of a way.

    Args:
        clock: that ran.
        late: how late the machine was on average when something was due, in seconds.
        results: one for each way and delay.
    """

    def __init__(self, clock: Clock, late: float, results: Iterable[Result]) -> None:
        self.clock, self.late = clock, late
        self._results = tuple(results)

    def __len__(self) -> int:
        return len(self._results)

    @overload
    def __getitem__(self, key: int | str) -> Result: ...
    @overload
    def __getitem__(self, key: slice) -> Race: ...
    def __getitem__(self, key: int | str | slice) -> Result | Race:
        if isinstance(key, str):
            return self.find(key)
        if isinstance(key, slice):
            return Race(self.clock, self.late, self._results[key])
        return self._results[key]

    def find(self, name: str, delay: float | None = None) -> Result:
        """Return the result of the way of that name, with that delay if there were several.

        Raises:
            KeyError: there is none.
        """
        for result in self._results:
            if result.way.name == name and delay in (None, result.delay):
                return result
        raise KeyError(name)

    def __repr__(self) -> str:
        return repr(self._table())

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()

    def _table(self) -> Table:
        heading = (
            "way", "delay\nms", "median\nms", "95 %\nms", "missed", "bytes\nan update", "requests",
            "client\nheads", "server\nheads", "bodies", "frames",
        )  # fmt: skip
        return Table(heading, [self._row(result) for result in self._results])

    def _row(self, result: Result) -> tuple[str, ...]:
        kinds = (("client", "head_bytes"), ("server", "head_bytes"), ("server", "body_bytes"))
        numbers = [result.requests, *(result.passed(*kind) for kind in kinds)]
        numbers.append(result.passed("client", "frame_bytes") + result.passed("server", "frame_bytes"))
        known = ["–"] * 4
        if result.changes:
            known = [_ms(result.median), _ms(result.p95), f"{result.missed:,}"]
            known.append(f"{result.bytes_per_update:,.0f}")
        passed = [f"{number:,}" for number in numbers]
        return (result.way.name, f"{result.delay * 1000:.0f}", *known, *passed)

    def predictions(self, costs: Costs) -> list[Prediction]:
        """Return what theory says for each result."""
        return [
            predict(result.way, costs.of(result.way), self.clock.moments, result.delay, result.seconds)
            for result in self._results
        ]

    def compare(self, costs: Costs) -> Table:
        """Put predicted and measured values side by side, for one client."""
        heading = (
            "way", "delay\nms", "mean stale-\nness, ms\npredicted", "measured",
            "bytes\nan update\npredicted", "measured", "requests\npredicted", "measured",
        )  # fmt: skip
        rows = []
        for result, expected in zip(self._results, self.predictions(costs), strict=True):
            pairs = [_ms(expected.staleness), _ms(result.mean)]  # what a narrow page must show
            pairs += [f"{expected.bytes:,.0f}", f"{result.bytes_per_update:,.0f}"]
            pairs += [f"{expected.requests:.0f}", f"{result.requests / result.clients:.0f}"]
            rows.append((result.way.name, f"{result.delay * 1000:.0f}", *pairs))
        note = f"An alarm that rang every 10 ms was late by {_ms(self.late)} ms on average."
        return Table(heading, rows, note)

    def surprises(self, costs: Costs) -> list[str]:
        """Name the results that are not within the tolerance of their prediction."""
        return [
            f"{result.way.name}, {result.delay * 1000:.0f} ms"
            for result, expected in zip(self._results, self.predictions(costs), strict=True)
            if not expected.holds(
                result.requests / result.clients, result.bytes_per_update, result.mean, self.late
            )
        ]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f}" if seconds >= 0.01 else f"{seconds * 1000:.1f}"
