"""The pictures of a race show every way by name, and say the same in words whatever was measured."""

import asyncio

import numpy as np
import pytest
from matplotlib.axes import Axes

from tests.lessons.polling.ways import HELD, PUSHED, STREAMED, polling
from wslab.lab.views.figure import Figure
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.costs import Cost, Costs
from wslab.lessons.polling.figures import LOOKS, rates, trade
from wslab.lessons.polling.race import Race, race

COSTS = Costs(
    {
        "polling": Cost(99, 132, 8, 0, 0),
        "long polling": Cost(114, 132, 8, 0, 0),
        "server-sent events": Cost(0, 0, 22, 0, 232),
        "WebSocket": Cost(0, 0, 0, 10, 318),
    }
)


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
    assert {"long polling", "server-sent events", "WebSocket", "polling every 20 ms", "every 50 ms"} <= set(
        words
    )
    assert "polling every 20 or 50 ms" in words, "with 30 ms delay both ask every 60 ms"
    assert "logarithmic" in repr(figure)
    assert figure.png().startswith(b"\x89PNG")


def test_rates_calculates_an_hour() -> None:
    figure = rates(COSTS)
    lines = {
        line.get_label(): np.asarray(line.get_ydata()) for line in figure.figure.axes[0].lines
    }  # in the order in which they are drawn
    held, streamed, pushed, second, minute, hour = lines.values()
    assert held[0] == pytest.approx(254 * 120, rel=0.01), "a question every 30 seconds"
    assert held[-1] == pytest.approx(254 * 36000, rel=0.15)
    assert streamed[0] == pytest.approx(8 * 240, rel=0.01)
    assert pushed[0] == pytest.approx(16 * 180, rel=0.01)
    assert (second[0], minute[0], hour[0]) == (239 * 3600, 239 * 60, 239)
    assert "polling every hour" in texts(figure)
    assert repr(figure) == repr(rates(COSTS))


def test_looks_differ_in_more_than_colour() -> None:
    assert len({look.marker for look in LOOKS}) == len(LOOKS)
    assert len({look.dashes for look in LOOKS}) == len(LOOKS)
