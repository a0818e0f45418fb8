"""Attempts at the exercises of lesson 00, and what each must be told."""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.client import connect
from websockets.sync.client import connect as blocking_connect

from tests.support.attempts import Right, Wrong

RIGHT_PLACES: dict[str, Any] = {
    "ws://127.0.0.1:8765/hello": (8765, "/hello"),
    "wss://chat.example/room": (443, "/room"),
    "ws://clock.example": (80, "/"),
    "wss://chat.example:8443/room?name=Ada": (8443, "/room?name=Ada"),
}
SECURE, BARE, LONG = [*RIGHT_PLACES][1:]


async def stub(uri: str, question: str) -> None: ...


async def return_the_question(uri: str, question: str) -> str:
    async with connect(uri) as websocket:
        await websocket.send(question)
    return question


async def forget_to_return(uri: str, question: str) -> None:
    async with connect(uri) as websocket:
        await websocket.send(question)
        await websocket.recv()


async def say_hello(uri: str, question: str) -> str | bytes:
    async with connect(uri) as websocket:
        await websocket.send("Hello")
        return await websocket.recv()


async def receive_first(uri: str, question: str) -> str | bytes:
    async with connect(uri) as websocket:
        answer = await websocket.recv()
        await websocket.send(question)
        return answer


async def receive_too_late(uri: str, question: str) -> str | bytes:
    async with connect(uri) as websocket:
        await websocket.send(question)
    return await websocket.recv()


async def receive_forever(uri: str, question: str) -> str | bytes:
    async with connect(uri) as websocket:
        await websocket.send(question)
        return "".join([str(message) async for message in websocket])


async def forget_to_send(uri: str, question: str) -> str:
    async with connect(uri):
        return question[::-1]


async def forget_to_await(uri: str, question: str) -> Any:
    async with connect(uri) as websocket:
        await websocket.send(question)
        return websocket.recv()


async def forget_to_await_the_sending(uri: str, question: str) -> str | bytes:
    async with connect(uri) as websocket:
        websocket.send(question)  # type: ignore[unused-coroutine]  # the mistake
        return await websocket.recv()


async def write_the_coroutine(uri: str, question: str) -> str:
    async with connect(uri) as websocket:
        await websocket.send(question)
        return str(websocket.recv())


async def send_a_coroutine(uri: str, question: str) -> str | bytes:
    async def text() -> str:
        return question

    async with connect(uri) as websocket:
        await websocket.send(text())  # type: ignore[arg-type]  # the mistake
        return await websocket.recv()


async def forget_to_await_the_connection(uri: str, question: str) -> Any:
    websocket: Any = connect(uri)
    await websocket.send(question)
    return await websocket.recv()


async def enter_without_async(uri: str, question: str) -> Any:
    with connect(uri) as websocket:  # type: ignore[attr-defined]  # the mistake
        await websocket.send(question)
        return await websocket.recv()


async def send_bytes(uri: str, question: str) -> str | bytes:
    async with connect(uri) as websocket:
        await websocket.send(question.encode())
        return await websocket.recv()


async def send_twice(uri: str, question: str) -> str | bytes:
    async with connect(uri) as websocket:
        await websocket.send(question)
        await websocket.send(question)
        return await websocket.recv()


async def guess_the_answer(uri: str, question: str) -> str:
    async with connect(uri) as websocket:
        await websocket.send(question)
        return question[::-1]


async def answer_as_bytes(uri: str, question: str) -> bytes:
    async with connect(uri) as websocket:
        await websocket.send(question)
        return str(await websocket.recv()).encode()


async def close_by_hand(uri: str, question: str) -> str | bytes:
    websocket = await connect(uri)
    try:
        await websocket.send(question)
        return await asyncio.wait_for(websocket.recv(), 1)
    finally:
        await websocket.close()


async def first_of_all(uri: str, question: str) -> str | bytes:
    async with connect(uri, compression=None) as websocket:
        await websocket.send(question)
        async for message in websocket:
            return message
    return ""


async def in_a_thread(uri: str, question: str) -> str | bytes:
    def ask() -> str | bytes:
        with blocking_connect(uri) as websocket:
            websocket.send(question)
            return websocket.recv()

    return await asyncio.to_thread(ask)


WRONG = [
    Wrong("address", dict.fromkeys(RIGHT_PLACES, ...), state="not yet"),
    Wrong("address", RIGHT_PLACES | {SECURE: (80, "/room")}, "80 is the port of ws"),
    Wrong("address", RIGHT_PLACES | {BARE: (80, "")}, "always names a path"),
    Wrong("address", RIGHT_PLACES | {BARE: (443, "/")}, "port of HTTP"),
    Wrong("address", RIGHT_PLACES | {LONG: (8443, "/room")}, "question mark"),
    Wrong("address", RIGHT_PLACES | {LONG: (443, "/room?name=Ada")}, "names no port"),
    Wrong("address", RIGHT_PLACES | {SECURE: ("443", "/room")}, "A port is a number"),
    Wrong("address", RIGHT_PLACES | {SECURE: ("/room", 443)}, SECURE),
    Wrong("address", RIGHT_PLACES | {SECURE: (443, "room")}, "begins with /"),
    Wrong("address", RIGHT_PLACES | {SECURE: (443, "chat.example/room")}, "after the host"),
    Wrong("ask", stub, state="not yet"),
    Wrong("ask", return_the_question, "returned the question"),
    Wrong("ask", forget_to_return, "returned None"),
    Wrong("ask", forget_to_send, "did not send the question"),
    Wrong("ask", forget_to_await, "Put await in front of that call"),
    Wrong("ask", forget_to_await_the_sending, "Send it, with await"),
    Wrong("ask", write_the_coroutine, "recv(…) (line"),
    Wrong("ask", send_a_coroutine, "text(…) returns a coroutine, and nobody awaits it"),
    Wrong("ask", forget_to_await_the_connection, "connect(…) is not a connection yet"),
    Wrong("ask", enter_without_async, "Write async with instead of with"),
    Wrong("ask", lambda uri, question: None, "async def"),
    Wrong("ask", say_hello, "something other than the question"),
    Wrong("ask", receive_first, "The server has no question"),
    Wrong("ask", receive_too_late, "Indent that line"),
    Wrong("ask", receive_forever, "one answer to one question"),
    Wrong("ask", send_bytes, "a binary message"),
    Wrong("ask", send_twice, "more than once"),
    Wrong("ask", guess_the_answer, "returned the wrong value"),
    Wrong("ask", answer_as_bytes, "returned bytes, not a str"),
]

RIGHT = [
    Right("address", {key: list(place) for key, place in RIGHT_PLACES.items()}),
    Right("ask", close_by_hand),
    Right("ask", first_of_all),
    Right("ask", in_a_thread),
]
