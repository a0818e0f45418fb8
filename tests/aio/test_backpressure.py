"""A reader or a writer that is slow: what waits, and what is bounded."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from typing import Any

import pytest

import wslab
from tests.support.aio import (
    assert_alive,
    echo,
    opened,
    run,
    until_closed,
    uri,
    wire,
)
from wslab import (
    Connection,
    ServerConnection,
)


@pytest.mark.parametrize("answers", [("answer to one", "answer to two"), ("", "")])
def test_broadcast_stays_behind_the_answer_that_waits(answers: tuple[str, str]) -> None:
    """The first of several answers waits for the others; what is broadcast meanwhile comes later."""

    async def handler(ws: ServerConnection) -> None:
        for answer in answers:
            await ws.recv()
            await ws.send(answer)
            wslab.broadcast([ws], f"news after {answer!r}")
        await ws.wait_closed()

    async def test() -> None:
        async with wslab.serve(handler) as server:
            reader, writer = await opened(server)
            writer.write(wire(0x81, b"one") + wire(0x81, b"two"))
            expected = [text for answer in answers for text in (answer, f"news after {answer!r}")]
            received = Connection("client")
            messages: list[Any] = []
            while len(messages) < 4:
                messages += received.receive_data(await reader.read(2**16))
            assert messages == expected
            writer.close()

    run(test())


def test_empty_messages_that_nobody_receives_stop_the_sender() -> None:
    """A message of no bytes takes memory as well."""

    async def test() -> None:
        async with wslab.serve(until_closed, close_timeout=0.1) as server:
            _, writer = await opened(server)
            (ws,) = server.connections
            empty, written = (b"\x82\x80" + bytes(4)) * 10_000, 0
            while writer.transport.get_write_buffer_size() < 2**20 and written < 2**27:
                writer.write(empty)
                written += len(empty)
                for _ in range(5):
                    await asyncio.sleep(0)
            assert written < 2**27
            assert ws.ready_state == 1
            writer.transport.abort()

    run(test())


def test_sender_without_a_pause_hears_that_tcp_is_gone() -> None:
    """Nothing makes send() wait then: without a turn for the event loop, it would send for ever."""

    async def test() -> None:
        sent: list[int] = []

        async def flood(ws: ServerConnection) -> None:
            ws.abort()
            with contextlib.suppress(wslab.ConnectionClosed):
                while len(sent) < 1000:
                    await ws.send(b"x")
                    sent.append(1)
            assert ws.close_code == 1006

        async with wslab.serve(flood) as server:
            _, writer = await opened(server)
            while server.connections:
                await asyncio.sleep(0.01)
            writer.close()
        assert not sent

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
        wslab.apply_mask(bytes(1000), bytes(4))  # loads numpy, which takes more than is allowed below
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


def test_a_pong_counts_as_long_as_its_frame_while_the_peer_does_not_read() -> None:
    async def test() -> None:
        async with wslab.serve(until_closed) as server, wslab.connect(uri(server), ping_interval=None) as ws:
            (peer,) = server.connections
            pings = wire(0x89) + wire(0x89, b"Hello")
            for congested in (False, True):
                if congested:
                    peer.pause_writing()
                peer._receive(peer._connection, pings)  # type: ignore[arg-type]
                pongs = wire(0x8A, masked=False) + wire(0x8A, b"Hello", masked=False)
                assert peer._pongs == (len(pongs) if congested else 0)
            peer.resume_writing()
            assert peer._pongs == 0
            await ws.close()

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
