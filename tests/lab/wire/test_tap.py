"""The tap relays every byte, records it, and makes the network misbehave only when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wslab.lab.dissector.stream import Sender
from wslab.lab.wire.tap import Tap

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
LIMIT = 20.0  # seconds after which a test has failed


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(LIMIT):
            await work

    asyncio.run(bounded())


@contextlib.asynccontextmanager
async def plumbed(
    **settings: Any,
) -> AsyncIterator[tuple[Tap, Callable[[], Awaitable[tuple[Streams, Streams]]]]]:
    """Give a tap before a raw TCP server, and a function that opens a connection and returns both ends."""
    arrived: asyncio.Queue[Streams] = asyncio.Queue()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await arrived.put((reader, writer))

    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> tuple[Streams, Streams]:
        client = await asyncio.open_connection("127.0.0.1", tap.port)
        accepted = await arrived.get()
        writers.extend([client[1], accepted[1]])
        return client, accepted

    async with Tap(server.sockets[0].getsockname()[1], **settings) as tap:
        yield tap, connect
    for writer in writers:
        writer.close()
    server.close()


def events(tap: Tap) -> list[str]:
    return [row.what for row in tap.conversation(tcp=True) if row.kind in ("tcp", "tap")]


# -- not one byte altered ----------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.binary(max_size=3000), max_size=5), st.lists(st.binary(max_size=3000), max_size=5))
def test_bytes_pass_unaltered_both_ways(up: list[bytes], down: list[bytes]) -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            client, server = await connect()
            for side, parts in ((client, up), (server, down)):
                for part in parts:
                    side[1].write(part)
                side[1].write_eof()
            assert await server[0].read() == b"".join(up)
            assert await client[0].read() == b"".join(down)
            await tap.closed()
            sent = {
                side: b"".join(p.data for p in tap._recording.passages if p.sender == side)
                for side in ("client", "server")
            }
            assert sent == {"client": b"".join(up), "server": b"".join(down)}

    run(talk())


@pytest.mark.parametrize("delay", [0.0, 0.02])
def test_a_large_transfer_keeps_its_order_and_is_bounded_on_the_way(delay: float) -> None:
    data = bytes(range(256)) * 2**15  # 8 MiB

    async def talk() -> None:
        async with plumbed(delay=delay, limit=0) as (tap, connect):
            client, server = await connect()
            client[1].write(data)
            client[1].write_eof()
            received = await server[0].read()
            assert received == data
            assert tap.counts().client.bytes == len(data)

    run(talk())


def test_a_reader_that_does_not_read_stops_the_sender() -> None:
    async def talk() -> None:
        async with plumbed(limit=0) as (tap, connect):
            client, server = await connect()
            server[1].transport.pause_reading()  # type: ignore[attr-defined]
            client[1].transport.set_write_buffer_limits(0)
            client[1].write(bytes(64 * 2**20))
            before = -1
            while (passed := tap.counts().client.bytes) != before:
                before = passed
                for _ in range(200):
                    await asyncio.sleep(0)
            assert 0 < passed < 48 * 2**20
            assert client[1].transport.get_write_buffer_size() > 0

    run(talk())


# -- how a connection ends ----------------------------------------------------------------------------------


def test_a_half_close_leaves_the_other_direction_open() -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            client, server = await connect()
            server[1].write_eof()
            assert await client[0].read() == b""
            client[1].write(b"still here")
            assert await server[0].readexactly(10) == b"still here"
            client[1].close()
            assert await server[0].read() == b""
            await tap.closed()
            assert events(tap) == ["SYN", "FIN", "FIN"]
            ends = [row.sender for row in tap.conversation(tcp=True) if row.what == "FIN"]
            assert ends == ["server", "client"]

    run(talk())


def reset(streams: Streams) -> None:
    from wslab.lab.wire.relay import linger_zero

    linger_zero(streams[1].transport)
    streams[1].transport.abort()


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_is_passed_on_as_a_reset(who: str) -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            client, server = await connect()
            first, other = (client, server) if who == "client" else (server, client)
            reset(first)
            with pytest.raises(ConnectionError):
                await other[0].read()
            await tap.closed()
            assert [(row.what, row.sender) for row in tap.conversation(tcp=True)][-1] == ("RST", who)

    run(talk())


def test_nobody_listens_behind_the_tap() -> None:
    async def talk() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            async with Tap(unused.getsockname()[1]) as tap:
                reader, writer = await asyncio.open_connection("127.0.0.1", tap.port)
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
                writer.close()
                await tap.closed()
                assert "nothing listens on the port behind the tap" in repr(tap.conversation())
                assert str(unused.getsockname()[1]) not in repr(tap.conversation())

    run(talk())


def test_stopping_leaves_no_task_and_no_socket() -> None:
    async def talk() -> None:
        async with plumbed(delay=30.0) as (tap, connect):
            client, _ = await connect()
            client[1].write(b"on the way for half a minute")
            await tap._recording.news()
            links = list(tap._relays)
            await tap.stop()
            assert links
            assert all(link.gone.is_set() for link in links)
            for link in links:
                for end in (link.client, link.server):
                    assert end._transport is not None
                    assert end._transport.get_extra_info("socket").fileno() == -1
            assert len(asyncio.all_tasks()) == 1
            with pytest.raises(RuntimeError, match="does not listen"):
                _ = tap.port

    run(talk())


@pytest.mark.parametrize("turns", range(8))
def test_stopping_in_the_middle_of_an_opening(turns: int) -> None:
    async def talk() -> None:
        async with plumbed() as (tap, _):
            loop = asyncio.get_running_loop()
            with socket.create_connection(("127.0.0.1", tap.port)):
                for _ in range(turns):
                    await asyncio.sleep(0)
                await tap.stop()
                while not all(link.gone.is_set() for link in tap._relays):
                    await asyncio.sleep(0)  # one that was just being accepted goes in the next turns
            assert not [task for task in asyncio.all_tasks(loop) if "relay" in repr(task)]

    run(talk())


def test_start_and_stop_over_several_cells() -> None:
    async def talk() -> None:
        tap = await Tap(9).start()
        assert 1 <= tap.port <= 65535
        with pytest.raises(RuntimeError, match="listens already"):
            await tap.start()
        await tap.stop()
        await tap.stop()

    run(talk())


# -- a network that misbehaves ------------------------------------------------------------------------------


def test_delay_is_added_in_both_directions() -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            client, server = await connect()
            tap.delay = 0.1
            clock = asyncio.get_running_loop().time
            began = clock()
            client[1].write(b"ping")
            await server[0].readexactly(4)
            half = clock()
            server[1].write(b"pong")
            await client[0].readexactly(4)
            assert half - began > 0.09
            assert clock() - half > 0.09

    run(talk())


def test_delay_costs_no_throughput() -> None:
    """A hundred writes, each read before the next arrives, take one delay and not a hundred."""

    async def talk() -> None:
        async with plumbed(delay=0.1) as (tap, connect):
            client, server = await connect()
            clock = asyncio.get_running_loop().time
            began = clock()
            for number in range(100):
                client[1].write(b"%4d" % number)
                await tap._recording.news()
            received = await server[0].readexactly(400)
            assert received == b"".join(b"%4d" % number for number in range(100))
            assert clock() - began < 5.0  # a sleep for each would take 10 s

    run(talk())


def test_a_shorter_delay_does_not_overtake() -> None:
    async def talk() -> None:
        async with plumbed(delay=0.1) as (tap, connect):
            client, server = await connect()
            client[1].write(b"first ")
            await tap._recording.news()
            tap.delay = 0.0
            client[1].write(b"second")
            client[1].write_eof()
            assert await server[0].read() == b"first second"

    run(talk())


@pytest.mark.parametrize("side", ["client", "server"])
def test_throttle_spreads_bytes_over_time_and_can_be_lifted(side: Sender) -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            client, server = await connect()
            (slow, other) = (client, server) if side == "client" else (server, client)
            tap.throttle(10_000, side)
            clock = asyncio.get_running_loop().time
            began = clock()
            slow[1].write(bytes(2000))
            await other[0].readexactly(2000)
            assert clock() - began > 0.18
            other[1].write(bytes(2_000_000))  # that direction is free: throttled, it would take minutes
            await slow[0].readexactly(2_000_000)
            slow[1].write(bytes(10_000_000))
            tap.throttle(None)
            await other[0].readexactly(10_000_000)

    run(talk())


def test_both_directions_are_throttled_without_a_name() -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            client, server = await connect()
            tap.throttle(10_000)
            clock = asyncio.get_running_loop().time
            for sender, receiver in ((client, server), (server, client)):
                began = clock()
                sender[1].write(bytes(2000))
                await receiver[0].readexactly(2000)
                assert clock() - began > 0.18

    run(talk())


def test_a_frozen_network_tells_nobody_and_thaws_without_loss() -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            client, server = await connect()
            tap.freeze()
            client[1].write(b"unheard")
            client[1].write_eof()
            server[1].write(b"unheard too")
            for reader in (client[0], server[0]):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await reader.read(1)
            sent = [passage for passage in tap._recording.passages if passage.event == "bytes"]
            assert sorted(passage.data for passage in sent) == [b"unheard", b"unheard too"]
            assert [passage.delivered for passage in sent] == [None, None]
            tap.thaw()
            assert await server[0].read() == b"unheard"
            assert await client[0].readexactly(11) == b"unheard too"
            assert events(tap)[:4] == ["SYN", "freeze", "FIN", "thaw"]
            assert all(passage.delivered is not None for passage in sent)

    run(talk())


@pytest.mark.parametrize("both_first", [False, True])
@pytest.mark.parametrize("side", ["client", "server"])
def test_one_direction_frozen_lets_the_other_pass(side: Sender, both_first: bool) -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            client, server = await connect()
            (silent, heard) = (client, server) if side == "client" else (server, client)
            if both_first:
                tap.freeze()
                tap.thaw("server" if side == "client" else "client")
            else:
                tap.freeze(side)
            silent[1].write(b"lost for now")
            heard[1].write(b"heard")
            assert await silent[0].readexactly(5) == b"heard"
            assert [p.delivered for p in tap._recording.passages if p.sender == side and p.data] == [None]
            tap.thaw(side)
            assert await heard[0].readexactly(12) == b"lost for now"

    run(talk())


def test_of_what_is_sent_into_a_freeze_only_a_little_is_taken_and_nothing_is_lost() -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            client, server = await connect()
            tap.freeze()
            data = bytes(range(256)) * 2**10
            client[1].write(data)
            await tap._recording.news()
            for _ in range(50):
                await asyncio.sleep(0)
            assert 0 < tap.counts().client.bytes < 8 * 2**10
            tap.thaw()
            assert await server[0].readexactly(len(data)) == data

    run(talk())


def test_a_reset_does_not_cross_a_frozen_network() -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            client, server = await connect()
            tap.freeze()
            reset(client)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await server[0].read(1)
            tap.thaw()
            with pytest.raises(ConnectionError):
                await server[0].read(1)

    run(talk())


@pytest.mark.parametrize("frozen", [False, True])
def test_cut_resets_both_sides(frozen: bool) -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            client, server = await connect()
            if frozen:
                tap.freeze()
            tap.cut()
            for reader in (client[0], server[0]):
                with pytest.raises(ConnectionError):
                    await reader.read()
            await tap.closed()
            assert events(tap)[-1] == "cut"

    run(talk())


def test_a_tap_says_whether_it_listens_and_what_is_frozen() -> None:
    async def talk() -> None:
        async with plumbed() as (tap, _):
            assert tap.listening
            assert not tap.frozen
            tap.freeze("server")
            seen = [tap.frozen]
            tap.freeze()
            seen.append(tap.frozen)
            tap.thaw()
            seen.append(tap.frozen)
            assert seen == [("server",), ("client", "server"), ()]
            await tap.stop()
            assert not tap.listening

    run(talk())


# -- waiting for a fact -------------------------------------------------------------------------------------


def test_seen_and_closed_return_when_it_has_happened() -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            client, _ = await connect()
            waiting = [
                asyncio.create_task(tap.seen("GET", "client", count=2)),
                asyncio.create_task(tap.seen("GET /b")),
                asyncio.create_task(tap.closed()),
            ]
            client[1].write(b"GET /a HTTP/1.1\r\n\r\nGET /b HT")
            await tap.seen("GET /a", "client")
            assert not any(task.done() for task in waiting)
            client[1].write(b"TP/1.1\r\n\r\n")
            await asyncio.gather(*waiting[:2])
            tap.cut()
            await waiting[2]

    run(talk())


def test_rows_come_as_they_pass_and_end_with_the_tap() -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            rows = tap.rows()
            client, _ = await connect()
            for number in range(3):
                client[1].write(b"GET /%d HTTP/1.1\r\n\r\n" % number)
                assert (await anext(rows)).what == f"GET /{number}"
            client[1].write(b"GET /half")
            tap.cut()
            assert (await anext(rows)).what == "cut"
            await tap.stop()
            assert [row.what async for row in rows] == []
            again = [row.what async for row in tap.rows()]
            assert again[:3] == ["GET /0", "GET /1", "GET /2"]

    run(talk())


def test_a_flood_of_rows_leaves_the_loop_to_others() -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            client, _ = await connect()
            client[1].write(b"GET / HTTP/1.1\r\n\r\n" * 2000)
            await tap.seen("GET", count=1)
            turns = 0

            async def others() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)

            other, rows = asyncio.create_task(others()), tap.rows()
            for _ in range(2000):
                await anext(rows)
            other.cancel()
            assert turns >= 10

    run(talk())


def test_waiting_in_vain_says_what_passed_instead() -> None:
    async def talk() -> None:
        async with plumbed() as (tap, connect):
            with pytest.raises(TimeoutError, match=r"waited 0\.01 s .*; nobody has connected"):
                await tap.closed(timeout=0.01)
            await connect()
            with pytest.raises(TimeoutError, match=r"waited 0\.01 s for 2 CLOSE from the server; 0 passed"):
                await tap.seen("CLOSE", "server", count=2, timeout=0.01)
            with pytest.raises(TimeoutError, match="1 still open"):
                await tap.closed(timeout=0.01)

    run(talk())


# -- bounds and misuse --------------------------------------------------------------------------------------


def test_memory_is_bounded_and_counting_goes_on() -> None:
    async def talk() -> None:
        async with plumbed(limit=1000) as (tap, connect):
            client, server = await connect()
            for _ in range(5):
                client[1].write(bytes(300))
                await server[0].readexactly(300)
            client[1].close()
            assert await server[0].read() == b""
            assert tap.counts().client.bytes == 1500
            assert sum(len(passage.data) for passage in tap._recording.passages) == 300
            assert "the recording is full: 1,200 more bytes passed" in repr(tap.conversation())
            assert "1,200 more bytes" in tap.conversation()._repr_html_()

    run(talk())


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match=f"from 1 to 65535, not {port}"):
        Tap(port)


def test_misuse_is_refused_in_a_sentence() -> None:
    tap = Tap(9)
    with pytest.raises(RuntimeError, match="does not listen"):
        _ = tap.port
    for delay in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="a delay is"):
            tap.delay = delay
    with pytest.raises(ValueError, match="a delay is"):
        Tap(9, delay=-1)
    with pytest.raises(ValueError, match="a recording cannot"):
        Tap(9, limit=-1)
    for rate in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="a rate is above 0"):
            tap.throttle(rate)
    with pytest.raises(ValueError, match="a direction is"):
        tap.freeze("up")  # type: ignore[arg-type]


def test_a_tap_does_not_relay_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk() -> None:
        tap = Tap(9)
        loop = asyncio.get_running_loop()
        create = loop.create_server

        async def same_port(*args: Any, **kwargs: Any) -> asyncio.Server:
            server = await create(*args, **kwargs)
            tap._target = server.sockets[0].getsockname()[1]
            return server

        monkeypatch.setattr(loop, "create_server", same_port)
        with pytest.raises(RuntimeError, match="would relay to itself"):
            await tap.start()

    run(talk())
