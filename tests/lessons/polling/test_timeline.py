"""The timeline has a strip for each way, and shows changes, requests and arrivals where they were."""

import asyncio

import numpy as np

from tests.lessons.polling.ways import HELD, PUSHED, polling
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.race import Race, race
from wslab.lessons.polling.timeline import timeline


def test_draws_a_strip_for_each_way() -> None:
    async def scenario() -> Race:
        async with asyncio.timeout(60):
            return await race([polling(0.02), HELD, PUSHED], Clock.irregular(5, 0.04, seed=1), delays=[0.02])

    found = asyncio.run(scenario())
    figure = timeline(list(found), seconds=0.3)
    strips = figure.figure.axes
    assert [strip.get_title(loc="left") for strip in strips] == [
        "polling, 20 ms",
        "long polling",
        "WebSocket",
    ]
    for strip, result in zip(strips, found, strict=True):
        diamonds = [line for line in strip.lines if line.get_marker() == "D"]
        assert [round(float(x), 6) for x in np.asarray(diamonds[0].get_xdata())] == [
            round(moment - result.start, 6) for moment in result.changes
        ]
        dots = [line for line in strip.lines if line.get_marker() == "o"]
        assert len(dots) == len(result.learned[0])
        dashed = [line for line in strip.lines if line.is_dashed()]
        assert len(dashed) == len(result.asked)
    assert "3 timelines below each other: polling, 20 ms, long polling, WebSocket." in repr(figure)
    assert figure.png().startswith(b"\x89PNG")
