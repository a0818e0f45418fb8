"""The probe counts the echoes of a server, and none while the loop is blocked."""

import asyncio
import time

import pytest
from websockets.asyncio.server import ServerConnection, serve

from wslab.lessons.start.probe import Probe


async def echo(websocket: ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message)


def test_counts_echoes_and_none_while_the_loop_is_blocked() -> None:
    async def scenario() -> Probe:
        async with asyncio.timeout(30), serve(echo, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with Probe(f"ws://127.0.0.1:{port}") as probe:
                assert repr(probe) == "<Probe: running>"
                with probe.mark("free"):
                    while not probe._trips[5:]:
                        await asyncio.sleep(0.01)
                with probe.mark("blocked"):
                    time.sleep(0.1)
                with pytest.raises(RuntimeError, match="runs already"):
                    await probe.start()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return probe

    probe = asyncio.run(scenario())
    assert probe.echoes("free") > 0
    assert probe.echoes("blocked") == 0
    with pytest.raises(KeyError, match="there is free, blocked"):
        probe.echoes("busy")
    figure = probe.figure()
    assert "Behind the bars: free, blocked." in repr(figure)
    assert figure.png().startswith(b"\x89PNG")


def test_misuse() -> None:
    with pytest.raises(RuntimeError, match="nothing was marked"):
        Probe("ws://127.0.0.1:1").figure()
    asyncio.run(Probe("ws://127.0.0.1:1").stop())
    with pytest.raises(OSError, match=r"\d"):
        asyncio.run(Probe("ws://127.0.0.1:1").start())
