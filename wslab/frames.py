"""Frames: octets to frames and frames to octets (RFC 6455 §5.2, §5.3, §5.5).

This module knows how one frame looks on the wire: its bits, the masking of its payload, and every rule that
one frame can break on its own. It does not know which frame may follow which: fragments, UTF-8 and the
closing handshake belong to ``connection``, what a Close says to ``close``. It reads no socket, has no clock.

A frame on the wire (§5.2)::

     0 1 2 3 4 5 6 7   0 1 2 3 4 5 6 7
    +-+-+-+-+-------+ +-+-------------+ +----------------+ +-----------+ +---------+
    |F|R|R|R|       | |M|   payload   | | extended length| | masking-  | | payload |
    |I|S|S|S|opcode | |A|   length    | | 0, 2 or 8      | | key, 0 or | | data    |
    |N|V|V|V|       | |S|             | | octets         | | 4 octets  | |         |
    | |1|2|3|       | |K|             | |                | |           | |         |
    +-+-+-+-+-------+ +-+-------------+ +----------------+ +-----------+ +---------+

When more octets are needed, :meth:`FrameDecoder.feed` keeps what it has and returns what is whole.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from wslab.close import CloseCode, ProtocolError, decode_close

__all__ = [
    "Frame",
    "FrameDecoder",
    "Opcode",
    "apply_mask",
    "encode_frame",
    "encode_length",
    "first_byte",
]

FIN = 0b1000_0000
RSV1 = 0b0100_0000
RSV2 = 0b0010_0000
RSV3 = 0b0001_0000
OPCODE = 0b0000_1111
CONTROL = 0b0000_1000  # the highest bit of the opcode is set in control frames (§5.5)
MASK = 0b1000_0000
LENGTH = 0b0111_1111

MAX_CONTROL_PAYLOAD = 125  # bytes (§5.5)


class Opcode(IntEnum):
    """Name the interpretation of a frame's payload data (§5.2, §11.8).

    >>> Opcode(9)
    <Opcode.PING: 9>
    """

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


@dataclass(frozen=True, slots=True)
class Frame:
    """Hold one frame, unmasked (§5.2).

    Args:
        opcode: what the payload is.
        payload: payload data in bytes, unmasked; a text is its UTF-8 encoding.
        fin: whether this is the last frame of its message.
        rsv1, rsv2, rsv3: the reserved bits; an extension gives them a meaning, without one they are 0.

    Raises:
        ValueError: the opcode is reserved.
        TypeError: the payload is not bytes-like.

    >>> frame = Frame(Opcode.TEXT, b"Hello")
    >>> print(frame)
    TEXT "Hello" [5 bytes]
    >>> print(Frame(Opcode.TEXT, b"Hel", fin=False))
    TEXT "Hel" [3 bytes, more follow]
    """

    opcode: Opcode
    payload: bytes = b""
    fin: bool = True
    rsv1: bool = False
    rsv2: bool = False
    rsv3: bool = False

    def __post_init__(self) -> None:
        if type(self.opcode) is not Opcode:
            object.__setattr__(self, "opcode", Opcode(self.opcode))
        if type(self.payload) is not bytes:
            object.__setattr__(self, "payload", _to_bytes(self.payload))

    def __str__(self) -> str:
        notes = [f"{len(self.payload)} bytes" if len(self.payload) != 1 else "1 byte"]
        notes += [name.upper() for name in ("rsv1", "rsv2", "rsv3") if getattr(self, name)]
        notes += [] if self.fin else ["more follow"]
        return " ".join(filter(None, [self.opcode.name, self._preview(), f"[{', '.join(notes)}]"]))

    def _preview(self) -> str:
        if self.opcode is Opcode.CLOSE:
            try:
                code, reason = decode_close(self.payload)
            except ProtocolError:
                pass
            else:
                return f'{code} "{reason}"' if reason else (str(code) if self.payload else "")
        if self.opcode is Opcode.TEXT:
            text = self.payload[:160].decode("utf-8", "backslashreplace").encode("unicode_escape").decode()
            return f'"{text}"' if len(text) <= 40 else f'"{text[:39]}…"'
        return self.payload.hex(" ") if len(self.payload) <= 16 else self.payload[:15].hex(" ") + " …"


def _to_bytes(data: object) -> bytes:
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"payload is {type(data).__name__}, not bytes; encode a text with .encode() first")


# -- masking (§5.3) -----------------------------------------------------------------------------------------


def apply_mask(data: bytes | bytearray | memoryview, masking_key: bytes) -> bytes:
    """XOR octet i of the data with octet i modulo 4 of the key (§5.3). Masking twice gives the data back.

    Args:
        data: any number of bytes.
        masking_key: 4 bytes.

    Raises:
        ValueError: the key is not 4 bytes long.

    >>> apply_mask(b"Hello", bytes.fromhex("37fa213d")).hex(" ")
    '7f 9f 4d 51 58'
    """
    if len(masking_key) != 4:
        raise ValueError(f"masking-key is {len(masking_key)} bytes, not 4")
    size = len(data)
    key = (masking_key * (size // 4 + 1))[:size]
    # One XOR of two big integers is the fastest way of the standard library.
    return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


# -- encoding (§5.2) ----------------------------------------------------------------------------------------


def first_byte(frame: Frame) -> int:
    """Put FIN, RSV1 to RSV3 and the opcode into the first octet of a frame (§5.2).

    >>> f"{first_byte(Frame(Opcode.TEXT, b'Hello')):08b}"
    '10000001'
    """
    return (
        (FIN if frame.fin else 0)
        | (RSV1 if frame.rsv1 else 0)
        | (RSV2 if frame.rsv2 else 0)
        | (RSV3 if frame.rsv3 else 0)
        | frame.opcode
    )


def encode_length(length: int, masked: bool) -> bytes:
    """Encode MASK bit, payload length and extended payload length: 1, 3 or 9 bytes, the shortest (§5.2).

    Args:
        length: of the payload, in bytes, from 0 to 2**63 - 1.
        masked: whether a masking-key follows.

    Raises:
        ValueError: the length does not fit in 63 bits.

    >>> encode_length(125, masked=False).hex(" "), encode_length(126, masked=True).hex(" ")
    ('7d', 'fe 00 7e')
    """
    mask_bit = MASK if masked else 0
    if 0 <= length <= 125:
        return bytes((mask_bit | length,))
    if 126 <= length <= 0xFFFF:
        return struct.pack("!BH", mask_bit | 126, length)
    if 0x10000 <= length < 2**63:
        return struct.pack("!BQ", mask_bit | 127, length)
    raise ValueError(f"payload length is {length}, outside 0 to 2**63 - 1")


def encode_frame(frame: Frame, masking_key: bytes | None = None) -> bytes:
    """Encode a frame (§5.2): masked with the key, as a client must, or unmasked, as a server must (§5.1).

    Args:
        frame: the frame.
        masking_key: 4 bytes, or None for a frame without mask.

    Raises:
        ValueError: a control frame is fragmented or its payload is over 125 bytes (§5.5); a bad key.

    >>> encode_frame(Frame(Opcode.TEXT, b"Hello")).hex(" ")
    '81 05 48 65 6c 6c 6f'
    >>> encode_frame(Frame(Opcode.TEXT, b"Hello"), bytes.fromhex("37fa213d")).hex(" ")
    '81 85 37 fa 21 3d 7f 9f 4d 51 58'
    """
    payload = frame.payload
    if frame.opcode & CONTROL:
        if len(payload) > MAX_CONTROL_PAYLOAD:
            raise ValueError(f"control frame payload is {len(payload)} bytes, limit {MAX_CONTROL_PAYLOAD}")
        if not frame.fin:
            raise ValueError(f"control frame {frame.opcode.name} is fragmented")
    first = bytes((first_byte(frame),))
    if masking_key is None:
        return first + encode_length(len(payload), False) + payload
    return first + encode_length(len(payload), True) + masking_key + apply_mask(payload, masking_key)


# -- decoding (§5.2) ----------------------------------------------------------------------------------------


def _judge_first_byte(first: int) -> str | None:
    """Say what is wrong with the first octet of a frame, as far as no extension is in use (§5.2, §5.5)."""
    for bit, name in ((RSV1, "RSV1"), (RSV2, "RSV2"), (RSV3, "RSV3")):
        if first & bit:
            return f"{name} is set, but no extension was negotiated"
    opcode = first & OPCODE
    if opcode not in set(Opcode):
        return f"opcode {opcode:#x} is reserved"
    if opcode & CONTROL and not first & FIN:
        return f"control frame {Opcode(opcode).name} is fragmented"
    return None


# All that can be known from the first octet, looked up once for each of its 256 values.
_FIRST_BYTE_ERROR = [_judge_first_byte(first) for first in range(256)]


class FrameDecoder:
    """Decode a stream of octets into frames, cut anywhere, and refuse what one frame may not be (§5).

    Args:
        masked: whether the sender must mask: True for what a client sends, False for a server (§5.1).
        max_size: the longest payload accepted, in bytes; a longer frame is refused from its header (1009).

    >>> decoder = FrameDecoder(masked=False)
    >>> decoder.feed(bytes.fromhex("8105 4865"))
    []
    >>> [str(frame) for frame in decoder.feed(bytes.fromhex("6c6c6f 8900"))]
    ['TEXT "Hello" [5 bytes]', 'PING [0 bytes]']
    """

    def __init__(self, *, masked: bool, max_size: int | None = 2**20) -> None:
        self._masked = masked
        self._max_size = max_size
        self._chunks: list[bytes] = []  # octets of the frame that is not whole yet
        self._have = 0  # their number
        self._needed = 2  # how many octets the next step needs
        self._error: ProtocolError | None = None

    def feed(self, data: bytes | bytearray | memoryview) -> list[Frame]:
        """Take octets as they arrive and return the frames that are whole now.

        Args:
            data: any number of bytes.

        Raises:
            ProtocolError: the peer broke a rule; its ``frames`` are those that came whole before. Every later
                call raises it again: nothing behind the error can be understood.
        """
        if self._error:
            raise self._error
        frames: list[Frame] = []
        self._chunks.append(bytes(data))
        self._have += len(data)
        if self._have < self._needed:
            return frames
        buffer = b"".join(self._chunks)
        offset = 0
        try:
            while (span := self._payload_span(buffer, offset)) is not None:
                start, end = span
                frames.append(self._frame(buffer, offset, start, end))
                offset = end
        except ProtocolError as error:
            self._error = error
            error.frames = frames
            self._chunks.clear()
            raise
        self._chunks = [buffer[offset:]]
        self._have = len(buffer) - offset
        return frames

    def _payload_span(self, buffer: bytes, offset: int) -> tuple[int, int] | None:
        """Find where the payload of the frame at an offset starts and ends; None when octets are missing."""
        self._needed = 2
        if len(buffer) < offset + 2:
            return None
        first, second = buffer[offset], buffer[offset + 1]
        if problem := _FIRST_BYTE_ERROR[first]:
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, problem)
        if bool(second & MASK) is not self._masked:
            raise ProtocolError(
                CloseCode.PROTOCOL_ERROR,
                "frame from a client is not masked" if self._masked else "frame from a server is masked",
            )
        length = second & LENGTH
        start = offset + 2
        if length > MAX_CONTROL_PAYLOAD:
            if first & CONTROL:
                raise ProtocolError(CloseCode.PROTOCOL_ERROR, "control frame payload is over 125 bytes")
            start += 2 if length == 126 else 8
            self._needed = start - offset
            if len(buffer) < start:
                return None
            length = _extended_length(buffer[offset + 2 : start])
        if self._max_size is not None and length > self._max_size:
            raise ProtocolError(
                CloseCode.MESSAGE_TOO_BIG, f"frame payload is {length} bytes, limit {self._max_size}"
            )
        start += 4 if self._masked else 0
        self._needed = start + length - offset
        return (start, start + length) if len(buffer) >= start + length else None

    def _frame(self, buffer: bytes, offset: int, start: int, end: int) -> Frame:
        first = buffer[offset]
        payload = buffer[start:end]
        if self._masked:
            payload = apply_mask(payload, buffer[start - 4 : start])
        return Frame(Opcode(first & OPCODE), payload, fin=bool(first & FIN))


def _extended_length(octets: bytes) -> int:
    """Read an extended payload length of 2 or 8 octets, which must need that many (§5.2)."""
    length = int.from_bytes(octets, "big")
    if length >= 2**63:
        raise ProtocolError(CloseCode.PROTOCOL_ERROR, "the top bit of the 64-bit payload length is set")
    if length <= (125 if len(octets) == 2 else 0xFFFF):
        raise ProtocolError(
            CloseCode.PROTOCOL_ERROR, f"payload length {length} is not encoded in the fewest bytes"
        )
    return length
