"""How things are measured here: side by side, interleaved, in processor time, medians of ratios.

Processor time does not see what else the machine does, and a ratio of two things measured one after the other
does not see how fast the machine is. What is compared runs in turns, so that a slow minute is slow for all.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

__all__ = ["Row", "compare"]

REPEATS = 15


class Row(NamedTuple):
    """Hold one line of the table: seconds of processor time for each package, and the ratio."""

    what: str
    seconds: dict[str, float]
    ratio: float  # time of websockets divided by ours
    target: float | None


def compare(
    what: str, candidates: Mapping[str, Callable[[], object]], target: float | None, count: int = 1
) -> Row:
    """Run the candidates in turns and return the medians.

    Args:
        what: the name of the line.
        candidates: what to run, by package; a float that it returns is the time, else it is measured here.
        target: the ratio to reach.
        count: how many operations one call makes.
    """
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for run in candidates.values():
        run()
    for _ in range(REPEATS):
        for name, run in candidates.items():
            start = time.process_time()
            own = run()
            spent = own if isinstance(own, float) else time.process_time() - start
            times[name].append(spent / count)
    ratio = statistics.median(a / b for a, b in zip(times["websockets"], times["wslab"], strict=True))
    return Row(what, {name: statistics.median(spent) for name, spent in times.items()}, ratio, target)
