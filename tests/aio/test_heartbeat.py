"""Pings, pongs and the peer that is given up, or is not."""

from __future__ import annotations

import asyncio
import time

import pytest

import wslab
from tests.support.aio import MASK, UPGRADE, echo, opened, raw, run, until_closed, uri, wire
from wslab import (
    ClientConnection,
    ConnectionClosed,
    ServerConnection,
)
from wslab.aio.heartbeat import Heartbeat
from wslab.aio.inbox import OVERHEAD
from wslab.aio.link import INBOX_LIMIT, PONGS
from wslab.lab import Tap


class TestPing:
    def test_latency(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server)) as ws:
                latency = await ws.ping()
                assert 0 < latency < 30
                assert await latency == latency == ws.latency
                (other_end,) = server.connections
                assert await other_end.ping(b"payload") > 0

        run(test())

    def test_is_answered_while_the_handler_does_not_receive(self) -> None:
        async def test() -> None:
            async with wslab.serve(until_closed) as server, wslab.connect(uri(server)) as ws:
                for _ in range(100):
                    await ws.send("unread")
                assert await ws.ping() > 0

        run(test())

    def test_payloads(self) -> None:
        async def test() -> None:
            async with wslab.serve(until_closed) as server, wslab.connect(uri(server)) as ws:
                for payload in (None, b"", b"x" * 125, "µ" * 62, bytearray(b"y"), memoryview(b"z")):
                    assert await ws.ping(payload) > 0
                for wrong in (b"x" * 126, "µ" * 63):
                    with pytest.raises(ValueError, match="126 bytes, limit 125"):
                        await ws.ping(wrong)

        run(test())

    def test_pong_that_nobody_asked_for_reaches_the_peer_and_is_not_answered(self) -> None:
        async def test() -> None:
            async with wslab.serve(until_closed, ping_interval=None) as server, Tap(server.port) as tap:
                ws = await wslab.connect(f"ws://127.0.0.1:{tap.port}/")
                await ws.pong("still here")
                await ws.pong()
                assert await ws.ping(b"after them") > 0
                await ws.close()
                with pytest.raises(ConnectionClosed):
                    await ws.pong()
            rows = [row for row in tap.conversation() if row.what in ("PING", "PONG")]
            assert [(row.sender, row.what) for row in rows] == [
                ("client", "PONG"),
                ("client", "PONG"),
                ("client", "PING"),
                ("server", "PONG"),
            ]
            assert "still here" in rows[0].meaning

        run(test())

    def test_waiter_hears_of_the_end(self) -> None:
        async def test() -> None:
            async with wslab.serve(until_closed, ping_interval=None) as server:
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(UPGRADE + b"\r\n")
                await reader.readuntil(b"\r\n\r\n")
                (ws,) = server.connections
                waiting = asyncio.ensure_future(ws.ping())
                await reader.readexactly(6)
                writer.close()
                with pytest.raises(ConnectionClosed, match="1006"):
                    await waiting

        run(test())

    def test_silent_peer_is_given_up(self) -> None:
        async def test() -> None:
            endings = []

            async def handler(ws: ServerConnection) -> None:
                with pytest.raises(ConnectionClosed) as closed:
                    await ws.recv()
                endings.append(str(closed.value))
                assert (ws.close_code, ws.failure) == (1006, closed.value.failure)

            async with wslab.serve(handler, ping_interval=0.05, ping_timeout=0.3) as server:
                answer = await raw(server, UPGRADE + b"\r\n")  # answers no ping
            assert endings == ["1006 (abnormal closure), given up with 1011: no pong within 0.3 s"]
            assert b"\x03\xf3no pong" in answer

        run(test(), seconds=3)

    def test_lively_peer_is_not_given_up(self) -> None:
        async def test() -> None:
            async with (
                wslab.serve(echo, ping_interval=0.01, ping_timeout=10) as server,
                wslab.connect(uri(server), ping_interval=0.01, ping_timeout=10) as ws,
            ):
                while not ws.latency:
                    await asyncio.sleep(0.01)
                await ws.send("still here")
                assert await ws.recv() == "still here"

        run(test())


def test_heartbeat_goes_on_until_a_pong_is_missing() -> None:
    async def test() -> None:
        async with wslab.serve(echo, ping_interval=0.02, ping_timeout=2) as server:
            reader, writer = await opened(server)
            for _ in range(4):
                header = await reader.readexactly(2)
                assert header[0] == 0x89
                writer.write(wire(0x8A, await reader.readexactly(header[1])))
            rest = await reader.read()  # one more ping, which is not answered, and the Close
            assert rest.count(b"\x89\x04") == 1
            assert rest[6] == 0x88
            assert rest[8:10] == (1011).to_bytes(2, "big")
            writer.close()

    run(test())


def test_peer_is_not_given_up_for_a_pong_that_nobody_reads() -> None:
    """While the handler holds the reading up, the pong waits behind messages that have not been read."""

    async def test() -> None:
        go_on = asyncio.Event()

        async def late(ws: ServerConnection) -> None:
            await go_on.wait()
            await echo(ws)

        async with wslab.serve(late, ping_interval=1, ping_timeout=0.1) as server:
            _, writer = await opened(server)
            flood = b"\x82\xff" + (2**20).to_bytes(8, "big") + MASK + bytes(2**20)
            writer.write(flood * 40)
            await asyncio.sleep(2)  # whoever gave up would have by now
            (ws,) = server.connections
            assert ws.ready_state == 1
            writer.transport.abort()
            go_on.set()

    run(test())


def test_pong_in_the_turn_in_which_the_timer_is_due() -> None:
    """A loop that was blocked finds both at once: the pong counts."""

    async def test() -> None:
        loop = asyncio.get_running_loop()
        given_up: list[str] = []

        def ping() -> asyncio.Future[float]:
            pong: asyncio.Future[float] = loop.create_future()
            loop.call_later(0.01, pong.set_result, 0.0)
            loop.call_soon(time.sleep, 0.1)
            answered.append(pong)
            return pong

        answered: list[asyncio.Future[float]] = []
        heartbeat = Heartbeat(0.001, 0.02, ping=ping, is_overdue=lambda: True, give_up=given_up.append)
        while len(answered) < 3:
            await asyncio.sleep(0)
        heartbeat.stop()
        assert given_up == []

    run(test())


def test_peer_whose_pongs_pile_up_is_given_up() -> None:
    """It is the peer that does not read, not the handler: the heartbeat does not wait for it."""

    async def test() -> None:
        async with wslab.serve(until_closed, ping_interval=0.1, ping_timeout=0.1) as server:
            _, writer = await opened(server)
            (ws,) = server.connections
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            while ws.ready_state == 1:
                if writer.transport.get_write_buffer_size() < 2**20:
                    writer.write((b"\x89\xfd" + bytes(4) + bytes(125)) * 1000)
                await asyncio.sleep(0)
            assert ws.failure
            assert ws.failure.code == 1011
            ws.abort()
            writer.transport.abort()

    run(test())


async def feed_until_it_reads_no_more(ws: ClientConnection, peer: ServerConnection) -> None:
    """Send more than the peer's inbox holds; the last send may wait for it, and is given up."""

    async def feed() -> None:
        while True:
            await ws.send(bytes(2**18))

    feeding = asyncio.create_task(feed())
    while peer._reading:
        await asyncio.sleep(0)
    feeding.cancel()
    await asyncio.wait([feeding])


async def take_until_it_reads(peer: ServerConnection) -> None:
    """Take what has arrived until the reading goes on, perhaps a turn of the loop after the last message."""
    while not peer._reading:
        await (peer.recv() if peer._inbox.messages else asyncio.sleep(0))


def test_pong_that_waits_while_the_receiver_holds_the_reading_up() -> None:
    """The reading goes on just before the timer is due: the pong is on its way, and gets one timeout more."""

    async def test() -> None:
        serving = wslab.serve(until_closed, ping_interval=None, close_timeout=0.5)
        async with serving as server, wslab.connect(uri(server), ping_interval=None, close_timeout=0.5) as ws:
            (peer,) = server.connections
            await feed_until_it_reads_no_more(ws, peer)
            assert not peer._pong_is_overdue()
            await take_until_it_reads(peer)
            assert not peer._pong_is_overdue()
            assert peer._pong_is_overdue()

    run(test())


def test_peer_that_sends_on_and_never_reads_is_given_up() -> None:
    """The handler waits for it, so nothing is received: that is the peer's fault, not the handler's."""

    async def test() -> None:
        async with wslab.serve(echo, ping_interval=0.1, ping_timeout=0.2, close_timeout=0.1) as server:
            _, writer = await opened(server)
            (ws,) = server.connections
            writer.write((b"\x82\xff" + (100_000).to_bytes(8, "big") + bytes(4) + bytes(100_000)) * 200)
            await ws.wait_closed()
            assert ws.failure == (1011, "no pong within 0.2 s")
            writer.transport.abort()

    run(test(), seconds=10)


def test_peer_that_reads_is_alive_though_its_pong_is_held_up() -> None:
    """A feed keeps the write buffer full, and a slow receiver the inbox: the peer takes what it gets."""

    async def test() -> None:
        serving = wslab.serve(until_closed, ping_interval=None, close_timeout=0.5)
        async with serving as server, wslab.connect(uri(server), close_timeout=0.5) as ws:
            (peer,) = server.connections
            peer._pong_is_overdue()
            await feed_until_it_reads_no_more(ws, peer)
            peer.pause_writing()
            peer._pong_is_overdue()
            peer.resume_writing()  # the peer has read
            peer.pause_writing()
            assert not peer._pong_is_overdue()
            assert peer._pong_is_overdue()  # and has read nothing since
            peer.resume_writing()
            await take_until_it_reads(peer)

    run(test())


def test_pongs_that_pile_up_beside_a_full_inbox_are_the_fault_of_the_peer() -> None:
    """An inbox at its limit stops no reading; the pongs do, since the peer reads none."""

    async def test() -> None:
        serving = wslab.serve(until_closed, ping_interval=None, close_timeout=0.5)
        async with serving as server, wslab.connect(uri(server), ping_interval=None) as ws:
            (peer,) = server.connections
            peer._inbox.put(bytes(INBOX_LIMIT - OVERHEAD))
            peer.pause_writing()
            peer._update_reading()
            assert peer._reading
            peer._pongs = PONGS + 1
            peer._update_reading()
            assert not peer._reading
            assert peer._pong_is_overdue()
            peer.resume_writing()
            await peer.recv()
            await ws.close()

    run(test())
