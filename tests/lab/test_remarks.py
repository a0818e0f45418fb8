"""What the remarks say to the messages that Python really writes."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

import wslab
from wslab.lab.exercises.answer import describe
from wslab.lab.exercises.remarks import remark


async def forgotten() -> str:
    return "Hello"


async def attribute_of_a_coroutine() -> None:
    value: Any = forgotten()
    try:
        value.upper()
    finally:
        value.close()


async def attribute_of_connect() -> None:
    websocket: Any = connect("ws://127.0.0.1")
    await websocket.send("Hello")


async def attribute_of_connect_of_wslab() -> None:
    websocket: Any = wslab.connect("ws://127.0.0.1")
    await websocket.send("Hello")


async def with_connect() -> None:
    manager: Any = connect("ws://127.0.0.1")
    with manager:
        pass


async def with_timeout() -> None:
    manager: Any = asyncio.timeout(1)
    with manager:
        pass


async def for_connection() -> None:
    async def handler(websocket: Any) -> None:
        for _ in websocket:
            pass

    server = await serve(handler, "127.0.0.1", 0)
    uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, connect(uri) as websocket:
        await handler(websocket)


async def async_for_coroutine() -> None:
    value: Any = forgotten()
    try:
        async for _ in value:
            pass
    finally:
        value.close()


async def without_parentheses() -> None:
    method: Any = asyncio.Event().wait
    await method


async def await_nothing() -> None:
    value: Any = None
    await value


async def run_inside() -> None:
    coroutine = forgotten()
    try:
        asyncio.run(coroutine)
    finally:
        coroutine.close()


@pytest.mark.parametrize(
    ("slip", "sentence"),
    [
        (attribute_of_a_coroutine, "An await is missing."),
        (attribute_of_connect, "write async with connect(…) as …, or await it."),
        (attribute_of_connect_of_wslab, "write async with connect(…) as …, or await it."),
        (with_connect, "Write async with instead of with."),
        (with_timeout, "Write async with instead of with."),
        (for_connection, "Write async for instead of for."),
        (async_for_coroutine, "async for takes the connection itself, without a call of recv."),
        (without_parentheses, "The parentheses of the call are missing."),
        (await_nothing, "This is not asynchronous: leave out the await."),
        (run_inside, "The loop runs already: write await instead of asyncio.run."),
    ],
    ids=lambda value: value.__name__ if inspect.isfunction(value) else "",
)
def test_a_slip_is_named_from_the_message_of_python(slip: Callable[[], Any], sentence: str) -> None:
    with pytest.raises((AttributeError, TypeError, RuntimeError)) as caught:
        asyncio.run(slip())
    assert remark(describe(caught.value)).endswith(sentence)


def test_other_messages_get_no_remark() -> None:
    for error in (ValueError("no idea"), KeyError("x"), TypeError("'Address' object is not callable")):
        assert remark(describe(error)) == ""
