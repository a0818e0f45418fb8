"""The exercises of lesson 07, a chat: refuse what is no message, slow down, drop the oldest.

All three are functions over cases. Which messages are refused, and how, is asked of ``chat_messages``; a
message is one WebSocket message (RFC 6455 §5.6), so nothing here waits for more bytes. The last exercise, a
client, is in ``lesson07_bots``. The solutions stand in the notebook.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from wslab.lab.exercises.answer import show
from wslab.lab.exercises.exercise import Case, Exercise, Fault, Mistake, returns, same
from wslab.lessons.chat.messages import MAX_TEXT, Refusal, Say, read

__all__ = ["EXERCISES"]

LIMIT = 3  # messages in a second, in the exercise


# -- refuse -------------------------------------------------------------------------------------------------


def _code(message: str) -> str | None:
    """Ask the chat, and refuse what it lets in besides ``say``: the exercise has this type only."""
    try:
        return None if isinstance(read(message), Say) else "unknown-type"
    except Refusal as refusal:
        return refusal.code


_MESSAGES = (
    "Hello",
    '{"type":',
    '{"type": "say", "text": "Hello"}',
    '["say", "Hello"]',
    '{"type": "shout", "text": "Hello"}',
    '{"text": "Hello"}',
    '{"type": "shout"}',
    '{"type": "join", "name": "Ada", "room": "tea", "text": "Hello"}',
    json.dumps({"type": "shout", "text": "a" * (MAX_TEXT + 1)}),
    '{"type": "say"}',
    '{"type": "say", "text": 5}',
    '{"type": "say", "text": ""}',
    json.dumps({"type": "say", "text": "a" * (MAX_TEXT + 1)}),
    json.dumps({"type": "say", "text": "a" * MAX_TEXT}),
    json.dumps({"type": "say", "text": "ü" * MAX_TEXT}),
)


def _trust_the_type(message: str) -> str | None:
    """Look whether the field is there, not what it is."""
    code = _code(message)
    return None if code == "bad-field" and json.loads(message).get("text") else code


def _one_too_few(message: str) -> str | None:
    code = _code(message)
    return "too-long" if code is None and len(json.loads(message)["text"]) >= MAX_TEXT else code


def _any_json(message: str) -> str | None:
    """Take every JSON value for an object, and look into it only if it is one."""
    try:
        fields = json.loads(message)
    except ValueError:
        return "not-json"
    return _code(message) if isinstance(fields, dict) else "unknown-type"


def _the_text_first(message: str) -> str | None:
    """Look at the text before the type."""
    code = _code(message)
    if code != "unknown-type":
        return code
    text = json.loads(message).get("text")
    return code if text and len(text) <= MAX_TEXT else "bad-field" if not text else "too-long"


def _join_is_a_type(message: str) -> str | None:
    """Let in what the chat knows besides."""
    code = _code(message)
    return None if code == "unknown-type" and json.loads(message).get("type") == "join" else code


def _bytes_for_characters(message: str) -> str | None:
    code = _code(message)
    return "too-long" if code is None and len(json.loads(message)["text"].encode()) > MAX_TEXT else code


REFUSE = Exercise(
    name="refuse",
    lesson="07",
    title="Refuse what is no message",
    asks="my_refuse(message)",
    judge=returns(*(Case((message,), _code(message)) for message in _MESSAGES)),
    section="the table of codes above",
    hints=(
        "json.loads raises ValueError for what is not JSON. What it returns may also be a list or a number.",
        "Go through the codes in the order of the table, and return the first that applies.",
        'isinstance(fields.get("text"), str) is True only for a text that is there.',
    ),
    mistakes=(
        Mistake(_trust_the_type, "A field that is there may still be a number: ask for its type."),
        Mistake(_bytes_for_characters, "Characters count, not bytes: an ü is one character."),
        Mistake(_one_too_few, f"{MAX_TEXT} characters are allowed, {MAX_TEXT + 1} are too many."),
        Mistake(_any_json, "A list is JSON, and no message: a message is one JSON object."),
        Mistake(_the_text_first, "The first line that applies counts: the type comes before the text."),
        Mistake(_join_is_a_type, 'Here every type but "say" is unknown, "join" as well.'),
    ),
    why="Whatever is not refused here has to be expected everywhere behind it.",
)


# -- too fast -----------------------------------------------------------------------------------------------


def _all_of_them(times: list[float], now: float) -> bool:
    return len(times) >= LIMIT


def _by_the_clock(times: list[float], now: float) -> bool:
    return sum(int(each) == int(now) for each in times) >= LIMIT


def _the_last_only(times: list[float], now: float) -> bool:
    return bool(times) and now - times[-1] < 1


def _one_more(times: list[float], now: float) -> bool:
    return sum(now - each < 1 for each in times) > LIMIT


def _a_second_is_too_much(times: list[float], now: float) -> bool:
    return sum(now - each <= 1 for each in times) >= LIMIT


def _the_oldest_only(times: list[float], now: float) -> bool:
    return len(times) >= LIMIT and now - times[0] < 1


TOO_FAST = Exercise(
    name="too-fast",
    lesson="07",
    title="Notice who speaks too fast",
    asks="my_too_fast(times, now)",
    judge=returns(
        Case(([5.0, 5.25, 5.5], 5.75), True),
        Case(([], 5.0), False),
        Case(([5.0, 5.25], 5.5), False),
        Case(([1.0, 2.0, 5.0], 5.5), False),
        Case(([5.5, 5.75, 5.875], 6.25), True),
        Case(([5.0, 5.25, 5.5], 6.0), False),
        Case(([1.0, 5.0, 5.25, 5.5], 5.75), True),
    ),
    section="the question above",
    hints=(
        "For each of the times: is it less than one second ago?",
        f"sum(now - each < 1 for each in times) counts them. From {LIMIT} on, the new one is too many.",
    ),
    mistakes=(
        Mistake(_a_second_is_too_much, "Exactly one second ago is not less than one second."),
        Mistake(_the_oldest_only, "The oldest may be long ago, and three others new: look at each."),
        Mistake(_all_of_them, "What was said more than a second ago does not count any more."),
        Mistake(_by_the_clock, "The second is the one before now, wherever the clock's seconds begin."),
        Mistake(_the_last_only, "Two messages in a second are allowed: count, and compare with the limit."),
        Mistake(_one_more, f"With {LIMIT} in the last second, the new one would be one more than allowed."),
    ),
    why="A window that moves has no moment at which everything is allowed again.",
)


# -- drop the oldest ----------------------------------------------------------------------------------------

_OFFERED = ["one", "two", "three", "four", "five"]


class _Queue(asyncio.Queue[str]):
    """Hold messages, and show itself without an address."""

    def __repr__(self) -> str:
        return f"<queue with {self.qsize()} of {self.maxsize}>"


def _judge_offer(answer: Any) -> Fault | None:
    queue = _Queue(3)
    given = [answer(queue, message) for message in _OFFERED]
    kept = [queue.get_nowait() for _ in range(queue.qsize())]
    returned = [show(each) for each in given]
    rows = (
        ("offered", f"{', '.join(map(show, _OFFERED))} to a queue for 3"),
        ("kept", ", ".join(map(show, kept)) or "nothing"),
        ("returned", ", ".join(returned)),
    )
    if not kept:
        return Fault(
            "puts nothing into the queue. put_nowait puts at once; put has to be awaited.", rows, given
        )
    if kept == _OFFERED[:3]:
        return Fault("drops the newest message. Make room by taking the oldest one out.", rows, given)
    if kept != _OFFERED[2:]:
        return Fault("keeps the wrong messages: the newest must stay, in order.", rows, given)
    if not same(given, [0, 0, 0, 1, 1]):
        return Fault("returns the wrong number: how many messages did this call drop?", rows, given)
    return None


def _drop_the_newest(queue: asyncio.Queue[str], message: str) -> int:
    if queue.full():
        return 1
    queue.put_nowait(message)
    return 0


def _drop_everything(queue: asyncio.Queue[str], message: str) -> int:
    dropped = queue.qsize() if queue.full() else 0
    for _ in range(dropped):
        queue.get_nowait()
    queue.put_nowait(message)
    return dropped


def _await_nothing(queue: asyncio.Queue[str], message: str) -> int:
    queue.put(message).close()
    return 0


def _count_nothing(queue: asyncio.Queue[str], message: str) -> int:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(message)
    return 0


DROP_OLDEST = Exercise(
    name="drop-oldest",
    lesson="07",
    title="Drop the oldest message instead of the reader",
    asks="my_offer(queue, message)",
    judge=_judge_offer,
    section="the cell with the queues above",
    hints=(
        "queue.full() says whether there is room. Nothing may be awaited here: the speaker would wait.",
        "queue.get_nowait() takes the oldest message out, queue.put_nowait(message) puts one in.",
    ),
    mistakes=(
        Mistake(_drop_the_newest, "Make room by taking the oldest one out."),
        Mistake(_drop_everything, "the newest must stay, in order."),
        Mistake(_await_nothing, "puts nothing into the queue."),
        Mistake(_count_nothing, "how many messages did this call drop?"),
    ),
    why="Good for positions and prices, where the newest says it all. In a chat, somebody loses a sentence.",
)

EXERCISES = (REFUSE, TOO_FAST, DROP_OLDEST)
