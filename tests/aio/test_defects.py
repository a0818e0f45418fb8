"""Defects that an attack has found, each mended: handlers, pages and refusals that go wrong, leavers."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

import wslab
from tests.aio.test_aio import (
    UPGRADE,
    certificate,  # noqa: F401
    echo,
    raw,
    run,
    until_closed,
    uri,
)
from tests.aio.test_attack import answering, wire
from tests.aio.test_hostile import opened
from wslab import Connection, HandshakeError, Headers, Response, ServerConnection
from wslab.aio.heartbeat import Heartbeat
from wslab.lessons.heartbeat.server_thread import Elsewhere


@contextlib.asynccontextmanager
async def nothing_escapes() -> AsyncIterator[None]:
    """Check that no exception reaches the event loop, or is found when what is left is thrown away."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    yield
    gc.collect()
    await asyncio.sleep(0)
    assert not found


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


def tls_context(path: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_tls_handshake_that_never_comes(certificate: Any) -> None:  # noqa: F811
    async def test() -> None:
        ours = tls_context(certificate)
        serving = wslab.serve(echo, ssl=ours, open_timeout=0.3, close_timeout=0.2)
        async with nothing_escapes(), serving as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"\x16\x03")
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()

    run(test())


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x02\x01\x00"])
def test_tls_handshake_that_fails(certificate: Any, data: bytes) -> None:  # noqa: F811
    """The event loop tells a connection of some of these failures, and not of others."""

    async def test() -> None:
        async with nothing_escapes(), wslab.serve(echo, ssl=tls_context(certificate)) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(data)
            writer.write_eof()
            async with asyncio.timeout(5):
                await reader.read()
                while server.accepted:
                    await asyncio.sleep(0)
            writer.close()

    run(test())


def test_client_that_does_not_trust_the_certificate(certificate: Any) -> None:  # noqa: F811
    async def test() -> None:
        async with nothing_escapes(), wslab.serve(echo, ssl=tls_context(certificate)) as server:
            with pytest.raises(ssl.SSLCertVerificationError):
                await wslab.connect(f"wss://127.0.0.1:{server.port}")
            async with asyncio.timeout(5):
                while server.accepted:
                    await asyncio.sleep(0)

    run(test())


@pytest.mark.parametrize("data", [b"", b"\x16\x03", b"GET / HTTP/1.1\r\n\r\n"])
def test_shutdown_during_the_handshake_of_tls(certificate: Any, data: bytes) -> None:  # noqa: F811
    async def test() -> None:
        async with nothing_escapes(), wslab.serve(echo, ssl=tls_context(certificate)) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(data)
            while not server.accepted:
                await asyncio.sleep(0)
            server.close()
            async with asyncio.timeout(5):  # open_timeout and close_timeout are 10
                await server.wait_closed()
                with contextlib.suppress(ConnectionError):
                    await reader.read()
            assert not server.accepted
            writer.close()

    run(test())


def test_request_in_the_flight_that_ends_the_handshake_of_tls(certificate: Any) -> None:  # noqa: F811
    async def test() -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        trusting = ssl.create_default_context(cafile=certificate)
        client = trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")
        serving = wslab.serve(echo, ssl=tls_context(certificate))
        async with asyncio.timeout(5), nothing_escapes(), serving as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                try:
                    client.do_handshake()
                    if not answer:
                        client.write(UPGRADE + b"\r\n")
                        answer = b" "
                    answer += client.read()
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    incoming.write(await reader.read(2**16))
            assert answer.startswith(b" HTTP/1.1 101 ")
            writer.close()

    run(test())


def test_head_that_arrives_in_the_turn_of_the_shutdown() -> None:
    async def test() -> None:
        async def page(ws: ServerConnection, request: Any) -> None:
            await asyncio.sleep(60)

        async with wslab.serve(until_closed, close_timeout=0.2, process_request=page) as server:
            peer = socket.create_connection(("127.0.0.1", server.port))
            while not server.accepted:
                await asyncio.sleep(0)
            await asyncio.sleep(0.01)
            peer.sendall(UPGRADE + b"\r\n")
        peer.close()

    run(test())


def test_failure_behind_a_close_keeps_the_code_that_was_received() -> None:
    """§7.1.5: a Close came first, then the heartbeat gives up while its answer waits."""
    server = Connection("server")
    server.receive_data(wire(0x88, b"\x0b\xb9"))
    server.fail(1011, "no pong")
    assert (server.close_code, server.failure) == (3001, None)


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
        heartbeat = Heartbeat(0.001, 0.02, ping=ping, has_read=lambda: True, give_up=given_up.append)
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


def test_control_characters_of_a_refusal_are_not_printed() -> None:
    async def test() -> None:
        body = b"no \x1b[31mentry\x07"
        head = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(body)
        async with answering(head + body) as address:
            with pytest.raises(HandshakeError, match=r"403.*no \ufffd\[31mentry\ufffd"):
                await wslab.connect(address)

    run(test())


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


def test_pong_that_waits_while_the_receiver_holds_the_reading_up() -> None:
    """The reading goes on just before the timer is due: the pong is on its way, and gets one timeout more."""

    async def test() -> None:
        serving = wslab.serve(until_closed, ping_interval=None, close_timeout=0.5)
        async with serving as server, wslab.connect(uri(server), ping_interval=None, close_timeout=0.5) as ws:
            (peer,) = server.connections
            while peer._reading:
                await ws.send(bytes(2**18))
                await asyncio.sleep(0)
            assert not peer._has_read()
            while not peer._reading:
                await peer.recv()
            assert not peer._has_read()
            assert peer._has_read()

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


def test_tls_peer_that_says_good_bye_and_never_reads(certificate: Any) -> None:  # noqa: F811
    """A transport of TLS that is closed twice cannot be aborted: it would stay for ever."""

    async def test() -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        trusting = ssl.create_default_context(cafile=certificate)
        client = trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")

        async def flood(ws: ServerConnection) -> None:
            while True:
                await ws.send(bytes(2**16))

        serving = wslab.serve(flood, ssl=tls_context(certificate), close_timeout=0.2, ping_interval=None)
        async with serving as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            while not server.connections:
                try:
                    client.do_handshake()
                    client.write(UPGRADE + b"\r\n")
                    writer.write(outgoing.read())
                    await asyncio.sleep(0.01)
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    incoming.write(await reader.read(2**16))
            (ws,) = server.connections
            cast(asyncio.Transport, writer.transport).pause_reading()
            while not ws._congested:
                await asyncio.sleep(0.01)
            client.write(wire(0x88, b"\x03\xe8"))
            with contextlib.suppress(ssl.SSLError):
                client.unwrap()
            writer.write(outgoing.read())  # a Close, and the good-bye of TLS
            await ws.wait_closed()
            writer.transport.abort()

    run(test(), seconds=10)


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


def test_peer_that_reads_is_alive_though_its_pong_is_held_up() -> None:
    """A feed keeps the write buffer full, and a slow receiver the inbox: the peer takes what it gets."""

    async def test() -> None:
        serving = wslab.serve(until_closed, ping_interval=None, close_timeout=0.5)
        async with serving as server, wslab.connect(uri(server), close_timeout=0.5) as ws:
            (peer,) = server.connections
            peer._has_read()
            while peer._reading:
                await ws.send(bytes(2**18))
                await asyncio.sleep(0)
            peer.pause_writing()
            peer._has_read()
            peer.resume_writing()  # the peer has read
            peer.pause_writing()
            assert not peer._has_read()
            assert peer._has_read()  # and has read nothing since
            peer.resume_writing()
            while not peer._reading:
                await peer.recv()

    run(test())


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


def test_tls_peer_that_sends_on_hears_why_it_was_failed(certificate: Any) -> None:  # noqa: F811
    """TLS on asyncio has no half-closed connection: ended at once, it would be reset by what still comes."""

    async def test() -> None:
        theirs = ssl.create_default_context(cafile=certificate)
        serving = Elsewhere(wslab.serve, until_closed, ssl=tls_context(certificate), max_size=1000)
        async with serving as server:
            ws = await wslab.connect(f"wss://127.0.0.1:{server.port}", ssl=theirs)
            await ws.send(bytes(2000))
            time.sleep(0.1)  # this client is busy, and does not know yet
            for _ in range(3):
                await ws.send(bytes(2000))
                time.sleep(0.05)
            await ws.wait_closed()
            assert ws.close_code == 1009

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


def timers() -> int:
    loop: Any = asyncio.get_running_loop()
    return sum(not timer.cancelled() for timer in loop._scheduled)


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


def test_no_timer_is_left_of_a_refusal() -> None:
    async def test() -> None:
        async with wslab.serve(echo, origins=["https://chat.example"]) as server:
            before = timers()
            with pytest.raises(HandshakeError, match="403"):
                await wslab.connect(uri(server), origin="https://evil.example")
            await asyncio.sleep(0.05)
            assert timers() == before

    run(test())
