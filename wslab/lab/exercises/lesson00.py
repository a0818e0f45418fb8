"""The exercise of lesson 00: a first client (RFC 6455 §1.2).

It is there to show how exercises answer back. Its judge starts a server that sends every text back in
reverse, and looks at what the learner's coroutine function sent and returned. It leaves nothing running.
"""

from __future__ import annotations

import contextlib
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from wslab.lab.exercises.address import Address
from wslab.lab.exercises.exercise import Exercise, Fault, Mistake, compare

__all__ = ["EXERCISES"]

QUESTION = "Hello"


async def _judge_ask(answer: Any) -> Fault | None:
    received: list[str | bytes] = []

    async def reverse(websocket: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):  # a client that does not wait for its answer
            async for message in websocket:
                received.append(message)
                await websocket.send(message[::-1])

    async with serve(reverse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        given = await answer(Address(f"ws://127.0.0.1:{port}"), QUESTION)
    if given is not None and received != [QUESTION]:
        rows = (("sent", repr(received) if received else "nothing"), ("expected", repr([QUESTION])))
        return Fault("does not send the question, once.", rows, given)
    if given == QUESTION:
        return Fault("returns the question; return what the server answers.", (), given)
    return compare(given, QUESTION[::-1])


async def _send_only(uri: str, question: str) -> str:
    async with connect(uri) as websocket:
        await websocket.send(question)
    return question


async def _forget_to_send(uri: str, question: str) -> str:
    async with connect(uri):
        return question[::-1]


async def _forget_to_await(uri: str, question: str) -> Any:
    async with connect(uri) as websocket:
        await websocket.send(question)
        return websocket.recv()


EXERCISES = (
    Exercise(
        name="ask",
        lesson="00",
        title="Ask a server and return its answer",
        asks="my_ask(uri, question)",
        judge=_judge_ask,
        section="the cell above that says Hello",
        hints=(
            "The cell above that says Hello does the same for one fixed text: connect, send, receive.",
            "async with connect(uri) as websocket: … and inside it: return await websocket.recv()",
        ),
        mistakes=(
            Mistake(_send_only, "returns the question"),
            Mistake(_forget_to_send, "does not send the question"),
            Mistake(_forget_to_await, "put await in front"),
        ),
        why="Every client of this course has these three steps: connect, send, receive.",
        bound=5.0,
    ),
)
