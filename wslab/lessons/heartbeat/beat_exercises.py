"""The exercises of lesson 04 on heartbeats: one of pings, one of data messages (RFC 6455 §5.5.2).

This module knows the questions, their typical wrong answers and their hints. The judges run the
learner's coroutine on one end of a connection, and freeze the network once a peer that was alive has been
seen to be taken for alive. They wait for what passes the tap, and leave nothing running.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
import unittest.mock
from collections.abc import Iterator
from typing import Any

from wslab.connection import ReadyState
from wslab.lab.exercises.exercise import Exercise, Fault, Mistake, compare
from wslab.lab.exercises.frozen import PATIENCE, end, freeze_after, through_tap

__all__ = ["EXERCISES"]

INTERVAL = 0.05  # seconds from beat to beat
TIMEOUT = 0.4  # seconds of silence until the peer is given up
BEATS = 12  # that pass before the network freezes: more than fit into the timeout


# -- a heartbeat of pings -----------------------------------------------------------------------------------


async def _judge_heartbeat(answer: Any) -> Fault | None:
    async def wait(ws: Any) -> None:
        await ws.wait_closed()

    async with through_tap(wait) as (tap, ws):
        with _noting_time_sleep() as blocked:
            work = asyncio.ensure_future(answer(ws, INTERVAL, TIMEOUT))
            went_on = await freeze_after(tap, tap.seen("PONG", count=BEATS, timeout=PATIENCE), work)
            rows = tap.conversation()
            ended, late = await end(work, INTERVAL + TIMEOUT)
        closes = ws.ready_state is not ReadyState.OPEN
    if ended and isinstance(work.exception(), TimeoutError) and went_on:
        return Fault("raises TimeoutError when a pong does not come: catch it, and return how many came.")
    given = work.result() if ended else None
    pongs = [row.time / 1000 for row in rows if row.what == "PONG"]
    sentence = _fault_before_the_freeze(rows, pongs, went_on=went_on)
    if not sentence and blocked:
        sentence = "calls time.sleep, which stops all of the program: await asyncio.sleep instead."
    if not sentence and not ended:
        sentence = (
            "closes the frozen connection, and waits for an answer that cannot come: only return."
            if closes
            else "goes on though the network is frozen: each pong needs a time limit, and after it a return. "
            "It is await ws.ping() that waits for the pong: put the limit around that."
        )
    if not sentence and late:
        sentence = "ends too late after the network froze: the limit of each pong is the timeout."
    if not sentence and given == len(pongs) + 1:
        sentence = "counts one too many: count a ping when its pong has come."
    return Fault(sentence, given=given) if sentence else compare(given, len(pongs))


def _fault_before_the_freeze(rows: Any, pongs: list[float], *, went_on: bool) -> str:
    """Say what is wrong with a heartbeat while the peer is alive; pongs are times in seconds."""
    if any(row.what in ("TEXT", "BINARY") for row in rows):
        return "sends data messages; a heartbeat of pings disturbs no handler."
    if not any(row.what == "PING" for row in rows):
        return "sends no ping."
    if not went_on:
        return f"ends after {_pongs(len(pongs))}; the peer was alive and answered."
    if len(pongs) < BEATS:
        return f"has {_pongs(len(pongs))} after {PATIENCE:g} seconds: it does not ping often enough."
    if pongs[-1] - pongs[0] < (len(pongs) - 1) * INTERVAL * 0.9:  # a sleep is never too short
        return "pings too often: await a sleep of the interval before each ping."
    return ""


def _pongs(number: int) -> str:
    return f"{number or 'no'} pong{'s' * (number != 1)}"


@contextlib.contextmanager
def _noting_time_sleep() -> Iterator[list[float]]:
    """Note the calls of time.sleep in this thread, in which a loop runs that they would stop."""
    noted: list[float] = []
    thread, sleep = threading.current_thread(), time.sleep

    def note(seconds: float) -> None:
        if threading.current_thread() is thread:
            noted.append(seconds)
        sleep(seconds)

    with unittest.mock.patch.object(time, "sleep", note):
        yield noted


async def _ping_once(ws: Any, interval: float, timeout: float) -> int:
    await asyncio.wait_for(ws.ping(), timeout)
    return 1


async def _ping_without_limit(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    while True:
        await asyncio.sleep(interval)
        await ws.ping()
        pongs += 1


async def _count_pings(ws: Any, interval: float, timeout: float) -> int:
    pings = 0
    while True:
        await asyncio.sleep(interval)
        pings += 1
        try:
            await asyncio.wait_for(ws.ping(), timeout)
        except TimeoutError:
            return pings


async def _ping_without_a_pause(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    while True:
        try:
            await asyncio.wait_for(ws.ping(), timeout)
        except TimeoutError:
            return pongs
        pongs += 1


async def _ping_with_a_limit_of_its_own(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    while True:
        await asyncio.sleep(interval)
        try:
            await asyncio.wait_for(ws.ping(), 1.5)
        except TimeoutError:
            return pongs
        pongs += 1


async def _limit_behind_the_ping(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    while True:
        await asyncio.sleep(interval)
        pong = await ws.ping()
        try:
            await asyncio.wait_for(pong, timeout)
        except TimeoutError:
            return pongs
        pongs += 1


async def _ping_and_block(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    while True:
        time.sleep(interval)
        try:
            await asyncio.wait_for(ws.ping(), timeout)
        except TimeoutError:
            return pongs
        pongs += 1


async def _raise_at_the_end(ws: Any, interval: float, timeout: float) -> int:
    while True:
        await asyncio.sleep(interval)
        await asyncio.wait_for(ws.ping(), timeout)


async def _close_at_the_end(ws: Any, interval: float, timeout: float) -> int:
    try:
        return await _raise_at_the_end(ws, interval, timeout)
    except TimeoutError:
        await ws.close()
        return BEATS


async def _never_ping(ws: Any, interval: float, timeout: float) -> int:
    await asyncio.sleep(interval)
    return BEATS


async def _ping_in_text(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    while True:
        await ws.send("ping")
        try:
            await asyncio.wait_for(ws.ping(), timeout)
        except TimeoutError:
            return pongs
        pongs += 1


HEARTBEAT = Exercise(
    name="heartbeat",
    lesson="04",
    title="Write the task that keeps watch with pings",
    asks="my_heartbeat(ws, interval, timeout)",
    judge=_judge_heartbeat,
    section="RFC 6455 §5.5.2 and §5.5.3",
    hints=(
        "A loop: sleep for the interval, then ping. async with asyncio.timeout(timeout): bounds the ping.",
        "Count after the ping has returned. except TimeoutError: return the number of pongs.",
    ),
    mistakes=(
        Mistake(_ping_once, "the peer was alive and answered"),
        Mistake(_ping_without_limit, "each pong needs a time limit"),
        Mistake(_count_pings, "counts one too many"),
        Mistake(_ping_in_text, "disturbs no handler"),
        Mistake(_ping_without_a_pause, "pings too often"),
        Mistake(_ping_with_a_limit_of_its_own, "ends too late"),
        Mistake(_limit_behind_the_ping, "It is await ws.ping() that waits"),
        Mistake(_ping_and_block, "calls time.sleep"),
        Mistake(_raise_at_the_end, "raises TimeoutError"),
        Mistake(_close_at_the_end, "waits for an answer that cannot come"),
        Mistake(_never_ping, "sends no ping"),
    ),
    why="websockets runs such a task for each connection, wslab two timers, unless ping_interval is None.",
    bound=8.0,
)


# -- a heartbeat of data messages ---------------------------------------------------------------------------

WEATHER = ["rain", "sun", "snow", "fog", "hail", "wind"]


async def _tell(ws: Any, news: list[str]) -> None:
    await ws.send(news[0])
    for _ in range(BEATS):
        await ws.send("beat")
        await asyncio.sleep(INTERVAL)
    await ws.send(news[1])
    await ws.wait_closed()


async def _judge_app_heartbeat(answer: Any) -> Fault | None:
    news = random.sample(WEATHER, 2)
    async with through_tap(lambda ws: _tell(ws, news)) as (tap, ws):
        work = asyncio.ensure_future(answer(ws, TIMEOUT))
        went_on = await freeze_after(tap, tap.seen("TEXT", "server", count=BEATS + 2), work)
        ended, late = await end(work, TIMEOUT)
    if not ended:
        sentence = (
            "goes on though nothing comes any more: each recv needs a time limit, and after it a return."
        )
        return Fault(sentence)
    if isinstance(work.exception(), TimeoutError):
        return Fault("raises TimeoutError when nothing comes: catch it, and return the list.")
    given = work.result()
    if given is not None and not went_on:
        sentence = (
            "ends while beats arrive: only silence ends it, and its limit counts from the last message."
        )
        return Fault(sentence, given=given)
    if isinstance(given, list) and "beat" in given:
        return Fault("keeps the beats; they are no news.", (("given", repr(given)[:60] + "…"),), given)
    if fault := compare(given, news):
        return fault
    if late:
        return Fault("ends too late after the last message: the limit of each recv is the timeout.")
    return None


async def _limit_on_the_whole(ws: Any, timeout: float) -> list[Any]:
    news = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            async for message in ws:
                if message != "beat":
                    news.append(message)
    return news


async def _keep_the_beats(ws: Any, timeout: float) -> list[Any]:
    news: list[Any] = []
    with contextlib.suppress(TimeoutError):
        while True:
            news.append(await asyncio.wait_for(ws.recv(), timeout))
    return news


async def _raise_when_silent(ws: Any, timeout: float) -> list[Any]:
    while True:
        await asyncio.wait_for(ws.recv(), timeout)


async def _a_limit_of_its_own(ws: Any, timeout: float) -> list[Any]:
    news = []
    with contextlib.suppress(TimeoutError):
        while True:
            if (message := await asyncio.wait_for(ws.recv(), 1.5)) != "beat":
                news.append(message)
    return news


async def _no_limit(ws: Any, timeout: float) -> list[Any]:
    return [message async for message in ws if message != "beat"]


APP_HEARTBEAT = Exercise(
    name="app-heartbeat",
    lesson="04",
    title="Listen to an application heartbeat",
    asks="my_listen(ws, timeout)",
    judge=_judge_app_heartbeat,
    section="RFC 6455 §5.5.2 and §5.6",
    hints=(
        "Every message is a sign of life: put the time limit around each await ws.recv().",
        'In a loop: receive within the limit; keep what is not "beat"; on TimeoutError return the list.',
    ),
    mistakes=(
        Mistake(_limit_on_the_whole, "counts from the last message"),
        Mistake(_keep_the_beats, "keeps the beats"),
        Mistake(_no_limit, "each recv needs a time limit"),
        Mistake(_raise_when_silent, "raises TimeoutError"),
        Mistake(_a_limit_of_its_own, "ends too late"),
    ),
    why="JavaScript in a browser cannot ping and does not see pings: this is the heartbeat that it can have.",
    bound=8.0,
)

EXERCISES = (HEARTBEAT, APP_HEARTBEAT)
