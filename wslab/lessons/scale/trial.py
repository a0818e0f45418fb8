"""A trial of a worker program: three processes, 24 clients, one process killed, every arrival counted.

Each trial has the same course. Everyone speaks; the second worker is killed; the others go on speaking
before its clients come back; everyone speaks again. `kill` says in which moment: "between messages", when
nothing is on the way; "before the answer", when messages are stored and their acknowledgements stuck in the
network; or "any time", while everyone speaks. What a client does at a worker, from the handshake on, is the
lesson's own `visit`; a client here only remembers, speaks, and goes from one worker to the next.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wslab import ConnectionClosed
from wslab.lab import Tap
from wslab.lessons.scale.log_server import ABSENT, LogServer
from wslab.lessons.scale.processes import Workers
from wslab.lessons.scale.report import Report

__all__ = ["KEPT", "KILLS", "Client", "Crowd", "Visit", "kept", "trial"]

KILLS = ("", "between messages", "before the answer", "any time")
WORKERS, CLIENTS = 3, 24
DOOMED = 1  # the number of the worker that is killed
PATIENCE = 20.0  # seconds that anything may take
KEPT = Path(__file__).with_name("kept.json")


@dataclass
class Client:
    """A client's memory: its worker, what it said, and what it got."""

    number: int
    at: int  # its worker
    said: int = 0
    kept: dict[str, str] = field(default_factory=dict)  # what is not acknowledged: key to message
    got: list[str] = field(default_factory=list)  # messages, in the order of arrival
    last: str = "0-0"  # the id of the last message that it got
    ws: Any = None


Visit = Callable[[Client, int], Awaitable[None]]


class Crowd:
    """Clients, in turn on the workers.

    Args:
        visit: what a client does at the worker on a port, until the connection ends.
        ports: of the workers; may be changed, for when a client comes back.
        count: how many clients.
    """

    def __init__(self, visit: Visit, ports: Sequence[int], count: int = CLIENTS) -> None:
        self.ports, self._visit = list(ports), visit
        self.sent: list[str] = []
        self.may_return = asyncio.Event()
        self.may_return.set()
        self.clients = [Client(number, number % len(ports)) for number in range(count)]

    async def __aenter__(self) -> Crowd:
        self._tasks = [asyncio.create_task(self._stay(each)) for each in self.clients]
        try:
            await self.until(self.all_there)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _stay(self, client: Client) -> None:
        while True:
            with suppress(ConnectionClosed, OSError):
                await self._visit(client, self.ports[client.at])
            client.ws = None
            client.at = (client.at + 1) % len(self.ports)
            await asyncio.sleep(0.01)  # a visit that ends at once must not hold the loop
            await self.may_return.wait()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened.

        Raises:
            TimeoutError: it does not happen; or what a visit raises.
        """
        async with asyncio.timeout(PATIENCE):
            while not happened():
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.005)

    def all_there(self) -> bool:
        """Return whether every client is connected."""
        return all(each.ws for each in self.clients)

    async def say(self, clients: Sequence[Client]) -> set[str]:
        """Let each say a message, and return them; one that cannot be sent now is sent after coming back."""
        said = set()
        for each in clients:
            each.said += 1
            key = f"{each.number}:{each.said}"
            text = each.kept[key] = json.dumps({"key": key})
            said.add(text)
            self.sent.append(text)
            if each.ws:
                with suppress(ConnectionClosed):
                    await each.ws.send(text)
        return said

    async def talk(self, clients: Sequence[Client]) -> set[str]:
        """Let each say two messages, each acknowledged before the next, and return them."""
        said = set()
        for _ in range(2):
            said |= await self.say(clients)
            await self.until(lambda: not any(each.kept for each in clients))
        return said

    async def hear(self, clients: Sequence[Client], said: set[str]) -> None:
        """Wait until each of the clients has got what was said: an acknowledgement may be quicker."""
        await self.until(lambda: all(said <= set(each.got) for each in clients))

    def report(self, name: str) -> Report:
        """Return what was said, and what arrived."""
        texts = [self.sent, *(each.got for each in self.clients)]
        sent, *got = [[json.loads(text)["key"] for text in each] for each in texts]
        return Report(name, sent, got)


async def trial(log: LogServer, visit: Visit, name: str, program: str, *, kill: str = "") -> Report:
    """Run a worker program as three processes with 24 clients, and count what arrives.

    Args:
        log: the log server.
        visit: what a client does at a worker.
        name: what is tried; without a log server, the kept run of this name is shown.
        program: the worker; it gets the host and the port of the log as arguments.
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
        Crowd(visit, [*workers.ports[:DOOMED], tap.port, *workers.ports[DOOMED + 1 :]]) as crowd,
    ):
        said = await crowd.talk(crowd.clients)
        if kill:
            await _break(kill, crowd, workers, tap, said)
        await crowd.talk(crowd.clients)
        # A worker hears its log in order: when this has arrived, all before it has, or never will.
        await crowd.hear(crowd.clients, await crowd.say(crowd.clients[:1]))
        return crowd.report(name)


async def _break(kill: str, crowd: Crowd, workers: Workers, tap: Tap, said: set[str]) -> None:
    doomed = [each for each in crowd.clients if each.at == DOOMED]
    others = [each for each in crowd.clients if each.at != DOOMED]
    crowd.may_return.clear()
    if kill == "any time":
        for _ in range(2):
            await crowd.say(crowd.clients)
    else:
        await crowd.hear(crowd.clients, said)
    if kill == "before the answer":  # messages reach the log, and no answer their senders
        tap.freeze("server")
        await crowd.hear(others, await crowd.say(doomed))
    workers.kill(DOOMED)
    tap.cut()
    await crowd.until(lambda: not any(each.ws for each in doomed))
    await crowd.hear(others, await crowd.talk(others))
    del crowd.ports[DOOMED]
    for each in doomed:
        each.at = each.number % len(crowd.ports)
    crowd.may_return.set()
    await crowd.until(crowd.all_there)


def kept(name: str) -> Report:
    """Return the course's own run of this name, and print the sentence that says so."""
    run: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))[name]
    sent: list[str] = run["sent"].split()
    got = [
        [key for key, times in zip(sent, counts, strict=True) for _ in range(int(times))]
        for counts in run["got"]
    ]
    print(ABSENT)
    return Report(name, sent, got)
