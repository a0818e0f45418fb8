"""The figure of the benchmark: for the lines that stand for the others, where each package is beside wslab.

A dot is what a package needs divided by what wslab needs, on a logarithmic scale. The lines are in groups,
and in each group sorted by the ratio of websockets. The title says what to see, counted over all lines.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks.measure import Row

__all__ = ["GROUPS", "draw"]

GROUPS = {
    "Receive": (
        "decode 16 B, masked",
        "decode 16 KiB, masked",
        "decode 1,000 frames of 16 B, one buffer",
        "decode 1 MiB in pieces of 1,448 B",
        "decode 1 MiB of text in pieces of 1,448 B",
    ),
    "Send": ("encode 16 B, masked", "encode 16 KiB, masked", "encode 16 B, unmasked"),
    "Serve": (
        "echo 32 B, connections: 64, in flight on each: 1",
        "echo 16384 B, connections: 64, in flight on each: 1",
        "echo 32 B, connections: 1, in flight on each: 64",
        "broadcast 100 B to 500",
    ),
    "A connection": (
        "open and close a connection",
        "memory of an idle connection",
        "echo beside a flood of empty messages",
    ),
}
EDGE = 16.0  # what is beyond stands there, with its number
LOOKS = {  # colours that the colour-blind can tell apart, and a shape for each
    "websockets": ("o", "#0072b2"),
    "wsproto": ("s", "#e69f00"),
    "aiohttp": ("D", "#009e73"),
    "picows": ("^", "#cc79a7"),
    "TCP": ("|", "#000000"),
}


def draw(rows: Sequence[Row], path: os.PathLike[str]) -> str:
    """Draw the figure into a file, and return it in words."""
    groups = {
        name: sorted((row for row in rows if row.what in lines), key=lambda row: row.ratios["websockets"][1])
        for name, lines in GROUPS.items()
    }
    heights = [len(lines) for lines in groups.values()]
    figure = Figure(figsize=(10, 0.3 * sum(heights) + 2.2), layout="constrained")
    parts = figure.subplots(len(groups), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for axes, (name, lines) in zip(parts, groups.items(), strict=True):
        _draw_group(axes, name, lines)
    title = _title(rows)
    figure.suptitle(title, fontsize=12, fontweight="bold")
    parts[-1].set_xlabel("needs so many times as much as wslab", fontsize=10)
    handles: dict[str, Artist] = {}
    for axes in parts:
        found, labels = axes.get_legend_handles_labels()
        handles.update(zip(labels, found, strict=True))
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=len(handles), frameon=False
    )
    figure.savefig(path, dpi=110)
    return f"{title}. Dots for each package, line by line, right of 1 where it needs more than wslab."


def _draw_group(axes: Axes, name: str, lines: Sequence[Row]) -> None:
    for peer, (shape, colour) in LOOKS.items():
        dots = [(row.ratios[peer][1], at) for at, row in enumerate(lines) if peer in row.ratios]
        if dots:
            inside = [(min(ratio, EDGE), at) for ratio, at in dots]
            axes.plot(*zip(*inside, strict=True), shape, color=colour, ms=8, mew=2, label=peer, ls="none")
    for at, row in enumerate(lines):
        beyond = [f"{ratio:,.0f}" for _, ratio, _ in sorted(row.ratios.values()) if ratio > EDGE]
        axes.text(
            EDGE * 1.1, at, " to ".join(dict.fromkeys(beyond[:1] + beyond[-1:])), fontsize=8, va="center"
        )
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log", base=2)
    axes.set_xlim(0.09, EDGE * 2.2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(lines)), [row.what for row in lines], fontsize=9)
    axes.set_ylim(-0.6, len(lines) - 0.4)
    axes.set_title(name, loc="left", fontsize=10)
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)


def _title(rows: Sequence[Row]) -> str:
    less = sum(row.ratios["websockets"][1] > 1 for row in rows)
    compiled = [row.ratios[peer][1] for row in rows for peer in ("aiohttp", "picows") if peer in row.ratios]
    more = sum(ratio < 1 for ratio in compiled)
    return (
        f"wslab needs less than websockets on {less} of {len(rows)} lines,\n"
        f"and more than aiohttp or picows, which are compiled, in {more} of {len(compiled)} comparisons"
    )
