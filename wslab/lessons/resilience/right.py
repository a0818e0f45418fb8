"""The right answers of lesson 10, which its cells use until a learner's own are right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from wslab.aio.reconnect import FATAL_CODES, PASSING_STATUSES

__all__ = ["ceilings", "comes_back", "longest", "replay"]


def comes_back(ended: int | None) -> bool:
    """Return whether a client tries again after a status below 1000, a close code, or None for neither.

    >>> comes_back(None), comes_back(503), comes_back(403), comes_back(1001), comes_back(1008)
    (True, True, False, True, False)
    """
    if ended is None:
        return True
    return ended not in FATAL_CODES and (ended >= 500 or ended in PASSING_STATUSES)


def ceilings(lasted: Sequence[float], first: float, last: float, stable: float) -> list[float]:
    """Return the ceiling of the wait after each try (§7.2.3).

    >>> ceilings([0, 0, 9, 0], first=0.5, last=60, stable=5)
    [0.5, 1.0, 0.5, 1.0]
    """
    ceiling, found = first, []
    for seconds in lasted:
        if seconds >= stable:
            ceiling = first
        found.append(ceiling)
        ceiling = min(last, 2 * ceiling)
    return found


def replay(log: Sequence[tuple[int, str]], snapshot: str, since: int | None) -> list[str]:
    """Return what a client needs that has everything up to `since`: what follows it, or the snapshot.

    >>> replay([(3, "c"), (4, "d")], "all", 3), replay([(3, "c"), (4, "d")], "all", 1)
    (['d'], ['all'])
    """
    if since is None or not log or not log[0][0] - 1 <= since <= log[-1][0]:
        return [snapshot]
    return [message for number, message in log if number > since]


async def longest(intervals: Sequence[float], survives: Callable[[float], Awaitable[bool]]) -> float | None:
    """Return the longest ping interval with which a connection survives, or None."""
    for interval in sorted(intervals, reverse=True):
        if await survives(interval):
            return interval
    return None
