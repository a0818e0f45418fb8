"""Servers in the process of the tests, as a lesson runs them, on an event loop in a thread of its own.

Playwright's blocking interface holds the thread of the test; what a handler sees is noted for it.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from websockets.asyncio.server import serve as websockets_serve
from websockets.exceptions import ConnectionClosed

import wslab
from wslab.lab.browser.serve import serve_page

__all__ = ["SECONDS", "Here"]

SECONDS = 20  # after which something has gone wrong
Result = TypeVar("Result")
Handler = Callable[[Any], Awaitable[None]]


class Here:
    """An event loop that runs servers until the test is over."""

    def __init__(self) -> None:
        self.seen: queue.Queue[Any] = queue.Queue()  # what handlers noted, in order
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._servers: dict[int, Any] = {}

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on the loop, and return what it returns."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(SECONDS)

    def serve(self, handler: Handler, page: str, implementation: str = "websockets", **options: Any) -> int:
        """Serve a handler and its page; return the port. The end of each connection is noted."""

        async def noting(connection: Any) -> None:
            with contextlib.suppress(ConnectionClosed, wslab.ConnectionClosed):
                await handler(connection)
            await connection.wait_closed()
            self.seen.put((connection.close_code, connection.close_reason))

        async def start() -> tuple[int, Any]:
            options["process_request"] = serve_page(page)
            if implementation == "wslab":
                server = await wslab.serve(noting, **options)
                return server.port, server
            listening = await websockets_serve(noting, "127.0.0.1", **({"port": 0} | options))
            return listening.sockets[0].getsockname()[1], listening

        port, server = self.run(start())
        self._servers[port] = server
        return port

    def stop(self, port: int) -> None:
        """Close the server on this port, and its connections."""

        async def close(server: Any) -> None:
            server.close()
            await server.wait_closed()

        self.run(close(self._servers.pop(port)))

    def next(self) -> Any:
        """Return what was noted next, waiting for it."""
        return self.seen.get(timeout=SECONDS)

    def end(self) -> None:
        """Close all servers, and end the thread."""
        for port in list(self._servers):
            self.stop(port)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()
