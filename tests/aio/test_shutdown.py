"""The end of a server: what it says, how long it waits, and that nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
from typing import Any

import pytest

import wslab
from tests.support.aio import (
    UPGRADE,
    assert_alive,
    echo,
    opened,
    run,
    until_closed,
    uri,
    wire,
)
from wslab import (
    ServerConnection,
)


class TestShutdown:
    def test_says_going_away_and_leaves_nothing(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server:
                clients = [await wslab.connect(uri(server)) for _ in range(5)]
            for ws in clients:
                assert [message async for message in ws] == []
                assert ws.close_code == 1001
            assert server.connections == set()
            with pytest.raises(OSError, match=r"refused|failed"):
                await wslab.connect(uri(server))

        run(test())

    def test_waits_no_longer_than_close_timeout(self) -> None:
        async def test() -> None:
            cancelled = []

            async def deaf(ws: ServerConnection) -> None:
                try:
                    await asyncio.Event().wait()
                finally:
                    cancelled.append(True)

            async with wslab.serve(deaf, close_timeout=0.1) as server:
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(UPGRADE + b"\r\n")
                await reader.readuntil(b"\r\n\r\n")
                _, half = await asyncio.open_connection("127.0.0.1", server.port)
                half.write(b"GET / HT")
            assert cancelled == [True]
            assert server.connections == set()
            for stream in (writer, half):
                stream.close()

        run(test(), seconds=5)

    @pytest.mark.parametrize("stubborn", [False, True])
    def test_handler_that_does_not_end_when_cancelled(
        self, stubborn: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It has a second to clean up; then the server is gone, and says what is left."""

        async def test() -> None:
            over = asyncio.Event()

            async def deaf(ws: ServerConnection) -> None:
                try:
                    await asyncio.Event().wait()
                finally:
                    await (over.wait() if stubborn else asyncio.sleep(0.1))

            async with wslab.serve(deaf, close_timeout=0.1) as server:
                await (await wslab.connect(uri(server), close_timeout=0.1)).send("x")
            assert not server.connections
            over.set()
            for _ in range(5):
                await asyncio.sleep(0)

        run(test(), seconds=5)
        errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        assert errors == ["1 handlers still run, a second after they were cancelled"] * stubborn

    def test_wrong_code(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server)) as ws:
                with pytest.raises(ValueError, match="1005"):
                    server.close(1005)
                assert await ws.ping() > 0

        run(test())

    def test_no_socket_is_left(self) -> None:
        def opened() -> list[socket.socket]:
            gc.collect()
            return [o for o in gc.get_objects() if isinstance(o, socket.socket) and o.fileno() >= 0]

        before = opened()  # event loops that other tests left have a pair each

        async def test() -> None:
            async with wslab.serve(echo) as server:
                for _ in range(20):
                    async with wslab.connect(uri(server)) as ws:
                        await ws.send("x")
                        await ws.recv()

        run(test())
        assert not [one for one in opened() if one not in before]

    def test_awaited(self) -> None:
        async def test() -> None:
            server = await wslab.serve(echo)
            assert server.sockets
            server.close()
            await server.wait_closed()

        run(test())

    def test_serve_forever(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server:
                task = asyncio.ensure_future(server.serve_forever())
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
                assert task.cancelled()

        run(test())

    def test_serve_forever_ends_when_the_server_is_closed(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server)) as ws:
                asyncio.get_running_loop().call_later(0.01, server.close)
                await server.serve_forever()
                await ws.wait_closed()
                assert ws.close_code == 1001

        run(test())


def test_shutdown_among_broken_peers() -> None:
    """Heads and frames cut in half, pages being made, peers that read nothing: shutdown leaves no socket."""

    def sockets() -> list[socket.socket]:
        gc.collect()
        return [one for one in gc.get_objects() if isinstance(one, socket.socket) and one.fileno() >= 0]

    before = sockets()

    async def test() -> None:
        async def slow_page(ws: ServerConnection, request: wslab.Request) -> None:
            if request.path == "/slow":
                begun.set()
                await asyncio.sleep(60)

        begun = asyncio.Event()

        async with wslab.serve(until_closed, close_timeout=0.2, process_request=slow_page) as server:
            pairs = [await opened(server) for _ in range(4)]
            pairs[0][1].write(wire(0x81, b"x")[:-1])
            pairs[1][1].write(wire(0x01, b"x"))
            pairs[2][1].write(b"\xff" * 10)
            for data in (b"", b"GET / HT", UPGRADE, UPGRADE.replace(b"GET /", b"GET /slow") + b"\r\n"):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(data)
                pairs.append((reader, writer))
            await begun.wait()
            while len(server.accepted) < len(pairs):
                await asyncio.sleep(0.01)
        assert not server.accepted
        assert not server.connections
        for reader, writer in pairs:
            with contextlib.suppress(ConnectionError):
                await reader.read()  # ends, since the server's socket is gone
            writer.close()

    run(test())
    assert not [one for one in sockets() if one not in before]


def test_no_exception_escapes(caplog: pytest.LogCaptureFixture) -> None:
    """Every fault of a peer at once, and neither the log nor the event loop has anything to report."""

    async def test() -> None:
        escaped: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
        faults = [
            wire(0x81, b"\xff"),
            wire(0xFF),
            wire(0x80),
            wire(0x81, b"x", masked=False),
            wire(0x88, b"\x03"),
            wire(0x88, b"\x03\xed"),
            b"\x81\xff" + b"\xff" * 8,
            wire(0x89, b"x") * 100,
        ]
        async with wslab.serve(echo) as server, wslab.connect(uri(server)) as bystander:
            for fault in faults:
                for behind in (b"", wire(0x81, b"Hello"), wire(0x88, b"\x03\xe8")):
                    for leave in (True, False):
                        reader, writer = await opened(server)
                        writer.write(fault + behind)
                        if not leave:
                            writer.write_eof()
                            await reader.read()
                        writer.transport.abort()
            await assert_alive(bystander)
            while len(server.connections) > 1:
                await asyncio.sleep(0)
        gc.collect()  # a future whose exception nobody took reports it now
        await asyncio.sleep(0)
        assert not escaped

    run(test())
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_head_that_arrives_in_the_turn_of_the_shutdown() -> None:
    async def test() -> None:
        async def page(ws: ServerConnection, request: Any) -> None:
            await asyncio.sleep(60)

        async with wslab.serve(until_closed, close_timeout=0.2, process_request=page) as server:
            peer = socket.create_connection(("127.0.0.1", server.port))
            while not server.accepted:
                await asyncio.sleep(0)
            await asyncio.sleep(0.01)
            peer.sendall(UPGRADE + b"\r\n")
        peer.close()

    run(test())
