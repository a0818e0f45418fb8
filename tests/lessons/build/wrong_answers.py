"""Attempts at the exercises of lesson 12."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from tests.support.attempts import right, wrong
from wslab.connection import Close, Connection, Failure, Ping, Pong
from wslab.lessons.build.right import close_in_time, read

Answer = tuple[str, float]


def read_in_a_loop(connection: Connection, data: bytes) -> list[str | bytes]:
    messages: list[str | bytes] = []
    for event in connection.receive_data(data):
        match event:
            case str() | bytes():
                messages.append(event)
    return messages


def read_what_is_left(connection: Connection, data: bytes) -> list[Any]:
    others = (Ping, Pong, Close, Failure)
    return [event for event in connection.receive_data(data) if not isinstance(event, others)]


def read_as_a_tuple(connection: Connection, data: bytes) -> tuple[Any, ...]:
    return tuple(filter(lambda event: type(event) in (str, bytes), connection.receive_data(data)))


READS = wrong(
    "read-messages",
    (lambda connection, data: connection.receive_data(data), "messages"),
    (lambda connection, data: read(connection, data)[:1], "several messages"),
    (lambda connection, data: [each for each in read(connection, data) if each], "empty"),
    (
        lambda connection, data: [each for each in read(connection, data) if isinstance(each, str)],
        "Bytes are a message",
    ),
    (lambda connection, data: read(connection, data) + read(connection, data)[:0] + [data], "wrong value"),
    (lambda connection, data: [str(each) for each in read(connection, data)], "wrong value"),
    (lambda connection, data: read(connection, data) or None, "an empty list"),
    (lambda connection, data: None, "Write the function", "not yet"),
)


def write_late(connection: Connection, waiting: int) -> bytes:
    return b"" if waiting else connection.data_to_send()


def write_twice(connection: Connection, waiting: int) -> bytes:
    return connection.data_to_send() + connection.data_to_send()


def write_in_two(connection: Connection, waiting: int) -> bytes:
    if waiting:
        return connection.data_to_send(hold_close=True)
    return connection.data_to_send()


WRITES = wrong(
    "write-in-time",
    (lambda connection, waiting: connection.data_to_send(), "while messages waited"),
    (lambda connection, waiting: connection.data_to_send(hold_close=True), "Close"),
    (lambda connection, waiting: connection.data_to_send(hold_close=waiting == 0), "while messages waited"),
    (lambda connection, waiting: connection.data_to_send(hold_close=waiting > 1), "while messages waited"),
    (write_late, "Only the Close has to wait"),
    (write_twice, "while messages waited"),
    (lambda connection, waiting: b"", "wrong bytes"),
    (lambda connection, waiting: None, "Write the function", "not yet"),
)


async def close_with_timeout(ws: Any, code: int, reason: str, timeout: float) -> None:
    ws.connection.close(code, reason)
    ws.flush()
    try:
        async with asyncio.timeout(timeout):
            await ws.answered()
    except TimeoutError:
        pass
    finally:
        ws.writer.close()


async def close_by_wait(ws: Any, code: int, reason: str, timeout: float) -> bool:
    ws.connection.close(code, reason)
    ws.flush()
    answer = asyncio.create_task(ws.answered())
    done, _ = await asyncio.wait([answer], timeout=timeout)
    answer.cancel()
    ws.writer.close()
    return bool(done)


async def close_without_flush(ws: Any, code: int, reason: str, timeout: float) -> None:
    ws.connection.close(code, reason)
    with suppress(TimeoutError):
        await asyncio.wait_for(ws.answered(), timeout)
    ws.writer.close()


async def close_without_bound(ws: Any, code: int, reason: str, timeout: float) -> None:
    ws.connection.close(code, reason)
    ws.flush()
    await ws.answered()
    ws.writer.close()


async def close_at_once(ws: Any, code: int, reason: str, timeout: float) -> None:
    ws.connection.close(code, reason)
    ws.flush()
    ws.writer.close()


async def close_if_answered(ws: Any, code: int, reason: str, timeout: float) -> None:
    ws.connection.close(code, reason)
    ws.flush()
    with suppress(TimeoutError):
        await asyncio.wait_for(ws.answered(), timeout)
        ws.writer.close()


async def close_without_suppress(ws: Any, code: int, reason: str, timeout: float) -> None:
    ws.connection.close(code, reason)
    ws.flush()
    await asyncio.wait_for(ws.answered(), timeout)
    ws.writer.close()


async def close_with_1000(ws: Any, code: int, reason: str, timeout: float) -> None:
    ws.connection.close()
    ws.flush()
    with suppress(TimeoutError):
        await asyncio.wait_for(ws.answered(), timeout)
    ws.writer.close()


async def close_after_the_timeout(ws: Any, code: int, reason: str, timeout: float) -> None:
    ws.connection.close(code, reason)
    ws.flush()
    await asyncio.sleep(timeout)
    ws.writer.close()


async def nothing(*_: Any) -> None: ...


CLOSES = wrong(
    "close-in-time",
    (close_without_flush, "After ws.flush()"),
    (close_without_bound, "never answers"),
    (close_at_once, "wait for ws.answered()"),
    (close_if_answered, "all the same"),
    (close_without_suppress, "raised an exception"),
    (close_with_1000, "Another Close or message"),
    (close_after_the_timeout, "as soon as it returns"),
    (nothing, "Write its body", "not yet"),
)


def beat(heard: float, pinged: float | None, interval: float, timeout: float) -> Answer:
    return ("ping", heard + interval) if pinged is None else ("give up", pinged + timeout)


def beat_from_heard(heard: float, pinged: float | None, interval: float, timeout: float) -> Answer:
    return ("ping", heard + interval) if pinged is None else ("give up", heard + timeout)


def beat_in_two(heard: float, pinged: float | None, interval: float, timeout: float) -> list[Any]:
    if pinged is not None:
        return ["give up", pinged + timeout]
    return ["ping", heard + interval]


def beat_by_table(heard: float, pinged: float | None, interval: float, timeout: float) -> Answer:
    start, wait = (heard, interval) if pinged is None else (pinged, timeout)
    return ("ping", "give up")[pinged is not None], start + wait


def beat_from_when_it_was_due(
    heard: float, pinged: float | None, interval: float, timeout: float
) -> tuple[str, float]:
    return beat(heard, None if pinged is None else heard + interval, interval, timeout)


BEATS = wrong(
    "next-beat",
    (beat_from_heard, "from the ping"),
    (beat_from_when_it_was_due, "can be late"),
    (lambda heard, pinged, *both: beat(heard, pinged or None, *both), "with None"),
    (lambda heard, pinged, *both: beat(heard, pinged, *both)[0], "str"),
    (lambda heard, pinged, *both: beat(heard, pinged, *both)[1], "float"),
    (lambda heard, pinged, interval, timeout: ("ping", heard + interval), "wrong value"),
    (lambda heard, pinged, interval, timeout: beat(heard, pinged, timeout, interval), "wrong value"),
    (lambda heard, pinged, *both: ("give up" if pinged else "ping", 115.0), "returned"),
    (lambda *_: None, "Write the function", "not yet"),
)


async def send_first(ws: Any, message: str | bytes) -> None:
    send = ws.connection.send_text if isinstance(message, str) else ws.connection.send_binary
    send(message)
    ws.flush()
    await ws.writer.drain()


async def send_by_match(ws: Any, message: str | bytes) -> None:
    match message:
        case str():
            ws.connection.send_text(message)
        case _:
            ws.connection.send_binary(message)
    ws.flush()
    await ws.writer.drain()


async def send_and_return(ws: Any, message: str | bytes) -> None:
    if type(message) is bytes:
        ws.connection.send_binary(message)
    elif type(message) is str:
        ws.connection.send_text(message)
    ws.flush()
    return await ws.writer.drain()  # type: ignore[no-any-return]


async def send_text_only(ws: Any, message: Any) -> None:
    ws.connection.send_text(message)
    ws.flush()
    await ws.writer.drain()


async def send_as_bytes(ws: Any, message: Any) -> None:
    ws.connection.send_binary(message.encode() if isinstance(message, str) else message)
    ws.flush()
    await ws.writer.drain()


async def send_without_drain(ws: Any, message: str | bytes) -> None:
    ws.connection.send_text(message) if isinstance(message, str) else ws.connection.send_binary(message)
    ws.flush()


async def send_without_flush(ws: Any, message: str | bytes) -> None:
    ws.connection.send_text(message) if isinstance(message, str) else ws.connection.send_binary(message)
    await ws.writer.drain()


async def drain_first(ws: Any, message: str | bytes) -> None:
    await ws.writer.drain()
    await send_without_drain(ws, message)


async def drain_without_await(ws: Any, message: str | bytes) -> None:
    await send_without_drain(ws, message)
    ws.writer.drain()


SENDS = wrong(
    "send-and-wait",
    (send_text_only, "raised an exception"),
    (send_as_bytes, "Another Close or message"),
    (send_without_drain, "await ws.writer.drain()"),
    (send_without_flush, "await ws.writer.drain()"),
    (drain_first, "then await ws.writer.drain()"),
    (drain_without_await, "await"),
    (nothing, "Write its body", "not yet"),
)


async def by_wait(connections: list[Any], timeout: float) -> int:
    return await only_somebody(connections, timeout) if connections else 0


async def only_somebody(connections: list[Any], timeout: float) -> int:
    tasks = {asyncio.create_task(each.close(1001)): each for each in connections}
    _, late = await asyncio.wait(tasks, timeout=timeout)
    for task in late:
        tasks[task].abort()
        task.cancel()
    return len(late)


async def by_gather(connections: list[Any], timeout: float) -> int:
    async def close(each: Any) -> int:
        try:
            await asyncio.wait_for(each.close(1001, "going away"), timeout)
        except TimeoutError:
            each.abort()
            return 1
        except OSError:
            pass
        return 0

    return sum(await asyncio.gather(*map(close, connections)))


async def by_group(connections: list[Any], timeout: float) -> int:
    aborted = 0

    async def close(each: Any) -> None:
        nonlocal aborted
        try:
            async with asyncio.timeout(timeout):
                await each.close(code=1001)
        except TimeoutError:
            each.abort()
            aborted += 1
        except Exception:
            return

    async with asyncio.TaskGroup() as group:
        for each in connections:
            group.create_task(close(each))
    return aborted


async def one_by_one(connections: list[Any], timeout: float) -> int:
    aborted = 0
    for each in connections:
        try:
            await asyncio.wait_for(each.close(1001), timeout)
        except TimeoutError:
            each.abort()
            aborted += 1
        except OSError:
            pass
    return aborted


async def ends_at_the_first_fault(connections: list[Any], timeout: float) -> int:
    for each in connections:
        try:
            await asyncio.wait_for(each.close(1001), timeout / 20)
        except TimeoutError:
            each.abort()
        except OSError:
            return 1
    return 1


async def with_1000(connections: list[Any], timeout: float) -> int:
    tasks = {asyncio.create_task(each.close()): each for each in connections}
    _, late = await asyncio.wait(tasks, timeout=timeout)
    for task in late:
        tasks[task].abort()
        task.cancel()
    return len(late)


async def aborts_all(connections: list[Any], timeout: float) -> int:
    for each in connections:
        each.abort()
    return len(connections)


async def forgets_the_deaf(connections: list[Any], timeout: float) -> int:
    tasks = [asyncio.create_task(each.close(1001)) for each in connections]
    _, late = await asyncio.wait(tasks, timeout=timeout)
    for task in late:
        task.cancel()
    return len(late)


async def impatient(connections: list[Any], timeout: float) -> int:
    return await by_wait(connections, timeout / 10)


async def waits_for_the_deaf(connections: list[Any], timeout: float) -> int:
    await asyncio.gather(*(each.close(1001) for each in connections), return_exceptions=True)
    return 0


async def always_one(connections: list[Any], timeout: float) -> int:
    await by_wait(connections, timeout)
    return 1


async def counts_all(connections: list[Any], timeout: float) -> int:
    await by_wait(connections, timeout)
    return len(connections)


SHUTDOWNS = wrong(
    "shut-down",
    (one_by_one, "one connection after the other"),
    (ends_at_the_first_fault, "Each gets a Close"),
    (with_1000, "Another Close"),
    (aborts_all, "Each gets a Close"),
    (forgets_the_deaf, "Each gets a Close"),
    (impatient, "Each gets a Close"),
    (counts_all, "wrong number"),
    (always_one, "wrong number"),
    (only_somebody, "nobody is connected"),
    (waits_for_the_deaf, "without a bound"),
    (nothing, "Write its body", "not yet"),
)

WRONG = [*READS, *WRITES, *CLOSES, *BEATS, *SENDS, *SHUTDOWNS]
RIGHT = [
    *right("read-messages", read_in_a_loop, read_what_is_left, read_as_a_tuple),
    *right("write-in-time", write_in_two, lambda connection, n: connection.data_to_send(hold_close=n != 0)),
    *right("write-in-time", lambda connection, n: bytearray(connection.data_to_send(hold_close=bool(n)))),
    *right("close-in-time", close_with_timeout, close_by_wait, close_in_time),
    *right("next-beat", beat, beat_in_two, beat_by_table),
    *right("send-and-wait", send_first, send_by_match, send_and_return),
    *right("shut-down", by_wait, by_gather, by_group),
]
