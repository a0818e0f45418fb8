"""One load for every way to tell everyone: a speaker, some readers, and one reader whose network is frozen.

Ada says lines at a steady rate. Bob, Cy and Dee read. Eve is connected through a tap, which freezes: to the
server she is a reader that does not read. Her network thaws when the others have received everything, or when
the server is stuck. Latencies count from when a line was due: a server that holds up the speaker is slow too.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from wslab.lab.wire.tap import Tap
from wslab.lessons.chat.people import Handler

__all__ = ["COUNT", "RATE", "Load", "under_load"]

COUNT = 120  # lines that Ada says
SIZE = 16 * 2**10  # characters of a line: the lines of a busy hour in one second
RATE = 200  # lines a second
READERS = ("Bob", "Cy", "Dee")
BUFFER = 2**16  # bytes that the system may hold for Eve, in the server
LOOK = 0.005  # seconds between two looks at the server
PATIENCE = 20.0  # seconds after which something is broken


@dataclass(eq=False)
class Load:
    """What one way of telling everyone did under load."""

    name: str  # of the handler
    latencies: list[tuple[float, float]] = field(default_factory=list)  # when due, how much later; seconds
    heard: dict[str, int] = field(default_factory=lambda: dict.fromkeys(READERS, 0))  # before the thaw
    waiting: int = 0  # the most bytes that waited for Eve in the memory of the server
    errors: list[Exception] = field(default_factory=list)  # what ended a handler, if something did
    dropped: bool = False  # whether the server disconnected Eve

    @property
    def all_heard(self) -> bool:
        """Whether Bob, Cy and Dee had received every line while Eve was frozen."""
        return all(heard == COUNT for heard in self.heard.values())

    def __repr__(self) -> str:
        heard = "every line" if self.all_heard else "a part of the lines, then nothing"
        lines = [f"{self.name}, with Eve frozen and {COUNT} lines of Ada:\nBob, Cy and Dee receive {heard}."]
        lines += ["The server disconnected Eve."] if self.dropped else []
        lines += [f"A handler failed: {type(error).__name__}: {error}" for error in self.errors]
        return "\n".join(lines)


async def under_load(
    handler: Handler, members: Mapping[Any, Any] | None = None, *, latecomer: bool = False
) -> Load:
    """Put a handler under the load of this module.

    Args:
        handler: of a server of ``websockets``; it sends every message to every connection.
        members: for each connection an object with its ``queue``, if the handler has queues.
        latecomer: whether someone joins while the server is stuck.
    """
    trial = _Trial(handler, {} if members is None else members)
    async with asyncio.timeout(PATIENCE):
        await trial.run(latecomer)
    return trial.load


class _Trial:
    def __init__(self, handler: Handler, members: Mapping[Any, Any]) -> None:
        self.load = Load(handler.__name__)
        self._handler, self._members = handler, members
        self._eve: ServerConnection | None = None
        self._thawed = False
        self._over = asyncio.Event()
        self._heard = dict.fromkeys(READERS, 0)
        self._start = 0.0

    async def run(self, latecomer: bool) -> None:
        async with (
            serve(self._handle, "127.0.0.1", 0, compression=None, close_timeout=0.1) as server,
            Tap(port := server.sockets[0].getsockname()[1], limit=0) as tap,
            contextlib.AsyncExitStack() as stack,
        ):
            uri = f"ws://127.0.0.1:{port}"

            async def enter(uri: str) -> ClientConnection:
                client = connect(uri, compression=None, close_timeout=0.1, ping_interval=None)
                return await stack.enter_async_context(client)

            eve = await enter(f"ws://127.0.0.1:{tap.port}")
            clients = [await enter(uri) for _ in READERS]
            ada = await enter(uri)
            tap.freeze()
            readers = [asyncio.create_task(self._read(*pair)) for pair in zip(READERS, clients, strict=True)]
            others = [asyncio.create_task(_drain(client)) for client in (ada, eve)]
            speaker = asyncio.create_task(self._speak(ada))
            await self._watch()
            if latecomer:
                others.append(asyncio.create_task(_drain(await enter(uri))))
            self._thawed, self.load.heard = True, dict(self._heard)
            tap.thaw()
            await self._over.wait()
            for task in (tasks := [*readers, *others, speaker]):
                task.cancel()
            await asyncio.wait(tasks)

    async def _handle(self, websocket: ServerConnection) -> None:
        if self._eve is None:
            self._eve = websocket
            made = websocket.transport.get_extra_info("socket")
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        try:
            await self._handler(websocket)
        except websockets.ConnectionClosed:
            pass
        except Exception as error:
            self.load.errors.append(error)
            self._over.set()
            await websocket.close(1011)
        finally:
            self.load.dropped |= websocket is self._eve and not self._thawed

    async def _speak(self, ada: ClientConnection) -> None:
        self._start = time.perf_counter()
        with contextlib.suppress(websockets.ConnectionClosed):
            for number in range(COUNT):
                await asyncio.sleep(self._start + number / RATE - time.perf_counter())
                await ada.send(f"{number} ".ljust(SIZE, "-"))

    async def _read(self, name: str, client: ClientConnection) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            async for message in client:
                due = int(str(message).split()[0]) / RATE
                self.load.latencies.append((due, time.perf_counter() - self._start - due))
                self._heard[name] += 1
                if self._everything():
                    self._over.set()

    async def _watch(self) -> None:
        """Wait until everything has arrived, or nothing arrives any more although all was to be said."""
        quiet = before = 0
        while quiet < 50 and not self._everything():
            total = sum(self._heard.values())
            late = time.perf_counter() - self._start > COUNT / RATE
            # Looks are counted, not seconds: a client that can receive something does so between two of them.
            quiet = quiet + 1 if late and total == before else 0
            before = total
            self.load.waiting = max(self.load.waiting, self._waiting())
            await asyncio.sleep(LOOK)

    def _everything(self) -> bool:
        return min(self._heard.values()) == COUNT

    def _waiting(self) -> int:
        assert self._eve  # the first client that connected
        member = self._members.get(self._eve)
        queued = member.queue.qsize() * SIZE if member else 0
        return int(self._eve.transport.get_write_buffer_size()) + queued


async def _drain(client: ClientConnection) -> None:
    with contextlib.suppress(websockets.ConnectionClosed):
        async for _ in client:
            pass
