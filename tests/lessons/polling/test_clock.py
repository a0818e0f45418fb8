"""The clock changes at its moments and wakes everyone who waits for the next change."""

import asyncio
from itertools import pairwise

import pytest

from wslab.lessons.polling.clock import Clock


def test_irregular_moments_are_the_same_in_every_run_and_within_their_bounds() -> None:
    clock = Clock.irregular(400, 0.1, seed=1)
    assert clock.moments == Clock.irregular(400, 0.1, seed=1).moments
    assert clock.moments != Clock.irregular(400, 0.1, seed=2).moments
    gaps = [after - before for before, after in pairwise((0.0, *clock.moments))]
    assert len(gaps) == 400
    assert min(gaps) >= 0.02 - 1e-9
    assert max(gaps) <= 0.18 + 1e-9
    assert sum(gaps) / len(gaps) == pytest.approx(0.1, rel=0.1)
    assert round(clock.moments[0], 6) == 0.041498, "every Python draws the same numbers from this seed"


@pytest.mark.parametrize("number", [0, 59, 60, 3600, 50399, 86399])
def test_readings_have_eight_characters(number: int) -> None:
    assert len(Clock.reading(number)) == 8


def test_knows_the_number_of_each_text_that_it_has_shown() -> None:
    clock = Clock()
    for _ in range(60):
        clock.change()
    assert clock.text == "10:01:00"
    assert clock.numbers[clock.text] == 60
    assert len(clock.numbers) == 61
    assert "10:01:01" not in clock.numbers


def test_each_change_sets_the_event_that_was_waited_for_and_no_later_one() -> None:
    async def scenario() -> None:
        clock = Clock()
        waiting = asyncio.ensure_future(clock.changed.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        clock.change()
        async with asyncio.timeout(5):
            assert await waiting
        assert clock.text == "10:00:01"
        assert not clock.changed.is_set(), "the next change has an event of its own"

    asyncio.run(scenario())


def test_runs_through_its_moments_and_never_early() -> None:
    async def scenario() -> tuple[float, Clock]:
        clock = Clock([0.02, 0.0, 0.03])
        start = asyncio.get_running_loop().time()
        await clock.run()
        return asyncio.get_running_loop().time() - start, clock

    took, clock = asyncio.run(scenario())
    assert clock.moments == (0.0, 0.02, 0.03)
    assert clock.number == len(clock.times) == 3
    assert took >= 0.03 - 0.02  # the clock of Windows counts in steps of 16 ms
    assert list(clock.times) == sorted(clock.times)
    assert repr(clock) == "<Clock: shows 10:00:03, changes 3 times by itself>"
