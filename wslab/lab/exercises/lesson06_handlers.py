"""The exercises of lesson 06 that are handlers: push and receive at once, and a timer that ends.

Their judges serve the answer with `websockets` on a free port, talk to it as clients, one of which is lost
without a Close (RFC 6455 §7.1.7), and look at what goes on afterwards. An exception in the learner's handler
is the learner's to see, so it is carried out of the server. A handler that does not end by itself is
cancelled, and so is every task that it left behind: nothing is left running.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from wslab.lab.exercises.exercise import Exercise, Fault, Mistake

__all__ = ["EXERCISES"]

Rows = tuple[tuple[str, str], ...]
Handler = Callable[[ServerConnection], Awaitable[None]]
PATIENCE = 1.0  # seconds to wait for something that must happen
PERIOD = 0.02  # seconds from tick to tick, in the wrong answers and in the timer of the second exercise


class _Served:
    """Run a handler for each connection as a task that can be waited for, and cancelled."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.uri = ""
        self.running: set[asyncio.Task[None]] = set()
        self.raised: list[BaseException] = []

    async def guard(self, websocket: ServerConnection) -> None:
        task = asyncio.ensure_future(self._run(websocket))
        self.running.add(task)
        await asyncio.wait([task])
        self.running.discard(task)

    async def _run(self, websocket: ServerConnection) -> None:
        try:
            await self._handler(websocket)
        except ConnectionClosed:
            pass
        except ExceptionGroup as group:
            _, others = group.split(ConnectionClosed)
            if others:  # named by its cause, at the learner's line where the group ended
                self.raised.append(_first(others).with_traceback(others.__traceback__))
        except Exception as error:
            self.raised.append(error)

    async def ended(self) -> bool:
        """Wait for the handlers to end; tell whether they did."""
        if self.running:
            await asyncio.wait(self.running, timeout=PATIENCE)
        return not self.running or all(task.done() for task in self.running)


def _first(error: BaseException) -> BaseException:
    """Return the first single exception of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@contextlib.asynccontextmanager
async def _served(handler: Handler) -> AsyncIterator[_Served]:
    """Serve a handler; in the end cancel what it left, and raise what it raised."""
    before = asyncio.all_tasks()
    served = _Served(handler)
    server = await serve(served.guard, "127.0.0.1", 0)
    served.uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        for task in served.running:
            task.cancel()
        server.close()
        await server.wait_closed()
        for task in asyncio.all_tasks() - before:
            task.cancel()
    if served.raised:
        raise served.raised[0]


async def _next(websocket: ClientConnection) -> Any:
    """Return the next message, or None when none comes."""
    try:
        return await asyncio.wait_for(websocket.recv(), PATIENCE)
    except (ConnectionClosed, TimeoutError):
        return None


# -- push and receive ---------------------------------------------------------------------------------------


async def _judge_both(answer: Any) -> Fault | None:
    async with _served(answer) as served:
        async with connect(served.uri) as websocket:
            fault = await _judge_talk(websocket)
        if fault is None and not await served.ended():
            return Fault("goes on after the connection has ended: whatever pushes must end, too.")
    return fault


async def _judge_talk(websocket: ClientConnection) -> Fault | None:
    heard = [await _next(websocket) for _ in range(3)]
    if heard != ["tick"] * 3:
        idle = heard[0] is None and websocket.close_code is not None
        said: Rows = (("received", ", ".join(repr(each) for each in heard if each is not None) or "nothing"),)
        return Fault("does not push while the client is silent.", said, idle=idle)
    for word in ("hello", "again"):
        with contextlib.suppress(ConnectionClosed):
            await websocket.send(word)
        try:
            async with asyncio.timeout(PATIENCE):
                while (message := await _next(websocket)) == "tick":
                    pass
        except TimeoutError:
            return Fault(f"does not answer {word!r} while it pushes: nobody receives.")
        if message != word.upper():
            rows = (("received", repr(message)), ("expected", repr(word.upper())))
            return Fault(f"does not answer {word!r} in capitals.", rows)
    if await _next(websocket) != "tick":
        return Fault("does not go on pushing after it has answered.")
    return None


async def _push_only(websocket: ServerConnection) -> None:
    while True:
        await websocket.send("tick")
        await asyncio.sleep(PERIOD)


async def _in_turn(websocket: ServerConnection) -> None:
    while True:
        await websocket.send("tick")
        await websocket.send((await websocket.recv()).upper())


async def _answer(websocket: ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message.upper())


async def _push_first(websocket: ServerConnection) -> None:
    for _ in range(5):
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
    section="RFC 6455 §1.1 and §5.6",
    hints=(
        "Two loops that wait for different things: one of them needs a task of its own.",
        "async with asyncio.TaskGroup() as group: push in a task of the group, receive in the body.",
        "The group ends when its tasks have ended: cancel the one that pushes when nothing more can come.",
    ),
    mistakes=(
        Mistake(_push_only, "nobody receives"),
        Mistake(_in_turn, "does not push while the client is silent"),
        Mistake(_push_first, "does not go on pushing"),
        Mistake(_push_without_end, "goes on after the connection has ended"),
    ),
    why="Each direction waits on its own: neither makes the other late.",
    bound=10.0,
    acts=True,
)


# -- cancel the timer ---------------------------------------------------------------------------------------


class _Timer:
    """Be a timer that does not notice that its client has gone, and count how many run."""

    def __init__(self) -> None:
        self.started = 0
        self.running = 0

    def __repr__(self) -> str:
        return "tick"

    async def __call__(self, websocket: ServerConnection) -> None:
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
    async with _served(lambda websocket: answer(websocket, timer)) as served:
        for farewell, who in FAREWELLS:
            fault = await _judge_visit(served, timer, farewell, who)
            if fault:
                return fault
    return None


async def _judge_visit(served: _Served, timer: _Timer, farewell: Any, who: str) -> Fault | None:
    async with connect(served.uri) as websocket:
        ticks = [await _next(websocket) for _ in range(3)]
        if ticks != ["tick"] * 3:
            sentence = "stops the timer while the client is there." if timer.started else "starts no timer."
            return Fault(sentence, idle=not timer.started)
        await farewell(websocket)
    if not await served.ended():
        return Fault(f"does not end after a client {who}: it waits for the timer.")
    if not await timer.ended():
        return Fault(
            f"leaves the timer of a client {who}.", (("timers", str(timer.running)), ("expected", "0"))
        )
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


async def _cancel_at_once(websocket: ServerConnection, tick: Handler) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    await asyncio.sleep(PERIOD / 2)
    timer.cancel()
    await websocket.wait_closed()


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
        Mistake(_await_the_timer, "it waits for the timer"),
        Mistake(_cancel_at_once, "stops the timer while the client is there"),
    ),
    why="What a handler starts, it ends. That holds for timers, subscriptions, files, and rows in a table.",
    bound=10.0,
    acts=True,
)

EXERCISES = (PUSH_AND_RECEIVE, CANCEL_THE_TIMER)
