"""How far a ticker falls behind its schedule: the measurement, and the picture.

A ticker is an asynchronous generator that yields when it is time for a tick. ``measure`` does a little work
at each tick, as a server that sends something does, and notes how late the tick was: the first tick starts
the schedule, and tick n is due n periods after it. Lateness that grows from tick to tick is drift; lateness
that comes and goes is a busy machine, and no ticker can help it.

How a ticker waits is the lesson's affair. Nothing here reads bytes: what a tick sends is a message (RFC 6455
§5.6) like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, INK, SERVER

__all__ = ["Ticks", "figure", "measure"]

LAST = 10  # ticks at the end that tell how far a ticker has fallen behind
LOOKS = ((SERVER.background, "o"), (CLIENT.background, "s"), (INK, "^"))


@dataclass(frozen=True)
class Ticks:
    """Hold how late each tick of a ticker was.

    Args:
        period: from one tick to the next, in seconds.
        late: for each tick, seconds after it was due.

    >>> Ticks(0.05, (0.0, 0.01, 0.02, 0.03)).drift
    0.0
    """

    period: float
    late: tuple[float, ...]

    def __repr__(self) -> str:
        return f"<{len(self.late)} ticks, one every {self.period:g} s>"

    @property
    def drift(self) -> float:
        """How late the most punctual of the last ten ticks was, in seconds; no short delay explains it."""
        return min(self.late[-LAST:])


async def measure(
    ticker: Callable[[float], AsyncGenerator[object, None]],
    period: float = 0.05,
    count: int = 40,
    work: float = 0.01,
) -> Ticks:
    """Run a ticker, work at each tick, and note how late the ticks are.

    Args:
        ticker: given the period in seconds, yields at each tick.
        period: from one tick to the next, in seconds.
        count: how many ticks.
        work: how long each tick keeps its caller busy, in seconds; the event loop is free meanwhile.

    Raises:
        ValueError: the count is not above 0.
    """
    if count < 1:
        raise ValueError(f"{count} ticks cannot be measured")
    now = asyncio.get_running_loop().time
    times: list[float] = []
    async with aclosing(ticker(period)) as ticks:
        async for _ in ticks:
            times.append(now())
            if len(times) == count:
                break
            await asyncio.sleep(work)
    return Ticks(period, tuple(time - times[0] - number * period for number, time in enumerate(times)))


def figure(measured: Mapping[str, Ticks]) -> Figure:
    """Draw how late each tick was, a line for each ticker.

    Args:
        measured: name of a ticker to its ticks.

    Raises:
        ValueError: there is nothing to draw.
    """
    if not measured:
        raise ValueError("there is nothing to draw: no ticker was measured")
    with style():
        drawing = canvas(8, 3.2)
        axes = drawing.add_subplot()
        for (name, ticks), (colour, marker) in zip(measured.items(), LOOKS, strict=False):
            late = [1000 * each for each in ticks.late]
            axes.plot(late, marker=marker, markersize=3.5, linewidth=1.2, color=colour)
            axes.annotate(
                name, (len(late) - 1, late[-1]), (8, 0), textcoords="offset points", va="center", color=colour
            )
        axes.set_xlabel("tick")
        axes.set_ylabel("late, ms")
    return Figure(
        drawing,
        f"A line for each way to wait: {', '.join(measured)}. Over the number of the tick stands how late it "
        "was. A line that climbs falls further behind; one near zero keeps the schedule.",
    )
