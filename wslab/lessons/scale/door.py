"""One address in front of two workers: the lesson's own load balancer, with a tap in front of it."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

from IPython.display import Image

from wslab.lab import Tap, show
from wslab.lessons.scale.log_server import ABSENT, LogServer
from wslab.lessons.scale.processes import Workers

__all__ = ["Door", "Enter"]

Enter = Callable[[StreamReader, StreamWriter, dict[int, int]], Awaitable[None]]
_KEPT = Path(__file__).parents[3] / "docs" / "page-11.png"


class Door:
    """Two workers behind one port.

    Args:
        log: the log server; without one, nothing is started.
        program: the worker, which serves the page `scale.html`.
        enter: serves one connection; it gets its reader and writer, and the load: for the port of each worker
            the number of its WebSockets, which it keeps up to date.
    """

    _latest: ClassVar[Door | None] = None  # a cell that starts a door, run twice, leaves no workers behind

    def __init__(self, log: LogServer, program: str, enter: Enter) -> None:
        self._log, self._enter = log, enter
        self._workers = Workers(program, (log.host, log.port), count=2)
        self._visits: set[asyncio.Future[None]] = set()

    async def start(self) -> Door:
        """Start the workers and the door, and return the door; stop the one that was started before."""
        if Door._latest:
            await Door._latest.stop()
        if self._log:
            Door._latest = self
            await self._log.empty()
            await self._workers.__aenter__()
            self.load = dict.fromkeys(self._workers.ports, 0)
            self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
            self.tap = await Tap(self._server.sockets[0].getsockname()[1]).start()
        return self

    def _join(self, reader: StreamReader, writer: StreamWriter) -> None:
        visit = asyncio.ensure_future(self._enter(reader, writer, self.load))
        self._visits.add(visit)
        visit.add_done_callback(self._visits.discard)

    def show(self) -> Any:
        """Return two pages on this address and the wire; a kept picture where there is no log server."""
        if self._workers.ports:
            return show(self.tap.port, "scale.html", "scale.html", wire=self.tap)
        print(ABSENT)
        words = "A page of the chat, and its wire, when a worker was killed: what it sent is sent again."
        return Image(str(_KEPT), alt=words, width=640)  # type: ignore[no-untyped-call]

    def kill(self, number: int) -> None:
        """Kill a worker with -9, if there is one."""
        if self._workers.ports:
            self._workers.kill(number)

    async def stop(self) -> None:
        """Close door, tap and workers."""
        if Door._latest is self:
            Door._latest = None
        if self._workers.ports:
            await self.tap.stop()
            self._server.close()
            await self._workers.__aexit__()
            self._workers.ports = []
            await asyncio.gather(*self._visits, return_exceptions=True)
