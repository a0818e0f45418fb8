"""A link: one connection as the event loop sees it, on either side (RFC 6455 §5.5.1, §7).

This module moves bytes between a transport and a :class:`wslab.connection.Connection`. It knows backpressure
in both directions, when a Close may go out and who ends TCP (§7.1.1). What the bytes mean is left to
``connection``, the opening handshake to ``server`` and ``client``, what a caller awaits to ``websocket``. All
bytes of a read are parsed together, and the answers to them are written together: a system call costs more
than a message. When more bytes are needed, the event loop calls again.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections import namedtuple
from typing import Any, Literal, cast
from weakref import WeakKeyDictionary

from wslab.aio.closed import ConnectionClosed, connection_closed
from wslab.aio.heartbeat import Heartbeat
from wslab.aio.inbox import Inbox
from wslab.aio.pings import Pings
from wslab.close import CloseCode
from wslab.connection import Close, CompressedConnection, Connection, Event, Failure, Ping, Pong, ReadyState
from wslab.deflate import Deflate
from wslab.frames import to_bytes
from wslab.handshake import agreed_compression
from wslab.http import Request, Response

__all__ = ["LOGGER", "Link", "Logger", "Settings"]

Logger = logging.Logger | logging.LoggerAdapter[Any]
LOGGER = logging.getLogger("wslab")

# Bytes of messages that may wait for recv(); above, reading stops until half of them are taken.
INBOX_LIMIT = 2**20
READ = 2**16  # bytes of one read
PONGS = 2**16  # bytes of pongs that may wait for a peer that does not read; above, reading stops
CLOSING = ReadyState.CLOSING  # looked up once, since every message compares with it
ANSWER_TIME = 1.0  # seconds for the answers to the messages that came before the peer's Close
LINGER = 0.5  # seconds for a peer behind TLS to read the Close that fails the connection
NEVER_TOOK_TIME = 0.1  # seconds to hold the Close when the handler has taken no message yet
TURN = 256  # frames of one connection in one turn of the event loop, so that the others have theirs
COMPRESSED_TURN = 16  # the same where a frame may become a thousand times longer
LONG = 2**17  # bytes: from here on, a write is spared a copy


class Settings(
    namedtuple(
        "Settings", "max_size ping_interval ping_timeout close_timeout open_timeout compression logger"
    )
):
    """The settings of a connection: sizes in bytes, times in seconds, None for no limit, and its logger."""

    __slots__ = ()
    max_size: int | None
    ping_interval: float | None
    ping_timeout: float | None
    close_timeout: float | None
    open_timeout: float | None
    compression: Deflate | None
    logger: Logger


# The bytes that all connections of an event loop are read into, one connection after the other. A protocol
# without such a buffer gets a new object for each read, so large that the system is asked for its memory.
# That takes longer than decoding a message.
_buffers: WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview] = WeakKeyDictionary()


class Link(asyncio.BufferedProtocol):
    """A transport joined to a connection without I/O. :class:`wslab.aio.websocket.WebSocket` builds on it."""

    _turn = TURN

    def __init__(self, side: Literal["client", "server"], settings: Settings) -> None:
        self.request: Request | None = None
        self.response: Response | None = None
        self.subprotocol: str | None = None
        self.compression: Deflate | None = None  # what both ends have agreed on
        self._side = side
        self._settings = settings
        self._logger = settings.logger
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._buffer = _buffers.setdefault(self._loop, memoryview(bytearray(READ)))
        self._connection: Connection | None = None  # there is none before the opening handshake is done
        self._may_send = False  # open, and no Close sent; as the connection knows, but quicker to ask
        self._heartbeat: Heartbeat | None = None
        self._timer: asyncio.TimerHandle | None = None  # ends TCP if opening, or closing, takes too long
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._inbox = Inbox()
        self._reading = True
        self._more_is_due = False  # while _receive_more() is due, for frames that have arrived already
        self._held_up = False  # whether the receiver has stopped the reading since the heartbeat asked last
        self._congested = False  # while the transport's buffer is above its high-water mark
        self._writable = asyncio.Event()  # wakes those who wait until it is below again
        self._unflushed = 0  # bytes that send() left for later
        self._pongs = 0  # bytes of pongs written since the buffer rose above that mark
        self._pings = Pings()
        self._holding: asyncio.TimerHandle | None = None  # while the Close waits for answers
        self._peer_ended = False  # the peer's half of TCP
        self._lingering: asyncio.TimerHandle | None = None  # while a peer behind TLS reads why it was failed

    # -- what the subclasses do: the opening handshake ------------------------------------------------------

    def _open(self, rest: bytes) -> None:
        """Begin with frames; ``rest`` is the bytes that arrived after the head."""
        if self._timer:
            self._timer.cancel()
        self._timer = None
        settings = self._settings
        assert self.response is not None
        self.compression = agreed_compression(self.response, settings.compression, self._side)
        if self.compression is None:
            self._connection = Connection(self._side, max_size=settings.max_size)
        else:
            self._connection = CompressedConnection(self._side, self.compression, max_size=settings.max_size)
            self._turn = COMPRESSED_TURN
        self._may_send = True
        self._heartbeat = Heartbeat(
            settings.ping_interval,
            settings.ping_timeout,
            ping=self._ping,
            is_overdue=self._pong_is_overdue,
            give_up=self._fail_silent_peer,
        )
        self._logger.debug("%s: open", self._address)
        if rest:
            self._receive(self._connection, rest)

    def _receive_head(self, data: bytes) -> None:
        raise NotImplementedError

    # -- what the event loop calls --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._peername = transport.get_extra_info("peername")  # TLS forgets it when it ends
        if self._settings.open_timeout is not None:
            self._timer = self._loop.call_later(self._settings.open_timeout, self._abort_opening)

    @property
    def _address(self) -> str:
        """The address of the peer, for the log."""
        if not isinstance(self._peername, tuple):
            return "a peer without an address"  # the socket is not one of TCP
        host, port = self._peername[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _abort_opening(self) -> None:
        seconds = self._settings.open_timeout
        self._logger.info("%s: refused: the opening handshake took longer than %s s", self._address, seconds)
        self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = self._buffer[:nbytes].tobytes()
        if self._connection:
            self._receive(self._connection, data)
        else:
            self._receive_head(data)

    def _receive(self, connection: Connection, data: bytes) -> None:
        inbox, control = self._inbox, False
        wanted = self._may_send  # an end that has sent its Close receives no more
        for event in connection.receive_data(data, self._turn):
            if isinstance(event, tuple):
                control = True
                self._receive_control(event)
            elif wanted:
                inbox.put(event)
        if inbox.messages:
            inbox.wake()
        if control and not self._transport.is_closing():
            self._flush()
        if connection.has_more or inbox.size > INBOX_LIMIT:
            self._update_reading()

    def _receive_more(self, connection: Connection) -> None:
        """Go on with the frames that one turn of the event loop did not take."""
        self._more_is_due = False
        if connection.has_more:
            self._receive(connection, b"")
        self._update_reading()

    def _receive_rest(self, connection: Connection) -> None:
        """Take what arrived before the end of TCP, unless it grows beyond bounds as it is inflated."""
        while connection.has_more and self._inbox.size <= 2 * INBOX_LIMIT:
            self._receive(connection, b"")

    def eof_received(self) -> bool | None:
        """End TCP from this side too, once everything that is still due is sent."""
        self._peer_ended = True
        if self._connection is None:
            return None
        self._receive_rest(self._connection)
        if not self._holding:
            self._hold_close()
        if self._holding and self._transport.can_write_eof():
            return True  # our half stays open for the answers
        self._release_close()
        return None

    def pause_writing(self) -> None:
        self._congested = True
        self._writable.clear()

    def resume_writing(self) -> None:
        self._congested = False
        self._held_up = self._held_up or not self._reading  # a peer that reads is not gone
        self._pongs = 0
        self._writable.set()
        self._update_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection:
            self._receive_rest(self._connection)
        for timer in (self._timer, self._holding, self._lingering, self._heartbeat):
            if isinstance(timer, Heartbeat):
                timer.stop()
            elif timer:
                timer.cancel()
        self._may_send = False
        if self._connection:
            self._connection.receive_eof()
        self._closed.set_result(None)
        self._writable.set()
        self._inbox.wake()
        if self._connection:
            ending = self._ending()
            self._logger.debug("%s: closed: %d %r", self._address, ending.code, ending.reason)
            self._pings.fail(ending)

    # -- receiving ------------------------------------------------------------------------------------------

    def _receive_control(self, event: Event) -> None:
        if isinstance(event, Ping):
            if self._congested:
                self._pongs += len(event.payload) + 2
                self._update_reading()
        elif isinstance(event, Pong):
            self._pings.answer(event.payload)
        elif isinstance(event, (Close, Failure)):
            if isinstance(event, Failure):
                self._log_failure(event)
            self._hold_close()

    def _log_failure(self, failure: Failure) -> None:
        self._logger.info("%s: failed with %d: %s", self._address, failure.code, failure.reason)

    def _update_reading(self) -> None:
        """Read on only while there is room for more; once our Close is out, messages are not kept."""
        if self._connection and self._connection.close_sent:
            wanted = True
        elif self._reading:
            wanted = self._inbox.size <= INBOX_LIMIT and self._pongs <= PONGS
        else:
            wanted = self._inbox.size <= INBOX_LIMIT // 2 and self._pongs <= PONGS
        if self._connection and self._connection.has_more:  # what has arrived already comes first
            if wanted and not self._more_is_due:
                self._more_is_due = True
                self._loop.call_soon(self._receive_more, self._connection)
            wanted = False
        if wanted is not self._reading and not self._transport.is_closing():
            self._reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()
                self._held_up = self._held_up or self._inbox.size > INBOX_LIMIT

    def _pong_is_overdue(self) -> bool:
        """Return whether a pong would have been read since the last call, so that the peer is to blame.

        Not so if a busy receiver of ours held up the reading. If our receiver is stuck in send() because the
        peer does not read, the peer is to blame all the same.
        """
        held_up = self._held_up
        self._held_up = not self._reading and not self._congested and self._inbox.size > INBOX_LIMIT // 2
        return not (held_up or self._held_up)

    # -- sending --------------------------------------------------------------------------------------------

    def write_frame(self, frame: bytes, message: str | bytes) -> None:
        """Write a message that was encoded for many, unless the connection is closing.

        Args:
            frame: the message as a server sends it, without mask.
            message: the message itself, for an end that cannot use that frame.
        """
        if self._may_send:
            if self._unflushed:
                self._flush()
            self._transport.write(frame)

    def _flush(self) -> None:
        """Write what the connection has to say, and go on with closing if it is time for that."""
        connection = self._connection or self._require_connection()
        self._unflushed = 0
        if data := connection.data_to_send(hold_close=self._holding is not None):
            # When the system takes only a part, asyncio copies the rest of bytes, but not of a view.
            self._transport.write(data if len(data) < LONG else memoryview(data))
        if connection.ready_state is CLOSING:
            self._advance_closing(connection)

    def _ping(self, payload: bytes | bytearray | memoryview | None = None) -> asyncio.Future[float]:
        payload = os.urandom(4) if payload is None else to_bytes(payload)
        if payload in self._pings:
            raise ValueError("a ping with the same payload waits for its pong already")
        self._require_connection().ping(payload)
        waiter = self._pings.add(payload)
        self._flush()
        return waiter

    # -- closing --------------------------------------------------------------------------------------------

    # Our answer to the peer's Close, or to its fault, is held back while the caller answers messages
    # (_hold_close), then released (_release_close). Once it is out, the wait for the peer is limited
    # (_advance_closing). TCP ends one half at a time where it can (_half_close), else as a whole
    # (_close_transport).

    def _hold_close(self) -> None:
        """Let the caller answer the messages that came before the peer's Close, if there are any (§5.5.1)."""
        if self._require_connection().close_sent:
            return
        since_taken = self._inbox.since_taken()
        answering = not self._inbox.is_awaited and since_taken < ANSWER_TIME
        if self._inbox.messages or answering:
            # A caller that has taken no message until now most likely never receives any.
            seconds = NEVER_TOOK_TIME if math.isinf(since_taken) else ANSWER_TIME
            self._holding = self._loop.call_later(seconds, self._release_or_hold)

    def _release_or_hold(self) -> None:
        """Answer the peer's Close, unless a message was taken just now."""
        left = ANSWER_TIME - self._inbox.since_taken()
        if left > 0:
            self._holding = self._loop.call_later(left, self._release_or_hold)
        else:
            self._release_close()

    def _release_close(self) -> None:
        """Let our Close go out, if one is due, and end TCP if the peer has done so."""
        if self._holding:
            self._holding.cancel()
            self._holding = None
        self._flush()
        if self._peer_ended:
            self._close_transport()

    def _advance_closing(self, connection: Connection) -> None:
        """Take the next step of a closing handshake, now that a Close was sent or received (§7.1.1)."""
        self._may_send = not connection.close_sent
        if connection.close_sent and self._heartbeat:
            self._heartbeat.stop()
            self._start_close_timer()
            self._update_reading()
        if connection.finished and self._side == "server":
            self._half_close()

    def _close_transport(self) -> None:
        """End TCP when all is written, at the latest after close_timeout: a peer may never read."""
        if not self._closed.done():
            self._start_close_timer()
        if not self._transport.is_closing():  # closed twice, a transport of TLS could not be aborted any more
            self._transport.close()

    def _start_close_timer(self) -> None:
        """Give the peer ``close_timeout`` seconds to end TCP, from the first call on."""
        if self._timer is None and self._settings.close_timeout is not None:
            self._timer = self._loop.call_later(self._settings.close_timeout, self._transport.abort)

    def _half_close(self) -> None:
        """End our half of TCP and leave the other to the peer, so that it receives everything (§7.1.1)."""
        try:
            if self._transport.can_write_eof() and not self._peer_ended:
                self._transport.write_eof()
            elif self._connection and self._connection.failure and not self._peer_ended:
                # TLS on asyncio cannot close one half: if all of TCP ended now, anything that the peer still
                # sends would reset it, and the Close might never be read. The peer has a moment for that.
                self._lingering = self._lingering or self._loop.call_later(LINGER, self._close_transport)
            else:
                self._close_transport()
        except OSError:  # the peer has left already
            self._transport.abort()

    def _fail_silent_peer(self, problem: str) -> None:
        """Fail the connection, and close TCP without waiting for a peer that does not answer."""
        connection = self._require_connection()
        if not connection.failure:
            connection.fail(CloseCode.INTERNAL_ERROR, problem)
            self._log_failure(Failure(int(CloseCode.INTERNAL_ERROR), problem))
        self._release_close()
        self._close_transport()

    def _require_connection(self) -> Connection:
        """Return the connection; raise RuntimeError before the opening handshake is done."""
        if self._connection is None:
            raise RuntimeError("the opening handshake is not done")
        return self._connection

    def _ending(self) -> ConnectionClosed:
        """Return how the connection ended, as an exception; that is known once TCP has ended (§7.1.5)."""
        connection = self._require_connection()
        assert connection.close_code is not None
        return connection_closed(connection.close_code, connection.close_reason, connection.failure)
