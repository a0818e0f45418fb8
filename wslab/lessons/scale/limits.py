"""How far one worker process goes: memory, descriptors and work, against the number of its connections.

The clients read bytes and look at none. One more client
speaks; a message counts as delivered when every client has got as many bytes as the speaker got itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wslab import connect
from wslab.handshake import build_request, generate_key
from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, INK
from wslab.lessons.scale.log_server import LogServer
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
    note: str = ""

    @staticmethod
    def _slope(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
        middle_x, middle_y = sum(x) / len(x), sum(y) / len(y)
        below = sum((each - middle_x) ** 2 for each in x)
        slope = sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y, strict=True)) / below
        return slope, middle_y - slope * middle_x

    def line(self, what: str) -> tuple[float, float]:
        """Return what a connection adds, and what there is without one, of "memory" or "seconds"."""
        return self._slope(
            [float(each.connections) for each in self.points], [getattr(each, what) for each in self.points]
        )

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
        with style():
            drawing = canvas(8.2, 2.8)
            drawing.suptitle("Memory and work grow in proportion to the connections")
            for place, (what, name, factor) in enumerate(
                (
                    ("memory", "memory of the worker in MiB", 1),
                    ("seconds", "ms of work to send a message to all", 1000),
                )
            ):
                axes = drawing.add_subplot(1, 2, place + 1, xlabel="connections", ylabel=name)
                x = [each.connections for each in self.points]
                axes.plot(x, [getattr(each, what) * factor for each in self.points], "o", color=INK)
                slope, start = self.line(what)
                axes.plot(
                    [0, x[-1]], [start * factor, (start + slope * x[-1]) * factor], color=CLIENT.background
                )
                axes.set_ylim(0, 1.15 * axes.get_ylim()[1])
        words = f"{self.memory:.0f} KiB and {self.delivery:.0f} µs for each connection"
        return Figure(
            drawing, f"{self.note} Memory and work grow in proportion to the connections: {words}.".strip()
        )


# What the course measured, on 2 cores with Python 3.11, for where there is no log server.
KEPT = (Point(101, 38.0, 211, 0.0012), Point(201, 40.5, 311, 0.0025), Point(401, 43.3, 511, 0.0055))


class _Counter(asyncio.Protocol):
    """A client that sends its handshake and counts the bytes after the response."""

    def __init__(self) -> None:
        self.head = b""
        self.count = -1  # of bytes; below 0 as long as the response is not whole
        self.news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(build_request("127.0.0.1", "/", key=generate_key()).encode())

    def data_received(self, data: bytes) -> None:
        if self.count < 0:
            self.head += data
            _, end, data = self.head.partition(b"\r\n\r\n")
            self.count = 0 if end else -1
        self.count += len(data) if self.count >= 0 else 0
        self.news.set()

    async def reached(self, count: int) -> None:
        """Wait until so many bytes have arrived."""
        while self.count < count:
            self.news.clear()
            await self.news.wait()


async def measure_limits(program: str, log: LogServer, *, sizes: Sequence[int] = (200, 400, 800)) -> Limits:
    """Run one worker, connect so many clients one size after the other, and measure at each.

    Args:
        program: the worker, as for `trial`.
        log: the log server; without one, kept points are returned.
        sizes: numbers of connections, ascending.
    """
    if not log:
        return Limits(KEPT, "Measured when this lesson was written.")
    _allow(max(sizes) + 200)
    await log.empty()
    crowd: list[_Counter] = []
    points = []
    async with Workers(program, (log.host, log.port), count=1) as workers:
        try:
            for size in sizes:
                await _grow(crowd, size, workers.ports[0])
                points.append(await _measure(crowd, workers))
        finally:
            for each in crowd:
                each.transport.abort()
    return Limits(points)


def _allow(descriptors: int) -> None:
    """Raise this process's own limit, which its children inherit, where the system has one and allows it."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < descriptors:
        most = descriptors if hard == resource.RLIM_INFINITY else min(descriptors, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _grow(crowd: list[_Counter], size: int, port: int) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(30):
        while len(crowd) < size:
            some = [
                loop.create_connection(_Counter, "127.0.0.1", port)
                for _ in range(min(AT_ONCE, size - len(crowd)))
            ]
            new = [protocol for _, protocol in await asyncio.gather(*some)]
            crowd += new
            for each in new:
                await each.reached(0)


async def _measure(crowd: list[_Counter], workers: Workers) -> Point:
    pid = workers.processes[0].pid
    async with asyncio.timeout(30), connect(f"ws://127.0.0.1:{workers.ports[0]}/") as speaker:
        before = [each.count for each in crowd]
        begin = _worked(pid)
        for number in range(MESSAGES):
            await speaker.send(json.dumps({"key": f"{len(crowd)}:{number}"}))
        size = heard = 0
        while heard < MESSAGES:
            if '"m"' in (text := str(await speaker.recv())):
                heard += 1
                size += len(text) + (2 if len(text) < 126 else 4)  # the header of its frame
        for each, start in zip(crowd, before, strict=True):
            await each.reached(start + size)
        seconds = (_worked(pid) - begin) / MESSAGES
        return Point(len(crowd) + 1, _memory(pid), _descriptors(pid), seconds)


def _ps(pid: int, what: str) -> str:
    command = ["ps", "-o", f"{what}=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _memory(pid: int) -> float:
    """Return what a process has in memory, in MiB."""
    return int(_ps(pid, "rss") or 0) / 1024


def _worked(pid: int) -> float:
    """Return the processor time that a process has used, in seconds."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():  # where ps knows whole seconds only
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    minutes, _, seconds = _ps(pid, "time").rpartition(":")
    return 60 * int(minutes.rpartition(":")[2] or 0) + float(seconds or 0)


def _descriptors(pid: int) -> int:
    """Return how many files and sockets a process has open; 0 where the system does not say."""
    folder = Path(f"/proc/{pid}/fd")
    return len(os.listdir(folder)) if folder.is_dir() else 0
