"""Attempts at the exercises of lesson 07, the chat."""

import asyncio
import json
from typing import Any

from websockets.asyncio.client import connect

from tests.support.attempts import Right, Wrong
from wslab.lessons.chat import right
from wslab.lessons.chat.exercises import _MESSAGES, REFUSE

__all__ = ["RIGHT", "WRONG"]

LIMITS = {"join": {"name": 40, "room": 40}, "say": {"text": 500}}


# -- refuse -------------------------------------------------------------------------------------------------


def the_text_first(message: Any) -> str | None:
    """Look at the text before the type."""
    if right.refuse(message) != "unknown-type":
        return right.refuse(message)
    text = json.loads(message).get("text")
    return "unknown-type" if text and len(text) <= 500 else "bad-field" if not text else "too-long"


def only_whether_it_is_there(message: Any) -> str | None:
    """Ask whether a field is there, not what it is."""
    fields = json.loads(message) if right.refuse(message) == "bad-field" else {}
    limits = LIMITS.get(fields.get("type", ""), {})
    return None if limits and all(map(fields.get, limits)) else right.refuse(message)


def any_json(message: Any) -> str | None:
    """Take every JSON value for an object."""
    try:
        fields = json.loads(message)
    except (ValueError, RecursionError):
        return "not-json"
    return right.refuse(message) if isinstance(fields, dict) else "unknown-type"


def say_alone(message: Any) -> str | None:
    """Refuse every join."""
    code = right.refuse(message)
    return "unknown-type" if code != "not-json" and json.loads(message).get("type") == "join" else code


def every_join(message: Any) -> str | None:
    code = right.refuse(message)
    return None if code != "not-json" and json.loads(message).get("type") == "join" else code


def crashes_on_brackets(message: Any) -> str | None:
    try:
        json.loads(message)
    except ValueError:
        return "not-json"
    return right.refuse(message)


def crashes_on_too_many_digits(message: Any) -> str | None:
    try:
        fields = json.loads(message) if isinstance(message, str) else None
    except (json.JSONDecodeError, RecursionError):
        return "not-json"
    return right.refuse(message) if isinstance(fields, dict) else "not-json"


def crashes_on_a_list_as_type(message: Any) -> str | None:
    code = right.refuse(message)
    if code != "not-json" and json.loads(message).get("type") not in LIMITS:
        return "unknown-type"
    return code


def takes_bytes(message: Any) -> str | None:
    return right.refuse(message.decode() if isinstance(message, bytes) else message)


def forgets_the_room(message: Any) -> str | None:
    code = right.refuse(message)
    if code in ("bad-field", "too-long"):
        fields = json.loads(message)
        if fields["type"] == "join":
            return right.refuse(json.dumps({**fields, "room": "tea"}))
    return code


def knows_the_cases(message: Any) -> str | None:
    """Answer the fixed calls from a table."""
    return {each: right.refuse(each) for each in _MESSAGES}.get(message)


def too_long_first(message: Any) -> str | None:
    code = right.refuse(message)
    if code == "bad-field":
        fields = json.loads(message)
        limits = LIMITS[fields["type"]]
        if any(isinstance(fields.get(key), str) and len(fields[key]) > most for key, most in limits.items()):
            return "too-long"
    return code


def by_match(message: Any) -> str | None:
    try:
        fields: Any = json.loads(message) if isinstance(message, str) else []
    except (ValueError, RecursionError):
        return "not-json"
    match fields:
        case {"type": "say"}:
            values, limit = [fields.get("text")], 500
        case {"type": "join"}:
            values, limit = [fields.get("name"), fields.get("room")], 40
        case dict():
            return "unknown-type"
        case _:
            return "not-json"
    if any(type(value) is not str or value == "" for value in values):
        return "bad-field"
    return "too-long" if max(map(len, values)) > limit else None


def by_ifs(message: Any) -> str | None:
    if not isinstance(message, str):
        return "not-json"
    try:
        fields = json.loads(message)
    except Exception:
        return "not-json"
    if type(fields) is not dict:
        return "not-json"
    kind = fields.get("type", "")
    if kind == "say":
        text = fields.get("text")
        if not isinstance(text, str) or len(text) == 0:
            return "bad-field"
        if len(text) > 500:
            return "too-long"
    elif kind == "join":
        for key in ("name", "room"):
            if not isinstance(fields.get(key), str) or len(fields[key]) == 0:
                return "bad-field"
        if len(fields["name"]) > 40 or len(fields["room"]) > 40:
            return "too-long"
    else:
        return "unknown-type"
    return None


def by_exceptions(message: Any) -> str | None:
    try:
        assert isinstance(message, str)
        fields = dict.copy(json.loads(message))
    except (AssertionError, TypeError, ValueError, RecursionError):
        return "not-json"
    if str(fields.get("type")) not in LIMITS or not isinstance(fields["type"], str):
        return "unknown-type"
    limits = LIMITS[fields["type"]]
    try:
        lengths = {key: len((str.strip(fields[key]) and fields[key]) or fields[key]) for key in limits}
    except (KeyError, TypeError):
        return "bad-field"
    if 0 in lengths.values():
        return "bad-field"
    return "too-long" if any(lengths[key] > limits[key] for key in limits) else None


# -- too fast -----------------------------------------------------------------------------------------------


def by_a_loop(times: list[float], now: float) -> bool:
    found = 0
    for moment in reversed(times):
        if now - moment >= 1:
            break
        found += 1
    return found >= 3


# -- offer --------------------------------------------------------------------------------------------------


def drops_the_newest(queue: asyncio.Queue[str], message: str) -> int:
    if queue.full():
        return 1
    queue.put_nowait(message)
    return 0


def drops_everything(queue: asyncio.Queue[str], message: str) -> int:
    dropped = queue.qsize() if queue.full() else 0
    for _ in range(dropped):
        queue.get_nowait()
    queue.put_nowait(message)
    return dropped


def awaits_nothing(queue: asyncio.Queue[str], message: str) -> int:
    queue.put(message).close()
    return 0


def counts_nothing(queue: asyncio.Queue[str], message: str) -> int:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(message)
    return 0


def returns_nothing(queue: asyncio.Queue[str], message: str) -> None:
    right.offer(queue, message)


def knows_three(queue: asyncio.Queue[str], message: str) -> int:
    dropped = int(queue.qsize() == 3)
    if dropped:
        queue.get_nowait()
    queue.put_nowait(message)
    return dropped


def counts_what_is_left(queue: asyncio.Queue[str], message: str) -> int:
    right.offer(queue, message)
    return queue.qsize()


def never_looks(queue: asyncio.Queue[str], message: str) -> int:
    queue.put_nowait(message)
    return 0


def by_exception(queue: asyncio.Queue[str], message: str) -> int:
    try:
        queue.put_nowait(message)
    except asyncio.QueueFull:
        queue.get_nowait()
        queue.put_nowait(message)
        return 1
    return 0


def by_while(queue: asyncio.Queue[str], message: str) -> int:
    dropped = 0
    while queue.qsize() >= queue.maxsize:
        queue.get_nowait()
        dropped += 1
    queue.put_nowait(message)
    return dropped


def by_bool(queue: asyncio.Queue[str], message: str) -> bool:
    if full := queue.full():
        queue.get_nowait()
    queue.put_nowait(message)
    return full


# -- greeter ------------------------------------------------------------------------------------------------


def join(name: str, room: str) -> str:
    return json.dumps({"type": "join", "name": name, "room": room})


def say(text: str) -> str:
    return json.dumps({"type": "say", "text": text})


async def greets_everyone(uri: str, name: str, room: str) -> str:
    async with connect(uri) as websocket:
        await websocket.send(join(name, room))
        first = json.loads(await websocket.recv())["members"][0]
        await websocket.send(say(f"Hello, {first}"))
        return str(first)


async def greets_the_speaker(uri: str, name: str, room: str) -> str:
    async with connect(uri) as websocket:
        await websocket.send(join(name, room))
        await websocket.recv()
        someone = json.loads(await websocket.recv())["name"]
        await websocket.send(say(f"Hello, {someone}"))
        return str(someone)


async def looks_for_the_word(uri: str, name: str, room: str) -> str | None:
    async with connect(uri) as websocket:
        await websocket.send(join(name, room))
        async for message in websocket:
            fields = json.loads(message)
            if "joined" in str(message) and "name" in fields:
                await websocket.send(say(f"Hello, {fields['name']}"))
                return str(fields["name"])
    return None


async def looks_for_the_type_anywhere(uri: str, name: str, room: str) -> str | None:
    async with connect(uri) as websocket:
        await websocket.send(join(name, room))
        async for message in websocket:
            if '"joined"' in str(message):
                newcomer = str(json.loads(message)["name"])
                await websocket.send(say(f"Hello, {newcomer}"))
                return newcomer
    return None


async def greets_anyone_else(uri: str, name: str, room: str) -> str | None:
    async with connect(uri) as websocket:
        await websocket.send(join(name, room))
        async for message in websocket:
            fields = json.loads(message)
            if fields["name"] != name:
                await websocket.send(say(f"Hello, {fields['name']}"))
                return str(fields["name"])
    return None


async def forgets_to_join(uri: str, name: str, room: str) -> str:
    async with connect(uri) as websocket:
        await websocket.send(say("Hello, Cy"))
        return "Cy"


async def forgets_to_return(uri: str, name: str, room: str) -> bool:
    return bool(await right.greeter(uri, name, room))


async def joins_elsewhere(uri: str, name: str, room: str) -> str | None:
    return await right.greeter(uri, name, "tea")


async def waits_for_a_join(uri: str, name: str, room: str) -> str | None:
    async with connect(uri) as websocket:
        await websocket.send(join(name, room))
        async for message in websocket:
            fields = json.loads(message)
            if fields["type"] == "join":
                await websocket.send(say(f"Hello, {fields['name']}"))
                return str(fields["name"])
    return None


async def greets_forever(uri: str, name: str, room: str) -> None:
    async with connect(uri) as websocket:
        await websocket.send(join(name, room))
        async for message in websocket:
            fields = json.loads(message)
            if fields["type"] == "joined":
                await websocket.send(say(f"Hello, {fields['name']}"))


async def knows_the_guest(uri: str, name: str, room: str) -> str:
    await right.greeter(uri, name, room)
    return "Cy"


async def speaks_plain_text(uri: str, name: str, room: str) -> str | None:
    async with connect(uri) as websocket:
        await websocket.send(join(name, room))
        async for message in websocket:
            fields = json.loads(message)
            if fields["type"] == "joined":
                await websocket.send(f"Hello, {fields['name']}")
                return str(fields["name"])
    return None


async def writes_json_by_hand(uri: str, name: str, room: str) -> str | None:
    async with connect(uri) as websocket:
        await websocket.send(join(name, room))
        async for message in websocket:
            fields = json.loads(message)
            if fields["type"] == "joined":
                await websocket.send('{"type": "say", "text": "Hello, ' + fields["name"] + '"}')
                return str(fields["name"])
    return None


async def only_joins(uri: str, name: str, room: str) -> None:
    async with connect(uri) as websocket:
        await websocket.send(join(name, room))


async def with_recv(uri: str, name: str, room: str) -> str:
    websocket = await connect(uri)
    try:
        await websocket.send(join(name, room))
        while (fields := json.loads(await websocket.recv()))["type"] != "joined":
            pass
        await websocket.send(say("Hello, " + fields["name"]))
        return str(fields["name"])
    finally:
        await websocket.close()


async def with_match(uri: str, name: str, room: str) -> str | None:
    async with connect(uri) as websocket:
        await websocket.send(join(name, room))
        async for message in websocket:
            match json.loads(message):
                case {"type": "joined", "name": str() as newcomer}:
                    await websocket.send(json.dumps({"text": f"Hello, {newcomer}", "type": "say"}))
                    return newcomer
    return None


async def names_first(uri: str, name: str, room: str) -> str | None:
    async with connect(uri) as websocket:
        await websocket.send(join(name, room))
        async for message in websocket:
            fields = json.loads(message)
            kind, newcomer = fields["type"], str(fields["name"])
            if kind == "joined":
                await websocket.send(say(f"Hello, {newcomer}"))
                return newcomer
    return None


async def without_closing(uri: str, name: str, room: str) -> str:
    websocket = await connect(uri)
    await websocket.send(join(name, room))
    async for message in websocket:
        fields = json.loads(message)
        if fields.get("type") == "joined":
            break
    await websocket.send(say(f"Hello, {fields['name']}"))
    return str(fields["name"])


WRONG = [
    Wrong("refuse", lambda message: None, state="not yet"),
    *(Wrong("refuse", mistake, sentence) for sentence, mistake in REFUSE.mistakes.items()),
    Wrong("refuse", the_text_first),
    Wrong("refuse", every_join),
    Wrong("refuse", only_whether_it_is_there, "returned None"),
    Wrong("refuse", any_json, "returned the wrong value"),
    Wrong("refuse", say_alone, "returned"),
    Wrong("refuse", crashes_on_brackets, "raised an exception"),
    Wrong("refuse", crashes_on_too_many_digits, "raised an exception"),
    Wrong("refuse", crashes_on_a_list_as_type, "raised an exception"),
    Wrong("refuse", takes_bytes),
    Wrong("refuse", forgets_the_room),
    Wrong("refuse", knows_the_cases),
    Wrong("refuse", too_long_first),
    Wrong("too-fast", lambda times, now: None, state="not yet"),
    Wrong("too-fast", lambda times, now: sum(now - each <= 1 for each in times) >= 3, "Exactly one second"),
    Wrong("too-fast", lambda times, now: len(times) >= 3 and now - times[0] < 1, "look at each"),
    Wrong("too-fast", lambda times, now: len(times) >= 3, "no longer counts"),
    Wrong(
        "too-fast", lambda times, now: sum(int(each) == int(now) for each in times) >= 3, "Compare the age"
    ),
    Wrong("too-fast", lambda times, now: bool(times) and now - times[-1] < 1, "count them"),
    Wrong("too-fast", lambda times, now: sum(now - each < 1 for each in times) > 3, "is the fourth"),
    Wrong("too-fast", lambda times, now: now - times[-3] < 1, "raised an exception"),
    Wrong("drop-oldest", lambda queue, message: None, state="not yet"),
    Wrong("drop-oldest", drops_the_newest, "dropped the newest"),
    Wrong("drop-oldest", drops_everything, "left the wrong messages"),
    Wrong("drop-oldest", awaits_nothing, "put nothing"),
    Wrong("drop-oldest", counts_nothing, "how many messages it dropped"),
    Wrong("drop-oldest", returns_nothing, "how many messages it dropped"),
    Wrong("drop-oldest", knows_three, "raised an exception"),
    Wrong("drop-oldest", counts_what_is_left, "how many messages it dropped"),
    Wrong("drop-oldest", never_looks, "raised an exception"),
    Wrong("greeter", greets_everyone, "did not just join"),
    Wrong("greeter", greets_the_speaker, "did not just join"),
    Wrong("greeter", looks_for_the_word, "did not just join"),
    Wrong("greeter", looks_for_the_type_anywhere, "did not just join"),
    Wrong("greeter", greets_anyone_else, "did not just join"),
    Wrong("greeter", forgets_to_join, "did not join the room first"),
    Wrong("greeter", joins_elsewhere, "did not join the room first"),
    Wrong("greeter", waits_for_a_join, "A client asks with join. The server reports with joined."),
    Wrong("greeter", greets_forever, "spoke again"),
    Wrong("greeter", forgets_to_return, "did not return the name"),
    Wrong("greeter", knows_the_guest, "did not return the name"),
    Wrong("greeter", speaks_plain_text, "refuses: not-json"),
    Wrong("greeter", writes_json_by_hand, "refuses: not-json"),
    Wrong("greeter", only_joins, "Read message after message"),
]

RIGHT = [
    Right("refuse", by_match),
    Right("refuse", by_ifs),
    Right("refuse", by_exceptions),
    Right("too-fast", by_a_loop),
    Right("too-fast", lambda times, now: len([each for each in times if each > now - 1]) >= 3),
    Right("too-fast", lambda times, now: len(times) >= 3 and now - sorted(times)[-3] < 1),
    Right("drop-oldest", by_exception),
    Right("drop-oldest", by_while),
    Right("drop-oldest", by_bool),
    Right("greeter", with_recv),
    Right("greeter", with_match),
    Right("greeter", names_first),
    Right("greeter", without_closing),
]
