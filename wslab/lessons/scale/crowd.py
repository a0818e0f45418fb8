"""A crowd of clients that number their messages, come back after a break, and write down what arrives.

A client sends ``{"key": "7:3"}``, its number and the number of its message, and keeps it until the worker
answers ``{"ack": "7:3"}``. After a break it connects to the next worker with the id of the last message that
it got, ``?last=…``, and sends again what was not acknowledged. A message arrives as ``{"id": …, "m": text}``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress

from wslab import ConnectionClosed, connect
from wslab.aio.client import ClientConnection

__all__ = ["Client", "Crowd"]


class Client:
    """A client: its worker, what it said, and what it got."""

    def __init__(self, number: int, crowd: Crowd) -> None:
        self.number, self.crowd = number, crowd
        self.at = number % len(crowd.ports)  # its worker
        self.kept: dict[str, str] = {}  # what is not acknowledged: key to message
        self.got: list[str] = []  # keys, in the order of arrival
        self.last = "0-0"  # the id of the last message that it got
        self.said = 0
        self.ws: ClientConnection | None = None

    async def run(self) -> None:
        """Stay connected, to one worker after the other."""
        while True:
            with suppress(ConnectionClosed, OSError):
                await self._visit()
            self.ws = None
            self.crowd.changed()
            self.at = (self.at + 1) % len(self.crowd.ports)
            await self.crowd.may_return.wait()

    async def _visit(self) -> None:
        uri = f"ws://127.0.0.1:{self.crowd.ports[self.at]}/?last={self.last}"
        async with connect(uri, ping_interval=None) as ws:
            for text in self.kept.values():
                await ws.send(text)
            self.ws = ws
            self.crowd.changed()
            async for received in ws:
                self._take(json.loads(received))
                self.crowd.changed()

    def _take(self, message: dict[str, str]) -> None:
        if "ack" in message:
            self.kept.pop(message["ack"], None)
            return
        self.got.append(json.loads(message["m"])["key"])
        self.last = message.get("id", self.last)

    async def say(self) -> None:
        """Say the next message; what cannot be sent now is sent after coming back."""
        self.said += 1
        key = f"{self.number}:{self.said}"
        text = self.kept[key] = json.dumps({"key": key})
        self.crowd.sent.append(key)
        if self.ws:
            with suppress(ConnectionClosed):
                await self.ws.send(text)


class Crowd:
    """Clients, in turn on the workers.

    Args:
        ports: of the workers; may be changed, for when a client comes back.
        count: how many clients.
        patience: seconds that anything may take.
    """

    def __init__(self, ports: Sequence[int], count: int, patience: float = 20.0) -> None:
        self.ports, self.patience = list(ports), patience
        self.sent: list[str] = []
        self.may_return = asyncio.Event()
        self.may_return.set()
        self._news = asyncio.Event()
        self.clients = [Client(number, self) for number in range(count)]

    async def __aenter__(self) -> Crowd:
        self._tasks = [asyncio.create_task(each.run()) for each in self.clients]
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

    def changed(self) -> None:
        """Wake who waits for something in the crowd."""
        self._news.set()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened; raises TimeoutError when it does not."""
        async with asyncio.timeout(self.patience):
            while not happened():
                self._news.clear()
                await self._news.wait()

    def all_there(self) -> bool:
        """Return whether every client is connected."""
        return all(each.ws for each in self.clients)

    async def talk(self, clients: Sequence[Client], rounds: int = 1) -> None:
        """Let each of the clients say a message, and wait until all are acknowledged, as often as asked."""
        for _ in range(rounds):
            for each in clients:
                await each.say()
            await self.until(lambda: not any(each.kept for each in clients))

    async def settle(self, clients: Sequence[Client]) -> None:
        """Wait until each of the clients has got what all of them said: an acknowledgement may be quicker."""
        numbers = {each.number for each in clients}
        said = {key for key in self.sent if int(key.partition(":")[0]) in numbers}
        await self.until(lambda: all(said <= set(each.got) for each in clients))

    async def finish(self) -> None:
        """Let the first client say a last message, and wait until it has arrived everywhere.

        A worker hears its log in order, so everything before it has then arrived, or never will.
        """
        await self.talk(self.clients[:1])
        end = self.sent[-1]
        await self.until(lambda: all(end in each.got for each in self.clients))
