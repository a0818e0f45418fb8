"""The world of a watched exercise: a handler that is served, and an address without its port.

``served`` runs a learner's handler with `websockets` on a free port, and leaves nothing running. What is
expected of the handler is in the lesson's judge.
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

from wslab.lab.exercises.answer import describe
from wslab.lab.exercises.kinds import Fault

__all__ = ["PATIENCE", "Address", "Served", "next_message", "served"]

Handler = Callable[[ServerConnection], Awaitable[None]]
PATIENCE = 1.5  # seconds to wait for something that must happen
LOOK = 0.005  # seconds between two looks for what is left


class Address(str):
    """A URI that shows itself without its port, which differs from run to run: verdicts are stored.

    >>> Address("ws://127.0.0.1:8765/chat")
    'ws://127.0.0.1:…/chat'
    >>> Address("ws://127.0.0.1:8765") + "/chat"
    'ws://127.0.0.1:8765/chat'
    """

    __slots__ = ()

    def __repr__(self) -> str:
        scheme, _, rest = self.partition("://")
        before, _, path = rest.partition("/")
        host = before.rpartition(":")[0]
        return repr(f"{scheme}://{host}:…" + (f"/{path}" if path else ""))


class Served:
    """A handler that runs for each connection as a task that can be waited for, and cancelled."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.uri = ""  # where it is served
        self.before: set[asyncio.Task[Any]] = set()  # tasks that are not those of a connection
        self.running: set[asyncio.Task[None]] = set()  # the connections that are there
        self.raised: list[BaseException] = []  # by the handler, other than that its connection was closed
        self.logged: list[BaseException] = []  # by a real server, as an error: a closed connection too

    async def guard(self, websocket: ServerConnection) -> None:
        """Serve one connection."""
        task = asyncio.ensure_future(self._run(websocket))
        self.running.add(task)
        await asyncio.wait([task])
        self.running.discard(task)

    async def _run(self, websocket: ServerConnection) -> None:
        try:
            await self._handler(websocket)
        except Exception as error:
            self.logged.append(error)
            others = error.split(ConnectionClosed)[1] if isinstance(error, ExceptionGroup) else error
            if others and not isinstance(others, ConnectionClosed):
                self.raised.append(_cause(others))

    def log_fault(self, advice: str) -> Fault | None:
        """Return what is wrong when the server would have logged something: its first line, and advice."""
        if not self.logged:
            return None
        error = self.logged[0]
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        rows = (("in the log", f"connection handler failed: {describe(error)}"),)
        return Fault("ended with an exception, which the server logs as an error.", rows, advice=advice)

    async def ended(self) -> bool:
        """Wait for the handlers to end; return whether they did."""
        if self.running:
            await asyncio.wait(self.running, timeout=PATIENCE)
        return not self.running or all(task.done() for task in self.running)

    async def left_nothing(self) -> bool:
        """Wait until no task of a connection is left, once all clients have gone; return whether none is."""
        try:
            async with asyncio.timeout(PATIENCE):
                while asyncio.all_tasks() - self.before:
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            return False
        return True


def _cause(error: BaseException) -> BaseException:
    """Return the first single exception of a group, as if it had passed through all the lines on the way."""
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
    """Serve a handler; at the end cancel what it left, and raise what it raised."""
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
