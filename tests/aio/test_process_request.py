"""What holds while ``process_request`` is at work: its bound, and its end when the client has left."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

import wslab
from tests.support.aio import UPGRADE, echo, raw, run, uri
from wslab import ReadyState, Request, Response, ServerConnection


class Hanging:
    """A process_request that waits for something that never happens, and counts those of its kind."""

    def __init__(self) -> None:
        self.now = 0
        self.changed = asyncio.Event()

    async def __call__(self, ws: ServerConnection, request: Request) -> Response | None:
        self.now += 1
        self.changed.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.now -= 1
            self.changed.set()
        return None

    async def become(self, number: int) -> None:
        while self.now != number:
            self.changed.clear()
            await self.changed.wait()


@pytest.mark.parametrize("reset", [False, True])
def test_ends_with_the_connection(reset: bool) -> None:
    """Fifty clients that leave leave no task behind, without any limit of time."""

    async def test() -> None:
        hanging = Hanging()
        async with wslab.serve(echo, process_request=hanging, open_timeout=None) as server:
            clients = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(50)]
            for _, writer in clients:
                writer.write(UPGRADE + b"\r\n\x81\x80abcd")
            await hanging.become(50)
            for _, writer in clients:
                writer.transport.abort() if reset else writer.close()
            await hanging.become(0)
            for _, writer in clients:
                if not reset:
                    await writer.wait_closed()
            while server.accepted:
                await asyncio.sleep(0)

    run(test())


def test_ends_with_the_connection_under_tls(certificate: Path) -> None:
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate)
    theirs = ssl.create_default_context(cafile=certificate)

    async def test() -> None:
        hanging = Hanging()
        async with wslab.serve(echo, process_request=hanging, open_timeout=None, ssl=ours) as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=theirs)
            writer.write(UPGRADE + b"\r\n")
            await hanging.become(1)
            writer.close()
            await hanging.become(0)
            await writer.wait_closed()

    run(test())


def test_is_bounded_by_open_timeout() -> None:
    async def test() -> None:
        hanging = Hanging()
        async with wslab.serve(echo, process_request=hanging, open_timeout=0.1) as server:
            assert await raw(server, UPGRADE + b"\r\n") == b""
            await hanging.become(0)

    run(test())


def test_a_shutdown_waits_for_none() -> None:
    async def test() -> None:
        hanging = Hanging()
        async with wslab.serve(
            echo, process_request=hanging, open_timeout=None, close_timeout=None
        ) as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(UPGRADE + b"\r\n")
            await hanging.become(1)
        assert hanging.now == 0
        writer.close()

    run(test())


def test_a_client_that_has_said_all_still_gets_its_page() -> None:
    async def page(ws: ServerConnection, request: Request) -> Response:
        while not ws._peer_ended:
            await asyncio.sleep(0)
        return Response.text(200, "the page\n")

    async def test() -> None:
        async with wslab.serve(echo, process_request=page) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            writer.write_eof()
            assert (await reader.read()).endswith(b"the page\n")
            writer.close()
            await writer.wait_closed()

    run(test())


def test_frames_that_come_before_the_answer_are_kept_and_bounded() -> None:
    go_on = asyncio.Event()

    async def wait(ws: ServerConnection, request: Request) -> None:
        await go_on.wait()

    async def test() -> None:
        async with wslab.serve(echo, process_request=wait, max_size=2**25) as server:
            client = socket.create_connection(("127.0.0.1", server.port))
            client.setblocking(False)
            payload = bytes(2**24)
            frame = wslab.encode_frame(wslab.Frame(wslab.Opcode.BINARY, payload), b"abcd")
            loop = asyncio.get_running_loop()
            sending = asyncio.ensure_future(loop.sock_sendall(client, UPGRADE + b"\r\n" + frame))
            while not server.accepted or next(iter(server.accepted)).transport.is_reading():
                await asyncio.sleep(0)
            (ws,) = server.accepted
            assert len(ws._reader.rest) < 2**18
            go_on.set()
            answer = b""
            while len(answer) < len(payload):
                answer += await loop.sock_recv(client, 2**20)
            assert answer.endswith(payload[:1000])
            await sending
            client.close()

    run(test())


def test_an_absolute_target_is_reduced_for_the_application() -> None:
    """RFC 9112 §3.2.2: its authority takes the place of Host."""
    seen: list[tuple[str, str]] = []

    def note(ws: ServerConnection, request: Request) -> None:
        seen.append((request.path, request.headers["Host"]))

    async def handler(ws: ServerConnection) -> None:
        assert ws.request
        seen.append((ws.request.path, ws.request.headers["Host"]))

    async def test() -> None:
        async with wslab.serve(handler, process_request=note) as server:
            head = UPGRADE.replace(b"GET / ", b"GET http://h.example:81?room=1 ") + b"\r\n\x88\x80abcd"
            assert (await raw(server, head)).startswith(b"HTTP/1.1 101 ")
            async with wslab.connect(uri(server)):
                pass

    run(test())
    assert seen[:2] == [("/?room=1", "h.example:81")] * 2


def test_what_a_connection_says_of_itself_before_it_is_open() -> None:
    """RFC 6455 §4.1: it is connecting, and nothing has been agreed on."""
    seen: list[object] = []

    def note(ws: ServerConnection, request: Request) -> None:
        seen.extend([ws.ready_state, ws.request == request, ws.response, ws.subprotocol, ws.compression])
        seen.extend([ws.close_code, ws.close_reason, ws.failure, ws.latency])

    async def test() -> None:
        async with (
            wslab.serve(echo, process_request=note, subprotocols=["chat"]) as server,
            wslab.connect(uri(server), subprotocols=["chat"]) as ws,
        ):
            assert ws.subprotocol == "chat"

    run(test())
    assert seen == [ReadyState.CONNECTING, True, None, None, None, None, "", None, 0]


def test_nothing_can_be_sent_before_it_is_open() -> None:
    seen: list[str] = []

    async def send(ws: ServerConnection, request: Request) -> None:
        wslab.broadcast([ws], "x")  # skips it
        for sending in (ws.send("x"), ws.send(b"x"), ws.ping(), ws.pong()):
            with pytest.raises(RuntimeError) as refused:
                await sending
            seen.append(str(refused.value))

    async def test() -> None:
        async with wslab.serve(echo, process_request=send) as server:
            assert (await raw(server, UPGRADE + b"\r\n\x88\x80abcd")).endswith(b"\r\n\r\n\x88\x00")

    run(test())
    assert seen == ["the opening handshake is not done"] * 4
