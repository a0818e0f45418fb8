"""Attacks: what a peer may try, byte by byte and connection by connection, and the bound that each meets.

``test_hostile`` has the unlucky peers of every day; these here mean harm. UTF-8 is compared with an oracle
made of nothing but ``bytes.decode``. Times are bounds that a correct run is far from, never measurements.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import itertools
import logging
import socket
import tracemalloc
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wslab
from tests.aio.test_aio import UPGRADE, echo, raw, run, until_closed, uri
from tests.aio.test_hostile import assert_alive, opened
from wslab import Close, Connection, Failure, HandshakeError, Ping, ServerConnection

SIDES: list[Literal["client", "server"]] = ["client", "server"]
MASK = bytes(4)  # masking with it changes nothing


def wire(first: int, payload: bytes = b"", *, masked: bool = True) -> bytes:
    """Put a short frame together, whether it is allowed or not."""
    assert len(payload) < 126
    return bytes((first, (0x80 if masked else 0) | len(payload))) + (MASK if masked else b"") + payload


def failure(connection: Connection, data: bytes) -> Failure | None:
    events = connection.receive_data(data)
    return events[-1] if events and isinstance(events[-1], Failure) else None


# -- UTF-8 against an oracle --------------------------------------------------------------------------------


@functools.cache
def can_become_text(data: bytes) -> bool:
    """Tell whether any continuation makes these bytes UTF-8. It asks ``bytes.decode``, and tries."""
    # The second byte of a character has ranges of its own; one of these three is in each of them.
    for more in (b"", *(second + b"\x80" * n for second in (b"\x80", b"\x90", b"\xa0") for n in range(3))):
        with contextlib.suppress(UnicodeDecodeError):
            (data + more).decode()
            return True
    return False


def beginnings() -> Iterator[bytes]:
    """Yield what is no character yet and each byte that may come next, at the edges of every range."""
    edges = b"\x00\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xff"
    open_ones = [b""]
    for length in range(1, 5):
        following = range(256) if length < 4 else edges
        tried = [begin + bytes((byte,)) for begin in open_ones for byte in following]
        yield from tried
        open_ones = [
            one
            for one in tried
            if can_become_text(one) and not is_text(one) and one[-1] in (edges if length > 1 else LEADS)
        ]


LEADS = b"\xc2\xdf\xe0\xe1\xed\xef\xf0\xf1\xf4"


def is_text(data: bytes) -> bool:
    with contextlib.suppress(UnicodeDecodeError):
        data.decode()
        return True
    return False


def test_the_oracle_knows_the_edges() -> None:
    assert all(map(can_become_text, (b"", b"a\xf0", b"\xed\x9f", b"\xf4\x8f\xbf", b"\xe0\xa0")))
    assert not any(map(can_become_text, (b"\x80", b"\xc1", b"\xed\xa0", b"\xf4\x90", b"\xe0\x9f", b"\xf5")))


def test_each_beginning_of_a_character() -> None:
    """§8.1: a byte is refused if and only if no continuation can be valid, in a frame not whole."""
    tried = 0
    for data in beginnings():
        connection = Connection("client")
        connection.receive_data(b"\x01\x7d")  # 125 bytes of text announced
        refused = [failure(connection, bytes((byte,))) is not None for byte in data]
        assert refused == [not can_become_text(data[: n + 1]) for n in range(len(data))], data.hex()
        tried += 1
    assert tried > 5_000


@given(
    st.lists(
        st.one_of(
            st.text(max_size=4).map(str.encode),
            st.binary(max_size=3),
            st.sampled_from([b"\xed\xa0", b"\xf0\x9f"]),
        ),
        max_size=8,
    ).map(b"".join),
    st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=6),
)
def test_text_cut_into_fragments_anywhere(data: bytes, cuts: list[tuple[int, bool]]) -> None:
    """The same verdict as ``bytes.decode``, with empty fragments and pings in every gap."""
    connection = Connection("server")
    places = sorted({min(place, len(data)) for place, _ in cuts})
    parts = [data[a:b] for a, b in itertools.pairwise([0, *places, len(data)])]
    frames = []
    for n, part in enumerate(parts):
        first = (0x80 if n == len(parts) - 1 else 0) | (0 if n else 1)
        frames += [wire(first, part)] + [wire(0x89, b"?")] * (first < 0x80)
    events = [event for frame in frames for event in connection.receive_data(frame)]
    messages = [event for event in events if not isinstance(event, Ping)]
    try:
        assert messages == [data.decode()]
    except UnicodeDecodeError:
        (failed,) = messages
        assert isinstance(failed, Failure)
        assert failed.code == 1007


# -- frames -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", SIDES)
def test_every_pair_of_first_bytes(side: Literal["client", "server"]) -> None:
    """§5.2, §5.5: the first two bytes alone say whether a frame is one that may come."""
    masked = side == "server"
    seconds = [bit | length for bit in (0, 0x80) for length in (0, 1, 2, 124, 125, 126, 127)]
    for first, second in itertools.product(range(256), seconds):
        opcode, length = first & 0xF, second & 0x7F
        lawful = (
            not first & 0x70
            and opcode in (0, 1, 2, 8, 9, 10)
            and bool(second & 0x80) is masked
            and not (opcode & 8 and (length > 125 or first < 0x80))
        )
        refused = failure(Connection(side), bytes((first, second)))
        # A length up to 125 is known by then: so is that there is nothing to continue.
        if not lawful or (opcode == 0 and length <= 125):
            assert refused, f"{first:08b} {second:08b}"
            assert refused.code == 1002
        else:
            assert refused is None, f"{first:08b} {second:08b}"


@pytest.mark.parametrize("side", SIDES)
def test_every_close_code(side: Literal["client", "server"]) -> None:
    """§7.4: a Close that is answered is answered with its own code."""
    lawful = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
    for code in (*range(5200), 8192, 32767, 32768, 65535):
        connection = Connection(side, masking_key=lambda: MASK)
        payload = code.to_bytes(2, "big")
        (event,) = connection.receive_data(wire(0x88, payload, masked=side == "server"))
        out = connection.data_to_send()
        answer = out[6:8] if side == "client" else out[2:4]
        if code in lawful:
            assert event == Close(code, "")
            assert answer == payload
        else:
            assert isinstance(event, Failure)
            assert answer == (1002).to_bytes(2, "big")


@pytest.mark.parametrize("behind", [wire(0x88, b"\x03\xe9"), wire(0x81, b"x"), wire(0x89), b"\xff" * 20])
@pytest.mark.parametrize("last", [wire(0x88, b"\x03\xe8"), wire(0x88), wire(0xFF)])
def test_whatever_comes_behind_the_end_is_ignored(last: bytes, behind: bytes) -> None:
    """§5.5.1, §7.1.7: one end, one answer, however often it is repeated."""
    connection = Connection("server")
    assert len(connection.receive_data(last + behind * 100)) == 1
    ending = connection.close_code, connection.close_reason
    assert connection.data_to_send()
    for _ in range(100):
        assert connection.receive_data(behind) == []
    assert connection.data_to_send() == b""
    assert (connection.close_code, connection.close_reason) == ending


def peak_of(connection: Connection, start: bytes, repeated: bytes, times: int) -> int:
    connection.receive_data(start)
    tracemalloc.start()
    try:
        for _ in range(times):
            connection.receive_data(repeated)
            connection.data_to_send()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("first", [0x01, 0x02])
def test_empty_fragments_without_end(first: int) -> None:
    connection = Connection("server")
    assert peak_of(connection, wire(first), wire(0x00) * 1000, 40) < 2**18
    (message,) = connection.receive_data(wire(0x80, b"x"))
    assert message == ("x" if first == 0x01 else b"x")


@pytest.mark.parametrize("first", [0x01, 0x02])
def test_tiny_fragments_up_to_the_limit(first: int) -> None:
    """§10.4: fragments of one byte cost what their bytes cost; one too many is refused."""
    connection = Connection("server", max_size=20_000)
    assert peak_of(connection, wire(first), wire(0x00, b"x") * 1000, 20) < 2**19
    refused = failure(connection, wire(0x00, b"x"))
    assert refused
    assert refused.code == 1009


def test_a_flood_of_pings_leaves_nothing_behind() -> None:
    connection = Connection("server")
    assert peak_of(connection, b"", wire(0x89, bytes(125)) * 500, 20) < 2**21


@pytest.mark.parametrize("size", [2**20 + 1, 2**31, 2**63 - 1])
@pytest.mark.parametrize("first", [0x81, 0x82, 0x01, 0x02])
def test_too_long_is_refused_from_the_header(first: int, size: int) -> None:
    """1009 without one byte of the payload, and before its masking-key."""
    connection = Connection("server")
    refused = failure(connection, bytes((first, 0xFF)) + size.to_bytes(8, "big"))
    assert refused
    assert refused.code == 1009
    assert str(size) in refused.reason


@pytest.mark.parametrize("first", [0x81, 0x82])
def test_announced_and_dripping(first: int) -> None:
    """What is kept of a frame that is not whole is what has arrived of it."""
    connection = Connection("server", max_size=None)
    header = bytes((first, 0xFF)) + (2**62).to_bytes(8, "big") + MASK
    # So short that numpy is not imported for them: that would count, too.
    assert peak_of(connection, header, b"x" * 100, 1000) < 2**20


# -- opening handshakes over TCP ----------------------------------------------------------------------------

SMUGGLED = b"GET /secret HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        UPGRADE + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
        UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        UPGRADE + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + SMUGGLED,
        UPGRADE + b"X: a\r\n folded\r\n\r\n",
        UPGRADE + b"X: a\0b\r\n\r\n",
        UPGRADE + b"X : a\r\n\r\n",
        UPGRADE + b"X: a\rSec-WebSocket-Protocol: b\r\n\r\n",
        UPGRADE + b"X: a\n\r\n",
        UPGRADE + b"Host: y\r\n\r\n",
        UPGRADE.replace(b"Host: x", b"Host: x y") + b"\r\n",
        UPGRADE.replace(b"GET", b"get") + b"\r\n",
        UPGRADE.replace(b"GET /", b"GET  /") + b"\r\n",
        UPGRADE.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n",
        UPGRADE.replace(b"13\r", b"13, 8\r") + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_request_that_is_not_what_it_seems(head: bytes) -> None:
    """It gets one refusal, TCP ends, and nothing behind the head is read as another request."""

    async def test() -> None:
        asked = []

        def look(ws: ServerConnection, request: wslab.Request) -> None:
            asked.append(request.path)

        async with wslab.serve(echo, process_request=look) as server:
            answer = await raw(server, head)
            assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505"))
            assert answer.count(b"\r\nContent-Length: ") == 1
            assert "/secret" not in asked
            assert server.connections == set()

    run(test())


def test_head_byte_by_byte_with_frames_behind() -> None:
    async def test() -> None:
        async with wslab.serve(echo) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            for byte in UPGRADE + b"\r\n" + wire(0x81, b"Hello") + wire(0x88, b"\x03\xe8"):
                writer.write(bytes((byte,)))
                await writer.drain()
            assert (await reader.read()).endswith(b"\r\n\r\n\x81\x05Hello\x88\x02\x03\xe8")
            writer.close()

    run(test())


@contextlib.asynccontextmanager
async def answering(data: bytes) -> AsyncIterator[str]:
    """Listen, answer every request with these bytes, and then fall silent; the caller gets the URI."""
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            request = await reader.readuntil(b"\r\n\r\n")
            key = request.partition(b"Sec-WebSocket-Key: ")[2][:24].decode()
            writer.write(data.replace(b"ACCEPT", wslab.accept_key(key).encode()))
            while await reader.read(2**16):
                pass
        writer.close()
        ended.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await ended.wait()
        await asyncio.sleep(0)


REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (REFUSED, 403),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 403),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 5000, 200),
        (b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 101),
        (b"HTTP/1.1 101 x\r\n\r\n" + b"\xff" * 1000, 101),
        (b"HTTP/1.1 403 x\r\nX: a\r\n folded\r\n\r\n", 400),
        (b"HTTP/1.1 403 x\r\nX: a\0\r\n\r\n", 400),
        (b"\xff" * 70_000, 431),
        (b"\0\r\n", 400),
    ],
)
def test_answer_of_a_hostile_server(data: bytes, status: int) -> None:
    """It becomes a HandshakeError, no exception escapes into the event loop, TCP ends."""

    async def test() -> None:
        escaped: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
        async with answering(data) as address:
            with pytest.raises(HandshakeError) as refused:
                await wslab.connect(address)
            assert refused.value.status == status
        assert not escaped

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


def test_frames_that_come_while_a_page_is_made() -> None:
    """They wait for the answer to the request in front of them, and none is lost."""

    async def test() -> None:
        begun = asyncio.Event()
        go_on = asyncio.Event()

        async def slow_page(ws: ServerConnection, request: wslab.Request) -> None:
            begun.set()
            await go_on.wait()

        async with wslab.serve(echo, process_request=slow_page) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(UPGRADE + b"\r\n" + wire(0x81, b"a"))
            await begun.wait()
            writer.write(wire(0x81, b"b") + wire(0x88, b"\x03\xe8"))
            await asyncio.sleep(0.05)
            go_on.set()
            assert (await reader.read()).endswith(b"\r\n\r\n\x81\x01a\x81\x01b\x88\x02\x03\xe8")
            writer.close()

    run(test())


def test_client_that_gives_up_opening_ends_tcp() -> None:
    async def test() -> None:
        async with answering(b"") as address:  # waits for the end of TCP
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await wslab.connect(address, open_timeout=None)

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
