"""How a connection ends: the closing handshake, TCP's end, and what each side then knows."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wslab
from tests.support.aio import (
    UPGRADE,
    answering,
    assert_alive,
    echo,
    nothing_escapes,
    opened,
    raw,
    run,
    timers,
    uri,
    wire,
)
from wslab import (
    Connection,
    ConnectionClosed,
    ConnectionClosedOK,
    ReadyState,
    ServerConnection,
)


class TestClosing:
    def test_handler_returns(self) -> None:
        async def test() -> None:
            async def handler(ws: ServerConnection) -> None:
                await ws.send("bye")

            async with wslab.serve(handler) as server, wslab.connect(uri(server)) as ws:
                assert [message async for message in ws] == ["bye"]
                assert (ws.close_code, ws.ready_state) == (1000, ReadyState.CLOSED)
                with pytest.raises(wslab.ConnectionClosedOK):
                    await ws.recv()
                with pytest.raises(ConnectionClosed):
                    await ws.send("x")

        run(test())

    def test_handler_raises(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            async def handler(ws: ServerConnection) -> None:
                raise ZeroDivisionError

            async with wslab.serve(handler) as server, wslab.connect(uri(server)) as ws:
                with pytest.raises(wslab.ConnectionClosedError) as closed:
                    await ws.recv()
                assert closed.value.code == 1011

        run(test())
        assert [record.name for record in caplog.records if record.levelno >= logging.ERROR] == ["wslab"]

    def test_codes_and_reasons(self) -> None:
        async def test() -> None:
            async def handler(ws: ServerConnection) -> None:
                await ws.close(4001, "µ")

            async with wslab.serve(handler) as server, wslab.connect(uri(server)) as ws:
                with pytest.raises(ConnectionClosed) as closed:
                    await ws.recv()
                assert (closed.value.code, closed.value.reason) == (4001, "µ")
                assert (ws.close_code, ws.close_reason) == (4001, "µ")

        run(test())

    @pytest.mark.parametrize("code", [1005, 1006, 1015, 999])
    def test_codes_that_never_travel(self, code: int) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server)) as ws:
                with pytest.raises(ValueError, match=str(code)):
                    await ws.close(code)

        run(test())

    def test_server_ends_tcp_first(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server:
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(UPGRADE + b"\r\n" + b"\x88\x82" + bytes(4) + b"\x03\xe8")
                assert (await reader.read()).endswith(b"\x88\x02\x03\xe8")  # then TCP ended, our half is open
                writer.close()

        run(test())

    @pytest.mark.parametrize("pause", [False, True])
    def test_messages_before_an_error_are_answered_before_it(self, pause: bool) -> None:
        async def test() -> None:
            async def slow_echo(ws: ServerConnection) -> None:
                async for message in ws:
                    if pause:
                        await asyncio.sleep(0.02)
                    await ws.send(message)

            async with wslab.serve(slow_echo) as server:
                hello = b"\x81\x85" + bytes(4) + b"Hello"
                answer = await raw(server, UPGRADE + b"\r\n" + hello * 3 + b"\xff\xff")
            frames = answer.partition(b"\r\n\r\n")[2]
            assert frames[:21] == b"\x81\x05Hello" * 3
            assert frames[21:22] + frames[23:25] == b"\x88\x03\xea"

        run(test())

    def test_close_is_answered_though_nobody_receives(self) -> None:
        async def test() -> None:
            async def ticking(ws: ServerConnection) -> None:
                while True:
                    await ws.send("tick")
                    await asyncio.sleep(0.01)

            async with wslab.serve(ticking) as server:
                ws = await wslab.connect(uri(server))
                await ws.send("never read")
                await ws.recv()
                await ws.close()
                assert ws.close_code == 1000

        run(test())

    def test_close_is_answered_at_once_where_no_message_was_ever_taken(self) -> None:
        async def test() -> None:
            async def greet(ws: ServerConnection) -> None:
                await ws.send("never read")
                await ws.wait_closed()

            async with wslab.serve(greet) as server:
                clients = [await wslab.connect(uri(server)) for _ in range(20)]
                for ws in clients:
                    await ws.send("never read either")
                    await ws.close()
                    assert ws.close_code == 1000

        run(test(), seconds=10)  # a second for each would be too long

    def test_peer_that_never_answers_close(self) -> None:
        async def test() -> None:
            async def handler(ws: ServerConnection) -> None:
                await ws.close()
                assert ws.close_code == 1006

            async with wslab.serve(handler, close_timeout=0.1) as server:
                assert (await raw(server, UPGRADE + b"\r\n")).endswith(b"\x88\x02\x03\xe8")

        run(test(), seconds=5)

    def test_who_sends_after_a_close_hears_how_it_ended(self) -> None:
        """Not before: until TCP has ended, the peer may still say something else."""

        async def test() -> None:
            endings: list[ConnectionClosed] = []

            async def until_over(sending: Callable[[], Awaitable[object]]) -> None:
                try:
                    while True:
                        await sending()
                        await asyncio.sleep(0)
                except ConnectionClosed as closed:
                    endings.append(closed)

            async def handler(ws: ServerConnection) -> None:
                tasks = [asyncio.ensure_future(until_over(say)) for say in (lambda: ws.send("x"), ws.ping)]
                await ws.recv()
                await ws.close(1000)
                await asyncio.wait(tasks)

            async with wslab.serve(handler) as server, wslab.connect(uri(server)) as ws:
                await ws.send("close, please")
                async for _ in ws:
                    pass
            assert [(type(ending), ending.code) for ending in endings] == [(ConnectionClosedOK, 1000)] * 2

        run(test())


# -- connections --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("half_close", [False, True])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        wire(0x81, b"x")[:-1],
        wire(0x88)[:3],
        wire(0x01, b"x"),
        wire(0x88, b"\x03\xe8") * 1000,
        wire(0x88, b"\x03\xe8") + wire(0x81, b"x") * 1000,
        wire(0x89, b"x") * 1000,
        wire(0x81, b"\xff"),
        b"\xff" * 1000,
    ],
)
def test_peer_that_leaves(data: bytes, half_close: bool) -> None:
    """With a FIN or a RST, in the middle of anything: the handler ends, nothing is left, others go on."""

    async def test() -> None:
        ended = asyncio.Event()

        async def handler(ws: ServerConnection) -> None:
            try:
                await echo(ws)
            finally:
                if ws.request and ws.request.path == "/":
                    ended.set()

        async with wslab.serve(handler) as server, wslab.connect(uri(server, "/other")) as bystander:
            reader, writer = await opened(server)
            writer.write(data)
            if half_close:
                writer.write_eof()
                await reader.read()  # the server ends its half, too
            else:
                await asyncio.sleep(0)
                writer.transport.abort()
            await ended.wait()
            writer.close()
            await assert_alive(bystander)
            while len(server.connections) > 1:
                await asyncio.sleep(0)

    run(test())


def test_half_closed_peer_gets_its_answers() -> None:
    async def test() -> None:
        async def slow_echo(ws: ServerConnection) -> None:
            async for message in ws:
                await asyncio.sleep(0.02)  # the FIN is there before the answer
                await ws.send(message)

        async with wslab.serve(slow_echo) as server:
            reader, writer = await opened(server)
            writer.write(wire(0x81, b"a") + wire(0x81, b"b"))
            writer.write_eof()
            assert (await reader.read()).startswith(b"\x81\x01a\x81\x01b")
            writer.close()

    run(test())


def test_close_goes_on_waiting_for_the_answer_to_a_message_taken_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Taken while the Close was held already: from then on there is time for an answer."""
    monkeypatch.setattr("wslab.aio.link.NEVER_TOOK_TIME", 0.01)
    monkeypatch.setattr("wslab.aio.link.ANSWER_TIME", 30.0)

    async def test() -> None:
        async def late(ws: ServerConnection) -> None:
            while not ws._holding:
                await asyncio.sleep(0)
            first = ws._holding
            message = await ws.recv()
            while ws._holding is first:
                await asyncio.sleep(0)
            await ws.send(message)

        async with wslab.serve(late) as server:
            reader, writer = await opened(server)
            writer.write(wire(0x81, b"x") + wire(0x88, b"\x03\xe8"))
            assert await reader.read() == b"\x81\x01x\x88\x02\x03\xe8"
            writer.close()

    run(test())


def test_server_ends_only_its_half_of_tcp() -> None:
    """§7.1.1: were the socket closed, bytes on their way would reset it, and the Close could be lost."""

    async def test() -> None:
        async with wslab.serve(echo) as server:
            reader, writer = await opened(server)
            writer.write(wire(0x88, b"\x03\xe8"))
            assert await reader.read() == b"\x88\x02\x03\xe8"
            for _ in range(20):
                writer.write(wire(0x81, b"too late"))
                await asyncio.sleep(0)
            assert len(server.connections) == 1  # until the peer has ended its half
            writer.close()
            await writer.wait_closed()
            while server.connections:
                await asyncio.sleep(0)

    run(test())


def test_peer_that_talks_on_and_never_answers_close() -> None:
    """close_timeout holds however lively the peer is, and what it says is not kept."""

    async def test() -> None:
        endings: list[int | None] = []
        kept: list[str | bytes] = []

        async def handler(ws: ServerConnection) -> None:
            await ws.close()
            endings.append(ws.close_code)
            with contextlib.suppress(wslab.ConnectionClosed):
                kept.append(await ws.recv())

        async with wslab.serve(handler, close_timeout=0.2) as server:
            reader, writer = await opened(server)
            with contextlib.suppress(ConnectionError):
                while not reader.at_eof():
                    writer.write(wire(0x81, b"and another thing") * 100)
                    await writer.drain()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(100), 0.01)
            writer.close()
            while server.connections:
                await asyncio.sleep(0.01)
        assert (endings, kept) == ([1006], [])

    run(test())


def test_peer_that_never_answers_the_close_of_a_client() -> None:
    head = (
        b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n"
    )

    async def test() -> None:
        async with answering(head) as address:
            ws = await wslab.connect(address, close_timeout=0.1)
            await ws.close()
            assert ws.close_code == 1006

    run(test())


def test_close_that_cannot_be_written_is_given_up() -> None:
    """A peer that reads nothing, not even the Close, keeps nobody longer than close_timeout."""

    async def test() -> None:
        async def flood(ws: ServerConnection) -> None:
            with contextlib.suppress(TimeoutError):
                while True:
                    await asyncio.wait_for(ws.send(bytes(2**18)), 0.2)

        async with wslab.serve(flood, close_timeout=0.2, ping_interval=None) as server:
            _, writer = await opened(server)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            while server.connections:
                await asyncio.sleep(0.01)
            writer.transport.abort()

    run(test())


def test_peer_that_closes_and_leaves_while_the_handler_answers() -> None:
    async def test() -> None:
        async def slow(ws: ServerConnection) -> None:
            await ws.recv()
            await asyncio.sleep(0.05)

        async with nothing_escapes(), wslab.serve(slow) as server:
            for _ in range(5):
                _, writer = await opened(server)
                writer.write(wire(0x81, b"x") + wire(0x88, b"\x03\xe8"))
                await asyncio.sleep(0.02)
                writer.transport.abort()
            while server.accepted:
                await asyncio.sleep(0.01)

    run(test())


def test_handler_that_ends_with_the_end_of_another_connection() -> None:
    async def test() -> None:
        async def other(ws: ServerConnection) -> None:
            await ws.close(1011)

        async with wslab.serve(other) as upstream:

            async def proxy(ws: ServerConnection) -> None:
                async with wslab.connect(uri(upstream)) as up:
                    await up.recv()

            async with wslab.serve(proxy, close_timeout=0.5) as server, wslab.connect(uri(server)) as ws:
                with pytest.raises(wslab.ConnectionClosed):
                    await asyncio.wait_for(ws.recv(), 5)

    run(test())


def test_handler_that_is_cancelled() -> None:
    async def test() -> None:
        async def handler(ws: ServerConnection) -> None:
            child = asyncio.ensure_future(asyncio.sleep(60))
            child.cancel()
            await child

        async with wslab.serve(handler, close_timeout=0.5) as server, wslab.connect(uri(server)) as ws:
            with pytest.raises(wslab.ConnectionClosed):
                await asyncio.wait_for(ws.recv(), 5)

    run(test())


def test_failure_behind_a_close_keeps_the_code_that_was_received() -> None:
    """§7.1.5: a Close came first, then the heartbeat gives up while its answer waits."""
    server = Connection("server")
    server.receive_data(wire(0x88, b"\x0b\xb9"))
    server.fail(1011, "no pong")
    assert (server.close_code, server.failure) == (3001, None)


def test_peer_that_ends_its_half_and_reads_nothing() -> None:
    """What waits for it is written as long as close_timeout, with or without a heartbeat."""

    async def test() -> None:
        over = asyncio.Event()

        async def flood(ws: ServerConnection) -> None:
            with contextlib.suppress(wslab.ConnectionClosed):
                while True:
                    await ws.send(bytes(2**16))
            assert ws.close_code == 1006
            over.set()

        async with wslab.serve(flood, ping_interval=None, close_timeout=0.2) as server:
            _, writer = await opened(server)
            (ws,) = server.connections
            while not ws._congested:
                await asyncio.sleep(0)
            writer.write_eof()
            await over.wait()
            writer.transport.abort()

    run(test(), seconds=5)


def test_handler_that_the_application_cancels_closes_its_connection() -> None:
    async def test() -> None:
        handlers = []

        async def handler(ws: ServerConnection) -> None:
            handlers.append(asyncio.current_task())
            await ws.wait_closed()

        async with wslab.serve(handler) as server, wslab.connect(uri(server)) as ws:
            assert handlers[0] is not None
            handlers[0].cancel()
            await ws.wait_closed()
            assert ws.close_code == 1011

    run(test(), seconds=5)


def test_no_timer_is_left_on_a_connection_that_is_over() -> None:
    async def test() -> None:
        async def late(ws: ServerConnection) -> None:
            await ws.recv()
            await asyncio.sleep(0.05)
            with contextlib.suppress(wslab.ConnectionClosed):
                await ws.send("too late")

        async with wslab.serve(late, ping_interval=None) as server:
            before = timers()
            for _ in range(5):
                _, writer = await opened(server)
                writer.write(wire(0x81, b"Hello"))
                writer.write_eof()
                await asyncio.sleep(0.01)
                linger = struct.pack("ii", 1, 0)  # the end is a reset
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
            while server.accepted or server._tasks:
                await asyncio.sleep(0.01)
            assert timers() == before

    run(test())


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
