"""Processor time of a server for each message and each opening: echo, broadcast, handshake, over loopback.

The server has a thread of its own, and only the processor time of that thread counts. The clients are in
another process, see ``clients``. Beside the packages stands TCP: a server that knows no protocol and sends
back as many bytes as an echo would. No server on asyncio's transports needs less than that.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import websockets
import websockets.asyncio.server
from aiohttp import WSMsgType, web

import wslab
from benchmarks.clients import REQUEST, Clients
from benchmarks.measure import AIOHTTP, ANY, MANY, Row, compare

__all__ = ["SERVINGS", "network_rows"]

Serving = Callable[[set[Any]], AbstractAsyncContextManager[int]]


async def _echo(ws: Any, room: set[Any]) -> None:
    room.add(ws)
    with contextlib.suppress(wslab.ConnectionClosed, websockets.ConnectionClosed):
        async for message in ws:
            await ws.send(message)


@asynccontextmanager
async def _wslab(room: set[Any]) -> AsyncIterator[int]:
    async with wslab.serve(lambda ws: _echo(ws, room), ping_interval=None, close_timeout=1) as server:
        yield server.port


@asynccontextmanager
async def _websockets(room: set[Any]) -> AsyncIterator[int]:
    options: Any = {"compression": None, "ping_interval": None, "close_timeout": 1}
    async with websockets.asyncio.server.serve(
        lambda ws: _echo(ws, room), "127.0.0.1", 0, **options
    ) as server:
        yield next(iter(server.sockets)).getsockname()[1]


@asynccontextmanager
async def _aiohttp(room: set[Any]) -> AsyncIterator[int]:
    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        async for message in ws:
            assert message.type is WSMsgType.BINARY
            await ws.send_bytes(message.data)
        return ws

    application = web.Application()
    application.router.add_get("/", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _picows(room: set[Any]) -> AsyncIterator[int]:
    """Echo frame by frame: picows calls back for each, and leaves messages to its user."""
    picows: Any = importlib.import_module("picows")  # installed for the benchmark only

    class Listener(picows.WSListener):  # type: ignore[misc]
        def on_ws_connected(self, transport: Any) -> None:
            room.add(transport)

        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            if frame.msg_type == picows.WSMsgType.BINARY:
                if frame.fin:
                    transport.send(picows.WSMsgType.BINARY, frame.get_payload_as_bytes())
            elif frame.msg_type == picows.WSMsgType.CLOSE:
                transport.send_close(picows.WSCloseCode.OK)
                transport.disconnect()

        def on_ws_disconnected(self, transport: Any) -> None:
            room.discard(transport)

    async with await picows.ws_create_server(lambda request: Listener(), "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        for transport in set(room):
            transport.disconnect()


SERVINGS: dict[str, Serving] = {
    "websockets": _websockets,
    "wslab": _wslab,
    "aiohttp": _aiohttp,
    "picows": _picows,
}


class _Tcp(asyncio.BufferedProtocol):
    """Answer each message of a known size with the bytes of its echo, without a look at what it says."""

    def __init__(self, size: int, room: set[Any]) -> None:
        frame = wslab.Frame(wslab.Opcode.BINARY, bytes(size))
        self._question = len(wslab.encode_frame(frame, bytes(4)))
        self._answer = wslab.encode_frame(frame)
        self._room = room
        self._buffer = memoryview(bytearray(2**16))
        self._arrived = -len(REQUEST)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._room.add(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        opening = self._arrived < 0
        self._arrived += nbytes
        if self._arrived < 0:
            return
        if opening:
            self._transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        messages, self._arrived = divmod(self._arrived, self._question)
        if messages:
            self._transport.write(self._answer * messages)


def _tcp(size: int) -> Serving:
    @asynccontextmanager
    async def serving(room: set[Any]) -> AsyncIterator[int]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Tcp(size, room), "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]
            for transport in room:
                transport.abort()

    return serving


def _write_to_all(room: set[Any], payload: bytes) -> None:
    frame = wslab.encode_frame(wslab.Frame(wslab.Opcode.BINARY, payload))
    for transport in room:
        transport.write(frame)


class _Server:
    """A server in a thread, with clients that are connected to it."""

    def __init__(self, serving: Serving, connections: int) -> None:
        self.room: set[Any] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._serving = serving
        self._stop = asyncio.Event()
        self._thread = threading.Thread(
            target=lambda: self._loop.run_until_complete(self._run()), daemon=True
        )
        self._thread.start()
        self._ready.wait()
        self.clients = Clients(self.port, connections)

    async def _run(self) -> None:
        async with self._serving(self.room) as self.port:
            self._ready.set()
            await self._stop.wait()

    def call(self, function: Callable[[], Any]) -> Any:
        """Call a function in the server's thread."""

        async def calling() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(calling(), self._loop).result()

    def close(self) -> None:
        self.clients.close()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()


def _echoing(server: _Server, size: int, in_flight: int, rounds: int) -> Callable[[], float]:
    """Send and read back frames, and return the processor time of the server."""

    def run() -> float:
        start = server.call(time.thread_time)
        server.clients.echo(rounds, size, in_flight)
        return float(server.call(time.thread_time) - start)

    return run


def _broadcasting(
    server: _Server, broadcast: Callable[[set[Any], bytes], None], rounds: int
) -> Callable[[], float]:
    payload = os.urandom(100)

    def run() -> float:
        start = server.call(time.thread_time)
        for _ in range(rounds):
            server.call(lambda: broadcast(server.room, payload))
            server.clients.read(102)
        return float(server.call(time.thread_time) - start)

    return run


def _opening(server: _Server, number: int) -> Callable[[], float]:
    """Open connections and close them, one after the other, and return the processor time of the server."""

    def run() -> float:
        start = server.call(time.thread_time)
        server.clients.open(number)
        return float(server.call(time.thread_time) - start)

    return run


def _send_to_all(room: set[Any], payload: bytes) -> None:
    binary = importlib.import_module("picows").WSMsgType.BINARY
    for transport in room:
        transport.send(binary, payload)


def network_rows() -> Iterator[Row]:
    cases = [
        (1, 32, 1, ANY),
        (1, 2**14, 1, ANY),
        (64, 32, 1, AIOHTTP),
        (64, 2**14, 1, AIOHTTP),
        (1, 32, 64, MANY),
    ]
    for connections, size, in_flight, target in cases:
        servings = {**SERVINGS, "TCP": _tcp(size)}
        rounds = max(2, 1000 // (connections * in_flight))
        with contextlib.ExitStack() as stack:
            servers = {name: _open(stack, serving, connections) for name, serving in servings.items()}
            candidates = {name: _echoing(server, size, in_flight, rounds) for name, server in servers.items()}
            what = f"echo {size} B, connections: {connections}, in flight on each: {in_flight}"
            yield compare(what, candidates, target, rounds * connections * in_flight)
    with contextlib.ExitStack() as stack:
        servers = {name: _open(stack, serving, 1) for name, serving in SERVINGS.items()}
        openings = {name: _opening(server, 100) for name, server in servers.items()}
        yield compare("open and close a connection", openings, ANY, 100)
    broadcasts: dict[str, tuple[Serving, Callable[[set[Any], bytes], None]]] = {
        "websockets": (_websockets, websockets.asyncio.server.broadcast),
        "wslab": (_wslab, wslab.broadcast),
        "picows": (_picows, _send_to_all),
        "TCP": (_tcp(100), _write_to_all),
    }
    with contextlib.ExitStack() as stack:
        candidates = {
            name: _broadcasting(_open(stack, serving, 500), broadcast, 4)
            for name, (serving, broadcast) in broadcasts.items()
        }
        yield compare("broadcast 100 B to 500", candidates, ANY, 4 * 500)


def _open(stack: contextlib.ExitStack, serving: Serving, connections: int) -> _Server:
    server = _Server(serving, connections)
    stack.callback(server.close)
    return server
