"""The figure of lesson 08: how long a good client waits beside a flood, with limits and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, INK, SERVER

__all__ = ["latencies"]

Samples = Sequence[tuple[float, float]]


def latencies(title: str, measured: Mapping[str, Samples]) -> Figure:
    """Draw each answer of a server as a dot: when it came, and how long the client had waited for it.

    Args:
        title: the claim that the figure shows.
        measured: name of a run to its samples, each a moment in seconds and a latency in milliseconds.
    """
    with style():
        drawing = canvas(7.2, 3.0)
        axes = drawing.add_subplot(
            title=title, xlabel="seconds since the flood began", ylabel="latency in ms", yscale="log"
        )
        for (name, samples), colour, marker in zip(measured.items(), (SERVER, CLIENT), "os", strict=False):
            axes.plot(
                *zip(*samples, strict=True),
                marker,
                label=name,
                color=colour.background,
                markeredgecolor=INK,
                markeredgewidth=0.8,
            )
        axes.set_yticks([1, 3, 10, 30, 100, 300])
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    order = sorted(measured, key=lambda name: median(wait for _, wait in measured[name]), reverse=True)
    words = f"x: seconds since the flood began; y: latency in ms. The highest median: {order[0]}."
    return Figure(drawing, f"{title}. {words}")
