"""The opening handshake on a real event loop: pages, refusals, hostile servers, cancellation meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from typing import Any

import pytest

import wslab
from tests.support.aio import (
    REFUSED,
    UPGRADE,
    answering,
    assert_alive,
    echo,
    nothing_escapes,
    raw,
    run,
    timers,
    until_closed,
    uri,
    wire,
)
from wslab import (
    HandshakeError,
    Headers,
    Request,
    Response,
    ServerConnection,
)


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


def test_peer_that_asks_and_leaves_before_the_answer() -> None:
    """write_eof() raises ENOTCONN when the answer has met a closed socket."""

    async def test() -> None:
        async with nothing_escapes(), wslab.serve(echo) as server:
            for _ in range(20):
                peer = socket.create_connection(("127.0.0.1", server.port))
                peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                peer.close()
                for _ in range(10):
                    await asyncio.sleep(0)
            while server.accepted:
                await asyncio.sleep(0.01)

    run(test())


def test_connect_that_is_cancelled_when_the_answer_is_there() -> None:
    """Nobody waits for the opening any more, and the event loop hears of no failure."""

    async def test() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            key = head.partition(b"Sec-WebSocket-Key: ")[2][:24].decode()
            writer.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + f"Sec-WebSocket-Accept: {wslab.accept_key(key)}\r\n\r\n".encode()
            )
            await writer.drain()
            connecting.cancel()  # in the turn in which the answer has come and is not read yet
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()

        async def connect() -> None:
            await wslab.connect(f"ws://127.0.0.1:{port}")

        async with nothing_escapes(), await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            connecting = asyncio.ensure_future(connect())
            await asyncio.wait([connecting])
            assert connecting.cancelled()
            await asyncio.sleep(0.02)

    run(test())


@pytest.mark.parametrize(
    "answer",
    [
        lambda ws: ws.respond(42, "x"),
        lambda ws: "page",
        lambda ws: Response(200, "OK", Headers(), "text"),  # type: ignore[arg-type]
        lambda ws: Response(200, "OK\r\nX: y", Headers()),
    ],
)
def test_response_that_cannot_be_written(answer: Any) -> None:
    async def test() -> None:
        async with (
            nothing_escapes(),
            wslab.serve(echo, process_request=lambda ws, _: answer(ws), open_timeout=2) as server,
        ):
            assert b" 500 " in await raw(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    run(test())


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nno\n", 403),
        (b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsorry\r\n0\r\n\r\n", 403),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nno", 403),
    ],
)
def test_refusal_whose_body_does_not_end(head: bytes, status: int) -> None:
    async def test() -> None:
        async with nothing_escapes(), answering(head) as address:
            with pytest.raises(HandshakeError) as refused:
                await wslab.connect(address, open_timeout=1)
            assert refused.value.status == status

    run(test())


@pytest.mark.parametrize("wrong", [{"subprotocols": "chat"}, {"origins": "http://x"}])
def test_string_where_a_list_belongs(wrong: Any) -> None:
    with pytest.raises(TypeError):
        wslab.serve(echo, **wrong)


def test_control_characters_of_a_refusal_are_not_printed() -> None:
    async def test() -> None:
        body = b"no \x1b[31mentry\x07"
        head = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(body)
        async with answering(head + body) as address:
            with pytest.raises(HandshakeError, match=r"403.*no \ufffd\[31mentry\ufffd"):
                await wslab.connect(address)

    run(test())


def test_it_listens_on_loopback_unless_it_is_told_otherwise() -> None:
    async def test() -> None:
        async with wslab.serve(echo) as server:
            assert [listening.getsockname()[0] for listening in server.sockets] == ["127.0.0.1"]

    run(test())


def test_several_addresses_share_one_port() -> None:
    async def test() -> None:
        try:
            server = await wslab.serve(echo, ["127.0.0.1", "::1"])
        except OSError:
            pytest.skip("IPv6 is not there")
        assert len({listening.getsockname()[1] for listening in server.sockets}) == 1
        for host in ("127.0.0.1", "[::1]"):
            async with wslab.connect(f"ws://{host}:{server.port}") as ws:
                await ws.send(host)
                assert await ws.recv() == host
        await server.__aexit__()

    run(test())


def test_process_request_that_awaits_what_was_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async def page(ws: ServerConnection, request: Any) -> None:
            never = asyncio.get_running_loop().create_future()
            never.cancel()
            await never

        async with wslab.serve(until_closed, process_request=page) as server:
            assert (await raw(server, UPGRADE + b"\r\n")).startswith(b"HTTP/1.1 500 ")

    run(test())
    assert "process_request failed" in caplog.text


def test_each_connection_has_a_key_of_its_own() -> None:
    async def test() -> None:
        keys = []

        async def note(ws: ServerConnection) -> None:
            assert ws.request
            keys.append(ws.request.headers["Sec-WebSocket-Key"])

        async with wslab.serve(note) as server:
            connecting = wslab.connect(uri(server))
            for _ in range(3):
                async with connecting as ws:
                    await ws.wait_closed()
        assert len(set(keys)) == 3

    run(test())


def test_interim_responses_are_passed_over() -> None:
    """RFC 9110 §15.2: the final response comes behind them."""

    async def test() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            key = (await reader.readuntil(b"\r\n\r\n")).partition(b"Sec-WebSocket-Key: ")[2][:24].decode()
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
            await asyncio.sleep(0.01)
            writer.write(
                b"HTTP/1.1 103 Early Hints\r\n\r\n"
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + f"Sec-WebSocket-Accept: {wslab.accept_key(key)}\r\n\r\n".encode()
                + b"\x81\x02hi\x88\x02\x03\xe8"
            )
            await reader.read()
            writer.close()
            over.set()

        over = asyncio.Event()
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            ws = await wslab.connect(
                f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", close_timeout=0.1
            )
            assert [message async for message in ws] == ["hi"]
            await over.wait()
            await asyncio.sleep(0.01)

    run(test())


@pytest.mark.parametrize("turns", range(8))
def test_connect_that_is_cancelled_at_any_moment(turns: int) -> None:
    async def test() -> None:
        async with nothing_escapes(), wslab.serve(until_closed) as server:
            connecting = asyncio.ensure_future(wslab.connect(uri(server)).__aenter__())
            for _ in range(turns):
                await asyncio.sleep(0)
            connecting.cancel()
            await asyncio.wait([connecting])
            del connecting
            await asyncio.sleep(0.02)

    run(test())


def test_no_timer_is_left_of_a_refusal() -> None:
    async def test() -> None:
        async with wslab.serve(echo, origins=["https://chat.example"]) as server:
            before = timers()
            with pytest.raises(HandshakeError, match="403"):
                await wslab.connect(uri(server), origin="https://evil.example")
            await asyncio.sleep(0.05)
            assert timers() == before

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
