"""Attempts at the exercises of lesson 04, and what each must be told."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import Callable
from typing import Any

from tests.support.attempts import Right, Wrong

Rows = list[tuple[str, str]]
NORMAL = (1000, 1001, 1005)


async def stub(*arguments: Any) -> None: ...


# -- how a connection ended ---------------------------------------------------------------------------------


def ending(rows: Rows, code: int, *, tells: str = "CLOSE", normal: tuple[int, ...] = NORMAL) -> str:
    if code == 1006:
        return "lost"
    if code not in normal:
        return "failed"
    return next(f"closed by {who}" for who, what in rows if what == tells)


def match_the_code(rows: Rows, code: int) -> str:
    match code:
        case 1006:
            return "lost"
        case 1000 | 1001 | 1005:
            first, _ = next(row for row in rows if row[1] == "CLOSE")
            return f"closed by {first}"
    return "failed"


def loop_over_the_rows(rows: Rows, code: int) -> str:
    if code in {1000, 1001, 1005}:
        for sender, what in rows:
            if what == "CLOSE":
                return "closed by client" if sender == "client" else "closed by server"
    return "lost" if code == 1006 else "failed"


def compare_places(rows: Rows, code: int) -> str:
    if code == 1006:
        return "lost"
    if code in NORMAL:
        mine, theirs = rows.index(("client", "CLOSE")), rows.index(("server", "CLOSE"))
        return "closed by " + ("client" if mine < theirs else "server")
    return "failed"


def look_it_up(rows: Rows, code: int) -> str:
    ways = {1000: "closed by client", 1001: "closed by server", 1005: "closed by client", 1006: "lost"}
    return ways.get(code, "failed")


def look_half_of_it_up(rows: Rows, code: int) -> str:
    failures = {1002: "failed", 1011: "failed", 1006: "lost"}
    return failures.get(code) or ending(rows, 1000)


def wrong_ending(answer: Any, says: str) -> Wrong:
    return Wrong("classify-ending", answer, says)


ENDING = [
    wrong_ending(lambda rows, code: ending(rows, code, normal=(*NORMAL, 1002)), "1002 is a protocol error"),
    wrong_ending(
        lambda rows, code: ending(rows, code, normal=(*NORMAL, 1002, 1003, 1007, 1008, 1009)),
        "Orderly are only 1000, 1001 and 1005",
    ),
    wrong_ending(lambda rows, code: ending(rows, code, tells="FIN"), "Look for the first CLOSE"),
    wrong_ending(lambda rows, code: ending(rows[::-1], code), "The second answers it"),
    wrong_ending(lambda rows, code: ending(rows, code, normal=(1000, 1001)), "1005 says"),
    wrong_ending(lambda rows, code: ending(rows, code, normal=(1000, 1005)), "returned the wrong value"),
    wrong_ending(
        lambda rows, code: next((f"closed by {who}" for who, what in rows if what == "CLOSE"), "lost"),
        "A Close in the rows is not enough",
    ),
    wrong_ending(
        lambda rows, code: next((f"closed by {who}" for who, what in rows if what != "RST"), "lost"),
        "A FIN without a Close is a loss",
    ),
    wrong_ending(lambda rows, code: ending(rows, code).capitalize(), "not its capitals"),
    wrong_ending(
        lambda rows, code: ending(rows, code).removeprefix("closed by "), "returned the wrong value"
    ),
    wrong_ending(
        lambda rows, code: ending([("client", "CLOSE")] if ("client", "CLOSE") in rows else rows, code),
        "Both ends send a Close",
    ),
    wrong_ending(
        lambda rows, code: (
            "lost" if ("server", "RST") in rows else ending(rows, code if code != 1006 else 1011)
        ),
        "1006 says that no Close was received",
    ),
    wrong_ending(lambda rows, code: ending(rows, 1006 if code == 1006 else 1000), "1011 reports a failure"),
    wrong_ending(look_it_up, "returned the wrong value"),
    wrong_ending(look_half_of_it_up, "returned the wrong value"),
    wrong_ending(lambda rows, code: "closed by " + rows[0][0], "raised an exception"),
    Wrong("classify-ending", lambda rows, code: None, "Write the function", state="not yet"),
]

# -- latency ------------------------------------------------------------------------------------------------


def latency(choose: Callable[[list[float]], Any]) -> Any:
    """Measure as the solution does, and return something of all latencies."""

    async def my_latency(ws: Any, count: int) -> Any:
        return choose([float(await (await ws.ping())) for _ in range(count)])

    return my_latency


async def time_the_sending(ws: Any, count: int) -> Any:
    began = time.perf_counter()
    for _ in range(count):
        await ws.ping()
    return (time.perf_counter() - began) / count


async def await_once(ws: Any, count: int) -> Any:
    return [await ws.ping() for _ in range(count)][-1]


async def time_an_echo(ws: Any, count: int) -> Any:
    began = time.perf_counter()
    await ws.send("ping")
    return time.perf_counter() - began


async def ping_once(ws: Any, count: int) -> Any:
    return await (await ws.ping())


async def ping_forever(ws: Any, count: int) -> Any:
    while True:
        await (await ws.ping())


async def measure_and_close(ws: Any, count: int) -> Any:
    measured = await (await ws.ping())
    await ws.close()
    return measured


async def always_five(ws: Any, count: int) -> Any:
    return statistics.median([await (await ws.ping()) for _ in range(5)])


async def wait_for_a_message(ws: Any, count: int) -> Any:
    return await ws.recv()


async def with_a_clock(ws: Any, count: int) -> float:
    took = []
    for _ in range(count):
        began = time.monotonic()
        pong = await ws.ping()
        await pong
        took.append(time.monotonic() - began)
    took.sort()
    return took[count // 2]


async def with_the_attribute(ws: Any, count: int) -> float:
    latencies: list[float] = []
    while len(latencies) < count:
        await (await ws.ping())
        latencies.append(ws.latency)
    return statistics.median_low(latencies)


LATENCY = [
    Wrong("latency", time_the_sending, "the time to send, not until the pong"),
    Wrong("latency", await_once, "Put await in front"),
    Wrong("latency", time_an_echo, "sent data messages"),
    Wrong("latency", latency(lambda all_: 1000 * statistics.median(all_)), "returned milliseconds"),
    Wrong("latency", latency(statistics.mean), "returned the mean"),
    Wrong("latency", latency(lambda all_: all_[-1]), "returned the last"),
    Wrong("latency", latency(min), "returned the quickest"),
    Wrong("latency", latency(max), "returned the slowest"),
    Wrong("latency", latency(sum), "returned the sum"),
    Wrong("latency", latency(lambda all_: all_[len(all_) // 2]), "returned the slowest"),
    Wrong("latency", latency(list), "returned several values"),
    Wrong("latency", latency(str), "did not return a number"),
    Wrong("latency", latency(lambda all_: 0.12), "a connection of wslab"),
    Wrong("latency", latency(lambda all_: 0.3), "a connection of websockets"),
    Wrong("latency", latency(lambda all_: None), "did not return a number"),
    Wrong("latency", latency(lambda all_: float("nan")), "another value than the median"),
    Wrong("latency", ping_once, "sent 1 ping where count is 5"),
    Wrong("latency", always_five, "sent more than 3 pings"),
    Wrong("latency", ping_forever, "sent more than 5 pings"),
    Wrong("latency", measure_and_close, "closed the connection"),
    Wrong("latency", wait_for_a_message, "did not end"),
    Wrong("latency", stub, state="not yet"),
]

# -- a heartbeat of pings -----------------------------------------------------------------------------------


async def beat_once(ws: Any, interval: float, timeout: float) -> int:
    await asyncio.wait_for(ws.ping(), timeout)
    return 1


async def beat_without_limit(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    while True:
        await asyncio.sleep(interval)
        await ws.ping()
        pongs += 1


async def count_pings(ws: Any, interval: float, timeout: float) -> int:
    pings = 0
    while True:
        await asyncio.sleep(interval)
        pings += 1
        try:
            async with asyncio.timeout(timeout):
                await (await ws.ping())
        except TimeoutError:
            return pings


async def beat_without_a_pause(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    while True:
        try:
            await asyncio.wait_for(ws.ping(), timeout)
        except TimeoutError:
            return pongs
        pongs += 1


async def beat_with_a_limit_of_its_own(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    while True:
        await asyncio.sleep(interval)
        try:
            await asyncio.wait_for(ws.ping(), 1.5)
        except TimeoutError:
            return pongs
        pongs += 1


async def limit_the_second_await(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    while True:
        await asyncio.sleep(interval)
        pong = await ws.ping()
        try:
            await asyncio.wait_for(pong, timeout)
        except TimeoutError:
            return pongs
        pongs += 1


async def limit_the_first_await(ws: Any, interval: float, timeout: float) -> int:
    """Fall into the trap: with websockets, this waits for the sending only."""
    pongs = 0
    while True:
        await asyncio.sleep(interval)
        try:
            await asyncio.wait_for(ws.ping(), timeout)
        except TimeoutError:
            return pongs
        pongs += 1


async def beat_and_block(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    while True:
        time.sleep(interval)
        try:
            await asyncio.wait_for(ws.ping(), timeout)
        except TimeoutError:
            return pongs
        pongs += 1


async def raise_at_the_end(ws: Any, interval: float, timeout: float) -> int:
    while True:
        await asyncio.sleep(interval)
        await asyncio.wait_for(ws.ping(), timeout)


async def close_at_the_end(ws: Any, interval: float, timeout: float) -> int:
    try:
        return await raise_at_the_end(ws, interval, timeout)
    except TimeoutError:
        await ws.close()
        return 12


async def never_ping(ws: Any, interval: float, timeout: float) -> int:
    await asyncio.sleep(interval)
    return 12


async def beat_in_text(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    while True:
        await ws.send("ping")
        try:
            await asyncio.wait_for(ws.ping(), timeout)
        except TimeoutError:
            return pongs
        pongs += 1


async def limit_the_pause_too(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout(timeout):
                await asyncio.sleep(interval)
                await (await ws.ping())
            pongs += 1
    return pongs


async def limit_the_pause_after(ws: Any, interval: float, timeout: float) -> int:
    pongs = 0
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout(timeout):
                await (await ws.ping())
                pongs += 1
                await asyncio.sleep(interval)
    return pongs


async def limit_the_loop(ws: Any, interval: float, timeout: float) -> int:
    async with asyncio.timeout(timeout):
        return await beat_without_limit(ws, interval, timeout)


async def beat_seldom(ws: Any, interval: float, timeout: float) -> int:
    return await limit_both_awaits(ws, 8 * interval, timeout)


async def guess_the_number(ws: Any, interval: float, timeout: float) -> int:
    try:
        while True:
            await asyncio.sleep(interval)
            async with asyncio.timeout(timeout):
                await (await ws.ping())
    except TimeoutError:
        return 12


async def leave_the_pings_to_tasks(ws: Any, interval: float, timeout: float) -> int:
    """Ping in tasks that nobody awaits: each ends with an exception that a server logs."""

    async def one() -> None:
        async with asyncio.timeout(timeout):
            await (await ws.ping())
        pongs.append(1)

    pongs: list[int] = []
    tasks: list[asyncio.Task[None]] = []
    while not any(task.done() and task.exception() for task in tasks[:1]):
        await asyncio.sleep(interval)
        tasks = [*tasks, asyncio.create_task(one())]
        tasks = [task for task in tasks if not task.done() or task.exception()]
    return len(pongs)


async def limit_both_awaits(ws: Any, interval: float, timeout: float) -> int:
    async def ping() -> None:
        await (await ws.ping())

    pongs = 0
    with contextlib.suppress(TimeoutError):
        while True:
            await asyncio.sleep(interval)
            await asyncio.wait_for(ping(), timeout)
            pongs += 1
    return pongs


async def with_a_scope(ws: Any, interval: float, timeout: float) -> int:
    for pongs in range(10**6):
        try:
            async with asyncio.timeout(timeout):
                pong = await ws.ping()
                await pong
        except TimeoutError:
            return pongs
        await asyncio.sleep(interval)
    return -1


async def with_wait(ws: Any, interval: float, timeout: float) -> int:
    async def ping() -> None:
        await (await ws.ping())

    pongs = 0
    while True:
        await asyncio.sleep(interval)
        done, pending = await asyncio.wait([asyncio.create_task(ping())], timeout=timeout)
        if pending:
            pending.pop().cancel()
            return pongs
        pongs += len(done)


HEARTBEAT = [
    Wrong("heartbeat", beat_once, "but the peer was alive and answered"),
    Wrong("heartbeat", beat_without_limit, "Put a time limit around all"),
    Wrong("heartbeat", count_pings, "counted one too many"),
    Wrong("heartbeat", beat_in_text, "does not disturb the handler"),
    Wrong("heartbeat", beat_without_a_pause, "pinged too often"),
    Wrong("heartbeat", beat_seldom, "Ping more often"),
    Wrong("heartbeat", beat_with_a_limit_of_its_own, "ended too late"),
    Wrong("heartbeat", limit_the_second_await, "it is await ws.ping() that waits"),
    Wrong("heartbeat", limit_the_first_await, "In websockets, await ws.ping() only sends"),
    Wrong("heartbeat", beat_and_block, "called time.sleep"),
    Wrong("heartbeat", raise_at_the_end, "raised TimeoutError"),
    Wrong("heartbeat", close_at_the_end, "waited for an answer that cannot arrive"),
    Wrong("heartbeat", never_ping, "sent no ping"),
    Wrong("heartbeat", limit_the_pause_too, "The timeout is for the pong alone"),
    Wrong("heartbeat", limit_the_pause_after, "The timeout is for the pong alone"),
    Wrong("heartbeat", limit_the_loop, "while the peer answered. Limit each pong"),
    Wrong("heartbeat", guess_the_number, "wrong value"),
    Wrong("heartbeat", leave_the_pings_to_tasks, "nobody awaited"),
    Wrong("heartbeat", stub, "does nothing yet", state="not yet"),
]

# -- a heartbeat of data messages ---------------------------------------------------------------------------


async def limit_the_whole(ws: Any, timeout: float) -> list[Any]:
    news = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            async for message in ws:
                if message != "beat":
                    news.append(message)
    return news


async def keep_the_beats(ws: Any, timeout: float) -> list[Any]:
    news: list[Any] = []
    with contextlib.suppress(TimeoutError):
        while True:
            news.append(await asyncio.wait_for(ws.recv(), timeout))
    return news


async def raise_when_silent(ws: Any, timeout: float) -> list[Any]:
    while True:
        await asyncio.wait_for(ws.recv(), timeout)


def listen(is_news: Callable[[Any], bool], limit: float = 0.0) -> Any:
    """Listen as the solution does, with another idea of news or of the limit."""

    async def my_listen(ws: Any, timeout: float) -> list[Any]:
        news = []
        with contextlib.suppress(TimeoutError):
            while True:
                if is_news(message := await asyncio.wait_for(ws.recv(), limit or timeout)):
                    news.append(message)
        return news

    return my_listen


async def listen_and_close(ws: Any, timeout: float) -> list[Any]:
    heard = await keep_the_beats(ws, timeout)
    await ws.close()
    return [each for each in heard if each != "beat"]


async def listen_forever(ws: Any, timeout: float) -> list[Any]:
    return [message async for message in ws if message != "beat"]


async def stop_at_the_second_beat(ws: Any, timeout: float) -> list[Any]:
    news = []
    for _ in range(3):
        if (message := await ws.recv()) != "beat":
            news.append(message)
    return news


async def return_the_last(ws: Any, timeout: float) -> Any:
    heard = await keep_the_beats(ws, timeout)
    return heard[-1]


async def listen_with_a_scope(ws: Any, timeout: float) -> list[Any]:
    news: list[Any] = []
    while True:
        try:
            async with asyncio.timeout(timeout):
                message = await ws.recv()
        except TimeoutError:
            break
        if isinstance(message, bytes) or message != "beat":
            news += [message]
    return news


async def filter_at_the_end(ws: Any, timeout: float) -> list[Any]:
    return [message for message in await keep_the_beats(ws, timeout) if message != "beat"]


async def move_the_limit(ws: Any, timeout: float) -> tuple[Any, ...]:
    news = []
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout) as limit:
            async for message in ws:
                limit.reschedule(loop.time() + timeout)
                if message != "beat":
                    news.append(message)
    except TimeoutError:
        pass
    return tuple(news)


APP_HEARTBEAT = [
    Wrong("app-heartbeat", listen_and_close, "closed the frozen connection"),
    Wrong("app-heartbeat", limit_the_whole, "Count the limit from the last message"),
    Wrong("app-heartbeat", keep_the_beats, "kept the beats"),
    Wrong("app-heartbeat", listen_forever, "Put a time limit around each recv"),
    Wrong("app-heartbeat", raise_when_silent, "raised TimeoutError"),
    Wrong("app-heartbeat", listen(lambda message: message != "beat", 1.5), "ended too late"),
    Wrong("app-heartbeat", listen(lambda message: "beat" not in message), "raised an exception"),
    Wrong("app-heartbeat", listen(lambda message: not message.startswith("beat")), "raised an exception"),
    Wrong("app-heartbeat", listen(lambda message: not str(message).startswith("beat")), "wrong value"),
    Wrong("app-heartbeat", listen(lambda message: isinstance(message, str)), "kept the beats"),
    Wrong("app-heartbeat", stop_at_the_second_beat, "ended while beats arrived"),
    Wrong("app-heartbeat", return_the_last, "not list"),
    Wrong("app-heartbeat", stub, "Write the function", state="not yet"),
]

WRONG = [*ENDING, *LATENCY, *HEARTBEAT, *APP_HEARTBEAT]
RIGHT = [
    Right("classify-ending", match_the_code),
    Right("classify-ending", loop_over_the_rows),
    Right("classify-ending", compare_places),
    Right("latency", with_a_clock),
    Right("latency", with_the_attribute),
    Right("latency", latency(lambda all_: sorted(all_)[len(all_) // 2])),
    Right("heartbeat", limit_both_awaits),
    Right("heartbeat", with_a_scope),
    Right("heartbeat", with_wait),
    Right("app-heartbeat", listen_with_a_scope),
    Right("app-heartbeat", filter_at_the_end),
    Right("app-heartbeat", move_the_limit),
]
