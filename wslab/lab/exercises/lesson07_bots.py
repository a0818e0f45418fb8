"""The last exercise of lesson 07: a bot that greets who comes in.

Its judge starts a chat of ``wslab.lab.chat`` on a free port, with a friend and a guest who come in and speak
in an order that only a careful greeter gets right. The messages are those of ``pages/README.md``, each one
WebSocket message (RFC 6455 §5.6). Nothing is left running.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from wslab.lab.chat import Chat
from wslab.lab.chat_messages import encode
from wslab.lab.exercises.address import Address
from wslab.lab.exercises.exercise import Exercise, Fault, Mistake

__all__ = ["EXERCISES"]

GREETER, GUEST, FRIEND = "Gil", "Cy", "Dee"
PATIENCE = 3.0  # seconds for the guests, once the answer has returned


async def _visit(uri: str, ready: asyncio.Event, heard: list[str]) -> None:
    """Be the friend, who is there first and speaks before the guest comes in; note what the greeter says."""
    async with connect(uri) as friend, connect(uri) as guest:
        await friend.send(encode("join", name=FRIEND, room="hall"))
        await friend.recv()
        ready.set()
        async for message in friend:
            match json.loads(message):
                case {"type": "joined", "name": name} if name == GREETER:
                    await friend.send(encode("say", text=f"{GUEST} has not joined yet."))
                case {"type": "said", "name": name, "text": text} if name == GREETER:
                    heard.append(text)
                case {"type": "said"}:
                    await guest.send(encode("join", name=GUEST, room="hall"))
                case {"type": "left", "name": name} if name == GREETER:
                    return


async def _judge_greeter(answer: Any) -> Fault | None:
    ready, heard = asyncio.Event(), list[str]()
    async with serve(Chat().handler, "127.0.0.1", 0, close_timeout=PATIENCE) as server:
        uri = Address(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        visit = asyncio.create_task(_visit(uri, ready, heard))
        await ready.wait()
        try:
            given = await answer(uri, GREETER, "hall")
            if given is None:
                return Fault("returns nothing.")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(visit), PATIENCE)
        finally:
            visit.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                await visit
    expected = f"Hello, {GUEST}"
    rows = (("heard", repr(heard) if heard else "nothing"), ("expected", repr([expected])))
    if heard != [expected]:
        if any(FRIEND in text or GREETER in text for text in heard):
            return Fault("greets somebody who did not just come in.", rows, given)
        return Fault("does not say the greeting in the room, once.", rows, given)
    if given != GUEST:
        return Fault("does not return the name that it greeted.", (("returned", repr(given)),), given)
    return None


async def _greet_everybody(uri: str, name: str, room: str) -> str:
    async with connect(uri) as websocket:
        await websocket.send(encode("join", name=name, room=room))
        first = json.loads(await websocket.recv())["members"][0]
        await websocket.send(encode("say", text=f"Hello, {first}"))
        return str(first)


async def _greet_the_speaker(uri: str, name: str, room: str) -> str:
    async with connect(uri) as websocket:
        await websocket.send(encode("join", name=name, room=room))
        await websocket.recv()
        someone = json.loads(await websocket.recv())["name"]
        await websocket.send(encode("say", text=f"Hello, {someone}"))
        return str(someone)


async def _forget_to_join(uri: str, name: str, room: str) -> str:
    async with connect(uri) as websocket:
        await websocket.send(encode("say", text=f"Hello, {GUEST}"))
        return GUEST


async def _forget_to_return(uri: str, name: str, room: str) -> bool:
    async with connect(uri) as websocket:
        await websocket.send(encode("join", name=name, room=room))
        async for message in websocket:
            fields = json.loads(message)
            if fields["type"] == "joined":
                await websocket.send(encode("say", text=f"Hello, {fields['name']}"))
                return True
    return False


GREETER_BOT = Exercise(
    name="greeter",
    lesson="07",
    title="Write a bot that greets who comes in",
    asks="my_greeter(uri, name, room)",
    judge=_judge_greeter,
    section="the messages of the server above",
    hints=(
        "After the join, read message after message: async for message in websocket.",
        'Only a message with the type "joined" tells that somebody came in just now.',
        'Say json.dumps({"type": "say", "text": f"Hello, {fields[\'name\']}"}) and return the name.',
    ),
    mistakes=(
        Mistake(_greet_everybody, "greets somebody who did not just come in"),
        Mistake(_greet_the_speaker, "greets somebody who did not just come in"),
        Mistake(_forget_to_join, "does not say the greeting in the room"),
        Mistake(_forget_to_return, "does not return the name"),
    ),
    why="A bot is a client like any other: the server cannot tell it from a person.",
    bound=8.0,
)

EXERCISES = (GREETER_BOT,)
