"""The exercise of lesson 06 on a handler that pushes and receives at once (RFC 6455 §1.2, §5.6).

The judge has ``served`` run the answer, talks to it as a client, and looks at what goes on afterwards. Each
wait is bounded, and ends as soon as it is known what is wrong. Nothing is left running.
"""

from __future__ import annotations

import asyncio
import contextlib
from itertools import pairwise
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from wslab.lab.exercises.exercise import Exercise, Fault, Mistake
from wslab.lab.exercises.served import PATIENCE, next_message, served

__all__ = ["EXERCISES"]

Rows = tuple[tuple[str, str], ...]
PERIOD = 0.02  # seconds from tick to tick
SOME = 10  # ticks that come first: without a pause between them they take next to no time
SLOW = 5 * PERIOD  # seconds between any two of them: a machine that is late is late now and then, not always


async def _judge_both(answer: Any) -> Fault | None:
    async with served(answer) as server:
        async with connect(server.uri, close_timeout=PATIENCE) as websocket:
            fault = await _judge_ticks(websocket) or await _judge_answers(websocket)
        if fault is None and not (await server.ended() and await server.left_nothing()):
            return Fault("goes on after the connection has ended: whatever pushes must end, too.")
    return fault


async def _judge_ticks(websocket: ClientConnection) -> Fault | None:
    now = asyncio.get_running_loop().time
    came = [now()]
    for ticks in range(SOME):
        message = await next_message(websocket)
        if message == "tick":
            came.append(now())
            continue
        if message is not None:
            return Fault("pushes something else.", (("received", repr(message)), ("expected", "'tick'")))
        if websocket.close_code is not None:
            return Fault("ends while its client is there.", _ticks(ticks, "the end"), idle=not ticks)
        rows = _ticks(ticks, f"nothing for {PATIENCE:g} seconds")
        return Fault("does not push while the client is silent.", rows)
    if came[-1] - came[0] < SOME * PERIOD / 4:
        return Fault("pushes without a pause. Is there a sleep, and is it awaited?")
    if min(after - before for before, after in pairwise(came[1:])) > SLOW:
        return Fault(f"pushes too seldom: every {PERIOD} seconds are asked.")
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


async def _push_too_seldom(websocket: ServerConnection) -> None:
    async def push() -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await websocket.send("tick")
                await asyncio.sleep(10 * PERIOD)

    async with asyncio.TaskGroup() as group:
        pusher = group.create_task(push())
        await _answer(websocket)
        pusher.cancel()


async def _leave_the_pusher(websocket: ServerConnection) -> None:
    async def push() -> None:
        while True:
            with contextlib.suppress(ConnectionClosed):
                await websocket.send("tick")
            await asyncio.sleep(PERIOD)

    pusher = asyncio.ensure_future(push())
    await _answer(websocket)
    del pusher


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
        Mistake(_leave_the_pusher, "goes on after the connection has ended"),
        Mistake(_push_too_seldom, "pushes too seldom"),
    ),
    why="Each direction waits on its own: neither makes the other late.",
    bound=8.0,
    acts=True,
)

EXERCISES = (PUSH_AND_RECEIVE,)
