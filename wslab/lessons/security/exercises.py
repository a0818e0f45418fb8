"""The exercises of lesson 08: whose page it is, a ticket, a bucket of tokens, the limit that answers."""

from __future__ import annotations

import random
from typing import Any

from wslab.lab.exercises.kinds import Fault, Function, Value, Watched, compare
from wslab.lessons.security import right

__all__ = ["EXERCISES"]

_HOME, _BELOW = "https://bank.example", "https://*.bank.example"


def _drawn_origin(source: random.Random) -> tuple[str | None, list[str | None]]:
    site = source.choice(["bank.example", "shop.example", "chat.example"])
    scheme = source.choice(["https", "https", "http"])
    begin = source.choice(["", "", "m.", "a.b.", "not", "m-"])
    end = source.choice(["", "", "", ":8443", ".evil.example"])
    allowed: list[str | None] = [f"https://{site}", f"https://*.{site}", None, "http://127.0.0.1:8000"]
    return f"{scheme}://{begin}{site}{end}", source.sample(allowed, source.randrange(1, 4))


def _lenient(origin: str | None, allowed: list[str | None], test: Any) -> bool:
    """Compare with a test in place of equality: what a shorter check lets through."""
    names = [each.replace("*.", "") for each in allowed if each]
    return right.origin_allowed(origin, allowed) or any(test(origin or "", name) for name in names)


ORIGIN = Function(
    name="origin-allowed",
    title="Let in the pages of your own sites only",
    asks="my_origin_allowed(origin, allowed)",
    right=right.origin_allowed,
    calls=[
        (_HOME, [_HOME]),
        ("https://evil.example", [_HOME]),
        ("https://notbank.example", [_HOME]),
        ("https://bank.example.evil.example", [_HOME]),
        ("https://bank.example:8443", [_HOME]),
        ("http://bank.example", [_HOME]),
        ("null", [_HOME]),
        (None, [_HOME]),
        (None, [_HOME, None]),
        ("https://m.bank.example", [_BELOW]),
        ("https://eu.m.bank.example", [None, _BELOW]),
        ("https://notbank.example", [_BELOW]),
        (_HOME, [_BELOW]),
        ("http://m.bank.example", [_BELOW]),
        ("https://m.bank.example:8443", [_BELOW]),
        ("https://m.bank.example.evil.example", [_BELOW]),
        (None, [_BELOW]),
    ],
    drawn=_drawn_origin,
    keeps=True,
    section="RFC 6455 §10.2",
    mistakes={
        "An attacker can register a name that only begins like yours. Compare the whole origin.": (
            lambda o, a: _lenient(o, a, lambda origin, name: origin.startswith(name))
        ),
        "A name that only contains yours can be an attacker's. Compare the whole origin.": (
            lambda o, a: _lenient(o, a, lambda origin, name: name.partition("://")[2] in origin)
        ),
        "No Origin is let in only where None is in the list.": (
            lambda o, a: o is None or right.origin_allowed(o, a)
        ),
        "*. stands for names below the domain. Handle it after the exact comparison.": lambda o, a: o in a,
        "Anyone on the network can write an http page in your name. Compare the scheme too.": (
            lambda o, a: _lenient(o, a, lambda origin, name: _BELOW in a and origin.endswith("." + name[8:]))
        ),
        "Another port is another origin, whose server can be another's.": (
            lambda o, a: right.origin_allowed(o and o.removesuffix(":8443"), a)
        ),
        "Keep the dot: notbank.example ends like bank.example, and is another's.": (
            lambda o, a: (
                right.origin_allowed(o, a) or any((o or "").endswith(e[10:]) for e in a if e and "*" in e)
            )
        ),
    },
    hints=(
        "First compare the whole origin with each entry. Scheme and port belong to it.",
        'Of an entry such as "https://*.bank.example", compare the scheme, then the end of the host.',
        'host.endswith(".bank.example"), with the dot, where scheme, _, host = origin.partition("://").',
    ),
    why="A browser does not let a page choose its Origin, so this line protects everyone who is logged in.",
)


class _Watching:
    """Notes whether a ticket was compared with ==, which stops at the first wrong character."""

    def __init__(self) -> None:
        self.seen = False

    def text(self, value: str) -> str:
        watching = self

        class Bytes(bytes):
            def __eq__(self, other: object) -> bool:
                watching.seen = True
                return bytes.__eq__(self, other)

            def __ne__(self, other: object) -> bool:
                watching.seen = True
                return bytes.__ne__(self, other)

            __hash__ = bytes.__hash__

        class Text(str):
            def __eq__(self, other: object) -> bool:
                watching.seen = True
                return str.__eq__(self, other)

            def __ne__(self, other: object) -> bool:
                watching.seen = True
                return str.__ne__(self, other)

            __hash__ = str.__hash__

            def encode(self, *args: Any, **words: Any) -> bytes:
                return Bytes(str.encode(self, *args, **words))

        return Text(value)


# What a client tries, one after the other: user, ticket, the time, and what the ticket is.
_TRIES = (
    ("ada", "4711", 10.0, "good"),
    ("ada", "4711", 11.0, "used already"),
    ("eve", "0815", 11.0, "Bob's"),
    ("bob", "0816", 11.0, "wrong"),
    ("bob", "µ815", 11.0, "wrong, and not ASCII"),
    ("bob", "", 11.0, "empty"),
    ("bob", "0815", 12.0, "good"),
    ("zoe", "", 12.0, "empty, and Zoe has none"),
    ("joe", "9999", 60.0, "good until 60.0, and it is 60.0"),
    ("joe", "9999", 59.0, "expired before"),
    ("sam", "1234", 29.9, "good until 30.0"),
)
_ISSUED = {"ada": ("4711", 30.0), "bob": ("0815", 30.0), "joe": ("9999", 60.0), "sam": ("1234", 30.0)}
_ASCII = "compare_digest takes texts of ASCII only, and a client may send any. Encode both."


def _judge_ticket(answer: Any) -> Fault | None:
    watching = _Watching()
    tickets = {user: (watching.text(ticket), end) for user, (ticket, end) in _ISSUED.items()}
    expected = dict(_ISSUED)
    for user, ticket, now, what in _TRIES:
        try:
            given = answer(tickets, user, ticket, now)
        except TypeError as error:
            error.advice = _ASCII if "ASCII" in str(error) else ""  # type: ignore[attr-defined]
            raise
        if fault := compare(given, right.redeem(expected, user, ticket, now)):
            rows = (*fault.rows, ("the ticket is", what))
            return Fault(fault.sentence, rows, idle=fault.idle)
    if watching.seen:
        return Fault(
            "compared the tickets with ==.",
            advice="== stops at the first wrong character, and its time tells how far a guess is right. Use "
            "hmac.compare_digest.",
        )
    return None


TICKET = Watched(
    name="redeem-ticket",
    title="Redeem a ticket once",
    asks="my_redeem(tickets, user, given, now)",
    judge=_judge_ticket,
    section="RFC 6455 §10.5",
    hints=(
        "tickets.get(user) is the ticket of that user and when it expires, or None.",
        "hmac.compare_digest takes bytes: encode both, since a text must be ASCII.",
        "A ticket that was right goes at once: del tickets[user]. Then look at the time: now < expires.",
    ),
    why="A ticket that a log keeps is worthless: it was used, or it has expired.",
)


def _drawn_spend(source: random.Random) -> tuple[float, float, float, float]:
    burst = source.choice([1, 5, 20])
    return (
        source.uniform(0, burst),
        source.choice([0.0, 0.01, 0.3, 60.0]),
        source.choice([1, 10, 50]),
        burst,
    )


def _spent(tokens: float, elapsed: float, rate: float, burst: float) -> tuple[bool, float]:
    return right.spend(min(burst, tokens + elapsed * rate), 0.0, rate, burst)


BUCKET = Function(
    name="token-bucket",
    title="Fill a bucket of tokens, and spend one",
    asks="my_spend(tokens, elapsed, rate, burst)",
    right=right.spend,
    calls=[
        (5.0, 0.0, 10, 20),
        (1.0, 0.0, 10, 20),
        (0.5, 0.1, 10, 20),
        (0.5, 0.01, 10, 20),
        (0.0, 0.0, 10, 20),
        (19.5, 0.5, 10, 20),
        (3.0, 3600.0, 10, 20),
    ],
    drawn=_drawn_spend,
    section="RFC 6455 §7.4.1",
    mistakes={
        "The bucket holds no more than burst tokens, however long it was left alone.": (
            lambda t, e, r, b: right.spend(t, e, r, 10**9)
        ),
        "First add what has come since: elapsed * rate.": lambda t, e, r, b: right.spend(t, 0.0, r, b),
        "A message that is refused takes no token.": (
            lambda t, e, r, b: (_spent(t, e, r, b)[0], min(b, t + e * r) - 1)
        ),
        "One whole token is enough for a message.": (
            lambda t, e, r, b: (True, n - 1) if (n := min(b, t + e * r)) > 1 else (False, n)
        ),
        "A part of a token is not enough for a message.": (
            lambda t, e, r, b: (True, n - 1) if (n := min(b, t + e * r)) > 0 else (False, n)
        ),
        "Return both: whether the message is allowed, and the tokens that are left.": (
            lambda t, e, r, b: right.spend(t, e, r, b)[0]
        ),
    },
    hints=(
        "First the time: elapsed * rate tokens have come, but the bucket holds no more than burst.",
        "Then the message: it takes one token, if there is a whole one.",
        "tokens = min(burst, tokens + elapsed * rate), then return tokens >= 1 and what is left.",
    ),
    why="A bucket allows a short burst, and no more than rate messages a second in the long run.",
)

_PAGE, _MANY, _FULL = "a page of another site", "50 connections from one address", "a full server"
_FAST, _LONG, _MUTE = "1,000 messages a second", "a message of 2 MiB", "a client that never sends its request"
LIMIT = Value(
    name="which-limit",
    title="Say how each guest is refused",
    right={_PAGE: 403, _MANY: 429, _FULL: 503, _FAST: 1008, _LONG: 1009, _MUTE: 0},
    look_at={
        _PAGE: "Look at the cell in which the Origin check stops the foreign page.",
        _MANY: "Look at the statuses at the door: which one says that you have too many?",
        _FULL: "Look at the statuses at the door: which one is not the client's fault?",
        _FAST: "Look at the close codes after the door.",
        _LONG: "Look at the close codes after the door.",
        _MUTE: "Is there a request that could be answered?",
    },
    mistakes={
        "The connection is open: an HTTP status is too late. Use a close code.": {_FAST: 429},
        "413 is an HTTP status, and this connection is open. Use a close code.": {_LONG: 413},
        "1013 is a close code, and a full server opens no connection. Use an HTTP status.": {_FULL: 1013},
        "There is no connection yet, so no close code. Use an HTTP status.": {_MANY: 1008},
        "The server cannot tell it anything: it ends TCP.": {_MUTE: 408},
    },
    noun="guest",
    section="RFC 6455 §7.4.1, §10.4; RFC 6585 §4",
    hints=(
        "Before the connection is open, a refusal is an HTTP status. After that, it is a close code.",
        "1008 is a policy, 1009 a message that is too big. 429 is too many requests, 503 a busy server.",
        "A client that never asks gets no answer: 0.",
    ),
    why="A client that can read why it was refused can do the right thing: wait, or never come back.",
)

EXERCISES = (ORIGIN, TICKET, BUCKET, LIMIT)
