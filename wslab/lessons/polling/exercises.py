"""The exercises of lesson 01: predict, write, estimate, choose.

This module knows the questions, their typical wrong answers and their hints. The staleness of polling comes
from a formula that ``prediction`` knows, too. The numbers from which to choose stand in the notebook. The
client that the learner writes is judged in ``lesson01_client``. Nothing here waits for more bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wslab.lab.exercises.answer import show
from wslab.lab.exercises.exercise import Case, Exercise, Fault, Mistake, compare, equals, returns

__all__ = ["EXERCISES"]

STALENESS = Exercise(
    name="staleness",
    lesson="01",
    title="Predict the mean staleness of polling",
    asks="my_staleness(interval, delay)",
    judge=returns(
        Case((100, 0), 50),
        Case((800, 0), 400),
        Case((400, 40), 240),
        Case((20, 40), 80),
        Case((60, 40), 80),
        Case((15, 30), 60),
        Case((25, 1), 13.5),
    ),
    section="the section The race",
    hints=(
        "A change falls anywhere between two questions: it waits half an interval on average.",
        "The answer that brings it takes the delay once. And a client that waits for each answer cannot ask "
        "again before a round trip is over: max(interval, 2 * delay).",
    ),
    mistakes=(
        Mistake(
            lambda interval, delay: interval / 2,
            "The answer that brings the change is on its way for the delay.",
        ),
        Mistake(
            lambda interval, delay: interval / 2 + delay,
            "The client waits for each answer: its questions are at least a round trip apart.",
        ),
        Mistake(
            lambda interval, delay: interval / 2 + 2 * delay,
            "A change that happens while the question is on its way is in the answer: count the delay once.",
        ),
        Mistake(
            lambda interval, delay: interval + delay, "This is the worst case; the question is for the mean."
        ),
        Mistake(
            lambda interval, delay: (max(interval, 2 * delay) / 2 + delay) / 1000,
            "These are seconds; interval and delay are milliseconds, and so is the answer.",
        ),
    ),
    why="Half the interval is the price of asking. Only who is told does not pay it.",
)

CLIENTS, DAYS = 10_000, 30


def _gigabytes(size: float, seconds: float) -> float:
    return size * CLIENTS * DAYS * 86400 / seconds / 1e9


def _rounded(calculate: Callable[[float, float], float]) -> Callable[[float, float], float]:
    """Give a mistake in the way in which the judge looks at answers."""
    return lambda size, seconds: round(calculate(size, seconds), 6)


def _judge_traffic(answer: Any) -> Fault | None:
    for case in ((239, 5), (254, 60), (10, 60)):
        given = answer(*case)
        number = isinstance(given, (int, float)) and not isinstance(given, bool)
        if number and 0 < abs(given / _gigabytes(*case) - 1) < 0.03 and round(given, 2) == given:
            sentence = "gives a rounded value: give the result of the calculation as it is."
            return Fault(
                sentence, (("given", show(given)), ("expected", show(_gigabytes(*case)))), given, case
            )
        fault = compare(round(given, 6) if number else given, round(_gigabytes(*case), 6))
        if fault:
            return Fault(fault.sentence, fault.rows, fault.given, case)
    return None


TRAFFIC = Exercise(
    name="monthly-traffic",
    lesson="01",
    title="Estimate the monthly traffic of ten thousand clients",
    asks="my_gigabytes(size, seconds)",
    judge=_judge_traffic,
    section="the section What one update weighs",
    hints=(
        "A day has 86,400 seconds: how often does one client get these bytes in 30 days?",
        "A gigabyte is 10 ** 9 bytes here, as providers count.",
    ),
    mistakes=(
        Mistake(
            _rounded(lambda size, seconds: _gigabytes(size, seconds) / CLIENTS),
            "This is one client. There are ten thousand.",
        ),
        Mistake(
            _rounded(lambda size, seconds: _gigabytes(size, seconds) * 1e9 / 2**30),
            "This is in gibibytes, 2 ** 30 bytes; a gigabyte is 10 ** 9.",
        ),
        Mistake(
            _rounded(lambda size, seconds: _gigabytes(size, seconds) * 8),
            "This is in gigabits: a byte has eight bits, and the question is for bytes.",
        ),
        Mistake(
            _rounded(lambda size, seconds: _gigabytes(size, seconds) / DAYS),
            "This is one day, of thirty.",
        ),
        Mistake(
            _rounded(lambda size, seconds: _gigabytes(size, seconds) * seconds**2),
            "The longer the time between two updates, the less traffic: divide by seconds.",
        ),
        Mistake(
            _rounded(lambda size, seconds: _gigabytes(size, seconds) * seconds),
            "This is an update every second. How many are there in 30 days with one every `seconds`?",
        ),
        Mistake(
            _rounded(lambda size, seconds: _gigabytes(size, seconds) * 1e9),
            "These are bytes; a gigabyte is 10 ** 9 of them.",
        ),
        Mistake(
            _rounded(lambda size, seconds: _gigabytes(size, seconds) * 1e3),
            "These are megabytes; a gigabyte is 10 ** 9 bytes.",
        ),
        Mistake(
            _rounded(lambda size, seconds: _gigabytes(size, seconds) / 60),
            "A day has 86,400 seconds: 24 hours of 60 minutes of 60 seconds.",
        ),
    ),
    why="The same for every new service: bytes for an update, times updates, times clients.",
)

_RIGHT = {
    "weather": "polling",
    "live comments": "server-sent events",
    "game": "WebSocket",
    "departure board": "polling",
    "co-editing": "WebSocket",
}

_judge_known_words = equals(
    _RIGHT,
    {
        "weather": "The knowledge may be half an hour old. What would an open connection be for?",
        "live comments": "A second is allowed, and nearly everything goes one way.",
        "game": "Both sides send, many times a second.",
        "departure board": "The knowledge may be a minute old: how often must a client ask at most?",
        "co-editing": "Both sides send, and a client as often as the others.",
    },
    noun="use",
)


def _judge_choice(answer: Any) -> Fault | None:
    for use, word in answer.items() if isinstance(answer, Mapping) else ():
        if use in _RIGHT and str(word).lower() not in map(str.lower, _RIGHT.values()):
            rows = (("given", show(word)), ("expected", ", or ".join(dict.fromkeys(_RIGHT.values()))))
            return Fault(f"The use {use!r} has none of the three words, in quotes.", rows, answer)
    fault: Fault | None = _judge_known_words(answer)
    return fault


CHOOSE = Exercise(
    name="choose-transport",
    lesson="01",
    title="Choose the transport from three measured numbers",
    judge=_judge_choice,
    section="the section When not to use WebSocket",
    hints=(
        "First the last column: who sends as often as it receives needs both directions.",
        "Then the middle one: asking that often, would most answers tell nothing new? A page that asks once "
        "a minute needs nothing but HTTP.",
    ),
    mistakes=(
        Mistake(
            dict.fromkeys(_RIGHT, "WebSocket"),
            "WebSocket would do all of it. Which of these would work with less, and through any cache?",
        ),
        Mistake(
            _RIGHT | {"live comments": "WebSocket"},
            "It would work. But two comments in an hour are two POST requests, and the rest goes one way.",
        ),
        Mistake(
            _RIGHT | {"departure board": "server-sent events"},
            "It would work, and weigh less. But a minute may pass, and polling is the simplest that does it.",
        ),
    ),
    why="There is no best transport, only numbers: how often, how fresh, and in which direction.",
)

EXERCISES = (STALENESS, TRAFFIC, CHOOSE)
