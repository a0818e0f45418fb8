"""The exercises of lesson 06: push and receive, cancel a timer, keep a schedule, choose what may wait.

Two judges have a handler served (RFC 6455 §1.2, §5.6), talk to it as clients, of which one is lost without a
Close (§7.1.7), and look at what goes on afterwards. Each wait ends as soon as it is known what is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import string
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from wslab.lab.exercises.kinds import NOTHING_YET, Fault, Function, Value, Watched
from wslab.lab.exercises.peers import PATIENCE, Served, next_message, served
from wslab.lab.exercises.verdict import Rows
from wslab.lessons.push import right

__all__ = ["EXERCISES"]

PERIOD = 0.02  # seconds from tick to tick

# -- push and receive ---------------------------------------------------------------------------------------

SOME = 10  # ticks that come first: without a pause between them they take next to no time
_ENDING = (
    "send and recv raise ConnectionClosed once the client has gone. Suppress it where you push, and receive "
    "with async for, which ends instead."
)
SLOW = 5 * PERIOD  # seconds between any two of them: a machine that is late is late now and then, not always


async def _judge_both(answer: Any) -> Fault | None:
    async with served(answer) as server:
        async with connect(server.uri, close_timeout=PATIENCE) as websocket:
            fault = await _judge_ticks(websocket) or await _judge_answers(websocket)
        if fault is None and not (await server.ended() and await server.left_nothing()):
            return Fault("went on after the connection had ended. End the task that pushes, too.")
        return fault or server.log_fault(_ENDING)


async def _judge_ticks(websocket: ClientConnection) -> Fault | None:
    now = asyncio.get_running_loop().time
    came = [now()]
    for ticks in range(SOME):
        message = await next_message(websocket)
        if message == "tick":
            came.append(now())
            continue
        if message is not None:
            return Fault("pushed something else.", (("received", repr(message)), ("expected", "'tick'")))
        if websocket.close_code is not None:
            return (
                Fault("ended while its client was there.", _ticks(ticks, "the end")) if ticks else NOTHING_YET
            )
        rows = _ticks(ticks, f"nothing for {PATIENCE:g} seconds")
        return Fault("did not push while the client was silent.", rows)
    if came[-1] - came[0] < SOME * PERIOD / 4:
        return Fault("pushed without a pause. Is there a sleep, and is it awaited?")
    if min(after - before for before, after in pairwise(came[1:])) > SLOW:
        return Fault(f"pushed too seldom. Push every {PERIOD} seconds.")
    return None


def _ticks(number: int, then: str) -> Rows:
    return (("received", f"{number} tick{'s' * (number != 1)}, then {then}" if number else then),)


async def _judge_answers(websocket: ClientConnection) -> Fault | None:
    drawn = "".join(random.Random("push").choices(string.ascii_lowercase, k=8))  # an answer must not know it
    for word in ("hello", "again", drawn):
        with contextlib.suppress(ConnectionClosed):
            await websocket.send(word)
        message = await _next_but_ticks(websocket)
        if message is None:
            return Fault(f"did not answer {word!r} while it pushed. Does something receive, and send?")
        if message != word.upper():
            rows = (("received", repr(message)), ("expected", repr(word.upper())))
            return Fault(f"did not answer {word!r} in capitals.", rows)
    if await next_message(websocket) != "tick":
        return Fault("did not go on pushing after it had answered.")
    return None


async def _next_but_ticks(websocket: ClientConnection) -> Any:
    """Return the next message that is no tick, or None when none comes."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while (message := await next_message(websocket)) == "tick":
                pass
            return message
    return None


PUSH_AND_RECEIVE = Watched(
    name="push-and-receive",
    title="Push and receive at once",
    asks="my_handler(websocket)",
    judge=_judge_both,
    section="RFC 6455 §1.2 and §5.6",
    hints=(
        "Two loops that wait for different things: one of them needs its own task.",
        "async with asyncio.TaskGroup() as group: push in a task of the group, receive in the body.",
        "The group ends when its tasks have ended: cancel the one that pushes when nothing more can come.",
    ),
    why="Neither loop waits for the other, so neither makes the other late.",
    bound=8.0,
)

# -- cancel the timer ---------------------------------------------------------------------------------------

MANY = 40  # messages at once: more than websockets keeps for a handler that does not receive


class _Timer:
    """A timer that does not notice that its client has gone, and counts how many of it run."""

    def __init__(self) -> None:
        self.called = self.started = self.running = 0

    def __repr__(self) -> str:
        return "tick"

    def __call__(self, websocket: ServerConnection) -> Coroutine[Any, Any, None]:
        self.called += 1
        return self.tick(websocket)

    async def tick(self, websocket: ServerConnection) -> None:
        self.started += 1
        self.running += 1
        try:
            while True:
                with contextlib.suppress(ConnectionClosed):
                    await websocket.send("tick")
                await asyncio.sleep(PERIOD)
        finally:
            self.running -= 1

    async def ended(self) -> bool:
        """Wait until none runs any more; return whether that came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self.running:
                    await asyncio.sleep(PERIOD / 4)
        return not self.running


async def _judge_cancel(answer: Any) -> Fault | None:
    timer = _Timer()
    async with served(lambda websocket: answer(websocket, timer)) as server:
        for way in ("closes normally", "closes with code 4000", "is lost"):
            async with connect(server.uri, close_timeout=PATIENCE) as websocket:
                if fault := await _judge_stay(websocket, timer):
                    return fault
                if way == "is lost":
                    websocket.transport.abort()
                else:
                    await websocket.close(4000 if "4000" in way else 1000)
            if fault := await _judge_what_is_left(server, timer, way):
                return fault
    return None


async def _judge_what_is_left(server: Served, timer: _Timer, way: str) -> Fault | None:
    if not await server.ended():
        return Fault(f"did not end after a client that {way}. Does it wait for the timer?")
    if not await timer.ended():
        raises = "" if way == "closes normally" else " async for raises then: cancel in finally."
        rows = (("timers", str(timer.running)), ("expected", "0"))
        return Fault(f"left the timer of a client that {way}.{raises}", rows)
    return server.log_fault(_ENDING) if way == "closes normally" else None


async def _judge_stay(websocket: ClientConnection, timer: _Timer) -> Fault | None:
    """Listen to ticks, speak, and listen on."""
    for number in range(8):
        if number == 3:
            with contextlib.suppress(ConnectionClosed):
                for _ in range(MANY):
                    await websocket.send("hello")
        if await next_message(websocket) == "tick":
            continue
        if number >= 3:
            return Fault("stopped at the first message. Receive until the connection ends.")
        if not timer.called:
            return Fault("started no timer.") if websocket.close_code is None else NOTHING_YET
        if timer.started:
            return Fault("stopped the timer while the client was there.")
        if websocket.close_code is not None:
            return Fault("ended before the timer had run. Receive until the connection ends.")
        return Fault("made a timer, but did not let it run. asyncio.create_task starts it.")
    if not timer.called:
        return Fault("did not start the timer that it is given.")
    try:
        await asyncio.wait_for(await websocket.ping(), PATIENCE)
    except TimeoutError:
        return Fault(
            "did not receive. Messages that nobody takes fill a queue, and then no ping is answered."
        )
    except ConnectionClosed:
        return Fault("ended while the client was there.")
    return None


CANCEL_THE_TIMER = Watched(
    name="cancel-the-timer",
    title="Cancel the timer, however the connection ends",
    asks="my_clock(websocket, tick)",
    judge=_judge_cancel,
    section="RFC 6455 §7.1.7 and §7.2",
    hints=(
        "asyncio.create_task(tick(websocket)) starts it. Receive until the connection ends, then cancel it.",
        "async for raises an exception for a client that is lost. try: … finally: runs in every case.",
        "finally: timer.cancel()",
    ),
    why="What a handler starts, it ends. That holds for timers, subscriptions, files, and rows in a table.",
    bound=8.0,
)

# -- the next tick ------------------------------------------------------------------------------------------


def _draw_moment(source: random.Random) -> tuple[float, float, float]:
    start, period = source.randrange(400) / 4, source.choice((0.25, 0.5, 1.0, 2.0, 4.0))
    return start, period, start + source.randrange(1600) / 16


NEXT_TICK = Function(
    name="next-tick",
    title="Find the next tick of a schedule",
    asks="my_next_tick(start, period, now)",
    section="Python's documentation of asyncio: loop.time and loop.call_at",
    right=right.next_tick,
    calls=[
        (100.0, 0.5, 100.375),
        (100.0, 0.5, 100.125),
        (100.0, 0.5, 103.25),
        (100.0, 0.5, 104.0),
        (100.25, 1.0, 107.5),
        (0.0, 2.0, 5.0),
    ],
    drawn=_draw_moment,
    mistakes={
        "A timer that waits a period from now stays late once it has been late.": lambda start, period, now: (
            now + period
        ),
        "This moment has passed. The schedule goes on after it.": lambda start, period, now: start + period,
        "At the very moment of a tick, the next one is a whole period away.": lambda start, period, now: (
            start + math.ceil((now - start) / period) * period
        ),
        "round finds the nearest tick, which may have passed. Find the first one after now.": (
            lambda start, period, now: start + round((now - start) / period) * period
        ),
        "The schedule begins at start, not at zero.": lambda start, period, now: (now // period + 1) * period,
        "This is the tick before. The next one is one more period away.": lambda start, period, now: (
            start + (now - start) // period * period
        ),
        "This counts from start. Add start to have the moment itself.": lambda start, period, now: (
            ((now - start) // period + 1) * period
        ),
        "Count the periods since start: subtract start from now first.": lambda start, period, now: (
            start + (now // period + 1) * period
        ),
        "You returned the wait until the next tick. Add now to get its moment.": lambda start, period, now: (
            period - (now - start) % period
        ),
    },
    hints=(
        "How many whole periods have passed since start? The next tick is one more.",
        "(now - start) // period counts the whole periods.",
        "Add one to the whole periods, multiply by period again, and add start.",
    ),
    why="Ticks that were missed are left out, and what follows is on time again: no drift, and no burst.",
)

# -- the latest of each -------------------------------------------------------------------------------------

Quotes = list[tuple[str, float]]


def _moved_back(quotes: Quotes) -> Quotes:
    return [quote for at, quote in enumerate(quotes, 1) if quote[0] not in dict(quotes[at:])]


def _draw_quotes(source: random.Random) -> tuple[Quotes]:
    symbols = ("ABC", "DEF", "GHI", "XYZ")
    return ([(source.choice(symbols), source.randrange(400) / 4) for _ in range(source.randrange(9))],)


LATEST = Function(
    name="latest-of-each",
    title="Keep the latest quote of each symbol",
    asks="my_latest(quotes)",
    section="Python's documentation: dict, and the order of its keys",
    right=right.latest,
    calls=[
        ([("ABC", 12.5), ("XYZ", 80.0)],),
        ([("ABC", 12.5), ("XYZ", 80.0), ("ABC", 12.75)],),
        ([("ABC", 12.5), ("XYZ", 80.0), ("ABC", 12.75), ("DEF", 7.0), ("XYZ", 81.0), ("ABC", 12.25)],),
        ([("ABC", 12.5)],),
        ([],),
    ],
    drawn=_draw_quotes,
    keeps=True,
    mistakes={
        "With one place for all, a quote of one symbol pushes out those of the others.": lambda quotes: (
            quotes[-1:]
        ),
        "These are the oldest prices. A later one replaces an earlier one.": lambda quotes: (
            [(symbol, dict(reversed(quotes))[symbol]) for symbol in dict(quotes)]
        ),
        "A symbol that changes all the time would go to the end each time, and never be sent.": _moved_back,
        "The order is that in which the symbols first appear, the oldest first.": lambda quotes: right.latest(
            quotes
        )[::-1],
        "A price that a later one has replaced need not be sent any more.": lambda quotes: quotes,
    },
    hints=(
        "A dictionary has one value for each key, and a later one replaces it.",
        "A key that is there keeps its place when its value is replaced.",
        "dict(quotes) takes pairs, and .items() returns them.",
    ),
    why="This is called conflation: the number of symbols bounds what waits, however fast they change.",
)

# -- a policy -----------------------------------------------------------------------------------------------

POLICIES = {
    "the time, once a second": "latest",
    "the price of one share, on a screen": "latest",
    "three short messages in answer to a question": "everything",
    "a chat, whose history can be asked for again": "disconnect",
    "where all players stand, 30 times a second": "latest",
    "orders for a warehouse, which asks for what it missed when it is back": "disconnect",
}

POLICY = Value(
    name="slow-reader",
    title="Choose a policy for a slow reader",
    section="the figure above",
    right=POLICIES,
    noun="stream",
    choices=("everything", "latest", "disconnect"),
    look_at=dict(
        zip(
            POLICIES,
            (
                "Of what use is an old time?",
                "The screen has one place for the price.",
                "Can they ever become many?",
                "Messages never end, and none may be left out unnoticed.",
                "A thirtieth of a second later, the old places are of no use any more.",
                "Each order counts, and they never end.",
            ),
            strict=True,
        )
    ),
    mistakes={
        "A chat does not end. What waits for a slow reader would not stop growing.": {
            "a chat, whose history can be asked for again": "everything"
        },
        "On a screen a newer price replaces the older one, so nobody reads those that waited.": {
            "the price of one share, on a screen": "everything"
        },
        "Three short messages always fit. Nothing needs a bound.": {
            "three short messages in answer to a question": "disconnect"
        },
        "The answer has three messages. A queue that holds the latest only may lose two of them.": {
            "three short messages in answer to a question": "latest"
        },
    },
    hints=(
        "Ask first: is an old message of any use once a newer one is there? If not, the latest is enough.",
        "Then ask: can what waits become many? Three messages cannot.",
        "If each message counts and they never end, nothing that is bounded can hold them.",
    ),
    why="Every server that pushes has a policy. One that was never chosen is the first: everything.",
)

EXERCISES = (PUSH_AND_RECEIVE, CANCEL_THE_TIMER, NEXT_TICK, LATEST, POLICY)
