"""Servers and clients on a real event loop: what the contract promises, each with a bound on the time."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import socket
import ssl
import subprocess
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import wslab
from wslab import (
    ConnectionClosed,
    ConnectionClosedOK,
    Headers,
    ReadyState,
    Request,
    Response,
    ServerConnection,
)

Test = Callable[[], Awaitable[None]]


class Assertions(logging.Handler):
    """Collect the assertions that failed in handlers: a server only logs what its handlers raise."""

    def __init__(self) -> None:
        super().__init__()
        self.failed: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and isinstance(record.exc_info[1], AssertionError):
            self.failed.append(record.exc_info[1])


def run(test: Awaitable[None], seconds: float = 30) -> None:
    """Run a test within a time that no correct run needs, and check that it leaves no task behind.

    An assertion that fails in a handler fails the test.
    """

    async def within_bounds() -> None:
        async with asyncio.timeout(seconds):
            await test
        assert len(asyncio.all_tasks()) == 1

    assertions = Assertions()
    logging.getLogger("wslab").addHandler(assertions)
    try:
        asyncio.run(within_bounds())
    finally:
        logging.getLogger("wslab").removeHandler(assertions)
    for failed in assertions.failed:
        raise failed


async def echo(ws: ServerConnection) -> None:
    async for message in ws:
        await ws.send(message)


async def until_closed(ws: ServerConnection) -> None:
    await ws.wait_closed()


def uri(server: wslab.Server, path: str = "/") -> str:
    return f"ws://127.0.0.1:{server.port}{path}"


async def raw(server: wslab.Server, data: bytes) -> bytes:
    """Send bytes over TCP, and return everything that comes back until TCP ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


class TestMessages:
    def test_echo(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server, "/a?b=1")) as ws:
                for message in ("", "Hello", b"\0", "µ" * 70000, bytes(2**20)):
                    await ws.send(message)
                    assert await ws.recv() == message
                assert ws.request.path == "/a?b=1"
                assert ws.response is not None
                assert ws.response.status == 101
                assert ws.remote_address == ("127.0.0.1", server.port)
                assert repr(ws) == "<ClientConnection OPEN>"
                assert len(server.connections) == 1
            assert (ws.ready_state, ws.close_code) == (ReadyState.CLOSED, 1000)

        run(test())

    def test_many_messages_keep_their_order(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server)) as ws:
                for n in range(2000):
                    await ws.send(str(n))
                assert [await ws.recv() for _ in range(2000)] == [str(n) for n in range(2000)]

        run(test())

    def test_wrong_type(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server)) as ws:
                wrong: Any = {"a": 1}
                with pytest.raises(TypeError, match="dict"):
                    await ws.send(wrong)

        run(test())

    def test_two_receivers(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server)) as ws:
                first = asyncio.ensure_future(ws.recv())
                await asyncio.sleep(0)
                with pytest.raises(RuntimeError, match="another task"):
                    await ws.recv()
                await ws.send("x")
                assert await first == "x"

        run(test())

    def test_cancelled_receiver_loses_nothing(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server, wslab.connect(uri(server)) as ws:
                waiting = asyncio.ensure_future(ws.recv())
                await asyncio.sleep(0)
                waiting.cancel()
                await asyncio.wait([waiting])
                await ws.send("x")
                assert await ws.recv() == "x"

        run(test())

    def test_too_big(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo, max_size=100) as server, wslab.connect(uri(server)) as ws:
                await ws.send("fits")
                await ws.send("x" * 101)
                assert await ws.recv() == "fits"
                with pytest.raises(wslab.ConnectionClosedError, match="1009"):
                    await ws.recv()

        run(test())

    def test_broadcast(self) -> None:
        async def test() -> None:
            async with wslab.serve(until_closed) as server:
                clients = [await wslab.connect(uri(server)) for _ in range(10)]
                await clients[0].close()
                wslab.broadcast(server.connections, "to all")
                wslab.broadcast(server.connections, b"\1")
                for ws in clients[1:]:
                    assert (await ws.recv(), await ws.recv()) == ("to all", b"\1")
                with pytest.raises(TypeError):
                    wslab.broadcast(server.connections, 1)  # type: ignore[arg-type]
                for ws in clients:
                    await ws.close()

        run(test())


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
        assert ("1 handlers still run, a second after they were cancelled" in caplog.text) is stubborn

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


class TestOpening:
    def test_pages_on_the_same_port(self) -> None:
        async def test() -> None:
            async def page(ws: ServerConnection, request: Request) -> Response | None:
                if request.path == "/page":
                    return Response(200, "OK", Headers([("Content-Type", "text/html")]), b"<p>hi")
                return None if request.path == "/ws" else ws.respond(404, "not here")

            async with wslab.serve(echo, process_request=page) as server:
                answer = await raw(server, b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
                assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
                assert b"\r\nContent-Length: 5\r\nConnection: close\r\n\r\n<p>hi" in answer
                assert b"404 Not Found" in await raw(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert b"426 Upgrade" in await raw(server, b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n")
                async with wslab.connect(uri(server, "/ws")) as ws:
                    await ws.send("x")
                    assert await ws.recv() == "x"

        run(test())

    def test_what_has_no_content(self) -> None:
        """RFC 9110 §6.4.1: the answer to HEAD, and 204; the latter has no Content-Length either (§8.6)."""

        async def test() -> None:
            def page(ws: ServerConnection, request: Request) -> Response:
                return ws.respond(204 if request.path == "/none" else 200, "hello")

            async with wslab.serve(echo, process_request=page) as server:
                head = await raw(server, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
                none = await raw(server, b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n")
            async with wslab.serve(echo) as server:
                refused = await raw(server, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert re.search(rb"\r\nContent-Length: [1-9]", head)
            assert b"content-length" not in none.lower()
            assert b" 405 " in refused
            for answer in (head, none, refused):
                assert answer.endswith(b"\r\n\r\n")

        run(test())

    def test_process_request_raises(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            def page(ws: ServerConnection, request: Request) -> None:
                raise ZeroDivisionError

            async with wslab.serve(echo, process_request=page) as server:
                assert b" 500 " in await raw(server, b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n")

        run(test())
        assert "process_request failed" in caplog.text

    def test_refusal_tells_why(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo, origins=["https://a.example"]) as server:
                with pytest.raises(wslab.HandshakeError, match=r"403 Forbidden: .*Origin") as refused:
                    await wslab.connect(uri(server), origin="https://b.example")
                assert refused.value.status == 403
                async with wslab.connect(uri(server), origin="https://a.example"):
                    pass

        run(test())

    def test_every_refusal_and_page_is_dated_once(self) -> None:
        """RFC 9110 §6.6.1; the date of ``process_request`` is kept."""
        given = "Date: Thu, 01 Jan 1970 00:00:00 GMT"

        async def test() -> None:
            def page(ws: ServerConnection, request: Request) -> Response | None:
                dated = Headers([("date", given.removeprefix("Date: "))])
                return Response(200, "OK", dated, b"") if request.path == "/dated" else None

            async with wslab.serve(echo, process_request=page) as server:
                dated = await raw(server, b"GET /dated HTTP/1.1\r\nHost: x\r\n\r\n")
                refused = await raw(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                malformed = await raw(server, b"\x16\x03\x01")
            assert dated.lower().count(b"\r\ndate: ") == dated.count(b"01 Jan 1970") == 1
            for answer in (refused, malformed):
                assert re.search(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", answer)

        run(test())

    def test_malformed_request(self) -> None:
        async def test() -> None:
            async with wslab.serve(echo) as server:
                assert (await raw(server, b"\x16\x03\x01")).startswith(b"HTTP/1.1 400 ")

        run(test())

    def test_subprotocols_and_headers(self) -> None:
        async def test() -> None:
            async def handler(ws: ServerConnection) -> None:
                assert ws.request is not None
                await ws.send(f"{ws.subprotocol} {ws.request.headers['X-Test']}")

            async with (
                wslab.serve(handler, subprotocols=["b", "a"]) as server,
                wslab.connect(uri(server), subprotocols=["a", "b"], additional_headers={"X-Test": "1"}) as ws,
            ):
                assert ws.subprotocol == "b"
                assert await ws.recv() == "b 1"

        run(test())

    def test_server_that_is_none(self) -> None:
        async def test() -> None:
            async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(b"220 mail.example ESMTP\r\n")
                writer.close()

            async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                with pytest.raises(wslab.HandshakeError):
                    await wslab.connect(f"ws://127.0.0.1:{port}")

        run(test())

    def test_silent_server(self) -> None:
        async def test() -> None:
            with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
                await wslab.connect(f"ws://127.0.0.1:{silent.getsockname()[1]}", open_timeout=0.1)

        run(test())

    @pytest.mark.parametrize("wrong", ["http://x", "ws://", "ws://x/#y", "ws://a:b@x/", "x"])
    def test_wrong_uri(self, wrong: str) -> None:
        with pytest.raises(ValueError, match=r"scheme|host|fragment|credentials"):
            wslab.connect(wrong)

    @pytest.mark.parametrize("host", ["::1", "localhost"])
    def test_hosts(self, host: str) -> None:
        if host == "::1" and not socket.has_ipv6:
            pytest.skip("no IPv6 here")

        async def test() -> None:
            try:
                server = await wslab.serve(echo, host)
            except OSError:
                pytest.skip(f"{host} cannot be listened on here")
            async with wslab.connect(f"ws://{'[::1]' if host == '::1' else host}:{server.port}") as ws:
                await ws.send("x")
                assert await ws.recv() == "x"
            server.close()
            await server.wait_closed()

        run(test())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, made by the openssl program."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    command += [
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-keyout",
        str(path),
        "-out",
        str(path),
    ]
    try:
        made = subprocess.run(
            [*command[:-1], str(path) + ".crt"], capture_output=True, timeout=60, check=False
        )
    except FileNotFoundError:
        pytest.skip("no openssl program here")
    if made.returncode:
        pytest.skip("this openssl program makes no certificate")
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def test_tls(certificate: Path) -> None:
    async def test() -> None:
        ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ours.load_cert_chain(certificate)
        theirs = ssl.create_default_context(cafile=certificate)
        async with wslab.serve(echo, ssl=ours) as server:
            secure = f"wss://127.0.0.1:{server.port}"
            async with wslab.connect(secure, ssl=theirs) as ws:
                await ws.send("x" * 100_000)
                assert await ws.recv() == "x" * 100_000
            assert ws.close_code == 1000
            assert ws.remote_address == ("127.0.0.1", server.port)  # also when TLS has ended
            with pytest.raises(ssl.SSLCertVerificationError):
                await wslab.connect(secure)

    run(test())


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


def test_assertion_in_a_handler_fails_its_test() -> None:
    async def handler(ws: ServerConnection) -> None:
        assert ws.close_code == 1000

    async def test() -> None:
        async with wslab.serve(handler) as server, wslab.connect(uri(server)) as ws:
            await ws.wait_closed()

    with pytest.raises(AssertionError, match="1000"):
        run(test())
