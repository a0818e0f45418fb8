"""The exercises of lesson 05, echo servers (RFC 6455 §5.5, §5.6, §7.1.4).

Two ask for handlers: their judges have ``served`` run them, talk to them as a client, and look at what came
back. The other two ask for a value and for a plain function. Nothing is left running.
"""

from __future__ import annotations

import contextlib
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from wslab.close import encode_close
from wslab.frames import Frame, Opcode
from wslab.lab.exercises.answer import show
from wslab.lab.exercises.exercise import Case, Exercise, Fault, Mistake, equals, returns
from wslab.lab.exercises.served import PATIENCE, next_message, served

__all__ = ["EXERCISES"]

# -- shout --------------------------------------------------------------------------------------------------

SHOUTED: tuple[tuple[str | bytes, str | bytes], ...] = (("hello", "HELLO"), (b"hello", b"hello"), ("ß", "SS"))


async def _judge_shout(answer: Any) -> Fault | None:
    async with served(answer) as server, connect(server.uri, close_timeout=PATIENCE) as websocket:
        for number, (sent, expected) in enumerate(SHOUTED):
            received = await _ask(websocket, sent)
            if received == expected:
                continue
            closed = received is None and websocket.close_code is not None
            nothing = "nothing, the connection was closed" if closed else f"nothing for {PATIENCE:g} seconds"
            rows = (
                ("sent", _shown(sent)),
                ("received", nothing if received is None else _shown(received)),
                ("expected", _shown(expected)),
            )
            sentence = "does not send the right answer."
            if received is None:
                sentence = "ends too early." if closed else "does not answer."
            return Fault(sentence, rows, idle=closed and number == 0)
    return None


async def _ask(websocket: ClientConnection, message: str | bytes) -> Any:
    """Send a message, and return what comes back, or None when nothing does."""
    with contextlib.suppress(ConnectionClosed):
        await websocket.send(message)
    return await next_message(websocket)


def _shown(message: str | bytes) -> str:
    return f"{show(message)} ({_kind(message)})"


def _kind(message: str | bytes) -> str:
    return "text" if isinstance(message, str) else "binary"


async def _shout_once(websocket: ServerConnection) -> None:
    message = await websocket.recv()
    await websocket.send(message.upper())


async def _shout_all(websocket: ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message.upper())


async def _shout_bytes(websocket: ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message.upper() if isinstance(message, str) else str(message))


SHOUT = Exercise(
    name="shout",
    lesson="05",
    title="Answer texts in capitals, and binary messages unchanged",
    asks="my_shout(websocket)",
    judge=_judge_shout,
    section="RFC 6455 §5.6",
    hints=(
        "A text arrives as str, a binary message as bytes: isinstance(message, str) tells which.",
        "The frame is that of the echo server: async for message in websocket, and one send for each.",
    ),
    mistakes=(
        Mistake(_shout_once, "ends too early"),
        Mistake(_shout_all, "does not send the right answer"),
        Mistake(_shout_bytes, "does not send the right answer"),
    ),
    why="What you pass to send decides the opcode: str makes a text frame, bytes a binary one.",
    bound=5.0,
    acts=True,
)


# -- who is there -------------------------------------------------------------------------------------------


async def _judge_who_is_there(answer: Any) -> Fault | None:
    there: set[Any] = set()
    async with served(lambda websocket: answer(websocket, there)) as server:
        async with connect(server.uri) as first, connect(server.uri, close_timeout=PATIENCE) as second:
            for websocket, word in ((first, "a"), (second, "b"), (first, "c")):
                if await _ask(websocket, word) != word:
                    idle = not there and websocket.close_code is not None
                    return Fault("does not echo every message.", idle=idle)
            if len(there) != 2:
                rows = (("in the set", str(len(there))), ("expected", "2"))
                return Fault("leaves out who is connected: two clients are.", rows)
            first.transport.abort()
        lost = await connect(server.uri, close_timeout=PATIENCE)
        await lost.send("bye")
        await lost.close(4000)
        if not await server.ended():
            return Fault("goes on after its connection has ended.")
    if there:
        rows = (("in the set", str(len(there))), ("expected", "0"))
        return Fault("keeps connections that are closed: clients also go without a good-bye.", rows)
    return None


async def _never_discard(websocket: ServerConnection, there: set[Any]) -> None:
    there.add(websocket)
    async for message in websocket:
        await websocket.send(message)


async def _discard_at_the_end(websocket: ServerConnection, there: set[Any]) -> None:
    await _never_discard(websocket, there)
    there.discard(websocket)


async def _only_echo(websocket: ServerConnection, there: set[Any]) -> None:
    async for message in websocket:
        await websocket.send(message)


WHO_IS_THERE = Exercise(
    name="who-is-there",
    lesson="05",
    title="Keep a set of who is connected",
    asks="my_handler(websocket, there)",
    judge=_judge_who_is_there,
    section="RFC 6455 §7.1.4 and §7.2.3",
    hints=(
        "Add the connection to the set when the handler begins, and take it out when the handler ends.",
        "A connection that is lost raises an exception in your loop. try: … finally: runs in every case.",
    ),
    mistakes=(
        Mistake(_never_discard, "keeps connections that are closed"),
        Mistake(_discard_at_the_end, "keeps connections that are closed"),
        Mistake(_only_echo, "leaves out who is connected"),
    ),
    why="A set that only grows is a leak, and a chat that sends to it talks to the dead.",
    bound=8.0,
    acts=True,
)


# -- what arrives in the browser ----------------------------------------------------------------------------

ARRIVALS = {
    "text frame": "string",
    "binary frame, binaryType not set": "Blob",
    'binary frame, binaryType "arraybuffer"': "ArrayBuffer",
    "text, sent back as bytes, binaryType not set": "Blob",
    "JSON of a dictionary in a text frame": "string",
}
_ARRIVAL_REASONS = {
    "text frame": "A text frame is UTF-8, and the browser decodes it.",
    "binary frame, binaryType not set": "The default of binaryType is for large files.",
    'binary frame, binaryType "arraybuffer"': "The page asked for this kind by name.",
    "text, sent back as bytes, binaryType not set": "The opcode decides, not what the octets mean.",
    "JSON of a dictionary in a text frame": "The browser does not parse JSON; the page calls JSON.parse.",
}

WHAT_ARRIVES = Exercise(
    name="what-arrives",
    lesson="05",
    title="Say what a page finds in event.data",
    judge=equals(ARRIVALS, _ARRIVAL_REASONS, "arrival"),
    section="RFC 6455 §5.6; the WebSocket interface of browsers: binaryType",
    hints=(
        "Only three kinds are possible: a string, a Blob, an ArrayBuffer.",
        "A text frame gives a string whatever is in it. For binary frames binaryType decides.",
    ),
    mistakes=(
        Mistake(
            {**ARRIVALS, "text, sent back as bytes, binaryType not set": "string"},
            "It may be UTF-8: the server sent it with the opcode of a binary message.",
        ),
        Mistake(
            {**ARRIVALS, "JSON of a dictionary in a text frame": "object"},
            "A page that wants an object calls JSON.parse(event.data).",
        ),
        Mistake(
            {**ARRIVALS, "binary frame, binaryType not set": "ArrayBuffer"},
            "An ArrayBuffer must be asked for.",
        ),
    ),
    why="A Blob where a string was meant is the commonest sign of a server that lost the opcode.",
)


# -- the answer to a frame ----------------------------------------------------------------------------------


def _answer(frame: Frame) -> Frame | None:
    if frame.opcode is Opcode.PONG:
        return None
    return Frame(Opcode.PONG, frame.payload) if frame.opcode is Opcode.PING else frame


def _echo_pings(frame: Frame) -> Frame | None:
    return None if frame.opcode is Opcode.PONG else frame


def _empty_pong(frame: Frame) -> Frame | None:
    return Frame(Opcode.PONG) if frame.opcode is Opcode.PING else _echo_pings(frame)


def _answer_pongs(frame: Frame) -> Frame | None:
    return frame if frame.opcode is Opcode.PONG else _answer(frame)


_FRAMES = (
    Frame(Opcode.TEXT, b"Hello"),
    Frame(Opcode.PING, b"7"),
    Frame(Opcode.PONG, b"7"),
    Frame(Opcode.TEXT, b"Hel", fin=False),
    Frame(Opcode.CONTINUATION, b"lo"),
    Frame(Opcode.BINARY, b"\x00\xff"),
    Frame(Opcode.CLOSE, encode_close(1000, "bye")),
)

ANSWER_A_FRAME = Exercise(
    name="answer-a-frame",
    lesson="05",
    title="Answer a frame as an echo server does",
    asks="my_answer(frame)",
    judge=returns(*(Case((frame,), _answer(frame)) for frame in _FRAMES)),
    section="RFC 6455 §5.5.1 to §5.5.3",
    hints=(
        "Data frames and Close go back as they came. A ping has an answer of its own, a pong has none.",
        "Frame(Opcode.PONG, frame.payload) answers a ping: with the same payload (§5.5.3).",
    ),
    mistakes=(
        Mistake(
            _echo_pings, "A ping is answered with a pong, not with a ping: the other side would answer, too."
        ),
        Mistake(_empty_pong, "A pong has the payload of the ping that it answers (§5.5.3)."),
        Mistake(
            lambda frame: _answer(frame._replace(fin=True)),
            "FIN is lost: a fragment goes back as a fragment, with all its fields.",
        ),
        Mistake(_answer_pongs, "A pong is not answered (§5.5.3): two ends that did would never stop."),
    ),
    why="These few lines, a handshake and a decoder are an echo server.",
)

EXERCISES = (SHOUT, WHO_IS_THERE, WHAT_ARRIVES, ANSWER_A_FRAME)
