"""Staleness and misses are calculated from what each client learned and when."""

import asyncio

import pytest

from tests.lessons.polling.ways import HELD, polling
from wslab.lab.wire.counts import Counts, SideCounts
from wslab.lab.wire.tap import Tap
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.race import race
from wslab.lessons.polling.result import Result, staleness


def result(changes: tuple[float, ...], *learned: list[tuple[float, int]]) -> Result:
    before = Counts(1, SideCounts(bytes=10, head_bytes=10, heads=1), SideCounts(bytes=5, head_bytes=5))
    after = Counts(
        1,
        SideCounts(bytes=40, head_bytes=40, heads=3),
        SideCounts(bytes=35, head_bytes=25, body_bytes=10),
    )
    return Result(polling(1), 0, 2.0, 0.0, changes, list(learned), before, after, Tap(1), 0.0)


def test_staleness_is_until_the_change_or_a_later_one_is_known() -> None:
    assert staleness((1, 2, 3), [(0, 0), (1.5, 1), (3.25, 3)]) == [0.5, 1.25, 0.25]
    assert staleness((), [(0, 0)]) == []
    with pytest.raises(ValueError, match="does not know the last of 2 changes"):
        staleness((1, 2), [(0, 0), (1.5, 1)])


def test_counts_what_passed_between_start_and_end() -> None:
    one = result((1.0, 2.0), [(0, 0), (1.5, 1), (2.5, 2)])
    assert one.requests == 2
    assert one.bytes == 60
    assert one.bytes_per_update == 30
    assert one.passed("server", "body_bytes") == 10


def test_misses_and_percentiles() -> None:
    two = result((1.0, 2.0), [(0, 0), (1.5, 1), (2.5, 2)], [(0, 0), (3.0, 2)])
    assert two.clients == 2
    assert two.missed == 1
    assert two.staleness == [0.5, 0.5, 2.0, 1.0]
    assert two.mean == 1.0
    assert two.median == 0.75
    assert two.p95 == pytest.approx(1.85)


def test_says_when_requests_were_sent() -> None:
    async def scenario() -> Result:
        async with asyncio.timeout(30):
            return (await race([HELD], Clock([0.05, 0.1])))[0]

    measured = asyncio.run(scenario())
    first, *later = [moment - measured.start for moment in measured.changes]
    assert len(measured.asked) == 1 + 1 + len(later) + 1  # the opening, one waiting, one after each change
    assert measured.asked[0] < 0 < first < measured.asked[2] < later[0] < measured.asked[3]
