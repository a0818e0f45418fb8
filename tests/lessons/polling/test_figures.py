"""The pictures of a race show every way by name, and say the same in words whatever was measured."""

import asyncio
from copy import copy
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes

from tests.lessons.polling.ways import HELD, PUSHED, STREAMED, polling
from wslab.lab.views.figure import Figure
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.figures import LOOKS, rates, timeline, trade
from wslab.lessons.polling.race import Race, race

COSTS = {"polling": 241, "long polling": 256, "server-sent events": 22, "WebSocket": 10}


@pytest.fixture(scope="module")
def measured() -> Race:
    async def scenario() -> Race:
        ways = [polling(0.02), polling(0.05), HELD, STREAMED, PUSHED]
        async with asyncio.timeout(60):
            return await race(ways, Clock.irregular(5, 0.04, seed=1), delays=(0.0, 0.03))

    return asyncio.run(scenario())


def texts(figure: Figure) -> list[str]:
    axes: Axes = figure.figure.axes[0]
    return [text.get_text() for text in axes.texts]


def test_the_trade_names_every_way_and_interval(measured: Race) -> None:
    figure = trade(measured, COSTS)
    words = texts(figure)
    assert {"long polling", "server-sent events", "WebSocket", "every 20 ms", "every 50 ms"} <= set(words)
    assert words.count("every 50 ms") == words.count("every 20 or 50 ms") == 1, "an answer takes 60 ms there"
    assert "logarithmic" in repr(figure)
    assert figure.png().startswith(b"\x89PNG")


def test_the_trade_names_an_interval_with_a_fraction(measured: Race) -> None:
    polled = next(result for result in measured if result.lane.way.interval)
    lane = copy(polled.lane)
    lane.way = replace(lane.way, interval=0.0133)  # times 1000 it is not 13.3
    assert "every 13.3 ms" in texts(trade(Race([replace(polled, lane=lane)]), COSTS))


def test_rates_calculates_an_hour() -> None:
    figure = rates(COSTS)
    lines = {
        line.get_label(): np.asarray(line.get_ydata()) for line in figure.figure.axes[0].lines
    }  # in the order in which they are drawn
    held, streamed, pushed, second, minute, hour = lines.values()
    assert held[0] == pytest.approx(256 * 120, rel=0.01), "a question every 30 seconds"
    assert held[-1] == pytest.approx(256 * 36000, rel=0.15)
    assert streamed[0] == pytest.approx(8 * 240, rel=0.01)
    assert pushed[0] == pytest.approx(16 * 180, rel=0.01)
    assert (second[0], minute[0], hour[0]) == (241 * 3600, 241 * 60, 241)
    assert "polling every hour" in texts(figure)
    assert repr(figure) == repr(rates(COSTS))


def test_looks_differ_in_more_than_colour() -> None:
    assert len({look.marker for look in LOOKS.values()}) == len(LOOKS)
    assert len({look.dashes for look in LOOKS.values()}) == len(LOOKS)


def test_the_timeline_has_a_strip_for_each_way(measured: Race) -> None:
    found = [result for result in measured if result.lane.delay]
    figure = timeline(found, seconds=0.3)
    strips = figure.figure.axes
    assert [strip.get_title(loc="left") for strip in strips] == [result.lane.way.name for result in found]
    for strip, result in zip(strips, found, strict=True):
        diamonds = [line for line in strip.lines if line.get_marker() == "D"]
        assert [round(float(x), 6) for x in np.asarray(diamonds[0].get_xdata())] == [
            round(moment - result.start, 6) for moment in result.lane.clock.times
        ]
        dots = [line for line in strip.lines if line.get_marker() == "o"]
        assert len(dots) == len(result.lane.learned)
        dashed = [line for line in strip.lines if line.is_dashed()]
        assert len(dashed) == len(result.asked)
    assert "5 timelines below each other: polling, 20 ms, polling, 50 ms, long polling" in repr(figure)
    assert figure.png().startswith(b"\x89PNG")
