"""A connection whose network freezes: for exercises whose answer must notice that (RFC 6455 §7.1.7).

``through_tap`` puts a tap between a server and a client, ``freeze_after`` freezes the network once something
has passed, ``end`` waits for the end of the learner's coroutine. Nothing is left running. What a judge asks
of the coroutine is the judge's affair.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import wslab
from wslab.lab.wire.tap import Tap

__all__ = ["PATIENCE", "end", "freeze_after", "through_tap"]

PATIENCE = 2.0  # seconds to wait for something that must happen
LATE = 0.4  # seconds by which an end may come later than its timers say
TURNS = 20  # of the event loop, for what follows when a timer has fired


@contextlib.asynccontextmanager
async def through_tap(handler: Any) -> AsyncIterator[tuple[Tap, Any]]:
    """Open a connection that has no heartbeat of its own; give the tap and the client's end."""
    async with (
        wslab.serve(handler, ping_interval=None) as server,
        Tap(server.port) as tap,
        wslab.connect(f"ws://127.0.0.1:{tap.port}/", ping_interval=None) as ws,
    ):
        try:
            yield tap, ws
        finally:
            tap.cut()  # the network may be frozen, and a Close would not be answered


async def freeze_after(tap: Tap, seen: Any, work: asyncio.Task[Any]) -> bool:
    """Freeze the network when something has passed; tell whether the work went on until then."""
    passing = asyncio.ensure_future(seen)
    await asyncio.wait([passing, work], return_when=asyncio.FIRST_COMPLETED)
    went_on = not work.done()
    if went_on:
        with contextlib.suppress(TimeoutError):
            await passing
    passing.cancel()
    tap.freeze()
    return went_on


async def end(work: asyncio.Task[Any], within: float) -> tuple[bool, bool]:
    """Wait for the end of the work; tell whether it came, and whether so late that another timer ended it.

    The limit is a timer of the same event loop: when the machine pauses, both are due, and the earlier one
    still comes first.
    """
    limit = asyncio.ensure_future(asyncio.sleep(within + LATE))
    await asyncio.wait([work, limit], return_when=asyncio.FIRST_COMPLETED)
    for _ in range(TURNS):
        await asyncio.sleep(0)
    late = not work.done()
    limit.cancel()
    await asyncio.wait([work], timeout=PATIENCE)
    ended = work.done()
    if not ended:
        work.cancel()
        await asyncio.wait([work], timeout=PATIENCE)
    return ended, late
