"""Decoding: a stream of bytes to frames (RFC 6455 §5.2, §5.5).

This module knows how to find the frames in a stream that may be cut anywhere, and every rule that a single
frame can break: reserved bits and opcodes, the direction of masking, lengths, what a control frame may not
be. Which frame may follow which is left to others: fragments and UTF-8 to ``message``, the closing handshake
to ``connection``.

When more bytes are needed, :meth:`FrameDecoder.feed` keeps what it has and returns what is whole.
"""

from __future__ import annotations

import io
from itertools import repeat

from wslab.close import CloseCode, ProtocolError
from wslab.frames import (
    CONTROL,
    FIN,
    MASK,
    MAX_CONTROL_PAYLOAD,
    OPCODE,
    RSV1,
    RSV2,
    RSV3,
    Frame,
    Opcode,
)
from wslab.masking import number, xor_in_place, xor_part

__all__ = ["FrameDecoder"]


_OPCODES = {int(opcode) for opcode in Opcode}


def _judge_first_byte(first: int, compressed: bool) -> str | None:
    """Return what is wrong with the first byte of a frame (§5.2, §5.5; RFC 7692 §6.1 if in use)."""
    opcode = first & OPCODE
    if compressed and first & RSV1 and opcode in (Opcode.TEXT, Opcode.BINARY):
        first &= ~RSV1
    for bit, name in ((RSV1, "RSV1"), (RSV2, "RSV2"), (RSV3, "RSV3")):
        if first & bit and compressed and bit == RSV1:
            return "RSV1 is set, but not on the first frame of a message"
        if first & bit:
            return f"{name} is set, but no extension was negotiated"
    if opcode not in _OPCODES:
        return f"opcode {opcode:#x} is reserved"
    if opcode & CONTROL and not first & FIN:
        return f"control frame {Opcode(opcode).name} is fragmented"
    return None


# All that can be known from the first byte, computed once for each of its 256 values: what is wrong with it,
# and the greatest 7-bit payload length that may follow it, where 126 and 127 announce more bytes. The second
# table of each pair is for connections that compress.
_FIRST_BYTE_ERROR = [[_judge_first_byte(first, rsv1) for first in range(256)] for rsv1 in (False, True)]
_MOST = [
    [-1 if error else MAX_CONTROL_PAYLOAD if first & CONTROL else 127 for first, error in enumerate(errors)]
    for errors in _FIRST_BYTE_ERROR
]

ALL = 2**62  # frames: more than can arrive
Piece = tuple[int, bytes, int | None]  # see fragments()


class FrameDecoder:
    """A decoder of a stream cut anywhere: bytes in, frames out. It refuses an invalid frame (§5.2, §5.5).

    Args:
        masked: whether the frames must be masked: True for those of a client, False for a server's (§5.1).
        max_size: the longest payload accepted, in bytes; a longer one is refused from its header (1009). None
            for no limit.
        compressed: whether RSV1 may be set on the first frame of a message (RFC 7692 §6). The payload of such
            a frame may be an eighth longer than ``max_size``, since compression lengthens random data; it is
            returned in pieces as it arrives.

    Attributes:
        error: what the peer did wrong; None before.
        has_more: whether :meth:`fragments` has stopped at its limit, with frames left.

    >>> decoder = FrameDecoder(masked=False)
    >>> decoder.feed(bytes.fromhex("8105 4865"))
    []
    >>> [str(frame) for frame in decoder.feed(bytes.fromhex("6c6c6f 8900"))]
    ['TEXT "Hello" [5 bytes]', 'PING [0 bytes]']
    """

    def __init__(self, *, masked: bool, max_size: int | None = 2**20, compressed: bool = False) -> None:
        self.error: ProtocolError | None = None
        self.has_more = False
        self._mask_bit = MASK if masked else 0
        self._header = 6 if masked else 2  # bytes of the shortest header
        self._max_size = 2**63 if max_size is None else max_size
        self._compressed = compressed
        self._most = _MOST[compressed]
        self._rest = b""  # a header or control frame that is not whole, or everything past a limit
        self._first = 0  # first byte of the frame whose payload is arriving
        self._left = 0  # bytes of that payload still to come; 0 when the next byte starts a frame
        self._key = b""  # its masking-key, turned so that it begins with the byte that is needed next
        self._binary: io.BytesIO | None = None  # what has arrived of it, still masked, if it is binary
        self._pieces: list[Piece] = []  # of a frame that feed() has not returned yet

    def feed(self, data: bytes | bytearray | memoryview) -> list[Frame]:
        """Take bytes as they arrive and return the frames that are whole now.

        Args:
            data: any number of bytes.

        Raises:
            ProtocolError: the peer broke a rule; the ``frames`` of the error are those before it in this
                call. Every later call raises it again, since nothing after the error can be understood.
        """
        frames = []
        pieces = [piece for piece in self.fragments(data) if piece[2] is None]
        # Only the last piece can belong to a frame that is not whole, and only if continuations follow.
        whole = len(pieces) - 1 if self._left and not self._binary else len(pieces)
        for at, piece in enumerate(pieces):
            self._pieces.append(piece)
            if at < whole:
                payload = b"".join([payload for _, payload, _ in self._pieces])
                first = self._pieces[0][0]
                frames.append(Frame(first & OPCODE, payload, bool(piece[0] & FIN), bool(first & RSV1)))
                self._pieces.clear()
        if self.error:
            error = ProtocolError(self.error.code, str(self.error))
            error.frames = frames
            raise error
        return frames

    def fragments(self, data: bytes | bytearray | memoryview, limit: int = ALL) -> list[Piece]:
        """Take bytes as they arrive and return pieces: first byte, unmasked payload, and None.

        A data frame that is not whole is announced, at least once, so that it can be judged before its
        payload: a piece without FIN and payload, with the length of the payload in place of None. A text
        frame that is not whole is then returned in pieces, as if the sender had fragmented it, so that its
        first wrong byte can be refused (§8.1). So is a continuation, which may belong to a text. The peer's
        fault is not raised: it is kept in ``error``, and nothing after it is read.

        Args:
            data: any number of bytes.
            limit: the most frames to decode; the rest of the data waits for the next call.

        >>> FrameDecoder(masked=False).fragments(bytes.fromhex("8105 4865"))
        [(1, b'', 5), (1, b'He', None)]
        """
        raw = data if type(data) is bytes else bytes(data)
        size = len(raw)
        if self._binary:
            if size < self._left:
                self._binary.write(raw)  # most pieces of a long payload need no more than this
                self._left -= size
                return []
        elif size > 3 and not (self._left or self._rest or self.error):
            # By far the most often, exactly one whole frame arrives: no need to look for more.
            first, length, start, fewest = raw[0], raw[1] ^ self._mask_bit, self._header, 0
            if length < 127 and length <= self._most[first]:
                if length == 126:
                    length, start, fewest = raw[2] << 8 | raw[3], start + 2, 126
                if fewest <= length == size - start <= self._max_size:
                    if self._mask_bit:
                        return [(first, xor_part(raw, start, size, raw[start - 4 : start]), None)]
                    return [(first, raw[start:], None)]
        return [] if self.error else self._fragments(raw, limit)

    def _fragments(self, data: bytes, limit: int) -> list[Piece]:
        pieces: list[Piece] = []
        offset = 0
        if self._left:
            offset = self._continue(data, 0, pieces)
            if self._left:
                return pieces
        try:
            self._decode(self._rest + data, offset, pieces, limit)
        except ProtocolError as error:
            self.error = error
        return pieces

    def _decode(self, buffer: bytes, offset: int, pieces: list[Piece], limit: int) -> None:
        """Decode the frames from the offset on, no more than ``limit`` of them, and keep the rest."""
        size = len(buffer)
        mask_bit, header, max_size, most = self._mask_bit, self._header, self._max_size, self._most
        self.has_more = False
        for _ in repeat(None, limit):  # runs once for each frame of a busy connection
            if size - offset < 2:
                break
            first = buffer[offset]
            length = buffer[offset + 1] ^ mask_bit  # over 127 when the MASK bit is wrong
            start = offset + header
            if length > most[first]:
                raise self._refusal(first, length)
            if length > 125:
                start += 2 if length == 126 else 8
                if size < start - header + 2:
                    break
                length = _extended_length(buffer[offset + 2 : start - header + 2])
            if length > max_size and not (first & RSV1 and length <= max_size * 9 // 8 + 64):
                raise _too_long(length, max_size)
            end = start + length
            if end > size:
                offset = self._begin(buffer, offset, start, length, pieces)
                break
            key = buffer[start - 4 : start]
            pieces.append((first, xor_part(buffer, start, end, key) if mask_bit else buffer[start:end], None))
            offset = end
        else:
            self.has_more = size - offset >= 2
        self._rest = buffer[offset:] if offset < size else b""

    def _refusal(self, first: int, length: int) -> ProtocolError:
        """Return what is wrong with a frame, as its first two bytes show (§5.1, §5.2, §5.5)."""
        problem = _FIRST_BYTE_ERROR[self._compressed][first]
        if not problem and length & MASK:
            problem = (
                "frame from a client is not masked" if self._mask_bit else "frame from a server is masked"
            )
        return ProtocolError(CloseCode.PROTOCOL_ERROR, problem or "control frame payload is over 125 bytes")

    def _begin(self, buffer: bytes, offset: int, start: int, length: int, pieces: list[Piece]) -> int:
        """Begin with a payload that is not whole, if not a control frame's; return where the rest begins."""
        first = buffer[offset]
        if first & CONTROL:
            return offset
        pieces.append((first & ~FIN, b"", length))
        if start >= len(buffer):
            return offset
        self._first, self._left, self._key = first, length, buffer[start - 4 : start]
        self._binary = io.BytesIO() if first & (OPCODE | RSV1) == Opcode.BINARY else None
        return self._continue(buffer, start, pieces)

    def _continue(self, buffer: bytes, start: int, pieces: list[Piece]) -> int:
        """Take the part of a payload that has arrived, and return the offset of the byte after it."""
        arrived = buffer[start : start + self._left]
        self._left -= len(arrived)
        if self._binary:
            self._binary.write(arrived)
            if not self._left:
                masked, self._binary = self._binary, None
                payload = xor_in_place(masked, 0, self._key) if self._mask_bit else masked.getvalue()
                pieces.append((self._first, payload, None))
            return start + len(arrived)
        # The last piece has the frame's FIN bit, the others have none; all but the first are continuations.
        payload = xor_part(arrived, 0, len(arrived), self._key) if self._mask_bit else arrived
        pieces.append((self._first & ~FIN if self._left else self._first, payload, None))
        self._first &= FIN
        if turn := len(arrived) % 4:
            self._key = self._key[turn:] + self._key[:turn]
        return start + len(arrived)


def _too_long(length: int, limit: int) -> ProtocolError:
    return ProtocolError(CloseCode.MESSAGE_TOO_BIG, f"frame payload is {length} bytes, limit {limit}")


def _extended_length(data: bytes) -> int:
    """Read an extended payload length of 2 or 8 bytes, and refuse one that needs fewer (§5.2)."""
    length = number(data)
    if length < (126 if len(data) == 2 else 0x10000):
        problem = f"payload length {length} is not encoded in the fewest bytes"
    elif length >= 2**63:
        problem = "the top bit of the 64-bit payload length is set"
    else:
        return length
    raise ProtocolError(CloseCode.PROTOCOL_ERROR, problem)
