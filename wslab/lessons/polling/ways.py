"""One way to follow the clock, on its own lane: a server, a tap in front of it, and a client that learns.

A ``Way`` is what the lesson writes: a handler for the server and a loop for the client. A ``Lane`` runs it
through its own tap, so that its bytes are counted apart, and notes when the client learned what. It is ready
when the client has learned something: nothing of the opening is then left to be measured. The servers,
aiohttp and `websockets`, send the same short heads on every machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from wslab.lab.wire.tap import Tap
from wslab.lessons.polling.clock import Clock

__all__ = ["Lane", "Way", "http_server", "websocket_server"]

PATIENCE = 20.0  # seconds to wait for what must come

Server = Callable[[Any], AbstractAsyncContextManager[int]]
Learn = Callable[[str], None]


@asynccontextmanager
async def http_server(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[int]:
    """Serve the path / with aiohttp while the block runs, and yield the port.

    Args:
        handler: request to response; it is cancelled when its client leaves.
    """

    async def sign(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = "lesson"  # else it would name versions, whose lengths differ

    application = web.Application()
    application.router.add_route("*", "/", handler)
    application.on_response_prepare.append(sign)
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def websocket_server(handler: Callable[[Any], Awaitable[None]]) -> AsyncIterator[int]:
    """Serve WebSocket connections with `websockets`, without compression, and yield the port.

    Args:
        handler: called with each connection; it is cancelled when its client leaves.
    """

    async def handle(connection: ServerConnection) -> None:
        work = asyncio.ensure_future(handler(connection))
        closed = asyncio.ensure_future(connection.wait_closed())
        await asyncio.wait({work, closed}, return_when=asyncio.FIRST_COMPLETED)
        closed.cancel()
        work.cancel()  # it waits for a change, and nobody is left to be sent it
        with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
            await work

    async with serve(handle, "127.0.0.1", 0, compression=None, server_header=None) as server:
        yield server.sockets[0].getsockname()[1]


@dataclass(frozen=True)
class Way:
    """One way to learn what the clock shows.

    Args:
        name: for tables and figures; what is in front of a comma is its kind.
        handler: of the server; called with the clock, and the request or the connection.
        client: a coroutine function, called with an address and ``learn``, which it calls with each text.
        interval: seconds between two requests; 0 for a client that asks again at once, None for one that
            does not ask.
        server: `http_server` or `websocket_server`.

    >>> async def answer(clock, request): ...
    >>> async def poll(url, learn): ...
    >>> Way("polling, 100 ms", answer, poll, interval=0.1)
    <Way: polling, 100 ms>
    """

    name: str
    handler: Callable[..., Awaitable[Any]]
    client: Callable[..., Awaitable[None]]
    interval: float | None = None
    server: Server = http_server

    @property
    def kind(self) -> str:
        """The name without its interval."""
        return self.name.partition(",")[0]

    def __repr__(self) -> str:
        return f"<Way: {self.name}>"


class Lane:
    """One way, run through its own tap for one client.

    Args:
        way: what runs.
        clock: what the client wants to know.
        delay: what the network adds one way, in seconds.
        on_learn: called with the text whenever the client has learned one.

    Attributes:
        learned: when the client learned something, by ``time.perf_counter``, and the number of it.

    Use it as ``async with Lane(way, clock) as lane:``; inside, the client has learned what the clock shows.
    """

    def __init__(self, way: Way, clock: Clock, *, delay: float = 0.0, on_learn: Learn | None = None) -> None:
        self.way, self.clock, self.delay, self.on_learn = way, clock, delay, on_learn
        self.learned: list[tuple[float, int]] = []
        self._news = asyncio.Event()
        self._stack = AsyncExitStack()

    def __repr__(self) -> str:
        return f"<Lane: {self.name}>"

    @property
    def name(self) -> str:
        """The name of the way, and how far away its client is."""
        return f"{self.way.name}, {self.delay * 1000:g} ms away" if self.delay else self.way.name

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            port = await stack.enter_async_context(self.way.server(partial(self.way.handler, self.clock)))
            self.tap = await stack.enter_async_context(Tap(port, delay=self.delay))
            scheme = "ws" if self.way.server is websocket_server else "http"
            client = self.way.client(f"{scheme}://127.0.0.1:{self.tap.port}/", self._learn)
            self._task = asyncio.ensure_future(client)
            self._task.add_done_callback(lambda _: self._news.set())
            stack.push_async_callback(self._stop)
            await self.know(0)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _learn(self, text: str) -> None:
        self.learned.append((time.perf_counter(), self.clock.numbers[text]))
        self._news.set()
        if self.on_learn is not None:
            self.on_learn(text)

    async def know(self, number: int) -> None:
        """Wait until the client knows the clock's change of that number, or a later one.

        Raises:
            TimeoutError: it does not learn of it within 20 seconds.
            RuntimeError: the client ended; with what it raised as its cause.
        """
        async with asyncio.timeout(PATIENCE):
            while not self.learned or self.learned[-1][1] < number:
                if self._task.done():
                    raise RuntimeError(f"the client of {self.way.name} ended") from self._task.exception()
                self._news.clear()
                await self._news.wait()
