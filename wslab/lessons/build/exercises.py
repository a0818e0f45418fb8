"""The exercises of lesson 12: the parts of a server, one for a stage.

Three are functions that are compared with the right ones. The others are given connections that note what is
done with them, and whose peer answers, is slow, is gone, or never answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

from wslab.close import encode_close
from wslab.connection import Connection
from wslab.frames import Frame, Opcode, encode_frame
from wslab.lab.exercises.answer import one_line
from wslab.lab.exercises.kinds import NOTHING_YET, Fault, Function, Watched
from wslab.lessons.build import right

__all__ = ["EXERCISES"]


def _frame(opcode: Opcode, payload: bytes = b"", fin: bool = True) -> bytes:
    return encode_frame(Frame(opcode, payload, fin=fin), bytes.fromhex("37fa213d"))


def _after(received: bytes, *answers: str) -> Connection:
    """Return a server's connection that has received these bytes, and sends these texts."""
    connection = Connection("server")
    connection.receive_data(received)
    for answer in answers:
        connection.send_text(answer)
    return connection


HELLO, EMPTY = _frame(Opcode.TEXT, b"Hello"), _frame(Opcode.TEXT)
PING, CLOSING = _frame(Opcode.PING, b"now"), _frame(Opcode.CLOSE, encode_close(1000))
TWO_BYTES = _frame(Opcode.BINARY, b"\0\1")
HALVES = _frame(Opcode.TEXT, b"Hel", fin=False), _frame(Opcode.CONTINUATION, b"lo")


# -- read and write ------------------------------------------------------------------------------------------

READ = Function(
    name="read-messages",
    title="Read messages from bytes",
    asks="my_read(connection, data)",
    right=right.read,
    calls=(
        (_after(b""), HELLO),
        (_after(b""), HELLO + HELLO),
        (_after(b""), PING + HELLO + CLOSING),
        (_after(b""), TWO_BYTES + EMPTY + HALVES[0]),
        (_after(HELLO + HALVES[0]), HALVES[1]),
        (_after(b""), HELLO[:4]),
    ),
    drawn=lambda source: (
        _after(b""),
        _frame(Opcode.TEXT, b"%d" % source.randrange(100)) * source.randrange(4),
    ),
    mistakes={
        "One read may hold several messages. Return all of them.": lambda *call: right.read(*call)[:1],
        "A Ping and a Close are events, but not messages.": lambda connection, data: connection.receive_data(
            data
        ),
        "Bytes are a message, too.": lambda *call: [
            each for each in right.read(*call) if isinstance(each, str)
        ],
        "An empty text is a message, too.": lambda *call: [each for each in right.read(*call) if each],
        "When no message is whole, return an empty list.": lambda *call: right.read(*call) or None,
    },
    section="RFC 6455 §5.4 and §5.6",
    hints=(
        "connection.receive_data(data) returns a list of events. Not every event is a message.",
        "Keep an event if isinstance(event, str | bytes). One read may hold no message, or several.",
    ),
    why="It opens no socket, so the same lines work on asyncio, on threads and in a test.",
)

WRITE = Function(
    name="write-in-time",
    title="Return what can be written now",
    asks="my_write(connection, waiting)",
    right=right.write,
    calls=(
        (_after(HELLO, "Hello"), 0),
        (_after(HELLO + PING), 1),
        (_after(HELLO + HELLO + CLOSING, "Hello"), 1),
        (_after(HELLO + HELLO + CLOSING, "Hello", "Hello"), 0),
        (_after(b""), 0),
    ),
    drawn=lambda source: (
        _after(PING * source.randrange(2) + CLOSING, *["Hello"] * source.randrange(3)),
        source.randrange(3),
    ),
    mistakes={
        "The Close went out while messages waited. Their answers can no longer be sent (§5.5.1).": (
            lambda connection, waiting: connection.data_to_send()
        ),
        "Only the Close has to wait: pongs and messages go out at once.": (
            lambda connection, waiting: b"" if waiting else connection.data_to_send()
        ),
        "When no message waits, the Close goes out.": (
            lambda connection, waiting: connection.data_to_send(hold_close=True)
        ),
    },
    before=lambda connection, waiting: b"",
    sender="server",
    section="RFC 6455 §5.5.1",
    hints=(
        "connection.data_to_send() returns the bytes to write, each of them once. Call it once.",
        "data_to_send(hold_close=True) keeps back the Close that answers the peer, and nothing else.",
    ),
    why="The last message before a Close is answered too: a client that says goodbye still gets its reply.",
)


# -- a connection that notes what is done with it ------------------------------------------------------------


class Noting:
    """A connection as a judge makes it: it notes what is done with it; its peer answers late, or never."""

    def __init__(self, name: str = "", seconds: float | None = 0.05, fails: bool = False) -> None:
        self.name, self.seconds, self.fails = name, seconds, fails
        self.done: list[str] = []
        self.connection, self.messages = Connection("server"), ()
        self.writer = SimpleNamespace(close=lambda: self.done.append("end of TCP"), drain=self._wait)

    def __repr__(self) -> str:
        return f"<{self.name or 'ws'}>"

    async def _wait(self) -> None:
        await asyncio.sleep(3600 if self.seconds is None else self.seconds)
        self.done.append("the peer was there")

    answered = _wait

    def flush(self) -> None:
        """Note what would be written."""
        self.done += [f"wrote {data.hex(' ')}"] if (data := self.connection.data_to_send()) else []

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Send a Close, and wait for the peer's."""
        self.done.append(f"Close {code}")
        if self.fails:
            raise ConnectionResetError("the peer is gone")
        await self._wait()

    def abort(self) -> None:
        """End TCP at once."""
        self.done.append("aborted")


async def _ends(answer: Coroutine[Any, Any, Any], seconds: float, advice: str = "") -> Any:
    """Return what an answer returns, or the fault of one that does not end."""
    task = asyncio.ensure_future(answer)
    if not (await asyncio.wait([task], timeout=seconds))[0]:
        task.cancel()
        return Fault(f"did not end within {seconds:g} s.", advice=advice)
    return task.result()


def _differs(ws: Noting, expected: list[str], advice: str) -> Fault | None:
    """Return what is wrong with what was done, in order."""
    if ws.done == expected:
        return None
    if not ws.done and not ws.name:
        return NOTHING_YET
    if len(ws.done) == len(expected) and ws.done[1:] == expected[1:]:
        advice = "Another Close or message was expected: look at what you pass on."
    rows = [("done", "; ".join(ws.done) or "nothing"), ("expected", "; ".join(expected))]
    rows[:0] = [("connection", ws.name)] if ws.name else []
    return Fault("did something else, or in another order.", tuple(rows), advice=advice)


NEVER = "This peer never answers. Wait for at most timeout seconds, and end TCP all the same."


async def _judge_close(answer: Any) -> Fault | None:
    for seconds, timeout, advice in (
        (0.05, 5.0, "After ws.flush(), wait for ws.answered(), and end TCP as soon as it returns."),
        (None, 0.1, NEVER),
    ):
        ws = Noting(seconds=seconds)
        given = await _ends(answer(ws, 1001, "bye", timeout), 1, advice)
        there = ["the peer was there"] if seconds else []
        expected = ["wrote 88 05 03 e9 62 79 65", *there, "end of TCP"]
        if fault := given if isinstance(given, Fault) else _differs(ws, expected, advice):
            return fault
    return None


CLOSE = Watched(
    name="close-in-time",
    title="Close a connection in bounded time",
    asks="my_close(ws, code, reason, timeout)",
    judge=_judge_close,
    section="RFC 6455 §7.1.1",
    hints=(
        "ws.connection.close(code, reason) prepares the Close, ws.flush() writes it.",
        "await asyncio.wait_for(ws.answered(), timeout) raises TimeoutError when the time is up.",
        "Put the wait in `with suppress(TimeoutError):`, and ws.writer.close() after it.",
    ),
    why="A peer that never answers costs the timeout, and then its place is free.",
    bound=4.0,
)


async def _judge_send(answer: Any) -> Fault | None:
    for message, wire in (("Hello", "81 05 48 65 6c 6c 6f"), (b"\0\1", "82 02 00 01")):
        ws = Noting()
        given = await _ends(answer(ws, message), 1)
        advice = "Prepare the message, then ws.flush(), then await ws.writer.drain()."
        expected = [f"wrote {wire}", "the peer was there"]
        if fault := given if isinstance(given, Fault) else _differs(ws, expected, advice):
            return fault
    return None


SEND = Watched(
    name="send-and-wait",
    title="Send, and wait for a slow reader",
    asks="my_send(ws, message)",
    judge=_judge_send,
    section="RFC 6455 §5.6; StreamWriter.drain in the documentation of asyncio",
    hints=(
        "The send of stage 1 has all but the waiting. ws.flush() writes what is prepared.",
        "await ws.writer.drain() returns once the transport holds little enough.",
    ),
    why="A handler that waits is the cheapest policy: the server's memory no longer depends on its clients.",
)


# -- the heartbeat -----------------------------------------------------------------------------

BEAT = Function(
    name="next-beat",
    title="Decide what the heartbeat does next, and when",
    asks="my_next_beat(heard, pinged, interval, timeout)",
    right=right.next_beat,
    calls=((95.0, None, 20.0, 10.0), (95.0, 115.0, 20.0, 10.0), (-5.0, 0.0, 20.0, 10.0)),
    drawn=lambda source: (
        heard := float(source.randrange(100, 200)),
        source.choice((None, heard + 20)),
        20.0,
        float(source.choice((5, 10, 20))),
    ),
    mistakes={
        "The timeout counts from the ping, not from what was heard before it.": lambda heard, pinged, *both: (
            right.next_beat(heard, heard if pinged is not None else None, *both)
        ),
        "A ping can be late. Count the timeout from pinged, not from heard + interval.": (
            lambda heard, pinged, interval, timeout: right.next_beat(
                heard, heard + interval if pinged is not None else None, interval, timeout
            )
        ),
        "A ping at time 0.0 is a ping too. Compare pinged with None.": lambda heard, pinged, *both: (
            right.next_beat(heard, pinged or None, *both)
        ),
    },
    section="RFC 6455 §5.5.2 and §5.5.3",
    hints=(
        "One question decides: is a pong awaited? It is unless pinged is None.",
        'Return ("ping", heard + interval), or "give up" and the moment at which the patience ends.',
    ),
    why="A decision without a clock is tested in microseconds, for hours of silence.",
)

# -- the shutdown ------------------------------------------------------------------------------------------

TIMEOUT = 0.4  # seconds for every connection together
EACH = "Each gets a Close with 1001. Only a late one is aborted, and one that raises must not stop the rest."


async def _judge_shutdown(answer: Any) -> Fault | None:
    members = [
        *(Noting(f"quick {number}", 0.02) for number in range(3)),
        *(Noting(f"slow {number}", TIMEOUT / 2) for number in range(3)),
        Noting("gone", fails=True),
        Noting("deaf", None),
    ]
    began = asyncio.get_running_loop().time()
    given = await _ends(answer(list(members), TIMEOUT), 3, "A wait without a bound is still under way.")
    took = asyncio.get_running_loop().time() - began
    if isinstance(given, Fault) or (given is None and not any(each.done for each in members)):
        return given or NOTHING_YET
    for each in members:
        end = {"gone": [], "deaf": ["aborted"]}.get(each.name, ["the peer was there"])
        if fault := _differs(each, ["Close 1001", *end], EACH):
            return fault
    if took > TIMEOUT + 0.6:
        seconds = (("took", f"{took:.1f} s"), ("timeout", f"{TIMEOUT} s"))
        return Fault("waited for one connection after the other: the timeout is for all of them.", seconds)
    try:
        nobody = await _ends(answer([], TIMEOUT), 3)
    except ValueError as error:
        advice = "A server is also stopped while nobody is connected. asyncio.wait wants at least one task."
        return Fault(f"raised an exception: {error}", advice=advice)
    if (given, nobody) != (1, 0):
        numbers = (
            ("returned", f"{one_line(given)}, and {one_line(nobody)} for no connection"),
            ("expected", "1, and 0"),
        )
        return Fault("returned the wrong number of aborted connections.", numbers)
    return None


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

EXERCISES = (READ, WRITE, CLOSE, BEAT, SEND, SHUT_DOWN)
