"""What a chat and its clients say to each other: JSON objects in text messages, read with suspicion.

``read`` turns a message of a client into a ``Join`` or a ``Say``, or raises ``Refusal``, which knows what the
sender is told. The functions build the messages of the server. ``pages/README.md`` has the protocol, which is
the same for the page, the bots and the lesson.

A WebSocket message arrives whole or not at all (RFC 6455 §5.4), so more bytes are never needed here. Who is
in which room, and who speaks too fast, is left to ``chat``. Nothing is escaped: a name that holds markup is a
name, and harmless wherever it is put in as text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "MAX_NAME",
    "MAX_TEXT",
    "Join",
    "Refusal",
    "Say",
    "encode",
    "joined",
    "left",
    "read",
    "said",
    "welcome",
]

MAX_NAME = 40  # characters of a name, of a person or a room
MAX_TEXT = 500  # characters of what is said


class Refusal(Exception):
    """Refuse a message of a client, and know what to tell its sender.

    Args:
        code: for programs, such as "not-json".
        sentence: for people.

    >>> Refusal("not-json", "This is not JSON.").message
    '{"type": "error", "code": "not-json", "sentence": "This is not JSON."}'
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence

    @property
    def message(self) -> str:
        """The message for the sender."""
        return encode("error", code=self.code, sentence=self.sentence)


@dataclass(frozen=True, slots=True)
class Join:
    """Ask to come into a room under a name."""

    name: str
    room: str


@dataclass(frozen=True, slots=True)
class Say:
    """Ask to tell a text to everybody in the room."""

    text: str


def read(message: str | bytes) -> Join | Say:
    """Read what a client sent.

    Args:
        message: as it arrived: a str from a text message, bytes from a binary one.

    Raises:
        Refusal: with one of the codes not-json, unknown-type, bad-field, too-long.

    >>> read('{"type": "say", "text": "Hello"}')
    Say(text='Hello')
    >>> read('{"type": "say"}')
    Traceback (most recent call last):
    wslab.lessons.chat.messages.Refusal: The field 'text' must be a text that is not empty.
    """
    try:
        fields = json.loads(message) if isinstance(message, str) else None
    except (ValueError, RecursionError):  # the latter: brackets, nested a thousand times
        fields = None
    if not isinstance(fields, dict):
        raise Refusal("not-json", "A message is text that holds one JSON object.")
    match fields.get("type"):
        case "join":
            return Join(_text(fields, "name", MAX_NAME), _text(fields, "room", MAX_NAME))
        case "say":
            return Say(_text(fields, "text", MAX_TEXT))
        case _:
            raise Refusal("unknown-type", "The type of a message is 'join' or 'say'.")


def _text(fields: dict[str, Any], key: str, limit: int) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value.strip():
        raise Refusal("bad-field", f"The field {key!r} must be a text that is not empty.")
    if len(value) > limit:
        raise Refusal("too-long", f"The field {key!r} may have {limit} characters, not {len(value)}.")
    return value.strip()


def encode(kind: str, **fields: object) -> str:
    """Write a message of the server.

    >>> encode("left", name="Bob")
    '{"type": "left", "name": "Bob"}'
    """
    # JSON may escape half of a surrogate pair, UTF-8 has no bytes for it (RFC 3629 §3): it stays escaped.
    return json.dumps({"type": kind, **fields})


def welcome(name: str, room: str, members: Iterable[str], history: Iterable[dict[str, Any]]) -> str:
    """Write the answer to ``join``."""
    return encode("welcome", name=name, room=room, members=list(members), history=list(history))


def joined(name: str) -> str:
    """Write that somebody came in."""
    return encode("joined", name=name)


def left(name: str) -> str:
    """Write that somebody has gone."""
    return encode("left", name=name)


def said(name: str, text: str, at: float) -> dict[str, Any]:
    """Return what was said as the history keeps it.

    Args:
        name: who said it.
        text: what.
        at: when, in seconds since 1970.
    """
    return {"type": "said", "name": name, "text": text, "at": at}
