"""How far one worker process goes: memory, descriptors and work, against the number of its connections.

One more client speaks; its message counts as delivered when every client has received it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import psutil

from wslab import connect
from wslab.aio.client import ClientConnection
from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, INK
from wslab.lessons.scale.log_server import ABSENT, LogServer
from wslab.lessons.scale.processes import Workers

__all__ = ["Limits", "Point", "measure_limits"]

MESSAGES = 60  # for each point
AT_ONCE = 50  # connections that are opened side by side


@dataclass(frozen=True)
class Point:
    """What a worker takes for so many connections."""

    connections: int
    memory: float  # MiB
    descriptors: int  # 0 where the system does not say
    seconds: float  # of processor time to send one message to every client


@dataclass(frozen=True, repr=False)
class Limits:
    """The measured points, and the straight lines through them."""

    points: Sequence[Point]
    storing: float  # microseconds that the log's server works to store one message

    def line(self, what: str) -> tuple[float, float]:
        """Return what a connection adds, and what there is without one, of "memory" or "seconds"."""
        x, y = zip(*((each.connections, getattr(each, what)) for each in self.points), strict=True)
        slope, start = np.polyfit(x, y, 1)
        return float(slope), float(start)

    @property
    def memory(self) -> float:
        """What a connection takes, in KiB."""
        return self.line("memory")[0] * 1024

    @property
    def delivery(self) -> float:
        """What it takes to send one message to one client, in microseconds of processor time."""
        return self.line("seconds")[0] * 1e6

    def figure(self) -> Figure:
        """Draw memory and time against the number of connections, with their lines."""
        title = "Each connection adds the same memory and about the same work"
        x = np.array([each.connections for each in self.points])
        with style():
            drawing = canvas(6.4, 2.6)
            drawing.suptitle(title)
            for place, (what, name, factor) in enumerate(
                (
                    ("memory", "memory in MiB", 1),
                    ("seconds", "ms of work for a message", 1000),
                ),
                start=1,
            ):
                axes = drawing.add_subplot(1, 2, place, xlabel="connections", ylabel=name)
                axes.plot(x, [getattr(each, what) * factor for each in self.points], "o", color=INK)
                slope, start = self.line(what)
                ends = np.array([0, x[-1]])
                axes.plot(ends, (start + slope * ends) * factor, color=CLIENT.background)
                axes.set_ylim(0, 1.15 * axes.get_ylim()[1])
        words = f"{self.memory:.0f} KiB and {self.delivery:.0f} µs for each connection"
        return Figure(drawing, f"{title}: {words}.")


# What the course measured, on 2 cores with Python 3.11, for where there is no log server.
KEPT = Limits(
    (Point(201, 38.7, 308, 0.0025), Point(401, 41.0, 508, 0.005), Point(801, 45.5, 908, 0.0110)), 45.0
)


async def measure_limits(program: str, log: LogServer, *, sizes: Sequence[int] = (200, 400, 800)) -> Limits:
    """Run one worker, connect so many clients one size after the other, and measure at each.

    Args:
        program: the worker, as for `trial`.
        log: the log server; without one, kept measurements are returned.
        sizes: numbers of connections, ascending.
    """
    if not log:
        print(ABSENT)
        return KEPT
    _allow(max(sizes) + 200)
    crowd: list[ClientConnection] = []
    try:
        async with asyncio.timeout(60), Workers(program, (log.host, log.port), count=1) as workers:
            points = []
            for size in sizes:
                await log.empty()  # a client that joins has no past to read
                while missing := size - len(crowd):
                    some = [_client(workers) for _ in range(min(AT_ONCE, missing))]
                    crowd += await asyncio.gather(*some)
                points.append(await _measure(crowd, workers))
            async with log.client() as client:
                commands = await client.info("commandstats")
            return Limits(points, commands["cmdstat_eval"]["usec_per_call"])
    finally:
        for each in crowd:
            each.abort()


def _allow(descriptors: int) -> None:
    """Raise this process's own limit, which its children inherit, where the system has one and allows it."""
    with suppress(ImportError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < descriptors:
            most = descriptors if hard == resource.RLIM_INFINITY else min(descriptors, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _client(workers: Workers) -> connect:
    return connect(f"ws://127.0.0.1:{workers.ports[0]}/", ping_interval=None)


async def _measure(crowd: Sequence[ClientConnection], workers: Workers) -> Point:
    worker = psutil.Process(workers.processes[0].pid)
    async with _client(workers) as speaker:
        before = worker.cpu_times()
        for number in range(MESSAGES):
            await speaker.send(json.dumps({"key": f"{len(crowd)}:{number}"}))
            for each in (speaker, *crowd):
                while '"m"' not in str(await each.recv()):  # the speaker gets an acknowledgement, too
                    pass
        after = worker.cpu_times()
        seconds = after.user + after.system - before.user - before.system
        files = worker.num_fds() if psutil.POSIX else 0
        return Point(len(crowd) + 1, worker.memory_info().rss / 2**20, files, seconds / MESSAGES)
