"""The figure of lesson 10: which part of a herd is back, over the time since its server was lost."""

from __future__ import annotations

from collections.abc import Mapping

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, ERROR, INK, SERVER
from wslab.lessons.resilience.herd import Herd

__all__ = ["returns"]

LINES = ((ERROR, "-"), (INK, "--"), (SERVER, "-"), (CLIENT, ":"))  # ink and style, one for each herd


def returns(title: str, herds: Mapping[str, Herd]) -> Figure:
    """Draw for each of at most four herds the share of its clients that is back, over time."""
    with style():
        drawing = canvas(7.2, 3.4)
        axes = drawing.add_subplot(
            title=title,
            xlabel="seconds since the server was lost (each step is ten times as long)",
            ylabel="clients back, in %",
            xscale="log",
        )
        for (name, herd), (colour, line) in zip(herds.items(), LINES, strict=False):
            back, ink = sorted(herd.back), getattr(colour, "background", colour)
            shares = [100 * number / len(back) for number in range(1, len(back) + 1)]
            text = f"{name}: last after {herd.last:.0f} s, {herd.refused:,} refusals"
            axes.step(back, shares, where="post", color=ink, linestyle=line, linewidth=1.8, label=text)
            axes.plot(back[-1:], [100], "o", color=ink)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.22), frameon=False)
    words = "; ".join(
        f"{name}: {len(herd.back):,} clients, last after {herd.last:.0f} s, {herd.refused:,} refusals"
        for name, herd in herds.items()
    )
    return Figure(drawing, f"{title}. {words}.")
