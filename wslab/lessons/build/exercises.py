"""The exercises of lesson 12: a step without I/O, a watch, a shutdown, and which stage cures what.

The first drives a `Connection` of the server's side with what a client sends, cut anywhere; the third closes
connections that are slow, broken or deaf, and looks at the order and at the clock.
"""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from typing import Any

from wslab.close import encode_close
from wslab.connection import Connection
from wslab.frames import Frame, Opcode, encode_frame
from wslab.lab.exercises.answer import show
from wslab.lab.exercises.kinds import NOTHING_YET, Fault, Function, Value, Watched, compare

__all__ = ["EXERCISES"]

KEY = bytes.fromhex("37fa213d")


def _frame(opcode: Opcode, payload: bytes = b"", fin: bool = True) -> bytes:
    return encode_frame(Frame(opcode, payload, fin=fin), KEY)


# -- one step, without I/O -----------------------------------------------------------------------------------

STREAMS = {
    "a text": _frame(Opcode.TEXT, b"Hello"),
    "a text of three words in UTF-8": _frame(Opcode.TEXT, "grün, blau, weiß".encode()),
    "a binary message": _frame(Opcode.BINARY, bytes(range(9))),
    "a ping": _frame(Opcode.PING, b"now"),
    "a text in two fragments": _frame(Opcode.TEXT, b"Hel", False) + _frame(Opcode.CONTINUATION, b"lo"),
    "a text, then a Close": _frame(Opcode.TEXT, b"bye") + _frame(Opcode.CLOSE, encode_close(1000)),
    "two texts, then half a frame": _frame(Opcode.TEXT, b"a") + _frame(Opcode.TEXT, b"b") + b"\x81",
    "a reserved opcode": bytes.fromhex("8380 00000000"),
    "text that is not UTF-8": _frame(Opcode.TEXT, b"\xff"),
}


def _step(connection: Connection, data: bytes) -> bytes:
    for event in connection.receive_data(data):
        if isinstance(event, str):
            connection.send_text(event)
        elif isinstance(event, bytes):
            connection.send_binary(event)
    return connection.data_to_send()


def _judge_step(answer: Any) -> Fault | None:
    source = random.Random("echo-step")
    for name, stream in STREAMS.items():
        for cuts in ([], sorted(source.choices(range(len(stream)), k=2))):
            mine, right = Connection("server"), Connection("server")
            places = [0, *cuts, len(stream)]
            for start, end in pairwise(places):
                piece = stream[start:end]
                if fault := compare(answer(mine, piece), _step(right, piece), before=b"", sender="server"):
                    row = ("received", f"{name}{', cut in pieces' if cuts else ''}")
                    return Fault(fault.sentence, (row, *fault.rows), idle=fault.idle)
    return None


ECHO_STEP = Watched(
    name="echo-step",
    title="Take one step without I/O",
    asks="my_step(connection, data)",
    judge=_judge_step,
    section="RFC 6455 §5 and §5.5",
    hints=(
        "connection.receive_data(data) returns events; a str or bytes among them is a message.",
        "Send each message back with send_text or send_binary; data_to_send() then returns the bytes.",
    ),
    why="A step without I/O runs on asyncio, on threads and in a test, where the bytes are a literal.",
)


# -- the watch -----------------------------------------------------------------------------------------------


def _next_move(now: float, heard: float, pinged: float | None, interval: float, timeout: float) -> str:
    if pinged is not None:
        return "give up" if now - pinged >= timeout else "wait"
    return "ping" if now - heard >= interval else "wait"


KEEP_WATCH = Function(
    name="keep-watch",
    title="Decide what the heartbeat does now",
    asks="my_move(now, heard, pinged, interval, timeout)",
    right=_next_move,
    calls=(
        (100.0, 95.0, None, 20.0, 10.0),
        (115.0, 95.0, None, 20.0, 10.0),
        (118.0, 95.0, 115.0, 20.0, 10.0),
        (125.0, 95.0, 115.0, 20.0, 10.0),
        (140.0, 95.0, 135.0, 20.0, 10.0),
        (116.0, 95.0, 115.0, 20.0, 0.5),
        (10.0, 0.0, 0.0, 20.0, 10.0),
    ),
    drawn=lambda source: (
        now := float(source.randrange(100, 200)),
        now - source.randrange(60),
        source.choice((None, now - source.randrange(30))),
        20.0,
        float(source.choice((5, 10, 20))),
    ),
    mistakes={
        "While a pong is awaited, only the ping's own time counts: look at pinged first.": (
            lambda now, heard, pinged, interval, timeout: (
                "ping"
                if now - heard >= interval
                else "give up"
                if pinged and now - pinged >= timeout
                else "wait"
            )
        ),
        "A ping at time 0.0 is a ping too. Compare pinged with None.": (
            lambda now, heard, pinged, interval, timeout: _next_move(
                now, heard, pinged or None, interval, timeout
            )
        ),
        "The timeout counts from the ping, not from the last pong.": (
            lambda now, heard, pinged, interval, timeout: (
                ("give up" if now - heard >= timeout else "wait")
                if pinged is not None
                else "ping"
                if now - heard >= interval
                else "wait"
            )
        ),
        "A time that is just reached counts: use >=.": (
            lambda now, heard, pinged, interval, timeout: (
                ("give up" if now - pinged > timeout else "wait")
                if pinged is not None
                else "ping"
                if now - heard > interval
                else "wait"
            )
        ),
    },
    section="RFC 6455 §5.5.2 and §5.5.3",
    hints=(
        "Two questions in this order: is a pong awaited, and if not, is it time for a ping?",
        'If pinged is not None, return "give up" or "wait"; otherwise "ping" or "wait".',
    ),
    why="A decision that takes the time as an argument is tested in microseconds, for hours of silence.",
)


# -- the shutdown ------------------------------------------------------------------------------------------

TIMEOUT = 0.4  # seconds for every connection together


class Member:
    """A connection as the judge makes it: it closes at once, late, with an exception, or never."""

    def __init__(self, name: str, seconds: float | None, fails: bool = False) -> None:
        self.name, self.seconds, self.fails = name, seconds, fails
        self.code: Any = None
        self.aborted = False

    def __repr__(self) -> str:
        return f"<{self.name}>"

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Send a Close, and wait for the peer's."""
        self.code = code
        if self.fails:
            raise ConnectionResetError("the peer is gone")
        await asyncio.sleep(3600 if self.seconds is None else self.seconds)

    def abort(self) -> None:
        """End TCP at once."""
        self.aborted = True


async def _judge_shutdown(answer: Any) -> Fault | None:
    members = [
        *(Member(f"quick {number}", 0.02) for number in range(3)),
        *(Member(f"slow {number}", TIMEOUT / 2) for number in range(3)),
        Member("gone", 0.0, fails=True),
        Member("deaf", None),
    ]
    loop = asyncio.get_running_loop()
    begin = loop.time()
    try:
        given = await asyncio.wait_for(answer(list(members), TIMEOUT), 5 * TIMEOUT + 1)
    except TimeoutError:
        bound = (("timeout", f"{TIMEOUT} s"), ("given up after", f"{5 * TIMEOUT + 1:.0f} s"))
        return Fault("did not return. A wait without a bound is still under way.", bound)
    took = loop.time() - begin
    if given is None and all(each.code is None and not each.aborted for each in members):
        return NOTHING_YET
    rows = tuple((each.name, f"code {each.code}, aborted: {each.aborted}") for each in members)
    if sentence := _wrong_closes(members):
        return Fault(sentence, rows)
    if took > TIMEOUT + 0.6:
        seconds = (("took", f"{took:.1f} s"), ("timeout", f"{TIMEOUT} s"))
        return Fault("waited for one connection after the other: the timeout is for all of them.", seconds)
    if given != 1:
        numbers = (("returned", show(given)), ("expected", "1"))
        return Fault("returned the wrong number of aborted connections.", numbers)
    return await _judge_nobody(answer)


async def _judge_nobody(answer: Any) -> Fault | None:
    """Have it close no connections: a server is often stopped while nobody is connected."""
    try:
        given = await asyncio.wait_for(answer([], TIMEOUT), 5 * TIMEOUT + 1)
    except ValueError as error:
        advice = "A server is also stopped while nobody is connected. asyncio.wait wants at least one task."
        return Fault(f"raised an exception: {error}", advice=advice)
    if given != 0:
        return Fault("returned the wrong number.", (("returned", show(given)), ("expected", "0")))
    return None


def _wrong_closes(members: list[Member]) -> str:
    """Return what is wrong with how the connections were closed, and which were aborted."""
    left = [each.name for each in members if each.code is None]
    if len(left) == len(members):
        return "sent no Close."
    if left:
        return f"sent no Close to {', '.join(left)}: one connection that fails must not stop the rest."
    if any(each.code != 1001 for each in members):
        return "closed with another code than 1001, which says that the server goes away."
    if any(each.aborted for each in members if each.name.startswith(("quick", "slow"))):
        return "aborted a connection that closed in time."
    if not members[-1].aborted:
        return "left a connection whose peer never answers: abort it when the time is up."
    return ""


SHUT_DOWN = Watched(
    name="shut-down",
    title="Close every connection in bounded time",
    asks="my_shutdown(connections, timeout)",
    judge=_judge_shutdown,
    section="RFC 6455 §7.4.1",
    hints=(
        "Write a coroutine that closes one connection and returns 1 if it had to abort it, else 0.",
        "await asyncio.wait_for(each.close(1001), timeout) raises TimeoutError when the time is up.",
        "await asyncio.gather(*map(close, connections)) runs them side by side and returns their numbers.",
    ),
    why="A deploy waits for this: one deaf client must not hold up the new version.",
    bound=6.0,
)


# -- which stage -------------------------------------------------------------------------------------------

PING = "A ping is never answered."
MEMORY = "A client that reads nothing makes the server's memory grow."
CABLE = "After a cable was pulled, a connection stays open for hours."
SILENT = "A client that connects and says nothing keeps a connection for days."
DEPLOY = "At each deploy, all clients report 1006."

STAGES = Value(
    name="which-stage",
    title="Find the stage that is missing",
    right={
        PING: "answering",
        MEMORY: "backpressure",
        CABLE: "heartbeat",
        SILENT: "limits",
        DEPLOY: "shutdown",
    },
    look_at={
        PING: "Which line writes the bytes that receive_data() has prepared?",
        MEMORY: "Where do bytes wait that the peer does not take?",
        CABLE: "Which part notices that no byte arrives any more?",
        SILENT: "It has not even sent a request yet.",
        DEPLOY: "1006 says that no Close arrived.",
    },
    mistakes={
        "A heartbeat begins when the connection is open; this client never sent a request.": {
            SILENT: "heartbeat"
        },
        "A limit on the size of messages does not bound what the server itself sends.": {MEMORY: "limits"},
    },
    noun="symptom",
    choices=("answering", "backpressure", "heartbeat", "limits", "shutdown"),
    section="the stages of this lesson",
    hints=(
        "Each stage was added because one of these happened before it.",
        "Two of them are about time, one is about room.",
    ),
    why="This is how a server is debugged: the symptom names the part that is missing.",
)

EXERCISES = (ECHO_STEP, KEEP_WATCH, SHUT_DOWN, STAGES)
