"""What a tap remembers: every passage of bytes, and every end, in the order in which it happened.

A recording has when something passed, on which connection, which side sent it and which bytes it was. What
the bytes mean is in ``reader``, the sockets are in ``relay``.

Time is the event loop's clock in seconds, counted from the first thing recorded. The order of the passages is
the order in which the tap read them: one event loop reads both sides, so there is never a tie to break.

The bytes kept are bounded by ``limit``. Beyond it, bytes are relayed and summed up; what happened besides
them is always kept.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

from wslab.lab.dissector.stream import Sender

__all__ = ["OTHER", "Passage", "Recording"]

OTHER: dict[Sender, Sender] = {"client": "server", "server": "client"}

# What Python needs to keep one passage, in bytes; without it, a flood of tiny reads would escape the limit.
OVERHEAD = 256


@dataclass(slots=True, eq=False)
class Passage:
    """One thing that passed, or that happened, at the tap.

    ``event`` is "bytes", "open", "FIN" (the sender closes its direction of TCP), "RST" (the sender resets
    the connection), or what happened at the tap itself: "refused", "cut", "freeze", "thaw". ``time`` is when
    the tap read it, ``delivered`` when the tap handed it on (None: never), both in seconds.

    >>> Passage(0.5, 1, "client", "bytes", b"GET").event
    'bytes'
    """

    time: float
    connection: int
    sender: Sender | None
    event: str
    data: bytes = b""
    delivered: float | None = None


class Recording:
    """What passed a tap, up to ``limit`` bytes of memory.

    >>> recording = Recording(limit=1000)
    >>> passage = recording.add(1, "client", "bytes", b"GET", now=7.0)
    >>> passage.time, recording.passages == [passage], recording.complete
    (0.0, True, True)
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.passages: list[Passage] = []
        self.unkept: Counter[str] = Counter()  # bytes for each sender that came after the limit
        self.connections = 0
        self.wall_time = 0.0  # of the first thing recorded, in seconds since 1970
        self._kept = 0
        self._began: float | None = None
        self._news: asyncio.Event | None = None

    @property
    def complete(self) -> bool:
        """Whether every byte that passed was kept."""
        return not self.unkept

    def clock(self, now: float) -> float:
        """Turn a time of the event loop into seconds since the first thing recorded."""
        if self._began is None:
            self._began, self.wall_time = now, time.time()
        return now - self._began

    def add(
        self, connection: int, sender: Sender | None, event: str, data: bytes = b"", *, now: float
    ) -> Passage:
        """Record one thing that passed, and wake those that wait for news.

        ``now`` is the event loop's time in seconds. Once one passage did not fit, no later bytes are kept: a
        stream with a hole in it could not be read. The passage is returned all the same.
        """
        passage = Passage(self.clock(now), connection, sender, event, data)
        if self._fits(len(data)):
            self.passages.append(passage)
            self._kept += len(data) + OVERHEAD
        elif sender is not None:
            self.unkept[sender] += len(data)
        self.wake()
        return passage

    def wake(self) -> None:
        """Wake those that wait for news."""
        if self._news is not None:
            self._news.set()

    def _fits(self, size: int) -> bool:
        # Events without bytes are always kept: how a connection ended matters most in a long recording.
        return size == 0 or (self.complete and self._kept + size + OVERHEAD <= self.limit)

    async def news(self) -> None:
        """Wait until something more is recorded."""
        if self._news is None or self._news.is_set():
            self._news = asyncio.Event()
        await self._news.wait()
