"""What the remarks say to the messages that Python really writes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import inspect
import statistics
from collections.abc import Callable
from typing import Any, cast

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

import wslab
from wslab.lab.exercises.old.answer import describe
from wslab.lab.exercises.old.remarks import remark


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


async def task_of_a_function() -> None:
    await asyncio.create_task(cast(Any, forgotten))


async def median_of_an_async_generator() -> None:
    statistics.median(cast(Any, (await forgotten() for _ in range(2))))


async def send_a_dictionary() -> None:
    await (await sending())({"type": "say"})


async def sending() -> Any:
    async with serve(lambda ws: ws.wait_closed(), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}") as websocket:
            return websocket.send


async def get_without_async_with() -> None:
    async with aiohttp.ClientSession() as session:
        request: Any = session.get("http://127.0.0.1:9")
        try:
            request.text()
        finally:
            request.close()


async def get_behind_the_session() -> None:
    async with aiohttp.ClientSession() as session:
        pass
    await session.get("http://127.0.0.1:9")


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
        (task_of_a_function, "The parentheses of the call are missing."),
        (median_of_an_async_generator, "(…) with an await in it is not."),
        (send_a_dictionary, "A message is text: put json.dumps(…) around it."),
        (get_without_async_with, "Write async with session.get(…) as response."),
        (get_behind_the_session, "Indent that line under async with: the session is closed behind it."),
    ],
    ids=lambda value: value.__name__ if inspect.isfunction(value) else "",
)
def test_a_slip_is_named_from_the_message_of_python(slip: Callable[[], Any], sentence: str) -> None:
    with pytest.raises((AttributeError, TypeError, RuntimeError)) as caught:
        asyncio.run(slip())
    assert remark(describe(caught.value)).endswith(sentence)


TEXT: Any = "Hello"
BYTES: Any = b"Hello"
SLIPS: tuple[tuple[Callable[[], Any], str], ...] = (
    (lambda: TEXT["type"], "This is still text: json.loads(…) makes a dictionary of it."),
    (lambda: base64.b64encode(cast(Any, hashlib.sha1().digest)), "The parentheses of the call are missing."),
    (lambda: BYTES + TEXT.encode, "The parentheses of the call are missing."),
    (lambda: hashlib.sha1(TEXT), "This is text where bytes are asked: .encode() makes bytes of it."),
    (lambda: bytes(TEXT), "This is text where bytes are asked: .encode() makes bytes of it."),
    (lambda: BYTES + TEXT, "This is text where bytes are asked: .encode() makes bytes of it."),
    (lambda: TEXT + BYTES, "then .decode() makes text of them."),
    (lambda: "".join([BYTES]), "then .decode() makes text of them."),
    (lambda: BYTES.encode(), "It is that already: leave out the call."),
    (lambda: TEXT.decode(), "It is that already: leave out the call."),
    (lambda: base64.b64encode(cast(Any, hashlib.sha1())), ".digest() gives the bytes of a hash."),
    (lambda: bytes([300]), 'n.to_bytes(2, "big") or (8, "big") writes more.'),
    (lambda: (300).to_bytes(1, "big"), 'n.to_bytes(2, "big") or (8, "big") writes more.'),
    (lambda: cast(Any, set()).append(1), "A set has add."),
)


@pytest.mark.parametrize(("slip", "sentence"), SLIPS)
def test_a_slip_with_text_and_bytes_is_named(slip: Callable[[], Any], sentence: str) -> None:
    with pytest.raises((AttributeError, TypeError, ValueError, OverflowError)) as caught:
        slip()
    assert remark(describe(caught.value)).endswith(sentence)


def test_other_messages_get_no_remark() -> None:
    for error in (ValueError("no idea"), KeyError("x"), TypeError("'Address' object is not callable")):
        assert remark(describe(error)) == ""
