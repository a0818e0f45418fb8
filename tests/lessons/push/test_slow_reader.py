"""What waits for a slow reader: without a bound in a plain queue, bounded where it drops or disconnects."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from wslab.lessons.push.late_and_waiting import late, waiting
from wslab.lessons.push.slow_reader import SIZE, WRITE_BUFFER, Backlog, observe

HEADER = 4  # bytes in front of the payload of an unmasked frame of that size (RFC 6455 §5.2)
COUNT = 200


class Latest(asyncio.Queue[str]):
    def put_nowait(self, item: str) -> None:
        while not self.empty():
            self.get_nowait()
        super().put_nowait(item)


class Disconnecting(asyncio.Queue[str]):
    def __init__(self, websocket: Any) -> None:
        super().__init__(20)
        self.websocket = websocket

    def put_nowait(self, item: str) -> None:
        if self.full():
            self.websocket.transport.abort()
        else:
            super().put_nowait(item)


async def send_from(queue: asyncio.Queue[str], websocket: Any) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await websocket.send(await queue.get())


@pytest.fixture(scope="module")
def backlogs() -> list[Backlog]:
    async def main() -> list[Backlog]:
        policies = (lambda _: asyncio.Queue[str](), lambda _: Latest(), Disconnecting)
        observed = await asyncio.gather(*(observe(policy, send_from, COUNT) for policy in policies))
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return observed

    return asyncio.run(main())


def test_what_takes_everything_grows_and_loses_nothing(backlogs: list[Backlog]) -> None:
    everything, _, disconnect = backlogs
    assert everything.received == tuple(range(COUNT))
    assert everything.peak > disconnect.peak
    assert not everything.disconnected


def test_the_latest_only_is_bounded_and_always_arrives(backlogs: list[Backlog]) -> None:
    latest = backlogs[1]
    assert latest.peak <= WRITE_BUFFER + SIZE + 2 * (SIZE + HEADER)
    assert len(latest.received) < COUNT
    assert latest.received[-1] == COUNT - 1
    assert list(latest.received) == sorted(set(latest.received))
    assert not latest.disconnected


def test_a_full_queue_disconnects_and_frees_what_waited(backlogs: list[Backlog]) -> None:
    disconnect = backlogs[2]
    assert disconnect.disconnected
    assert 20 * SIZE <= disconnect.peak <= 20 * SIZE + WRITE_BUFFER + 2 * (SIZE + HEADER)
    assert disconnect.waiting[-1] == 0
    assert disconnect.received == tuple(range(len(disconnect.received)))
    assert len(disconnect.received) < COUNT


def test_the_figure_marks_the_client_that_was_disconnected(backlogs: list[Backlog]) -> None:
    picture = waiting(dict(zip(("everything", "latest", "disconnect"), backlogs, strict=True)))
    axes = picture.figure.axes[0]
    assert [line.get_marker() for line in axes.lines].count("x") == 1
    assert "everything, latest, disconnect" in picture.alt
    assert picture.alt.startswith(axes.get_title())
    assert picture.png().startswith(b"\x89PNG")


def test_the_figure_of_ticks_has_a_line_for_each_way() -> None:
    picture = late({"sleep": (0.0, 0.5, 1.0), "schedule": (0.0, 0.0, 0.0)})
    axes = picture.figure.axes[0]
    assert [np.asarray(line.get_ydata()).tolist() for line in axes.lines] == [[0, 500, 1000], [0, 0, 0]]
    assert "sleep, schedule" in picture.alt
    assert picture.png().startswith(b"\x89PNG")
