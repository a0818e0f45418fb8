"""Peers that are hostile or unlucky: each has its bound, and none disturbs another connection."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wslab
from tests.aio.test_aio import UPGRADE, echo, raw, run, until_closed, uri
from wslab import ServerConnection


async def opened(server: wslab.Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(UPGRADE + b"\r\n")
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def assert_alive(ws: wslab.ClientConnection) -> None:
    await ws.send("still here")
    assert await ws.recv() == "still here"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(st.binary(max_size=100), max_size=4), max_size=8), st.booleans())
def test_any_bytes(peers: list[list[bytes]], open_first: bool) -> None:
    async def test() -> None:
        async with wslab.serve(echo) as server, wslab.connect(uri(server)) as bystander:
            for pieces in peers:
                _, writer = (
                    await opened(server)
                    if open_first
                    else await asyncio.open_connection("127.0.0.1", server.port)
                )
                for piece in pieces:
                    writer.write(piece)
                    await asyncio.sleep(0)
                writer.close()
            await assert_alive(bystander)

    run(test())


def test_slow_loris() -> None:
    """A head that comes byte by byte has open_timeout, however lively it is."""

    async def test() -> None:
        async with wslab.serve(echo, open_timeout=0.2) as server, wslab.connect(uri(server)) as bystander:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET / HTTP/1.1\r\nX-Long: ")
            while not reader.at_eof():
                writer.write(b"x")
                with contextlib.suppress(TimeoutError, ConnectionError):
                    assert await asyncio.wait_for(reader.read(), 0.02) == b""
            writer.close()
            await assert_alive(bystander)

    run(test(), seconds=5)


def test_endless_head() -> None:
    async def test() -> None:
        async with wslab.serve(echo) as server:
            answer = await raw(server, b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"x" * 100_000)
            assert answer.startswith(b"HTTP/1.1 4")

    run(test())


def test_half_a_frame_and_silence() -> None:
    async def test() -> None:
        async with wslab.serve(echo, ping_interval=0.05, ping_timeout=0.1) as server:
            reader, writer = await opened(server)
            writer.write(b"\x81\xfe\xff")
            assert b"no pong" in await reader.read()
            writer.close()

    run(test(), seconds=5)


def test_announced_length_is_not_allocated() -> None:
    async def test() -> None:
        async with wslab.serve(echo, max_size=2**40) as server:
            tracemalloc.start()
            for first in (b"\x81", b"\x82"):
                _, writer = await opened(server)
                writer.write(first + b"\xff" + (2**39).to_bytes(8, "big") + bytes(4) + b"x" * 1000)
                await writer.drain()
                writer.close()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 2**22

    run(test())


def test_peer_that_never_reads() -> None:
    """send() waits; what is kept for the peer is bounded; others are served."""

    async def test() -> None:
        sent = []

        async def flood(ws: ServerConnection) -> None:
            if ws.request and ws.request.path == "/echo":
                await echo(ws)
            while True:
                await ws.send(bytes(2**16))
                sent.append(2**16)

        async with (
            wslab.serve(flood, close_timeout=0.1) as server,
            wslab.connect(uri(server, "/echo")) as other,
        ):
            _, writer = await opened(server)
            before = -1
            while len(sent) != before:  # until the handler waits
                before = len(sent)
                for _ in range(20):
                    await asyncio.sleep(0)
                await assert_alive(other)
            assert sum(sent) < 2**26
            writer.close()

    run(test())


def test_pings_of_a_peer_that_never_reads() -> None:
    """The pongs that pile up stop the reading."""

    async def test() -> None:
        async with wslab.serve(until_closed, close_timeout=0.1) as server:
            _, writer = await opened(server)
            (ws,) = server.connections
            pings = (b"\x89\xfd" + bytes(4) + bytes(125)) * 1000
            written = 0
            while writer.transport.get_write_buffer_size() < 2**22 and written < 2**28:  # 4 MiB are stuck
                writer.write(pings)
                written += len(pings)
                for _ in range(5):
                    await asyncio.sleep(0)
            assert written < 2**28
            assert ws.ready_state == 1
            writer.transport.abort()

    run(test())


def test_messages_that_nobody_receives_stop_the_sender() -> None:
    async def test() -> None:
        async with wslab.serve(until_closed, close_timeout=0.1) as server:
            ws = await wslab.connect(uri(server), close_timeout=0.1)
            sent = 0
            with contextlib.suppress(TimeoutError):
                while sent < 2**26:
                    await asyncio.wait_for(ws.send(bytes(2**16)), 0.5)
                    sent += 2**16
            assert 0 < sent < 2**26

    run(test())


def test_stopped_receiver_goes_on() -> None:
    """Everything that was held up arrives when the handler receives again."""

    async def test() -> None:
        go_on = asyncio.Event()
        received = []

        async def late(ws: ServerConnection) -> None:
            await go_on.wait()
            received.extend([len(message) async for message in ws])

        async with wslab.serve(late) as server, wslab.connect(uri(server)) as ws:

            async def send_all() -> None:
                for _ in range(300):
                    await ws.send(bytes(2**16))

            sending = asyncio.ensure_future(send_all())
            for _ in range(50):
                await asyncio.sleep(0)
            go_on.set()
            await sending
            await ws.close()
        assert received == [2**16] * 300

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
