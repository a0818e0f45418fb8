"""The judge of the heartbeat: a right answer on a machine that is late is still right."""

import asyncio
import threading
from typing import Any

import pytest

from tests.lessons.heartbeat.wrong_answers import limit_both_awaits
from tests.support.aio import run
from wslab.lessons.heartbeat.exercises import INTERVAL, LONG, _watch


@pytest.mark.parametrize(("interval", "beats"), [(INTERVAL, 12), (LONG, 3)])
def test_a_right_heartbeat_on_a_late_machine_is_right(interval: float, beats: int) -> None:
    async def be_late() -> None:
        while True:  # each turn of the event loop takes so long, and a beat has several
            threading.Event().wait(0.015)
            await asyncio.sleep(0)

    async def test() -> Any:
        late = asyncio.ensure_future(be_late())
        fault = await _watch(limit_both_awaits, "wslab", interval, beats)
        late.cancel()
        await asyncio.wait([late])
        assert fault is None, fault

    run(test())
