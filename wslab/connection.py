"""A connection after its opening handshake: bytes in, events out; intents in, bytes out (§5 to §7).

This module knows ping and pong (RFC 6455 §5.5.2), the closing handshake from both sides (§7), the ready
states, and what happens when the peer breaks a rule (§7.1.7). What one frame may be is left to ``decoder``,
which fragment may follow which to ``message``. It reads no socket and has no clock: ``aio`` does.

The peer's faults become a Close with the right code and a :class:`Failure`; the caller's faults raise. When a
message is not whole, :meth:`Connection.receive_data` keeps what it has and returns the events so far.
"""

from __future__ import annotations

import os
import struct
from collections import namedtuple
from collections.abc import Callable
from enum import IntEnum

from wslab.close import CloseCode, ProtocolError, decode_close, encode_close
from wslab.decoder import ALL, FrameDecoder
from wslab.deflate import Deflate, Deflater, Inflater
from wslab.frames import CONTROL, FIN, MAX_CONTROL_PAYLOAD, RSV1, Opcode, encode_bytes, to_bytes
from wslab.masking import four_bytes
from wslab.message import Assembler, decode_text

TYPE_CHECKING = False  # wslab/__init__.py says why it is not imported
if TYPE_CHECKING:
    from typing import Literal

__all__ = [
    "TRANSITIONS",
    "Close",
    "CompressedConnection",
    "Connection",
    "Event",
    "Failure",
    "InvalidState",
    "Ping",
    "Pong",
    "ReadyState",
]

# First bytes of whole frames: FIN and the opcode.
TEXT = FIN | Opcode.TEXT
BINARY = FIN | Opcode.BINARY
CLOSE = FIN | Opcode.CLOSE
PING = FIN | Opcode.PING
PONG = FIN | Opcode.PONG


class ReadyState(IntEnum):
    """The states of a connection, numbered like a browser's ``readyState`` (§4.1, §7.1.3, §7.1.4).

    >>> ReadyState(1)
    <ReadyState.OPEN: 1>
    """

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


# What moves a connection from one ready state to the next. Anything that is not listed cannot happen.
TRANSITIONS: dict[ReadyState, dict[str, ReadyState]] = {
    ReadyState.CONNECTING: {
        "handshake done": ReadyState.OPEN,
        "handshake failed": ReadyState.CLOSED,
    },
    ReadyState.OPEN: {
        "Close sent": ReadyState.CLOSING,
        "Close received": ReadyState.CLOSING,
        "failed": ReadyState.CLOSING,
        "TCP ended": ReadyState.CLOSED,
    },
    ReadyState.CLOSING: {
        "Close sent": ReadyState.CLOSING,
        "Close received": ReadyState.CLOSING,
        "failed": ReadyState.CLOSING,
        "TCP ended": ReadyState.CLOSED,
    },
    ReadyState.CLOSED: {},
}


class Ping(namedtuple("Ping", "payload")):
    """A ping, which the connection has answered already (§5.5.2)."""

    __slots__ = ()
    payload: bytes


class Pong(namedtuple("Pong", "payload")):
    """A pong (§5.5.3)."""

    __slots__ = ()
    payload: bytes


class Close(namedtuple("Close", "code reason")):
    """The peer's Close; code 1005 means that it had no code (§7.1.5)."""

    __slots__ = ()
    code: int
    reason: str


class Failure(namedtuple("Failure", "code reason")):
    """A fault of the peer, and the close code for it, which is sent unless a Close was already (§7.1.7)."""

    __slots__ = ()
    code: int
    reason: str


# A message needs no wrapper: a str arrived as text, bytes arrived as binary (§5.6).
Event = str | bytes | Ping | Pong | Close | Failure


class InvalidState(Exception):
    """The caller's attempt to send what may not be sent any more (§5.5.1).

    >>> str(InvalidState("a Close was sent before"))
    'a Close was sent before'
    """


_cut_in_fours = struct.Struct("4s" * 64).unpack
_keys: list[bytes] = []  # drawn, and not used yet
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keys.clear)  # otherwise both processes would use them


def _random_key() -> bytes:
    """Return a masking-key that nobody can predict (§5.3), from 64 that the system draws together."""
    try:
        return _keys.pop()
    except IndexError:  # not checked beforehand: two threads could both see the last key
        key, *more = _cut_in_fours(os.urandom(256))
        _keys.extend(more)
        return bytes(key)


class Connection:
    """The protocol of one side, from the end of the opening handshake to the end of TCP.

    A Close that answers the peer, or fails the connection, is encoded only by :meth:`data_to_send`, so that
    the caller's answers to the messages before it are sent first.

    Args:
        side: "client" masks what it sends and refuses masked frames; "server" does the opposite (§5.1).
        max_size: the longest message accepted, in bytes; None for no limit.
        masking_key: returns the 4 bytes of a client's next masking-key; random ones by default. If it returns
            another number of bytes, whatever was to be sent raises ValueError.

    Attributes:
        ready_state: the ready state; never CONNECTING, since the opening handshake is over.
        close_code: of the Close that was received, or 1006 when TCP has ended without one; None before
            (§7.1.5).
        close_reason: the reason in that Close (§7.1.6).
        failure: why this end failed the connection, if it did (§7.1.7).
        close_sent: whether nothing more can be sent, because a Close was sent (§5.5.1) or TCP has ended.
        has_more: whether :meth:`receive_data` has stopped at its limit, with frames left.

    Raises:
        ValueError: the side is neither "client" nor "server".

    >>> server = Connection("server")
    >>> server.receive_data(bytes.fromhex("8185 37fa213d 7f9f4d5158"))
    ['Hello']
    >>> server.send_text("Hello")
    >>> server.data_to_send().hex(" ")
    '81 05 48 65 6c 6c 6f'
    """

    def __init__(
        self,
        side: Literal["client", "server"],
        *,
        max_size: int | None = 2**20,
        masking_key: Callable[[], bytes] | None = None,
    ) -> None:
        if side not in ("client", "server"):
            raise ValueError(f"side is {side!r}, neither 'client' nor 'server'")
        self.ready_state = TRANSITIONS[ReadyState.CONNECTING]["handshake done"]
        self.close_code: int | None = None
        self.close_reason = ""
        self.failure: Failure | None = None
        self._masking_key: Callable[[], bytes] | None = None
        if side == "client" and masking_key:
            self._masking_key = lambda: four_bytes(masking_key())
        elif side == "client":
            self._masking_key = _random_key
        self._decoder = FrameDecoder(masked=side == "server", max_size=max_size)
        self._assembler = Assembler(2**63 if max_size is None else max_size)
        self._outgoing: list[bytes] = []  # encoded frames that data_to_send() has not returned yet
        self.close_sent = False
        self.has_more = False
        self._read_no_more = False  # after a Close or a failure
        self._close_due: bytes | None = None  # payload of the Close that data_to_send() adds

    @property
    def finished(self) -> bool:
        """Whether nothing more will be sent or read: the server may end TCP now (§7.1.1)."""
        return self._read_no_more and self.close_sent

    # -- bytes in, events out ------------------------------------------------------------------------------

    def receive_data(self, data: bytes | bytearray | memoryview, limit: int = ALL) -> list[Event]:
        """Take bytes from the peer, in any pieces, and return what they mean.

        It never raises for a fault of the peer, which becomes a :class:`Failure`, the last event. Anything
        after a Close or a failure is ignored (§5.5.1, §7.1.7).

        Args:
            data: any number of bytes.
            limit: the most frames to read, so that one peer does not take all the time. While ``has_more`` is
                true, call again with ``b""``.
        """
        events: list[Event] = []
        self.has_more = False
        if self._read_no_more:
            return events
        decoder, assembler = self._decoder, self._assembler
        try:
            for first, payload, announced in decoder.fragments(data, limit):
                if first == BINARY and not assembler.opcode:  # the most frequent frames come first
                    events.append(payload)
                elif first == TEXT and not assembler.opcode:
                    events.append(decode_text(payload))
                elif first & CONTROL:
                    events.append(self._receive_control(first, payload))
                    if first == CLOSE:
                        return events
                elif announced is not None:
                    assembler.expect(first, announced)
                elif (message := assembler.add(first, payload)) is not None:
                    events.append(message)
            if decoder.error:
                raise decoder.error
            self.has_more = decoder.has_more
        except ProtocolError as error:
            self.fail(error.code, str(error))
            events.append(Failure(int(error.code), str(error)))
        return events

    def receive_eof(self) -> None:
        """Note that TCP has ended: if no Close was received, the close code is 1006 (§7.1.4, §7.1.5)."""
        if self.ready_state is ReadyState.CLOSED:
            return
        self._move("TCP ended")
        self._read_no_more, self._close_due, self.close_sent = True, None, True
        self._outgoing = []
        if self.close_code is None:
            self.close_code = int(CloseCode.ABNORMAL_CLOSURE)

    def _receive_control(self, first: int, payload: bytes) -> Event:
        if first == PING:
            if not self.close_sent:
                self._send(PONG, payload)
            return Ping(payload)
        if first == PONG:
            return Pong(payload)
        code, reason = decode_close(payload)
        self._read_no_more = True
        self.close_code, self.close_reason = code, reason
        self._move("Close received")
        self._close_due = payload[:2]  # the same code comes back (§5.5.1)
        return Close(code, reason)

    # -- intents in, bytes out -----------------------------------------------------------------------------

    def send_text(self, text: str) -> None:
        """Send a text message (§5.6).

        Raises:
            TypeError: it is not a str.
            UnicodeEncodeError: it holds half a surrogate pair, which UTF-8 cannot encode.
            InvalidState: a Close was sent before, or TCP has ended.
        """
        if not isinstance(text, str):
            raise TypeError(f"text message is {type(text).__name__}, not str")
        self._send(TEXT, text.encode())

    def send_binary(self, data: bytes | bytearray | memoryview) -> None:
        """Send a binary message (§5.6).

        Raises:
            TypeError: it is not bytes-like.
            InvalidState: a Close was sent before, or TCP has ended.
        """
        payload = data if type(data) is bytes else to_bytes(data)
        if self.close_sent:  # as in _send(), without the call
            raise self._invalid_state()
        key = self._masking_key and self._masking_key()
        self._outgoing.append(encode_bytes(BINARY, payload, key))

    def ping(self, payload: bytes | bytearray | memoryview = b"") -> None:
        """Send a ping (§5.5.2).

        Args:
            payload: at most 125 bytes.

        Raises:
            ValueError: the payload is longer.
            TypeError, InvalidState: as for :meth:`send_binary`.
        """
        self._send_control(PING, payload)

    def pong(self, payload: bytes | bytearray | memoryview = b"") -> None:
        """Send a pong that nobody asked for, with arguments and errors as for :meth:`ping` (§5.5.3)."""
        self._send_control(PONG, payload)

    def close(self, code: int | None = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Send a Close, after which nothing more can be sent; a second call does nothing (§7.1.2).

        Args:
            code: the close code, or None for a Close without one.
            reason: at most 123 bytes in UTF-8.

        Raises:
            ValueError: a code that may not be sent, such as 1005, 1006 or 1015; a reason that is too long, or
                comes without a code.
        """
        payload = encode_close(code, reason)
        if not self.close_sent:
            self._send_close(self._close_due if self._close_due is not None else payload)

    def fail(self, code: int, reason: str) -> None:
        """Fail the connection, for something that the peer did or failed to do, and read no more (§7.1.7).

        Args:
            code: the close code to send.
            reason: at most 123 bytes in UTF-8.

        Raises:
            ValueError: as for :meth:`close`.
        """
        if self.ready_state is ReadyState.CLOSED:
            return
        payload = encode_close(code, reason)
        self._read_no_more = True
        if self.close_code is None and not self.failure:  # otherwise it is ending, and an answer is due
            self._close_due = payload
            self.failure = Failure(int(code), reason)
        self._move("failed")

    def data_to_send(self, *, hold_close: bool = False) -> bytes:
        """Return the bytes to write to the peer. Each byte is returned once.

        Args:
            hold_close: whether to hold back the Close that answers the peer, because the caller's answers to
                the messages before it are still to be sent.
        """
        if self._close_due is not None and not hold_close and not self.close_sent:
            self._send_close(self._close_due)
        outgoing = self._outgoing
        if len(outgoing) == 1:
            return outgoing.pop()
        self._outgoing = []
        return b"".join(outgoing)

    def _send_close(self, payload: bytes) -> None:
        self._send(CLOSE, payload)
        self.close_sent = True
        self._move("Close sent")

    def _send_control(self, first: int, payload: bytes | bytearray | memoryview) -> None:
        payload = to_bytes(payload)
        if len(payload) > MAX_CONTROL_PAYLOAD:
            raise ValueError(f"control frame payload is {len(payload)} bytes, limit {MAX_CONTROL_PAYLOAD}")
        self._send(first, payload)

    def _send(self, first: int, payload: bytes) -> None:
        if self.close_sent:
            raise self._invalid_state()
        key = self._masking_key and self._masking_key()
        self._outgoing.append(encode_bytes(first, payload, key))

    def _invalid_state(self) -> InvalidState:
        ended = self.ready_state is ReadyState.CLOSED
        return InvalidState("TCP has ended" if ended else "a Close was sent before")

    def _move(self, happening: str) -> None:
        self.ready_state = TRANSITIONS[self.ready_state][happening]


class CompressedConnection(Connection):
    """A connection that compresses what it sends, and inflates what is compressed (RFC 7692).

    Args:
        side, max_size, masking_key: as for :class:`Connection`; ``max_size`` limits the inflated message.
        compression: what both ends agreed on in the opening handshake.

    Attributes:
        shared: equal in connections that send the same bytes for the same message; None if no other does.

    >>> from wslab.deflate import Deflate
    >>> server = CompressedConnection("server", Deflate(server_no_context_takeover=True))
    >>> server.send_text("Hello")
    >>> server.data_to_send().hex(" ")
    'c1 07 f2 48 cd c9 c9 07 00'
    """

    def __init__(
        self,
        side: Literal["client", "server"],
        compression: Deflate,
        *,
        max_size: int | None = 2**20,
        masking_key: Callable[[], bytes] | None = None,
    ) -> None:
        super().__init__(side, max_size=max_size, masking_key=masking_key)
        self._deflater = Deflater(*compression.window(side), compression.level, compression.memory_level)
        # A client masks each frame with a new key, so that no two of its frames are alike (§5.3).
        self.shared = self._deflater.shared if side == "server" else None
        inflater = Inflater(*compression.window("client" if side == "server" else "server"))
        self._decoder = FrameDecoder(masked=side == "server", max_size=max_size, compressed=True)
        self._assembler = Assembler(2**63 if max_size is None else max_size, inflater)

    def send_text(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"text message is {type(text).__name__}, not str")
        self._send(TEXT | RSV1, self._deflater.deflate(text.encode()))

    def send_binary(self, data: bytes | bytearray | memoryview) -> None:
        self._send(BINARY | RSV1, self._deflater.deflate(to_bytes(data)))
