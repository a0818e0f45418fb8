"""What handlers leave behind: tasks that go on when their connection has ended, counted.

``visit`` serves a handler, has clients come and go one after the other, and counts after each of them the
tasks that still run a given coroutine function. It waits until the handler has ended and until what was
cancelled is gone, so a task that it counts is one that nobody has told to end; at the end it cancels these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

__all__ = ["visit"]

PATIENCE = 20.0  # seconds for the whole

Handler = Callable[[ServerConnection], Awaitable[None]]


async def visit(handler: Handler, name: str, clients: int = 8) -> list[int]:
    """Have clients come, receive one message and go; return how many tasks were left after each.

    Args:
        handler: it sends at least one message to each client.
        name: of the coroutine function that the counted tasks run.
        clients: how many, one after the other.

    Raises:
        TimeoutError: the handler sends nothing, or goes on when its connection has ended.
    """
    ended = asyncio.Event()
    before = asyncio.all_tasks()
    left = []

    async def note_the_end(websocket: ServerConnection) -> None:
        try:
            await handler(websocket)
        finally:
            ended.set()

    try:
        async with asyncio.timeout(PATIENCE), serve(note_the_end, "127.0.0.1", 0) as server:
            for _ in range(clients):
                ended.clear()
                async with connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}") as websocket:
                    await websocket.recv()
                await ended.wait()
                left.append(len(await _tasks(name) - before))
    finally:
        for task in await _tasks(name) - before:
            task.cancel()
        await _tasks(name)
    return left


async def _tasks(name: str) -> set[asyncio.Task[object]]:
    """Return the tasks that run it, without those that were cancelled; wait for the end of these."""
    named = {task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") == name}
    cancelled = {task for task in named if task.cancelling()}
    if cancelled:
        await asyncio.wait(cancelled)
    return named - cancelled
