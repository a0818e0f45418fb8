"""How things are measured here: side by side, interleaved, medians of paired ratios with their quartiles.

Processor time does not see what else the machine does, and a ratio of two things measured one after the other
does not see how fast the machine is. What is compared runs in turns, so that a slow minute is slow for all.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

__all__ = ["AIOHTTP", "ANY", "MANY", "SMALL", "UNITS", "Row", "compare", "missed"]

REPEATS = 15
UNITS = {"µs": 1e6, "ms": 1e3, "KiB": 1.0}  # what a measured number is multiplied with

# Targets that can be judged on any machine: what a peer needs, divided by what wslab needs, is at least this.
ANY = {"websockets": 0.95}
SMALL = {"websockets": 2.0}
MANY = {"websockets": 4.0}
AIOHTTP = {"websockets": 0.95, "aiohttp": 1 / 1.25}


class Row(NamedTuple):
    """One line of the table."""

    what: str
    values: dict[str, float]  # the median of each package, in the unit
    ratios: dict[str, tuple[float, float, float]]  # of each other one to ours: quartile, median, quartile
    targets: dict[str, float]  # what the median of these has to reach
    unit: str = "µs"


def compare(
    what: str,
    candidates: Mapping[str, Callable[[], object]],
    targets: Mapping[str, float],
    count: int = 1,
    *,
    unit: str = "µs",
    repeats: int | None = None,
) -> Row:
    """Run the candidates in turns and return the medians.

    Args:
        what: the name of the line.
        candidates: what to run, by package; a float that it returns is what was measured, in seconds or KiB,
            else its processor time is.
        targets: the ratios to reach, by package.
        count: how many operations one call makes.
        unit: of the values.
        repeats: how often each runs; the first run of all is for warming up and does not count.
    """
    measured: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(1 + (repeats or REPEATS)):
        for name, run in candidates.items():
            start = time.process_time()
            own = run()
            if turn:
                spent = own if isinstance(own, float) else time.process_time() - start
                measured[name].append(spent / count * UNITS[unit])
    ours = measured["wslab"]
    pairs = {
        name: [a / b for a, b in zip(values, ours, strict=True)]
        for name, values in measured.items()
        if name != "wslab"
    }
    values = {name: statistics.median(numbers) for name, numbers in measured.items()}
    return Row(
        what, values, {name: _quartiles(ratios) for name, ratios in pairs.items()}, dict(targets), unit
    )


def missed(row: Row, peer: str) -> bool:
    """Tell whether the target for a peer is there and was not reached."""
    return peer in row.targets and row.ratios[peer][1] < row.targets[peer]


def _quartiles(numbers: list[float]) -> tuple[float, float, float]:
    low, middle, high = statistics.quantiles(numbers, n=4, method="inclusive")
    return low, middle, high
