"""A herd: clients that lost their server at the same moment, and come back by a strategy.

`simulate` plays thousands of them on a clock of its own; `real` lets a few hundred come back on this machine.
The server admits so many a second, and few at once; it refuses the others with 503.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import wslab
from wslab.http import Request, Response

__all__ = ["Herd", "real", "simulate"]

Wait = Callable[[int], float]  # the number of a try, from 0, to seconds
MOST_TRIES = 2_000_000
DESCRIPTORS = 1024  # what a herd of 200 in one process needs, twice over
OUTAGE = 0.3  # seconds that nobody listens on the real server's port
TIME = 15.0  # seconds that a real herd may take


@dataclass
class Herd:
    """What became of a herd: when each client was back, in seconds after the server was lost."""

    back: list[float] = field(default_factory=list)
    refused: int = 0  # with 503

    @property
    def last(self) -> float:
        """When the last client was back."""
        return max(self.back)


class Gate:
    """A server's door: a bucket that fills with a token for each client that may come in."""

    def __init__(self, rate: float, most: int) -> None:
        self.rate, self.most = rate, most
        self.tokens, self.filled = float(most), 0.0

    def admits(self, now: float) -> bool:
        """Take a token, if there is one; `now` never goes back."""
        self.tokens = min(self.most, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def simulate(wait: Wait, clients: int = 10_000, rate: float = 1000, most: int = 100, away: float = 1) -> Herd:
    """Play a herd: `wait` says how long a client waits before a try, `away` when the server is back.

    The server admits `rate` clients a second, and `most` at once. Times are in seconds.
    """
    herd, gate, tries = Herd(), Gate(rate, most), 0
    arriving: dict[float, list[int]] = {}  # time to the tries that are made then, by their numbers
    times: list[float] = []

    def plan(now: float, number: int) -> None:
        at = now + wait(number)
        if at not in arriving:
            arriving[at] = []
            heapq.heappush(times, at)
        arriving[at].append(number)

    for _ in range(clients):
        plan(0.0, 0)
    while times and tries < MOST_TRIES:
        now = heapq.heappop(times)
        for number in arriving.pop(now):
            tries += 1
            if now >= away and gate.admits(now):
                herd.back.append(now)
            else:
                herd.refused += now >= away
                plan(now, number + 1)
    return herd


def clients_for(wanted: int) -> int:
    """Return how many clients this machine has descriptors for; where it can, raise its limit before."""
    try:
        from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit
    except ImportError:
        return wanted  # Windows counts otherwise
    soft, hard = getrlimit(RLIMIT_NOFILE)
    if soft != RLIM_INFINITY and soft < DESCRIPTORS:
        with contextlib.suppress(ValueError, OSError):
            setrlimit(RLIMIT_NOFILE, (DESCRIPTORS if hard == RLIM_INFINITY else min(hard, DESCRIPTORS), hard))
    soft, _ = getrlimit(RLIMIT_NOFILE)
    return wanted if soft == RLIM_INFINITY else min(wanted, soft // 5)


async def come_back(ws: wslab.ClientConnection, uri: str, wait: Wait, back: list[float]) -> None:
    """Wait until a connection is lost, try again until there is another one, and note when."""
    await ws.wait_closed()
    for number in itertools.count():
        await asyncio.sleep(wait(number))
        with contextlib.suppress(OSError, wslab.HandshakeError):
            await wslab.connect(uri, ping_interval=None)
            return back.append(time.monotonic())


async def stay(connection: wslab.ServerConnection) -> None:
    """Serve a client that says nothing."""
    await connection.wait_closed()


async def real(
    wait: Wait, clients: int = 200, rate: float = 200, most: int = 20, outage: float = 0.3
) -> Herd:
    """Let real clients lose their server, which is started again on the same port; see `simulate`."""
    herd, gate, back = Herd(), Gate(rate, most), list[float]()

    def judge(connection: wslab.ServerConnection, request: Request) -> Response | None:
        if gate.admits(time.monotonic() - began):
            return None
        herd.refused += 1
        return connection.respond(503, "too many at once\n")

    server = await wslab.serve(stay, ping_interval=None)
    uri = f"ws://127.0.0.1:{server.port}/"
    opened = [await wslab.connect(uri, ping_interval=None) for _ in range(clients_for(clients))]
    coming = asyncio.gather(*(come_back(ws, uri, wait, back) for ws in opened))
    server.close()
    began = time.monotonic()
    await server.wait_closed()
    await asyncio.sleep(OUTAGE)
    async with wslab.serve(stay, port=server.port, process_request=judge, ping_interval=None):
        await asyncio.wait_for(coming, TIME)
    herd.back += [each - began for each in back]
    return herd
