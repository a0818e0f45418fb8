"""A conversation as a sequence diagram: two lifelines, the client's on the left, and an arrow for each row.

The arrows have equal distances, so that the same conversation makes the same picture in every run. Or they
are at their places on an axis of time: an arrow slants for as long as the network took, and a freeze is a
grey stretch. Colour and line style together distinguish HTTP, data frames, control frames and TCP. The text
alternative is the conversation in words, without times.

A long conversation is drawn without its middle, and the picture says how many rows that leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle
from matplotlib.ticker import MaxNLocator

from wslab.lab.views.figure import Figure, box, sheet, style
from wslab.lab.views.palette import CLIENT, GRID, INK, LEGEND, PALE, SERVER
from wslab.lab.wire.conversation import Conversation, Row, caption, in_words, legend_of, shorten

__all__ = ["draw_conversation"]

MAX_ROWS = 24
WIDTH = 760  # all sizes are in CSS pixels
TOP = 62  # where the first arrow may be
STEP = 36  # between two arrows at equal distances
LABEL = 17  # the least distance of two labels, one below the other
HEIGHT = 400  # of the axis of time, where the labels do not need more
LOST = 40  # how far an arrow would go down that never arrives; it ends half way
DASHES = {"solid": "-", "dashed": (0, (6, 3)), "dotted": (0, (1.5, 1.8)), "dash-dot": (0, (8, 2, 1.5, 2))}

TITLE = "Sequence diagram, client on the left, server on the right."


def draw_conversation(conversation: Conversation) -> Figure:
    """Draw a conversation, on an axis of time if its table has times.

    >>> draw_conversation(Conversation([]))
    Sequence diagram, client on the left, server on the right. Nothing has passed yet.
    """
    first, left_out, last = shorten(conversation.rows, MAX_ROWS)
    several = len({row.connection for row in conversation if row.connection}) > 1
    gap = (len(first), f"… {left_out} rows left out") if left_out else None
    with style():
        axes = (_timed if conversation.times else _spaced)([*first, *last], several, gap)
        return Figure(axes.figure, in_words(TITLE, conversation.rows, MAX_ROWS))  # type: ignore[arg-type]


# -- equal distances ----------------------------------------------------------------------------------------


def _spaced(rows: Sequence[Row], several: bool, gap: tuple[int, str] | None) -> Axes:
    left, right = 90.0, 670.0
    places = [TOP + 14 + STEP * (i + (gap is not None and i >= gap[0])) for i in range(len(rows) + 1)]
    axes, middle = _stage(left, right, places[-1] - 16, rows), (left + right) / 2
    for row, y in zip(rows, places, strict=False):
        _arrow(axes, row, (left, y), (right, y))
        text = (f"({row.connection}) " if several and row.connection else "") + caption(row)
        _text(axes, middle, y - 9, text, LEGEND[legend_of(row)].ink, "center", right - left - 24)
    if gap is not None:
        _text(axes, middle, TOP + 10 + STEP * gap[0], gap[1], INK, "center")
    return axes


# -- an axis of time ----------------------------------------------------------------------------------------


def _timed(rows: Sequence[Row], several: bool, gap: tuple[int, str] | None) -> Axes:
    left, right = 316.0, 462.0
    times = [time for row in rows for time in (row.time, row.arrived) if time is not None]
    scale = _Scale(min(times, default=0.0), max(times, default=0.0))
    heights = [scale.y(row.time) for row in rows]
    labels = _spread(rows, heights)
    lowest = [y + LOST / 2 for row, y in zip(rows, heights, strict=True) if row.arrived is None]
    axes = _stage(left, right, max([TOP + HEIGHT, *labels, *lowest]) + 12, rows)
    _frozen(axes, rows, scale, (left, right))
    for tick, text in scale.ticks():
        for begin, end in ((52, 66), (left, right)):  # none behind a label
            axes.plot([begin, end], [tick, tick], color=GRID, linewidth=0.8, zorder=0)
        _text(axes, 48, tick, text, INK, "right")
    for row, y, beside in zip(rows, heights, labels, strict=True):
        arrived = y + LOST if row.arrived is None else scale.y(row.arrived)
        far = y if row.kind == "tap" else arrived
        ends = ((left, far), (right, y)) if row.sender == "server" else ((left, y), (right, far))
        _arrow(axes, row, *ends)
        number = f"({row.connection}) " if several and row.connection else ""
        text = number + (row.what if row.kind == "tap" else caption(row))
        x, away = (right, 1) if row.sender == "server" else (left, -1)
        axes.plot([x, x + 14 * away], [y, beside], color=PALE, linewidth=0.6)
        side, room = ("left", WIDTH - right - 28) if away > 0 else ("right", left - 72)
        _text(axes, x + 17 * away, beside, text, LEGEND[legend_of(row)].ink, side, room)
    if gap is not None:
        _text(axes, (left + right) / 2, sum(heights[gap[0] - 1 : gap[0] + 1]) / 2, gap[1], INK, "center")
    return axes


class _Scale:
    """The axis of time: from 0, or from near the first row where that is much later."""

    def __init__(self, first: float, last: float) -> None:
        begin = 0.0 if 3 * first < last else first
        self._ticks = [float(tick) for tick in MaxNLocator(8).tick_values(begin, last)]
        self._begin = max([tick for tick in self._ticks if tick <= begin], default=0.0)
        self._end = max(last, self._begin + 1e-3)

    def y(self, time: float) -> float:
        """Return how far down a time in milliseconds is, in CSS pixels."""
        return TOP + (time - self._begin) * HEIGHT / (self._end - self._begin)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Yield where the ticks are, and what is written there: seconds, where it takes more than two."""
        for tick in self._ticks:
            if self._begin <= tick <= self._end:
                yield self.y(tick), f"{tick / 1000:g} s" if self._end > 2000 else f"{tick:g} ms"


def _frozen(axes: Axes, rows: Sequence[Row], scale: _Scale, sides: tuple[float, float]) -> None:
    """Shade the time in which nothing passed, in both directions or in one."""
    left, right = sides
    since: dict[str | None, float] = {}
    for row in [*rows, None]:
        if row is not None and row.what == "freeze" and row.kind == "tap":
            since.setdefault(row.sender, scale.y(row.time))
        elif row is None or (row.kind == "tap" and row.what in ("thaw", "cut")):
            until = TOP + HEIGHT if row is None else scale.y(row.time)
            for begin in since.values():
                place = (left, begin), right - left, until - begin
                axes.add_patch(Rectangle(*place, fc=GRID, ec="none", zorder=0.5))
                if until - begin > 2 * LABEL:
                    _text(axes, (left + right) / 2, until - LABEL / 2 - 3, "frozen", INK, "center")
            since.clear()


def _spread(rows: Sequence[Row], heights: Sequence[float]) -> list[float]:
    """Move labels that would overlap down, each side by itself."""
    lowest = {True: 0.0, False: 0.0}
    result = []
    for row, y in zip(rows, heights, strict=True):
        side = row.sender == "server"
        lowest[side] = max(y, lowest[side] + LABEL)
        result.append(lowest[side])
    return result


# -- what both have -----------------------------------------------------------------------------------------


def _stage(left: float, right: float, bottom: float, rows: Sequence[Row]) -> Axes:
    """Return a sheet with the two lifelines and the legend."""
    _, axes = sheet(WIDTH, bottom + 44)
    for x, name, colour in ((left, "client", CLIENT), (right, "server", SERVER)):
        axes.plot([x, x], [38, bottom], color=colour.background, linewidth=1.6, zorder=1)
        box(axes, (x - 38, 12, 76, 26), name, colour, size=9.5)
    x = 60.0
    for name in [name for name in LEGEND if any(legend_of(row) == name for row in rows)]:
        dashes, y = DASHES[LEGEND[name].line], bottom + 24
        axes.plot([x, x + 44], [y, y], color=LEGEND[name].ink, linewidth=1.8, linestyle=dashes)
        _text(axes, x + 52, y, name, INK, "left")
        x += 172
    return axes


def _arrow(axes: Axes, row: Row, client: tuple[float, float], server: tuple[float, float]) -> None:
    """Draw an arrow between the lifelines; one that never arrived ends half way, in a cross."""
    look = LEGEND[legend_of(row)]
    (x0, y0), (x1, y1) = (server, client) if row.sender == "server" else (client, server)
    if row.kind != "tap" and row.arrived is None:
        x1, y1 = (x0 + x1) / 2, (y0 + y1) / 2
        axes.plot([x1], [y1], marker="x", color=look.ink, markersize=8, markeredgewidth=2, zorder=3)
    elif row.kind != "tap":
        toward = 1 if x1 > x0 else -1
        tip = [(x1, y1), (x1 - 9 * toward, y1 - 4.5), (x1 - 9 * toward, y1 + 4.5)]
        axes.add_patch(Polygon(tip, facecolor=look.ink, edgecolor="none", zorder=3))
        x1 -= 8 * toward
    axes.plot([x0, x1], [y0, y1], color=look.ink, linewidth=1.8, linestyle=DASHES[look.line], zorder=2)


def _text(axes: Axes, x: float, y: float, text: str, colour: str, side: str, room: float = WIDTH) -> None:
    """Write a text that takes no more than so much room; what does not fit is left out, and that is shown."""
    written = axes.text(x, y, text, color=colour, size=8.5, ha=side, va="center", zorder=4)
    while (width := written.get_window_extent().width) > room:
        text = text[: int(len(text) * room / width) - 1].rstrip("… ") + "…"
        written.set_text(text)
