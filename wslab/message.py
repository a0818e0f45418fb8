"""Messages: from fragments to whole messages (RFC 6455 §5.4, §5.6, §8.1).

This module knows which data frame may follow which, how long a message may grow, and that a text must be
UTF-8: it decodes a text as it arrives, so that the first wrong byte is noticed even in a frame that is not
whole. A compressed message goes through ``deflate`` as it arrives. Control frames, which may arrive between
two fragments, are left to ``connection``.

When a message is not whole, :meth:`Assembler.add` keeps the fragment and returns None.
"""

from __future__ import annotations

import codecs
import io

from wslab.close import CloseCode, ProtocolError
from wslab.frames import FIN, OPCODE, RSV1, Opcode

TYPE_CHECKING = False  # wslab/__init__.py says why it is not imported
if TYPE_CHECKING:
    from wslab.deflate import Inflater

__all__ = ["Assembler", "decode_text"]


def decode_text(payload: bytes) -> str:
    """Decode the payload of a whole text message.

    Raises:
        ProtocolError: 1007, it is not UTF-8 (§8.1).

    >>> decode_text("µ".encode())
    'µ'
    """
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise _not_utf8(error) from None


def _not_utf8(error: UnicodeDecodeError) -> ProtocolError:
    byte, following = error.object[error.start], error.object[error.start + 1 : error.start + 2]
    if byte == 0xED and b"\xa0" <= following <= b"\xbf":  # the same sentence wherever TCP cut the text
        return ProtocolError(CloseCode.INVALID_DATA, "text is not UTF-8: byte 0xed, a surrogate")
    return ProtocolError(CloseCode.INVALID_DATA, f"text is not UTF-8: byte {byte:#04x}, {error.reason}")


class Assembler:
    """The assembler of messages from their fragments, one message after the other (§5.4).

    Args:
        max_size: the longest message accepted, in bytes; a compressed one is measured inflated.
        inflater: decompresses messages, where that was negotiated.

    Attributes:
        opcode: of the message that is not whole yet; CONTINUATION, which is 0, between messages.

    >>> assembler = Assembler(max_size=100)
    >>> assembler.add(0b0000_0001, b"Hel")
    >>> assembler.add(0b1000_0000, b"lo")
    'Hello'
    """

    def __init__(self, max_size: int, inflater: Inflater | None = None) -> None:
        self.opcode = Opcode.CONTINUATION
        self._max_size = max_size
        self._inflater = inflater
        self._inflating: Inflater | None = None  # the inflater, while a compressed message arrives
        self._size = 0  # bytes of that message so far
        self._parts: io.StringIO | io.BytesIO  # made for each message; a text is decoded already
        self._cut = b""  # up to three bytes of a character that is not whole

    def add(self, first: int, payload: bytes) -> str | bytes | None:
        """Add a fragment, and return the message if it is whole now.

        Args:
            first: the first byte of the frame.
            payload: its payload, unmasked.

        Raises:
            ProtocolError: 1002 for a frame out of place, 1007 for a text that is not UTF-8 or a message that
                cannot be inflated, 1009 for a message over the limit.
        """
        opcode = first & OPCODE
        self.expect(first, len(payload))
        fin = first >= FIN
        if opcode:
            self._inflating = self._inflater if first & RSV1 else None
            self.opcode = Opcode(opcode)
            self._parts = io.StringIO() if opcode == Opcode.TEXT else io.BytesIO()
        if self._inflating:
            payload = self._inflating.inflate(payload, fin, self._max_size - self._size)
            if self._size + len(payload) > self._max_size:
                problem = f"message inflates to more than {self._max_size} bytes"
                raise ProtocolError(CloseCode.MESSAGE_TOO_BIG, problem)
        self._size += len(payload)
        if isinstance(self._parts, io.BytesIO):
            self._parts.write(payload)
        else:
            self._parts.write(self._decode(payload, fin))
        if not fin:
            return None
        self._size, self.opcode = 0, Opcode.CONTINUATION
        return self._parts.getvalue()

    def expect(self, first: int, size: int) -> None:
        """Judge a frame before its payload arrives: whether it is in place, and fits the limit.

        Args:
            first: the first byte of the frame.
            size: bytes of its payload.

        Raises:
            ProtocolError: 1002 or 1009, as for :meth:`add`.
        """
        opcode = first & OPCODE
        if opcode and self.opcode:
            problem = f"{Opcode(opcode).name} before the fragmented message was whole"
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, problem)
        if not opcode and not self.opcode:
            problem = "CONTINUATION, but there is no message to continue"
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, problem)
        if first & RSV1 or (not opcode and self._inflating):
            return  # its size is judged while it is inflated
        if self._size + size > self._max_size:
            problem = f"message is at least {self._size + size} bytes, limit {self._max_size}"
            raise ProtocolError(CloseCode.MESSAGE_TOO_BIG, problem)

    def _decode(self, payload: bytes, fin: bool) -> str:
        """Decode a fragment of a text, and refuse its first wrong byte."""
        if self._cut:
            payload = self._cut + payload
        try:
            text, used = codecs.utf_8_decode(payload, "strict", fin)
            self._cut = cut = payload[used:]
            if cut and cut[0] == 0xED and cut[1:] >= b"\xa0":
                cut.decode()  # half a surrogate: Python would wait for its third byte
        except UnicodeDecodeError as error:
            raise _not_utf8(error) from None
        return text
