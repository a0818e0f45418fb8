"""Tasks that nobody cancels are counted, those that were cancelled are not, and none is left in the end."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection

from wslab.lessons.push import leftovers


async def tick(websocket: ServerConnection | None) -> None:
    if websocket:
        await websocket.send("tick")
    await asyncio.sleep(1000)


async def leaky(websocket: ServerConnection) -> None:
    timer = asyncio.create_task(tick(websocket))
    await websocket.wait_closed()
    del timer


async def cured(websocket: ServerConnection) -> None:
    timer = asyncio.create_task(tick(websocket))
    try:
        await websocket.wait_closed()
    finally:
        timer.cancel()


async def silent(websocket: ServerConnection) -> None:
    await websocket.close()


def test_one_is_left_for_each_client_and_none_where_they_are_cancelled() -> None:
    async def main() -> tuple[list[int], list[int]]:
        both = await leftovers.visit(leaky, "tick", 3), await leftovers.visit(cured, "tick", 3)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return both

    assert asyncio.run(main()) == ([1, 2, 3], [0, 0, 0])


def test_tasks_that_were_there_before_are_not_counted_and_not_cancelled() -> None:
    async def main() -> None:
        mine = asyncio.create_task(tick(None))
        assert await leftovers.visit(leaky, "tick", 2) == [1, 2]
        assert not mine.cancelling()
        mine.cancel()

    asyncio.run(main())


def test_a_handler_that_says_nothing_is_an_error_and_leaves_nothing() -> None:
    async def main() -> None:
        with pytest.raises(Exception, match="1000"):
            await leftovers.visit(silent, "tick", 1)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
