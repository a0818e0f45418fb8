"""Two pictures of a race: what freshness costs, and what rare or frequent changes cost.

``trade`` sets staleness against bytes for an update, every way and interval in one picture, with
the curves that theory predicts. ``rates`` calculates from the weight of an update what an hour costs.

Every kind of way has its marker and line style in all of them, and its name at the line: colour only repeats
these. The words of a figure name no measured number, so that they are the same in every run. What is measured
comes from ``race`` and ``cost``. What happened when is drawn by ``timeline``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import INK, PAPER
from wslab.lessons.polling.costs import Cost, Costs
from wslab.lessons.polling.race import Race
from wslab.lessons.polling.result import Result

__all__ = ["rates", "trade"]

HOUR = 3600
HOLD = 30  # seconds that a server lets a long poll wait
COMMENT, COMMENTS = 8, 15  # bytes of a comment as a chunk, and seconds between two (HTML standard)
HEARTBEAT, HEARTBEATS = 16, 20  # bytes of ping and pong with four bytes each, and seconds between two


class Look(NamedTuple):
    """Hold how a kind of way is drawn."""

    colour: str
    marker: str
    dashes: str | tuple[int, tuple[float, ...]]


LOOKS = (
    Look("#5A4FB0", "o", "-"),
    Look("#A85B00", "s", (0, (7, 2))),
    Look("#00704F", "^", (0, (7, 2, 1.5, 2))),
    Look("#9B1C5C", "D", (0, (1.5, 1.5))),
)


def _looks(kinds: Iterable[str]) -> dict[str, Look]:
    return dict(zip(dict.fromkeys(kinds), LOOKS, strict=False))


def _drawing(width: float, height: float) -> tuple[Drawing, Axes]:
    drawing = canvas(width, height)
    return drawing, drawing.add_subplot()


# -- what freshness costs ------------------------------------------------------------------------------------


def trade(race: Race, costs: Costs) -> Figure:
    """Set mean staleness against bytes for an update, for every way, interval and delay of a race.

    Args:
        race: what was measured.
        costs: of one update, for the curves that theory predicts for polling.
    """
    looks = _looks(result.way.kind for result in race)
    delays = sorted({result.delay for result in race})
    with style():
        drawing, axes = _drawing(8, 4.6)
        axes.set(xscale="log", yscale="log", xlabel="mean staleness, ms", ylabel="bytes for an update")
        for delay in delays:
            for kind, look in looks.items():
                found = [r for r in race if r.way.kind == kind and r.delay == delay]
                _points(axes, kind, look, found, hollow=delay > 0)
                if found[0].way.interval is not None:
                    _curve(axes, found, costs.of(found[0].way), look)
        for setting in (axes.xaxis, axes.yaxis):
            setting.set_major_formatter("{x:g}")
        axes.margins(0.14, 0.16)
        axes.grid(which="major", color="#E2E2E2", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.text(0.01, 0.02, "better: fresher, and cheaper", transform=axes.transAxes, style="italic")
        drawing.legend(handles=_fills(delays), loc="outside lower center", ncols=3, frameon=False)
    return Figure(
        drawing,
        "Mean staleness to the right against bytes for an update upwards, both on logarithmic scales. The "
        "points of polling lie on a line that falls: every halving of the staleness doubles the bytes. "
        "Without a delay of the network, long polling, server-sent events and WebSocket lie at the left, far "
        "from this line, and differ only in their bytes: WebSocket is lowest. A delay moves every point to "
        "the right, and long polling the farthest: near the line of polling.",
    )


def _points(axes: Axes, kind: str, look: Look, results: Sequence[Result], *, hollow: bool) -> None:
    places = [(result.mean * 1000, result.bytes_per_update) for result in results]
    fill = PAPER if hollow else look.colour
    for place in places:
        axes.plot(*place, look.marker, color=look.colour, markerfacecolor=fill, markersize=7, zorder=3)
    if results[0].way.interval is None:
        _label(axes, kind, places[0], 0, 8, "center", look.colour)
        return
    said: dict[float, list[str]] = {}
    for result in results:
        interval = max(result.way.interval or 0, 2 * result.delay)
        said.setdefault(interval, []).append(f"{(result.way.interval or 0) * 1000:g}")
    for (interval, names), (x, y) in zip(said.items(), _first_of(results, places), strict=True):
        words = f"every {' or '.join(names)} ms"
        first = interval == min(said)
        at = (7, 22 if first else 4, "left") if hollow else (-9, -3, "right")
        _label(axes, f"{kind} {words}" if first else words, (x, y), *at, look.colour)


def _first_of(results: Sequence[Result], places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return one place for each interval that the network lets happen."""
    first: dict[float, tuple[float, float]] = {}
    for result, place in zip(results, places, strict=True):
        first.setdefault(max(result.way.interval or 0, 2 * result.delay), place)
    return list(first.values())


def _label(
    axes: Axes, text: str, place: tuple[float, float], right: float, up: float, align: str, colour: str
) -> None:
    axes.annotate(
        text, place, (right, up), textcoords="offset points", color=colour, fontsize=8, ha=align,
        va="center" if right else "bottom",
    )  # fmt: skip


def _curve(axes: Axes, results: Sequence[Result], cost: Cost, look: Look) -> None:
    """Draw what theory predicts for any interval."""
    delay, gap = results[0].delay, results[0].seconds / len(results[0].changes)
    asked = [max(result.way.interval or 0, 2 * delay) for result in results]
    steps = [min(asked) * (max(asked) / min(asked)) ** (i / 60) for i in range(61)]
    axes.plot(
        [1000 * (step / 2 + delay) for step in steps], [cost.update * gap / step for step in steps],
        color=look.colour, linewidth=0.9,
    )  # fmt: skip


def _fills(delays: Sequence[float]) -> list[Line2D]:
    signs = [
        Line2D([], [], marker="o", linestyle="", color=INK, markerfacecolor=PAPER if delay else INK,
               label=f"measured, {delay * 1000:g} ms delay" if delay else "measured, no delay")
        for delay in delays
    ]  # fmt: skip
    return [*signs, Line2D([], [], color=INK, linewidth=0.9, label="predicted for polling")]


# -- what an hour costs --------------------------------------------------------------------------------------


def rates(costs: Costs) -> Figure:
    """Draw what one client costs in an hour, from one change a day to ten a second.

    Signs of life are included: a long poll ends after 30 seconds, a stream carries a comment every 15, and
    WebSocket a ping and a pong every 20.

    Args:
        costs: of polling, long polling, server-sent events and WebSocket, in this order.
    """
    polling, held, streamed, pushed = costs
    looks = _looks((polling, held, streamed, pushed))
    hourly = [10 ** (-1.5 + i / 20) for i in range(int(20 * (math.log10(36000) + 1.5)) + 1)]
    held_bytes = [costs[held].update * rate / (1 - math.exp(-rate * HOLD / HOUR)) for rate in hourly]
    lines = [(held, held_bytes, "long polling", 6)]
    streamed_bytes = [costs[streamed].update * rate + COMMENT * HOUR / COMMENTS for rate in hourly]
    lines.append((streamed, streamed_bytes, "server-sent events", -6))
    pushed_bytes = [costs[pushed].update * rate + HEARTBEAT * HOUR / HEARTBEATS for rate in hourly]
    lines.append((pushed, pushed_bytes, "WebSocket", 6))
    for seconds, name in ((1, "every second"), (60, "every minute"), (3600, "every hour")):
        flat = [costs[polling].update * HOUR / seconds] * len(hourly)
        lines.append((polling, flat, f"polling {name}", 6))
    return Figure(
        _draw_rates(hourly, lines, looks),
        "Bytes in an hour for one client, from one change a day to ten a second, both on logarithmic "
        "scales. Polling is flat: every second costs most of all, every minute less, every hour least. "
        "Long polling begins flat, at what its repeated questions cost, and rises with the changes to the "
        "top. Server-sent events and WebSocket begin flat at the cost of their signs of life, between "
        "polling every minute and polling every hour, and rise late: WebSocket ends lowest of the three.",
    )


def _draw_rates(
    hourly: Sequence[float], lines: Sequence[tuple[str, list[float], str, int]], looks: dict[str, Look]
) -> Drawing:
    """Draw bytes in an hour over changes in an hour, and name each line at its left end."""
    with style():
        drawing, axes = _drawing(8, 4.2)
        axes.set(xscale="log", yscale="log", ylabel="bytes in an hour, for one client")
        for kind, size, name, up in lines:
            look = looks[kind]
            axes.plot(hourly, size, color=look.colour, linestyle=look.dashes, linewidth=1.6)
            axes.annotate(
                name, (hourly[0], size[0]), (6, up), textcoords="offset points", color=look.colour,
                va="bottom" if up > 0 else "top",
            )  # fmt: skip
        marks = {1 / 24: "one change\na day", 1: "one\nan hour", 60: "one\na minute", 3600: "one\na second"}
        axes.set_xticks(list(marks), list(marks.values()))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.minorticks_off()
        axes.grid(which="major", color="#E2E2E2", linewidth=0.6)
    return drawing
