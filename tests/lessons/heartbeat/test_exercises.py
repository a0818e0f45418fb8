"""The judge of the heartbeat: a right answer on a machine that is late is still right."""

import asyncio
import threading

import pytest

from tests.lessons.heartbeat.wrong_answers import limit_both_awaits
from tests.support.aio import run
from wslab.lessons.heartbeat import exercises


@pytest.mark.parametrize(("interval", "beats"), [(exercises.INTERVAL, 12), (exercises.LONG, 3)])
def test_a_right_heartbeat_on_a_late_machine_is_right(
    monkeypatch: pytest.MonkeyPatch, interval: float, beats: int
) -> None:
    monkeypatch.setattr(exercises, "TIMEOUT", 1.5)  # no pong is to be so late, wherever this runs

    async def be_late() -> None:
        while True:  # each turn of the event loop takes so long, and a beat has several
            threading.Event().wait(0.012)
            await asyncio.sleep(0)

    async def test() -> None:
        late = asyncio.ensure_future(be_late())
        fault = await exercises._watch(limit_both_awaits, "wslab", interval, beats)
        late.cancel()
        await asyncio.wait([late])
        assert fault is None, fault

    run(test())
