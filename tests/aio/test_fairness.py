"""One peer that floods takes no more than its turn, and nothing that it sent is lost."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

import wslab
from tests.support.aio import UPGRADE, run
from wslab import Frame, Opcode, Ping, Pong, ServerConnection, encode_frame
from wslab.aio.inbox import OVERHEAD
from wslab.aio.link import COMPRESSED_TURN, INBOX_LIMIT, TURN
from wslab.deflate import Deflater

MASK = b"abcd"
EMPTY = encode_frame(Frame(Opcode.BINARY, b""), MASK)
FRAGMENT = encode_frame(Frame(Opcode.CONTINUATION, b"", fin=False), MASK)
BEGIN = encode_frame(Frame(Opcode.BINARY, b"", fin=False), MASK)
END = encode_frame(Frame(Opcode.CONTINUATION, b""), MASK)
PING = encode_frame(Frame(Opcode.PING, b""), MASK)
CLOSE = encode_frame(Frame(Opcode.CLOSE, b""), MASK)


async def count_turns(until: asyncio.Event) -> int:
    """Count the turns of the event loop that others get."""
    turns = 0
    while not until.is_set():
        await asyncio.sleep(0)
        turns += 1
    return turns


@pytest.mark.parametrize(
    "flood",
    [EMPTY * 5000, BEGIN + FRAGMENT * 4998 + END, PING * 4999 + EMPTY],
    ids=["messages", "fragments", "pings"],
)
def test_a_flood_in_one_read_takes_many_turns(flood: bytes) -> None:
    """It is the frames that are counted, since their bytes do not say how long they take."""

    async def test() -> None:
        first, last = asyncio.Event(), asyncio.Event()

        async def handler(ws: ServerConnection) -> None:
            ws._receive(ws._connection, flood)  # type: ignore[arg-type]
            first.set()
            expected = flood.count(EMPTY) or 1
            for _ in range(expected):
                assert await ws.recv() == b""
            last.set()

        async with wslab.serve(handler) as server, wslab.connect(f"ws://127.0.0.1:{server.port}"):
            await first.wait()
            assert await count_turns(last) >= 5000 // TURN - 1

    run(test())


def test_a_reader_that_is_quick_gets_no_more_than_a_turn_at_once() -> None:
    async def test() -> None:
        received = [0]

        async def handler(ws: ServerConnection) -> None:
            async for _ in ws:
                received[0] += 1

        async with wslab.serve(handler) as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(UPGRADE + b"\r\n" + EMPTY * 20_000)
            most = before = 0
            while before < 20_000:
                await asyncio.sleep(0)
                most, before = max(most, received[0] - before), received[0]
            assert 0 < most <= 2 * TURN
            writer.close()
            await writer.wait_closed()

    run(test())


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("end", [b"", CLOSE])
def test_what_came_before_the_end_of_tcp_is_delivered(secure: bool, end: bytes, certificate: Path) -> None:
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate)
    theirs = ssl.create_default_context(cafile=certificate)

    async def test() -> None:
        done = asyncio.get_running_loop().create_future()

        async def handler(ws: ServerConnection) -> None:
            number = 0
            try:
                while True:
                    await ws.recv()
                    number += 1
            except wslab.ConnectionClosed as closed:
                done.set_result((number, closed.code))

        async with wslab.serve(handler, ssl=ours if secure else None) as server:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", server.port, ssl=theirs if secure else None
            )
            writer.write(UPGRADE + b"\r\n")
            await reader.readuntil(b"\r\n\r\n")
            writer.write(EMPTY * 5000 + end)
            writer.close()
            assert await done == (5000, 1005 if end else 1006)

    run(test())


def test_a_pong_of_a_flood_is_not_lost() -> None:
    async def test() -> None:
        answered = asyncio.Event()

        async def handler(ws: ServerConnection) -> None:
            await ws.ping(b"x")
            answered.set()
            await ws.wait_closed()

        async with wslab.serve(handler) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(UPGRADE + b"\r\n")
            await reader.readuntil(b"\r\n\r\n")
            writer.write(EMPTY * 3000 + encode_frame(Frame(Opcode.PONG, b"x"), MASK))
            await answered.wait()
            writer.close()
            await writer.wait_closed()

    run(test())


def test_bombs_in_one_read_are_not_all_inflated_before_they_are_wanted() -> None:
    """40 messages of 1 MiB in 45 KB: they wait as they came, until the receiver has taken those before."""
    bomb = Deflater(12, takeover=False).deflate(bytes(2**20))
    flood = encode_frame(Frame(Opcode.BINARY, bomb, rsv1=True), MASK) * 40

    async def test() -> None:
        done = asyncio.Event()

        async def handler(ws: ServerConnection) -> None:
            ws._receive(ws._connection, flood)  # type: ignore[arg-type]
            for _ in range(10):
                await asyncio.sleep(0)
            assert ws._inbox.size <= INBOX_LIMIT + COMPRESSED_TURN * (2**20 + OVERHEAD)
            for _ in range(40):
                assert len(await ws.recv()) == 2**20
            done.set()

        async with (
            wslab.serve(handler, compression="deflate") as server,
            wslab.connect(f"ws://127.0.0.1:{server.port}", compression="deflate"),
        ):
            await done.wait()

    run(test())


def test_a_reset_does_not_inflate_what_nobody_waits_for() -> None:
    bomb = Deflater(12, takeover=False).deflate(bytes(2**20))
    flood = encode_frame(Frame(Opcode.BINARY, bomb, rsv1=True), MASK) * 40

    async def test() -> None:
        done = asyncio.Event()

        async def handler(ws: ServerConnection) -> None:
            ws._receive(ws._connection, flood)  # type: ignore[arg-type]
            ws.abort()
            await ws.wait_closed()
            assert len(ws._inbox.messages) <= 2 * COMPRESSED_TURN
            done.set()

        async with (
            wslab.serve(handler, compression="deflate") as server,
            wslab.connect(f"ws://127.0.0.1:{server.port}", compression="deflate"),
        ):
            await done.wait()

    run(test())


def test_a_connection_says_that_it_has_more() -> None:
    server = wslab.Connection("server")
    assert server.receive_data(PING * 3 + EMPTY + PING[:3], 2) == [Ping(b""), Ping(b"")]
    assert server.has_more
    assert server.receive_data(b"", 2) == [Ping(b""), b""]
    assert server.has_more  # the first two bytes of a header, as far as is known
    assert server.receive_data(b"", 2) == []
    assert not server.has_more
    assert server.receive_data(PING[3:] + encode_frame(Frame(Opcode.PONG, b""), MASK)) == [
        Ping(b""),
        Pong(b""),
    ]
    server.receive_data(CLOSE + PING, 1)
    assert not server.has_more
