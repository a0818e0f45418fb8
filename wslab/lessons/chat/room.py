"""A chat: rooms, who is in them, what was said, and what each newcomer is told.

``Chat.handler`` is the handler of a server, of ``websockets`` or of ``wslab``. It reads messages with
``chat_messages``, keeps the rooms, and offers news to each ``Member`` of a room, which never waits: a slow
reader delays nobody. What it refuses it says to the sender only, and the connection stays open.

A room exists while somebody is in it, or was: its history stays for who comes next. A name is taken while its
owner is connected; "Ada" and "ada" are the same name, or people would be mistaken for each other. Messages
arrive whole (RFC 6455 §5.4), so more bytes are never needed here.
"""

from __future__ import annotations

import json
import time
from collections import deque
from typing import Any

from wslab.lessons.chat.member import CLOSED, PENDING, RATE, Member
from wslab.lessons.chat.messages import Join, Refusal, Say, joined, left, read, said, welcome
from wslab.lessons.chat.panel import Panel, Presence

__all__ = ["Chat", "Room"]

HISTORY = 20  # messages that a room remembers
ROOMS = 1000  # that are remembered; the first empty ones are forgotten


class Room:
    """Hold who is in a room, and the last things said there."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.history: deque[dict[str, Any]] = deque(maxlen=HISTORY)

    def tell(self, message: str) -> None:
        """Offer a message to everybody in the room."""
        for member in self.members.values():  # nothing is awaited in here, so nobody comes or goes
            member.offer(message)


class Chat:
    """Run chat rooms for the connections of a server.

    Args:
        pending: how many messages may wait for one member before it is dropped.

    Use ``chat.handler`` as the handler of ``serve``.

    >>> Chat()
    <Chat: 0 members in 0 rooms>
    """

    def __init__(self, *, pending: int = PENDING) -> None:
        self.rooms: dict[str, Room] = {}
        self._pending = pending
        self._panels: list[Panel] = []

    def __repr__(self) -> str:
        rooms = [room for room in self.rooms.values() if room.members]
        return f"<Chat: {sum(len(room.members) for room in rooms)} members in {len(rooms)} rooms>"

    async def handler(self, websocket: Any) -> None:
        """Serve one connection until it is closed or lost."""
        async with Member(websocket, self._pending) as member:
            try:
                async for message in websocket:
                    self._receive(member, message)
            except CLOSED:
                pass  # lost, or closed with another code than 1000 and 1001: the member has left
            finally:
                self._leave(member)

    def presence(self, *, times: bool = False) -> Presence:
        """Return who is connected now, room by room, with how many frames each way.

        Args:
            times: whether it shows since when, which differs from run to run.
        """
        members = [member for room in self.rooms.values() for member in room.members.values()]
        return Presence.of(members, times=times)

    def panel(self) -> Panel:
        """Return a view of ``presence`` for the notebook that follows what happens."""
        self._panels.append(Panel(lambda: self.presence(times=True)))
        return self._panels[-1]

    def _receive(self, member: Member, message: str | bytes) -> None:
        member.received += 1
        try:
            if member.too_fast():
                raise Refusal("too-fast", f"More than {RATE} messages in a second are too many.")
            match read(message):
                case Join(name, room):
                    self._join(member, name, room)
                case Say(text):
                    self._say(member, text)
        except Refusal as refusal:
            member.offer(refusal.message)
        self._show()

    def _join(self, member: Member, name: str, room_name: str) -> None:
        if member.name:
            raise Refusal("already-joined", f"You are {member.name} already. Connect again to change it.")
        room = self.rooms.get(room_name) or self._open(room_name)
        if name.casefold() in room.members:
            raise Refusal("name-taken", f"Somebody here is called {name} already.")
        member.name, member.room = name, room_name
        room.tell(joined(name))
        room.members[name.casefold()] = member
        names = [other.name for other in room.members.values()]
        member.offer(welcome(name, room_name, names, room.history))

    def _say(self, member: Member, text: str) -> None:
        if not member.name:
            raise Refusal("not-joined", "Join a room first.")
        room = self.rooms[member.room]
        message = said(member.name, text, time.time())
        room.history.append(message)
        room.tell(json.dumps(message))

    def _leave(self, member: Member) -> None:
        if member.name:
            room = self.rooms[member.room]
            del room.members[member.name.casefold()]
            room.tell(left(member.name))
            self._show()

    def _open(self, name: str) -> Room:
        """Make a room; forget the oldest one without members if there are too many."""
        if len(self.rooms) >= ROOMS:
            empty = next((name for name, room in self.rooms.items() if not room.members), None)
            if empty is None:
                raise Refusal("too-many-rooms", f"There are {ROOMS} rooms already. Join one of them.")
            del self.rooms[empty]
        return self.rooms.setdefault(name, Room())

    def _show(self) -> None:
        for panel in self._panels:
            panel.refresh_soon()
