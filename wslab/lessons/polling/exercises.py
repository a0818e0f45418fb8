"""The exercises of lesson 01: write a client, predict, estimate, choose.

The client is watched by a server that answers as soon as it has something else to tell than the client
knows. Its clock then jumps, by a step that cannot be guessed, so a client that asks at once waits, and one
that does not say what it knows is sent the same again.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from wslab.lab.exercises.answer import one_line
from wslab.lab.exercises.kinds import NOTHING_YET, Fault, Function, Value, Watched
from wslab.lab.exercises.peers import PATIENCE, Address
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.ways import http_server

__all__ = ["EXERCISES"]

COUNT = 5  # texts that the client must learn, before it is seen to ask once more
PAUSE = 0.05  # seconds from an answer to the next request; one late moment of the machine does no harm
NOTHING = "--:--:--"


class _World:
    """A server for long polling and what a client did with it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.asked: list[str] = []
        self.methods: set[str] = set()
        self.sent: list[str] = []
        self.learned: list[Any] = []
        self.pauses: list[float] = []
        self.connections: set[object] = set()
        self.early = False  # learned something before it was sent
        self.enough = asyncio.Event()
        self._answered = 0.0

    def __repr__(self) -> str:
        return "learn"  # as what the client is given

    def __call__(self, text: Any) -> None:
        """Note what the client learns."""
        self.learned.append(text)
        self.early = self.early or len(self.learned) > len(self.sent)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer when the clock shows anything other than the client knows."""
        if self.asked:
            self.pauses.append(time.perf_counter() - self._answered)
        self.asked.append(request.query.get("known", ""))
        self.methods.add(request.method)
        self.connections.add(request.transport)
        if len(self.asked) > COUNT:
            self.enough.set()
        if self.asked[-1] == self.clock.text:
            await asyncio.sleep(0)
            for _ in range(1 + len(self.asked) ** 2 % 7):
                self.clock.change()
        self.sent.append(self.clock.text)
        self._answered = time.perf_counter()
        return web.Response(text=self.sent[-1])


async def _judge_client(answer: Any) -> Fault | None:
    world = _World()
    async with http_server(world.answer) as port:
        url = Address(f"http://127.0.0.1:{port}/")
        client = asyncio.ensure_future(answer(url, world))
        enough = asyncio.ensure_future(world.enough.wait())
        await asyncio.wait([client, enough], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        ended = client.done()
        for task in (enough, client):
            task.cancel()
        await asyncio.wait([client], timeout=PATIENCE)
    if ended:
        client.result()  # raises what the client raised
    return _wrong_request(world) or _wrong_text(world) or _wrong_rhythm(world, ended)


def _wrong_request(world: _World) -> Fault | None:
    asked = world.asked
    if not asked:
        if not world.learned:
            return NOTHING_YET
        return Fault("called learn, but sent no request for url. Ask the server with session.get(url, …).")
    if world.methods != {"GET"}:
        return Fault(
            f"sent a {min(world.methods - {'GET'})}. A client that only asks sends GET: session.get."
        )
    rows = (("known in the requests", ", ".join(each or "(nothing)" for each in asked[:4])),)
    if not all(asked):
        return Fault("asked without saying what it knows. Pass params={'known': known}.", rows)
    if asked[0] != NOTHING:
        return Fault(f"said {asked[0]!r} in its first request. It knows nothing yet: {NOTHING!r}.", rows)
    if asked[1:] != world.sent[: len(asked) - 1]:
        return Fault("did not ask with the last answer as known. Set known to each answer's text.", rows)
    return None


def _wrong_text(world: _World) -> Fault | None:
    for text, sent in zip(world.learned, world.sent, strict=False):
        rows = (("passed to learn", one_line(text)), ("the server sent", one_line(sent)))
        if inspect.iscoroutine(text):
            text.close()
            return Fault("passed a coroutine to learn. Put await in front of response.text().")
        if isinstance(text, bytes):
            return Fault("passed bytes to learn. response.text() returns a text; read() does not.", rows)
        if not isinstance(text, str):
            return Fault(f"passed a value of type {type(text).__name__} to learn, not a str.", rows)
        if text == NOTHING:
            return Fault(f"passed {NOTHING} to learn, which it knew. Call learn after the answer.", rows)
        if text != sent:
            return Fault("passed something to learn that the server did not send then.", rows)
    if world.early:
        return Fault("called learn more often than the server answered. Call it once for each answer.")
    return None


def _wrong_rhythm(world: _World, ended: bool) -> Fault | None:
    rows = (("requests", str(len(world.asked))), ("calls of learn", str(len(world.learned))))
    if len(world.learned) < min(COUNT, len(world.sent) - 1):
        return Fault("did not call learn with each answer.", rows)
    if len(world.connections) > 1:
        rows = (("connections", str(len(world.connections))), ("requests", str(len(world.asked))))
        return Fault("opened more than one connection. Use one ClientSession for all requests.", rows)
    if ended:
        return Fault("stopped. The client asks again after each answer, without end: while True.", rows)
    if len(world.asked) <= COUNT or min(world.pauses) > PAUSE:
        return Fault("waited before it asked again. The server does the waiting.", rows)
    return None


LONG_POLLING = Watched(
    name="long-polling",
    title="Write the long-polling client",
    section="the section Four ways to know what the clock shows",
    asks="my_long_polling(url, learn)",
    judge=_judge_client,
    hints=(
        "The client of short polling is nearly it. Take the waiting out, because the server waits now.",
        "Begin with known = '--:--:--'. Ask with session.get(url, params={'known': known}).",
        "In the loop: known = await response.text(), then learn(known).",
    ),
    why="No timer and almost no wasted request: many chats in browsers ran on this before WebSocket.",
    bound=5.0,
)


def _staleness(interval: float, delay: float) -> float:
    return max(interval, 2 * delay) / 2 + delay


STALENESS = Function(
    name="staleness",
    title="Predict the mean staleness of polling",
    section="the section The race",
    asks="my_staleness(interval, delay)",
    right=_staleness,
    calls=[(100, 0), (800, 0), (400, 40), (20, 40), (60, 40), (15, 30), (25, 1)],
    drawn=lambda source: (source.randrange(1, 1000), source.randrange(200)),
    mistakes={
        "The answer takes the delay to arrive. Add it.": lambda i, d: i / 2,
        "The client waits for each answer: its requests are a round trip apart.": lambda i, d: i / 2 + d,
        "A round trip is twice the delay, there and back.": lambda i, d: max(i, d) / 2 + d,
        "Only the way back makes the news older. Count the delay once.": lambda i, d: i / 2 + 2 * d,
        "You returned the worst case. The exercise asks for the mean.": lambda i, d: i + d,
        "You returned seconds. Return milliseconds.": lambda i, d: _staleness(i, d) / 1000,
    },
    hints=(
        "A change falls anywhere between two requests. It waits half an interval on average.",
        "The answer that brings it takes the delay once.",
        "A client that waits for each answer cannot ask again within a round trip: max(interval, 2 * delay).",
    ),
    why="Half the interval is the price of asking. A client that is sent changes does not pay it.",
)


def _gigabytes(size: float, seconds: float) -> float:
    return size * 10_000 * 30 * 86400 / seconds / 1e9


def _times(factor: float) -> Callable[[float, float], float]:
    return lambda size, seconds: factor * _gigabytes(size, seconds)


TRAFFIC = Function(
    name="monthly-traffic",
    title="Estimate the monthly traffic of ten thousand clients",
    section="the section What one update costs",
    asks="my_gigabytes(size, seconds)",
    right=_gigabytes,
    calls=[(241, 5), (256, 60), (10, 60)],
    drawn=lambda source: (source.randrange(10, 2000), source.randrange(1, 120)),
    within=0.051,
    mistakes={
        "You counted one client. There are ten thousand.": _times(1e-4),
        "You counted one day. The exercise asks for 30.": _times(1 / 30),
        "A day has 86,400 seconds.": _times(1 / 60),
        "You returned megabytes. A gigabyte is 10 ** 9 bytes.": _times(1e3),
        "You returned terabytes. A gigabyte is 10 ** 9 bytes.": _times(1e-3),
        "Divide by `seconds`: the longer the wait, the fewer bytes.": lambda size, seconds: (
            _gigabytes(size, 1) * seconds
        ),
        "You returned gibibytes, 2 ** 30 bytes. A gigabyte is 10 ** 9.": _times(1e9 / 2**30),
        "You returned gigabits. A byte has eight bits, and the exercise asks for bytes.": _times(8),
        "You returned bytes. A gigabyte is 10 ** 9 of them.": _times(1e9),
        "You counted an update every second. Divide by `seconds`.": lambda size, _: _gigabytes(size, 1),
    },
    hints=(
        "A day has 86,400 seconds. How often does one client move these bytes in 30 days?",
        "Multiply by the bytes and by the clients. A gigabyte is 10 ** 9 bytes, as providers count.",
    ),
    why="The same for every new service: bytes of an update, times updates, times clients.",
)

CHOOSE = Value(
    name="choose-transport",
    title="Choose the transport from three numbers",
    section="the section When not to use WebSocket",
    noun="use",
    choices=("polling", "server-sent events", "WebSocket"),
    right={
        "weather": "polling",
        "live comments": "server-sent events",
        "game": "WebSocket",
        "departure board": "polling",
        "co-editing": "WebSocket",
    },
    look_at={
        "weather": "The client may be 30 minutes late. How many requests an hour is that?",
        "live comments": "The client may be a second late and sends twice an hour.",
        "game": "The client sends 36,000 times an hour.",
        "departure board": "The client may be a minute late. How many requests an hour is that?",
        "co-editing": "The client sends as often as the others: 3,600 times an hour.",
    },
    mistakes={
        "WebSocket would do all of it. Which of these needs less, and works through any cache?": {
            "weather": "WebSocket"
        },
        "WebSocket would work. But two comments an hour are two POST requests; the rest goes one way.": {
            "live comments": "WebSocket"
        },
        "Polling would work. But to be a second late at most, it needs 3,600 requests an hour.": {
            "live comments": "polling"
        },
        "Server-sent events would work with fewer bytes. By the rule, 60 requests an hour are few.": {
            "departure board": "server-sent events"
        },
    },
    hints=(
        "Begin with the last column. Which clients send more than once a minute?",
        "Then divide 3,600 seconds by the age that is allowed: polling needs that many requests an hour.",
    ),
    why="There is no best transport, only numbers: how often, how fresh, and in which direction.",
)

EXERCISES = (LONG_POLLING, STALENESS, TRAFFIC, CHOOSE)
