"""What happened when in a race: changes, requests and arrivals, and the times when a client knew too little.

Each way is a strip with two lines, server above client. What travels slants as far as the network delays it.
The moments are those of the race: changes from the clock, requests from the tap, arrivals from the client.
When an answer left the server is not recorded; it is drawn where it must have left to arrive when it did.

The picture is black and grey: marks and line styles tell everything. Its words name no measured number, so
that they are the same in every run. What is measured comes from ``race``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import INK, PAPER
from wslab.lessons.polling.result import Result

__all__ = ["timeline"]

STALE = "#B9B9B9"


def timeline(results: Sequence[Result], *, begin: float = 0.0, seconds: float = 1.0) -> Figure:
    """Draw changes, requests and arrivals of some ways below each other.

    Args:
        results: of one race, with one client each.
        begin: the first moment that is shown, in seconds after the start of the clock.
        seconds: how much is shown.
    """
    with style():
        drawing = canvas(8, 1.05 * len(results) + 0.8)
        strips = list(drawing.subplots(len(results), 1, sharex=True, squeeze=False)[:, 0])
        for axes, result in zip(strips, results, strict=True):
            _strip(axes, result, begin, begin + seconds)
        strips[-1].set_xlabel("seconds since the start of the clock")
        strips[-1].spines["bottom"].set_visible(True)
        strips[-1].tick_params(bottom=True)
        drawing.legend(handles=_signs(), loc="outside lower center", ncols=3, frameon=False)
    names = ", ".join(result.way.name for result in results)
    return Figure(
        drawing,
        f"{len(results)} timelines below each other: {names}. In each, the upper line is the server with a "
        "diamond for each change, the lower line the client. A dashed line that rises is a request, a line "
        "that falls an answer or a message; it ends in a filled dot where it told something new, in an empty "
        "one where it did not. The client's line is thick and grey while it is out of date. With polling it "
        "is so most of the time, and until the next question; where the server tells, only for as long as "
        "the message takes.",
    )


def _strip(axes: Axes, result: Result, begin: float, end: float) -> None:
    delay, learned = result.delay, [(t - result.start, n) for t, n in result.learned[0]]
    changes = [moment - result.start for moment in result.changes]
    axes.hlines([0, 1], begin, end, colors=INK, linewidth=0.8, zorder=1)
    for number, moment in enumerate(changes, 1):
        told = next(t for t, n in learned if n >= number)
        axes.hlines(0, moment, told, colors=STALE, linewidth=7, zorder=0)
    for moment in result.asked:
        axes.plot([moment, moment + delay], [0, 1], color=INK, dashes=(3, 2), linewidth=0.9)
    known = 0
    for moment, number in learned:
        new, known = number > known, max(number, known)
        axes.plot([moment - delay, moment], [1, 0], color=INK, linewidth=1.1)
        axes.plot(moment, 0, "o", color=INK, markerfacecolor=INK if new else PAPER, markersize=5.5, zorder=3)
    axes.plot(changes, [1] * len(changes), "D", color=INK, markersize=5.5, zorder=3)
    axes.set(xlim=(begin, end), ylim=(-0.35, 1.35), yticks=[0, 1], yticklabels=["client", "server"])
    axes.tick_params(left=False, bottom=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_title(result.way.name, loc="left", fontsize=9.5, fontweight="bold", pad=2)


def _signs() -> list[Line2D]:
    dot = {"linestyle": "", "markersize": 5.5}
    looks: list[tuple[str, dict[str, Any]]] = [
        ("the clock changes", {"marker": "D", **dot}),
        ("request", {"dashes": (3, 2), "linewidth": 0.9}),
        ("response or message", {"linewidth": 1.1}),
        ("told something new", {"marker": "o", **dot}),
        ("told nothing new", {"marker": "o", "markerfacecolor": PAPER, **dot}),
        ("the client is out of date", {"linewidth": 7, "color": STALE}),
    ]
    return [Line2D([], [], label=label, **{"color": INK, **look}) for label, look in looks]
