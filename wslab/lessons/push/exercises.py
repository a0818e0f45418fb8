"""The exercises of lesson 06 that are no handlers: the next tick, the latest of each symbol, a policy.

This module knows the questions, their typical wrong answers and their hints. What is pushed are messages (RFC
6455 §5.6); that a server may speak whenever it likes is §1.2. The handlers are in ``lesson06_push`` and
``lesson06_timer``. The solutions stand in the notebook, and nothing here waits for more bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from wslab.lab.exercises.answer import show
from wslab.lab.exercises.exercise import Case, Exercise, Fault, Mistake, equals, returns

__all__ = ["EXERCISES"]


# -- the next tick ------------------------------------------------------------------------------------------


def _next_tick(start: float, period: float, now: float) -> float:
    return start + ((now - start) // period + 1) * period


def _a_period_from_now(start: float, period: float, now: float) -> float:
    return now + period


def _the_second_tick(start: float, period: float, now: float) -> float:
    return start + period


def _rounded_up(start: float, period: float, now: float) -> float:
    return start + math.ceil((now - start) / period) * period


def _without_start(start: float, period: float, now: float) -> float:
    return (now // period + 1) * period


def _the_last_tick(start: float, period: float, now: float) -> float:
    return start + (now - start) // period * period


def _since_start(start: float, period: float, now: float) -> float:
    return ((now - start) // period + 1) * period


_MOMENTS = (
    (100.0, 0.5, 100.125),
    (100.0, 0.5, 103.25),
    (100.0, 0.5, 104.0),
    (100.25, 1.0, 107.5),
    (0.0, 2.0, 5.0),
)

NEXT_TICK = Exercise(
    name="next-tick",
    lesson="06",
    title="Find the next tick of a schedule",
    asks="my_next_tick(start, period, now)",
    judge=returns(*(Case(moment, _next_tick(*moment)) for moment in _MOMENTS)),
    section="Python's documentation of asyncio, loop.time and loop.call_at",
    hints=(
        "How many whole periods have passed since start? The next tick is one more.",
        "(now - start) // period counts the whole periods. Multiply again, and add start.",
    ),
    mistakes=(
        Mistake(
            _a_period_from_now, "Whoever waits a period from now is late for ever after being late once."
        ),
        Mistake(_the_second_tick, "This moment has passed: the schedule goes on after it."),
        Mistake(_rounded_up, "At the very moment of a tick, the next one is a whole period away."),
        Mistake(_without_start, "The schedule begins at start, not at zero."),
        Mistake(_the_last_tick, "This is the tick before: the next one is one more period away."),
        Mistake(_since_start, "This counts from start. Add start to have the moment itself."),
    ),
    why="Ticks that were missed are left out, and what follows is on time again: no drift, and no burst.",
)


# -- the latest of each -------------------------------------------------------------------------------------

Quotes = list[tuple[str, float]]


def _latest(quotes: Quotes) -> Quotes:
    return list(dict(quotes).items())


def _one_mailbox(quotes: Quotes) -> Quotes:
    return quotes[-1:]


def _the_first_of_each(quotes: Quotes) -> Quotes:
    return list(dict(reversed(quotes)).items())[::-1]


def _moved_back(quotes: Quotes) -> Quotes:
    kept: dict[str, float] = {}
    for symbol, price in quotes:
        kept.pop(symbol, None)
        kept[symbol] = price
    return list(kept.items())


def _newest_first(quotes: Quotes) -> Quotes:
    return list(dict(quotes).items())[::-1]


def _everything(quotes: Quotes) -> Quotes:
    return quotes


_QUOTES: tuple[Quotes, ...] = (
    [("ABC", 12.5), ("XYZ", 80.0)],
    [("ABC", 12.5), ("XYZ", 80.0), ("ABC", 12.75)],
    [("ABC", 12.5), ("XYZ", 80.0), ("ABC", 12.75), ("DEF", 7.0), ("XYZ", 81.0), ("ABC", 12.25)],
    [("ABC", 12.5)],
    [],
)

LATEST = Exercise(
    name="latest-of-each",
    lesson="06",
    title="Keep the latest quote of each symbol",
    asks="my_latest(quotes)",
    judge=returns(*(Case((quotes,), _latest(quotes)) for quotes in _QUOTES)),
    section="the question above",
    hints=(
        "A dictionary has one value for each key, and a later one replaces it.",
        "A key that is there keeps its place when its value is replaced. dict(quotes) takes pairs.",
    ),
    mistakes=(
        Mistake(
            _one_mailbox, "With one place for all, a quote of one symbol pushes out those of the others."
        ),
        Mistake(_the_first_of_each, "These are the oldest prices: a later one replaces an earlier one."),
        Mistake(
            _moved_back,
            "A symbol that changes all the time would go to the end each time, and never be sent.",
        ),
        Mistake(_newest_first, "The order is that in which the symbols first appear, the oldest first."),
        Mistake(_everything, "A price that a later one has replaced need not be sent any more."),
    ),
    why="This is called conflation: the number of symbols bounds what waits, however fast they change.",
)


# -- a policy -----------------------------------------------------------------------------------------------

POLICIES = {
    "the time, once a second": "latest",
    "prices, to be shown on a screen": "latest",
    "three short messages in answer to a question": "everything",
    "a chat, whose history can be asked for again": "disconnect",
    "where each player stands, 30 times a second": "latest",
    "orders for a warehouse, which asks for what it missed when it is back": "disconnect",
}
_REASONS = {
    "the time, once a second": "Of what use is an old time?",
    "prices, to be shown on a screen": "The screen has one place for each price.",
    "three short messages in answer to a question": "Can they ever become many?",
    "a chat, whose history can be asked for again": "They never end, and none may be left out unnoticed.",
    "where each player stands, 30 times a second": "A thirtieth of a second later it is of no use any more.",
    "orders for a warehouse, which asks for what it missed when it is back": "Each counts; they never end.",
}

_compare = equals(POLICIES, _REASONS, "policy for")


def _judge_policies(answer: Any) -> Fault | None:
    for stream, policy in answer.items() if isinstance(answer, Mapping) else ():
        near = isinstance(policy, str) and policy.strip().lower() in POLICIES.values()
        if stream in POLICIES and not near:
            rows = (
                ("given", show(policy)),
                ("to choose", ", ".join(map(repr, sorted(set(POLICIES.values()))))),
            )
            return Fault(f"The policy for {stream!r} is none of the three.", rows, given=answer)
    fault: Fault | None = _compare(answer)
    return fault


POLICY = Exercise(
    name="slow-reader",
    lesson="06",
    title="Choose a policy for a slow reader",
    judge=_judge_policies,
    section="the figure above",
    hints=(
        "Ask first: is an old message of any use once a newer one is there? If not, the latest is enough.",
        "If each message counts and they never end, nothing that is bounded can hold them.",
    ),
    mistakes=(
        Mistake(
            {**POLICIES, "a chat, whose history can be asked for again": "everything"},
            "A chat does not end: what waits for a slow reader would not stop growing.",
        ),
        Mistake(
            {**POLICIES, "prices, to be shown on a screen": "everything"},
            "On a screen a newer price takes the place of the older one, so nobody reads those that waited.",
        ),
        Mistake(
            {**POLICIES, "three short messages in answer to a question": "disconnect"},
            "Three short messages always fit: there is nothing that would have to be bounded.",
        ),
    ),
    why="Every server that pushes has such a policy. One that was never chosen is the first: everything.",
)

EXERCISES = (NEXT_TICK, LATEST, POLICY)
