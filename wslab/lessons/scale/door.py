"""One address in front of several workers.

The door reads the head of a request to see whether a WebSocket is asked for; it gives each WebSocket to the
living worker with the fewest, and from then on passes bytes. It knows nothing of frames.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from wslab.lab import Tap, show
from wslab.lessons.scale.log_server import ABSENT, LogServer
from wslab.lessons.scale.processes import Workers

__all__ = ["Door"]


class Door:
    """Two workers behind one port, with a tap in front of it.

    Args:
        program: the worker, which serves the page `scale.html`.
        log: the log server; without one, nothing is started.
    """

    def __init__(self, program: str, log: LogServer) -> None:
        self._log = log
        self._workers = Workers(program, (log.host, log.port), count=2)
        self._visits: set[asyncio.Task[None]] = set()
        self._open: list[int] = []  # the WebSockets of each worker

    async def start(self) -> Door:
        """Start the workers and the door, and return the door."""
        if self._log:
            await self._log.empty()
            await self._workers.__aenter__()
            self._open = [0] * len(self._workers.ports)
            self._server = await asyncio.start_server(self._visit, "127.0.0.1", 0)
            self.tap = await Tap(self._server.sockets[0].getsockname()[1]).start()
        return self

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._visits.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            await self._pass_on(head, reader, writer, int(b"\r\nupgrade: websocket" in head.lower()))
        writer.close()
        self._visits.discard(task)

    async def _pass_on(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: int
    ) -> None:
        """Hand a request to the first worker that is there, the one with the fewest WebSockets first."""
        for number in sorted(range(len(self._open)), key=self._open.__getitem__):
            with suppress(ConnectionRefusedError):
                back, forth = await asyncio.open_connection("127.0.0.1", self._workers.ports[number])
                forth.write(head)
                self._open[number] += counts
                pumps = [asyncio.create_task(_pump(reader, forth)), asyncio.create_task(_pump(back, writer))]
                try:
                    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    self._open[number] -= counts
                    for each in pumps:
                        each.cancel()
                    await asyncio.gather(*pumps, return_exceptions=True)
                    forth.close()
                return

    def show(self) -> Any:
        """Return two pages on this address and the wire, or print the sentence that says why not."""
        if not self._open:
            print(ABSENT)
            return None
        return show(self.tap.port, "scale.html", "scale.html", wire=self.tap)

    def kill(self, number: int) -> None:
        """Kill a worker with -9, if there is one."""
        if self._open:
            self._workers.kill(number)

    async def stop(self) -> None:
        """Close door, tap and workers."""
        if self._open:
            await self.tap.stop()
            self._server.close()
            if self._visits:  # they end because the tap has reset them
                await asyncio.wait(self._visits, timeout=5)
            await self._workers.__aexit__()
            self._open = []


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
