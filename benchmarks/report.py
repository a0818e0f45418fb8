"""What the measurements are shown as: a table to read, a figure to look at, a section of the README.

The README gets the lines that stand for the others and the date; all lines go into docs/speed.md.
"""

from __future__ import annotations

import datetime
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from matplotlib.figure import Figure

from benchmarks.measure import Row
from tools.course import README, ROOT

__all__ = ["HEADING", "as_text", "versions", "write"]

PACKAGES = ("wslab", "websockets", "wsproto", "aiohttp")
COLUMNS = (*PACKAGES, "TCP")  # for TCP see network
HEADING = f"{'processor time in µs':<52}{''.join(f'{name:>12}' for name in COLUMNS)}{'ratio':>8}{'target':>8}"
BEGIN, END = "<!-- speed: written by make bench -->\n", "<!-- end of the speed -->"
HOW = (
    "Everything runs side by side in one process, in turns; only the clients of the servers, and the lines "
    "without numpy and C, have another. A line holds medians of processor time for what it names, an echo "
    "for each message and a broadcast for each recipient, and the median of the ratios of websockets (with "
    "its C extension, unless the line says otherwise) to wslab. TCP is a server on asyncio that sends as "
    "many bytes as the answers have and looks at nothing; behind its time stands the ratio that it has.\n"
)
NOT_FASTER = (
    "Where wslab is not faster: a long text in small pieces, since each piece is checked to be UTF-8 as it "
    "comes, so that the first wrong byte is refused; and masking 1 to 64 KiB before they are sent, where "
    "numpy takes about as long as C.\n"
)
PICTURE = (
    "![Bars, one for each line of the table: the processor time of websockets divided by that of wslab, with "
    "a mark at the target.]"
)
SHOWN = (
    "decode 16 B, masked",
    "decode 16 KiB, masked",
    "decode 1,000 frames of 16 B, one buffer",
    "decode 1 MiB in pieces of 1,448 B",
    "decode 1 MiB of text in pieces of 1,448 B",
    "encode 16 B, masked",
    "encode 16 KiB, masked",
    "encode 16 B, unmasked",
    "echo 32 B, connections: 64, in flight on each: 1",
    "echo 32 B, connections: 1, in flight on each: 64",
    "broadcast 100 B to 500",
)


def versions() -> str:
    """Name what was compared, on what."""
    packages = ", ".join(f"{name} {version(name)}" for name in (*PACKAGES, "numpy"))
    return f"{packages}, Python {platform.python_version()}, {sys.platform}, {os.cpu_count()} cores"


def as_text(row: Row) -> str:
    """Return a line for the terminal."""
    times = "".join(
        f"{row.seconds[name] * 1e6:12,.2f}" if name in row.seconds else " " * 12 for name in COLUMNS
    )
    verdict = "" if row.target is None else f"{row.target:8.1f}  {'MISSED' if _missed(row) else 'ok'}"
    return f"{row.what:<52}{times}{row.ratio:8.2f}{verdict}"


def _missed(row: Row) -> bool:
    return row.target is not None and row.ratio < row.target


def _as_table(rows: Sequence[Row]) -> str:
    lines = [
        "| processor time in µs | wslab | websockets | TCP | ratio | target |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        ours, theirs = (f"{row.seconds[name] * 1e6:,.1f}" for name in PACKAGES[:2])
        least = row.seconds.get("TCP")
        tcp = f"{least * 1e6:,.1f} ({row.seconds['websockets'] / least:.2f})" if least else ""
        target = "" if row.target is None else f"{row.target} (missed)" if _missed(row) else str(row.target)
        lines.append(f"| {row.what} | {ours} | {theirs} | {tcp} | {row.ratio:.2f} | {target} |")
    return "\n".join(lines) + "\n"


def _draw(rows: Sequence[Row], path: os.PathLike[str]) -> None:
    """Draw the ratios as bars, and the targets as marks."""
    half = (len(rows) + 1) // 2
    figure = Figure(figsize=(13, 0.24 * half + 1.2), layout="constrained")
    most = max(row.ratio for row in rows) * 1.05
    left, right = figure.subplots(1, 2)
    for axes, part in ((left, rows[:half]), (right, rows[half:])):
        places = np.arange(len(part))[::-1]
        axes.barh(places, [row.ratio for row in part], color="#0072b2", label="measured")
        marked = [(row.target, place) for row, place in zip(part, places, strict=True) if row.target]
        axes.plot(*zip(*marked, strict=True), "|", color="#d55e00", ms=11, mew=3, label="target")
        axes.axvline(1, color="black", linewidth=1)
        axes.set_yticks(places, [row.what for row in part], fontsize=8)
        axes.set_xlim(0, most)
        axes.set_ylim(-0.7, half - 0.3)
    left.legend(loc="lower right")
    figure.supxlabel(
        "processor time of websockets divided by that of wslab: more than 1 means that wslab needs less"
    )
    figure.savefig(path, dpi=110)


def write(rows: Sequence[Row], imports: Sequence[str]) -> None:
    """Write docs/speed.png, docs/speed.md and the section of the README."""
    docs, today = ROOT / "docs", datetime.date.today().isoformat()
    _draw(rows, docs / "speed.png")
    how = f"Measured on {today} by `make bench`: {versions()}. {HOW}"
    extra = "\n".join(f"- {line}" for line in imports) + "\n"
    whole = f"# How fast it is\n\n{how}\n{PICTURE}(speed.png)\n\n{_as_table(rows)}\n{NOT_FASTER}\n{extra}"
    (docs / "speed.md").write_text(whole, encoding="utf-8", newline="\n")
    shown = _as_table([row for row in rows if row.what in SHOWN])
    short = f"{how}\n{shown}\n{NOT_FASTER}\n{PICTURE}(docs/speed.png)\n"
    before, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    if not begin:
        raise SystemExit(f"README.md has no line {BEGIN.strip()!r}: the speed was not written into it")
    after = rest.partition(END)[2]
    README.write_text(before + BEGIN + short + END + after, encoding="utf-8", newline="\n")
