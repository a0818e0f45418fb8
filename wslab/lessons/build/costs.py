"""What echo servers cost: processor time for a message, memory for a connection.

The servers run in this event loop, and only its thread's processor time counts; the clients are bare sockets
in another thread, which know the bytes of one frame. The servers take turns, and medians are kept, so that a
busy machine disturbs all of them alike. Memory is what Python has allocated for idle connections, the few
hundred bytes of a client's socket included.
"""

from __future__ import annotations

import asyncio
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from statistics import median
from types import SimpleNamespace
from typing import Any

import websockets
from aiohttp import web

import wslab
from wslab.frames import Frame, Opcode, encode_frame
from wslab.handshake import build_request, generate_key
from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import INK, PAPER

__all__ = ["Costs", "side_by_side"]

Start = Callable[[], AbstractAsyncContextManager[Any]]
CONNECTIONS = 64  # that send at once
IDLE = 200  # whose memory is looked at
ROUNDS = 12  # messages of each connection in a turn
TURNS = 5  # of each server
ANSWER = encode_frame(Frame(Opcode.BINARY, b"*" * 32))
MESSAGE = encode_frame(Frame(Opcode.BINARY, b"*" * 32), bytes(4))
CLOSE = encode_frame(Frame(Opcode.CLOSE), bytes(4))
PATIENCE = 20.0  # seconds after which a server that does not answer is given up


@dataclass(frozen=True)
class Costs:
    """What each server costs: microseconds of processor time a message, and KiB a connection."""

    microseconds: Mapping[str, float]
    kib: Mapping[str, float]

    def figure(self, title: str) -> Figure:
        """Draw both numbers as bars under a title that says what to see; the first server's are dark."""
        words = []
        with style():
            drawing = canvas(7.2, 0.9 + 0.34 * len(self.kib))
            for axes, numbers, unit in zip(
                drawing.subplots(1, 2, sharey=True),
                (self.microseconds, self.kib),
                ("µs of processor time a message", "KiB an idle connection"),
                strict=True,
            ):
                colours = [INK] + [PAPER] * (len(numbers) - 1)
                bars = axes.barh(list(numbers), list(numbers.values()), color=colours, edgecolor=INK)
                axes.bar_label(bars, fmt="%.0f", padding=3)
                axes.set(xlabel=unit)
                axes.margins(x=0.15)
                axes.yaxis.set_inverted(True)
                words.append(f"{unit}: " + ", ".join(f"{name} {cost:.0f}" for name, cost in numbers.items()))
            drawing.suptitle(title)
        return Figure(drawing, f"{title}. {'. '.join(words)}.")


async def side_by_side(start: Start) -> Costs:
    """Measure an echo server next to the others.

    Args:
        start: returns an asynchronous context manager that serves an echo while it is open, and yields
            something with its ``port``.
    """
    servers = {"yours": start} | OTHERS
    times: dict[str, list[float]] = {name: [] for name in servers}
    async with AsyncExitStack() as running:
        ports = {name: (await running.enter_async_context(each())).port for name, each in servers.items()}
        with ExitStack() as stack:
            groups = {name: await asyncio.to_thread(_connect, port, stack) for name, port in ports.items()}
            for name, clients in list(groups.items()) * TURNS:
                begin = time.thread_time()
                await asyncio.to_thread(_turn, clients)
                times[name].append((time.thread_time() - begin) * 1e6 / (ROUNDS * CONNECTIONS))
        kib = {name: await asyncio.to_thread(_memory, port) for name, port in ports.items()}
    return Costs({name: median(each) for name, each in times.items()}, kib)


async def _echo(connection: Any) -> None:
    async for message in connection:
        await connection.send(message)


@asynccontextmanager
async def _aiohttp() -> AsyncIterator[Any]:
    async def handle(request: web.Request) -> web.WebSocketResponse:
        connection = web.WebSocketResponse(compress=False)
        await connection.prepare(request)
        async for message in connection:
            await connection.send_bytes(message.data)
        return connection

    application = web.Application()
    application.router.add_get("/", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=1).start()
        yield SimpleNamespace(port=runner.addresses[0][1])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _serving(serve: Any) -> AsyncIterator[Any]:
    async with serve(_echo, "127.0.0.1", 0, ping_interval=None, compression=None) as server:
        yield SimpleNamespace(port=next(iter(server.sockets)).getsockname()[1])


OTHERS: dict[str, Start] = {
    "wslab": lambda: _serving(wslab.serve),
    "websockets": lambda: _serving(websockets.serve),
    "aiohttp": _aiohttp,
}


def _connect(port: int, stack: ExitStack, number: int = CONNECTIONS) -> list[Any]:
    return [stack.enter_context(_client(port)) for _ in range(number)]


@contextmanager
def _client(port: int) -> Iterator[Any]:
    address = ("127.0.0.1", port)
    with socket.create_connection(address, PATIENCE) as client, client.makefile("rwb", 64) as stream:
        _send(stream, build_request(f"127.0.0.1:{port}", key=generate_key()).encode())
        if not stream.readline().startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(f"the server refused one of {CONNECTIONS + IDLE} connections")
        while stream.readline().strip():
            pass
        yield stream
        _send(stream, CLOSE)


def _send(stream: Any, data: bytes) -> None:
    stream.write(data)
    stream.flush()


def _turn(clients: list[Any]) -> None:
    """Send messages on all connections, and read what comes back."""
    for _ in range(ROUNDS):
        for client in clients:
            _send(client, MESSAGE)
        for client in clients:
            if client.read(len(ANSWER)) != ANSWER:
                raise ConnectionError("the server sent something other than the message back")


def _memory(port: int) -> float:
    """Return how many KiB Python allocates for an idle connection."""
    tracemalloc.start()
    try:
        with ExitStack() as stack:
            _connect(port, stack, 1)  # what is made once, at the first connection
            before, _ = tracemalloc.get_traced_memory()
            _connect(port, stack, IDLE)
            after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / IDLE / 1024
