"""Two sockets joined: what one side sends, the other receives, and nothing is altered.

A ``Relay`` is one connection of a tap: two ends (sockets of asyncio, one to the client and one to the
server), and a ``Pipe`` each way that delays or holds what passes. The end of a direction (FIN) and the
reset of a connection (RST) are passed on as what they are, because a lesson shows which side closes first,
and how.

``recording`` keeps the bytes, ``reader`` says what they mean. TCP has no messages: what is passed on is what
one read returned, which may be cut differently from what was written.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from typing import cast

from wslab.lab.dissector.stream import Sender
from wslab.lab.wire.network import READ, Path, Pipe, Signal
from wslab.lab.wire.recording import Passage, Recording

__all__ = ["End", "Relay"]


def linger_zero(transport: asyncio.BaseTransport) -> None:
    """Ask for RST instead of FIN when this socket is closed: "linger for 0 seconds" says so."""
    layout = "hh" if sys.platform == "win32" else "ii"
    with contextlib.suppress(OSError):
        linger = struct.pack(layout, 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


class End(asyncio.BufferedProtocol):
    """One socket of a relay: it reads into one pipe, and writes what the other pipe delivers."""

    def __init__(self, relay: Relay, sender: Sender) -> None:
        self._relay, self.sender = relay, sender
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(READ)
        self._wanted = False
        self._finished = False  # its peer sends nothing more
        self.ended = False  # its peer was told that nothing more comes
        self.lost = False  # its socket is gone
        self.full = True  # nothing can be written now; so it begins, before it is connected

    @property
    def joined(self) -> bool:
        """Whether this end has, or had, a socket."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.pause_reading()
        self.full = False
        self._relay.joined(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._buffer)[: self._relay.room(self)]

    def buffer_updated(self, nbytes: int) -> None:
        self._relay.arrived(self, "bytes", bytes(memoryview(self._buffer)[:nbytes]))

    def eof_received(self) -> bool:
        self._finished = True
        self._relay.arrived(self, "FIN", Signal.FIN)
        return True  # keep the other direction open: a half-close is not a close

    def pause_writing(self) -> None:
        self.full = True
        self._relay.move()

    def resume_writing(self) -> None:
        self.full = False
        self._relay.move()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost, self.full = True, False
        if exc is not None:
            self._relay.arrived(self, "RST", Signal.RST)
        self._relay.left()

    def read(self, wanted: bool) -> None:
        """Read from the socket, or stop, so that its peer feels backpressure."""
        # After FIN the socket stays readable for ever: it must not be watched again.
        if self._transport is None or self._finished or wanted == self._wanted:
            return
        self._wanted = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def write(self, data: memoryview) -> None:
        """Send bytes, unless the socket is gone."""
        if self._transport is not None and not self.lost:
            self._transport.write(data)

    def signal(self, signal: Signal) -> None:
        """End the direction towards the peer, or the whole connection."""
        if signal is Signal.RST:
            self.abort()
        elif self._transport is not None and not self.lost and not self._transport.is_closing():
            self._transport.write_eof()
        self.ended = True
        self._relay.ended()

    def close(self) -> None:
        """Close the socket once everything has been written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Reset the connection: the peer gets RST, what was not yet written is lost."""
        if self._transport is None or self.lost:
            return
        linger_zero(self._transport)
        self._transport.abort()


class Relay:
    """One client joined to the server: two ends, and a pipe each way.

    ``number`` counts the connections of a tap from 1. The relay makes the client's protocol, and connects to
    the server as soon as a client is there.
    """

    def __init__(self, number: int, port: int, paths: dict[Sender, Path], recording: Recording) -> None:
        self.number, self._port, self._recording = number, port, recording
        self._loop = asyncio.get_running_loop()
        self.client, self.server = End(self, "client"), End(self, "server")
        clock = recording.clock
        self._pipes: dict[Sender, Pipe] = {
            "client": Pipe(paths["client"], self.client, self.server, clock),
            "server": Pipe(paths["server"], self.server, self.client, clock),
        }
        self.gone = asyncio.Event()  # both sockets are closed
        self._aborted = False
        self._opened: Passage | None = None
        self._connecting: asyncio.Task[None] | None = None

    def record(self, sender: Sender | None, event: str, data: bytes = b"") -> Passage:
        """Record what happened on this connection, now."""
        return self._recording.add(self.number, sender, event, data, now=self._loop.time())

    def joined(self, end: End) -> None:
        """Go on once an end is connected: after the client, connect to the server."""
        if self._aborted:
            end.abort()
        elif end is self.client:
            self._opened = self.record("client", "open")
            self._connecting = self._loop.create_task(self._connect())
        else:
            if self._opened is not None:
                self._opened.delivered = self._recording.clock(self._loop.time())
            self.move()

    async def _connect(self) -> None:
        try:
            await self._loop.create_connection(lambda: self.server, "127.0.0.1", self._port)
        except OSError as error:
            self.record(None, "refused" if isinstance(error, ConnectionRefusedError) else "unreachable")
            self.server.lost = True
            self.client.abort()

    def arrived(self, source: End, event: str, what: bytes | Signal) -> None:
        """Record what one end read, and put it on its way to the other."""
        passage = self.record(source.sender, event, what if isinstance(what, bytes) else b"")
        self._pipes[source.sender].take(what, passage)

    def room(self, source: End) -> int:
        """Return how many bytes one end may read at once."""
        return self._pipes[source.sender].room

    def move(self) -> None:
        """Go on in both directions after an end changed."""
        for pipe in self._pipes.values():
            pipe.move()

    def restart(self) -> None:
        """Go on in both directions after a path changed."""
        for pipe in self._pipes.values():
            pipe.restart()

    def ended(self) -> None:
        """Close both sockets when both directions have ended."""
        if self.client.ended and self.server.ended:
            self.client.close()
            self.server.close()

    def left(self) -> None:
        """Notice that an end is gone; when both are, so is the relay."""
        if self.client.lost and self.server.lost:
            self._drop()
            self.gone.set()
        else:
            self.move()

    def abort(self) -> None:
        """Reset the connection on both sides, whatever is still on the way."""
        self._aborted = True
        if self._connecting is not None:
            self._connecting.cancel()
        if not self.server.joined:
            self.server.lost = True
        self._drop()
        self.client.abort()
        self.server.abort()

    def _drop(self) -> None:
        for pipe in self._pipes.values():
            pipe.drop()
