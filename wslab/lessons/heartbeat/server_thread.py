"""A server in a thread, with its own event loop.

In a notebook, server and client share a loop, so a handler that blocks would stop both. Here it stops only
the server, as if that were another program.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

__all__ = ["server_thread"]


@asynccontextmanager
async def server_thread(
    serve: Callable[..., Any], handler: Callable[[Any], Any], **options: Any
) -> AsyncIterator[int]:
    """Run a server in a thread; yield its port on 127.0.0.1, and wait at the end for its shutdown.

    Args:
        serve: ``wslab.serve`` or ``websockets.asyncio.server.serve``.
        handler: called in the thread with each connection.
        options: passed on to ``serve``, such as ``ping_interval``.

    >>> import wslab
    >>> async def main():
    ...     async with server_thread(wslab.serve, lambda ws: ws.send("from a thread")) as port:
    ...         async with wslab.connect(f"ws://127.0.0.1:{port}/") as ws:
    ...             return await ws.recv()
    >>> asyncio.run(main())
    'from a thread'
    """
    here = asyncio.get_running_loop()
    started: asyncio.Future[Any] = here.create_future()

    async def run() -> None:
        over = asyncio.Event()
        async with serve(handler, "127.0.0.1", 0, **options) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            here.call_soon_threadsafe(started.set_result, (port, asyncio.get_running_loop(), over))
            await over.wait()

    thread: asyncio.Future[Any] = asyncio.ensure_future(asyncio.to_thread(asyncio.run, run()))
    await asyncio.wait({started, thread}, return_when=asyncio.FIRST_COMPLETED)
    if thread.done():
        await thread  # it could not listen: this raises
    port, loop, over = started.result()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(over.set)
        await thread
