"""A WebSocket connection on asyncio, as its caller sees it: what client and server have in common.

This module lets a caller await messages, pongs and the end of a connection (RFC 6455 §5.5.2, §5.6, §7.1). How
bytes are read and written, and how a connection is closed, is left to ``link``; the opening handshake to
``server`` and ``client``. :meth:`WebSocket.recv` waits for a whole message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

from wslab.aio.closed import ConnectionClosed, ConnectionClosedOK
from wslab.aio.link import Link
from wslab.aio.pings import Latency
from wslab.close import CloseCode
from wslab.connection import CompressedConnection, Failure, InvalidState, ReadyState
from wslab.frames import FIN, Opcode, encode_bytes, to_bytes

__all__ = ["WebSocket", "broadcast"]

COALESCE = 2**16  # bytes of answers that may wait until all messages of a read are answered


class WebSocket(Link):
    """One end of a connection: ``send``, ``recv``, ``async for``, ``ping``, ``close``.

    Attributes:
        request: the request of the opening handshake.
        response: the response to it. Before the opening handshake is done, both may be None.
        subprotocol: the subprotocol that the server chose, or None.
        compression: the parameters of permessage-deflate that both ends agreed on, or None.
    """

    @property
    def ready_state(self) -> ReadyState:
        """The ready state: CONNECTING, OPEN, CLOSING or CLOSED."""
        if self._connection:
            return self._connection.ready_state
        return ReadyState.CLOSED if self._closed.done() else ReadyState.CONNECTING

    @property
    def close_code(self) -> int | None:
        """The code of the peer's Close, or 1006 when TCP has ended without one (§7.1.5); None before."""
        return self._connection.close_code if self._connection else None

    @property
    def close_reason(self) -> str:
        """The reason in the peer's Close (§7.1.6); empty before and without one."""
        return self._connection.close_reason if self._connection else ""

    @property
    def failure(self) -> Failure | None:
        """Why this end failed the connection; None if it did not (§7.1.7)."""
        return self._connection.failure if self._connection else None

    @property
    def latency(self) -> float:
        """Seconds from the last ping that was answered to its pong; 0 before."""
        return self._pings.latency

    @property
    def transport(self) -> asyncio.Transport:
        """The asyncio transport underneath. Bytes written to it are sent as they are, without frames."""
        return self._transport

    @property
    def remote_address(self) -> tuple[str, int]:
        """Host and port of the peer."""
        return cast("tuple[str, int]", self._peername[:2])

    async def recv(self) -> str | bytes:
        """Return the next message: a str if it came as text, bytes if it came as binary.

        Raises:
            ConnectionClosed: the connection is over and all its messages have been taken.
            RuntimeError: another task is already waiting in ``recv``.
        """
        while not self._inbox.messages:
            await self._message_or_end()
        return self._take()

    def __aiter__(self) -> WebSocket:
        return self

    async def __anext__(self) -> str | bytes:
        """Return the next message; an orderly ending (1000, 1001, no code) ends the iteration silently.

        Raises:
            ConnectionClosedError: the connection ended otherwise, and all its messages have been taken.
            RuntimeError: another task is already waiting for a message.
        """
        try:
            while not self._inbox.messages:
                await self._message_or_end()
        except ConnectionClosedOK:
            raise StopAsyncIteration from None
        return self._take()

    async def send(self, message: str | bytes | bytearray | memoryview) -> None:
        """Send a message: a str as text, bytes as binary. Wait while the peer reads too slowly.

        Raises:
            ConnectionClosed: the connection is over. After a Close was sent, this waits for the end of TCP.
            TypeError: the message is neither str nor bytes-like.
            UnicodeEncodeError: the text holds half a surrogate pair, which UTF-8 cannot encode.
            RuntimeError: the connection is not open yet, as in ``process_request``.
        """
        try:
            self._queue(message)
        except InvalidState:
            raise await self._wait_for_ending() from None
        if self._inbox.messages:
            self._flush_later(len(message) + 2)  # an empty one has a header, too
        else:
            self._flush()
        if self._congested:
            await self._writable.wait()
            if self._closed.done():
                raise self._ending()
        elif self._transport.is_closing():  # without a wait, a loop that sends would let no other task run
            raise await self._wait_for_ending()

    async def ping(self, payload: str | bytes | bytearray | memoryview | None = None) -> Latency:
        """Send a ping, wait for its pong, and return the seconds in between (§5.5.2).

        Put a time limit around this call, since it waits for the pong: ``async with asyncio.timeout(5)``.

        Args:
            payload: at most 125 bytes, by default 4 random ones. A str is sent in UTF-8.

        Raises:
            ConnectionClosed: the connection ended before the pong arrived.
            ValueError: the payload is too long, or a ping with the same payload still waits for its pong.
            TypeError: the payload is neither str nor bytes-like.
            RuntimeError: the connection is not open yet.
        """
        try:
            waiter = self._ping(payload.encode() if isinstance(payload, str) else payload)
        except InvalidState:
            raise await self._wait_for_ending() from None
        return Latency(await waiter)

    async def pong(self, payload: str | bytes | bytearray | memoryview = b"") -> None:
        """Send a pong that nobody asked for, as a heartbeat in one direction (§5.5.3).

        Args:
            payload: at most 125 bytes. A str is sent in UTF-8.

        Raises:
            ConnectionClosed: the connection is over.
            ValueError: the payload is too long.
            TypeError: the payload is neither str nor bytes-like.
            RuntimeError: the connection is not open yet.
        """
        try:
            self._require_connection().pong(payload.encode() if isinstance(payload, str) else payload)
        except InvalidState:
            raise await self._wait_for_ending() from None
        self._flush()

    async def close(self, code: int | None = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Send a Close unless one was sent, and wait for the end of TCP, at most ``close_timeout`` seconds.

        Args:
            code: the close code, or None for a Close without one.
            reason: at most 123 bytes in UTF-8.

        Raises:
            ValueError: a code that may not be sent, such as 1005, 1006 or 1015; a reason that is too long, or
                comes without a code.
        """
        self._start_closing(code, reason)
        await self.wait_closed()

    def _start_closing(self, code: int | None, reason: str = "") -> None:
        """Send a Close unless one was sent, and wait for nothing (§7.1.2)."""
        if self._connection:
            self._connection.close(code, reason)
            self._release_close()
        else:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until TCP has ended."""
        await asyncio.shield(self._closed)

    async def _wait_for_ending(self) -> ConnectionClosed:
        """Wait until TCP has ended, and return how: before that, it is not known (§7.1.5)."""
        await self.wait_closed()
        return self._ending()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.ready_state.name}>"

    def abort(self) -> None:
        """End TCP at once, without a closing handshake: the peer sees 1006 (§7.1.5)."""
        self._transport.abort()

    def _queue(self, message: str | bytes | bytearray | memoryview) -> None:
        """Let the connection encode a message, which the next flush writes."""
        connection = self._connection or self._require_connection()
        if isinstance(message, str):
            connection.send_text(message)
        else:
            connection.send_binary(message)

    def write_compressed(self, message: str | bytes, frames: dict[object, bytes]) -> None:
        """Write a message to many: ``frames`` keeps its frame for connections that compress alike."""
        connection = self._connection
        if not self._may_send or not isinstance(connection, CompressedConnection):
            return
        self._flush()
        shared = connection.shared
        frame = frames.get(shared) if shared else None
        if frame is None:
            self._queue(message)
            frame = connection.data_to_send(hold_close=True)
            if shared:
                frames[shared] = frame
        self._transport.write(frame)

    def _take(self) -> str | bytes:
        message = self._inbox.take()
        if not self._reading:
            self._update_reading()
        return message

    def _flush_later(self, size: int) -> None:
        """Let an answer wait for those to the other messages of a read: they are written together."""
        self._unflushed += size
        if self._unflushed > COALESCE:
            self._flush()
        elif self._unflushed == size:  # the first one
            self._loop.call_soon(self._flush)

    def _message_or_end(self) -> asyncio.Future[None]:
        """Return a future to await a message with; raise ConnectionClosed when TCP has ended without one."""
        if self._holding:
            self._release_close()  # a caller that asks for more has answered what there was
        elif self._unflushed:
            self._flush()
        if self._closed.done():
            raise self._ending()
        return self._inbox.wait()


def broadcast(connections: Iterable[WebSocket], message: str | bytes) -> None:
    """Send a message to many: encode it once, and never wait for a slow one.

    Connections that are not open are skipped. What a slow peer has not read yet is kept in memory. A message
    is compressed once for all connections with the same window whose server forgets each message (agreed on
    with ``server_no_context_takeover``), and for each connection alone where the server remembers, since the
    messages before it differ.

    Args:
        connections: any of a server's or a client's.
        message: a str to send as text, or bytes to send as binary.

    Raises:
        TypeError: the message is neither str nor bytes-like.
        UnicodeEncodeError: the text holds half a surrogate pair.

    >>> async def main():
    ...     async def shout(ws):
    ...         broadcast(server.connections, (await ws.recv()).upper())
    ...     async with wslab.serve(shout) as server, wslab.connect(f"ws://127.0.0.1:{server.port}") as ws:
    ...         await ws.send("hello")
    ...         return await ws.recv()
    >>> import wslab
    >>> asyncio.run(main())
    'HELLO'
    """
    if isinstance(message, str):
        frame = encode_bytes(FIN | Opcode.TEXT, message.encode(), None)
    else:
        frame = encode_bytes(FIN | Opcode.BINARY, to_bytes(message), None)
    compressed: dict[object, bytes] = {}
    for connection in connections:
        if connection.compression is None:
            connection.write_frame(frame, message)
        else:
            connection.write_compressed(message, compressed)
