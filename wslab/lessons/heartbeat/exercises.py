"""The exercises of lesson 04 on endings and on latency (RFC 6455 §5.5.2, §7).

This module knows the questions, their typical wrong answers and their hints. ``ENDINGS`` is the material of
one question: what a tap saw of a connection's end, and the close code that the client reported. The judge of
the other starts servers of two packages behind a tap that delays what passes. It leaves nothing running.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import replace
from typing import Any

import websockets.asyncio.client
import websockets.asyncio.server
import websockets.exceptions

import wslab
from wslab.lab.exercises.answer import show
from wslab.lab.exercises.exercise import Case, Exercise, Fault, Mistake, returns
from wslab.lab.wire.tap import Tap

__all__ = ["ENDINGS", "EXERCISES"]

Rows = list[tuple[str, str]]

_SERVER_ENDS_TCP: Rows = [("server", "FIN"), ("client", "FIN")]

ENDINGS: dict[str, tuple[Rows, int]] = {
    "the client leaves": ([("client", "CLOSE"), ("server", "CLOSE"), *_SERVER_ENDS_TCP], 1000),
    "the server shuts down": ([("server", "CLOSE"), ("client", "CLOSE"), *_SERVER_ENDS_TCP], 1001),
    "the cable is pulled": ([], 1006),
    "the connection is reset": ([("server", "RST")], 1006),
    "the server is killed": ([("server", "FIN"), ("client", "FIN")], 1006),
    "a Close is lost": ([("client", "CLOSE"), ("client", "FIN")], 1006),
    "a Close does not arrive": ([("server", "CLOSE")], 1006),
    "a handler raises": ([("server", "CLOSE"), ("client", "CLOSE"), *_SERVER_ENDS_TCP], 1011),
    "the client breaks a rule": ([("server", "CLOSE"), ("client", "CLOSE"), *_SERVER_ENDS_TCP], 1002),
    "no code is given": ([("client", "CLOSE"), ("server", "CLOSE"), *_SERVER_ENDS_TCP], 1005),
}
"""Endings: sender and name of what the tap saw, and the close code that the client reported."""

IN_ORDER = (1000, 1001, 1005)


def _ending(rows: Rows, code: int, *, tells: str = "CLOSE", in_order: tuple[int, ...] = IN_ORDER) -> str:
    """Name an ending: who closed it in order, "failed", or "lost"; the options make typical mistakes."""
    if code == 1006:
        return "lost"
    if code not in in_order:
        return "failed"
    return next(f"closed by {sender}" for sender, what in rows if what == tells)


CLASSIFY_ENDING = Exercise(
    name="classify-ending",
    lesson="04",
    title="Say how a connection ended",
    asks="my_ending(rows, code)",
    judge=returns(*(Case((rows, code), _ending(rows, code)) for rows, code in ENDINGS.values())),
    section="RFC 6455 §7.1.2 to §7.1.5 and §7.4.1",
    hints=(
        "The code comes first: 1006 says that no Close was received. 1000, 1001 and 1005 are in order.",
        'Of an ending in order, the first "CLOSE" among the rows says who wanted it.',
    ),
    mistakes=(
        Mistake(
            lambda rows, code: _ending(rows, code, in_order=(*IN_ORDER, 1002)),
            "1011 is one failure of several: in order are 1000, 1001 and 1005, and here nothing else.",
        ),
        Mistake(
            lambda rows, code: _ending(rows, code, tells="FIN"),
            "The server ends TCP first whoever began to close (§7.1.1): look for the first CLOSE.",
        ),
        Mistake(
            lambda rows, code: _ending(rows, code, in_order=(1000, 1001)),
            "1005 says that the Close had no code. Such a Close is in order (§7.1.5).",
        ),
        Mistake(
            lambda rows, code: _ending(rows, code, in_order=(1000, 1005)),
            "1001 says that one end goes away. Such a Close is in order (§7.4.1).",
        ),
        Mistake(
            lambda rows, code: next((f"closed by {who}" for who, what in rows if what == "CLOSE"), "lost"),
            "A Close on the wire is not enough: it may be unanswered (1006), or tell of a failure (1011).",
        ),
        Mistake(
            lambda rows, code: next((f"closed by {who}" for who, what in rows if what != "RST"), "lost"),
            "A FIN without a Close is a loss: the system sends it for a program that was killed.",
        ),
        Mistake(
            lambda rows, code: _ending(rows, code).capitalize(),
            "These are the words; write them in small letters, as the question does.",
        ),
        Mistake(
            lambda rows, code: _ending(rows, code).removeprefix("closed by "),
            "This is one word of the answer: the question has all of them.",
        ),
    ),
    why="After a loss a client comes back after a random wait (§7.2.3). That is wise after 1001, too.",
)


DELAY = 0.02  # seconds one way
# The same from ping to ping: so the median is neither the first, the last or the quickest, nor the mean.
DELAYS = (0.03, 0.06, 0.25, 0.02, 0.10)
MARGIN = 0.01  # seconds by which a latency may be nearer to another value than the median
PATIENCE = 3.0  # seconds for all pings
PINGS = 5
BOTH: dict[str, tuple[Any, Any]] = {
    "websockets": (websockets.asyncio.server.serve, websockets.asyncio.client.connect),
    "wslab": (wslab.serve, wslab.connect),
}


async def _wait_closed(ws: Any) -> None:
    await ws.wait_closed()


async def _judge_latency(answer: Any) -> Fault | None:
    for name, (serve, connect) in BOTH.items():
        async with serve(_wait_closed, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
            port = server.sockets[0].getsockname()[1]
            async with (
                Tap(port, delay=DELAY) as tap,
                connect(f"ws://127.0.0.1:{tap.port}/", compression=None, ping_interval=None) as ws,
            ):
                fault = await _measure(answer, tap, ws, changing=name == "websockets")
        if fault and fault.given is not None:
            return replace(fault, sentence=f"{fault.sentence} This was a connection of {name}.")
        if fault:
            return fault
    return None


async def _measure(answer: Any, tap: Tap, ws: Any, *, changing: bool) -> Fault | None:
    """Have the answer measure a connection, and compare with what the tap has seen of it."""
    delaying = asyncio.ensure_future(_change_the_delay(tap)) if changing else None
    given, ended = None, True
    try:
        async with asyncio.timeout(PATIENCE) as scope:
            given = await answer(ws, PINGS)
    except TimeoutError:
        if not scope.expired():
            raise
        ended = False
    finally:
        if delaying:
            delaying.cancel()
    try:
        await (await ws.ping())  # when its pong is here, all that was sent before has passed the tap
    except (wslab.ConnectionClosed, websockets.exceptions.ConnectionClosed):
        return Fault("closes the connection; it was asked to measure it.", given=given)
    rows = [row for row in tap.conversation() if row.kind == "frame"]
    pings = [row for row in rows if row.what == "PING"][:-1]
    if any(row.what in ("TEXT", "BINARY") for row in rows):
        return Fault("sends data messages; a ping needs no help from the handler of the peer.", given=given)
    if len(pings) > PINGS:
        return Fault(f"sends more than {PINGS} pings; count says how many.", given=given)
    if not ended:
        return Fault("does not end: it awaits what never happens, or a loop never ends.", given=given)
    pongs = [row.arrived for row in rows if row.what == "PONG"]
    seen = [(pong - ping.time) / 1000 for ping, pong in zip(pings, pongs, strict=False) if pong is not None]
    sentence = _fault(given, len(pings), seen)
    return Fault(sentence, (("given", show(given)),) if len(pings) else (), given) if sentence else None


async def _change_the_delay(tap: Tap) -> None:
    """Give each ping a delay of its own, once the pong before has passed."""
    for passed, delay in enumerate(DELAYS):
        if passed:
            await tap.seen("PONG", "server", count=passed, timeout=2 * PATIENCE)
        tap.delay = delay


def _fault(given: Any, pings: int, seen: list[float]) -> str:
    """Say what is wrong with a latency, given the number of pings and the latencies that the tap saw."""
    if pings < PINGS:
        return f"sends {pings or 'no'} ping{'s' * (pings != 1)}, where count is {PINGS}."
    if isinstance(given, (list, tuple)):
        return "gives several values: the median of them is asked."
    if not isinstance(given, (int, float)) or isinstance(given, bool):
        return "does not give a number of seconds."
    if given < 2 * DELAY:
        return "gives less than there and back takes: this is the time to send, not until the pong."
    if given >= 1000 * 2 * DELAY:
        return "gives milliseconds: seconds are asked."
    if len(seen) < PINGS:
        return ""
    values = {
        "mean": statistics.mean(seen),
        "slowest": max(seen),
        "quickest": min(seen),
        "first": seen[0],
        "last": seen[-1],
        "sum": sum(seen),
    }
    name, value = min(values.items(), key=lambda each: abs(given - each[1]))
    if abs(given - value) + MARGIN < abs(given - statistics.median(seen)):
        return f"gives the {name} of the latencies: the median is the middle one, once they are sorted."
    return ""


async def _latency_of_sending(ws: Any, count: int) -> Any:
    began = time.perf_counter()
    for _ in range(count):
        await ws.ping()
    return (time.perf_counter() - began) / count


async def _latency_of_one_await(ws: Any, count: int) -> Any:
    return [await ws.ping() for _ in range(count)][-1]


async def _latency_of_echo(ws: Any, count: int) -> Any:
    began = time.perf_counter()
    await ws.send("ping")
    return time.perf_counter() - began


async def _mean_latency(ws: Any, count: int) -> Any:
    return statistics.mean([await (await ws.ping()) for _ in range(count)])


async def _last_latency(ws: Any, count: int) -> Any:
    return [await (await ws.ping()) for _ in range(count)][-1]


async def _quickest(ws: Any, count: int) -> Any:
    return min([await (await ws.ping()) for _ in range(count)])


async def _latencies(ws: Any, count: int) -> Any:
    return [await (await ws.ping()) for _ in range(count)]


async def _latency_of_one(ws: Any, count: int) -> Any:
    return await (await ws.ping())


async def _latency_for_ever(ws: Any, count: int) -> Any:
    while True:
        await (await ws.ping())


async def _latency_and_goodbye(ws: Any, count: int) -> Any:
    latency = await (await ws.ping())
    await ws.close()
    return latency


async def _latency_in_milliseconds(ws: Any, count: int) -> Any:
    return 1000 * sorted([await (await ws.ping()) for _ in range(count)])[count // 2]


LATENCY = Exercise(
    name="latency",
    lesson="04",
    title="Report the latency of a connection",
    asks="my_latency(ws, count)",
    judge=_judge_latency,
    section="RFC 6455 §5.5.2",
    hints=(
        "await ws.ping() sends; await what it gives waits for the pong. Both packages take both awaits.",
        "Collect the latencies of count pings in a list; statistics.median(list) gives the middle one.",
    ),
    mistakes=(
        Mistake(_latency_of_sending, "this is the time to send, not until the pong"),
        Mistake(_latency_of_one_await, "put await in front"),
        Mistake(_latency_of_echo, "sends data messages"),
        Mistake(_latency_in_milliseconds, "seconds are asked"),
        Mistake(_mean_latency, "gives the mean"),
        Mistake(_last_latency, "gives the last"),
        Mistake(_quickest, "gives the quickest"),
        Mistake(_latencies, "the median of them is asked"),
        Mistake(_latency_of_one, "sends 1 ping, where count is 5"),
        Mistake(_latency_for_ever, "sends more than 5 pings"),
        Mistake(_latency_and_goodbye, "closes the connection"),
    ),
    why="The median is the usual latency; one late pong says little about a connection.",
    bound=9.0,
)

EXERCISES = (CLASSIFY_ENDING, LATENCY)
