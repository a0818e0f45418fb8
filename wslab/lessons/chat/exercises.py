"""The exercises of lesson 07: refuse what is not a message, slow down, make room in a queue, greet newcomers.

The last asks for a client. Its judge is a scripted peer, which says what a chat would say, in an order that
only a careful bot gets right.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from wslab.lab.exercises.answer import one_line
from wslab.lab.exercises.kinds import NOTHING_YET, Fault, Function, Watched, same
from wslab.lab.exercises.peers import PATIENCE, Address, served
from wslab.lessons.chat import right

__all__ = ["EXERCISES"]

# -- refuse -------------------------------------------------------------------------------------------------

_NAME, _TEXT = 40, 500  # characters


def _say(text: object) -> str:
    return json.dumps({"type": "say", "text": text})


def _join(name: object = "Ada", room: object = "tea") -> str:
    return json.dumps({"type": "join", "name": name, "room": room})


_MESSAGES = (
    "Hello",
    '{"type":',
    _say("Hello"),
    _join(),
    '["say", "Hello"]',
    '"say"',
    '{"type": "shout", "text": "Hello"}',
    '{"text": "Hello"}',
    '{"type": ["say"], "text": "Hello"}',
    json.dumps({"type": "shout", "text": (_TEXT + 1) * "a"}),
    '{"type": "say"}',
    _say(5),
    _say(""),
    _say(_TEXT * "a"),
    _say(_TEXT * "ü"),
    _say((_TEXT + 1) * "a"),
    json.dumps({"type": "say", "text": "Hello", "name": (_NAME + 1) * "a"}),
    '{"type": "join", "name": "Ada", "text": "Hello"}',
    _join(name=None),
    _join(room=""),
    json.dumps({"type": "join", "name": (_NAME + 1) * "a"}),
    _join(_NAME * "a", _NAME * "ü"),
    _join(name=(_NAME + 1) * "a"),
    _join(room=(_NAME + 1) * "a"),
    _say("Hello").encode(),
    100_000 * "[",
    5000 * "1",  # more digits than Python reads
)


def _message(source: random.Random) -> tuple[str]:
    fields: dict[str, Any] = {"type": source.choice(("say", "join", "say", "join", "shout", "SAY", None, 7))}
    for name in ("text", "name", "room"):
        length = source.choice((1, 1, 1, _NAME, _NAME + 1, _TEXT, _TEXT + 1))
        value = source.choice((length * "é", length * "x", "", None, 5, ["x"], length * "x"))
        if source.random() < 0.9:
            fields[name] = value
    return (json.dumps(fields),)


def _measured(measure: Callable[[str], int]) -> Callable[[Any], str | None]:
    """Return a wrong answer that measures the length of a field in its own way."""

    def refuse(message: Any) -> str | None:
        if code := right.refuse(message):
            return code
        fields = json.loads(message)
        limits = right.LIMITS[fields["type"]]
        return "too-long" if any(measure(fields[name]) > most for name, most in limits.items()) else None

    return refuse


REFUSE = Function(
    name="refuse",
    title="Refuse what is not a message",
    section="the table of codes above",
    asks="my_refuse(message)",
    right=right.refuse,
    calls=[(message,) for message in _MESSAGES],
    drawn=_message,
    mistakes={
        "Count characters, not bytes: an ü is one character.": _measured(lambda text: len(text.encode())),
        f"{_TEXT} characters are allowed in a text, {_TEXT + 1} are too many.": _measured(
            lambda text: len(text) + 1
        ),
    },
    hints=(
        "json.loads raises ValueError for what is not JSON. What it returns may also be a list or a number.",
        "Go through the codes in the order of the table, and return the first that applies.",
        'isinstance(fields.get("text"), str) is True only for a text that is there.',
    ),
    why="After this function, the chat can rely on every field.",
)


# -- too fast -----------------------------------------------------------------------------------------------


def _moments(source: random.Random) -> tuple[list[float], float]:
    now = 5 + source.randrange(16) / 4
    return sorted(now - source.randrange(9) / 4 for _ in range(source.randrange(6))), now


TOO_FAST = Function(
    name="too-fast",
    title="Notice who speaks too fast",
    section="the question above",
    asks="my_too_fast(times, now)",
    right=right.too_fast,
    calls=[
        ([5.0, 5.25, 5.5], 5.75),
        ([], 5.0),
        ([5.0, 5.25], 5.5),
        ([1.0, 2.0, 5.0], 5.5),
        ([5.5, 5.75, 5.875], 6.25),
        ([5.0, 5.25, 5.5], 6.0),
        ([1.0, 5.0, 5.25, 5.5], 5.75),
    ],
    drawn=_moments,
    mistakes={
        "Exactly one second old is not less than one second old.": lambda times, now: (
            sum(now - each <= 1 for each in times) >= 3
        ),
        "The oldest may be long ago and three others new: look at each.": lambda times, now: (
            len(times) >= 3 and now - times[0] < 1
        ),
        "A message that is more than a second old no longer counts.": lambda times, now: len(times) >= 3,
        "You counted in a second of the clock. Compare the age of each message with 1.": lambda times, now: (
            [int(each) for each in times].count(int(now)) >= 3
        ),
        "Two messages in a second are allowed: count them.": lambda times, now: any(
            now - t < 1 for t in times[-1:]
        ),
        "With three in the last second, the new one is the fourth.": lambda times, now: (
            sum(now - t < 1 for t in times) > 3
        ),
    },
    hints=(
        "For each of the times: is it less than one second ago?",
        "sum(now - each < 1 for each in times) counts them. From three on, the new one is too many.",
    ),
    why="A window that moves has no moment at which everything is allowed again.",
)


# -- make room in a queue -----------------------------------------------------------------------------------


class _Queue(asyncio.Queue[str]):
    """A queue that shows itself without an address, and what is in it."""

    def __repr__(self) -> str:
        return f"<queue with {self.qsize()} of {self.maxsize}>"

    @property
    def content(self) -> list[str]:
        return list(self._queue)  # type: ignore[attr-defined]


def _judge_offer(answer: Callable[[_Queue, str], Any]) -> Fault | None:
    for size, messages in ((3, ["one", "two", "three", "four", "five"]), (1, ["six", "seven"])):
        queue = _Queue(size)
        for message in messages:
            before = queue.content
            if fault := _offered(before, message, answer(queue, message), queue):
                return fault
    return None


def _offered(before: list[str], message: str, given: Any, queue: _Queue) -> Fault | None:
    """Judge one call by what was in the queue before, and what is there now."""
    expected = [*before, message][-queue.maxsize :]
    now, full = queue.content, len(before) == queue.maxsize
    rows = (("in the queue", one_line(now)), ("expected", one_line(expected)))
    if now == before and full:
        return Fault("dropped the newest message. Make room: take the oldest one out.", rows)
    if now == before:
        sentence = "put nothing into the queue. put_nowait puts at once; put has to be awaited."
        return NOTHING_YET if given is None else Fault(sentence, rows)
    if now != expected:
        return Fault("left the wrong messages in the queue. The newest must stay, in their order.", rows)
    if not same(given, int(full)):
        rows = (("returned", one_line(given)), ("expected", str(int(full))))
        return Fault("returned the wrong number. Return how many messages it dropped: 0 or 1.", rows)
    return None


DROP_OLDEST = Watched(
    name="drop-oldest",
    title="Make room in a full queue",
    section="the documentation of asyncio.Queue",
    asks="my_offer(queue, message)",
    judge=_judge_offer,
    hints=(
        "queue.full() says whether there is room. Nothing may be awaited here, or the speaker would wait.",
        "queue.get_nowait() takes the oldest message out, queue.put_nowait(message) puts one in.",
    ),
    why="The number that it returns lets the server decide what a loss means.",
)


# -- greet newcomers ----------------------------------------------------------------------------------------


class _Peer:
    """The scripted end of the one connection that the bot opens."""

    def __init__(self) -> None:
        self.websocket: ServerConnection | None = None
        self._inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue()

    async def handle(self, websocket: ServerConnection) -> None:
        """Keep what arrives; None marks the end."""
        self.websocket = self.websocket or websocket
        try:
            async for message in websocket:
                self._inbox.put_nowait(message)
        finally:
            self._inbox.put_nowait(None)

    async def send(self, kind: str, **fields: object) -> None:
        """Send a message of a chat."""
        assert self.websocket
        with contextlib.suppress(ConnectionClosed):
            await self.websocket.send(json.dumps({"type": kind, **fields}))

    async def next(self, work: asyncio.Task[Any]) -> str | bytes | None:
        """Return the next message of the bot; None if it has ended, or sends none in time."""
        getting = asyncio.ensure_future(self._inbox.get())
        watched = {getting} if self.websocket else {getting, work}
        await asyncio.wait(watched, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if getting.done():
            return getting.result()
        getting.cancel()
        return None


async def _judge_greeter(answer: Callable[[str, str, str], Any]) -> Fault | None:
    for name, room, guest in (("Gil", "hall", "Cy"), ("Mia", "attic", 'Zoë "Zed"')):
        peer = _Peer()
        async with served(peer.handle) as server:
            work = asyncio.ensure_future(answer(Address(server.uri), name, room))
            try:
                fault = await _joins(peer, work, name, room)
                fault = fault or await _greets(peer, work, guest, name=name, room=room)
                fault = fault or await _returns(peer, work, guest)
            finally:
                work.cancel()
                await asyncio.wait([work], timeout=PATIENCE)
        if fault:
            return fault
    return None


async def _joins(peer: _Peer, work: asyncio.Task[Any], name: str, room: str) -> Fault | None:
    first = await peer.next(work)
    if first is None:
        given = work.result() if work.done() else None
        if peer.websocket:
            return Fault("connected, but sent nothing. Join the room first.")
        return NOTHING_YET if work.done() and given is None else Fault("did not connect. Use connect(uri).")
    expected = {"type": "join", "name": name, "room": room}
    fields = {} if right.refuse(first) else json.loads(first)
    if not all(fields.get(key) == value for key, value in expected.items()):
        rows = (("sent first", one_line(first)), ("expected", one_line(json.dumps(expected))))
        return Fault("did not join the room first, under its name.", rows)
    return None


async def _greets(peer: _Peer, work: asyncio.Task[Any], guest: str, **about: str) -> Fault | None:
    old = {"type": "said", "name": "Ada", "text": "Bob has joined us.", "at": 0}
    await peer.send("welcome", **about, members=["Dee", "Bob"], history=[old])
    await peer.send("said", name="joined", text="Who has joined since?", at=0)  # a name like a type
    await peer.send("left", name="Bob")
    await peer.send("joined", name=guest)
    message = await peer.next(work)
    if message is None:
        if work.done():
            sentence = "returned without a greeting. Read message after message until someone joins."
            return Fault(sentence, (("returned", one_line(work.result())),))
        await peer.send("join", name=guest)  # a client's word, which a server never sends
        confused = await peer.next(work) is not None
        advice = "A client asks with join. The server reports with joined." if confused else ""
        return Fault(f"did not greet {guest}, who joined after it.", advice=advice)
    rows = (("sent", one_line(message)), ("expected", one_line(_say(f"Hello, {guest}"))))
    if code := right.refuse(message):
        return Fault(f"sent a message that the chat refuses: {code}.", rows)
    text = json.loads(message).get("text", "")
    if text == f"Hello, {guest}":
        return None
    if any(other in text for other in ("Dee", "Ada", "Bob", "joined", about["name"])):
        return Fault("greeted someone who did not just join.", rows)
    return Fault("did not say the greeting as it should be.", rows)


async def _returns(peer: _Peer, work: asyncio.Task[Any], guest: str) -> Fault | None:
    if not work.done():
        await peer.send("joined", name="Flo")
    await asyncio.wait([work], timeout=PATIENCE)
    if (message := await peer.next(work)) is not None:
        return Fault("spoke again. Return after the first greeting.", (("sent", one_line(message)),))
    if not work.done():
        return Fault("greeted, but did not return then.")
    if same(given := work.result(), guest):
        return None
    rows = (("returned", one_line(given)), ("expected", repr(guest)))
    return Fault("did not return the name that it greeted.", rows)


GREETER = Watched(
    name="greeter",
    title="Write a bot that greets newcomers",
    section="the messages of the chat, steps 2 and 3",
    asks="my_greeter(uri, name, room)",
    judge=_judge_greeter,
    hints=(
        "After the join, read message after message: async for message in websocket.",
        'Only a message of the type "joined" says that someone has just joined.',
        'Send json.dumps({"type": "say", "text": f"Hello, {fields[\'name\']}"}) and return the name.',
    ),
    why="A bot is a client like any other: the server cannot tell it from a person.",
    bound=8.0,
)

EXERCISES = (REFUSE, TOO_FAST, DROP_OLDEST, GREETER)
