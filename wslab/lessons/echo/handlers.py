"""The handlers of lesson 05: an echo in capitals, and a set of who is connected (RFC 6455 §5.6, §7.1.4).

The judges have ``served`` run a handler, talk to it as a client, and look at what came back and at what the
handler keeps. Connections end in three ways: closed normally, closed with another code, and lost. Nothing is
left running.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from wslab.lab.exercises.answer import show
from wslab.lab.exercises.exercise import Exercise, Fault, Mistake
from wslab.lab.exercises.served import PATIENCE, next_message, served

__all__ = ["SHOUT", "WHO_IS_THERE"]

# -- shout --------------------------------------------------------------------------------------------------

SHOUTED: tuple[tuple[str | bytes, str | bytes], ...] = (
    ("Hello", "HELLO"),
    (b"Hello", b"Hello"),
    ("ß", "SS"),
    (b"\x00\xff", b"\x00\xff"),
    ("", ""),
    (" äé ", " ÄÉ "),
)


async def _judge_shout(answer: Any) -> Fault | None:
    async with served(answer) as server, connect(server.uri, close_timeout=PATIENCE) as websocket:
        if await _is_over(websocket):
            return Fault("ends before a message has come.", idle=not _gave(answer))
        for number, (sent, expected) in enumerate(SHOUTED):
            received = await _ask(websocket, sent)
            if received != expected:
                return _shout_fault(answer, websocket, number, received)
        await websocket.close()
        if not await server.ended():
            return Fault("goes on after its connection has ended.")
    return None


def _shout_fault(answer: Any, websocket: ClientConnection, number: int, received: Any) -> Fault:
    sent, expected = SHOUTED[number]
    if received is not None:
        sentence, shown = _what_is_wrong(number, received), _shown(received)
    elif websocket.close_code is None:
        sentence = f"does not answer a {_kind(sent)} message."
        shown = f"nothing for {PATIENCE:g} seconds"
    else:
        shown = "nothing, the connection was closed"
        sentence = "ends after one message: a handler answers until the connection is closed."
        if number == 0:
            sentence = "ends without an answer."
        if _gave(answer):
            sentence = "ends with return: what a handler returns goes nowhere, and the connection is closed."
    return Fault(sentence, (("sent", _shown(sent)), ("received", shown), ("expected", _shown(expected))))


def _what_is_wrong(number: int, received: str | bytes) -> str:
    """Say what is wrong with an answer to one of the messages."""
    sent, expected = SHOUTED[number]
    if number and received in SHOUTED[number - 1]:
        return "answers a message more than once."
    if isinstance(expected, str):
        if isinstance(received, bytes):
            return "answers a text with a binary message: pass a str to send."
        return "sends a text back as it came." if received == sent else "does not send the right answer."
    if isinstance(received, str):
        return "answers a binary message with a text: pass the bytes to send as they are."
    return "changes a binary message: only texts are answered in capitals."


def _gave(answer: Any) -> bool:
    """Tell whether a handler returned something."""
    return any(value is not None for value in answer.values)


async def _is_over(websocket: ClientConnection) -> bool:
    """Tell whether a handler has ended already, while nobody has sent it anything."""
    try:
        await asyncio.wait_for(await websocket.ping(), PATIENCE)
    except ConnectionClosed:
        return True
    except TimeoutError:
        pass
    return False


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


async def _shout_by_return(websocket: ServerConnection) -> Any:
    async for message in websocket:
        return message.upper()


async def _shout_texts_only(websocket: ServerConnection) -> None:
    async for message in websocket:
        if isinstance(message, str):
            await websocket.send(message.upper())


async def _shout_twice(websocket: ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message.upper())
        await websocket.send(message.upper())


async def _swap_case(websocket: ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message.swapcase())


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
        Mistake(_shout_once, "ends after one message"),
        Mistake(_shout_all, "changes a binary message"),
        Mistake(_shout_bytes, "answers a binary message with a text"),
        Mistake(_shout_by_return, "ends with return"),
        Mistake(_shout_texts_only, "does not answer a binary message"),
        Mistake(_shout_twice, "answers a message more than once"),
        Mistake(_swap_case, "does not send the right answer"),
    ),
    why="What you pass to send decides the opcode: str makes a text frame, bytes a binary one.",
    bound=5.0,
    acts=True,
)


# -- who is there -------------------------------------------------------------------------------------------


async def _judge_who_is_there(answer: Any) -> Fault | None:
    there: set[Any] = set()
    ends: dict[Any, asyncio.Event] = {}  # of the handler of each connection, in the order of their beginning

    async def handle(websocket: ServerConnection) -> None:
        ends[websocket] = asyncio.Event()
        try:
            await answer(websocket, there)
        finally:
            ends[websocket].set()

    async with (
        served(handle) as server,
        connect(server.uri, close_timeout=PATIENCE) as silent,
        connect(server.uri, close_timeout=PATIENCE) as first,
        connect(server.uri, close_timeout=PATIENCE) as second,
    ):
        if await _is_over(silent):
            return Fault("ends before a message has come.", idle=not there and not _gave(answer))
        return (
            await _judge_echoes(first, second)
            or _judge_set(there, list(ends))
            or await _judge_ends((silent, first, second), there, ends)
        )


async def _judge_echoes(first: ClientConnection, second: ClientConnection) -> Fault | None:
    for websocket, word in ((first, "a"), (second, "B"), *((first, word) for word in (b"\xff", "d", "e"))):
        received = await _ask(websocket, word)
        if received == word:
            continue
        sentence = "does not echo: each client gets its own messages back, and nothing else."
        nothing = f"nothing for {PATIENCE:g} seconds"
        if received is None and websocket.close_code is not None:
            sentence = "ends too early: a handler echoes until the connection is closed."
            nothing = "nothing, the connection was closed"
        shown = nothing if received is None else _shown(received)
        return Fault(sentence, (("sent", _shown(word)), ("received", shown), ("expected", _shown(word))))
    return None


def _judge_set(there: set[Any], connected: list[Any]) -> Fault | None:
    """Judge the set while three clients are connected, of which the first has not sent anything."""
    rows = (("in the set", str(len(there))), ("expected", str(len(connected))))
    if strange := [entry for entry in there if entry not in connected]:
        rows = (("in the set", show(strange[0])), ("expected", show(connected[0])))
        return Fault("puts something else into the set than the connection.", rows)
    if there == set(connected[1:]):
        return Fault("leaves out a client that is connected and has sent nothing yet.", rows)
    if not there:
        return Fault("leaves out who is connected: the set that it was given is empty.", rows)
    if there != set(connected):
        return Fault("leaves out who is connected.", rows)
    return None


async def _judge_ends(
    clients: tuple[ClientConnection, ...], there: set[Any], ends: dict[Any, asyncio.Event]
) -> Fault | None:
    """End one connection after the other, each in another way, and judge the set."""
    ways = ("closed with code 1000", "lost without a Close", "closed with code 4000")
    still_open, kept = set(ends), []
    for client, way, (connection, ended) in zip(clients, ways, ends.items(), strict=True):
        if way == "lost without a Close":
            client.transport.abort()
        else:
            await client.close(4000 if "4000" in way else 1000)
        try:
            await asyncio.wait_for(ended.wait(), PATIENCE)
        except TimeoutError:
            return Fault("goes on after its connection has ended.", (("it was", way),))
        still_open.discard(connection)
        if not still_open <= there:
            return Fault("takes out a connection that is still open.", (("another was", way),))
        kept += [way] if connection in there else []
    if len(kept) == len(ways):
        return Fault("never takes a connection out of the set.")
    if kept:
        return Fault("keeps connections that have ended.", (("those", "; ".join(kept)),))
    return Fault("leaves something else in the set.", (("there", show(list(there))),)) if there else None


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


async def _discard_after_exceptions(websocket: ServerConnection, there: set[Any]) -> None:
    try:
        await _never_discard(websocket, there)
    except ConnectionClosed:
        there.discard(websocket)


async def _add_with_the_first_message(websocket: ServerConnection, there: set[Any]) -> None:
    try:
        async for message in websocket:
            there.add(websocket)
            await websocket.send(message)
    finally:
        there.discard(websocket)


async def _add_an_id(websocket: ServerConnection, there: set[Any]) -> None:
    there.add(websocket.id)
    try:
        await _only_echo(websocket, there)
    finally:
        there.discard(websocket.id)


async def _clear_at_the_end(websocket: ServerConnection, there: set[Any]) -> None:
    try:
        await _never_discard(websocket, there)
    finally:
        there.clear()


async def _echo_once(websocket: ServerConnection, there: set[Any]) -> None:
    there.add(websocket)
    await websocket.send(await websocket.recv())
    there.discard(websocket)


async def _echo_to_all(websocket: ServerConnection, there: set[Any]) -> None:
    there.add(websocket)
    async for message in websocket:
        for each in there:
            await each.send(message)


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
        Mistake(_never_discard, "never takes a connection out"),
        Mistake(_discard_at_the_end, "lost without a Close; closed with code 4000"),
        Mistake(_discard_after_exceptions, "keeps connections that have ended"),
        Mistake(_only_echo, "leaves out who is connected"),
        Mistake(_add_with_the_first_message, "has sent nothing yet"),
        Mistake(_add_an_id, "puts something else into the set"),
        Mistake(_clear_at_the_end, "takes out a connection that is still open"),
        Mistake(_echo_once, "ends too early"),
        Mistake(_echo_to_all, "each client gets its own messages back"),
    ),
    why="A set that only grows is a leak, and a chat that sends to it talks to the dead.",
    bound=8.0,
    acts=True,
)
