"""What a connection costs in memory, and that it is given back."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import weakref

import pytest

import wslab
from tests.support.aio import (
    UPGRADE,
    assert_alive,
    echo,
    opened,
    run,
    uri,
)
from wslab import (
    ServerConnection,
)


class TestMemory:
    def test_idle_connection(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server:
                streams = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(120)]
                for _, writer in streams[:20]:
                    writer.write(UPGRADE + b"\r\n")
                for reader, _ in streams[:20]:
                    await reader.readuntil(b"\r\n\r\n")
                gc.collect()
                tracemalloc.start()
                for _, writer in streams[20:]:
                    writer.write(UPGRADE + b"\r\n")
                for reader, _ in streams[20:]:
                    await reader.readuntil(b"\r\n\r\n")
                gc.collect()
                used = tracemalloc.get_traced_memory()[0]
                tracemalloc.stop()
                assert len(server.connections) == 120
                assert used < 100 * 20 * 1024
                for _, writer in streams:
                    writer.close()

        run(test())

    @pytest.mark.parametrize("first", [b"\x81", b"\x82"])
    def test_long_message(self, first: bytes) -> None:
        async def test() -> None:
            size = 2**24

            async def swallow(ws: ServerConnection) -> None:
                assert len(await ws.recv()) == size
                peak.append(tracemalloc.get_traced_memory()[1])

            peak: list[int] = []
            async with wslab.serve(swallow, max_size=size) as server:
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(UPGRADE + b"\r\n" + first + b"\xff" + size.to_bytes(8, "big") + bytes(4))
                tracemalloc.start()
                for _ in range(256):
                    writer.write(bytes(size // 256))
                    await writer.drain()
                await reader.readuntil(b"\x88\x02\x03\xe8")
                tracemalloc.stop()
                writer.close()
            assert 0 < peak[0] < 3 * size

        run(test())

    def test_long_answer_to_a_peer_that_reads_late(self) -> None:
        """The message, its frame, and what the transport keeps of it: not one copy more."""

        async def test() -> None:
            size = 2**24
            message = bytes(size)

            async def answer(ws: ServerConnection) -> None:
                await ws.recv()
                tracemalloc.start()
                await ws.send(message)
                peak.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.stop()

            peak: list[int] = []
            async with wslab.serve(answer) as server:
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**10)
                writer.write(UPGRADE + b"\r\n" + b"\x81\x80" + bytes(4))
                await asyncio.sleep(0.2)
                await reader.readuntil(b"\r\n\r\n\x82\x7f" + size.to_bytes(8, "big"))
                await reader.readexactly(size)
                writer.close()
            assert size < peak[0] < 2.2 * size

        run(test())


def test_connection_that_was_dropped_is_forgotten() -> None:
    """No timer keeps it in memory, though its next ping was due in an hour."""

    async def test() -> None:
        async with wslab.serve(echo, ping_interval=3600) as server:
            _, writer = await opened(server)
            (end,) = map(weakref.ref, server.connections)
            writer.transport.abort()
            while server.accepted:
                await asyncio.sleep(0)
            for _ in range(10):
                await asyncio.sleep(0)
            gc.collect()
            assert end() is None

    run(test())


def test_thousand_connections_opened_and_dropped() -> None:
    async def test() -> None:
        async with wslab.serve(echo) as server, wslab.connect(uri(server)) as bystander:
            for _ in range(20):
                streams = await asyncio.gather(*(opened(server) for _ in range(50)))
                for _, writer in streams:
                    writer.transport.abort()
            await assert_alive(bystander)
            while len(server.connections) > 1:
                await asyncio.sleep(0)

    run(test())
