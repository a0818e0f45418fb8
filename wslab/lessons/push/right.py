"""The right answers of lesson 06 that later cells run, until the learner's own are right."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from websockets.asyncio.server import ServerConnection

__all__ = ["clock", "latest", "next_tick"]


async def clock(
    websocket: ServerConnection, tick: Callable[[ServerConnection], Coroutine[Any, Any, None]]
) -> None:
    """Run a timer that never ends by itself, for as long as the connection lasts.

    Args:
        websocket: the connection.
        tick: the timer, a coroutine function.
    """
    timer = asyncio.create_task(tick(websocket))
    try:
        async for _ in websocket:
            pass
    finally:
        timer.cancel()


def next_tick(start: float, period: float, now: float) -> float:
    """Return the first tick after now, of those at start, start + period, start + 2 * period and so on.

    >>> next_tick(100.0, 0.5, 103.25), next_tick(100.0, 0.5, 104.0)
    (103.5, 104.5)
    """
    return start + ((now - start) // period + 1) * period


def latest(quotes: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return the latest quote of each symbol, in the order in which the symbols first appear.

    >>> latest([("ABC", 12.5), ("XYZ", 80.0), ("ABC", 12.75)])
    [('ABC', 12.75), ('XYZ', 80.0)]
    """
    return list(dict(quotes).items())
