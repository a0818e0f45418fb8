"""One connection to a chat: what waits for it, what passed, and how fast it may speak.

A ``Member`` has a queue of its own and one task that empties it onto the connection. Who has news for a
member offers it, which never waits. The queue is bounded: a member that does not read is dropped when it is
full, so that what one slow reader costs has a limit. This is the remedy that lesson 07 arrives at.

It works on a connection of ``websockets`` and of ``wslab`` alike. Frames are counted by message: both
libraries send a text in one frame (RFC 6455 §5.6), and browsers do. What a message means is left to
``chat_messages``, who gets it to ``chat``.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import websockets

import wslab.aio

__all__ = ["CLOSED", "Member", "abort"]

CLOSED = (websockets.ConnectionClosed, wslab.aio.ConnectionClosed)
PENDING = 256  # messages that may wait for one member
RATE = 10  # messages that a member may send in a second


def abort(websocket: Any) -> None:
    """End TCP at once, without a closing handshake: a Close would have to wait behind what is not read."""
    getattr(websocket, "transport", websocket).abort()  # websockets: on its transport; wslab: on itself


class Member:
    """Hold one connection: its queue, its counts, and its name once it has joined.

    Args:
        websocket: the server's end of the connection.
        pending: how many messages may wait for it.

    Attributes:
        since: when it connected, in seconds since 1970.
        received, sent: text frames from it and to it.
    """

    def __init__(self, websocket: Any, pending: int = PENDING) -> None:
        self.websocket = websocket
        self.name = ""
        self.room = ""
        self.since = time.time()
        self.received = self.sent = 0
        self._queue: asyncio.Queue[str] = asyncio.Queue(pending)
        self._times: deque[float] = deque(maxlen=RATE)

    async def __aenter__(self) -> Member:
        self._writer = asyncio.create_task(self._write())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.cancel()
        await asyncio.wait([self._writer])

    def offer(self, message: str) -> None:
        """Queue a message; drop the member if there is no room for it."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            abort(self.websocket)

    def too_fast(self, clock: Callable[[], float] = time.monotonic) -> bool:
        """Count a message, and tell whether there were more than `RATE` in the last second.

        Args:
            clock: gives the time in seconds.
        """
        now = clock()
        if len(self._times) == RATE and now - self._times[0] < 1:
            return True
        self._times.append(now)
        return False

    async def _write(self) -> None:
        try:
            while True:
                await self.websocket.send(await self._queue.get())
                self.sent += 1
        except CLOSED:
            pass  # the handler hears of it, too
