"""The exercise of lesson 06 on a timer that has to end with its connection, however that ends (RFC 6455 §7).

The judge has ``served`` run the answer, talks to it as clients, one of which is lost without a Close
(§7.1.7), and looks for timers that still run. Each wait is bounded. Nothing is left running.
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

PERIOD = 0.02  # seconds from tick to tick
MANY = 40  # messages at once: more than websockets keeps for a handler that does not receive


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
        raises = "" if farewell is _leave else " async for raises then: cancel in finally."
        rows = (("timers", str(timer.running)), ("expected", "0"))
        return Fault(f"leaves the timer of a client {who}.{raises}", rows)
    return None


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
            return Fault("ends, or stops the timer, at the first message: receive until the connection ends.")
        if not timer.called:
            return Fault("starts no timer.", idle=websocket.close_code is not None)
        if not timer.started and websocket.close_code is not None:
            return Fault("ends before the timer has run: receive until the connection ends.")
        if not timer.started:
            return Fault("makes a timer, but does not let it run: asyncio.create_task starts it.")
        return Fault("stops the timer while the client is there.")
    if not timer.called:
        return Fault("does not start the timer that it is given.")
    try:
        await asyncio.wait_for(await websocket.ping(), PATIENCE)
    except TimeoutError:
        return Fault("does not receive: what nobody takes fills a queue, and then no ping is answered.")
    except ConnectionClosed:
        return Fault("ends while the client is there.")
    return None


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


async def _wait_for_both(websocket: ServerConnection, tick: Handler) -> None:
    await asyncio.gather(tick(websocket), _only_receive(websocket, tick))


async def _cancel_at_once(websocket: ServerConnection, tick: Handler) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    await asyncio.sleep(PERIOD / 2)
    timer.cancel()
    await websocket.wait_closed()


async def _receive_nothing(websocket: ServerConnection, tick: Handler) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    try:
        await websocket.wait_closed()
    finally:
        timer.cancel()


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
        Mistake(_await_the_timer, "does not receive"),
        Mistake(_wait_for_both, "Does it wait for the timer?"),
        Mistake(_cancel_at_once, "stops the timer while the client is there"),
        Mistake(_receive_once, "receive until the connection ends"),
        Mistake(_only_receive, "starts no timer"),
        Mistake(_receive_nothing, "does not receive"),
    ),
    why="What a handler starts, it ends. That holds for timers, subscriptions, files, and rows in a table.",
    bound=8.0,
    acts=True,
)

EXERCISES = (CANCEL_THE_TIMER,)
