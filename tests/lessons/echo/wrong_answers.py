"""Attempts at the exercises of lesson 05: wrong ones with the words that each must be told; right ones."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from websockets.exceptions import ConnectionClosed, ConnectionClosedOK

from tests.support.attempts import Right, Wrong
from wslab.close import encode_close
from wslab.frames import Frame, Opcode, encode_frame
from wslab.lessons.echo import right
from wslab.lessons.echo.exercises import ARRIVALS

# -- what-arrives -------------------------------------------------------------------------------------------

NOT_SET, AS_BYTES = "binary frame, binaryType not set", "text, sent back as bytes, binaryType not set"
JSON = "JSON of a dictionary in a text frame"

ARRIVING = [
    Wrong("what-arrives", ARRIVALS | {AS_BYTES: "string"}, "opcode of a binary message"),
    Wrong("what-arrives", ARRIVALS | {JSON: "object"}, "calls JSON.parse(event.data)"),
    Wrong("what-arrives", ARRIVALS | {NOT_SET: "ArrayBuffer"}, "the default, a Blob"),
    Wrong("what-arrives", ARRIVALS | {"text frame": "Blob"}, "'text frame' is wrong"),
    Wrong("what-arrives", ARRIVALS | {"text frame": "str"}, "'text frame' is wrong"),
    Wrong("what-arrives", ARRIVALS | {"text frame": "string "}, "'text frame' is wrong"),
    Wrong("what-arrives", ARRIVALS | {"text frame": b"string"}, "'text frame' is wrong"),
    Wrong("what-arrives", {"text frame": "string"}, "is missing in your answer"),
    Wrong("what-arrives", ARRIVALS | {"ping": "string"}, "There is no arrival 'ping'"),
    Wrong("what-arrives", ["string"], "of type list, not a dict"),
    Wrong("what-arrives", dict.fromkeys(ARRIVALS, "Blob"), "'text frame' is wrong"),
    Wrong("what-arrives", ARRIVALS | {NOT_SET: ...}, "Still to fill in", "not yet"),
]

# -- answer-a-frame -----------------------------------------------------------------------------------------


def replaced(opcode: Opcode, wrong: Any) -> Any:
    """Return the right function with another answer to frames of one opcode."""
    return lambda frame: wrong(frame) if frame.opcode is opcode else right.answer(frame)


def on_the_fixed_calls(frame: Frame) -> Frame | None:
    known = {b"Hello", b"7", b"Hel", b"lo", b"\x00\xff", b"\x03\xe8", b"", b"l"}
    return right.answer(frame) if frame.payload in known else None


FRAMES = [
    Wrong("answer-a-frame", replaced(Opcode.PING, lambda frame: frame), "answered with a pong"),
    Wrong(
        "answer-a-frame", replaced(Opcode.PING, lambda _: Frame(Opcode.PONG)), "has the payload of the ping"
    ),
    Wrong("answer-a-frame", lambda frame: right.answer(frame._replace(fin=True)), "FIN is lost"),
    Wrong("answer-a-frame", replaced(Opcode.PONG, lambda frame: frame), "A pong is not answered"),
    Wrong("answer-a-frame", replaced(Opcode.CLOSE, lambda _: Frame(Opcode.CLOSE)), "Send the code back"),
    Wrong(
        "answer-a-frame",
        lambda frame: frame if frame == Frame(Opcode.TEXT, b"Hello") else None,
        "returned None, not Frame",
    ),
    Wrong("answer-a-frame", lambda frame: Frame(Opcode.PONG, frame.payload), "Only a ping"),
    Wrong("answer-a-frame", encode_frame, "Return the frame itself"),
    Wrong("answer-a-frame", lambda frame: frame.payload, "the whole frame"),
    Wrong(
        "answer-a-frame", lambda frame: (reply := right.answer(frame)) and tuple(reply), "tuple, not Frame"
    ),
    Wrong("answer-a-frame", lambda frame: None, "Write the function", "not yet"),
    Wrong("answer-a-frame", replaced(Opcode.CLOSE, lambda _: None), "answered with a Close"),
    Wrong("answer-a-frame", replaced(Opcode.CONTINUATION, lambda _: None), "goes back, too"),
    Wrong(
        "answer-a-frame",
        replaced(Opcode.CLOSE, lambda _: Frame(Opcode.CLOSE, encode_close(1000))),
        "returned the wrong value",
    ),
    Wrong("answer-a-frame", on_the_fixed_calls, "returned None, not Frame"),
    Wrong("answer-a-frame", lambda frame: Frame(frame.opcode, frame.payload), "answered with a pong"),
]


def by_match(frame: Frame) -> Frame | None:
    match frame.opcode:
        case Opcode.PING:
            return Frame(Opcode.PONG, frame.payload)
        case Opcode.PONG:
            return None
    return frame


def with_the_code_only(frame: Frame) -> Frame | None:
    if frame.opcode == Opcode.CLOSE:
        return Frame(Opcode.CLOSE, frame.payload[:2])
    if int(frame.opcode) == 0xA:
        return None
    return frame._replace(opcode=Opcode.PONG) if int(frame.opcode) == 9 else frame


def by_name(frame: Frame) -> Frame | None:
    if frame.opcode.name == "PING":
        return Frame(opcode=Opcode.PONG, payload=bytes(frame.payload))
    return Frame(*frame) if frame.opcode.name != "PONG" else None


# -- shout --------------------------------------------------------------------------------------------------


async def shout_once(websocket: Any) -> None:
    message = await websocket.recv()
    await websocket.send(message.upper())


async def shout_all(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message.upper())


async def shout_bytes(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message.upper() if isinstance(message, str) else str(message))


async def shout_decoded(websocket: Any) -> None:
    async for message in websocket:
        text = message if isinstance(message, str) else message.decode(errors="replace")
        await websocket.send(text.upper())


async def shout_encoded(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message.upper().encode() if isinstance(message, str) else message)


async def shout_by_return(websocket: Any) -> Any:
    async for message in websocket:
        return message.upper()


async def shout_texts_only(websocket: Any) -> None:
    async for message in websocket:
        if isinstance(message, str):
            await websocket.send(message.upper())


async def shout_twice(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message.upper())
        await websocket.send(message.upper())


async def swap_case(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message.swapcase())


async def echo(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message)


async def shout_good_bye(websocket: Any) -> None:
    await shout(websocket)
    await websocket.send("BYE")


async def hello_alone(websocket: Any) -> None:
    await websocket.send("HELLO")


async def greet_and_shout(websocket: Any) -> None:
    await websocket.send("Welcome")
    await shout(websocket)


async def shout_by_recv_alone(websocket: Any) -> None:
    while True:
        message = await websocket.recv()
        await websocket.send(message.upper() if isinstance(message, str) else message)


async def shout_the_known(websocket: Any) -> None:
    known = {"Hello": "HELLO", "ß": "SS", "": ""}
    async for message in websocket:
        await websocket.send(known.get(message, message))


async def shout_in_tasks(websocket: Any) -> None:
    tasks = set()
    async for message in websocket:
        answer = message.upper() if isinstance(message, str) else message
        tasks.add(asyncio.create_task(websocket.send(answer)))


async def shout_bare(websocket: Any) -> None:
    async for message in websocket:
        answer = message.upper() if isinstance(message, str) else message
        asyncio.create_task(websocket.send(answer))  # noqa: RUF006


async def shout_first_letter(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message.capitalize() if isinstance(message, str) else message)


async def turn(*_: Any) -> None:
    while True:
        await asyncio.sleep(0)


async def no_await(websocket: Any) -> None:
    while True:
        message = websocket.recv()
        await websocket.send(message.upper())


async def nothing(*_: Any) -> None: ...


SHOUTING = [
    Wrong("shout", shout_once, "ended after one message"),
    Wrong("shout", shout_bare, "in a task that nobody awaits"),
    Wrong("shout", shout_in_tasks, "in a task that nobody awaits"),
    Wrong("shout", shout_all, "changed a binary message"),
    Wrong("shout", shout_bytes, "answered a binary message with a text"),
    Wrong("shout", shout_decoded, "answered a binary message with a text"),
    Wrong("shout", shout_encoded, "answered a text with a binary message"),
    Wrong("shout", shout_by_return, "ended with return"),
    Wrong("shout", shout_texts_only, "did not answer a binary message"),
    Wrong("shout", shout_twice, "answered a message more than once"),
    Wrong("shout", swap_case, "did not send the text in capitals"),
    Wrong("shout", shout_first_letter, "sent a text back as it came"),
    Wrong("shout", shout_the_known, "sent a text back as it came"),
    Wrong("shout", echo, "sent a text back as it came"),
    Wrong("shout", shout_good_bye, "recv() and send() raise"),
    Wrong("shout", hello_alone, "sent a message that answers nothing"),
    Wrong("shout", greet_and_shout, "sent a message that answers nothing"),
    Wrong("shout", shout_by_recv_alone, "async for ends by itself"),
    Wrong("shout", turn, "did not answer a text message"),
    Wrong("shout", no_await, "An await is missing."),
    Wrong("shout", lambda *args: None, "Write async def"),
    Wrong("shout", nothing, "does nothing yet", "not yet"),
]


async def shout(websocket: Any) -> None:
    async for message in websocket:
        if isinstance(message, bytes):
            await websocket.send(message)
            continue
        await websocket.send(message.upper())


async def shout_until_closed(websocket: Any) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            message = await websocket.recv()
            await websocket.send(message.upper() if isinstance(message, str) else message)


async def shout_by_task(websocket: Any) -> None:
    async for message in websocket:
        answer = message.upper() if isinstance(message, str) else message
        await asyncio.create_task(websocket.send(answer))


async def shout_by_try(websocket: Any) -> None:
    async for message in websocket:
        try:
            message.encode()
        except AttributeError:
            await websocket.send(message)
        else:
            await websocket.send("".join(letter.upper() for letter in message))


# -- who-is-there -------------------------------------------------------------------------------------------


async def never_discard(websocket: Any, there: set[Any]) -> None:
    there.add(websocket)
    await echo(websocket)


async def discard_at_the_end(websocket: Any, there: set[Any]) -> None:
    await never_discard(websocket, there)
    there.discard(websocket)


async def only_echo(websocket: Any, there: set[Any]) -> None:
    await echo(websocket)


async def discard_after_exceptions(websocket: Any, there: set[Any]) -> None:
    try:
        await never_discard(websocket, there)
    except ConnectionClosed:
        there.discard(websocket)


async def add_with_the_first_message(websocket: Any, there: set[Any]) -> None:
    try:
        async for message in websocket:
            there.add(websocket)
            await websocket.send(message)
    finally:
        there.discard(websocket)


async def add_an_id(websocket: Any, there: set[Any]) -> None:
    there.add(websocket.id)
    try:
        await echo(websocket)
    finally:
        there.discard(websocket.id)


async def clear_at_the_end(websocket: Any, there: set[Any]) -> None:
    try:
        await never_discard(websocket, there)
    finally:
        there.clear()


async def pop_at_the_end(websocket: Any, there: set[Any]) -> None:
    try:
        await never_discard(websocket, there)
    finally:
        there.pop()


async def echo_once(websocket: Any, there: set[Any]) -> None:
    there.add(websocket)
    await websocket.send(await websocket.recv())
    there.discard(websocket)


async def echo_to_all(websocket: Any, there: set[Any]) -> None:
    there.add(websocket)
    async for message in websocket:
        for each in there:
            await each.send(message)


async def only_the_latest(websocket: Any, there: set[Any]) -> None:
    there.clear()
    await never_discard(websocket, there)


async def recv_alone(websocket: Any, there: set[Any]) -> None:
    there.add(websocket)
    try:
        while True:
            await websocket.send(await websocket.recv())
    finally:
        there.discard(websocket)


async def a_set_of_its_own(websocket: Any, there: set[Any]) -> None:
    there = {websocket}
    await echo(websocket)
    there.discard(websocket)


WHO = [
    Wrong("who-is-there", never_discard, "never took a connection out"),
    Wrong("who-is-there", discard_at_the_end, "kept connections that have ended"),
    Wrong("who-is-there", discard_after_exceptions, "kept connections that have ended"),
    Wrong("who-is-there", only_echo, "left out everyone"),
    Wrong("who-is-there", a_set_of_its_own, "left out everyone"),
    Wrong("who-is-there", add_with_the_first_message, "has sent nothing yet"),
    Wrong("who-is-there", add_an_id, "something other than the connection"),
    Wrong("who-is-there", clear_at_the_end, "took out a connection that is still open"),
    Wrong("who-is-there", pop_at_the_end, "took out a connection that is still open"),
    Wrong("who-is-there", echo_once, "ended too early"),
    Wrong("who-is-there", echo_to_all, "Each client gets its own messages back"),
    Wrong("who-is-there", only_the_latest, "left out a client that is connected"),
    Wrong("who-is-there", recv_alone, "async for ends by itself"),
    Wrong("who-is-there", turn, "did not echo"),
    Wrong("who-is-there", lambda *args: None, "Write async def"),
    Wrong("who-is-there", nothing, "does nothing yet", "not yet"),
]


async def keep(websocket: Any, there: set[Any]) -> None:
    try:
        there.add(websocket)
        await echo(websocket)
    finally:
        there.remove(websocket)


async def keep_by_callback(websocket: Any, there: set[Any]) -> None:
    with contextlib.ExitStack() as stack:
        there.add(websocket)
        stack.callback(there.discard, websocket)
        with contextlib.suppress(ConnectionClosed):
            async for message in websocket:
                await websocket.send(message)


async def keep_until_closed(websocket: Any, there: set[Any]) -> None:
    there |= {websocket}
    try:
        while True:
            await websocket.send(await websocket.recv())
    except ConnectionClosedOK:
        pass
    finally:
        there -= {websocket}


WRONG = ARRIVING + FRAMES + SHOUTING + WHO
RIGHT = [
    *(Right("answer-a-frame", each) for each in (by_match, with_the_code_only, by_name)),
    *(Right("shout", each) for each in (shout, shout_until_closed, shout_by_try, shout_by_task)),
    *(Right("who-is-there", each) for each in (keep, keep_by_callback, keep_until_closed)),
]
