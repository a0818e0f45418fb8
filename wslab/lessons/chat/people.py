"""Clients of a chat that a lesson moves by hand: guests who say and hear one thing at a time, and a stranger.

They speak the protocol of ``pages/README.md``. What a guest hears is shown without ``at``, the time of a
line, because that differs from run to run. Each wait is bounded. A cell may be run again: a guest that enters
leaves first if it is there already.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake

__all__ = ["Guest", "Handler", "stranger"]

Handler = Callable[[ServerConnection], Awaitable[None]]
PATIENCE = 5.0  # seconds that a guest waits


class Guest:
    """A client that takes part in a chat by hand: ``guest = await Guest.enter(port, "Ada")``."""

    _entered: ClassVar[dict[tuple[int, str, str], Guest]] = {}  # by port, name and room

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    @classmethod
    async def enter(cls, port: int, name: str, room: str = "tea") -> Self:
        """Connect to a port of 127.0.0.1, and ask to join a room; ConnectionError if no server listens."""
        if before := cls._entered.pop((port, name, room), None):
            await before.leave()
        try:
            guest = cls(await connect(f"ws://127.0.0.1:{port}", compression=None, open_timeout=PATIENCE))
        except (OSError, InvalidHandshake):
            raise ConnectionError("No chat listens there any more. Run the cell that opens it.") from None
        cls._entered[port, name, room] = guest
        await guest.send(json.dumps({"type": "join", "name": name, "room": room}))
        return guest

    async def send(self, message: str | bytes) -> None:
        """Send anything, well-formed or not."""
        async with asyncio.timeout(PATIENCE):
            await self._connection.send(message)

    async def say(self, text: str) -> None:
        """Ask the server to send a text to the room."""
        await self.send(json.dumps({"type": "say", "text": text}))

    async def hear(self, kind: str | None = None) -> dict[str, Any]:
        """Return the next message, or the next of a type such as "left"; TimeoutError if none arrives."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    fields = json.loads(await self._connection.recv(), object_hook=_without_time)
                    if kind in (None, fields["type"]):
                        return dict(fields)
        except TimeoutError:
            raise TimeoutError(f"no message {kind or ''} arrived within {PATIENCE:g} seconds") from None

    async def leave(self) -> None:
        """Close the connection."""
        for place in [place for place, guest in self._entered.items() if guest is self]:
            del self._entered[place]
        await self._connection.close()


def _without_time(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != "at"}


async def stranger(handler: Handler, *messages: str | bytes) -> list[tuple[str, str]]:
    """Join a chat of the handler as Eve and send one message, for each message; return what came back.

    That is the code and the sentence of each answer, or its type and text; or the close code.
    """
    answers = []
    quiet = logging.Logger("quiet", logging.CRITICAL + 1)  # the handler may fail, which is told here
    async with serve(handler, "127.0.0.1", 0, logger=quiet) as server:
        for message in messages:
            guest = await Guest.enter(server.sockets[0].getsockname()[1], "Eve")
            await guest.hear("welcome")
            await guest.send(message)
            try:
                came = await guest.hear()
                answers.append((came.get("code", came["type"]), str(came.get("sentence", came.get("text")))))
            except ConnectionClosed as closed:
                answers.append(("closed", f"close code {closed.rcvd.code if closed.rcvd else 1006}"))
            await guest.leave()
    return answers
