"""Frames: what a frame is, and how it is written (RFC 6455 §5.2, §5.5).

This module knows how one frame looks on the wire. Masking its payload is left to ``masking``, reading frames
from a stream of bytes to ``decoder``, which frame may follow which to ``message`` and ``connection``, and the
payload of a Close to ``close``.

A frame on the wire (§5.2)::

     0 1 2 3 4 5 6 7   0 1 2 3 4 5 6 7
    +-+-+-+-+-------+ +-+-------------+ +----------------+ +-----------+ +---------+
    |F|R|R|R|       | |M|   payload   | | extended length| | masking-  | | payload |
    |I|S|S|S|opcode | |A|   length    | | 0, 2 or 8      | | key, 0 or | | data    |
    |N|V|V|V|       | |S|             | | bytes          | | 4 bytes   | |         |
    | |1|2|3|       | |K|             | |                | |           | |         |
    +-+-+-+-+-------+ +-+-------------+ +----------------+ +-----------+ +---------+
"""

from __future__ import annotations

import struct
from collections import namedtuple
from enum import IntEnum

from wslab.close import ProtocolError, decode_close
from wslab.masking import four_bytes, number, xor_behind

__all__ = [
    "Frame",
    "Opcode",
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

MAX_CONTROL_PAYLOAD = 125  # bytes (§5.5)

_pack_header = struct.Struct("!BB").pack
_pack_masked_header = struct.Struct("!BB4s").pack
_pack_masked_header_16 = struct.Struct("!BBH4s").pack
_pack_header_16 = struct.Struct("!BBH").pack
_pack_header_64 = struct.Struct("!BBQ").pack
_pack_masked_header_64 = struct.Struct("!BBQ4s").pack


class Opcode(IntEnum):
    """The interpretation of a frame's payload data (§5.2, §11.8).

    >>> Opcode(9)
    <Opcode.PING: 9>
    """

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class Frame(namedtuple("Frame", "opcode payload fin rsv1 rsv2 rsv3")):
    """A frame with its payload unmasked (§5.2).

    Args:
        opcode: what the payload is, as an :class:`Opcode` or its number.
        payload: payload data in bytes, unmasked; a text is its UTF-8 encoding.
        fin: whether this is the last frame of its message.
        rsv1, rsv2, rsv3: the reserved bits, which are 0 unless an extension gives them a meaning.

    Raises:
        ValueError: the opcode is reserved.
        TypeError: the payload is not bytes-like.

    >>> frame = Frame(Opcode.TEXT, b"Hello")
    >>> print(frame)
    TEXT "Hello" [5 bytes]
    >>> print(Frame(Opcode.TEXT, b"Hel", fin=False))
    TEXT "Hel" [3 bytes, more follow]
    """

    __slots__ = ()
    opcode: Opcode
    payload: bytes
    fin: bool
    rsv1: bool
    rsv2: bool
    rsv3: bool

    def __new__(
        cls,
        opcode: int,
        payload: bytes | bytearray | memoryview = b"",
        fin: bool = True,
        rsv1: bool = False,
        rsv2: bool = False,
        rsv3: bool = False,
    ) -> Frame:
        return super().__new__(cls, Opcode(opcode), to_bytes(payload), fin, rsv1, rsv2, rsv3)

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
            text = self.payload[:160].decode("utf-8", "replace")
            line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
            return f'"{line}"' if len(line) <= 40 else f'"{line[:39]}…"'
        return self.payload.hex(" ") if len(self.payload) <= 16 else self.payload[:15].hex(" ") + " …"


def to_bytes(data: object) -> bytes:
    """Return bytes-like data as bytes; raise TypeError for anything else, a str included."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"payload is {type(data).__name__}, not bytes; encode a text with .encode() first")


# -- encoding (§5.2) ----------------------------------------------------------------------------------------


def first_byte(frame: Frame) -> int:
    """Put FIN, RSV1 to RSV3 and the opcode into the first byte of a frame (§5.2).

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
        length: the length of the payload, 0 to 2**63 - 1 bytes.
        masked: whether a masking-key follows.

    Raises:
        ValueError: the length is negative, or does not fit in 63 bits.

    >>> encode_length(125, masked=False).hex(" "), encode_length(126, masked=True).hex(" ")
    ('7d', 'fe 00 7e')
    """
    return _encode_header(0, length, MASK if masked else 0)[1:]


def _encode_header(first: int, length: int, mask_bit: int) -> bytes:
    if 126 <= length <= 0xFFFF:
        return _pack_header_16(first, mask_bit | 126, length)
    if 0 <= length <= 125:
        return _pack_header(first, mask_bit | length)
    if 0x10000 <= length < 2**63:
        return _pack_header_64(first, mask_bit | 127, length)
    raise ValueError(f"payload length is {length}, outside 0 to 2**63 - 1")


def encode_frame(frame: Frame, masking_key: bytes | None = None) -> bytes:
    """Encode a frame (§5.2): masked with the key, as a client must, or unmasked, as a server must (§5.1).

    Args:
        frame: the frame; its payload is masked here.
        masking_key: 4 bytes, or None for a frame without mask.

    Raises:
        ValueError: a control frame is fragmented or its payload is over 125 bytes (§5.5); the key is not
            4 bytes.

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
    key = None if masking_key is None else four_bytes(masking_key)
    return encode_bytes(first_byte(frame), payload, key)


def encode_bytes(first: int, payload: bytes, masking_key: bytes | None) -> bytes:
    """Encode a frame from its first byte, without the checks of :func:`encode_frame` (§5.2).

    >>> encode_bytes(0b1000_1001, b"hi", None).hex(" ")
    '89 02 68 69'
    """
    length = len(payload)
    if length <= 125:  # by far the most frames
        if masking_key is None:
            return _pack_header(first, length) + payload
        # As in xor_part(), without the call; 32 keys cover 125 bytes.
        masked = number(payload) ^ number((masking_key * 32)[:length])
        return _pack_masked_header(first, MASK | length, masking_key) + masked.to_bytes(length)
    if masking_key is None:
        return _encode_header(first, length, 0) + payload
    if length <= 0xFFFF:
        header = _pack_masked_header_16(first, MASK | 126, length, masking_key)
    else:
        header = _pack_masked_header_64(first, MASK | 127, length, masking_key)
    return xor_behind(header, payload, masking_key)
