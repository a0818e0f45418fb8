"""The exercises of lesson 11: past and live in one row, a log that is too short, a store, and a plan.

The first two are compared with the right function. The third is driven with a log that writes down what it
stores. The plan is arithmetic with given rates, so that it has one right answer on every machine.
"""

from __future__ import annotations

import random
from functools import partial
from typing import Any

from wslab.lab.exercises.answer import one_line
from wslab.lab.exercises.kinds import Fault, Function, Value, Watched

__all__ = ["EXERCISES", "Store"]


def _number(id: str) -> list[int]:
    return [int(part) for part in id.split("-")]


# -- past and live -------------------------------------------------------------------------------------------


def _deliveries(last: str, past: list[str], live: list[str]) -> list[str]:
    sent = []
    for id in [*past, *live]:
        if _number(id) > _number(last):
            sent.append(id)
            last = id
    return sent


def _draw_deliveries(source: random.Random) -> tuple[str, list[str], list[str]]:
    start = source.randrange(6, 98)
    ids = [f"{start + step // 4}-{step % 4 + source.choice((0, 8))}" for step in range(8)]
    ids.sort(key=_number)
    known, until = sorted(source.sample(range(1, 8), 2))
    return ids[known - 1], ids[known:until], ids[source.randrange(until + 1) :]


DELIVERIES = Function(
    name="past-and-live",
    title="Send past and live without a gap and without a repeat",
    asks="my_deliveries(last, past, live)",
    right=_deliveries,
    calls=(
        ("5-0", ["6-0", "7-0"], ["8-0"]),
        ("5-0", ["6-0", "7-0"], ["6-0", "7-0", "8-0"]),
        ("5-0", [], ["5-0", "6-0"]),
        ("9-0", ["10-0"], ["10-0", "11-0"]),
        ("9-8", ["9-9"], ["9-9", "9-10", "9-11"]),
        ("0-0", [], []),
    ),
    drawn=_draw_deliveries,
    keeps=True,
    mistakes={
        "A message that arrived while the past was read is in both lists. Send it once.": (
            lambda last, past, live: [*past, *live]
        ),
        "Compare the two parts of an id as numbers: as text, 10-0 comes before 9-0.": (
            lambda last, past, live: [
                *past,
                *(id for id in live if id > (past[-1] if past else last)),
            ]
        ),
        "The live messages come after the past.": lambda last, past, live: list(past),
        "The client has `last` already, and the queue can still hold it.": (
            lambda last, past, live: list(dict.fromkeys([*past, *live]))
        ),
    },
    section="the section on streams in this lesson",
    hints=(
        "Both lists are in order, and the second may begin inside the first. Keep the last id that was sent.",
        'Two ids: [int(part) for part in id.split("-")] makes lists of numbers, which compare as you want.',
        "for id in [*past, *live]: if it is newer than last, append it, and it is the new last.",
    ),
    why="Read first and enter afterwards, and there is a gap; enter first, and this comparison is needed.",
)


# -- a log that is too short ---------------------------------------------------------------------------------


def _coming_back(last: str | None, epoch: str | None, first: str, log_epoch: str, flaw: str = "") -> str:
    """Return the answer; `flaw` makes it one of the typical mistakes."""
    if last is None or (epoch != log_epoch and flaw != "epoch"):
        return "snapshot"
    mine, oldest = _number(last), _number(first)
    enough = {
        "text": last >= first,
        "equal": mine > oldest,
        "trimmed": True,
        "counter": mine[0] >= oldest[0],
    }
    return "replay" if enough.get(flaw, mine >= oldest) else "snapshot"


COMING_BACK = Function(
    name="gap-or-replay",
    title="Decide whether the log reaches back far enough",
    asks="my_answer(last, epoch, first, log_epoch)",
    right=_coming_back,
    calls=(
        ("70-0", "a1", "50-0", "a1"),
        ("70-0", "a1", "90-0", "a1"),
        ("70-0", "a1", "70-0", "a1"),
        ("70-0", "a1", "50-0", "b2"),
        ("90-0", "a1", "100-0", "a1"),
        ("100-0", "a1", "90-0", "a1"),
        ("70-3", "a1", "70-12", "a1"),
        (None, None, "50-0", "a1"),
    ),
    drawn=lambda source: (
        f"{source.randrange(5, 20)}-{source.randrange(12)}",
        source.choice(("a1", "a1", "b2")),
        f"{source.randrange(5, 20)}-{source.randrange(12)}",
        "a1",
    ),
    mistakes={
        "Ids start again in an emptied log, or jump. Another epoch makes the client's position worthless.": (
            partial(_coming_back, flaw="epoch")
        ),
        "The log may have been trimmed: then messages between last and first are gone.": (
            partial(_coming_back, flaw="trimmed")
        ),
        "If the client's own last message is the oldest in the log, nothing is missing after it.": (
            partial(_coming_back, flaw="equal")
        ),
        "Compare the two parts of an id as numbers: as text, 100-0 comes before 90-0.": (
            partial(_coming_back, flaw="text")
        ),
        "Within one millisecond the counter, the second part of an id, decides.": (
            partial(_coming_back, flaw="counter")
        ),
    },
    section="the section on what the log forgets in this lesson",
    hints=(
        'Three cases end in "snapshot": a new client, another epoch, a log whose first id is too young.',
        "Compare the parts of the ids as numbers. Equal is old enough: the client has that message.",
    ),
    why="A server that reports the gap lets the client fetch a snapshot; a silent one loses messages.",
)


# -- store once ----------------------------------------------------------------------------------------------


class Store:
    """A log in memory, with the one method that an answer may use."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __repr__(self) -> str:
        return "<log>"

    def append(self, text: str) -> str:
        """Store a text, and return its id."""
        self.texts.append(text)
        return f"{len(self.texts)}-0"


_ARRIVALS = ("7:1", "7:2", "7:1", "9:1", "7:3", "7:2", "7:11", "7:11", "7:1")
_TEXTS = {"7:2": "Are you there?", "7:11": ""}  # the others say Hello


def _judge_store(answer: Any) -> Fault | None:
    log, sent, ids, rows = Store(), {}, {}, []  # type: ignore[var-annotated]
    for key in _ARRIVALS:
        text = _TEXTS.get(key, "Hello")
        before, again = len(log.texts), key in ids
        expected = ids.setdefault(key, f"{len(ids) + 1}-0")
        given = answer(log, sent, key, text)
        stored = len(log.texts) - before
        rows.append((key, f"{text!r}: returned {one_line(given)}, {len(log.texts)} in the log"))
        fault = advice = ""
        if not log.texts:
            fault = "returned None. Write its body." if given is None else "stored nothing."
        elif again and stored:
            fault = "stored a message again that was in the log: its key has been there before."
        elif not again and not stored:
            fault = "did not store a message whose key is new: two messages may have the same text."
        elif stored > 1:
            fault = "stored a message more than once."
        elif log.texts[-1:] != [text] and stored:
            fault = f"stored {one_line(log.texts[-1])}, not the text."
        elif given != expected:
            fault = f"returned {one_line(given)}, not {expected!r}."
            advice = "A client that sends again waits for the id that its message got the first time."
        if fault:
            return Fault(fault, tuple(rows), advice=advice * again, idle=given is None and not log.texts)
    return None


STORE_ONCE = Watched(
    name="store-once",
    title="Store a message once, however often it is sent",
    asks="my_store(log, sent, key, text)",
    judge=_judge_store,
    section="the section on messages that arrive twice in this lesson",
    hints=(
        "sent remembers for each key the id that its message got; a key is new if it is not in sent.",
        "if key not in sent: sent[key] = log.append(text). Then return sent[key].",
    ),
    why="At least once on the wire and once in the log: that is what people mean by exactly once.",
)


# -- the plan ------------------------------------------------------------------------------------------------

PLAN = Value(
    name="plan-a-million",
    title="Plan a million connections on paper",
    right={"processes": 100, "memory in MiB": 15000, "reads of one message": 100, "delivery in ms": 300},
    look_at={
        "processes": "A million connections, 10,000 for each.",
        "memory in MiB": "50 MiB for each process, and 10 MiB for each thousand connections.",
        "reads of one message": "Each process reads the log for all of its clients together.",
        "delivery in ms": "The processes deliver side by side, 30 µs for each of their own clients.",
    },
    mistakes={
        "That is the connections alone: each process takes 50 MiB before its first connection.": {
            "memory in MiB": 10000
        },
        "A process reads a message once, whatever the number of its clients.": {
            "reads of one message": 1_000_000
        },
        "That is one process for all. A hundred work side by side, each for 10,000 clients.": {
            "delivery in ms": 30_000
        },
    },
    noun="number",
    within=0.5,
    section="the section on how far it goes in this lesson",
    hints=(
        "Begin with the processes; the other three follow from their number.",
        "Memory: 100 × 50 MiB + 1,000 × 10 MiB. Delivery: 10,000 × 0.03 ms.",
    ),
    why="The paper says what to measure first: here the time of one message, not the memory.",
)

EXERCISES = (DELIVERIES, STORE_ONCE, COMING_BACK, PLAN)
