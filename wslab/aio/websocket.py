"""A WebSocket connection on asyncio: what client and server have in common after the opening handshake.

This module moves octets between a transport and a :class:`wslab.connection.Connection`, and messages between
that and whoever awaits them. It knows backpressure in both directions, when a Close may go out and who ends
TCP (RFC 6455 §7.1.1). What the octets mean is left to ``connection``, the opening handshake to ``server`` and
``client``. All of a read is parsed at once, and what is sent in answer is written at once: a system call is
dearer than a message.

When more bytes are needed, the event loop calls again. :meth:`WebSocket.recv` waits for a whole message.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator
from typing import Literal, NamedTuple, cast

from wslab.aio.closed import ConnectionClosed, ConnectionClosedOK, connection_closed
from wslab.aio.heartbeat import Heartbeat
from wslab.aio.inbox import Inbox
from wslab.aio.pings import Pings
from wslab.close import CloseCode
from wslab.connection import Close, Connection, Event, Failure, InvalidState, Ping, Pong, ReadyState
from wslab.http import Request, Response

__all__ = ["Latency", "Limits", "WebSocket"]

INBOX_LIMIT = (
    2**20
)  # bytes of messages that wait for recv(); above, reading stops until half of them are taken
COALESCE = 2**16  # bytes of answers that may wait until all messages of a read are answered
PONGS = 2**16  # bytes of pongs that may wait for a peer that does not read; above, reading stops
ANSWER_TIME = 1.0  # seconds for the answers to the messages that came before the peer's Close


class Limits(NamedTuple):
    """What a connection allows: sizes in bytes, times in seconds, None for no limit."""

    max_size: int | None = 2**20
    ping_interval: float | None = 20
    ping_timeout: float | None = 20
    close_timeout: float | None = 10
    open_timeout: float | None = 10


class Latency(float):
    """Hold the seconds from a ping to its pong; awaited once more, as with ``websockets``, it is the same."""

    def __await__(self) -> Generator[None, None, Latency]:
        return self
        yield  # never reached: it makes this a generator, as await needs one


class WebSocket(asyncio.Protocol):
    """One end of a connection: ``send``, ``recv``, ``async for``, ``ping``, ``close``.

    Attributes:
        request: the request of the opening handshake.
        response: the response to it.
        subprotocol: the subprotocol that the server chose, or None.
    """

    def __init__(self, side: Literal["client", "server"], limits: Limits) -> None:
        self.request: Request | None = None
        self.response: Response | None = None
        self.subprotocol: str | None = None
        self._side = side
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._connection: Connection | None = None  # there is none before the opening handshake is done
        self._heartbeat: Heartbeat | None = None
        self._timer: asyncio.TimerHandle | None = None  # ends what takes too long: opening, or closing
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._inbox = Inbox()
        self._reading = True
        self._congested = False  # while the transport's buffer is above its high-water mark
        self._writable = asyncio.Event()  # wakes those who wait for the end of that
        self._unflushed = 0  # bytes that send() left for later
        self._pongs = 0  # bytes of pongs since the buffer is above that mark
        self._pings = Pings()
        self._holding: asyncio.TimerHandle | None = None  # while the Close waits for answers
        self._peer_ended = False  # the peer's half of TCP

    # -- what a caller sees ---------------------------------------------------------------------------------

    @property
    def ready_state(self) -> ReadyState:
        """Where the connection is in its life."""
        if self._connection:
            return self._connection.ready_state
        return ReadyState.CLOSED if self._closed.done() else ReadyState.CONNECTING

    @property
    def close_code(self) -> int | None:
        """The close code, once there is one (§7.1.5)."""
        return self._connection.close_code if self._connection else None

    @property
    def close_reason(self) -> str:
        """What came with the close code (§7.1.6)."""
        return self._connection.close_reason if self._connection else ""

    @property
    def latency(self) -> float:
        """Seconds from the last ping that was answered to its pong; 0 before."""
        return self._pings.latency

    @property
    def remote_address(self) -> tuple[str, int]:
        """Host and port of the peer."""
        return cast("tuple[str, int]", self._transport.get_extra_info("peername")[:2])

    async def recv(self) -> str | bytes:
        """Return the next message: a str if it came as text, bytes if it came as binary.

        Raises:
            ConnectionClosed: the connection is over and all its messages have been taken.
            RuntimeError: another task waits in ``recv`` already.
        """
        while not self._inbox.messages:
            await self._message_or_end()
        return self._take()

    def __aiter__(self) -> WebSocket:
        return self

    async def __anext__(self) -> str | bytes:
        """Return the next message; an ending in order (1000, 1001, no code) ends the iteration silently."""
        try:
            while not self._inbox.messages:
                await self._message_or_end()
        except ConnectionClosedOK:
            raise StopAsyncIteration from None
        return self._take()

    async def send(self, message: str | bytes | bytearray | memoryview) -> None:
        """Send a message: a str as text, bytes as binary. Wait while the peer reads too slowly.

        Raises:
            ConnectionClosed: a Close was sent, or the connection is over.
            TypeError: the message is neither str nor bytes-like.
        """
        connection = self._connection or self._opened()
        try:
            if isinstance(message, str):
                connection.send_text(message)
            else:
                connection.send_binary(message)
        except InvalidState:
            raise self._ending() from None
        self._unflushed += len(message)
        if not self._inbox.messages or self._unflushed > COALESCE:
            self._flush()
        elif self._unflushed == len(message):  # the first of several answers: they go out together
            self._loop.call_soon(self._flush)
        if self._congested:
            await self._writable.wait()
            if self._closed.done():
                raise self._ending()

    async def ping(self, payload: bytes | None = None) -> Latency:
        """Send a ping, wait for its pong, and return the seconds in between (§5.5.2).

        Args:
            payload: at most 125 bytes, not those of a ping on its way; by default 4 random ones.

        Raises:
            ConnectionClosed: the connection ended before the pong came.
        """
        return Latency(await self._ping(payload))

    async def close(self, code: int | None = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Send a Close unless one was sent, and wait for the end of TCP, at most ``close_timeout`` seconds.

        Raises:
            ValueError: a code that may not be sent, such as 1005, 1006 or 1015; a reason over 123 bytes.
        """
        if self._connection:
            self._connection.close(code, reason)
            self._answer_close()
        else:
            self._transport.abort()
        await self.wait_closed()

    async def wait_closed(self) -> None:
        """Wait until TCP has ended."""
        await asyncio.shield(self._closed)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.ready_state.name}>"

    def abort(self) -> None:
        """End TCP at once, without a closing handshake: the peer sees 1006 (§7.1.5)."""
        self._transport.abort()

    def write_frame(self, frame: bytes) -> None:
        """Write a frame that was encoded for many, unless the connection is closing."""
        if self._connection and not self._connection.close_sent:
            if self._unflushed:
                self._flush()
            self._transport.write(frame)

    # -- what the subclasses do: the opening handshake ------------------------------------------------------

    def _open(self, rest: bytes) -> None:
        """Begin with frames; ``rest`` is what came behind the head."""
        if self._timer:
            self._timer.cancel()
        self._timer = None
        limits = self._limits
        self._connection = Connection(self._side, max_size=limits.max_size)
        self._heartbeat = Heartbeat(
            limits.ping_interval,
            limits.ping_timeout,
            ping=self._ping,
            is_reading=lambda: self._reading,
            give_up=self._give_up,
        )
        if rest:
            self.data_received(rest)

    def _receive_head(self, data: bytes) -> None:
        raise NotImplementedError

    # -- what the event loop calls --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._limits.open_timeout is not None:
            self._timer = self._loop.call_later(self._limits.open_timeout, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._connection is None:
            self._receive_head(data)
            return
        control = False
        wanted = not self._connection.close_sent  # whoever has closed the connection receives no more
        for event in self._connection.receive_data(data):
            if isinstance(event, (str, bytes)):
                if not wanted:
                    continue
                self._inbox.put(event)
            else:
                control = True
                self._receive_control(event)
        if self._inbox.messages:
            self._inbox.wake()
        if control:
            self._flush()
        if self._inbox.size > INBOX_LIMIT:
            self._update_reading()

    def eof_received(self) -> bool | None:
        """End TCP from this side too, with whatever is still to be said before."""
        self._peer_ended = True
        if self._connection is None:
            return None
        if not self._holding:
            self._hold_close()
        if self._holding and self._transport.can_write_eof():
            return True  # our half stays open for the answers
        self._answer_close()
        return None

    def pause_writing(self) -> None:
        self._congested = True
        self._writable.clear()

    def resume_writing(self) -> None:
        self._congested = False
        self._pongs = 0
        self._writable.set()
        self._update_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._timer, self._holding, self._heartbeat):
            if isinstance(timer, Heartbeat):
                timer.stop()
            elif timer:
                timer.cancel()
        if self._connection:
            self._connection.receive_eof()
        self._closed.set_result(None)
        self._writable.set()
        self._inbox.wake()
        if self._connection:
            self._pings.give_up(self._ending())

    # -- receiving ------------------------------------------------------------------------------------------

    def _take(self) -> str | bytes:
        message = self._inbox.take()
        if not self._reading:
            self._update_reading()
        return message

    async def _message_or_end(self) -> None:
        """Wait until there is a message; raise ConnectionClosed when TCP has ended without one."""
        if self._holding:
            self._answer_close()  # whoever comes for more has answered what there was
        elif self._unflushed:
            self._flush()
        if self._closed.done():
            raise self._ending()
        await self._inbox.wait()

    def _receive_control(self, event: Event) -> None:
        if isinstance(event, Ping):
            if self._congested:
                self._pongs += len(event.payload) + 2
                self._update_reading()
        elif isinstance(event, Pong):
            self._pings.answer(event.payload)
        elif isinstance(event, (Close, Failure)):
            self._hold_close()

    def _update_reading(self) -> None:
        """Read on only while there is room for what comes; once our Close is out, nothing more is kept."""
        if self._connection and self._connection.close_sent:
            wanted = True
        elif self._reading:
            wanted = self._inbox.size <= INBOX_LIMIT and self._pongs <= PONGS
        else:
            wanted = self._inbox.size <= INBOX_LIMIT // 2 and self._pongs <= PONGS
        if wanted is not self._reading and not self._transport.is_closing():
            self._reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    # -- sending --------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Write what the connection has to say, and go on with closing if it is time for that."""
        connection = self._connection or self._opened()
        self._unflushed = 0
        if octets := connection.data_to_send(hold_close=self._holding is not None):
            self._transport.write(octets)
        if connection.ready_state is ReadyState.CLOSING:
            self._go_on_closing(connection)

    def _ping(self, payload: bytes | None = None) -> asyncio.Future[float]:
        payload = os.urandom(4) if payload is None else payload
        if payload in self._pings:
            raise ValueError("a ping with the same payload waits for its pong already")
        try:
            self._opened().ping(payload)
        except InvalidState:
            raise self._ending() from None
        waiter = self._pings.add(payload)
        self._flush()
        return waiter

    # -- closing --------------------------------------------------------------------------------------------

    def _hold_close(self) -> None:
        """Let the caller answer the messages that came before the peer's Close, if there are any (§5.5.1)."""
        if self._opened().close_sent:
            return
        answering = not self._inbox.is_awaited and self._inbox.since_taken() < ANSWER_TIME
        if self._inbox.messages or answering:
            self._holding = self._loop.call_later(ANSWER_TIME, self._answer_or_hold)

    def _answer_or_hold(self) -> None:
        """Answer the peer's Close, unless a message was taken just now."""
        left = ANSWER_TIME - self._inbox.since_taken()
        if left > 0:
            self._holding = self._loop.call_later(left, self._answer_or_hold)
        else:
            self._answer_close()

    def _answer_close(self) -> None:
        if self._holding:
            self._holding.cancel()
            self._holding = None
        self._flush()
        if self._peer_ended:
            self._transport.close()

    def _go_on_closing(self, connection: Connection) -> None:
        if connection.close_sent and self._heartbeat:
            self._heartbeat.stop()
            self._heartbeat = None
            if self._limits.close_timeout is not None:
                self._timer = self._loop.call_later(self._limits.close_timeout, self._transport.abort)
            self._update_reading()
        if connection.finished and self._side == "server":
            self._end_tcp()

    def _end_tcp(self) -> None:
        """Say that no more will come, and wait for the same from the peer, so that it gets all (§7.1.1)."""
        if self._transport.can_write_eof() and not self._peer_ended:
            self._transport.write_eof()
        else:
            self._transport.close()  # TLS has no half-closed connection

    def _give_up(self, problem: str) -> None:
        """Fail the connection for a peer that is silent: there is nobody left to wait for."""
        self._opened().fail(CloseCode.INTERNAL_ERROR, problem)
        self._answer_close()
        self._transport.close()

    def _opened(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("the opening handshake is not done")
        return self._connection

    def _ending(self) -> ConnectionClosed:
        connection = self._opened()
        return connection_closed(connection.close_code or CloseCode.ABNORMAL_CLOSURE, connection.close_reason)
