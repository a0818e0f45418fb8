"""The clock changes at its moments, loses no change, and knows who waits."""

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
def test_readings_have_eight_characters_and_can_be_read_back(number: int) -> None:
    assert len(Clock.reading(number)) == 8
    assert Clock.number_of(Clock.reading(number)) == number


@pytest.mark.parametrize("text", ["10:00:61", "10:0:7", "24:00:00", "ten"])
def test_refuses_what_it_never_shows(text: str) -> None:
    with pytest.raises(ValueError, match=r"never shows|invalid literal|not enough"):
        Clock.number_of(text)


def test_readings_lose_no_change_even_when_the_reader_is_late() -> None:
    async def scenario() -> list[str]:
        clock = Clock()
        clock.change()
        readings = clock.readings()
        seen = [await anext(readings)]
        clock.change()
        clock.change()
        seen += [await anext(readings), await anext(readings)]
        waiting = asyncio.ensure_future(anext(readings))
        await clock.crowded(1)
        clock.change()
        seen.append(await waiting)
        assert clock.waiting == 0
        await readings.aclose()  # type: ignore[attr-defined]
        return seen

    assert asyncio.run(scenario()) == ["10:00:01", "10:00:02", "10:00:03", "10:00:04"]


def test_other_than_answers_at_once_later_or_after_its_time() -> None:
    async def scenario() -> None:
        clock = Clock()
        assert await clock.other_than("--:--:--") == "10:00:00"
        held = asyncio.ensure_future(clock.other_than("10:00:00"))
        await clock.crowded(1)
        assert not held.done()
        clock.change()
        assert await held == "10:00:01"
        assert await clock.other_than("10:00:01", hold=0.01) == "10:00:01"
        assert clock.waiting == 0

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
