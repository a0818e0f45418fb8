"""Attempts at the exercises of lesson 12."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.support.attempts import Right, Wrong
from wslab.connection import Close, Connection, Failure, Ping
from wslab.lessons.build.exercises import CABLE, DEPLOY, MEMORY, PING, SILENT


def step(connection: Connection, data: bytes) -> bytes:
    for event in connection.receive_data(data):
        match event:
            case str():
                connection.send_text(event)
            case bytes():
                connection.send_binary(event)
    return connection.data_to_send()


def step_by_table(connection: Connection, data: bytes) -> bytes:
    send: dict[type, Callable[[Any], None]] = {str: connection.send_text, bytes: connection.send_binary}
    for event in connection.receive_data(data):
        if type(event) in send:
            send[type(event)](event)
    return b"".join([connection.data_to_send()])


def step_with_list(connection: Connection, data: bytes) -> bytearray:
    messages = [e for e in connection.receive_data(data) if not isinstance(e, (Ping, Close, Failure))]
    [connection.send_text(m) if isinstance(m, str) else connection.send_binary(m) for m in messages]  # type: ignore[arg-type,func-returns-value]
    return bytearray(connection.data_to_send())


def all_as_text(connection: Connection, data: bytes) -> bytes:
    for event in connection.receive_data(data):
        if isinstance(event, (str, bytes)):
            connection.send_text(event if isinstance(event, str) else event.decode("latin-1"))
    return connection.data_to_send()


def all_as_binary(connection: Connection, data: bytes) -> bytes:
    for event in connection.receive_data(data):
        if isinstance(event, (str, bytes)):
            connection.send_binary(event if isinstance(event, bytes) else event.encode())
    return connection.data_to_send()


def only_the_first(connection: Connection, data: bytes) -> bytes:
    for event in connection.receive_data(data):
        if isinstance(event, str):
            connection.send_text(event)
        elif isinstance(event, bytes):
            connection.send_binary(event)
        return connection.data_to_send()
    return b""


def answers_twice(connection: Connection, data: bytes) -> bytes:
    return step(connection, data) + step(connection, data)


def sends_what_it_got(connection: Connection, data: bytes) -> bytes:
    connection.receive_data(data)
    return data


def sends_nothing(connection: Connection, data: bytes) -> bytes:
    for event in connection.receive_data(data):
        if isinstance(event, str):
            connection.send_text(event)
    return b""


def move(now: float, heard: float, pinged: float | None, interval: float, timeout: float) -> str:
    if pinged is None:
        return "wait" if now < heard + interval else "ping"
    return "wait" if now < pinged + timeout else "give up"


def move_by_due(now: float, heard: float, pinged: float | None, interval: float, timeout: float) -> str:
    due, what = (heard + interval, "ping") if pinged is None else (pinged + timeout, "give up")
    return what if now >= due else "wait"


def move_in_one(now: float, heard: float, pinged: float | None, interval: float, timeout: float) -> str:
    late = now - (heard if pinged is None else pinged) >= (interval if pinged is None else timeout)
    return ("ping" if pinged is None else "give up") if late else "wait"


def ping_first(now: float, heard: float, pinged: float | None, interval: float, timeout: float) -> str:
    if now - heard >= interval:
        return "ping"
    return "give up" if pinged is not None and now - pinged >= timeout else "wait"


def from_the_pong(now: float, heard: float, pinged: float | None, interval: float, timeout: float) -> str:
    if pinged is not None:
        return "give up" if now - heard >= timeout else "wait"
    return "ping" if now - heard >= interval else "wait"


def too_late(now: float, heard: float, pinged: float | None, interval: float, timeout: float) -> str:
    if pinged is not None:
        return "give up" if now - pinged > timeout else "wait"
    return "ping" if now - heard > interval else "wait"


def pinged_at_zero(now: float, heard: float, pinged: float | None, interval: float, timeout: float) -> str:
    if pinged:
        return "give up" if now - pinged >= timeout else "wait"
    return "ping" if now - heard >= interval else "wait"


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


SYMPTOMS = {
    PING: "answering",
    MEMORY: "backpressure",
    CABLE: "heartbeat",
    SILENT: "limits",
    DEPLOY: "shutdown",
}


WRONG = [
    Wrong("echo-step", all_as_text),
    Wrong("echo-step", all_as_binary),
    Wrong("echo-step", only_the_first),
    Wrong("echo-step", answers_twice),
    Wrong("echo-step", sends_what_it_got),
    Wrong("echo-step", sends_nothing),
    Wrong("echo-step", lambda connection, data: None, state="not yet"),
    Wrong("keep-watch", ping_first),
    Wrong("keep-watch", from_the_pong),
    Wrong("keep-watch", too_late),
    Wrong("keep-watch", pinged_at_zero, "with None"),
    Wrong("keep-watch", lambda now, heard, pinged, interval, timeout: "wait"),
    Wrong("keep-watch", lambda now, heard, pinged, interval, timeout: "ping"),
    Wrong("keep-watch", lambda now, heard, pinged, interval, timeout: now - heard >= interval),
    Wrong("keep-watch", lambda *_: None, state="not yet"),
    Wrong("shut-down", one_by_one, "one connection after the other"),
    Wrong("shut-down", ends_at_the_first_fault),
    Wrong("shut-down", with_1000, "another code than 1001"),
    Wrong("shut-down", aborts_all, "sent no Close"),
    Wrong("shut-down", forgets_the_deaf, "never answers"),
    Wrong("shut-down", impatient, "closed in time"),
    Wrong("shut-down", counts_all, "wrong number"),
    Wrong("shut-down", always_one, "wrong number"),
    Wrong("shut-down", only_somebody, "nobody is connected"),
    Wrong("shut-down", waits_for_the_deaf, "did not return"),
    Wrong("which-stage", SYMPTOMS | {PING: "heartbeat"}),
    Wrong("which-stage", SYMPTOMS | {MEMORY: "limits"}, "the size of messages"),
    Wrong("which-stage", SYMPTOMS | {SILENT: "heartbeat"}),
    Wrong("which-stage", SYMPTOMS | {CABLE: "shutdown"}),
    Wrong("which-stage", SYMPTOMS | {DEPLOY: "heartbeat"}),
    Wrong("which-stage", SYMPTOMS | {DEPLOY: "Shutdown"}),
    Wrong("which-stage", SYMPTOMS | {DEPLOY: ...}, state="not yet"),
]
RIGHT = [
    Right("echo-step", step),
    Right("echo-step", step_by_table),
    Right("echo-step", step_with_list),
    Right("keep-watch", move),
    Right("keep-watch", move_by_due),
    Right("keep-watch", move_in_one),
    Right("shut-down", by_wait),
    Right("shut-down", by_gather),
    Right("shut-down", by_group),
    Right("which-stage", SYMPTOMS),
]
