"""Compression on real connections: with other packages, under attack, in a broadcast, by Autobahn's cases."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import websockets
from aiohttp import web

import wslab
from tests.support.aio import echo, judge, results, run, until_closed, uri
from wslab import ConnectionClosed, Deflate, Frame, Opcode, encode_frame
from wslab.aio.link import COMPRESSED_TURN, INBOX_LIMIT
from wslab.connection import CompressedConnection

FREE = Deflate(server_max_window_bits=None, client_max_window_bits=None)
FORGETFUL = Deflate(server_no_context_takeover=True, client_no_context_takeover=True)
SETTINGS = {
    "as it comes": Deflate(),
    "forgetful": FORGETFUL,
    "small": Deflate(True, False, 9, 9, 9, 1),
    "large": Deflate(False, True, 15, 15, 1, 9),
    "free": FREE,
}
NOISE = random.Random(7).randbytes(3000)
MESSAGES: list[str | bytes] = ["Hello " * 50, "µ" * 1000, bytes(5000), "", b"", NOISE, "Hello " * 50]
MESSAGES.append("x" * 300_000)


def bomb(size: int) -> bytes:
    """A message of so many zeros as a client sends it, compressed."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -12, 9)
    payload = (compressor.compress(bytes(size)) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
    return encode_frame(Frame(Opcode.BINARY, payload, rsv1=True), bytes(4))


async def aiohttp_echo(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        await (ws.send_str(message.data) if isinstance(message.data, str) else ws.send_bytes(message.data))
    return ws


@contextlib.asynccontextmanager
async def aiohttp_server() -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/", aiohttp_echo)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.mark.parametrize("wanted", SETTINGS.values(), ids=SETTINGS)
class TestWithOthers:
    def test_two_of_us(self, wanted: Deflate) -> None:
        async def test() -> None:
            async with (
                wslab.serve(echo, compression=wanted) as server,
                wslab.connect(uri(server), compression=wanted) as ws,
            ):
                agreed = next(iter(server.connections)).compression
                assert agreed is not None
                assert ws.compression is not None
                assert ws.compression[:3] == agreed[:3] == wanted[:3]
                for message in MESSAGES:
                    await ws.send(message)
                    assert await ws.recv() == message

        run(test())

    def test_our_server_and_a_client_of_websockets(self, wanted: Deflate) -> None:
        async def test() -> None:
            async with (
                wslab.serve(echo, compression=wanted) as server,
                websockets.connect(uri(server)) as ws,
            ):
                assert [extension.name for extension in ws.protocol.extensions] == ["permessage-deflate"]
                for message in MESSAGES:
                    await ws.send(message)
                    assert await ws.recv() == message

        run(test())

    def test_our_client_and_a_server_of_websockets(self, wanted: Deflate) -> None:
        async def answer(ws: Any) -> None:
            async for message in ws:
                await ws.send(message)

        async def test() -> None:
            async with websockets.serve(answer, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                async with wslab.connect(f"ws://127.0.0.1:{port}", compression=wanted) as ws:
                    assert ws.compression
                    for message in MESSAGES:
                        await ws.send(message)
                        assert await ws.recv() == message

        run(test())

    def test_our_server_and_a_client_of_aiohttp(self, wanted: Deflate) -> None:
        async def test() -> None:
            async with (
                wslab.serve(echo, compression=wanted) as server,
                aiohttp.ClientSession() as session,
                session.ws_connect(f"http://127.0.0.1:{server.port}", compress=15) as ws,
            ):
                assert ws.compress
                for message in MESSAGES:
                    await (ws.send_str(message) if isinstance(message, str) else ws.send_bytes(message))
                    assert (await ws.receive()).data == message

        run(test())

    def test_our_client_and_a_server_of_aiohttp(self, wanted: Deflate) -> None:
        async def test() -> None:
            async with (
                aiohttp_server() as port,
                wslab.connect(f"ws://127.0.0.1:{port}", compression=wanted) as ws,
            ):
                assert ws.compression
                for message in MESSAGES:
                    await ws.send(message)
                    assert await ws.recv() == message

        run(test())


class TestWithoutIt:
    @pytest.mark.parametrize(("served", "offered"), [("deflate", None), (None, "deflate"), (None, None)])
    def test_it_takes_two(self, served: Any, offered: Any) -> None:
        async def test() -> None:
            async with (
                wslab.serve(echo, compression=served) as server,
                wslab.connect(uri(server), compression=offered) as ws,
            ):
                await ws.send("Hello")
                assert await ws.recv() == "Hello"
                assert ws.compression is None
                assert ("Sec-WebSocket-Extensions" in ws.request.headers) is bool(offered)
                assert ws.response
                assert "Sec-WebSocket-Extensions" not in ws.response.headers

        run(test())

    def test_a_wrong_argument_is_named_at_once(self) -> None:
        wrong: Any = "gzip"
        with pytest.raises(ValueError, match="'gzip', not None, 'deflate' or a Deflate"):
            wslab.connect("ws://x", compression=wrong)
        with pytest.raises(ValueError, match="'gzip', not None, 'deflate' or a Deflate"):
            wslab.serve(echo, compression=wrong)

    def test_a_server_that_answers_more_than_was_offered(self) -> None:
        async def answer(ws: wslab.ServerConnection, request: wslab.Request) -> wslab.Response:
            response = wslab.handshake.judge_request(request, compression=Deflate(server_max_window_bits=10))
            fields = [(n, v.replace("bits=10", "bits=15")) for n, v in response.headers.items()]
            return response._replace(headers=wslab.Headers(fields))

        async def test() -> None:
            async with wslab.serve(echo, process_request=answer, compression=FREE) as server:
                with pytest.raises(wslab.HandshakeError, match="15 in the answer and 12 in the offer"):
                    await wslab.connect(uri(server), compression="deflate")

        run(test())

    def test_a_page_of_the_callers_that_agrees_to_what_the_server_does_not_know(self) -> None:
        async def answer(ws: wslab.ServerConnection, request: wslab.Request) -> wslab.Response:
            return wslab.handshake.judge_request(request, compression=FREE)

        async def test() -> None:
            async with wslab.serve(echo, process_request=answer) as server:
                with pytest.raises(wslab.HandshakeError, match="500"):
                    await wslab.connect(uri(server), compression="deflate")

        run(test())


class TestLimits:
    def test_a_bomb_gets_1009_from_a_server_and_from_a_client(self) -> None:
        seen: list[ConnectionClosed] = []

        async def throw(ws: wslab.ServerConnection) -> None:
            await ws.send(bytes(2**22))
            await ws.wait_closed()

        async def receive(ws: wslab.ServerConnection) -> None:
            try:
                await ws.recv()
            except ConnectionClosed as closed:
                seen.append(closed)

        async def test() -> None:
            async with wslab.serve(receive, compression="deflate") as server:
                async with wslab.connect(uri(server), compression="deflate") as ws:
                    ws.transport.write(bomb(2**24))
                    await ws.wait_closed()
                assert ws.close_code == 1009
                assert ws.close_reason == f"message inflates to more than {2**20} bytes"
            assert seen
            async with (
                wslab.serve(throw, compression="deflate") as server,
                wslab.connect(uri(server), compression="deflate") as ws,
            ):
                with pytest.raises(ConnectionClosed, match="1009"):
                    await ws.recv()

        run(test())

    @pytest.mark.parametrize("early", [False, True], ids=["later", "behind the request"])
    def test_many_small_bombs_do_not_fill_the_memory(self, early: bool) -> None:
        """Each is allowed, and together they are 200 MiB in 200 KiB: reading stops long before."""
        waiting: list[int] = []

        async def look(ws: wslab.ServerConnection) -> None:
            for _ in range(50):  # as often as the loop reads whatever it is willing to read
                await asyncio.sleep(0.005)
                waiting.append(ws._inbox.size)
            ws.abort()

        async def test() -> None:
            async with wslab.serve(look, compression=FREE) as server:
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                request = wslab.handshake.build_request("h", key=wslab.generate_key(), compression=FREE)
                flood = bomb(2**20) * 200
                writer.write(request.encode() + (flood if early else b""))
                await reader.readuntil(b"\r\n\r\n")
                if not early:
                    writer.write(flood)
                with contextlib.suppress(ConnectionResetError):
                    await reader.read()
                writer.close()

        run(test())
        assert INBOX_LIMIT < max(waiting) < INBOX_LIMIT + (COMPRESSED_TURN + 1) * 2**20


class TestBroadcast:
    @pytest.fixture
    def compressors(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """The windows of all compressors that are made."""
        made: list[int] = []

        def compressobj(level: int, method: int, bits: int, memory: int) -> Any:
            made.append(-bits)
            return real(level, method, bits, memory)

        real = zlib.compressobj
        monkeypatch.setattr("wslab.deflate.zlib.compressobj", compressobj)
        return made

    @pytest.mark.parametrize(
        ("offers", "expected"),
        [
            ([FORGETFUL] * 5, [12]),
            ([FORGETFUL] * 3 + [FORGETFUL._replace(server_max_window_bits=9)] * 3, [9, 12]),
            ([Deflate()] * 5, [12] * 5),
            ([None] * 3, []),
            ([None, FORGETFUL, Deflate(), FORGETFUL, Deflate()], [12, 12, 12]),
        ],
    )
    def test_it_compresses_once_for_those_who_share_no_context(
        self, compressors: list[int], offers: list[Deflate | None], expected: list[int]
    ) -> None:
        async def test() -> None:
            async with wslab.serve(until_closed, compression=Deflate()) as server:
                clients = [await wslab.connect(uri(server), compression=offer) for offer in offers]
                for message in ("Hello " * 20, b"Hello", ""):
                    wslab.broadcast(server.connections, message)
                    assert [await client.recv() for client in clients] == [message] * len(clients)
                    if message == "Hello " * 20:
                        assert sorted(compressors) == expected
                for client in clients:
                    await client.close()

        run(test())

    def test_what_was_sent_before_comes_before(self) -> None:
        async def send_and_broadcast(ws: wslab.ServerConnection) -> None:
            await ws.recv()
            await ws.send("first")
            wslab.broadcast([ws], "second")
            await ws.send("third")
            await ws.close()
            wslab.broadcast([ws], "too late")

        async def test() -> None:
            async with wslab.serve(send_and_broadcast, compression=FORGETFUL) as server:
                for offer in (Deflate(), FORGETFUL):
                    async with wslab.connect(uri(server), compression=offer) as ws:
                        await ws.send("go")
                        await ws.send("and more, so that the first answer waits")
                        assert [message async for message in ws] == ["first", "second", "third"]

        run(test())

    def test_a_client_masks_and_compresses_for_itself(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo, compression=FORGETFUL) as server:
                clients = [await wslab.connect(uri(server), compression=FORGETFUL) for _ in range(2)]
                wslab.broadcast(clients, "Hello")
                assert [await client.recv() for client in clients] == ["Hello", "Hello"]
                for client in clients:
                    assert isinstance(client._connection, CompressedConnection)
                    assert client._connection.shared is None
                    await client.close()

        run(test())


# Autobahn's sections 12 and 13: the first case of each group, or with WSLAB_AUTOBAHN=all each of the 216,
# which takes minutes. The server of three groups wants a client that forgets each message.
FORGETTING = ["13.2.", "13.5.", "13.6."]
REMEMBERING = [f"12.{n}." for n in range(1, 6)] + ["13.1.", "13.3.", "13.4.", "13.7."]
WHICH = "*" if os.environ.get("WSLAB_AUTOBAHN") == "all" else "1"
OPTIONS: dict[str, Any] = {"max_size": 2**25, "ping_interval": None}


class TestAutobahn:
    def test_as_server(self, kosoku: Any) -> None:
        async def test() -> None:
            groups = [group + WHICH for group in REMEMBERING + FORGETTING]
            async with wslab.serve(echo, compression=FREE, **OPTIONS) as server:
                judge(await results(kosoku, kosoku.run_fuzzingclient(uri(server), groups)), len(groups))

        run(test(), seconds=1200)

    @pytest.mark.parametrize(
        ("groups", "offer"),
        [(REMEMBERING, FREE), (FORGETTING, FREE._replace(client_no_context_takeover=True))],
        ids=["remembering", "forgetting"],
    )
    def test_as_client(self, kosoku: Any, groups: list[str], offer: Deflate) -> None:
        async def test() -> None:
            async with kosoku.run_fuzzingserver([group + WHICH for group in groups], port=0) as fuzzer:

                def connect(path: str) -> wslab.connect:
                    address = f"ws://127.0.0.1:{fuzzer.port}/{path}"
                    return wslab.connect(address, compression=offer, **OPTIONS)

                async with connect("getCaseCount") as ws:
                    count = int(await ws.recv())
                for case in range(1, count + 1):
                    with contextlib.suppress(ConnectionClosed):
                        async with connect(f"runCase?case={case}&agent=wslab") as ws:
                            async for message in ws:
                                await ws.send(message)
                with contextlib.suppress(ConnectionClosed):
                    async with connect("updateReports?agent=wslab") as ws:
                        await ws.recv()
                judge(await results(kosoku, fuzzer.get_result()), len(groups))

        run(test(), seconds=1200)
