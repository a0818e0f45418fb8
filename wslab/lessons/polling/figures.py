"""Three pictures of a race: when a client was out of date, what freshness costs, what an hour costs.

Every kind of way has its own marker and line style, and its name at the line: colour only repeats these. The
words of a figure name no measured number, so that they are the same in every run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import GRID, INK, LEGEND, PALE, PAPER
from wslab.lessons.polling.race import Race, Result

__all__ = ["rates", "timeline", "trade"]

HOUR = 3600
HOLD = 30  # seconds that a server lets a long poll wait
COMMENT, COMMENTS = 8, 15  # bytes of a comment as a chunk, and seconds between two (HTML standard)
HEARTBEAT, HEARTBEATS = 16, 20  # bytes of ping and pong with four bytes each, and seconds between two
LINES: dict[str, Any] = {"which": "major", "color": GRID, "linewidth": 0.6}


class Look(NamedTuple):
    """How a kind of way is drawn."""

    colour: str
    marker: str
    dashes: str | tuple[int, tuple[float, ...]]


LOOKS = {
    "polling": Look(LEGEND["HTTP"].ink, "o", "-"),
    "long polling": Look("#703C00", "s", (0, (7, 2))),
    "server-sent events": Look(LEGEND["data frame"].ink, "^", (0, (7, 2, 1.5, 2))),
    "WebSocket": Look("#8A1952", "D", (0, (1.5, 1.5))),
}


# -- when a client was out of date ---------------------------------------------------------------------------


def timeline(results: Sequence[Result], *, begin: float = 0.0, seconds: float = 1.0) -> Figure:
    """Draw changes, requests and arrivals of some ways below each other.

    What travels slants as far as the network delays it. When an answer left the server is not recorded; it is
    drawn where it must have left to arrive when it did.

    Args:
        results: of one race, with one client each.
        begin: the first moment that is shown, in seconds after the start of the clock.
        seconds: how much is shown.
    """
    title = "A client that polls is out of date most of the time"
    with style():
        drawing = canvas(8, 1.05 * len(results) + 1.1)
        strips = list(drawing.subplots(len(results), 1, sharex=True, squeeze=False)[:, 0])
        for axes, result in zip(strips, results, strict=True):
            _strip(axes, result, begin, begin + seconds)
        strips[-1].set_xlabel("seconds since the start of the clock")
        strips[-1].spines["bottom"].set_visible(True)
        strips[-1].tick_params(bottom=True)
        drawing.suptitle(title, fontsize=11, fontweight="bold")
        drawing.legend(handles=_signs(), loc="outside lower center", ncols=3, frameon=False)
    names = ", ".join(result.lane.way.name for result in results)
    return Figure(
        drawing,
        f"{title}. {len(results)} timelines below each other: {names}. In each, the upper line is the server "
        "with a diamond for each change, the lower line the client. A dashed line that rises is a request, a "
        "line that falls is an answer or a message. It ends in a filled dot where it brought something new "
        "and in an empty dot where it did not. The client's line is thick and grey while it is out of "
        "date: with polling until the next request, with a server that sends only while the message travels.",
    )


def _strip(axes: Axes, result: Result, begin: float, end: float) -> None:
    delay = result.lane.delay
    learned = [(moment - result.start, number) for moment, number in result.lane.learned]
    changes = [moment - result.start for moment in result.lane.clock.times]
    axes.hlines([0, 1], begin, end, colors=INK, linewidth=0.8, zorder=1)
    for number, moment in enumerate(changes, 1):
        known = next(at for at, n in learned if n >= number)
        axes.hlines(0, moment, known, colors=PALE, linewidth=7, zorder=0)
    for moment in result.asked:
        axes.plot([moment, moment + delay], [0, 1], color=INK, dashes=(3, 2), linewidth=0.9)
    last = 0
    for moment, number in learned:
        new, last = number > last, max(number, last)
        axes.plot([moment - delay, moment], [1, 0], color=INK, linewidth=1.1)
        axes.plot(moment, 0, "o", color=INK, markerfacecolor=INK if new else PAPER, markersize=5.5, zorder=3)
    axes.plot(changes, [1] * len(changes), "D", color=INK, markersize=5.5, zorder=3)
    axes.set(xlim=(begin, end), ylim=(-0.35, 1.35), yticks=[0, 1], yticklabels=["client", "server"])
    axes.tick_params(left=False, bottom=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_title(result.lane.way.name, loc="left", fontsize=9.5, fontweight="bold", pad=2)


def _signs() -> list[Line2D]:
    dot = {"linestyle": "", "markersize": 5.5}
    looks: list[tuple[str, dict[str, Any]]] = [
        ("the clock changes", {"marker": "D", **dot}),
        ("request", {"dashes": (3, 2), "linewidth": 0.9}),
        ("response or message", {"linewidth": 1.1}),
        ("brought something new", {"marker": "o", **dot}),
        ("brought nothing new", {"marker": "o", "markerfacecolor": PAPER, **dot}),
        ("the client is out of date", {"linewidth": 7, "color": PALE}),
    ]
    return [Line2D([], [], label=label, **{"color": INK, **look}) for label, look in looks]


def _logarithmic(title: str, height: float, **labels: str) -> tuple[Any, Axes]:
    drawing = canvas(8, height)
    axes = drawing.add_subplot()
    axes.set(xscale="log", yscale="log", **labels)
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    return drawing, axes


# -- what freshness costs ------------------------------------------------------------------------------------


def trade(race: Race, costs: Mapping[str, int]) -> Figure:
    """Set mean staleness against bytes for an update, for every way and delay of a race.

    Args:
        race: what was measured.
        costs: bytes of one update, by kind, for the curve that theory predicts for polling.
    """
    title = "Polling pays for freshness; a server that sends does not"
    delays = sorted({result.lane.delay for result in race})
    with style():
        drawing, axes = _logarithmic(title, 4.8, xlabel="mean staleness, ms", ylabel="bytes for an update")
        for delay in delays:
            found = [result for result in race if result.lane.delay == delay]
            _curve(axes, [result for result in found if result.lane.way.interval], costs)
            for result in found:
                _point(axes, result, found)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.margins(0.14, 0.16)
        axes.grid(**LINES)
        axes.set_axisbelow(True)
        axes.text(0.01, 0.02, "better: fresher and cheaper", transform=axes.transAxes, style="italic")
        drawing.legend(handles=_fills(delays), loc="outside lower center", ncols=3, frameon=False)
    return Figure(
        drawing,
        f"{title}. Mean staleness to the right against bytes for an update upwards, both on logarithmic "
        "scales. The points of polling are on a line that falls: half the staleness costs twice the bytes. "
        "Without a delay of the network, long polling, server-sent events and WebSocket are at the left, far "
        "from this line, and differ only in their bytes: WebSocket is lowest. A delay moves every point to "
        "the right, and long polling the farthest.",
    )


def _point(axes: Axes, result: Result, found: Sequence[Result]) -> None:
    way, delay = result.lane.way, result.lane.delay
    look, place = LOOKS[way.kind], (result.mean * 1000, result.bytes_per_update)
    fill = PAPER if delay else look.colour
    axes.plot(*place, look.marker, color=look.colour, markerfacecolor=fill, markersize=7, zorder=3)
    if not way.interval:
        words = way.kind
        # Polling has points on the right of long polling through a delay.
        at = (0, 16, "center") if delay and way.kind == "long polling" else (0, 8, "center")
    else:
        # A request cannot be repeated before its answer is there: the points of quick polling fall together.
        each = [other.lane.way.interval or 0 for other in found]
        alike = [f"{s * 1000:g}" for s in each if s and max(s, 2 * delay) == max(way.interval, 2 * delay)]
        words = f"every {' or '.join(alike)} ms" if f"{way.interval * 1000:g}" == alike[-1] else ""
        at = ((15, 10) if alike[1:] else (8, 4)) + ("left",) if delay else (-9, -6, "right")
    axes.annotate(
        words, place, at[:2], textcoords="offset points", color=look.colour, fontsize=8, ha=at[2],
        va="center" if at[0] else "bottom", zorder=4,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.5, "pad": 0.6},
    )  # fmt: skip


def _curve(axes: Axes, results: Sequence[Result], costs: Mapping[str, int]) -> None:
    """Draw what theory predicts for polling at any interval."""
    delay, gap = results[0].lane.delay, results[0].seconds / results[0].lane.clock.number
    asked = [max(result.lane.way.interval or 0, 2 * delay) for result in results]
    steps = [min(asked) * (max(asked) / min(asked)) ** (i / 60) for i in range(61)]
    late = [1000 * (step / 2 + delay) for step in steps]
    axes.plot(late, [costs["polling"] * gap / step for step in steps], color=LOOKS["polling"].colour, lw=0.9)


def _fills(delays: Sequence[float]) -> list[Line2D]:
    signs = [
        Line2D([], [], marker="o", linestyle="", color=INK, markerfacecolor=PAPER if delay else INK,
               label=f"measured, {delay * 1000:g} ms delay" if delay else "measured, no delay")
        for delay in delays
    ]  # fmt: skip
    return [*signs, Line2D([], [], color=INK, linewidth=0.9, label="predicted for polling")]


# -- what an hour costs --------------------------------------------------------------------------------------


def rates(costs: Mapping[str, int]) -> Figure:
    """Draw what one client costs in an hour, from one change a day to ten a second.

    Signs of life are included: a long poll ends after 30 seconds, a stream carries a comment every 15, and
    WebSocket a ping and a pong every 20.

    Args:
        costs: bytes of one update, by kind.
    """
    title = "When changes are rare, polling is the cheapest"
    hourly = [10 ** (-1.5 + i / 20) for i in range(int(20 * (math.log10(36000) + 1.5)) + 1)]
    held = [costs["long polling"] * rate / (1 - math.exp(-rate * HOLD / HOUR)) for rate in hourly]
    streamed = [costs["server-sent events"] * rate + COMMENT * HOUR / COMMENTS for rate in hourly]
    pushed = [costs["WebSocket"] * rate + HEARTBEAT * HOUR / HEARTBEATS for rate in hourly]
    lines = [("long polling", held, ""), ("server-sent events", streamed, ""), ("WebSocket", pushed, "")]
    for seconds, name in ((1, "every second"), (60, "every minute"), (3600, "every hour")):
        lines.append(("polling", [costs["polling"] * HOUR / seconds] * len(hourly), name))
    with style():
        drawing, axes = _logarithmic(title, 4.4, ylabel="bytes in an hour, for one client")
        for kind, size, name in lines:
            look, below = LOOKS[kind], kind == "server-sent events"
            axes.plot(hourly, size, color=look.colour, linestyle=look.dashes, linewidth=1.6)
            axes.annotate(
                f"{kind} {name}".strip(), (hourly[0], size[0]), (6, -6 if below else 6),
                textcoords="offset points", color=look.colour, va="top" if below else "bottom",
            )  # fmt: skip
        marks = {1 / 24: "one change\na day", 1: "one\nan hour", 60: "one\na minute", 3600: "one\na second"}
        axes.set_xticks(list(marks), list(marks.values()))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.minorticks_off()
        axes.grid(**LINES)
    return Figure(
        drawing,
        f"{title}. Bytes in an hour for one client, from one change a day to ten a second, on logarithmic "
        "scales. Polling is flat: every second costs most of all, every minute less, every hour least. Long "
        "polling begins flat, at what its repeated requests cost, and rises with the changes to the top. "
        "Server-sent events and WebSocket begin flat at the cost of their signs of life, between polling "
        "every minute and every hour, and rise late: WebSocket ends lowest of the three.",
    )
