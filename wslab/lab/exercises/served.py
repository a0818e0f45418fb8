"""A learner's handler, served: for exercises whose answer is the handler of a server.

``served`` runs it with `websockets` on a free port of this machine. An exception in the handler is the
learner's to see, so it is carried out of the server; that a connection was closed (RFC 6455 §7.1.4) is none.
A handler that does not end by itself is cancelled, and so is every task that it left behind: nothing is left
running. What a judge asks of the handler is the judge's affair.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from types import TracebackType
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

__all__ = ["PATIENCE", "Handler", "Served", "next_message", "served"]

Handler = Callable[[ServerConnection], Awaitable[None]]
PATIENCE = 1.5  # seconds to wait for something that must happen
LOOK = 0.005  # seconds between two looks for what is left


class Served:
    """Run a handler for each connection as a task that can be waited for, and cancelled."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.uri = ""
        self.before: set[asyncio.Task[Any]] = set()  # tasks that are not those of a connection
        self.running: set[asyncio.Task[None]] = set()
        self.raised: list[BaseException] = []

    async def guard(self, websocket: ServerConnection) -> None:
        """Be the handler of the server."""
        task = asyncio.ensure_future(self._run(websocket))
        self.running.add(task)
        await asyncio.wait([task])
        self.running.discard(task)

    async def _run(self, websocket: ServerConnection) -> None:
        try:
            await self._handler(websocket)
        except ConnectionClosed:
            pass
        except ExceptionGroup as group:
            _, others = group.split(ConnectionClosed)
            if others:
                self.raised.append(_cause(others))
        except Exception as error:
            self.raised.append(error)

    async def ended(self) -> bool:
        """Wait for the handlers to end; tell whether they did."""
        if self.running:
            await asyncio.wait(self.running, timeout=PATIENCE)
        return not self.running or all(task.done() for task in self.running)

    async def left_nothing(self) -> bool:
        """Wait until no task of a connection is left, once all clients have gone; tell whether that came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while asyncio.all_tasks() - self.before:
                    await asyncio.sleep(LOOK)
        return not asyncio.all_tasks() - self.before


def _cause(group: BaseExceptionGroup) -> BaseException:
    """Return the first single exception of a group, as if it had passed through all the lines on the way."""
    error: BaseException = group
    lines: list[TracebackType] = []
    while True:
        trace = error.__traceback__
        while trace:
            lines.append(trace)
            trace = trace.tb_next
        if not isinstance(error, BaseExceptionGroup):
            break
        error = error.exceptions[0]
    for line, following in pairwise(lines):
        line.tb_next = following
    return error.with_traceback(lines[0])


@contextlib.asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[Served]:
    """Serve a handler; in the end cancel what it left, and raise what it raised."""
    before = asyncio.all_tasks()
    running = Served(handler)
    server = await serve(running.guard, "127.0.0.1", 0, close_timeout=PATIENCE)
    running.before = asyncio.all_tasks()
    running.uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield running
    finally:
        for task in running.running:
            task.cancel()
        server.close()
        await server.wait_closed()
        for task in asyncio.all_tasks() - before:
            task.cancel()
    if running.raised:
        raise running.raised[0]


async def next_message(websocket: ClientConnection) -> Any:
    """Return the next message, or None when none comes."""
    try:
        async with asyncio.timeout(PATIENCE):  # wait_for of Python 3.11 may swallow the limit of its caller
            return await websocket.recv()
    except (ConnectionClosed, TimeoutError):
        return None
