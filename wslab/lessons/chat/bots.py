"""Many people in a chat, who are programs: how long does a line take to reach everyone?

Lines are due at moments drawn from a seed. A latency counts from the moment when a line was due, so that a
program that was too busy to send it counts as slow too.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect

__all__ = ["Talk", "talk"]

RATE = 30  # lines a second, all bots together
AT_ONCE = 20  # opening handshakes at the same time
PATIENCE = 30.0  # seconds after which something is broken


@dataclass(eq=False, repr=False)
class Talk:
    """What the bots received, and when.

    >>> Talk(200, 10, 100)
    200 bots in 10 rooms: 0 of 2000 deliveries
    """

    bots: int
    rooms: int
    lines: int
    latencies: list[float] = field(default_factory=list)  # of each line at each bot, in milliseconds
    others: int = 0  # messages that are not ``said``: who joined and who left

    @property
    def expected(self) -> int:
        """How many deliveries there are if everyone receives every line of their room."""
        return self.lines * self.bots // self.rooms

    def percentile(self, percent: float) -> float:
        """Return the latency below which so many percent of the deliveries are, in milliseconds."""
        latencies = sorted(self.latencies)
        return latencies[min(len(latencies) - 1, int(len(latencies) * percent / 100))]

    def __repr__(self) -> str:
        rooms = f"{self.rooms} rooms" if self.rooms > 1 else "one room"
        return f"{self.bots} bots in {rooms}: {len(self.latencies)} of {self.expected} deliveries"


async def talk(port: int, bots: int = 200, rooms: int = 1, lines: int = 30) -> Talk:
    """Let bots talk in a chat, and measure.

    Args:
        port: where the chat listens on 127.0.0.1.
        bots: how many; a multiple of ``rooms``, because equally many join each.
        lines: how many lines are said, in all rooms together.

    Raises TimeoutError if not everything has arrived within `PATIENCE`.
    """
    crowd = _Crowd(Talk(bots, rooms, lines))
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
        stack.push_async_callback(crowd.leave)
        await crowd.enter(port)
        await crowd.speak(random.Random(7))
        await crowd.done.wait()
    return crowd.talk


class _Crowd:
    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.done = asyncio.Event()
        self._clients: list[ClientConnection] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._due: list[float] = []

    async def enter(self, port: int) -> None:
        """Connect every bot, a few at a time, and wait until all have been welcomed."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def join(number: int) -> None:
            async with gate:
                client = await connect(f"ws://127.0.0.1:{port}", compression=None, ping_interval=None)
                self._clients.append(client)
                room = f"room {number % self.talk.rooms}"
                await client.send(json.dumps({"type": "join", "name": f"bot {number}", "room": room}))
                while json.loads(await client.recv())["type"] != "welcome":
                    self.talk.others += 1
            self._tasks.append(asyncio.create_task(self._listen(client)))

        await asyncio.gather(*(join(number) for number in range(self.talk.bots)))

    async def speak(self, numbers: random.Random) -> None:
        """Say every line when it is due."""
        moment = time.perf_counter()
        for number in range(self.talk.lines):
            moment += numbers.expovariate(RATE)
            self._due.append(moment)
            await asyncio.sleep(moment - time.perf_counter())
            await numbers.choice(self._clients).send(json.dumps({"type": "say", "text": str(number)}))

    async def leave(self) -> None:
        """Close every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(client.close() for client in self._clients))

    async def _listen(self, client: ClientConnection) -> None:
        async for message in client:
            heard = time.perf_counter()
            fields = json.loads(message)
            if fields["type"] != "said":
                self.talk.others += 1
                continue
            self.talk.latencies.append(1000 * (heard - self._due[int(fields["text"])]))
            if len(self.talk.latencies) == self.talk.expected:
                self.done.set()
