"""Messages on a real event loop: order, types, sizes, receivers, broadcast."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import wslab
from tests.support.aio import (
    echo,
    run,
    until_closed,
    uri,
)
from wslab import (
    ReadyState,
    ServerConnection,
)


class TestMessages:
    def test_echo(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server, "/a?b=1")) as ws:
                for message in ("", "Hello", b"\0", "µ" * 70000, bytes(2**20)):
                    await ws.send(message)
                    assert await ws.recv() == message
                assert ws.request.path == "/a?b=1"
                assert ws.response is not None
                assert ws.response.status == 101
                assert ws.remote_address == ("127.0.0.1", server.port)
                assert repr(ws) == "<ClientConnection OPEN>"
                assert len(server.connections) == 1
            assert (ws.ready_state, ws.close_code) == (ReadyState.CLOSED, 1000)

        run(test())

    def test_many_messages_keep_their_order(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server)) as ws:
                for n in range(2000):
                    await ws.send(str(n))
                assert [await ws.recv() for _ in range(2000)] == [str(n) for n in range(2000)]

        run(test())

    def test_wrong_type(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server)) as ws:
                wrong: Any = {"a": 1}
                with pytest.raises(TypeError, match="dict"):
                    await ws.send(wrong)

        run(test())

    def test_two_receivers(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server)) as ws:
                first = asyncio.ensure_future(ws.recv())
                await asyncio.sleep(0)
                with pytest.raises(RuntimeError, match="another task"):
                    await ws.recv()
                await ws.send("x")
                assert await first == "x"

        run(test())

    def test_cancelled_receiver_loses_nothing(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server)) as ws:
                waiting = asyncio.ensure_future(ws.recv())
                await asyncio.sleep(0)
                waiting.cancel()
                await asyncio.wait([waiting])
                await ws.send("x")
                assert await ws.recv() == "x"

        run(test())

    def test_too_big(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo, max_size=100) as server, wslab.connect(uri(server)) as ws:
                await ws.send("fits")
                await ws.send("x" * 101)
                assert await ws.recv() == "fits"
                with pytest.raises(wslab.ConnectionClosedError, match="1009"):
                    await ws.recv()

        run(test())

    def test_broadcast(self) -> None:
        async def test() -> None:
            async with wslab.serve(until_closed) as server:
                clients = [await wslab.connect(uri(server)) for _ in range(10)]
                await clients[0].close()
                wslab.broadcast(server.connections, "to all")
                wslab.broadcast(server.connections, b"\1")
                for ws in clients[1:]:
                    assert (await ws.recv(), await ws.recv()) == ("to all", b"\1")
                with pytest.raises(TypeError):
                    wslab.broadcast(server.connections, 1)  # type: ignore[arg-type]
                for ws in clients:
                    await ws.close()

        run(test())


def test_assertion_in_a_handler_fails_its_test() -> None:
    async def handler(ws: ServerConnection) -> None:
        assert ws.close_code == 1000

    async def test() -> None:
        async with wslab.serve(handler) as server, wslab.connect(uri(server)) as ws:
            await ws.wait_closed()

    with pytest.raises(AssertionError, match="1000"):
        run(test())
