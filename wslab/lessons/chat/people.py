"""People for a lesson: two who meet on any server, and guests of a chat who say and hear one thing at a time.

A ``Guest`` is a client of ``websockets`` that speaks the protocol of ``pages/README.md``. What it hears is
shown without ``at``, the time of a line, because that differs from run to run. Each wait is bounded: a lesson
that waits for what never comes says so. A cell may be run again: whoever enters leaves first if they are
there already. Messages arrive whole (RFC 6455 §5.4), no more bytes are needed.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidHandshake

__all__ = ["NOBODY", "Guest", "meet"]

PATIENCE = 5.0  # seconds that a guest waits
NOBODY = "No chat listens there any more. Run the cell that opens the chat again, then this one."


async def meet(handler: Callable[[ServerConnection], Awaitable[None]]) -> dict[str, str | bytes]:
    """Let Ada speak, then Bob, on a server of their own; return what each of them hears first.

    Args:
        handler: of a server of ``websockets``.

    Raises:
        TimeoutError: one of them heard nothing.
    """
    # A handler may fail when the other one leaves first; who watches this is not to be bothered with it.
    quiet = logging.Logger("meet", logging.CRITICAL)
    async with asyncio.timeout(PATIENCE), serve(handler, "127.0.0.1", 0, logger=quiet) as server:
        uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connect(uri) as bob, connect(uri) as ada:
            await ada.send("Hello from Ada")
            heard = await ada.recv()
            await bob.send("Hello from Bob")
            return {"Ada": heard, "Bob": await bob.recv()}


class Guest:
    """Take part in a chat, by hand.

    Args:
        connection: the client's end.

    ``guest = await Guest.enter(port, "Ada", "tea")`` connects and asks to come in.
    """

    _entered: ClassVar[dict[tuple[int, str, str], Guest]] = {}  # who came through which port, into which room

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    @classmethod
    async def enter(cls, port: int, name: str, room: str = "tea") -> Self:
        """Connect to 127.0.0.1, and ask to come into a room.

        Args:
            port: of the chat, or of the tap before it.
            name: of the guest.
            room: into which room.

        Raises:
            ConnectionError: nobody listens.
        """
        if before := cls._entered.pop((port, name, room), None):
            await before.leave()
        try:
            guest = cls(await connect(f"ws://127.0.0.1:{port}", compression=None, open_timeout=PATIENCE))
        except (OSError, InvalidHandshake):
            raise ConnectionError(NOBODY) from None
        cls._entered[port, name, room] = guest
        await guest.send(json.dumps({"type": "join", "name": name, "room": room}))
        return guest

    async def send(self, message: str | bytes) -> None:
        """Send anything, well-formed or not."""
        async with asyncio.timeout(PATIENCE):
            await self._connection.send(message)

    async def say(self, text: str) -> None:
        """Ask to tell the room a text."""
        await self.send(json.dumps({"type": "say", "text": text}))

    async def hear(self, kind: str | None = None) -> dict[str, Any]:
        """Return the next message without the times in it.

        Args:
            kind: a type, such as "left"; messages of other types are passed over.

        Raises:
            TimeoutError: none came within `PATIENCE`.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    fields = json.loads(await self._connection.recv(), object_hook=_without_time)
                    if kind in (None, fields["type"]):
                        return dict(fields)
        except TimeoutError:
            what = f"a message of the type {kind!r}" if kind else "a message"
            raise TimeoutError(f"{what} did not come within {PATIENCE:g} seconds") from None

    async def leave(self) -> None:
        """Close the connection."""
        for place in [place for place, guest in self._entered.items() if guest is self]:
            del self._entered[place]
        await self._connection.close()


def _without_time(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != "at"}
