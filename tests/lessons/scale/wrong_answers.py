"""Attempts at the exercises of lesson 11."""

from __future__ import annotations

from typing import Any

from tests.support.attempts import right, wrong
from wslab.lessons.scale.exercises import Store


def number(id: str) -> tuple[int, ...]:
    return tuple(map(int, id.split("-")))


def by_loop(last: str, past: list[str], live: list[str]) -> list[str]:
    out = []
    for id in past + live:
        if number(id) > number(last):
            out.append(id)
            last = id
    return out


def by_set(last: str, past: list[str], live: list[str]) -> list[str]:
    return sorted({id for id in (*past, *live) if number(id) > number(last)}, key=number)


def by_filter(last: str, past: list[str], live: list[str]) -> list[str]:
    newest = past[-1] if past else last
    return [*past, *filter(lambda id: number(id) > number(newest), live)]


def changes_the_past(last: str, past: list[str], live: list[str]) -> list[str]:
    past.extend(id for id in live if id not in past and number(id) > number(last))
    return past


def stored(log: Store, sent: dict[str, str], key: str, text: str) -> str:
    if key not in sent:
        sent[key] = log.append(text)
    return sent[key]


def stored_by_get(log: Store, sent: dict[str, str], key: str, text: str) -> str:
    id = sent.get(key)
    if id is None:
        id = sent[key] = log.append(text)
    return id


def stored_by_try(log: Store, sent: dict[str, str], key: str, text: str) -> str:
    try:
        return sent[key]
    except KeyError:
        return sent.setdefault(key, log.append(text))


def always(log: Store, sent: dict[str, str], key: str, text: str) -> str:
    return log.append(text)


def by_text(log: Store, sent: dict[str, str], key: str, text: str) -> str:
    if text not in sent:
        sent[text] = log.append(text)
    return sent[text]


def setdefault_alone(log: Store, sent: dict[str, str], key: str, text: str) -> str:
    return sent.setdefault(key, log.append(text))


def silent_the_second_time(log: Store, sent: dict[str, str], key: str, text: str) -> str | None:
    if key in sent:
        return None
    sent[key] = log.append(text)
    return sent[key]


def highest_number_only(log: Store, sent: dict[str, str], key: str, text: str) -> str:
    if key.split(":")[1] in sent:
        return sent[key.split(":")[1]]
    sent[key.split(":")[1]] = log.append(text)
    return sent[key.split(":")[1]]


def stores_nothing(log: Store, sent: dict[str, str], key: str, text: str) -> str:
    return sent.setdefault(key, "1-0")


def twice_at_once(log: Store, sent: dict[str, str], key: str, text: str) -> str:
    log.append(text)
    return log.append(text)


def stores_a_pair(log: Store, sent: dict[str, str], key: str, text: str) -> str:
    if key not in sent:
        sent[key] = log.append((key, text))  # type: ignore[arg-type]
    return sent[key]


def at_most_new(last: Any, epoch: Any, first: str, log_epoch: str) -> str:
    return (
        "replay" if last is not None and epoch == log_epoch and number(last) >= number(first) else "snapshot"
    )


def step_by_step(last: Any, epoch: Any, first: str, log_epoch: str) -> str:
    if last is None:
        return "snapshot"
    if epoch != log_epoch:
        return "snapshot"
    return "snapshot" if number(last) < number(first) else "replay"


def by_table(last: Any, epoch: Any, first: str, log_epoch: str) -> str:
    ok = epoch == log_epoch and bool(last) and max(number(last), number(first)) == number(last)
    return {True: "replay", False: "snapshot"}[ok]


PLAN = {"processes": 100, "memory in MiB": 15000, "reads of one message": 100, "delivery in ms": 300}

WRONG = [
    *wrong(
        "past-and-live",
        (lambda last, past, live: None, "returned None", "not yet"),
        (lambda last, past, live: past + live, "is in both lists"),
        (
            lambda last, past, live: past + [i for i in live if number(i) > number(last)],
            "is in both lists",
        ),
        (lambda last, past, live: past + [i for i in live if i > (past or [last])[-1]], "as numbers"),
        (lambda last, past, live: past, "come after the past"),
        (lambda last, past, live: live, ""),
        (lambda last, past, live: len(past + live), ""),
        (lambda last, past, live: by_loop("0-0", past, live), ""),
        (changes_the_past, ""),
        (lambda last, past, live: list(dict.fromkeys(past + live)), "has `last` already"),
    ),
    *wrong(
        "store-once",
        (lambda log, sent, key, text: None, "returned None", "not yet"),
        (always, "stored a message again"),
        (by_text, "whose key is new"),
        (setdefault_alone, "stored a message again"),
        (silent_the_second_time, "waits for the id"),
        (highest_number_only, "whose key is new"),
        (stores_nothing, "stored nothing"),
        (twice_at_once, "more than once"),
        (stores_a_pair, "not the text"),
    ),
    *wrong(
        "gap-or-replay",
        (lambda last, epoch, first, log_epoch: None, "returned None", "not yet"),
        (lambda last, epoch, first, log_epoch: "replay", ""),
        (lambda last, epoch, first, log_epoch: "snapshot", ""),
        (lambda last, epoch, first, log_epoch: "replay" if epoch == log_epoch else "snapshot", "trimmed"),
        (
            lambda last, epoch, first, log_epoch: (
                "replay" if last and number(last) >= number(first) else "snapshot"
            ),
            "epoch",
        ),
        (
            lambda last, epoch, first, log_epoch: (
                "replay" if last and epoch == log_epoch and number(last) > number(first) else "snapshot"
            ),
            "oldest in the log",
        ),
        (
            lambda last, epoch, first, log_epoch: (
                "replay" if last and epoch == log_epoch and last >= first else "snapshot"
            ),
            "as numbers",
        ),
        (lambda last, epoch, first, log_epoch: epoch == log_epoch, ""),
        (
            lambda last, epoch, first, log_epoch: (
                "replay"
                if last and epoch == log_epoch and number(last)[0] >= number(first)[0]
                else "snapshot"
            ),
            "the counter",
        ),
    ),
    *wrong(
        "plan-a-million",
        (dict.fromkeys(PLAN, ...), "Still to fill in", "not yet"),
        ({**PLAN, "processes": 10}, "'processes'"),
        ({**PLAN, "memory in MiB": 10000}, "50 MiB before"),
        ({**PLAN, "reads of one message": 1_000_000}, "reads a message once"),
        ({**PLAN, "delivery in ms": 30_000}, "one process for all"),
        ({**PLAN, "delivery in ms": 0.3}, "'delivery in ms'"),
        ({"processes": 100}, "missing"),
        (100, "not a dict"),
    ),
]
RIGHT = [
    *right("past-and-live", by_loop, by_set, by_filter),
    *right("store-once", stored, stored_by_get, stored_by_try),
    *right("gap-or-replay", at_most_new, step_by_step, by_table),
    *right("plan-a-million", PLAN),
]
