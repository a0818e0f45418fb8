"""Attempts at the exercises of lesson 06: wrong ones with the words that each must be told; right ones."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import OrderedDict
from typing import Any

from websockets.exceptions import ConnectionClosed

from tests.support.attempts import Right, Wrong
from wslab.lessons.push import right
from wslab.lessons.push.exercises import POLICIES

PERIOD = 0.02

# -- push-and-receive ---------------------------------------------------------------------------------------


async def answer(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message.upper())


async def push_rudely(websocket: Any, period: float = PERIOD) -> None:
    """Push until send raises."""
    while True:
        await websocket.send("tick")
        await asyncio.sleep(period)


async def push(websocket: Any, period: float = PERIOD) -> None:
    with contextlib.suppress(ConnectionClosed):
        await push_rudely(websocket, period)


async def push_on(websocket: Any) -> None:
    """Push without an end, whatever send raises."""
    while True:
        with contextlib.suppress(ConnectionClosed):
            await websocket.send("tick")
        await asyncio.sleep(PERIOD)


async def push_without_a_pause(websocket: Any) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(push_rudely(websocket, 0))
        await answer(websocket)


async def push_too_seldom(websocket: Any) -> None:
    async with asyncio.TaskGroup() as group:
        pusher = group.create_task(push(websocket, 10 * PERIOD))
        await answer(websocket)
        pusher.cancel()


async def leave_the_pusher(websocket: Any) -> None:
    pusher = asyncio.ensure_future(push_on(websocket))
    await answer(websocket)
    del pusher


async def in_turn(websocket: Any) -> None:
    while True:
        await websocket.send("tick")
        await websocket.send((await websocket.recv()).upper())


async def push_first(websocket: Any) -> None:
    for _ in range(20):
        await websocket.send("tick")
        await asyncio.sleep(PERIOD)
    await answer(websocket)


async def push_without_end(websocket: Any) -> None:
    await asyncio.gather(push_on(websocket), answer(websocket))


async def group_whose_push_raises(websocket: Any) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(push_rudely(websocket))
        await answer(websocket)


async def gather_whose_push_raises(websocket: Any) -> None:
    await asyncio.gather(push_rudely(websocket), answer(websocket))


async def group_whose_recv_raises(websocket: Any) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(push(websocket))
        while True:
            await websocket.send((await websocket.recv()).upper())


async def bare_task_whose_push_raises(websocket: Any) -> None:
    pusher = asyncio.create_task(push_rudely(websocket))
    await answer(websocket)
    del pusher


async def answer_the_known(websocket: Any) -> None:
    async with asyncio.TaskGroup() as group:
        pusher = group.create_task(push(websocket))
        async for message in websocket:
            await websocket.send({"hello": "HELLO", "again": "AGAIN"}.get(message, message))
        pusher.cancel()


async def tock(websocket: Any) -> None:
    await websocket.send("tock")
    await answer(websocket)


async def only_answer(websocket: Any) -> None:
    await answer(websocket)


async def nothing(*_: Any) -> None: ...


PUSHING = [
    Wrong("push-and-receive", push_rudely, "Does something receive"),
    Wrong("push-and-receive", push_without_a_pause, "pushed without a pause"),
    Wrong("push-and-receive", in_turn, "did not push while the client was silent"),
    Wrong("push-and-receive", push_first, "did not go on pushing"),
    Wrong("push-and-receive", push_without_end, "went on after the connection had ended"),
    Wrong("push-and-receive", leave_the_pusher, "went on after the connection had ended"),
    Wrong("push-and-receive", push_too_seldom, "pushed too seldom"),
    Wrong("push-and-receive", group_whose_push_raises, "Suppress it where you push"),
    Wrong("push-and-receive", gather_whose_push_raises, "Suppress it where you push"),
    Wrong("push-and-receive", group_whose_recv_raises, "receive with async for, which ends instead"),
    Wrong("push-and-receive", bare_task_whose_push_raises, "nobody awaited it"),
    Wrong("push-and-receive", answer_the_known, "in capitals"),
    Wrong("push-and-receive", tock, "pushed something else"),
    Wrong("push-and-receive", only_answer, "did not push while the client was silent"),
    Wrong("push-and-receive", lambda websocket: None, "Write async def"),
    Wrong("push-and-receive", nothing, "does nothing yet", "not yet"),
]


async def by_gather(websocket: Any) -> None:
    await asyncio.gather(push(websocket), answer(websocket))


async def by_a_task_in_finally(websocket: Any) -> None:
    pusher = asyncio.create_task(push(websocket))
    try:
        await answer(websocket)
    finally:
        pusher.cancel()


async def by_receiving_in_the_task(websocket: Any) -> None:
    receiver = asyncio.create_task(answer(websocket))
    while not receiver.done():
        with contextlib.suppress(ConnectionClosed):
            await websocket.send("tick")
        await asyncio.wait([receiver], timeout=PERIOD)


async def by_a_group_that_ends(websocket: Any) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(push(websocket))
        group.create_task(answer(websocket))


# -- cancel-the-timer ---------------------------------------------------------------------------------------


async def receive(websocket: Any) -> None:
    async for _ in websocket:
        pass


async def never_cancel(websocket: Any, tick: Any) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    await receive(websocket)
    del timer


async def cancel_when_all_is_well(websocket: Any, tick: Any) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    await receive(websocket)
    timer.cancel()


async def await_the_timer(websocket: Any, tick: Any) -> None:
    await tick(websocket)


async def wait_for_both(websocket: Any, tick: Any) -> None:
    await asyncio.gather(tick(websocket), receive(websocket))


async def cancel_at_once(websocket: Any, tick: Any) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    await asyncio.sleep(PERIOD / 2)
    timer.cancel()
    await websocket.wait_closed()


async def receive_nothing(websocket: Any, tick: Any) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    try:
        await websocket.wait_closed()
    finally:
        timer.cancel()


async def receive_once(websocket: Any, tick: Any) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    await websocket.recv()
    timer.cancel()


async def only_receive(websocket: Any, tick: Any) -> None:
    await receive(websocket)


async def cancel_after_an_exception(websocket: Any, tick: Any) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    try:
        await receive(websocket)
    except ConnectionClosed:
        timer.cancel()


async def recv_until_it_raises(websocket: Any, tick: Any) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    try:
        while True:
            await websocket.recv()
    finally:
        timer.cancel()


async def make_and_drop(websocket: Any, tick: Any) -> None:
    tick(websocket)
    await receive(websocket)


CANCELLING = [
    Wrong("cancel-the-timer", never_cancel, "left the timer of a client that closes normally"),
    Wrong(
        "cancel-the-timer", cancel_when_all_is_well, "left the timer of a client that closes with code 4000"
    ),
    Wrong("cancel-the-timer", cancel_after_an_exception, "left the timer of a client that closes normally"),
    Wrong("cancel-the-timer", await_the_timer, "did not receive"),
    Wrong("cancel-the-timer", wait_for_both, "Does it wait for the timer?"),
    Wrong("cancel-the-timer", cancel_at_once, "stopped the timer while the client was there"),
    Wrong("cancel-the-timer", receive_once, "Receive until the connection ends"),
    Wrong("cancel-the-timer", only_receive, "started no timer"),
    Wrong("cancel-the-timer", receive_nothing, "did not receive"),
    Wrong("cancel-the-timer", recv_until_it_raises, "receive with async for, which ends instead"),
    Wrong("cancel-the-timer", make_and_drop, "asyncio.create_task starts it"),
    Wrong("cancel-the-timer", lambda websocket, tick: None, "Write async def"),
    Wrong("cancel-the-timer", nothing, "does nothing yet", "not yet"),
]


async def cancel_in_finally(websocket: Any, tick: Any) -> None:
    timer = asyncio.ensure_future(tick(websocket))
    try:
        await receive(websocket)
    finally:
        timer.cancel()
        await asyncio.wait([timer])


async def cancel_in_a_group(websocket: Any, tick: Any) -> None:
    async with asyncio.TaskGroup() as group:
        timer = group.create_task(tick(websocket))
        with contextlib.suppress(ConnectionClosed):
            while True:
                await websocket.recv()
        timer.cancel()


async def cancel_by_a_stack(websocket: Any, tick: Any) -> None:
    with contextlib.ExitStack() as stack:
        stack.callback(asyncio.ensure_future(tick(websocket)).cancel)
        await receive(websocket)


# -- next-tick ----------------------------------------------------------------------------------------------

KNOWN = {100.375: 100.5, 100.125: 100.5, 103.25: 103.5, 104.0: 104.5, 107.5: 108.25, 5.0: 6.0}


def by_a_loop(start: float, period: float, now: float) -> float:
    tick = start
    while tick <= now:
        tick += period
    return tick


def with_an_off_by_one(start: float, period: float, now: float) -> float:
    while start < now:
        start += period
    return start


TICKING = [
    Wrong("next-tick", lambda start, period, now: now + period, "stays late once it has been late"),
    Wrong("next-tick", lambda start, period, now: start + period, "This moment has passed"),
    Wrong(
        "next-tick",
        lambda start, period, now: start + math.ceil((now - start) / period) * period,
        "At the very moment of a tick",
    ),
    Wrong("next-tick", with_an_off_by_one, "At the very moment of a tick"),
    Wrong(
        "next-tick", lambda start, period, now: (now // period + 1) * period, "begins at start, not at zero"
    ),
    Wrong(
        "next-tick",
        lambda start, period, now: start + (now - start) // period * period,
        "This is the tick before",
    ),
    Wrong(
        "next-tick",
        lambda start, period, now: ((now - start) // period + 1) * period,
        "Add start to have the moment itself",
    ),
    Wrong(
        "next-tick",
        lambda start, period, now: start + round((now - start) / period) * period,
        "round finds the nearest tick",
    ),
    Wrong(
        "next-tick",
        lambda start, period, now: start + round((now - start) / period + 0.5) * period,
        "At the very moment of a tick",
    ),
    Wrong(
        "next-tick",
        lambda start, period, now: start + (now // period + 1) * period,
        "subtract start from now first",
    ),
    Wrong("next-tick", lambda start, period, now: period - (now - start) % period, "Add now to get its"),
    Wrong("next-tick", lambda start, period, now: KNOWN.get(now, 0.0), "returned the wrong value"),
    Wrong("next-tick", lambda start, period, now: str(right.next_tick(start, period, now)), "of type str"),
    Wrong("next-tick", lambda start, period, now: None, "Write the function", "not yet"),
]

# -- latest-of-each -----------------------------------------------------------------------------------------

Quotes = list[tuple[str, float]]


def the_first_of_each(quotes: Quotes) -> Quotes:
    kept: dict[str, float] = {}
    for symbol, price in quotes:
        kept.setdefault(symbol, price)
    return list(kept.items())


def moved_back(quotes: Quotes) -> Quotes:
    kept: dict[str, float] = {}
    for symbol, price in quotes:
        kept.pop(symbol, None)
        kept[symbol] = price
    return list(kept.items())


def in_place(quotes: Quotes) -> Quotes:
    quotes[:] = dict(quotes).items()
    return quotes


def of_three(quotes: Quotes) -> Quotes:
    return [(symbol, dict(quotes)[symbol]) for symbol in ("ABC", "XYZ", "DEF") if symbol in dict(quotes)]


KEEPING = [
    Wrong("latest-of-each", lambda quotes: quotes[-1:], "With one place for all"),
    Wrong("latest-of-each", the_first_of_each, "These are the oldest prices"),
    Wrong("latest-of-each", moved_back, "never be sent"),
    Wrong("latest-of-each", lambda quotes: right.latest(quotes)[::-1], "the oldest first"),
    Wrong("latest-of-each", lambda quotes: quotes, "need not be sent any more"),
    Wrong("latest-of-each", sorted, "returned the wrong value"),
    Wrong("latest-of-each", dict, "of type dict, not list"),
    Wrong("latest-of-each", in_place, "changed what it was given"),
    Wrong("latest-of-each", of_three, "returned the wrong value"),
    Wrong("latest-of-each", lambda quotes: [price for _, price in right.latest(quotes)], "the wrong value"),
    Wrong("latest-of-each", lambda quotes: None, "Write the function", "not yet"),
]


def by_a_loop_over_quotes(quotes: Quotes) -> Quotes:
    kept: dict[str, tuple[str, float]] = {}
    for quote in quotes:
        kept[quote[0]] = quote
    return [*kept.values()]


def by_two_lists(quotes: Quotes) -> list[list[Any]]:
    symbols, prices = [], []
    for symbol, price in quotes:
        if symbol not in symbols:
            symbols.append(symbol)
            prices.append(price)
        prices[symbols.index(symbol)] = price
    return [[symbol, price] for symbol, price in zip(symbols, prices, strict=True)]


# -- slow-reader --------------------------------------------------------------------------------------------

CHAT, PRICES = "a chat, whose history can be asked for again", "the price of one share, on a screen"
SHORT, TIME = "three short messages in answer to a question", "the time, once a second"

CHOOSING = [
    Wrong("slow-reader", POLICIES | {CHAT: "everything"}, "would not stop growing"),
    Wrong("slow-reader", POLICIES | {PRICES: "everything"}, "a newer price replaces the older one"),
    Wrong("slow-reader", POLICIES | {SHORT: "disconnect"}, "Nothing needs a bound"),
    Wrong("slow-reader", POLICIES | {SHORT: "latest"}, "may lose two of them"),
    Wrong("slow-reader", POLICIES | {TIME: "newest"}, "is wrong"),
    Wrong("slow-reader", POLICIES | {TIME: "Latest"}, "is wrong"),
    Wrong("slow-reader", dict.fromkeys(POLICIES, "latest"), "may lose two of them"),
    Wrong("slow-reader", {TIME: "latest"}, "is missing in your answer"),
    Wrong("slow-reader", list(POLICIES), "not a dict"),
    Wrong("slow-reader", POLICIES | {CHAT: ...}, "Still to fill in", "not yet"),
]

WRONG = PUSHING + CANCELLING + TICKING + KEEPING + CHOOSING
RIGHT = [
    *(
        Right("push-and-receive", each)
        for each in (by_gather, by_a_task_in_finally, by_receiving_in_the_task, by_a_group_that_ends)
    ),
    *(Right("cancel-the-timer", each) for each in (cancel_in_finally, cancel_in_a_group, cancel_by_a_stack)),
    Right("next-tick", by_a_loop),
    Right("next-tick", lambda start, period, now: start + math.floor((now - start) / period + 1) * period),
    Right("next-tick", lambda start, period, now: now + period - (now - start) % period),
    Right("latest-of-each", by_a_loop_over_quotes),
    Right("latest-of-each", by_two_lists),
    Right("latest-of-each", lambda quotes: list(OrderedDict(quotes).items())),
]
