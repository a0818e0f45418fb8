"""A network of any quality, in one direction: what is put in comes out unaltered, in order, and later.

A ``Path`` is the quality: delay, rate, frozen or not. It is shared by all connections of a tap, and may
change at any time. A ``Pipe`` carries one direction of one connection along a path, from an outlet that it
reads to one that it writes. The sockets at the ends are in ``relay``.

Everything that arrives, ends included, waits in one queue with the time at which it is due. So the order is
kept whatever happens to the delay, and a delay costs no throughput, because many bytes are on the way at
once. The queue holds at most ``IN_TRANSIT`` bytes and one read. When it is full, or the target cannot take
more, the source is not read any more: backpressure reaches the sender.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from wslab.lab.wire.recording import Passage

__all__ = ["Outlet", "Path", "Pipe", "Signal"]

IN_TRANSIT = 4 * 2**20  # bytes on the way in one direction of one connection: 100 MB/s at 40 ms
BOTTLENECK = 64 * 2**10  # bytes that wait in front of a throttle, as in the buffer of a router
IN_FREEZE = 4 * 2**10  # bytes that are taken of what is sent into a frozen network, and held
READ = 64 * 2**10  # bytes that are read at once
TICK = 0.01  # seconds of a throttled rate that are delivered at once


class Outlet(Protocol):
    """What a pipe asks of its two ends."""

    full: bool  # nothing can be written now

    def read(self, wanted: bool) -> None: ...
    def write(self, data: memoryview) -> None: ...
    def signal(self, signal: Signal) -> None: ...


@dataclass(slots=True)
class Path:
    """The network in one direction: delay in seconds, rate in bytes a second, frozen or not."""

    delay: float = 0.0
    rate: float | None = None
    frozen: bool = False


class Signal(Enum):
    """What can pass besides bytes."""

    FIN = "FIN"
    RST = "RST"


@dataclass(slots=True)
class Item:
    """Bytes or a signal on the way, and since when they could have arrived."""

    due: float
    what: memoryview | Signal
    passage: Passage


class Pipe:
    """One direction of one connection, from the end that is read to the end that is written."""

    def __init__(self, path: Path, source: Outlet, target: Outlet, clock: Callable[[float], float]) -> None:
        self._path, self._source, self._target, self._clock = path, source, target, clock
        self._queue: deque[Item] = deque()
        self._in_transit = 0
        self._free_at = 0.0  # when a throttled path has sent what is before, in the event loop's time
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def take(self, what: bytes | Signal, passage: Passage) -> None:
        """Accept what arrived: it is due after the delay that the path has now."""
        item = what if isinstance(what, Signal) else memoryview(what)
        self._queue.append(Item(self._loop.time() + self._path.delay, item, passage))
        self._in_transit += 0 if isinstance(item, Signal) else len(item)
        self.move()

    def restart(self) -> None:
        """Go on after the path changed: the time for which nothing passed is not made up for."""
        self._free_at = max(self._free_at, self._loop.time())
        self.move()

    def move(self) -> None:
        """Deliver what is due, then set the alarm for what is next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue and not self._path.frozen and not self._target.full:
            due, size = self._next()
            if due > self._loop.time():
                self._timer = self._loop.call_at(due, self.move)
                break
            self._free_at = due
            self._deliver(self._queue[0], size)
        self._source.read(self._wanted())

    def drop(self) -> None:
        """Forget what is on the way: it can no longer be delivered."""
        self._queue.clear()
        self._in_transit = 0
        self.move()

    def _next(self) -> tuple[float, int]:
        """Return when the next piece has arrived in full, and its size in bytes."""
        item, rate = self._queue[0], self._path.rate
        if isinstance(item.what, Signal):
            return max(item.due, self._free_at) if rate else item.due, 0
        if rate is None:
            return item.due, len(item.what)
        size = min(len(item.what), max(1, int(rate * TICK)))
        return max(item.due, self._free_at) + size / rate, size

    def _deliver(self, item: Item, size: int) -> None:
        if isinstance(item.what, Signal):
            self._queue.popleft()
            self._target.signal(item.what)
        else:
            self._target.write(item.what[:size])
            self._in_transit -= size
            item.what = item.what[size:]
            if not item.what:
                self._queue.popleft()
        item.passage.delivered = self._clock(self._loop.time())

    @property
    def room(self) -> int:
        """How many bytes may be read at once."""
        return IN_FREEZE if self._path.frozen else READ

    def _wanted(self) -> bool:
        path = self._path
        if path.frozen:  # a little is read all the same, so that a picture shows what was sent
            return self._in_transit < IN_FREEZE
        limit = IN_TRANSIT if path.rate is None else BOTTLENECK + path.rate * path.delay
        return not self._target.full and self._in_transit < limit
