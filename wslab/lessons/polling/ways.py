"""One way to carry the clock's readings, on its own lane: a server, a tap before it, and clients that learn.

A ``Way`` is what a lesson writes: a handler for the server and a loop for the client. A ``Lane`` runs it for
so many clients through a tap of its own, so that what the way costs is counted apart, and notes when each
client learned what. It starts the servers of two libraries, aiohttp for HTTP and `websockets`; which of them
is part of the way. It compares nothing: ``race`` does, and ``cost`` weighs one update.

The heads of HTTP depend on the versions of Python and of the libraries. `ask` and `through` send short
ones that are the same everywhere, and so do the servers: bytes can be counted on, and are few. Clients call
the server clock.example, since a port has four or five digits.

Every client learns something as soon as it comes; the lane is ready when all have. Then nothing of the
opening is left to be measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import aiohttp
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from wslab.lab.wire.tap import Tap
from wslab.lessons.polling.clock import Clock

__all__ = ["Lane", "Way", "ask", "every", "http_server", "through", "websocket_server"]

NAME = "clock.example"
HEADS = {"Host": NAME, "User-Agent": "lesson", "Accept": "*/*", "Accept-Encoding": "identity"}
PATIENCE = 20.0  # seconds to wait for what must come

Server = Callable[[Any], AbstractAsyncContextManager[int]]
Learn = Callable[[str], None]


@asynccontextmanager
async def http_server(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[int]:
    """Serve one resource with aiohttp, and give the port.

    Args:
        handler: request to response; it is cancelled when its client leaves.
    """

    async def sign(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = "lesson"

    application = web.Application()
    application.router.add_get("/", handler)
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
    """Serve WebSocket connections with `websockets`, without compression, and give the port.

    Args:
        handler: called with each connection; it is cancelled when its client leaves.
    """

    async def handle(connection: ServerConnection) -> None:
        work = asyncio.ensure_future(handler(connection))
        closed = asyncio.ensure_future(connection.wait_closed())
        await asyncio.wait({work, closed}, return_when=asyncio.FIRST_COMPLETED)
        closed.cancel()
        if not work.done():  # it waits for something to tell, and there is nobody left to tell it to
            work.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
            await work

    async with serve(handle, "127.0.0.1", 0, compression=None, server_header=None) as server:
        yield server.sockets[0].getsockname()[1]


def ask(port: int) -> aiohttp.ClientSession:
    """Return a session of aiohttp for a server on this machine; its requests are short.

    Args:
        port: of the server, or of the tap before it.
    """
    return aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=HEADS)


def through(port: int) -> dict[str, Any]:
    """Return what `websockets.connect` must be told to reach a server on this machine with a short request.

    >>> through(8765)["port"]
    8765
    """
    return {
        "host": "127.0.0.1",
        "port": port,
        "compression": None,
        "proxy": None,
        "user_agent_header": None,
    }


async def every(interval: float) -> AsyncIterator[None]:
    """Go on once at once, and then at regular times; if it is too late for one, immediately.

    Where the regular times lie is random: clients do not know of each other, nor of the clock.

    Args:
        interval: the distance of two regular times, in seconds.
    """
    loop = asyncio.get_running_loop()
    due = loop.time() + random.uniform(0, interval)
    while True:
        yield
        await asyncio.sleep(due - loop.time())
        due = max(due + interval, loop.time())


@dataclass(frozen=True)
class Way:
    """Describe one way to learn what the clock shows.

    Args:
        kind: as it stands in tables and figures, where the interval is added.
        handler: of the server; called with the clock, and the request or the connection.
        client: a coroutine function, called with a port and ``learn``, to which it passes each text.
        interval: seconds between two questions; given to the client as a third argument, unless it is None.
        server: `http_server` or `websocket_server`.

    >>> async def answer(clock, request): ...
    >>> async def poll(port, learn, interval): ...
    >>> Way("polling", answer, poll, interval=0.1)
    <Way: polling, 100 ms>
    """

    kind: str
    handler: Callable[..., Awaitable[Any]]
    client: Callable[..., Awaitable[None]]
    interval: float | None = None
    server: Server = http_server

    @property
    def name(self) -> str:
        """The kind, and the interval in milliseconds if there is one."""
        return self.kind if self.interval is None else f"{self.kind}, {self.interval * 1000:g} ms"

    def __repr__(self) -> str:
        return f"<Way: {self.name}>"


class Lane:
    """Run one way through a tap, for a number of clients.

    Args:
        way: what runs.
        clock: what the clients want to know.
        delay: what the network adds one way, in seconds.
        clients: how many there are.
        on_learn: called whenever a client has learned a text, with the text.

    Attributes:
        learned: for each client the moments, by ``time.perf_counter``, and the numbers of what it learned.

    Use it as ``async with Lane(way, clock) as lane:``; inside, every client has learned what the clock shows.
    """

    def __init__(
        self, way: Way, clock: Clock, *, delay: float = 0.0, clients: int = 1, on_learn: Learn | None = None
    ) -> None:
        self.way, self.clock, self.delay, self.clients = way, clock, delay, clients
        self.learned: list[list[tuple[float, int]]] = [[] for _ in range(clients)]
        self._on_learn = on_learn
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stack = AsyncExitStack()

    def __repr__(self) -> str:
        return f"<Lane: {self.way.name}, {len(self._tasks)} clients>"

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            port = await stack.enter_async_context(self.way.server(partial(self.way.handler, self.clock)))
            self.tap = await stack.enter_async_context(Tap(port, delay=self.delay))
            stack.push_async_callback(self._stop)
            more = () if self.way.interval is None else (self.way.interval,)
            for number in range(self.clients):
                client = self.way.client(self.tap.port, partial(self._learn, number), *more)
                self._tasks.append(asyncio.ensure_future(client))
                self._tasks[-1].add_done_callback(lambda _: self._news.set())
            await self.until(lambda: all(self.learned))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def _learn(self, client: int, text: str) -> None:
        self.learned[client].append((time.perf_counter(), self.clock.number_of(text)))
        if self._on_learn is not None:
            self._on_learn(text)
        self._news.set()

    async def know(self, number: int) -> None:
        """Wait until every client knows the clock's change of that number, or a later one.

        Raises:
            TimeoutError: one of them does not get to know it.
        """
        await self.until(lambda: all(known[-1][1] >= number for known in self.learned))

    async def until(self, condition: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Wait until something is true; what the clients learn is a reason to look again.

        Raises:
            TimeoutError: it does not become true.
            RuntimeError: a client ended; with what it raised as its cause.
        """
        async with asyncio.timeout(patience):
            while not condition():
                for task in self._tasks:
                    if task.done():
                        raise RuntimeError(f"a client of {self.way.name} ended") from task.exception()
                self._news.clear()
                await self._news.wait()
