"""The two figures of lesson 06: how late ticks are, and what waits for a slow reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, INK, SERVER
from wslab.lessons.push.slow_reader import Backlog

__all__ = ["late", "waiting"]

COLOURS = (SERVER.background, CLIENT.background, INK, INK)
LINES = ("-", "--", "-.", ":")
MARKS = "os^x"


def _plot(title: str, x: str, y: str) -> tuple[Drawing, Axes]:
    drawing = canvas(8, 3.3)
    return drawing, drawing.add_subplot(xlabel=x, ylabel=y, title=title)


def late(measured: Mapping[str, Sequence[float]]) -> Figure:
    """Draw how late each tick was, a line for each way to tick.

    Args:
        measured: name of a way to the seconds by which its ticks were late.
    """
    title = "sleep falls behind at every tick; a schedule does not"
    with style():
        drawing, axes = _plot(title, "tick", "late, ms")
        for (name, seconds), colour, mark in zip(measured.items(), COLOURS, MARKS, strict=False):
            axes.plot([1000 * each for each in seconds], f"{mark}-", markersize=3.5, color=colour, label=name)
        axes.legend(loc="upper left", frameon=False)
    return Figure(
        drawing,
        f"{title}. x: number of the tick; y: how late it was, in milliseconds. A line each for "
        f"{', '.join(measured)}. A line that climbs falls further behind.",
    )


def waiting(backlogs: Mapping[str, Backlog]) -> Figure:
    """Draw what waited in the server's memory over time, a line for each policy.

    Args:
        backlogs: name of a policy to what it did.
    """
    title = "Without a bound, what waits for one slow reader grows and grows"
    with style():
        drawing, axes = _plot(title, "seconds", "waiting in the server, KiB")
        for (name, backlog), colour, line in zip(backlogs.items(), COLOURS, LINES, strict=False):
            heights = [data / 1024 for data in backlog.waiting]
            axes.plot(backlog.times, heights, line, color=colour, linewidth=1.6, label=name)
            if backlog.disconnected:
                axes.plot(backlog.times[-1], heights[-1], "x", color=colour, ms=9, markeredgewidth=2)
        axes.set_ylim(bottom=-30)
        axes.legend(loc="upper left", frameon=False)
    return Figure(
        drawing,
        f"{title}. x: seconds; y: kilobytes in the server's memory for this client. A line each for "
        f"{', '.join(backlogs)}. A line that climbs has no bound; one that ends in a cross is of a client "
        "that was disconnected.",
    )
