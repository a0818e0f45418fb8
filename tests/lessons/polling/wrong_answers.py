"""Attempts at the exercises of lesson 01, and what each must be told."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import aiohttp

from tests.lessons.polling.ways import poll_long
from tests.support.attempts import Right, Wrong

Learn = Callable[[Any], None]
NOTHING = "--:--:--"
CHOICE = {
    "weather": "polling",
    "live comments": "server-sent events",
    "game": "WebSocket",
    "departure board": "polling",
    "co-editing": "WebSocket",
}


# -- long-polling --------------------------------------------------------------------------------------------


async def stub(url: str, learn: Learn) -> None: ...


async def forget_to_say(url: str, learn: Learn) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(url) as response:
                learn(await response.text())


async def forget_to_remember(url: str, learn: Learn) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(url, params={"known": NOTHING}) as response:
                learn(await response.text())


async def forget_to_await(url: str, learn: Learn) -> None:
    known: Any = NOTHING
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(url, params={"known": known}) as response:
                learn(response.text())
                known = await response.text()


async def forget_async_with(url: str, learn: Learn) -> None:
    async with aiohttp.ClientSession() as session:
        response: Any = session.get(url, params={"known": NOTHING})
        learn(await response.text())


async def stop_early(url: str, learn: Learn) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, params={"known": NOTHING}) as response,
    ):
        learn(await response.text())


async def note_too_early(url: str, learn: Learn) -> None:
    known = NOTHING
    async with aiohttp.ClientSession() as session:
        while True:
            learn(known)
            async with session.get(url, params={"known": known}) as response:
                known = await response.text()


async def session_each(url: str, learn: Learn) -> None:
    known = NOTHING
    while True:
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, params={"known": known}) as response,
        ):
            known = await response.text()
        learn(known)


async def wait_in_between(url: str, learn: Learn) -> None:
    known = NOTHING
    async with aiohttp.ClientSession() as session:
        while True:
            await asyncio.sleep(0.1)
            async with session.get(url, params={"known": known}) as response:
                known = await response.text()
            learn(known)


async def wait_for_long(url: str, learn: Learn) -> None:
    known = NOTHING
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(url, params={"known": known}) as response:
                known = await response.text()
            learn(known)
            await asyncio.sleep(60)


async def four_readings(url: str, learn: Learn) -> None:
    known = NOTHING
    async with aiohttp.ClientSession() as session:
        for _ in range(4):
            async with session.get(url, params={"known": known}) as response:
                known = await response.text()
            learn(known)


async def as_many_as_the_judge_counts(url: str, learn: Learn) -> None:
    known = NOTHING
    async with aiohttp.ClientSession() as session:
        for _ in range(5):
            async with session.get(url, params={"known": known}) as response:
                known = await response.text()
            learn(known)


async def make_them_up(url: str, learn: Learn) -> None:
    for number in itertools.count():
        learn(f"10:00:{number:02}")
        await asyncio.sleep(0)


async def count_up(url: str, learn: Learn) -> None:
    known = NOTHING
    async with aiohttp.ClientSession() as session:
        for number in itertools.count():
            async with session.get(url, params={"known": known}) as response:
                known = await response.text()
            learn(f"10:00:{number:02}")


async def learn_twice(url: str, learn: Learn) -> None:
    known = NOTHING
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(url, params={"known": known}) as response:
                known = await response.text()
            learn(known)
            learn(known)


async def read_bytes(url: str, learn: Learn) -> None:
    known = NOTHING.encode()
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(url, params={"known": known.decode()}) as response:
                known = await response.read()
            learn(known)


async def learn_the_response(url: str, learn: Learn) -> None:
    known = NOTHING
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(url, params={"known": known}) as response:
                known = await response.text()
            learn(response)


async def ask_elsewhere(url: str, learn: Learn) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(url + "known", params={"known": NOTHING}) as response:
                learn(await response.text())


async def post_each_time(url: str, learn: Learn) -> None:
    known = NOTHING
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.post(url, params={"known": known}) as response:
                known = await response.text()
            learn(known)


async def never_learn(url: str, learn: Learn) -> None:
    known = NOTHING
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(url, params={"known": known}) as response:
                known = await response.text()


async def begin_with_nothing(url: str, learn: Learn) -> None:
    known = "10:00:00"
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(url, params={"known": known}) as response:
                known = await response.text()
            learn(known)


async def in_the_address(url: str, learn: Learn) -> None:
    session, known = aiohttp.ClientSession(), NOTHING
    try:
        while True:
            response = await session.get(f"{url}?known={known}")
            known = (await response.read()).decode()
            learn(known)
    finally:
        await session.close()


async def by_recursion(url: str, learn: Learn) -> None:
    async def ask(session: aiohttp.ClientSession, known: str) -> None:
        async with session.get(url, params=[("known", known)]) as response:
            text = await response.text()
        learn(text)
        await ask(session, text)

    async with aiohttp.ClientSession() as session:
        await ask(session, NOTHING)


async def one_connection_at_most(url: str, learn: Learn) -> None:
    readings = [NOTHING]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        for known in readings:  # grows while it is read
            async with session.request("GET", url, params={"known": known}) as response:
                readings.append(await response.text("utf-8"))
            learn(readings[-1])


# -- predict, estimate ---------------------------------------------------------------------------------------


def in_seconds_and_back(interval: float, delay: float) -> float:
    period = max(interval / 1000, 2 * delay / 1000)
    return (period / 2 + delay / 1000) * 1000


def in_two_cases(interval: int, delay: int) -> float:
    if interval < 2 * delay:
        return 2 * delay
    return interval * 0.5 + delay


def with_sorted(interval: int, delay: int) -> float:
    return sum((sorted([interval, delay + delay])[-1] / 2, delay))


def by_chance(interval: int, delay: int) -> float:
    source = random.Random(1)
    return sum(source.uniform(0, max(interval, 2 * delay)) for _ in range(20)) / 20 + delay


TABLE = {(100, 0): 50, (800, 0): 400, (400, 40): 240, (20, 40): 80, (60, 40): 80, (15, 30): 60, (25, 1): 13.5}


def gigabytes(size: float, seconds: float) -> float:
    return size * 10_000 * 30 * 86_400 / seconds / 1e9


WRONG = [
    Wrong("long-polling", stub, state="not yet"),
    Wrong("long-polling", forget_to_say, "asked without saying what it knows"),
    Wrong("long-polling", forget_to_remember, "did not ask with the last answer"),
    Wrong("long-polling", forget_to_await, "Put await in front"),
    Wrong("long-polling", forget_async_with, "Write async with session.get"),
    Wrong("long-polling", stop_early, "stopped"),
    Wrong("long-polling", note_too_early, "which it knew"),
    Wrong("long-polling", session_each, "Use one ClientSession for all"),
    Wrong("long-polling", read_bytes, "passed bytes"),
    Wrong("long-polling", wait_in_between, "The server does the waiting"),
    Wrong("long-polling", wait_for_long, "The server does the waiting"),
    Wrong("long-polling", four_readings, "stopped"),
    Wrong("long-polling", as_many_as_the_judge_counts, "stopped"),
    Wrong("long-polling", make_them_up, "sent no request"),
    Wrong("long-polling", count_up, "did not send then"),
    Wrong("long-polling", learn_twice, "did not send then"),
    Wrong("long-polling", learn_the_response, "not a str"),
    Wrong("long-polling", ask_elsewhere, "sent no request for url"),
    Wrong("long-polling", post_each_time, "sent a POST"),
    Wrong("long-polling", lambda url, learn: None, "async def"),
    Wrong("long-polling", never_learn, "did not call learn"),
    Wrong("long-polling", begin_with_nothing, "It knows nothing yet"),
    Wrong("staleness", lambda interval, delay: ..., state="not yet"),
    Wrong("staleness", lambda interval, delay: interval / 2, "takes the delay to arrive"),
    Wrong("staleness", lambda interval, delay: interval / 2 + delay, "a round trip apart"),
    Wrong(
        "staleness",
        lambda interval, delay: max(interval, delay) / 2 + delay,
        "A round trip is twice the delay",
    ),
    Wrong("staleness", lambda interval, delay: interval / 2 + 2 * delay, "Count the delay once"),
    Wrong("staleness", lambda interval, delay: interval + delay, "the worst case"),
    Wrong("staleness", lambda i, d: (max(i, 2 * d) / 2 + d) / 1000, "You returned seconds"),
    Wrong("staleness", lambda interval, delay: TABLE.get((interval, delay), 50)),
    Wrong("staleness", lambda interval, delay: max(interval, 2 * delay) // 2 + delay),
    Wrong("staleness", by_chance),
    Wrong("staleness", lambda interval, delay: str(max(interval, 2 * delay) / 2 + delay)),
    Wrong("monthly-traffic", lambda size, seconds: None, state="not yet"),
    Wrong("monthly-traffic", lambda size, seconds: gigabytes(size, seconds) / 1e4, "You counted one client"),
    Wrong("monthly-traffic", lambda size, seconds: gigabytes(size, seconds) * 1e9 / 2**30, "gibibytes"),
    Wrong("monthly-traffic", lambda size, seconds: gigabytes(size, seconds) * 8, "gigabits"),
    Wrong("monthly-traffic", lambda size, seconds: gigabytes(size, seconds) / 30, "You counted one day"),
    Wrong("monthly-traffic", lambda size, seconds: gigabytes(size, seconds) * seconds**2, "the fewer"),
    Wrong("monthly-traffic", lambda size, seconds: gigabytes(size, seconds) * seconds, "every second"),
    Wrong("monthly-traffic", lambda size, seconds: gigabytes(size, seconds) * 1e9, "You returned bytes"),
    Wrong("monthly-traffic", lambda size, seconds: gigabytes(size, seconds) * 1e3, "megabytes"),
    Wrong("monthly-traffic", lambda size, seconds: gigabytes(size, seconds) / 1e3, "terabytes"),
    Wrong("monthly-traffic", lambda size, seconds: gigabytes(size, seconds) / 60, "86,400"),
    Wrong("monthly-traffic", lambda size, seconds: gigabytes(size, seconds) * 31 / 30),
    Wrong("monthly-traffic", lambda size, seconds: int(gigabytes(size, seconds))),
    Wrong("choose-transport", dict.fromkeys(CHOICE, ...), state="not yet"),
    Wrong("choose-transport", dict.fromkeys(CHOICE, "WebSocket"), "WebSocket would do all of it"),
    Wrong("choose-transport", CHOICE | {"live comments": "WebSocket"}, "two POST requests"),
    Wrong("choose-transport", CHOICE | {"live comments": "polling"}, "3,600 requests an hour"),
    Wrong("choose-transport", CHOICE | {"departure board": "server-sent events"}, "would work"),
    Wrong("choose-transport", CHOICE | {"game": "WebRTC"}, "game"),
    Wrong("choose-transport", CHOICE | {"co-editing": "server-sent events"}, "co-editing"),
    Wrong("choose-transport", dict.fromkeys(CHOICE, "polling"), "3,600 requests an hour"),
    Wrong("choose-transport", {**CHOICE, "weather": "Polling"}, "weather"),
]

RIGHT = [
    Right("long-polling", poll_long),
    Right("long-polling", in_the_address),
    Right("long-polling", by_recursion),
    Right("long-polling", one_connection_at_most),
    Right("staleness", in_seconds_and_back),
    Right("staleness", in_two_cases),
    Right("staleness", with_sorted),
    Right("staleness", lambda interval, delay: Fraction(max(interval, 2 * delay), 2) + delay),
    Right("staleness", lambda interval, delay: Decimal(max(interval, 2 * delay)) / 2 + delay),
    Right("monthly-traffic", lambda size, seconds: round(gigabytes(size, seconds), 2)),
    Right("monthly-traffic", lambda size, seconds: round(gigabytes(size, seconds), 1)),
    Right("monthly-traffic", lambda size, seconds: 30 * 24 * 3600 / seconds * size * 1e4 / 10**9),
    Right("monthly-traffic", lambda size, seconds: size / seconds * 25.92),
    Right("choose-transport", dict(reversed(CHOICE.items()))),
]
