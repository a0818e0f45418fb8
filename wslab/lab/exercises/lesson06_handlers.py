"""The exercises of lesson 06 that are handlers: push and receive at once, and a timer that ends.

Their judges have ``served`` run the answer, talk to it as clients, one of which is lost without a Close (RFC
6455 §7.1.7), and look at what goes on afterwards. Each wait is bounded, and ends as soon as it is known what
is wrong. Nothing is left running.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from wslab.lab.exercises.exercise import Exercise, Fault, Mistake
from wslab.lab.exercises.served import PATIENCE, Handler, Served, next_message, served

__all__ = ["EXERCISES"]

Rows = tuple[tuple[str, str], ...]
PERIOD = 0.02  # seconds from tick to tick, in the wrong answers and in the timer of the second exercise


# -- push and receive ---------------------------------------------------------------------------------------

SOME = 10  # ticks that come first: without a pause between them they take next to no time


async def _judge_both(answer: Any) -> Fault | None:
    async with served(answer) as server:
        async with connect(server.uri, close_timeout=PATIENCE) as websocket:
            fault = await _judge_ticks(websocket) or await _judge_answers(websocket)
        if fault is None and not await server.ended():
            return Fault("goes on after the connection has ended: whatever pushes must end, too.")
    return fault


async def _judge_ticks(websocket: ClientConnection) -> Fault | None:
    now = asyncio.get_running_loop().time
    before = now()
    for ticks in range(SOME):
        message = await next_message(websocket)
        if message == "tick":
            continue
        if message is not None:
            return Fault("pushes something else.", (("received", repr(message)), ("expected", "'tick'")))
        if websocket.close_code is not None:
            return Fault("ends while its client is there.", _ticks(ticks, "the end"), idle=not ticks)
        rows = _ticks(ticks, f"nothing for {PATIENCE:g} seconds")
        return Fault("does not push while the client is silent.", rows)
    if now() - before < SOME * PERIOD / 4:
        return Fault("pushes without a pause. Is there a sleep, and is it awaited?")
    return None


def _ticks(number: int, then: str) -> Rows:
    return (("received", f"{number} tick{'s' * (number != 1)}, then {then}" if number else then),)


async def _judge_answers(websocket: ClientConnection) -> Fault | None:
    for word in ("hello", "again"):
        with contextlib.suppress(ConnectionClosed):
            await websocket.send(word)
        message = await _next_but_ticks(websocket)
        if message is None:
            return Fault(f"does not answer {word!r} while it pushes: nobody receives, or nobody sends.")
        if message != word.upper():
            rows = (("received", repr(message)), ("expected", repr(word.upper())))
            return Fault(f"does not answer {word!r} in capitals.", rows)
    if await next_message(websocket) != "tick":
        return Fault("does not go on pushing after it has answered.")
    return None


async def _next_but_ticks(websocket: ClientConnection) -> Any:
    """Return the next message that is no tick, or None when none comes."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while (message := await next_message(websocket)) == "tick":
                pass
            return message
    return None


async def _push_only(websocket: ServerConnection) -> None:
    while True:
        await websocket.send("tick")
        await asyncio.sleep(PERIOD)


async def _push_without_a_pause(websocket: ServerConnection) -> None:
    async def push() -> None:
        while True:
            await websocket.send("tick")
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(push())
        await _answer(websocket)


async def _in_turn(websocket: ServerConnection) -> None:
    while True:
        await websocket.send("tick")
        await websocket.send((await websocket.recv()).upper())


async def _answer(websocket: ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message.upper())


async def _push_first(websocket: ServerConnection) -> None:
    for _ in range(2 * SOME):
        await websocket.send("tick")
        await asyncio.sleep(PERIOD)
    await _answer(websocket)


async def _push_without_end(websocket: ServerConnection) -> None:
    async def push() -> None:
        while True:
            with contextlib.suppress(ConnectionClosed):
                await websocket.send("tick")
            await asyncio.sleep(PERIOD)

    await asyncio.gather(push(), _answer(websocket))


PUSH_AND_RECEIVE = Exercise(
    name="push-and-receive",
    lesson="06",
    title="Push and receive at once",
    asks="my_handler(websocket)",
    judge=_judge_both,
    section="RFC 6455 §1.2 and §5.6",
    hints=(
        "Two loops that wait for different things: one of them needs a task of its own.",
        "async with asyncio.TaskGroup() as group: push in a task of the group, receive in the body.",
        "The group ends when its tasks have ended: cancel the one that pushes when nothing more can come.",
    ),
    mistakes=(
        Mistake(_push_only, "nobody receives"),
        Mistake(_push_without_a_pause, "pushes without a pause"),
        Mistake(_in_turn, "does not push while the client is silent"),
        Mistake(_push_first, "does not go on pushing"),
        Mistake(_push_without_end, "goes on after the connection has ended"),
    ),
    why="Each direction waits on its own: neither makes the other late.",
    bound=8.0,
    acts=True,
)


# -- cancel the timer ---------------------------------------------------------------------------------------


class _Timer:
    """Be a timer that does not notice that its client has gone, and count how many run."""

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
        """Wait until none runs any more; tell whether that came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self.running:
                    await asyncio.sleep(PERIOD / 4)
        return not self.running


async def _leave(websocket: ClientConnection) -> None:
    await websocket.close()


async def _leave_with_an_error(websocket: ClientConnection) -> None:
    await websocket.close(4000)


async def _get_lost(websocket: ClientConnection) -> None:
    websocket.transport.abort()


FAREWELLS = (
    (_leave, "who says good-bye"),
    (_leave_with_an_error, "who closes with code 4000"),
    (_get_lost, "who is lost"),
)


async def _judge_cancel(answer: Any) -> Fault | None:
    timer = _Timer()
    async with served(lambda websocket: answer(websocket, timer)) as server:
        for farewell, who in FAREWELLS:
            fault = await _judge_visit(server, timer, farewell, who)
            if fault:
                return fault
    return None


async def _judge_visit(server: Served, timer: _Timer, farewell: Any, who: str) -> Fault | None:
    async with connect(server.uri, close_timeout=PATIENCE) as websocket:
        fault = await _judge_stay(websocket, timer)
        if fault:
            return fault
        await farewell(websocket)
    if not await server.ended():
        return Fault(f"does not end after a client {who}. Does it wait for the timer?")
    if not await timer.ended():
        return Fault(
            f"leaves the timer of a client {who}.", (("timers", str(timer.running)), ("expected", "0"))
        )
    return None


async def _judge_stay(websocket: ClientConnection, timer: _Timer) -> Fault | None:
    """Listen to ticks, speak, and listen on."""
    for number in range(8):
        if number == 3:
            with contextlib.suppress(ConnectionClosed):
                await websocket.send("hello")
        if await next_message(websocket) == "tick":
            continue
        if number >= 3:
            return Fault("ends, or stops the timer, at the first message: receive until the connection ends.")
        if not timer.called:
            return Fault("starts no timer.", idle=websocket.close_code is not None)
        if not timer.started and websocket.close_code is not None:
            return Fault("ends before the timer has run: receive until the connection ends.")
        if not timer.started:
            return Fault("makes a timer, but does not let it run: asyncio.create_task starts it.")
        return Fault("stops the timer while the client is there.")
    return None if timer.called else Fault("does not start the timer that it is given.")


async def _never_cancel(websocket: ServerConnection, tick: Handler) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    async for _ in websocket:
        pass
    del timer


async def _cancel_when_all_is_well(websocket: ServerConnection, tick: Handler) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    async for _ in websocket:
        pass
    timer.cancel()


async def _await_the_timer(websocket: ServerConnection, tick: Handler) -> None:
    await tick(websocket)


async def _cancel_at_once(websocket: ServerConnection, tick: Handler) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    await asyncio.sleep(PERIOD / 2)
    timer.cancel()
    await websocket.wait_closed()


async def _receive_once(websocket: ServerConnection, tick: Handler) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    await websocket.recv()
    timer.cancel()


async def _only_receive(websocket: ServerConnection, tick: Handler) -> None:
    async for _ in websocket:
        pass


CANCEL_THE_TIMER = Exercise(
    name="cancel-the-timer",
    lesson="06",
    title="Cancel the timer, however the connection ends",
    asks="my_clock(websocket, tick)",
    judge=_judge_cancel,
    section="RFC 6455 §7.1.7 and §7.2",
    hints=(
        "asyncio.create_task(tick(websocket)) starts it. Receive until the connection ends, then cancel it.",
        "async for raises an exception for a client who is lost. try: … finally: runs in every case.",
    ),
    mistakes=(
        Mistake(_never_cancel, "leaves the timer of a client who says good-bye"),
        Mistake(_cancel_when_all_is_well, "leaves the timer of a client who closes with code 4000"),
        Mistake(_await_the_timer, "Does it wait for the timer?"),
        Mistake(_cancel_at_once, "stops the timer while the client is there"),
        Mistake(_receive_once, "receive until the connection ends"),
        Mistake(_only_receive, "starts no timer"),
    ),
    why="What a handler starts, it ends. That holds for timers, subscriptions, files, and rows in a table.",
    bound=8.0,
    acts=True,
)

EXERCISES = (PUSH_AND_RECEIVE, CANCEL_THE_TIMER)
