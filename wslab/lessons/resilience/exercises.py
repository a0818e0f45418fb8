"""The exercises of lesson 10: when to come back, how long to wait, what was missed, and how often to ping."""

from __future__ import annotations

import random
from typing import Any

from wslab.lab.exercises.kinds import Fault, Function, Watched, compare
from wslab.lessons.resilience import right

__all__ = ["EXERCISES"]

COME_BACK = Function(
    name="come-back",
    title="Decide whether to come back",
    asks="my_comes_back(ended)",
    right=right.comes_back,
    calls=[
        (number,)
        for number in (
            *(1001, 1008, 1006, None, 1000, 1012, 1013, 1011, 1003, 1009, 1002, 1007, 1010, 4000),
            *(503, 403, 429, 500, 404, 401, 408, 425, 426, 200),
        )
    ],
    section="RFC 6455 §7.2.3, §7.4.1",
    mistakes={
        "Clients that stay away after 1000 or 1001 are gone after a deploy. Come back.": (
            lambda ended: ended not in (1000, 1001) and right.comes_back(ended)
        ),
        "1008 finds fault with what this client does. It would be told the same again.": (
            lambda ended: ended is None or ended >= 500
        ),
        "None is a server that is not there, such as one that restarts. Come back.": (
            lambda ended: ended is not None and right.comes_back(ended)
        ),
        "429 means too many requests for now. Come back, later.": (
            lambda ended: ended != 429 and right.comes_back(ended)
        ),
        "A status from 500 on is trouble of the server, and passes. Come back.": (
            lambda ended: (ended or 1006) >= 1000 and right.comes_back(ended)
        ),
        "Of the statuses below 500, only 408, 425 and 429 say later.": (
            lambda ended: right.comes_back(ended) or (ended is not None and ended < 1000)
        ),
    },
    hints=(
        "The two lists are in the text above. Begin with None.",
        "A set holds the codes that are final: ended in {1002, 1003, …}.",
        "What is not final comes back if it is 500 or more, or one of 408, 425 and 429.",
    ),
    why="One that comes back after 403 asks forever; one that stays away after 1001 is lost at a deploy.",
)


CEILINGS = Function(
    name="ceilings",
    title="Say how long to wait at most",
    asks="my_ceilings(lasted, first, last, stable)",
    right=right.ceilings,
    calls=[
        ([0, 0, 0], 0.5, 60, 5),
        ([0, 0, 0, 0, 0], 1, 4, 5),
        ([0, 0, 0, 0, 0], 1, 5, 5),
        ([0, 0, 0.01, 0.01, 0.01], 0.5, 60, 5),
        ([0, 0, 0, 90, 0, 0], 0.5, 60, 5),
        ([0, 0, 5, 0], 0.5, 60, 5),
        ([], 0.5, 60, 5),
    ],
    drawn=lambda source: (
        [source.choice([0, 0, 0, 0.2, 3, 5, 80]) for _ in range(source.randrange(1, 12))],
        source.choice([0.1, 0.5, 1]),
        source.choice([8, 30, 60]),
        source.choice([2, 5]),
    ),
    keeps=True,
    section="RFC 6455 §7.2.3",
    mistakes={
        "The ceiling never passes the last one.": lambda tries, first, last, stable: right.ceilings(
            tries, first, 1e9, stable
        ),
        "A connection that opened is not a success yet. Start over only if it lasted `stable` seconds.": (
            lambda tries, first, last, stable: right.ceilings(tries, first, last, 0.001)
        ),
        "Start over after a connection that lasted.": (
            lambda tries, first, last, stable: right.ceilings(tries, first, last, 1e9)
        ),
        "The wait right after a connection that lasted is the first one again.": (
            lambda tries, *rest: right.ceilings([0, *tries[:-1]], *rest)
        ),
        "A connection that lasted exactly `stable` seconds is stable.": (
            lambda tries, first, last, stable: right.ceilings(tries, first, last, stable + 1e-6)
        ),
        "The first wait is short: double the ceiling afterwards.": (
            lambda tries, first, last, stable: right.ceilings(tries, 2 * first, last, stable)
        ),
    },
    hints=(
        "Keep the ceiling in a variable, and go through `lasted` once.",
        "In each turn: start over if the connection lasted, append the ceiling, double it.",
        "ceiling = min(last, 2 * ceiling) doubles it as far as allowed.",
    ),
    why="A server that accepts and closes is left alone for longer and longer.",
)


def _log(first: int, last: int) -> list[tuple[int, str]]:
    return [(number, f"message {number}") for number in range(first, last + 1)]


def _drawn_log(source: random.Random) -> tuple[list[tuple[int, str]], str, int | None]:
    first = source.randrange(1, 50)
    log = _log(first, first + source.randrange(8))
    return log, "snapshot", source.choice([None, source.randrange(max(0, first - 4), first + 10)])


REPLAY = Function(
    name="replay",
    title="Send what a client has missed",
    asks="my_replay(log, snapshot, since)",
    right=right.replay,
    calls=[
        (_log(1, 5), "snapshot", 3),
        (_log(1, 5), "snapshot", 5),
        (_log(1, 5), "snapshot", None),
        (_log(40, 45), "snapshot", 20),
        (_log(40, 45), "snapshot", 39),
        (_log(40, 45), "snapshot", 38),
        (_log(1, 5), "snapshot", 0),
        (_log(1, 5), "snapshot", 6),
        ([], "snapshot", None),
        ([], "snapshot", 7),
    ],
    drawn=_drawn_log,
    keeps=True,
    section="the section Send what was missed",
    mistakes={
        "The client has message `since` already. Begin with the next one.": (
            lambda log, snapshot, since: right.replay(log, snapshot, since and since - 1)
        ),
        "A client without a number is new. It needs the snapshot.": (
            lambda log, snapshot, since: [message for number, message in log if number > (since or 0)]
        ),
        "0 is a number: this client knows the feed as it was before message 1. Ask `since is None`.": (
            lambda log, snapshot, since: right.replay(log, snapshot, since or None)
        ),
        "The log begins after what this client needs next. Send the snapshot.": (
            lambda log, snapshot, since: right.replay(log, snapshot, since and max(since, log[0][0] - 1))
        ),
        "The log begins with the message that this client needs next, so nothing is missing.": (
            lambda log, snapshot, since: right.replay(log[since == log[0][0] - 1 :], snapshot, since)
        ),
        "This client has a number that you never sent, of another feed. Send the snapshot.": (
            lambda log, snapshot, since: right.replay(log, snapshot, since and min(since, log[-1][0]))
        ),
    },
    hints=(
        "Three cases need the snapshot: no number, a number that is too old, one that is too new.",
        "The first message of the log is log[0][0]. A client that has the one before it misses nothing.",
        "[message for number, message in log if number > since]",
    ),
    why="A number says what a client has. Being connected does not.",
)


class _Survives:
    """A connection through a proxy, tried with an interval; it notes what was tried."""

    def __init__(self, idle: float) -> None:
        self.idle, self.tried = idle, list[Any]()

    async def __call__(self, interval: float) -> bool:
        self.tried.append(interval)
        return interval < self.idle

    def __repr__(self) -> str:
        return "survives"


async def _judge_longest(answer: Any) -> Fault | None:
    idles = {(300, 100, 45, 20): 60, (5, 10, 20, 40, 80): 30, (20, 45, 100): 900, (20, 45): 20, (45,): 60}
    for intervals, idle in idles.items():
        survives = _Survives(idle)
        given = await answer(list(intervals), survives)
        if given in intervals and given not in survives.tried:
            return Fault("returned an interval that it never tried.", (("returned", str(given)),))
        if fault := compare(given, max((each for each in intervals if each < idle), default=None)):
            return fault
    return None


LONGEST = Watched(
    name="longest-interval",
    title="Find the ping interval that survives",
    asks="my_longest(intervals, survives)",
    judge=_judge_longest,
    section="RFC 6455 §5.5.2",
    hints=(
        "Try the intervals, and keep the longest one that survives. They are in no order.",
        "sorted(intervals, reverse=True) begins with the longest.",
        "if await survives(interval): return interval",
    ),
    why="Take half of it: the next network adds delay, and its proxy may be stricter.",
)

EXERCISES = (COME_BACK, CEILINGS, REPLAY, LONGEST)
