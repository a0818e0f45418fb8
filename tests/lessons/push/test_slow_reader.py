"""What waits for a slow reader: without a bound in a plain queue, bounded where it drops or disconnects."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from wslab.lessons.push.slow_reader import SIZE, WRITE_BUFFER, Backlog, figure, observe

HEADER = 4  # bytes in front of the payload of an unmasked frame of that size (RFC 6455 §5.2)
COUNT = 200


class Latest(asyncio.Queue[str]):
    def put_nowait(self, item: str) -> None:
        while not self.empty():
            self.get_nowait()
        super().put_nowait(item)


@pytest.fixture(scope="module")
def backlogs() -> list[Backlog]:
    async def main() -> list[Backlog]:
        makers = (asyncio.Queue[str], Latest, partial(asyncio.Queue[str], maxsize=20))
        observed = await asyncio.gather(*(observe(make, COUNT) for make in makers))
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


def test_a_full_queue_disconnects_and_frees_what_waited(backlogs: list[Backlog]) -> None:
    disconnect = backlogs[2]
    assert disconnect.disconnected
    assert 20 * SIZE <= disconnect.peak <= 20 * SIZE + WRITE_BUFFER + 2 * (SIZE + HEADER)
    assert disconnect.waiting[-1] == 0
    assert disconnect.received == tuple(range(len(disconnect.received)))
    assert len(disconnect.received) < COUNT


def test_the_figure_marks_who_was_disconnected(backlogs: list[Backlog]) -> None:
    picture = figure(dict(zip(("everything", "latest", "disconnect"), backlogs, strict=True)))
    axes = picture.figure.axes[0]
    assert [line.get_marker() for line in axes.lines].count("x") == 1
    assert "everything, latest, disconnect" in picture.alt
    assert picture.png().startswith(b"\x89PNG")
    assert [repr(each) for each in backlogs] == [
        "<backlog of a slow reader>",
        "<backlog of a slow reader>",
        "<backlog of a slow reader, who was disconnected>",
    ]


def test_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        figure({})
