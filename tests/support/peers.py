"""Three implementations of WebSocket as echo servers and as clients, on sockets that note every byte."""

from __future__ import annotations

import contextlib
import socket
from asyncio import StreamReader, StreamWriter, open_connection, start_server
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import wsproto
from aiohttp import web
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Message,
    Ping,
    Request,
    TextMessage,
)

__all__ = ["CLIENTS", "LONG", "SERVERS", "Spy", "listening", "spy_for_client", "websockets_server"]

LONG = bytes(range(256)) * 274  # 70,144 bytes: the length takes 8 bytes


class Spy(socket.socket):
    """A socket that notes what was sent and received through it; works with a selector event loop."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sent, self.received = bytearray(), bytearray()
        self.accepted: list[Spy] = []

    def accept(self) -> tuple[Spy, Any]:
        number, address = self._accept()  # type: ignore[attr-defined]
        spy = Spy(self.family, self.type, self.proto, fileno=number)
        self.accepted.append(spy)
        return spy, address

    def send(self, data: Any, *flags: int) -> int:
        count = super().send(data, *flags)
        self.sent += bytes(data)[:count]
        return count

    def sendmsg(self, buffers: Any, *rest: Any) -> int:
        parts = [bytes(part) for part in buffers]
        count = super().sendmsg(parts, *rest)
        self.sent += b"".join(parts)[:count]
        return count

    def recv(self, size: int, *flags: int) -> bytes:
        data = super().recv(size, *flags)
        self.received += data
        return data

    def recv_into(self, buffer: Any, *rest: Any) -> int:
        count = super().recv_into(buffer, *rest)
        self.received += bytes(memoryview(buffer)[:count])
        return count


def listening() -> Spy:
    """Return a socket that listens on a free port."""
    spy = Spy(socket.AF_INET, socket.SOCK_STREAM)
    spy.bind(("127.0.0.1", 0))
    spy.listen()
    spy.setblocking(False)
    return spy


def spy_for_client() -> Spy:
    """Return a socket for a client to connect."""
    return Spy(socket.AF_INET, socket.SOCK_STREAM)


# -- servers ------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def websockets_server(spy: Spy, *, compression: str | None = None) -> AsyncIterator[None]:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(echo, sock=spy, compression=compression):
        yield


@contextlib.asynccontextmanager
async def aiohttp_server(spy: Spy) -> AsyncIterator[None]:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        async for message in response:
            if message.type is aiohttp.WSMsgType.TEXT:
                await response.send_str(message.data)
            else:
                await response.send_bytes(message.data)
        return response

    application = web.Application()
    application.router.add_get("/chat", echo)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.SockSite(runner, spy).start()
    yield
    await runner.cleanup()


@contextlib.asynccontextmanager
async def wsproto_server(spy: Spy) -> AsyncIterator[None]:
    async def echo(reader: StreamReader, writer: StreamWriter) -> None:
        protocol = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        parts: list[Any] = []
        while data := await reader.read(65536):
            protocol.receive_data(data)
            for event in protocol.events():
                answer: Any = None
                if isinstance(event, Request):
                    answer = AcceptConnection()
                elif isinstance(event, Message):
                    parts.append(event.data)
                    if event.message_finished:
                        answer = type(event)(type(event.data)().join(parts))
                        parts.clear()
                elif isinstance(event, (Ping, CloseConnection)):
                    answer = event.response()
                if answer is not None:
                    writer.write(protocol.send(answer))
            if protocol.state is ConnectionState.CLOSED:
                break
        writer.close()

    server = await start_server(echo, sock=spy)
    yield
    server.close()


# -- clients: a text, a long binary message, Close ----------------------------------------------------------


async def websockets_client(spy: Spy, port: int) -> None:
    spy.connect(("127.0.0.1", port))
    async with connect(f"ws://127.0.0.1:{port}/chat", sock=spy, compression=None) as connection:
        await connection.send("Hello")
        assert await connection.recv() == "Hello"
        await connection.send(LONG)
        assert await connection.recv() == LONG


async def aiohttp_client(spy: Spy, port: int) -> None:
    connector = aiohttp.TCPConnector(socket_factory=lambda _: spy)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.ws_connect(f"http://127.0.0.1:{port}/chat") as connection,
    ):
        await connection.send_str("Hello")
        assert await connection.receive_str() == "Hello"
        await connection.send_bytes(LONG)
        assert await connection.receive_bytes() == LONG


async def wsproto_client(spy: Spy, port: int) -> None:
    spy.connect(("127.0.0.1", port))
    reader, writer = await open_connection(sock=spy)
    protocol = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)

    async def exchange(intent: Any, expected: type[Any]) -> Any:
        writer.write(protocol.send(intent))
        collected: Any = None
        while True:
            for event in protocol.events():
                assert isinstance(event, expected)
                collected = event.data if collected is None else collected + event.data
                if event.message_finished:
                    return collected
            protocol.receive_data(await reader.read(65536))

    writer.write(protocol.send(Request(host=f"127.0.0.1:{port}", target="/chat")))
    protocol.receive_data(await reader.readuntil(b"\r\n\r\n"))
    assert [type(event) for event in protocol.events()] == [AcceptConnection]
    assert await exchange(TextMessage("Hello"), TextMessage) == "Hello"
    assert await exchange(BytesMessage(LONG), BytesMessage) == LONG
    writer.write(protocol.send(CloseConnection(1000)))
    protocol.receive_data(await reader.read())
    assert [type(event) for event in protocol.events()] == [CloseConnection]
    writer.close()


SERVERS: dict[str, Callable[[Spy], contextlib.AbstractAsyncContextManager[None]]] = {
    "websockets": websockets_server,
    "aiohttp": aiohttp_server,
    "wsproto": wsproto_server,
}
CLIENTS = {"websockets": websockets_client, "aiohttp": aiohttp_client, "wsproto": wsproto_client}
