"""A server in a thread blocks nobody here, says when it cannot listen, and ends with its thread."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
import websockets.asyncio.server

import wslab
from wslab.lessons.heartbeat.server_thread import server_thread


@pytest.mark.parametrize("serve", [wslab.serve, websockets.asyncio.server.serve], ids=["wslab", "websockets"])
def test_a_handler_that_blocks_does_not_stop_this_loop(serve: Any) -> None:
    release, threads = threading.Event(), []

    async def block(ws: Any) -> None:
        threads.append(threading.current_thread())
        release.wait(20)
        await ws.send("released")

    async def main() -> None:
        async with (
            asyncio.timeout(20),
            server_thread(serve, block, ping_interval=None) as port,
            wslab.connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as ws,
        ):
            while not threads:
                await asyncio.sleep(0.001)
            release.set()  # this loop runs while the other is blocked
            assert await ws.recv() == "released"

    asyncio.run(main())
    assert threads[0] is not threading.current_thread()
    assert not threads[0].is_alive()


def test_a_server_that_cannot_start_says_so() -> None:
    def refuse(*_: Any, **options: Any) -> Any:
        raise ValueError(f"no such option: {', '.join(options)}")

    async def main() -> None:
        async with asyncio.timeout(20), server_thread(refuse, print, colour="blue"):
            pass

    with pytest.raises(ValueError, match="no such option: colour"):
        asyncio.run(main())
