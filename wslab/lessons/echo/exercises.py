"""The exercises of lesson 05, echo servers (RFC 6455 §5.5, §5.6, §7.1.4).

Two judges have a handler served, talk to it as clients, and look at what came back and at what the handler
keeps. Their connections end in three ways: closed normally, closed with another code, and lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import string
from functools import partial
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from wslab.close import encode_close
from wslab.frames import Frame, Opcode, encode_frame
from wslab.lab.exercises.answer import one_line
from wslab.lab.exercises.kinds import NOTHING_YET, Fault, Function, Value, Watched
from wslab.lab.exercises.peers import PATIENCE, Served, next_message, served
from wslab.lessons.echo import right

__all__ = ["EXERCISES"]

Message = str | bytes

# -- what arrives in the browser ----------------------------------------------------------------------------

ARRIVALS = {
    "text frame": "string",
    "binary frame, binaryType not set": "Blob",
    'binary frame, binaryType "arraybuffer"': "ArrayBuffer",
    "text, sent back as bytes, binaryType not set": "Blob",
    "JSON of a dictionary in a text frame": "string",
}

WHAT_ARRIVES = Value(
    name="what-arrives",
    title="Say what a page finds in event.data",
    section="RFC 6455 §5.6; the WebSockets standard of the WHATWG: binaryType",
    right=ARRIVALS,
    noun="arrival",
    choices=("string", "Blob", "ArrayBuffer"),
    look_at={
        "text frame": "A text frame is UTF-8, and the browser decodes it.",
        "binary frame, binaryType not set": 'binaryType has a default, and it is not "arraybuffer".',
        'binary frame, binaryType "arraybuffer"': "The page asked for this kind by name.",
        "text, sent back as bytes, binaryType not set": "The opcode decides, not the meaning of the bytes.",
        "JSON of a dictionary in a text frame": "The browser does not parse JSON. The page calls JSON.parse.",
    },
    mistakes={
        "The bytes may be UTF-8, but the server sent them with the opcode of a binary message.": {
            "text, sent back as bytes, binaryType not set": "string"
        },
        "A page that wants an object calls JSON.parse(event.data).": {
            "JSON of a dictionary in a text frame": "object"
        },
        "A page has to ask for an ArrayBuffer. Without binaryType it gets the default, a Blob.": {
            "binary frame, binaryType not set": "ArrayBuffer"
        },
    },
    hints=(
        "Only three kinds are possible: a string, a Blob, an ArrayBuffer.",
        "A text frame arrives as a string whatever it holds. For a binary frame, binaryType decides.",
        'If the page sets nothing, binaryType is "blob".',
    ),
    why="A Blob where a string was meant is the most common sign of a server that lost the opcode.",
)


# -- the answer to a frame ----------------------------------------------------------------------------------


def _draw_frame(source: random.Random) -> tuple[Frame]:
    opcode = source.choice([*Opcode])
    payload = source.randbytes(source.randrange(1, 9))
    if opcode is Opcode.CLOSE:  # without a reason: RFC 6455 §5.5.1 does not ask an answer to repeat it
        return (Frame(opcode, encode_close(source.randrange(4000, 5000))),)
    return (Frame(opcode, payload, fin=opcode >= Opcode.CLOSE or source.random() < 0.5),)


ANSWER_A_FRAME = Function(
    name="answer-a-frame",
    title="Answer a frame as an echo server does",
    asks="my_answer(frame)",
    section="RFC 6455 §5.5.1 to §5.5.3",
    right=right.answer,
    calls=[
        (frame,)
        for frame in (
            Frame(Opcode.TEXT, b"Hello"),
            Frame(Opcode.PING, b"7"),
            Frame(Opcode.PONG, b"7"),
            Frame(Opcode.TEXT, b"Hel", fin=False),
            Frame(Opcode.CONTINUATION, b"lo"),
            Frame(Opcode.BINARY, b"\x00\xff"),
            Frame(Opcode.CLOSE, encode_close(1000)),
            Frame(Opcode.PING),
            Frame(Opcode.PONG),
            Frame(Opcode.TEXT),
            Frame(Opcode.CONTINUATION, b"l", fin=False),
            Frame(Opcode.CLOSE),
        )
    ],
    drawn=_draw_frame,
    mistakes={
        "A ping is answered with a pong. A ping in return would be answered too.": lambda frame: (
            frame if frame.opcode is Opcode.PING else right.answer(frame)
        ),
        "A pong has the payload of the ping that it answers (§5.5.3).": lambda frame: (
            Frame(Opcode.PONG) if frame.opcode is Opcode.PING else right.answer(frame)
        ),
        "FIN is lost. A fragment goes back as a fragment, with all its fields.": lambda frame: right.answer(
            frame._replace(fin=True)
        ),
        "A pong is not answered (§5.5.3). Two ends that did would never stop.": lambda frame: (
            frame if frame.opcode is Opcode.PONG else right.answer(frame)
        ),
        "The Close lost its payload. Send the code back (§5.5.1).": lambda frame: (
            Frame(Opcode.CLOSE) if frame.opcode is Opcode.CLOSE else right.answer(frame)
        ),
        "Only a ping is answered with a pong. Compare frame.opcode with wslab.Opcode.PING.": lambda frame: (
            Frame(Opcode.PONG, frame.payload)
        ),
        "A fragment that continues a message goes back, too.": lambda frame: (
            None if frame.opcode is Opcode.CONTINUATION else right.answer(frame)
        ),
        "A Close is answered with a Close (§5.5.1).": lambda frame: (
            None if frame.opcode is Opcode.CLOSE else right.answer(frame)
        ),
        "Return the frame itself. The server encodes it.": encode_frame,
        "Return the whole frame, not its payload.": lambda frame: frame.payload,
    },
    hints=(
        "Look at frame.opcode. Two of the six opcodes need more than to send the frame back.",
        "A ping is answered with a pong, a pong with None. Everything else goes back as it came.",
        "wslab.Frame(wslab.Opcode.PONG, frame.payload) answers a ping: with the same payload (§5.5.3).",
    ),
    why="This function, a handshake and a decoder are an echo server.",
)


# -- shout --------------------------------------------------------------------------------------------------


def _messages() -> list[Message]:
    """Return texts and binary messages, the later ones drawn: an answer must not know them."""
    source = random.Random("shout")  # the same in every run: verdicts are stored in notebooks
    drawn = ["".join(source.choices(string.ascii_letters + " äöé", k=12)) for _ in range(4)]
    return ["Hello", b"bye", "ß", b"\x00\xff", "", b"", *drawn, source.randbytes(12)]


def _shouted(message: Message) -> Message:
    return message.upper() if isinstance(message, str) else message


class _Kept:
    """A handler of the learner, and what it has returned; it may lose its client just before an answer."""

    def __init__(self, answer: Any) -> None:
        self._answer, self.returned, self.loses = answer, False, False

    async def __call__(self, websocket: ServerConnection, *more: Any) -> None:
        if self.loses:
            websocket.send = partial(self._lose, websocket)  # type: ignore[method-assign]
        self.returned |= await self._answer(websocket, *more) is not None

    async def _lose(self, websocket: ServerConnection, *args: Any) -> None:
        websocket.transport.abort()
        await websocket.wait_closed()
        await type(websocket).send(websocket, *args)


async def _judge_shout(answer: Any) -> Fault | None:
    kept = _Kept(answer)
    async with served(kept) as server:
        async with connect(server.uri, close_timeout=PATIENCE) as websocket:
            fault = await _judge_silence(kept, websocket) or await _judge_answers(kept, websocket)
            fault = fault or await _judge_silence(kept, websocket)
        return fault or await _judge_the_end(server) or await _judge_a_loss(kept, server)


async def _judge_a_loss(kept: _Kept, server: Served) -> Fault | None:
    """Judge a handler whose client is lost just before an answer: its handler must await that `send`."""
    loop, unheard, kept.loses = asyncio.get_running_loop(), [], True
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: unheard.append(context))
    async with connect(server.uri, close_timeout=PATIENCE) as websocket:
        await _ask(websocket, "Hello")
    await server.ended()
    server.logged.clear()
    gc.collect()  # nothing knows the task any more: what nobody awaited is reported now
    loop.set_exception_handler(before)
    return _UNAWAITED if any("future" in context for context in unheard) else None


async def _judge_answers(kept: _Kept, websocket: ClientConnection) -> Fault | None:
    before: Message | None = None
    for sent in _messages():
        received = await _ask(websocket, sent)
        if not (type(received) is type(sent) and received == _shouted(sent)):
            return _shout_fault(kept, websocket, (before, sent), received)
        before = sent
    return None


async def _judge_silence(kept: _Kept, websocket: ClientConnection) -> Fault | None:
    """Judge a handler that is not spoken to: it neither speaks nor ends."""
    over = await _is_over(websocket)
    with contextlib.suppress(ConnectionClosed, TimeoutError):
        async with asyncio.timeout(0.02):
            message = await websocket.recv()
            sentence = "sent a message that answers nothing. A message arrives first, then its answer."
            return Fault(sentence, (("received", _shown(message)), ("expected", "nothing")))
    if over:
        return Fault("ended before a message had arrived.") if kept.returned else NOTHING_YET
    return None


def _shout_fault(
    kept: _Kept, websocket: ClientConnection, messages: tuple[Message | None, Message], received: Any
) -> Fault:
    before, sent = messages
    if received is not None:
        sentence, shown = _what_is_wrong(before, sent, received), _shown(received)
    elif websocket.close_code is None:
        sentence = f"did not answer a {_kind(sent)} message."
        shown = f"nothing for {PATIENCE:g} seconds"
    else:
        shown = "nothing, the connection was closed"
        sentence = "ended without an answer."
        if before is not None:
            sentence = "ended after one message. Answer until the connection is closed."
        if kept.returned:
            sentence = "ended with return. Send the answer: what a handler returns goes nowhere."
    return Fault(
        sentence, (("sent", _shown(sent)), ("received", shown), ("expected", _shown(_shouted(sent))))
    )


def _what_is_wrong(before: Message | None, sent: Message, received: Message) -> str:
    """Say what is wrong with an answer to one of the messages."""
    if before and received in (before, _shouted(before)):
        return "answered a message more than once."
    if isinstance(sent, str):
        if isinstance(received, bytes):
            return "answered a text with a binary message. Pass a str to send."
        return "sent a text back as it came." if received == sent else "did not send the text in capitals."
    if isinstance(received, str):
        return "answered a binary message with a text. Pass the bytes to send as they are."
    return "changed a binary message. Only texts are answered in capitals."


_UNAWAITED = Fault(
    "sent an answer in a task that nobody awaits. Await send in the handler: then it waits for a slow "
    "reader, and an exception is not lost."
)
_ENDING = "async for ends by itself when a client closes normally; recv() and send() raise ConnectionClosed."


async def _judge_the_end(server: Served) -> Fault | None:
    """Judge a handler whose client has said good-bye: it ends, by itself and without an exception."""
    if not await server.ended():
        return Fault("went on after its connection had ended.")
    return server.log_fault(_ENDING)


async def _is_over(websocket: ClientConnection) -> bool:
    """Return whether a handler has ended already, while nobody has sent it anything."""
    with contextlib.suppress(TimeoutError):
        try:
            await asyncio.wait_for(await websocket.ping(), PATIENCE)
        except ConnectionClosed:
            return True
    return False


async def _ask(websocket: ClientConnection, message: Message) -> Any:
    """Send a message, and return what comes back, or None when nothing does."""
    with contextlib.suppress(ConnectionClosed):
        await websocket.send(message)
    return await next_message(websocket)


def _shown(message: Message) -> str:
    return f"{one_line(message)} ({_kind(message)})"


def _kind(message: Message) -> str:
    return "text" if isinstance(message, str) else "binary"


SHOUT = Watched(
    name="shout",
    title="Answer texts in capitals, and binary messages unchanged",
    asks="my_shout(websocket)",
    judge=_judge_shout,
    section="RFC 6455 §5.6",
    hints=(
        "Begin with the echo handler of this lesson. Only what is sent back changes.",
        "A text arrives as str, a binary message as bytes. isinstance(message, str) says which it is.",
        "message.upper() if isinstance(message, str) else message",
    ),
    why="What you pass to send decides the opcode: str makes a text frame, bytes a binary one.",
    bound=5.0,
)


# -- who is there -------------------------------------------------------------------------------------------

WAYS = ("closed with code 1000", "lost without a Close", "closed with code 4000")


class _There(set[Any]):
    """The set that a handler is given; it shows itself by name, since it changes while the handler runs."""

    def __repr__(self) -> str:
        return "there"


class _Visit:
    """A client and the end of its handler; ``connection`` is what its handler was given."""

    def __init__(self, client: ClientConnection, connection: ServerConnection, over: asyncio.Event) -> None:
        self.client, self.connection, self.over = client, connection, over

    async def leave(self, way: str) -> bool:
        """End the connection in one of the ways; return whether its handler ended."""
        if way == "lost without a Close":
            self.client.transport.abort()
        else:
            await self.client.close(4000 if "4000" in way else 1000)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), PATIENCE)
        return self.over.is_set()


async def _judge_who_is_there(answer: Any) -> Fault | None:
    there, kept = _There(), _Kept(answer)
    ends: dict[Any, asyncio.Event] = {}  # of the handler of each connection, in the order of their beginning

    async def handle(websocket: ServerConnection) -> None:
        ends[websocket] = asyncio.Event()
        try:
            await kept(websocket, there)
        finally:
            ends[websocket].set()

    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(served(handle))
        clients = [await stack.enter_async_context(connect(server.uri, close_timeout=PATIENCE)) for _ in WAYS]
        if await _is_over(clients[0]):
            idle = not there and not kept.returned
            return NOTHING_YET if idle else Fault("ended before a message had arrived.")
        visits = [_Visit(client, *pair) for client, pair in zip(clients, ends.items(), strict=True)]
        return (
            await _judge_echoes(*clients[1:])
            or _judge_set(there, list(ends))
            or await _judge_ends(visits, there, server)
        )


async def _judge_echoes(first: ClientConnection, second: ClientConnection) -> Fault | None:
    for websocket, word in ((first, "a"), (second, "B"), *((first, word) for word in (b"\xff", "d", "e"))):
        received = await _ask(websocket, word)
        if type(received) is type(word) and received == word:
            continue
        sentence = "did not echo. Each client gets its own messages back, and nothing else."
        nothing = f"nothing for {PATIENCE:g} seconds"
        if received is None and websocket.close_code is not None:
            sentence = "ended too early. Echo until the connection is closed."
            nothing = "nothing, the connection was closed"
        shown = nothing if received is None else _shown(received)
        return Fault(sentence, (("sent", _shown(word)), ("received", shown), ("expected", _shown(word))))
    return None


def _judge_set(there: set[Any], connected: list[Any]) -> Fault | None:
    """Judge the set while three clients are connected, of which the first has not sent anything."""
    rows = (("connected", str(len(connected))), ("of them in the set", str(len(there))))
    if strange := [entry for entry in there if not any(entry is each for each in connected)]:
        rows = (("in the set", one_line(strange[0])), ("expected", one_line(connected[0])))
        return Fault("put something other than the connection into the set.", rows)
    if there == set(connected[1:]):
        return Fault("left out a client that is connected and has sent nothing yet.", rows)
    if not there:
        return Fault("left out everyone who is connected. The set that it was given is empty.", rows)
    return Fault("left out a client that is connected.", rows) if there != set(connected) else None


async def _judge_ends(visits: list[_Visit], there: set[Any], server: Served) -> Fault | None:
    """End one connection after the other, each in another way, and judge the set."""
    still, kept = list(visits), []
    for way in WAYS:
        # Not the one that pop() takes: an answer that takes out any connection must not be lucky.
        lucky = next(iter(there), None)
        visit = next((each for each in still if each.connection is not lucky), still[0])
        still.remove(visit)
        if not await visit.leave(way):
            return Fault("went on after its connection had ended.", (("it was", way),))
        if not {each.connection for each in still} <= there:
            return Fault("took out a connection that is still open.", (("another was", way),))
        if visit.connection in there:
            kept.append(way)
        elif way == WAYS[0] and (fault := server.log_fault(_ENDING)):
            return fault
    if len(kept) == len(WAYS):
        return Fault("never took a connection out of the set.")
    if kept:
        return Fault("kept connections that have ended.", (("those", "; ".join(kept)),))
    return Fault("left something in the set.", (("there", one_line(list(there))),)) if there else None


WHO_IS_THERE = Watched(
    name="who-is-there",
    title="Keep a set of who is connected",
    asks="my_handler(websocket, there)",
    judge=_judge_who_is_there,
    section="RFC 6455 §7.1.4 and §7.2.3",
    hints=(
        "Add the connection to the set when the handler begins, and take it out when the handler ends.",
        "A connection that is lost raises an exception in your loop. try: … finally: runs in every case.",
        "finally: there.discard(websocket)",
    ),
    why="A set that only grows is a leak, and a chat that sends to it talks to the dead.",
    bound=8.0,
)

EXERCISES = (WHAT_ARRIVES, SHOUT, WHO_IS_THERE, ANSWER_A_FRAME)
