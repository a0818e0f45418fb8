"""The inbox: messages that have arrived and are not taken yet, and the receiver that waits for one.

This module knows how much waits, so that ``link`` can stop reading before it is too much, and how long ago a
message was taken, so that its answer can be sent before the answer to the Close after it (RFC 6455 §5.5.1).
When there is no message, :meth:`Inbox.wait` waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic

__all__ = ["Inbox"]

OVERHEAD = 100  # bytes that a message costs besides its own, so that empty ones count too


class Inbox:
    """Messages that wait for one receiver.

    Attributes:
        messages: those that are not taken yet, the oldest first.
        size: what they take up, in bytes.
    """

    def __init__(self) -> None:
        self.messages: deque[str | bytes] = deque()
        self.size = 0
        self._loop = asyncio.get_running_loop()
        self._taken_at = float("-inf")
        self._receiver: asyncio.Future[None] | None = None

    def put(self, message: str | bytes) -> None:
        """Add a message. Call :meth:`wake` once all messages of a read are in."""
        self.messages.append(message)
        self.size += len(message) + OVERHEAD

    def take(self) -> str | bytes:
        """Take the oldest message; there must be one."""
        message = self.messages.popleft()
        self.size -= len(message) + OVERHEAD
        self._taken_at = monotonic()
        return message

    def wake(self) -> None:
        """Let the receiver look for a message, or for the end."""
        receiver = self._receiver
        if receiver and not receiver.done():
            receiver.set_result(None)

    def wait(self) -> asyncio.Future[None]:
        """Return a future that is done when :meth:`wake` is called.

        Raises:
            RuntimeError: another task waits already.
        """
        if self.is_awaited:
            raise RuntimeError("another task waits for a message of this connection already")
        self._receiver = self._loop.create_future()
        return self._receiver

    @property
    def is_awaited(self) -> bool:
        """Whether a receiver waits for a message."""
        return self._receiver is not None and not self._receiver.done()

    def since_taken(self) -> float:
        """Return the seconds since the last message was taken; infinity before the first."""
        return monotonic() - self._taken_at
