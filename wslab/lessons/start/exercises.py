"""The exercises of lesson 00: take an address apart (RFC 6455 §3), and a first client (§1.2).

The judge of the client starts a server whose answers cannot be guessed, and looks at what the learner's
coroutine function sent and returned, or why it does not end.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from wslab.lab.exercises.answer import describe, line_of_task
from wslab.lab.exercises.kinds import NOTHING_YET, Fault, Value, Watched, compare
from wslab.lab.exercises.peers import PATIENCE, Address

__all__ = ["EXERCISES"]

ADDRESS = Value(
    name="address",
    title="Say where an address leads",
    section="RFC 6455 §3",
    noun="address",
    right={
        "ws://127.0.0.1:8765/hello": (8765, "/hello"),
        "wss://chat.example/room": (443, "/room"),
        "ws://clock.example": (80, "/"),
        "wss://chat.example:8443/room?name=Ada": (8443, "/room?name=Ada"),
    },
    look_at={
        "ws://127.0.0.1:8765/hello": "It is the example of the table: a number and a text.",
        "wss://chat.example/room": "Which port does wss use where none is named? The path begins with /.",
        "ws://clock.example": "It names neither port nor path. A request without a path asks for the root.",
        "wss://chat.example:8443/room?name=Ada": "The port is after the host. The rest is asked for.",
    },
    mistakes={
        "80 is the port of ws. With wss, it is another.": {"wss://chat.example/room": (80, "/room")},
        "The first line of a request always names a path: at least /.": {"ws://clock.example": (80, "")},
        "An address without TLS uses the port of HTTP.": {"ws://clock.example": (443, "/")},
        "The question mark and what follows it are sent to the server too.": {
            "wss://chat.example:8443/room?name=Ada": (8443, "/room")
        },
        "A port is a number. Write it without quotes.": {
            "wss://chat.example/room": ("443", "/room"),
            "ws://clock.example": ("80", "/"),
            "wss://chat.example:8443/room?name=Ada": ("8443", "/room?name=Ada"),
        },
        "The path begins with /, the slash after the host.": {"wss://chat.example/room": (443, "room")},
        "The server knows its name. A path begins after the host.": {
            "wss://chat.example/room": (443, "chat.example/room")
        },
        "443 is only used where the address names no port.": {
            "wss://chat.example:8443/room?name=Ada": (443, "/room?name=Ada")
        },
    },
    hints=(
        "The table in front of the exercise has the two ports for addresses that name none.",
        "A path begins with / and reaches to the end of the address, the question mark included.",
    ),
    why="A wrong port or path is the commonest reason why a connection does not open.",
)

QUESTIONS = ("Hello", "Good morning", "ab\nc ")


async def _judge_ask(answer: Any) -> Fault | None:
    for question in QUESTIONS:  # the second finds an answer that sends a text of its own
        if fault := await _judge_question(answer, question):
            return fault
    return None


async def _judge_question(answer: Any, question: str) -> Fault | None:
    received: list[list[str | bytes]] = []  # on each connection
    token = secrets.token_hex(4)

    async def respond(websocket: ServerConnection) -> None:
        received.append(messages := [])
        with contextlib.suppress(ConnectionClosed):  # a client that does not wait for its answer
            async for message in websocket:
                messages.append(message)
                await websocket.send(f"{token}: {len(message)} characters")

    async with serve(respond, "127.0.0.1", 0, close_timeout=PATIENCE) as server:
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
            return Fault("used the connection after it was closed. Indent that line under async with.", rows)
    return _judge_messages(received, question, given) or compare(
        given, f"{token}: {len(question)} characters"
    )


def _why_no_end(received: list[list[str | bytes]]) -> str:
    waiting = f"did not end within {PATIENCE:g} seconds."
    if not received:
        return f"{waiting} It has not connected to uri. Is there a loop, or another address?"
    if not any(received):
        return f"{waiting} The server has no question. Send it, with await, before you wait for the answer."
    return f"{waiting} It still waits, or is in a loop. The server sends one answer to one question."


def _judge_messages(received: list[list[str | bytes]], question: str, given: Any) -> Fault | None:
    sent = [message for messages in received for message in messages]
    nothing = given is None or given is ...
    rows = (("sent", repr(sent) if sent else "nothing"), ("expected", repr([question])))
    if not received and nothing:
        return NOTHING_YET
    if not sent:
        return Fault("did not send the question.", rows)
    if sent == [question.encode()]:
        return Fault("sent bytes, which is a binary message. Send the question as it is, a str.", rows)
    if set(sent) == {question} and len(sent) > 1:
        return Fault("sent the question more than once.", rows)
    if sent != [question]:
        return Fault("sent something other than the question.", rows)
    if nothing:
        return Fault("sent the question and returned None. Return what the server answers.")
    if given == question:
        return Fault("returned the question. Return what the server answers.")
    return None


ASK = Watched(
    name="ask",
    title="Ask a server and return its answer",
    section="the cell in which a Python client says Hello",
    asks="my_ask(uri, question)",
    judge=_judge_ask,
    hints=(
        "The cell in which a Python client says Hello has the three steps: connect, send, receive.",
        "Begin with async with connect(uri) as websocket: and indent the rest under it.",
        "The last line is return await websocket.recv()",
    ),
    why="Every client of this course has these three steps: connect, send, receive.",
    bound=6.0,
)

EXERCISES = (ADDRESS, ASK)
