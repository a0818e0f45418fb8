"""A client that reads less than its server has to say: what waits in the memory of the server.

``observe`` puts messages into a queue at a steady rate, and has the lesson's own task send what comes out of
it. The client reads an eighth of that. What waits is counted at each message: in the queue, and in the write
buffer of the transport. What the systems hold for the two sockets is bounded, fills up first, and is not
counted. Which queue, and so what happens to a message for which there is no room, is the lesson's affair.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

__all__ = ["SIZE", "WRITE_BUFFER", "Backlog", "observe"]

SIZE = 8 * 1024  # bytes of a message
EVERY = 0.01  # seconds from message to message
SLOW = 8 * EVERY  # seconds from one read of the client to the next, of at most one message
WRITE_BUFFER = 32 * 1024  # bytes in the transport from which on the sender waits
SYSTEM = 32 * 1024  # bytes that each system is asked to hold for its socket, so that all systems are alike
PATIENCE = 20.0  # seconds for the whole

Policy = Callable[[ServerConnection], "asyncio.Queue[str]"]
Sender = Callable[["asyncio.Queue[str]", ServerConnection], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Backlog:
    """What waited for a slow reader, and what it received.

    Args:
        times: of each message of the server, in seconds since the first.
        waiting: bytes in the server's memory at each of them.
        received: the numbers of the messages that reached the client, counted from 0, those included that
            it read when the server had said everything and it was quick again.
        disconnected: whether the server ended the connection.

    >>> Backlog((0.0, 0.1), (8192, 16384), (0,), False).peak
    16384
    """

    times: tuple[float, ...]
    waiting: tuple[int, ...]
    received: tuple[int, ...]
    disconnected: bool

    @property
    def peak(self) -> int:
        """The most that waited, in bytes."""
        return max(self.waiting)


async def observe(policy: Policy, send_from: Sender, count: int = 200) -> Backlog:
    """Push messages to a client that reads too slowly, and return what waited in the server's memory.

    Args:
        policy: given the connection, returns the queue; its ``put_nowait`` may drop messages or end the
            connection. The last message must not be dropped.
        send_from: given the queue and the connection, sends what comes out of it until the connection ends.
        count: how many messages, a hundredth of a second apart.

    Raises:
        TimeoutError: it did not end within twenty seconds.
    """
    notes: list[tuple[float, int]] = []
    over = asyncio.Event()

    async def handle(websocket: ServerConnection) -> None:
        queue = policy(websocket)
        sender = asyncio.create_task(send_from(queue, websocket))
        now = asyncio.get_running_loop().time
        start = now()
        for number in range(count):
            if websocket.transport.is_closing():
                break
            queue.put_nowait(f"{number:<{SIZE}}")
            waits = 0 if websocket.transport.is_closing() else queue.qsize() * SIZE
            notes.append((now() - start, waits + websocket.transport.get_write_buffer_size()))
            await asyncio.sleep(start + (number + 1) * EVERY - now())
        over.set()
        await websocket.wait_closed()
        sender.cancel()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SYSTEM)
        options: dict[str, Any] = {"compression": None, "ping_interval": None, "write_limit": WRITE_BUFFER}
        async with asyncio.timeout(PATIENCE), serve(handle, sock=listener, **options):
            received = await _read(listener.getsockname()[1], count, over)
            await over.wait()
    times, waiting = zip(*notes, strict=True)
    return Backlog(times, waiting, tuple(received), len(notes) < count)


async def _read(port: int, count: int, over: asyncio.Event) -> list[int]:
    """Read slowly until the server has said everything, then at once; return the numbers that arrived."""
    received = [-1]
    with socket.socket() as client, suppress(ConnectionClosed):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SYSTEM)
        client.connect(("127.0.0.1", port))  # the kernel accepts at once
        options: dict[str, Any] = {"compression": None, "max_queue": 1, "ping_interval": None}
        async with connect(f"ws://127.0.0.1:{port}", sock=client, **options) as websocket:
            while received[-1] < count - 1:
                received.append(int(await websocket.recv()))
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), SLOW)
    return received[1:]
