"""A server elsewhere: in a thread of its own, with an event loop of its own.

In a notebook, server and client share a loop, so a handler that blocks would stop both, and nobody could
watch. Elsewhere it stops the server only, as it does in a program of its own. This works with ``wslab.serve``
and with the ``serve`` of ``websockets``, which it is given. What the server says is left to it; a stop waits
for the shutdown of the server, and so for a handler that blocks. Nothing here reads bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Self

__all__ = ["Elsewhere"]


class Elsewhere:
    """Run a server in a thread, with a loop that nothing else runs in.

    Args:
        serve: ``wslab.serve`` or ``websockets.asyncio.server.serve``.
        handler: called in the other thread with each connection; it may append to a list of this one.
        options: passed on to ``serve``, such as ``ping_interval``.

    Attributes:
        port: where the server listens on 127.0.0.1.

    >>> import wslab
    >>> async def main():
    ...     async def hello(ws):
    ...         await ws.send("from elsewhere")
    ...     async with Elsewhere(wslab.serve, hello) as server:
    ...         async with wslab.connect(f"ws://127.0.0.1:{server.port}") as ws:
    ...             return await ws.recv()
    >>> asyncio.run(main())
    'from elsewhere'
    """

    def __init__(self, serve: Callable[..., Any], handler: Callable[[Any], Any], **options: Any) -> None:
        self._starting = (serve, handler, options)
        self._thread: asyncio.Future[None]
        self._loop: asyncio.AbstractEventLoop
        self._over: asyncio.Event
        self.port = 0

    async def __aenter__(self) -> Self:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._thread = asyncio.ensure_future(asyncio.to_thread(asyncio.run, self._run(ready)))
        await asyncio.wait([ready, self._thread], return_when=asyncio.FIRST_COMPLETED)
        if self._thread.done():
            await self._thread  # it could not listen: this raises
        return self

    async def __aexit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        await self._thread

    async def _run(self, ready: asyncio.Future[None]) -> None:
        serve, handler, options = self._starting
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with serve(handler, "127.0.0.1", 0, **options) as server:
            self.port = int(next(iter(server.sockets)).getsockname()[1])
            ready.get_loop().call_soon_threadsafe(ready.set_result, None)
            await self._over.wait()
