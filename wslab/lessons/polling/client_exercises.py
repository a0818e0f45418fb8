"""The exercise of lesson 01 that asks for a client: long polling.

Its judge starts a server that answers a question as soon as it has something else to tell than the asker
knows, and notes every question. The next reading comes a moment after a question that was told nothing new to
wait for, so a client that asks at once waits, and one that does not say what it knows is told the same again.
It leaves nothing running.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Sequence
from typing import Any

import aiohttp
from aiohttp import web

from wslab.lab.exercises.address import Address
from wslab.lab.exercises.exercise import Exercise, Fault, Mistake, compare
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.ways import http_server

__all__ = ["EXERCISES"]

COUNT = 4
PAUSE = 0.05  # seconds from each answer to the next question; one late moment of the machine does no harm
NOTHING = "--:--:--"


async def _judge(answer: Any) -> Fault | None:
    return await _judge_count(answer, COUNT) or await _judge_count(answer, COUNT // 2)


async def _judge_count(answer: Any, count: int) -> Fault | None:
    clock, questions, connections = Clock(), list[str](), set[object]()
    now, told, pauses = time.perf_counter, list[float](), list[float]()

    async def answer_later(request: web.Request) -> web.Response:
        known = request.query.get("known", "")
        pauses.extend(now() - moment for moment in told[-1:])
        questions.append(known)
        connections.add(request.transport)
        if known == clock.text:
            asyncio.get_running_loop().call_soon(clock.change)
        text = await clock.other_than(known)
        told.append(now())
        return web.Response(text=text)

    async with http_server(answer_later) as port:
        given = await answer(Address(f"http://127.0.0.1:{port}"), count)
    fault = _wrong_form(given) or _wrong_readings(given, count, questions, len(connections))
    if not fault and min(pauses) > PAUSE:
        return Fault("waits before it asks again: the server does the waiting.")
    return fault


def _wrong_form(given: object) -> Fault | None:
    if given is None:
        return Fault("gives nothing.", given=given)
    if not isinstance(given, (list, tuple)):
        return Fault("does not give a list.", (("given", type(given).__name__),), given)
    if any(inspect.iscoroutine(each) for each in given):
        for each in given:
            if inspect.iscoroutine(each):
                each.close()
        return Fault("gives coroutines: put await in front of response.text().", (), given)
    return None


def _wrong_readings(
    given: Sequence[object], count: int, questions: list[str], connections: int
) -> Fault | None:
    if not questions:
        return Fault("asks nothing.", (), given)
    wrong = _wrong_question(questions)
    if wrong is not None:
        return Fault(wrong, (("questions", ", ".join(each or "(nothing)" for each in questions)),), given)
    if len(given) != count:
        rows = (("given", f"{len(given)} readings"), ("expected", f"{count} readings"))
        return Fault("does not give as many readings as it was asked for.", rows, given)
    if len(questions) != count:
        rows = (("questions", str(len(questions))), ("expected", str(count)))
        return Fault("does not ask as often as it gives readings.", rows, given)
    if given[0] == NOTHING:
        return Fault(f"gives {NOTHING}, which it knew before: note each answer after it has come.", (), given)
    if any(isinstance(each, bytes) for each in given):
        return Fault("gives bytes: response.text() gives a text, response.read() does not.", (), given)
    if connections > 1:
        sentence = "opens a connection for each question: use one ClientSession for all."
        return Fault(sentence, (("connections", str(connections)),), given)
    return compare(list(given), [Clock.reading(number) for number in range(count)])


def _wrong_question(questions: list[str]) -> str | None:
    """Say what is wrong with what was asked."""
    if any(not known for known in questions):
        return "asks without saying what it knows: pass params={'known': …}."
    if questions[0] != NOTHING:
        return f"says in its first question that it knows {questions[0]}: it knows nothing yet, {NOTHING}."
    if len(set(questions)) < len(questions):
        return "asks twice with the same knowledge: after each answer, known is what was answered."
    return None


async def _forget_to_say(url: str, count: int) -> list[str]:
    async with aiohttp.ClientSession() as session:
        readings = []
        for _ in range(count):
            async with session.get(url) as response:
                readings.append(await response.text())
        return readings


async def _forget_to_remember(url: str, count: int) -> list[str]:
    async with aiohttp.ClientSession() as session:
        readings = []
        for _ in range(count):
            async with session.get(url, params={"known": NOTHING}) as response:
                readings.append(await response.text())
        return readings


async def _forget_to_await(url: str, count: int) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, params={"known": NOTHING}) as response,
    ):
        return [response.text()]


async def _stop_early(url: str, count: int) -> list[str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, params={"known": NOTHING}) as response,
    ):
        return [await response.text()]


async def _note_too_early(url: str, count: int) -> list[str]:
    known, readings = NOTHING, []
    async with aiohttp.ClientSession() as session:
        for _ in range(count):
            readings.append(known)
            async with session.get(url, params={"known": known}) as response:
                known = await response.text()
    return readings


async def _session_each(url: str, count: int) -> list[str]:
    readings = [NOTHING]
    for _ in range(count):
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, params={"known": readings[-1]}) as response,
        ):
            readings.append(await response.text())
    return readings[1:]


async def _wait_in_between(url: str, count: int) -> list[str]:
    readings = [NOTHING]
    async with aiohttp.ClientSession() as session:
        for _ in range(count):
            await asyncio.sleep(2 * PAUSE)
            async with session.get(url, params={"known": readings[-1]}) as response:
                readings.append(await response.text())
    return readings[1:]


async def _four_readings(url: str, count: int) -> list[str]:
    return await _wait_no_more(url, COUNT)


async def _wait_no_more(url: str, count: int) -> list[str]:
    readings = [NOTHING]
    async with aiohttp.ClientSession() as session:
        for _ in range(count):
            async with session.get(url, params={"known": readings[-1]}) as response:
                readings.append(await response.text())
    return readings[1:]


async def _make_them_up(url: str, count: int) -> list[str]:
    first = (await _wait_no_more(url, 1))[0]
    return [first[:-1] + str(number) for number in range(count)]


async def _read_bytes(url: str, count: int) -> list[Any]:
    readings: list[bytes] = []
    async with aiohttp.ClientSession() as session:
        for _ in range(count):
            known = readings[-1].decode() if readings else NOTHING
            async with session.get(url, params={"known": known}) as response:
                readings.append(await response.read())
    return readings


EXERCISES = (
    Exercise(
        name="long-polling",
        lesson="01",
        title="Write the long-polling client",
        asks="my_readings(url, count)",
        judge=_judge,
        section="the section Four ways to know what the clock shows",
        hints=(
            "The client of short polling is nearly it: take the waiting out, since the server waits now.",
            "Begin with known = '--:--:--'. Ask with session.get(url, params={'known': known}), and "
            "let known be what response.text() gives.",
        ),
        mistakes=(
            Mistake(_forget_to_say, "asks without saying what it knows"),
            Mistake(_forget_to_remember, "asks twice with the same knowledge"),
            Mistake(_forget_to_await, "put await in front"),
            Mistake(_stop_early, "does not give as many readings"),
            Mistake(_note_too_early, "which it knew before"),
            Mistake(_session_each, "use one ClientSession for all"),
            Mistake(_read_bytes, "gives bytes"),
            Mistake(_wait_in_between, "the server does the waiting"),
            Mistake(_four_readings, "does not give as many readings"),
            Mistake(_make_them_up, "does not ask as often"),
        ),
        why="No timer, and hardly a question in vain: many chats in browsers ran on this before WebSocket.",
        bound=5.0,
    ),
)
