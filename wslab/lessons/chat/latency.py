"""The figures of the chat: ways to tell everyone under the same load, and how long lines take to arrive.

Text alternatives have no measured value, since those differ from run to run. What is compared has shades of
grey: the colours of ``palette`` are those of the fields of a frame.
"""

from __future__ import annotations

from matplotlib.axes import Axes

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import INK
from wslab.lessons.chat.bots import Talk
from wslab.lessons.chat.load import COUNT, RATE, Load

__all__ = ["draw_loads", "draw_talks"]

LATE = "With a queue for each client, a frozen reader delays no one, and what waits is bounded"
CROWD = "The more bots share a room, the later a line arrives"
SHADES = ("#FFFFFF", "#B4B8BE", "#4A4F57")


def draw_loads(*loads: Load) -> Figure:
    """Draw how late lines were for the readers, and how much memory the frozen reader takes.

    Args:
        loads: one for each way to tell everyone, with different names.
    """
    with style():
        drawing = canvas(8, 4.6)
        drawing.suptitle(LATE, size=11)
        grid = drawing.add_gridspec(2, len(loads), height_ratios=(3, 1))
        late: list[Axes] = []
        for column, (load, fill) in enumerate(zip(loads, SHADES * 2, strict=False)):
            late.append(drawing.add_subplot(grid[0, column], sharey=late[0] if late else None))
            _points(late[-1], load, fill, first=not column)
        late[0].set_ylabel("until it arrived, ms")
        late[len(late) // 2].set_xlabel("when the line was due, seconds")
        _bars(drawing.add_subplot(grid[1, :]), loads)
    return Figure(
        drawing,
        f"{LATE}. Compared: {', '.join(load.name for load in loads)}. Above, a panel for each, and in it a "
        "point for each line that Bob, Cy or Dee received: how long after it was due, in milliseconds on a "
        "logarithmic scale. Where the server waits for Eve, the points climb far above the others and fall "
        "along a slope to the moment when her network thaws. Below, a bar for each way: the most bytes that "
        "waited for Eve in the memory of the server.",
    )


def _points(axes: Axes, load: Load, fill: str, *, first: bool) -> None:
    due, heights = zip(*((due, 1000 * after) for due, after in load.latencies), strict=True)
    axes.plot(due, heights, "o", color=fill, markeredgecolor=INK, markeredgewidth=0.6, markersize=4.5)
    _milliseconds(axes, "y")
    axes.set(xlim=(-0.02, COUNT / RATE + 0.02), title=load.name)
    axes.tick_params(labelleft=first)


def _bars(axes: Axes, loads: tuple[Load, ...]) -> None:
    waiting = [load.waiting / 1024 for load in loads]
    bars = axes.barh([load.name for load in loads], waiting, color=SHADES * 2, edgecolor=INK, linewidth=0.6)
    axes.bar_label(bars, fmt="%.0f KiB", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel("waiting for Eve in the server, KiB")


def draw_talks(*talks: Talk) -> Figure:
    """Draw how the latencies of bots are distributed, one histogram above the other.

    Args:
        talks: what ``talk`` returned.
    """
    with style():
        drawing = canvas(8, 1.0 + 1.7 * len(talks))
        drawing.suptitle(CROWD, size=11)
        rows = drawing.subplots(len(talks), 1, sharex=True, squeeze=False)
        edges = [10 ** (-1 + step / 12) for step in range(61)]  # twelve bars for a factor of ten
        for axes, talk in zip(rows[:, 0], talks, strict=True):
            _histogram(axes, talk, edges)
        rows[-1, 0].set_xlim(0.3, max(3000.0, *(talk.percentile(100) for talk in talks)))
        rows[-1, 0].set_xlabel("from when a line was due until a bot received it, ms")
    kinds = "; ".join(f"{talk.bots} bots, rooms: {talk.rooms}" for talk in talks)
    return Figure(
        drawing,
        f"{CROWD}. A histogram for each of: {kinds}. To the "
        "right, how long a line took until a bot received it, in milliseconds on a logarithmic scale; "
        "upwards, how many percent of the deliveries took that long. A solid line marks the median, a "
        "dashed one the 95th percentile.",
    )


def _histogram(axes: Axes, talk: Talk, edges: list[float]) -> None:
    weights = [100 / len(talk.latencies)] * len(talk.latencies)
    axes.hist(talk.latencies, edges, weights=weights, color=SHADES[1], edgecolor=INK, linewidth=0.5)
    top = axes.get_ylim()[1]
    for percent, name, line, side in ((50, "median ", "-", "right"), (95, " 95 %", "--", "left")):
        value = talk.percentile(percent)
        axes.axvline(value, color=INK, linestyle=line, linewidth=1)
        axes.annotate(name, (value, 1.15 * top), va="top", ha=side)
    axes.set_title(f"{talk.bots} bots, {'one room' if talk.rooms == 1 else f'{talk.rooms} rooms'}", size=10)
    axes.set(ylim=(0, 1.18 * top), ylabel="% of deliveries")
    _milliseconds(axes, "x")


def _milliseconds(axes: Axes, axis: str) -> None:
    """Give an axis a logarithmic scale that is read in plain numbers."""
    for_axis = axes.yaxis if axis == "y" else axes.xaxis
    getattr(axes, f"set_{axis}scale")("log")
    for_axis.set_major_formatter("{x:g}")
