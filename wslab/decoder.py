"""Decoding: a stream of octets to frames (RFC 6455 §5.2, §5.5).

This module knows how to find the frames in a stream that may be cut anywhere, and every rule that one frame
can break on its own: reserved bits and opcodes, the direction of masking, lengths, what a control frame may
not be. It does not know which frame may follow which: fragments, UTF-8 and the closing handshake belong to
``connection``. It reads no socket, has no clock.

When more octets are needed, :meth:`FrameDecoder.feed` keeps what it has and returns what is whole.
"""

from __future__ import annotations

import io

from wslab.close import CloseCode, ProtocolError
from wslab.frames import (
    CONTROL,
    FIN,
    LONG_PAYLOAD,
    MASK,
    MAX_CONTROL_PAYLOAD,
    OPCODE,
    RSV1,
    RSV2,
    RSV3,
    Frame,
    Opcode,
    number,
    xor,
    xor_long,
    xor_stream,
)

__all__ = ["FrameDecoder"]


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


BINARY = int(Opcode.BINARY)

# All that can be known from the first octet, looked up once for each of its 256 values.
_FIRST_BYTE_ERROR = [_judge_first_byte(first) for first in range(256)]


class FrameDecoder:
    """Decode a stream of octets into frames, cut anywhere, and refuse what one frame may not be (§5).

    Args:
        masked: whether the sender must mask: True for what a client sends, False for a server (§5.1).
        max_size: the longest payload accepted, in bytes; a longer frame is refused from its header (1009).

    Attributes:
        error: what the peer did wrong, once it has.

    >>> decoder = FrameDecoder(masked=False)
    >>> decoder.feed(bytes.fromhex("8105 4865"))
    []
    >>> [str(frame) for frame in decoder.feed(bytes.fromhex("6c6c6f 8900"))]
    ['TEXT "Hello" [5 bytes]', 'PING [0 bytes]']
    """

    def __init__(self, *, masked: bool, max_size: int | None = 2**20) -> None:
        self.error: ProtocolError | None = None
        self._masked = masked
        self._mask_bit = MASK if masked else 0
        self._header = 6 if masked else 2  # octets of the shortest header
        self._max_size = 2**63 if max_size is None else max_size
        self._rest = b""  # octets of a header or control frame that is not whole
        self._first = 0  # first octet of the frame whose payload is arriving
        self._left = 0  # octets of that payload still to come; 0 when the next octet starts a frame
        self._key = b""  # its masking-key
        self._payload = io.BytesIO()  # what has arrived of it, still masked
        self._pieces: list[tuple[int, bytes]] = []  # of a frame that feed() has not returned yet

    def feed(self, data: bytes | bytearray | memoryview) -> list[Frame]:
        """Take octets as they arrive and return the frames that are whole now.

        Args:
            data: any number of bytes.

        Raises:
            ProtocolError: the peer broke a rule; its ``frames`` are those that came whole before. Every later
                call raises it again: nothing behind the error can be understood.
        """
        frames = []
        pieces = self.fragments(data)
        # Only the last piece can belong to a frame that is not whole, and only if continuations follow.
        whole = len(pieces) - 1 if self._left and not self._first & OPCODE else len(pieces)
        for at, piece in enumerate(pieces):
            self._pieces.append(piece)
            if at < whole:
                payload = b"".join([payload for _, payload in self._pieces])
                frames.append(Frame(self._pieces[0][0] & OPCODE, payload, fin=bool(piece[0] & FIN)))
                self._pieces.clear()
        if self.error:
            self.error.frames += frames
            raise self.error
        return frames

    def fragments(self, data: bytes | bytearray | memoryview) -> list[tuple[int, bytes]]:
        """Take octets as they arrive and return pairs of first octet and unmasked payload.

        A text frame that is not whole is handed out in pieces, as if the sender had fragmented it, so that
        its first wrong octet can be refused (§8.1); so is a continuation, which may belong to a text. It
        never raises: the peer's fault is kept in ``error``, and nothing behind it is read.

        Args:
            data: any number of bytes.

        >>> FrameDecoder(masked=False).fragments(bytes.fromhex("8105 4865"))
        [(1, b'He')]
        """
        pieces: list[tuple[int, bytes]] = []
        if self.error:
            return pieces
        if self._left > len(data) and self._first & OPCODE == BINARY:
            self._payload.write(data)
            self._left -= len(data)
            return pieces
        buffer = data if type(data) is bytes else bytes(data)
        if self._rest:
            buffer = self._rest + buffer
            self._rest = b""
        try:
            offset = self._continue(buffer, 0, pieces) if self._left else 0
            offset = self._decode(buffer, offset, pieces)
        except ProtocolError as error:
            self.error = error
            return pieces
        if offset < len(buffer):
            self._rest = buffer[offset:]
        return pieces

    def _decode(self, buffer: bytes, offset: int, pieces: list[tuple[int, bytes]]) -> int:
        """Decode as much as is there, and return the offset of the first octet that must wait for more."""
        size = len(buffer)
        mask_bit, header, max_size = self._mask_bit, self._header, self._max_size
        while size - offset >= 2:
            # This loop runs once for each frame of a busy connection: one look at the first octet, one at the
            # second, is all that a short frame costs.
            first = buffer[offset]
            length = buffer[offset + 1] ^ mask_bit  # over 127 when the MASK bit is not as it must be
            start = offset + header
            if length > MAX_CONTROL_PAYLOAD or _FIRST_BYTE_ERROR[first]:
                self._judge_header(first, length)
                extension = 2 if length == 126 else 8
                if size < offset + 2 + extension:
                    return offset
                length = _extended_length(buffer[offset + 2 : offset + 2 + extension])
                start += extension
            if length > max_size:
                problem = f"frame payload is {length} bytes, limit {max_size}"
                raise ProtocolError(CloseCode.MESSAGE_TOO_BIG, problem)
            end = start + length
            if end > size:
                return self._begin(buffer, offset, start, length, pieces)
            if not mask_bit:
                payload = buffer[start:end]
            elif length < LONG_PAYLOAD:  # as in xor_short(), without the call
                pad = (buffer[start - 4 : start] * (length // 4 + 1))[:length]
                masked = number(buffer[start:end], "little")
                payload = (masked ^ number(pad, "little")).to_bytes(length, "little")
            else:
                payload = xor_long(buffer, start, end, buffer[start - 4 : start])
            pieces.append((first, payload))
            offset = end
        return offset

    def _judge_header(self, first: int, length: int) -> None:
        """Refuse a frame for what its first two octets say (§5.1, §5.2, §5.5)."""
        if problem := _FIRST_BYTE_ERROR[first]:
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, problem)
        if length & MASK:
            problem = "frame from a client is not masked" if self._masked else "frame from a server is masked"
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, problem)
        if first & CONTROL:
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, "control frame payload is over 125 bytes")

    def _begin(
        self, buffer: bytes, offset: int, start: int, length: int, pieces: list[tuple[int, bytes]]
    ) -> int:
        """Begin with a payload that is not whole, unless it belongs to a control frame."""
        first = buffer[offset]
        if first & CONTROL or start >= len(buffer):
            return offset
        self._first, self._left, self._key = first, length, buffer[start - 4 : start]
        return self._continue(buffer, start, pieces)

    def _continue(self, buffer: bytes, start: int, pieces: list[tuple[int, bytes]]) -> int:
        """Take what has arrived of a payload, and return the offset of the octet behind it."""
        end = min(start + self._left, len(buffer))
        self._left -= end - start
        if self._first & OPCODE == BINARY:
            self._payload.write(buffer[start:end])
            if not self._left:
                masked, self._payload = self._payload, io.BytesIO()
                pieces.append(
                    (self._first, xor_stream(masked, 0, self._key) if self._mask_bit else masked.getvalue())
                )
            return end
        # The last piece has the frame's FIN bit, the others have none; all but the first are continuations.
        payload = xor(buffer, start, end, self._key) if self._mask_bit else buffer[start:end]
        pieces.append((self._first & ~FIN if self._left else self._first, payload))
        turn = (end - start) % 4
        self._first, self._key = self._first & FIN, self._key[turn:] + self._key[:turn]
        return end


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
