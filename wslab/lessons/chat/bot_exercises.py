"""The last exercise of lesson 07: a bot that greets who comes in.

Its judge starts a chat of ``wslab.lab.chat`` on a free port, with a friend and a guest who come in and speak
in an order that only a careful greeter gets right. It ends as soon as it is known what the greeter does not
do. The messages are those of ``pages/README.md``, each one WebSocket message (RFC 6455 §5.6). Nothing is left
running.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from wslab.lab.exercises.address import Address
from wslab.lab.exercises.exercise import Exercise, Fault, Mistake
from wslab.lessons.chat.messages import encode
from wslab.lessons.chat.room import Chat

__all__ = ["EXERCISES"]

GREETER, GUEST, FRIEND = "Gil", "Cy", "Dee"
ROOM, LAST = "hall", "That was all."
PATIENCE = 1.5  # seconds to wait for something that must happen


class _Overheard:
    """Be a connection of the chat, and note what the chat refuses on it."""

    def __init__(self, websocket: ServerConnection, refused: list[str]) -> None:
        self._websocket, self._refused = websocket, refused

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        return aiter(self._websocket)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._websocket, name)

    async def send(self, message: str) -> None:
        fields = json.loads(message)
        if fields["type"] == "error":
            self._refused.append(fields["sentence"])
        await self._websocket.send(message)


class _Scene:
    """Hold a chat with a friend and a guest in it, and what was seen of the greeter."""

    def __init__(self) -> None:
        self.chat = Chat()
        self.heard, self.refused = list[str](), list[str]()
        self.ready, self.joined, self.spoke, self.alone = (asyncio.Event() for _ in range(4))
        self._connections = 0
        self._friend: ClientConnection | None = None

    async def handle(self, websocket: ServerConnection) -> None:
        """Be the handler of the server."""
        self._connections += 1
        self.alone.clear()
        try:
            await self.chat.handler(_Overheard(websocket, self.refused))
        finally:
            self._connections -= 1
            if self._connections == 2:  # the friend and the guest
                self.alone.set()

    async def visit(self, uri: str) -> None:
        """Be the friend, who is there first and speaks before the guest comes in; note what is said."""
        async with connect(uri) as friend, connect(uri) as guest:
            self._friend = friend
            await friend.send(encode("join", name=FRIEND, room=ROOM))
            await friend.recv()
            self.alone.set()
            self.ready.set()
            async for message in friend:
                match json.loads(message):
                    case {"type": "joined", "name": name} if name == GREETER:
                        self.joined.set()
                        await friend.send(encode("say", text=f"{GUEST} has not joined yet."))
                    case {"type": "said", "name": name, "text": text} if name == GREETER:
                        self.heard.append(text)
                        self.spoke.set()
                    case {"type": "said", "text": text} if text == LAST:
                        return
                    case {"type": "said"}:
                        await guest.send(encode("join", name=GUEST, room=ROOM))

    async def end(self, visit: asyncio.Task[None]) -> None:
        """Let the friend hear everything that was said; what is heard comes in the order of the room."""
        if self._connections > 2:
            await _either(self.alone)
        if self._friend:
            await self._friend.send(encode("say", text=LAST))
        await asyncio.wait([visit], timeout=PATIENCE)

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Say what is known of a greeter who did not do what it should."""
        elsewhere = [room for room in self.chat.rooms if room != ROOM]
        rows = (("joined", f"the room {elsewhere[0]!r}, not {ROOM!r}"),) if elsewhere else ()
        return (*rows, ("the server said", self.refused[0])) if self.refused else rows


async def _either(event: asyncio.Event, *tasks: asyncio.Task[Any]) -> None:
    """Wait until something has happened or a task has ended, and no longer than `PATIENCE`."""
    happened = asyncio.ensure_future(event.wait())
    await asyncio.wait([happened, *tasks], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    happened.cancel()


async def _judge_greeter(answer: Any) -> Fault | None:
    scene = _Scene()
    async with serve(scene.handle, "127.0.0.1", 0, close_timeout=PATIENCE) as server:
        uri = Address(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        visit = asyncio.create_task(scene.visit(uri))
        await scene.ready.wait()
        work = asyncio.ensure_future(answer(uri, GREETER, ROOM))
        try:
            return await _judge_work(scene, work, visit)
        finally:
            work.cancel()
            visit.cancel()
            await asyncio.wait([work, visit], timeout=PATIENCE)


async def _judge_work(scene: _Scene, work: asyncio.Task[Any], visit: asyncio.Task[None]) -> Fault | None:
    await _either(scene.joined, work)
    if not work.done() and not scene.joined.is_set():
        return Fault("does not join the room.", scene.rows)
    await _either(scene.spoke, work)
    if not work.done() and not scene.spoke.is_set():
        return Fault("does not greet who comes in.", scene.rows)
    await asyncio.wait([work], timeout=PATIENCE)
    given = work.result() if work.done() else None
    if given is None and work.done():
        return Fault("returns nothing.")
    if work.done():
        await scene.end(visit)
    expected = f"Hello, {GUEST}"
    rows = (("heard", repr(scene.heard) if scene.heard else "nothing"), ("expected", repr([expected])))
    if scene.heard != [expected]:
        if any(FRIEND in text or GREETER in text for text in scene.heard):
            return Fault("greets somebody who did not just come in.", rows, given)
        sentence = "does not say the greeting in the room, once."
        return Fault(sentence, (*rows, *scene.rows), given)
    if not work.done():
        return Fault("greets, and does not return then.", rows)
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


async def _join_elsewhere(uri: str, name: str, room: str) -> bool:
    return await _forget_to_return(uri, name, "tea")


async def _wait_for_a_join(uri: str, name: str, room: str) -> None:
    async with connect(uri) as websocket:
        await websocket.send(encode("join", name=name, room=room))
        async for message in websocket:
            if json.loads(message)["type"] == "join":
                return


async def _greet_for_ever(uri: str, name: str, room: str) -> None:
    async with connect(uri) as websocket:
        await websocket.send(encode("join", name=name, room=room))
        async for message in websocket:
            fields = json.loads(message)
            if fields["type"] == "joined":
                await websocket.send(encode("say", text=f"Hello, {fields['name']}"))


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
        Mistake(_join_elsewhere, "the room 'tea', not 'hall'"),
        Mistake(_wait_for_a_join, "does not greet who comes in"),
        Mistake(_greet_for_ever, "does not return then"),
        Mistake(_forget_to_return, "does not return the name"),
    ),
    why="A bot is a client like any other: the server cannot tell it from a person.",
    bound=8.0,
)

EXERCISES = (GREETER_BOT,)
