"""Tasks that nobody cancels are counted, those that were cancelled are not, and none is left in the end."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection

from wslab.lessons.push import leftovers


async def tick(websocket: ServerConnection) -> None:
    await websocket.send("tick")
    await asyncio.sleep(1000)


async def leaky(websocket: ServerConnection) -> None:
    timer = asyncio.create_task(tick(websocket), name="timer")
    await websocket.wait_closed()
    del timer


async def cured(websocket: ServerConnection) -> None:
    timer = asyncio.create_task(tick(websocket), name="timer")
    try:
        await websocket.wait_closed()
    finally:
        timer.cancel()


async def silent(websocket: ServerConnection) -> None:
    await websocket.close()


def test_one_is_left_for_each_client_and_none_where_they_are_cancelled() -> None:
    async def main() -> tuple[list[int], list[int]]:
        both = await leftovers.visit(leaky, "timer", 3), await leftovers.visit(cured, "timer", 3)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return both

    assert asyncio.run(main()) == ([1, 2, 3], [0, 0, 0])


def test_tasks_that_were_there_before_are_not_counted_and_not_cancelled() -> None:
    async def main() -> None:
        mine = asyncio.create_task(asyncio.sleep(1000), name="timer")
        assert await leftovers.visit(leaky, "timer", 2) == [1, 2]
        assert not mine.cancelling()
        mine.cancel()

    asyncio.run(main())


def test_a_handler_that_says_nothing_is_an_error_and_leaves_nothing() -> None:
    async def main() -> None:
        with pytest.raises(Exception, match="1000"):
            await leftovers.visit(silent, "timer", 1)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_the_figure_has_the_counts_in_words() -> None:
    picture = leftovers.figure({"nobody cancels": [1, 2], "cancelled": [0, 0]})
    assert "nobody cancels: 1, 2; cancelled: 0, 0." in picture.alt
    assert [np.asarray(line.get_ydata()).tolist() for line in picture.figure.axes[0].lines] == [
        [0, 1, 2],
        [0, 0, 0],
    ]
    assert picture.png().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="nothing to draw"):
        leftovers.figure({})
