"""A trial of a worker program: three processes, a crowd, one process killed, the deliveries counted.

Each trial has the same course. Everybody speaks; the second worker is killed; the others go on speaking
before its clients come back; everybody speaks again. `kill` says in which moment: "between messages", when
nothing is on the way; "before the answer", when messages are stored and their acknowledgements stuck in the
network; or "any time", while everybody speaks.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wslab.lab import Tap
from wslab.lessons.scale.crowd import Client, Crowd
from wslab.lessons.scale.log_server import ABSENT, LogServer
from wslab.lessons.scale.processes import Workers
from wslab.lessons.scale.report import Report

__all__ = ["KILLS", "trial"]

KILLS = ("", "between messages", "before the answer", "any time")
WORKERS, CLIENTS = 3, 24
DOOMED = 1  # the number of the worker that is killed
_KEPT = Path(__file__).with_name("kept.json")


async def trial(name: str, program: str, log: LogServer, *, kill: str = "") -> Report:
    """Run a worker program as three processes with 24 clients, and count what arrives.

    Args:
        name: what is tried; without a log server, the kept run of this name is shown.
        program: the worker; it gets the host and the port of the log as arguments.
        log: the log server.
        kill: when the second worker is killed; "" for never.
    """
    if kill not in KILLS:
        raise ValueError(f"kill is one of {KILLS}, not {kill!r}")
    if not log:
        return kept(name)
    await log.empty()
    async with (
        Workers(program, (log.host, log.port), count=WORKERS) as workers,
        Tap(workers.ports[DOOMED]) as tap,
        Crowd([*workers.ports[:DOOMED], tap.port, *workers.ports[DOOMED + 1 :]], CLIENTS) as crowd,
    ):
        await crowd.talk(crowd.clients, 2)
        if kill:
            await _break(kill, crowd, workers, tap)
        await crowd.talk(crowd.clients, 2)
        await crowd.finish()
        return Report(name, crowd.sent, [list(each.got) for each in crowd.clients])


async def _break(kill: str, crowd: Crowd, workers: Workers, tap: Tap) -> None:
    doomed = [each for each in crowd.clients if each.at == DOOMED]
    others = [each for each in crowd.clients if each.at != DOOMED]
    crowd.may_return.clear()
    if kill != "any time":
        await crowd.settle(crowd.clients)
    if kill == "before the answer":
        await _say_into_silence(crowd, doomed, others, tap)
    elif kill == "any time":
        for each in [*crowd.clients, *crowd.clients]:
            await each.say()
    workers.kill(DOOMED)
    tap.cut()
    await crowd.until(lambda: not any(each.ws for each in doomed))
    await crowd.talk(others, 2)
    await crowd.settle(others)
    crowd.ports = [port for number, port in enumerate(crowd.ports) if number != DOOMED]
    for each in doomed:
        each.at = each.number % len(crowd.ports)
    crowd.may_return.set()
    await crowd.until(crowd.all_there)


async def _say_into_silence(crowd: Crowd, doomed: list[Client], others: list[Client], tap: Tap) -> None:
    """Let messages reach the log, and no answer reach their senders."""
    tap.freeze("server")
    for each in doomed:
        await each.say()
    said = set(crowd.sent[-len(doomed) :])
    await crowd.until(lambda: all(said <= set(each.got) for each in others))


def kept(name: str) -> Report:
    """Return the course's own run of this name, with the sentence that says so."""
    run: dict[str, Any] = json.loads(_KEPT.read_text(encoding="utf-8"))[name]
    sent: list[str] = run["sent"].split()
    got = [
        [key for key, times in zip(sent, counts, strict=True) for _ in range(int(times))]
        for counts in run["got"]
    ]
    return Report(name, sent, got, ABSENT)
