"""The exercise of lesson 00: a first client (RFC 6455 §1.2).

It is there to show how exercises answer back. Its judge starts a server that sends every text back in
reverse, and looks at what the learner's coroutine function sent and returned, or why it does not end. It
leaves nothing running.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from wslab.lab.exercises.address import Address
from wslab.lab.exercises.answer import describe, line_of_task
from wslab.lab.exercises.exercise import Exercise, Fault, Mistake, compare
from wslab.lab.exercises.served import PATIENCE

__all__ = ["EXERCISES"]

QUESTIONS = ("Hello", "Good morning")


async def _judge_ask(answer: Any) -> Fault | None:
    for question in QUESTIONS:  # the second finds an answer that sends a text of its own
        if fault := await _judge_question(answer, question):
            return fault
    return None


async def _judge_question(answer: Any, question: str) -> Fault | None:
    received: list[list[str | bytes]] = []  # on each connection

    async def reverse(websocket: ServerConnection) -> None:
        received.append(messages := [])
        with contextlib.suppress(ConnectionClosed):  # a client that does not wait for its answer
            async for message in websocket:
                messages.append(message)
                await websocket.send(message[::-1])

    async with serve(reverse, "127.0.0.1", 0, close_timeout=PATIENCE) as server:
        port = server.sockets[0].getsockname()[1]
        try:
            async with asyncio.timeout(PATIENCE) as scope:
                given = await answer(Address(f"ws://127.0.0.1:{port}"), question)
        except TimeoutError:
            if not scope.expired():
                raise
            return Fault(_why_no_end(received))
        except ConnectionClosed as error:
            rows = (("raised", describe(error)), *filter(None, [line_of_task(error, answer)]))
            return Fault("uses the connection when it is closed: indent that line under async with.", rows)
    return _judge_traffic(received, question, given) or compare(given, question[::-1])


def _why_no_end(received: list[list[str | bytes]]) -> str:
    waiting = f"does not end. After {PATIENCE:g} seconds"
    if not received:
        return f"{waiting} nobody has connected to uri: is there a loop, or another address?"
    if not any(received):
        return f"{waiting} the server has no question: send it, with await, before you wait for the answer."
    return f"{waiting} it still waits, or is in a loop: the server sends one answer to one question."


def _judge_traffic(received: list[list[str | bytes]], question: str, given: Any) -> Fault | None:
    sent = [message for messages in received for message in messages]
    nothing = given is None or given is ...
    rows = (("sent", repr(sent) if sent else "nothing"), ("expected", repr([question])))
    if not received and nothing:
        return Fault("does nothing yet.", idle=True)
    if not sent:
        return Fault("does not send the question.", rows)
    if sent == [question.encode()]:
        return Fault("sends bytes, which is a binary message: send the question as it is, a str.", rows)
    if set(sent) == {question} and len(sent) > 1:
        return Fault("sends the question more than once.", rows)
    if sent != [question]:
        return Fault("sends something else than the question.", rows)
    if nothing:
        return Fault("sends the question and returns nothing: return what the server answers.")
    if given == question:
        return Fault("returns the question; return what the server answers.")
    return None


async def _return_the_question(uri: str, question: str) -> str:
    async with connect(uri) as websocket:
        await websocket.send(question)
    return question


async def _forget_to_return(uri: str, question: str) -> None:
    async with connect(uri) as websocket:
        await websocket.send(question)
        await websocket.recv()


async def _say_hello(uri: str, question: str) -> str | bytes:
    async with connect(uri) as websocket:
        await websocket.send("Hello")
        return await websocket.recv()


async def _receive_first(uri: str, question: str) -> str | bytes:
    async with connect(uri) as websocket:
        answer = await websocket.recv()
        await websocket.send(question)
        return answer


async def _receive_too_late(uri: str, question: str) -> str | bytes:
    async with connect(uri) as websocket:
        await websocket.send(question)
    return await websocket.recv()


async def _receive_forever(uri: str, question: str) -> str | bytes:
    async with connect(uri) as websocket:
        await websocket.send(question)
        return "".join([str(message) async for message in websocket])


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
            Mistake(_return_the_question, "returns the question"),
            Mistake(_forget_to_return, "returns nothing"),
            Mistake(_forget_to_send, "does not send the question"),
            Mistake(_forget_to_await, "put await in front"),
            Mistake(_say_hello, "sends something else than the question"),
            Mistake(_receive_first, "the server has no question"),
            Mistake(_receive_too_late, "indent that line"),
            Mistake(_receive_forever, "one answer to one question"),
        ),
        why="Every client of this course has these three steps: connect, send, receive.",
        bound=5.0,
        acts=True,
    ),
)
