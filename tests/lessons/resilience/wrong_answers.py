"""Attempts at the exercises of lesson 10."""

from __future__ import annotations

import random
from typing import Any

from tests.support.attempts import right as accepted
from tests.support.attempts import wrong
from wslab.lessons.resilience import right

FINAL = {1002, 1003, 1007, 1008, 1009, 1010}


def by_match(ended: int | None) -> bool:
    match ended:
        case None | 408 | 425 | 429:
            return True
        case 1002 | 1003 | 1007 | 1008 | 1009 | 1010:
            return False
    return ended >= 500


def in_steps(ended: Any) -> bool:
    if ended is None:
        return True
    if ended < 1000:
        return ended in (408, 425, 429) or ended // 100 == 5
    return ended not in FINAL


def as_powers(lasted: list[float], first: float, last: float, stable: float) -> list[float]:
    found, since = [], 0
    for number, seconds in enumerate(lasted):
        if seconds >= stable:
            since = number
        found.append(min(last, first * 2 ** (number - since)))
    return found


def recursive(lasted: Any, first: float, last: float, stable: float, ceiling: float | None = None) -> Any:
    if not lasted:
        return ()
    now = first if ceiling is None or lasted[0] >= stable else ceiling
    return (now, *recursive(lasted[1:], first, last, stable, min(last, now * 2)))


def popping(lasted: list[float], first: float, last: float, stable: float) -> list[float]:
    """Wrong: it empties the list that it is given."""
    found = right.ceilings(lasted, first, last, stable)
    lasted.clear()
    return found


def by_numbers(log: Any, snapshot: str, since: Any) -> list[str]:
    messages = dict(log)
    if since is None or not messages or since > max(messages) or since + 1 < min(messages):
        return [snapshot]
    return [messages[number] for number in range(since + 1, max(messages) + 1)]


def by_place(log: Any, snapshot: str, since: Any) -> list[str]:
    if since is None or not log:
        return [snapshot]
    skipped = since - log[0][0] + 1
    return [message for _, message in log[skipped:]] if 0 <= skipped <= len(log) else [snapshot]


def early(log: Any, snapshot: str, since: Any) -> Any:
    if since is not None and log and log[0][0] - 1 <= since <= log[-1][0]:
        return tuple(message for number, message in log if since < number)
    return (snapshot,)


async def all_then_most(intervals: Any, survives: Any) -> Any:
    return max([each for each in intervals if await survives(each)], default=None)


async def upwards(intervals: Any, survives: Any) -> Any:
    best = None
    for each in sorted(intervals):
        if not await survives(each):
            break
        best = each
    return best


async def halving(intervals: Any, survives: Any) -> Any:
    intervals = sorted(intervals)
    low, high = 0, len(intervals)
    while low < high:
        middle = (low + high) // 2
        if await survives(intervals[middle]):
            low = middle + 1
        else:
            high = middle
    return intervals[low - 1] if low else None


async def first_found(intervals: Any, survives: Any) -> Any:
    for each in intervals:
        if await survives(each):
            return each
    return None


async def shortest(intervals: Any, survives: Any) -> Any:
    for each in sorted(intervals):
        if await survives(each):
            return each
    return None


async def forgets_to_await(intervals: Any, survives: Any) -> Any:
    return max(each for each in intervals if survives(each))


async def half(intervals: Any, survives: Any) -> Any:
    found = await right.longest(intervals, survives)
    return found and found / 2


async def never_none(intervals: Any, survives: Any) -> Any:
    return await right.longest(intervals, survives) or min(intervals)


async def untried(intervals: Any, survives: Any) -> Any:
    return {4: 45, 5: 20, 3: 100}.get(len(intervals))


async def idle(intervals: Any, survives: Any) -> Any: ...


async def asks_nobody(intervals: list[float], survives: Any) -> float:
    return max(intervals)


def before_the_first(log: Any, snapshot: str, since: int | None) -> Any:
    """Send the snapshot also if only what the client has is gone."""
    return [snapshot] if since is None or not log or since < log[0][0] else right.replay(log, snapshot, since)


WRONG = [
    *wrong(
        "come-back",
        (lambda ended: None, "", "not yet"),
        (lambda ended: True, "1008 finds fault"),
        (lambda ended: ended not in (1000, 1001) and right.comes_back(ended), "after a deploy"),
        (lambda ended: ended != 1006 and right.comes_back(ended),),
        (lambda ended: ended is not None and right.comes_back(ended), "None is a server"),
        (lambda ended: ended != 429 and right.comes_back(ended), "429"),
        (lambda ended: ended is None or (ended >= 1000 and right.comes_back(ended)), "from 500 on"),
        (lambda ended: right.comes_back(ended) or 200 <= ended < 1000, "408, 425 and 429"),
        (lambda ended: ended >= 500,),
    ),
    *wrong(
        "ceilings",
        (lambda lasted, first, last, stable: ..., "", "not yet"),
        (lambda lasted, first, last, stable: [first * 2**n for n in range(len(lasted))], "never passes"),
        (lambda lasted, first, last, stable: right.ceilings(lasted, first, last, 0.01), "not a success"),
        (lambda lasted, *others: right.ceilings([0] * len(lasted), *others), "Start over after"),
        (lambda lasted, first, last, stable: right.ceilings(lasted, first, last, stable + 1), "exactly"),
        (lambda *given: [2 * each for each in right.ceilings(*given)],),
        (lambda *given: right.ceilings(*given)[-1], "type float"),
        (lambda *given: [random.uniform(0, each) for each in right.ceilings(*given)],),
        (popping, "changed what it was given"),
    ),
    *wrong(
        "replay",
        (lambda log, snapshot, since: None, "", "not yet"),
        (lambda log, snapshot, since: [text for number, text in log if number >= since], "already"),
        (lambda log, snapshot, since: right.replay(log, snapshot, since or None), "0 is a number"),
        (lambda log, snapshot, since: [text for number, text in log if number > (since or 0)], "is new"),
        (lambda log, snapshot, since: right.replay(log, snapshot, None),),
        (lambda log, s, since: [s] if since is None else [m for n, m in log if n > since], "begins after"),
        (before_the_first, "nothing is missing"),
        (lambda log, s, since: right.replay(log, s, since)[-1:],),
        (lambda log, s, since: [(0, each) for each in right.replay(log, s, since)],),
    ),
    *wrong(
        "longest-interval",
        (idle, "", "not yet"),
        (first_found,),
        (shortest,),
        (forgets_to_await,),
        (half,),
        (never_none,),
        (untried, "never tried"),
        (asks_nobody, "never tried"),
    ),
]
RIGHT = [
    *accepted("come-back", by_match, in_steps, right.comes_back),
    *accepted("ceilings", as_powers, recursive, right.ceilings),
    *accepted("replay", by_numbers, by_place, early),
    *accepted("longest-interval", all_then_most, upwards, halving),
]
