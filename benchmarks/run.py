"""Measure wslab beside websockets, wsproto and aiohttp: ``python -m benchmarks.run [FIGURE]``.

A table goes to standard output, a figure to the file if one is named.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version

import numpy as np

from benchmarks.codec import codec_rows
from benchmarks.measure import Row
from benchmarks.network import network_rows

PACKAGES = ("wslab", "websockets", "wsproto", "aiohttp")


def check_fairness() -> None:
    """Compare with websockets at its fastest, or not at all."""
    try:
        import websockets.speedups  # noqa: F401
    except ImportError:
        raise SystemExit("websockets has no C extension here: the comparison would flatter us") from None


def rows_without_extensions() -> Iterator[Row]:
    """Measure both in their standard-library form, in a process that can load neither extension."""
    script = (
        "import json, sys; sys.modules['numpy'] = sys.modules['websockets.speedups'] = None\n"
        "from benchmarks.codec import pure_rows\n"
        "for row in pure_rows(): print(json.dumps(row), flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            what, *measured = json.loads(line)
            yield Row(f"{what}, no numpy, no C", *measured)
    if process.returncode:
        raise SystemExit("measuring without numpy failed")


def as_text(row: Row) -> str:
    times = "".join(
        f"{row.seconds[name] * 1e6:12,.2f}" if name in row.seconds else " " * 12 for name in PACKAGES
    )
    verdict = (
        "" if row.target is None else f"{row.target:7.1f}  {'ok' if row.ratio >= row.target else 'MISSED'}"
    )
    return f"{row.what:<48}{times}{row.ratio:8.2f}{verdict}"


def draw(rows: list[Row], path: str) -> None:
    """Draw the ratios as bars, and the targets as marks."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 0.28 * len(rows) + 1), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(rows))[::-1]
    axes.barh(places, [row.ratio for row in rows], color="#0072b2", label="measured")
    marked = [(row.target, place) for row, place in zip(rows, places, strict=True) if row.target]
    axes.plot(
        *zip(*marked, strict=True), "|", color="#d55e00", markersize=12, markeredgewidth=3, label="target"
    )
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks(places, [row.what for row in rows], fontsize=8)
    axes.set_xlabel("processor time of websockets divided by that of wslab (more is better)")
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=120)


def main() -> None:
    check_fairness()
    print(
        ", ".join(f"{name} {version(name)}" for name in (*PACKAGES, "numpy")),
        f"Python {sys.version.split()[0]}",
    )
    print(
        f"{'processor time in µs':<48}{''.join(f'{name:>12}' for name in PACKAGES)}{'ratio':>8}{'target':>7}"
    )
    rows = []
    for source in (codec_rows, rows_without_extensions, network_rows):
        for row in source():
            print(as_text(row), flush=True)
            rows.append(row)
    if len(sys.argv) > 1:
        draw(rows, sys.argv[1])


if __name__ == "__main__":
    main()
