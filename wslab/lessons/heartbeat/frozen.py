"""A network that freezes under a learner's heartbeat, with either package at both ends.

``through_tap`` puts a tap between a server and a client, ``freeze_after`` freezes the network once something
has passed or could have, ``end`` waits for the end of the learner's coroutine. Nothing is left running.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import unittest.mock
from collections.abc import AsyncIterator, Iterator
from types import ModuleType
from typing import Any, Literal

import websockets

import wslab
from wslab.lab.exercises.peers import PATIENCE
from wslab.lab.wire.tap import Tap

__all__ = ["Package", "beat", "end", "freeze_after", "noting_time_sleep", "through_tap"]

LATE = 0.4  # seconds by which an end may come later than its timers say
TURNS = 20  # of the event loop, for what follows when a timer has fired
PING = 8  # turns of the event loop, about as many as a ping and its pong need

Package = Literal["wslab", "websockets"]
_PACKAGES: dict[Package, ModuleType] = {"wslab": wslab, "websockets": websockets}


@contextlib.asynccontextmanager
async def through_tap(
    handler: Any, package: Package = "wslab", *, delay: float = 0.0
) -> AsyncIterator[tuple[Tap, Any]]:
    """Open a connection of a package, with no heartbeat of its own; yield the tap and the client's end.

    ``delay`` is what the network adds one way, in seconds.
    """
    chosen = _PACKAGES[package]
    options = {"ping_interval": None, "compression": None}
    async with (
        chosen.serve(handler, "127.0.0.1", 0, **options) as server,
        Tap(next(iter(server.sockets)).getsockname()[1], delay=delay) as tap,
        chosen.connect(f"ws://127.0.0.1:{tap.port}/", **options) as ws,
    ):
        try:
            yield tap, ws
        finally:
            tap.cut()  # the network may be frozen, and a Close would not be answered


async def beat(interval: float, beats: int) -> None:
    """Take as long as a heartbeat needs for so many pings: when the machine is late, both are."""
    for _ in range(beats):
        await asyncio.sleep(interval)
        for _ in range(PING):
            await asyncio.sleep(0)


async def freeze_after(tap: Tap, work: asyncio.Task[Any], *limits: Any) -> bool:
    """Freeze the network when the first of the limits is over; return whether the work went on until then."""
    waiting = [asyncio.ensure_future(each) for each in limits]
    await asyncio.wait([*waiting, work], return_when=asyncio.FIRST_COMPLETED)
    went_on = not work.done()
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    tap.freeze()
    return went_on


@contextlib.contextmanager
def noting_time_sleep() -> Iterator[list[float]]:
    """Note the calls of time.sleep in this thread, in which a loop runs that they stop."""
    noted: list[float] = []
    thread, sleep = threading.current_thread(), time.sleep

    def note(seconds: float) -> None:
        if threading.current_thread() is thread:
            noted.append(seconds)
        sleep(seconds)

    with unittest.mock.patch.object(time, "sleep", note):
        yield noted


async def end(work: asyncio.Task[Any], within: float) -> tuple[bool, bool]:
    """Wait for the end of the work; return whether it came, and whether so late that another timer ended it.

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
