"""A reader that is slower than its server: what waits in the server's memory, by the queue that it has.

``observe`` serves one client through a tap that lets less pass than the server has to say. The server puts
messages into a queue at a steady rate, and a task sends what comes out of it. What waits is counted at each
message: in the queue, and in the write buffer of the transport. What the systems hold for the sockets, and
the tap in front of its throttle, is bounded, has to fill up first, and is not counted. ``figure`` draws it
over time.

Which queue, and so what happens to a message for which there is no room, is the lesson's affair. A queue that
raises ``asyncio.QueueFull`` says that the reader is too slow: its connection is ended without a Close (RFC
6455 §7.1.7), because a Close would have to wait behind all that the reader has not read.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, INK, SERVER
from wslab.lab.wire.tap import Tap

__all__ = ["SIZE", "WRITE_BUFFER", "Backlog", "figure", "observe"]

SIZE = 8 * 1024  # bytes of a message
EVERY = 0.01  # seconds from message to message
RATE = 100_000  # bytes a second that reach the reader: an eighth of what the server says
WRITE_BUFFER = 32 * 1024  # bytes in the transport from which on the sender waits
SOCKET_BUFFER = 64 * 1024  # bytes that the server's system is asked to hold, so that all systems are alike
LOOKS = ((SERVER.background, "-"), (CLIENT.background, "--"), (INK, "-."))  # a colour and a line a queue
PATIENCE = 20.0  # seconds for the whole

QueueMaker = Callable[[], "asyncio.Queue[str]"]


@dataclass(frozen=True)
class Backlog:
    """Hold what one queue did.

    Args:
        times: of each message of the server, in seconds since the first.
        waiting: bytes in the server's memory at each of them.
        received: the numbers of the messages that reached the client, counted from 0, those included that
            arrived when the server had said everything and the network was fast again.
        disconnected: whether the server ended the connection.

    >>> Backlog((0.0, 0.1), (8192, 16384), (0,), False).peak
    16384
    """

    times: tuple[float, ...]
    waiting: tuple[int, ...]
    received: tuple[int, ...]
    disconnected: bool

    def __repr__(self) -> str:
        return f"<backlog of a slow reader{', who was disconnected' if self.disconnected else ''}>"

    @property
    def peak(self) -> int:
        """The most that waited, in bytes."""
        return max(self.waiting)


class Experiment:
    """Push to one connection through a queue, and count what waits."""

    def __init__(self, queue: asyncio.Queue[str], count: int) -> None:
        self._queue, self._count = queue, count
        self.times: list[float] = []
        self.waiting: list[int] = []
        self.disconnected = False
        self.over = asyncio.Event()  # the server has said all that it had to say

    async def handle(self, websocket: ServerConnection) -> None:
        """Be the handler of the server."""
        sender = asyncio.create_task(self._send(websocket))
        try:
            await self._produce(websocket)
            self.over.set()
            await websocket.wait_closed()
        finally:
            sender.cancel()

    async def _send(self, websocket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                await websocket.send(await self._queue.get())

    async def _produce(self, websocket: ServerConnection) -> None:
        now = asyncio.get_running_loop().time
        start = now()
        for number in range(self._count):
            self._note(now() - start, websocket)
            try:
                self._queue.put_nowait(f"{number:<{SIZE}}")
            except asyncio.QueueFull:
                self.disconnected = True
                websocket.transport.abort()
                break
            await asyncio.sleep(start + (number + 1) * EVERY - now())
        self._note(now() - start, websocket)

    def _note(self, time: float, websocket: ServerConnection) -> None:
        in_queue = 0 if self.disconnected else self._queue.qsize() * SIZE
        self.times.append(time)
        self.waiting.append(in_queue + websocket.transport.get_write_buffer_size())


async def observe(make_queue: QueueMaker, count: int = 200) -> Backlog:
    """Push messages to a reader that is too slow, and return what waited in the server's memory.

    Args:
        make_queue: called once; its ``put_nowait`` may raise ``asyncio.QueueFull`` to have the reader
            disconnected, or drop a message.
        count: how many messages, a hundredth of a second apart; the last of them must not be dropped.

    Raises:
        TimeoutError: it did not end within twenty seconds.
    """
    experiment = Experiment(make_queue(), count)
    received: list[int] = []

    async def read(port: int) -> None:
        with suppress(ConnectionClosed):
            async with connect(f"ws://127.0.0.1:{port}", compression=None, ping_interval=None) as websocket:
                while count - 1 not in received[-1:]:
                    received.append(int(await websocket.recv()))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        server = serve(
            experiment.handle,
            sock=listener,
            compression=None,
            ping_interval=None,
            write_limit=WRITE_BUFFER,
        )
        async with asyncio.timeout(PATIENCE), server, Tap(listener.getsockname()[1]) as tap:
            tap.throttle(RATE, "server")
            reader = asyncio.create_task(read(tap.port))
            await experiment.over.wait()
            tap.throttle(None)  # what waits may pass now, so that it is seen what ever arrives
            await reader
    return Backlog(
        tuple(experiment.times), tuple(experiment.waiting), tuple(received), experiment.disconnected
    )


def figure(backlogs: Mapping[str, Backlog]) -> Figure:
    """Draw what waited in the server's memory over time, a line for each queue.

    Args:
        backlogs: name of a queue to what it did.

    Raises:
        ValueError: there is nothing to draw.
    """
    if not backlogs:
        raise ValueError("there is nothing to draw: no queue was observed")
    with style():
        drawing = canvas(8, 3.4)
        axes = drawing.add_subplot()
        for (name, backlog), (colour, line) in zip(backlogs.items(), LOOKS, strict=False):
            waiting = [data / 1024 for data in backlog.waiting]
            axes.plot(backlog.times, waiting, line, color=colour, linewidth=1.6, label=name)
            if backlog.disconnected:
                axes.plot(backlog.times[-1], waiting[-1], "x", color=colour, markersize=9, markeredgewidth=2)
        axes.set_xlabel("seconds")
        axes.set_ylabel("waiting in the server, KiB")
        axes.set_ylim(bottom=-30)
        axes.legend(loc="upper left", frameon=False)
    return Figure(
        drawing,
        f"A line for each queue: {', '.join(backlogs)}. Over time stands what waits in the server's memory. "
        "A line that climbs has no bound; one that ends in a cross is of a reader who was disconnected.",
    )
