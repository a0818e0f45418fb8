"""The picture of how long a lost peer goes unnoticed: what was measured, on the formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, INK, PALE

__all__ = ["saws"]

Formula = Callable[[float, float, float], float]
Measured = Sequence[tuple[float, float]]
TITLE = "A lost peer is noticed after timeout to interval + timeout; websockets then waits for a Close"


def saws(panels: Mapping[tuple[ModuleType, float, float], Measured], formula: Formula) -> Figure:
    """Draw the time to detection against the moment of the freeze, a panel for each setting.

    Args:
        panels: a package, the interval and the timeout in seconds, to what was measured: when the network
            froze and how long the server then took to give up, both in seconds.
        formula: takes the moment of the freeze, the interval and the timeout, and returns how long it takes.

    >>> import wslab
    >>> saws({(wslab, 1.0, 0.5): [(0.25, 1.26)]}, lambda frozen, i, t: i - frozen % i + t).alt[:58]
    'A lost peer is noticed after timeout to interval + timeout'
    """
    top = 1.25 * max(max(took for _, took in measured) for measured in panels.values())
    with style():
        drawing = canvas(8, 3.6)
        drawing.suptitle(TITLE, fontsize=10)
        widths = [interval for _, interval, _ in panels]  # a second is as long in each panel
        plots = drawing.subplots(1, len(panels), sharey=True, squeeze=False, width_ratios=widths)[0]
        for axes, ((package, interval, timeout), measured) in zip(plots, panels.items(), strict=True):
            axes.set_title(f"{package.__name__}\ninterval {interval:g} s\ntimeout {timeout:g} s", fontsize=8)
            _draw(axes, interval, timeout, measured, formula)
        plots[0].set_ylim(0, top)
        plots[0].set_ylabel("seconds until the server gave up")
        plots[0].legend(loc="upper right", frameon=False, fontsize=8, ncols=2)
        drawing.supxlabel("when the network froze, in seconds after the opening", fontsize=9)
    settings = "; ".join(f"{each.__name__}, interval {i:g} s, timeout {t:g} s" for each, i, t in panels)
    return Figure(
        drawing,
        f"{TITLE}.\nx: when the network froze; y: seconds until the server gave up; a second is as long in "
        f"each panel: {settings}. The formula is a saw: from its upper bound it falls by one interval, and "
        "jumps back at each ping. The measured dots lie on it, those of websockets above it.",
    )


def _draw(axes: Any, interval: float, timeout: float, measured: Measured, formula: Formula) -> None:
    """Draw one setting: the formula as a line, its bounds, the measurements as dots."""
    for tooth in range(2):
        ends = [tooth * interval, (tooth + 1) * interval - 1e-9]
        heights = [formula(moment, interval, timeout) for moment in ends]
        axes.plot(ends, heights, color=INK, linewidth=1.2, label=None if tooth else "formula")
        for height in heights:
            axes.axhline(height, color=PALE, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    moments, times = zip(*measured, strict=True)
    axes.plot(moments, times, "o", color=CLIENT.background, markersize=5, label="measured")
    axes.set_xlim(0, 2.05 * interval)
    axes.set_xticks([0, interval, 2 * interval])
