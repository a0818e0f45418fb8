"""A ticker that sleeps falls behind by its work; one with a schedule does not; the picture shows both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import numpy as np
import pytest

from wslab.lessons.push.drift import Ticks, figure, measure


async def sleeping(period: float) -> AsyncGenerator[None, None]:
    while True:
        yield
        await asyncio.sleep(period)


async def scheduled(period: float) -> AsyncGenerator[None, None]:
    now = asyncio.get_running_loop().time
    due = now() + period
    while True:
        yield
        await asyncio.sleep(due - now())
        due += period


def test_sleep_drifts_by_the_work_and_a_schedule_does_not() -> None:
    async def main() -> tuple[Ticks, Ticks]:
        both = await asyncio.gather(
            measure(sleeping, 0.02, 20, work=0.02), measure(scheduled, 0.02, 20, work=0.005)
        )
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return both

    by_sleep, by_schedule = asyncio.run(main())
    assert len(by_sleep.late) == len(by_schedule.late) == 20
    assert by_sleep.late[0] == by_schedule.late[0] == 0
    assert by_sleep.drift > 0.1  # ten ticks and their work; the clock of Windows has a grain
    assert by_sleep.drift > by_schedule.drift


def test_the_drift_is_what_no_short_delay_explains() -> None:
    assert Ticks(1.0, (0.0, 0.5, *[0.25] * 9, 0.125, 3.0)).drift == 0.125
    assert repr(Ticks(0.05, (0.0, 0.1))) == "<2 ticks, one every 0.05 s>"


def test_the_figure_has_a_line_for_each_ticker() -> None:
    picture = figure({"sleep": Ticks(1.0, (0.0, 0.5, 1.0)), "schedule": Ticks(1.0, (0.0, 0.0, 0.0))})
    axes = picture.figure.axes[0]
    assert [np.asarray(line.get_ydata()).tolist() for line in axes.lines[:2]] == [
        [0.0, 500.0, 1000.0],
        [0.0, 0.0, 0.0],
    ]
    assert [text.get_text() for text in axes.texts] == ["sleep", "schedule"]
    assert "sleep, schedule" in picture.alt
    assert picture.png().startswith(b"\x89PNG")


def test_nothing_to_measure_or_to_draw() -> None:
    with pytest.raises(ValueError, match="0 ticks"):
        asyncio.run(measure(sleeping, count=0))
    with pytest.raises(ValueError, match="no ticker"):
        figure({})
