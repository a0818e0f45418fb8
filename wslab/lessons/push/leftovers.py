"""What handlers leave behind: tasks that go on when their connection has ended, counted and drawn.

``visit`` serves a handler, has clients come and go one after the other, and counts after each of them the
tasks of a given name that are still there. It waits until the handler has ended and until what was cancelled
is gone, so a task that it counts is one that nobody has told to end; in the end it cancels these itself. What
the tasks do is the lesson's affair, and so are their messages (RFC 6455 §5.6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from matplotlib.ticker import MaxNLocator
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, SERVER

__all__ = ["figure", "visit"]

LOOKS = ((SERVER.background, "o"), (CLIENT.background, "s"))
PATIENCE = 20.0  # seconds for the whole

Handler = Callable[[ServerConnection], Awaitable[None]]


async def visit(handler: Handler, name: str, clients: int = 8) -> list[int]:
    """Have clients come, receive one message and go; return how many tasks were left after each.

    Args:
        handler: it sends at least one message to each client.
        name: of the tasks that are counted, as given to ``asyncio.create_task``.
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
    """Return the tasks of this name, without those that were cancelled; wait for their end."""
    named = {task for task in asyncio.all_tasks() if task.get_name() == name}
    cancelled = {task for task in named if task.cancelling()}
    if cancelled:
        await asyncio.wait(cancelled)
    return named - cancelled


def figure(counted: Mapping[str, list[int]]) -> Figure:
    """Draw how many tasks are left over how many clients came and went, a line for each handler.

    Args:
        counted: name of a handler to what ``visit`` gave for it.

    Raises:
        ValueError: there is nothing to draw.
    """
    if not counted:
        raise ValueError("there is nothing to draw: no handler was visited")
    with style():
        drawing = canvas(8, 2.8)
        axes = drawing.add_subplot()
        for (name, left), (colour, marker) in zip(counted.items(), LOOKS, strict=False):
            axes.plot(
                range(len(left) + 1), [0, *left], marker=marker, color=colour, linewidth=1.4, label=name
            )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("clients that came and went")
        axes.set_ylabel("tasks left")
        axes.legend(loc="upper left", frameon=False)
    lines = "; ".join(f"{name}: {', '.join(map(str, left))}" for name, left in counted.items())
    return Figure(drawing, f"Tasks left over, after each client that came and went. {lines}.")
