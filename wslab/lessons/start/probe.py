"""The probe: a client that sends one message after another to an echo server and times each round trip.

It shows what a program does to its event loop: a round trip takes as long as the loop was busy with something
else. ``mark`` names a stretch of time, ``echoes`` counts the round trips that were due and ended in it, and
``figure`` draws all of them. What is slow, the lesson says.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Self

from matplotlib.figure import Figure as Drawing
from websockets.asyncio.client import ClientConnection, connect

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, INK

__all__ = ["Probe"]

PAUSE = 0.01  # seconds between two messages
LIMIT = 100_000  # round trips that are kept
PATIENCE = 5.0  # seconds to wait for the end
FLOOR = 0.1  # milliseconds, where the bars begin
TITLE = "time.sleep stops the server; the two other waits do not"


class Probe:
    """A client that times its round trips to an echo server while other things happen.

    Args:
        uri: of the echo server, such as "ws://127.0.0.1:8765".

    Use it as ``async with Probe(uri) as probe:``, or over several cells with ``probe = await
    Probe(uri).start()`` and ``await probe.stop()`` in the last one.

    >>> Probe("ws://127.0.0.1:8765")
    <Probe: not running>
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._task: asyncio.Task[None] | None = None
        self._trips: list[tuple[float, float]] = []  # when each was due, and when its echo was back
        self._marks: list[tuple[str, float, float]] = []

    def __repr__(self) -> str:
        return f"<Probe: {'running' if self._task else 'not running'}>"

    async def start(self) -> Self:
        """Connect, begin to send, and return the probe itself once the first echo is back.

        Raises:
            RuntimeError: the probe runs already.
            OSError: nothing listens there.
        """
        if self._task is not None:
            raise RuntimeError("this probe runs already; stop it first, or make another one")
        connection = await connect(self._uri, compression=None)
        await self._trip(connection, time.perf_counter())
        self._task = asyncio.create_task(self._run(connection))
        return self

    async def stop(self) -> None:
        """Close the connection and wait until nothing of the probe is left.

        Raises:
            TimeoutError: the server does not answer any more; the probe is ended all the same.
        """
        if self._task is None:
            return
        task, self._task = self._task, None
        await asyncio.wait_for(task, PATIENCE)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _run(self, connection: ClientConnection) -> None:
        async with connection:
            while self._task and len(self._trips) < LIMIT:
                due = time.perf_counter() + PAUSE
                await asyncio.sleep(PAUSE)
                await self._trip(connection, due)

    async def _trip(self, connection: ClientConnection, due: float) -> None:
        # Counted from the moment when the message was due: a loop that was too busy to send it was slow, too.
        await connection.send("tick")
        await connection.recv()
        self._trips.append((due, time.perf_counter()))

    @contextlib.contextmanager
    def mark(self, name: str) -> Iterator[None]:
        """Name the time that the indented lines take."""
        began = time.perf_counter()
        yield
        self._marks.append((name, began, time.perf_counter()))

    def echoes(self, name: str) -> int:
        """Return how many round trips were due and ended within a marked time.

        Raises:
            KeyError: nothing was marked with this name.
        """
        for mark, began, ended in reversed(self._marks):
            if mark == name:
                return sum(began <= due and end <= ended for due, end in self._trips)
        raise KeyError(f"nothing was marked {name!r}; there is {', '.join(m for m, _, _ in self._marks)}")

    def figure(self) -> Figure:
        """Draw the length of every round trip over time, with the marked times as bands.

        Raises:
            RuntimeError: nothing was marked yet.
        """
        if not self._marks:
            raise RuntimeError("nothing was marked yet: with probe.mark(name) names what is to be compared")
        zero = min(began for _, began, _ in self._marks)
        marks = [(name, began - zero, ended - zero) for name, began, ended in self._marks]
        last = max(ended for _, _, ended in marks)
        trips = [(due - zero, end - zero) for due, end in self._trips if end >= zero and due - zero <= last]
        names = ", ".join(name for name, _, _ in self._marks)
        return Figure(
            _draw(marks, trips, last),
            f"{TITLE}. A bar for each message, from the moment when it was due to the moment when its echo "
            "was back; its height is the same time, in milliseconds on a logarithmic scale. Behind the bars: "
            f"{names}. A wide and high bar with no other beside it: the server was stopped.",
        )


def _draw(marks: list[tuple[str, float, float]], trips: list[tuple[float, float]], last: float) -> Drawing:
    """Draw stretches and bars; all times in seconds since the first mark."""
    with style():
        drawing = canvas(8, 3.2)
        axes = drawing.add_subplot()
        drawing.suptitle(TITLE, fontsize=11, fontweight="bold")
        for number, (name, began, ended) in enumerate(marks):
            axes.axvspan(began, ended, facecolor=INK, alpha=0.15 if number % 2 else 0.05)
            axes.annotate(name, ((began + ended) / 2, 1.02), xycoords=("data", "axes fraction"), ha="center")
        axes.set_yscale("log")
        due, waited = [due for due, _ in trips], [end - due for due, end in trips]
        heights = [1000 * seconds - FLOOR for seconds in waited]
        axes.bar(
            due, heights, waited, FLOOR, align="edge", color=CLIENT.background, edgecolor=INK, linewidth=0.8
        )
        axes.set_xlim(-0.02, last + 0.02)
        axes.set_ylim(FLOOR, 2000)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("seconds; each bar runs from when its message was due until the echo was back")
        axes.set_ylabel("wait for the echo, ms")
    return drawing
