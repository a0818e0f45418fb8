"""What an echo server costs beside others: processor time for a message, memory for a connection.

Each server runs in a thread with an event loop of its own, and only that thread's processor time counts; the
clients are bare sockets that know the bytes of one frame. The servers take turns, and medians are kept, so
that a busy machine disturbs all of them alike. Memory is what Python has allocated for idle connections,
the few hundred bytes of a client's socket included.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web
from websockets.asyncio.server import serve as websockets_serve
from websockets.exceptions import ConnectionClosed

import wslab
from wslab.frames import Frame, Opcode, encode_frame
from wslab.handshake import build_request, generate_key
from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, SERVER
from wslab.lab.views.table import Table

__all__ = ["Costs", "side_by_side"]

Start = Callable[[], AbstractAsyncContextManager[Any]]
CONNECTIONS = 64  # that send at once
IDLE = 200  # whose memory is looked at
ROUNDS = 12  # messages of each connection in a turn
TURNS = 5  # of each server
PAYLOAD = b"*" * 32
PATIENCE = 20.0  # seconds after which a server that does not answer is given up


@dataclass(frozen=True, repr=False)
class Costs:
    """What each server costs: microseconds of processor time a message, and KiB a connection."""

    microseconds: Mapping[str, float]
    kib: Mapping[str, float]

    def __repr__(self) -> str:
        return f" \n{self.table()!r}"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def table(self) -> Table:
        """Return both numbers of each server as a table."""
        rows = [(name, f"{time:.0f}", f"{self.kib[name]:.1f}") for name, time in self.microseconds.items()]
        return Table(("server", "µs a message", "KiB a connection"), rows)

    def figure(self) -> Figure:
        """Draw both numbers as bars, the first server in another colour."""
        with style():
            drawing = canvas(7.2, 0.9 + 0.34 * len(self.kib))
            panels = drawing.subplots(1, 2, sharey=True)
            values = (self.microseconds, self.kib)
            for axes, numbers, unit in zip(panels, values, ("µs a message", "KiB a connection"), strict=True):
                colours = [CLIENT.background] + [SERVER.background] * (len(numbers) - 1)
                bars = axes.barh(list(numbers), list(numbers.values()), color=colours)
                axes.bar_label(bars, fmt="%.0f", padding=3)
                axes.set(xlabel=unit)
                axes.margins(x=0.15)
            panels[0].invert_yaxis()
            drawing.suptitle("What your server costs beside others: less is better")
        told = [f"{name}: {self.microseconds[name]:.0f} µs, {kib:.0f} KiB" for name, kib in self.kib.items()]
        return Figure(drawing, f"What your server costs beside others. {'. '.join(told)}.")


async def echo(connection: Any) -> None:
    """Send every message back; a client that is gone is no news."""
    with suppress(ConnectionClosed):
        async for message in connection:
            await connection.send(message)


@asynccontextmanager
async def _aiohttp() -> Any:
    async def handle(request: web.Request) -> web.WebSocketResponse:
        connection = web.WebSocketResponse(compress=False)
        await connection.prepare(request)
        async for message in connection:
            if message.type is WSMsgType.BINARY:
                await connection.send_bytes(message.data)
        return connection

    application = web.Application()
    application.router.add_get("/", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=1)
    await site.start()
    try:
        yield runner
    finally:
        await runner.cleanup()


OTHERS: dict[str, Start] = {
    "wslab": lambda: wslab.serve(echo, ping_interval=None),
    "websockets": lambda: websockets_serve(echo, "127.0.0.1", 0, compression=None, ping_interval=None),
    "aiohttp": _aiohttp,
}


async def side_by_side(start: Start, name: str = "yours") -> Costs:
    """Measure an echo server beside the others.

    Args:
        start: returns an asynchronous context manager that serves an echo while it is open; what it gives has
            a ``port``, or ``sockets``.
        name: what to call it.
    """
    return await asyncio.to_thread(_measure, {name: start, **OTHERS})


def _measure(servers: Mapping[str, Start]) -> Costs:
    times: dict[str, list[float]] = {name: [] for name in servers}
    with ExitStack() as stack:
        running = {name: stack.enter_context(_running(start)) for name, start in servers.items()}
        groups = {}
        for name, (port, _) in running.items():
            groups[name] = [stack.enter_context(_client(port)) for _ in range(CONNECTIONS)]
        for _ in range(TURNS):
            for name, (_, loop) in running.items():
                times[name].append(_echo(groups[name], loop))
        kib = {name: _memory(port) for name, (port, _) in running.items()}
    return Costs({name: statistics.median(each) for name, each in times.items()}, kib)


@contextmanager
def _running(start: Start) -> Iterator[tuple[int, asyncio.AbstractEventLoop]]:
    """Run a server in a thread; give its port and its loop."""
    ready: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = []
    known = threading.Event()

    async def serve() -> None:
        over = asyncio.Event()
        async with start() as server:
            port = getattr(server, "port", None) or _port(server)
            ready.append((port, asyncio.get_running_loop(), over))
            known.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    if not known.wait(PATIENCE):
        raise TimeoutError("the server did not start: it must be an asynchronous context manager")
    port, loop, over = ready[0]
    try:
        yield port, loop
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(PATIENCE)


def _port(server: Any) -> int:
    sockets = getattr(server, "sockets", None)
    return int(next(iter(sockets)).getsockname()[1] if sockets else server.addresses[0][1])


@contextmanager
def _client(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(build_request(f"127.0.0.1:{port}", key=generate_key()).encode())
        head = b""
        while b"\r\n\r\n" not in head:
            if not (data := client.recv(4096)):
                raise ConnectionError("the server ended a connection in the opening handshake")
            head += data
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise ConnectionError(f"the server refused one of {CONNECTIONS + IDLE} connections")
        yield client


def _echo(clients: list[socket.socket], loop: asyncio.AbstractEventLoop) -> float:
    """Send messages on all connections, and return the server's microseconds for each."""
    frame = encode_frame(Frame(Opcode.BINARY, PAYLOAD), bytes(4))
    size = len(encode_frame(Frame(Opcode.BINARY, PAYLOAD)))
    begin = _processor_time(loop)
    for _ in range(ROUNDS):
        for client in clients:
            client.sendall(frame)
        for client in clients:
            left = size
            while left:
                if not (data := client.recv(left)):
                    raise ConnectionError("the server ended a connection instead of sending a message back")
                left -= len(data)
    return (_processor_time(loop) - begin) * 1e6 / (ROUNDS * len(clients))


def _processor_time(loop: asyncio.AbstractEventLoop) -> float:
    async def read() -> float:
        return time.thread_time()

    return asyncio.run_coroutine_threadsafe(read(), loop).result(PATIENCE)


def _memory(port: int) -> float:
    """Return how many KiB Python allocates for an idle connection."""
    tracemalloc.start()
    try:
        with ExitStack() as stack:
            stack.enter_context(_client(port))  # what is made once, at the first connection
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(IDLE):
                stack.enter_context(_client(port))
            after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / IDLE / 1024
