"""Compression of messages: the extension permessage-deflate (RFC 7692).

A :class:`Deflate` is an offer, its answer, and what both ends then agree on. :class:`Deflater` compresses the
payload of a message, :class:`Inflater` decompresses it. Which frames carry a compressed message (RSV1, §6) is
left to ``decoder`` and ``message``. Sections in this module are those of RFC 7692.

Compressed data ends with an empty block, whose last four bytes are ``00 00 ff ff``. The sender leaves these
four out and the receiver puts them back (§7.2.1, §7.2.2).
"""

from __future__ import annotations

import sys
import zlib
from collections import namedtuple
from collections.abc import Iterable

from wslab.close import CloseCode, ProtocolError
from wslab.http import HandshakeError

TYPE_CHECKING = False  # wslab/__init__.py says why it is not imported
if TYPE_CHECKING:
    from typing import Literal

    Side = Literal["client", "server"]

__all__ = ["Deflate", "Deflater", "Inflater", "compression_settings"]

EXTENSION = "permessage-deflate"
TAIL = bytes.fromhex("0000ffff")
EMPTY = b"\x00"  # an empty message, compressed (§7.2.3.6)
# The four bytes, then empty blocks. They inflate to nothing, unless the stream ended inside a block. Many are
# needed, since the header of a block can take in a few dozen bytes before zlib finds it wrong.
END = TAIL + 32 * (EMPTY + TAIL)
FEWEST_BITS = 9  # zlib inflates with a window of 8 bits, but does not deflate with one
STEP = 2**12  # bytes to inflate at a time where one message holds several streams
FLAGS = ("server_no_context_takeover", "client_no_context_takeover")
BITS = ("server_max_window_bits", "client_max_window_bits")
_ALLOWED = ((*range(8, 16), None), (*range(8, 16), None), range(10), range(1, 10))
_SIZES = {str(bits): bits for bits in range(8, 16)}  # no leading zeros (§7.1.2)


class Deflate(
    namedtuple(
        "Deflate",
        "server_no_context_takeover client_no_context_takeover "
        "server_max_window_bits client_max_window_bits level memory_level",
        defaults=(False, False, 12, 12, 6, 5),
    )
):
    """Parameters of permessage-deflate: what an end wants, or what both have agreed on (§7.1).

    Args:
        server_no_context_takeover: whether the server forgets each message before the next (§7.1.1.1).
        client_no_context_takeover: whether the client does (§7.1.1.2).
        server_max_window_bits: the server refers back by at most 2 to the power of this, 8 to 15, in bytes
            (§7.1.2.1); None for no limit, which means 15.
        client_max_window_bits: the same for the client (§7.1.2.2).
        level: how hard zlib looks for repetition, 0 to 9; the peer is not told.
        memory_level: how much memory zlib takes for that, 1 to 9; the peer is not told.

    Raises:
        ValueError: a number outside its range.

    >>> Deflate().offer()
    'permessage-deflate; server_max_window_bits=12; client_max_window_bits=12'
    >>> Deflate().answer(["permessage-deflate; client_max_window_bits"])
    'permessage-deflate; server_max_window_bits=12; client_max_window_bits=12'
    """

    __slots__ = ()
    server_no_context_takeover: bool
    client_no_context_takeover: bool
    server_max_window_bits: int | None
    client_max_window_bits: int | None
    level: int
    memory_level: int

    def __new__(cls, *args: object, **kwargs: object) -> Deflate:
        self = super().__new__(cls, *args, **kwargs)
        for name, allowed in zip(self._fields[2:], _ALLOWED, strict=True):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}, not one of {[*allowed]}")
        return self

    def __str__(self) -> str:
        flags = [name for name in FLAGS if getattr(self, name)]
        bits = [f"{name}={getattr(self, name)}" for name in BITS if getattr(self, name) is not None]
        return "; ".join([EXTENSION, *flags, *bits])

    def offer(self) -> str:
        """Return what a client offers: these parameters, and that the server may limit its window (§7.1)."""
        return str(self) + ("" if self.client_max_window_bits else f"; {BITS[1]}")

    def answer(self, offers: Iterable[str]) -> str | None:
        """Return a server's answer to the first offer that it can accept, or None (§5.1, §7).

        Args:
            offers: the elements of Sec-WebSocket-Extensions, the client's preferred first.
        """
        for offer in offers:
            wanted = _read(offer, offer=True)
            if wanted is None:
                continue  # another extension, or no valid offer of this one: declined (§7)
            server = _least(self.server_max_window_bits, wanted.server_max_window_bits)
            client = wanted.client_max_window_bits  # None: the client did not offer to be limited
            if client is not None:
                client = _least(self.client_max_window_bits, client)
            if server is None or server >= FEWEST_BITS:
                flags = [getattr(self, name) or getattr(wanted, name) for name in FLAGS]
                return str(Deflate(*flags, server, None if client == 15 else client))
        return None

    def agree(self, answer: str, side: Side) -> Deflate:
        """Return what both ends do from now on, according to the server's answer (§7.1).

        Args:
            answer: the element of Sec-WebSocket-Extensions.
            side: a client checks that the answer keeps to its offer; a server's own answer does.

        Raises:
            HandshakeError: the answer is malformed, or goes beyond the offer (§7, §7.1).
        """
        found = _read(answer, offer=False)
        if found is None:
            raise HandshakeError(f"the server answers {answer[:80]!r}, which was not offered", 101)
        if side == "client":
            found = self._judge(found)
        return found._replace(level=self.level, memory_level=self.memory_level)

    def _judge(self, found: Deflate) -> Deflate:
        """Judge an answer as the client that offered this, and add the limits that it sets itself."""
        if self.server_no_context_takeover and not found.server_no_context_takeover:
            raise HandshakeError("the server does not agree to forget each message (RFC 7692 §7.1.1.1)", 101)
        for name, unsaid in zip(BITS, (15, 0), strict=True):
            wish, bits = getattr(self, name), getattr(found, name)
            if wish and (bits or unsaid) > wish:
                problem = f"{name} is {bits} in the answer and {wish} in the offer (RFC 7692 §7.1.2)"
                raise HandshakeError(problem, 101)
        client = _least(self.client_max_window_bits, found.client_max_window_bits)
        if client is not None and client < FEWEST_BITS:
            raise HandshakeError(f"client_max_window_bits is {client}, but zlib compresses with 9 to 15", 101)
        forgets = found.client_no_context_takeover or self.client_no_context_takeover
        return found._replace(client_no_context_takeover=forgets, client_max_window_bits=client)

    def window(self, side: Side) -> tuple[int, bool]:
        """Return the window that one side compresses with, in bits, and whether it remembers its messages."""
        if side == "server":
            return self.server_max_window_bits or 15, not self.server_no_context_takeover
        return self.client_max_window_bits or 15, not self.client_no_context_takeover


def compression_settings(compression: Deflate | Literal["deflate"] | None, side: Side) -> Deflate | None:
    """Return what the argument ``compression`` of ``serve`` and ``connect`` asks for.

    Raises:
        ValueError: it is not one of these three, or asks zlib to compress with a window of 8 bits.
    """
    wanted = Deflate() if compression == "deflate" else compression
    if wanted is not None and not isinstance(wanted, Deflate):
        raise ValueError(f"compression is {compression!r}, not None, 'deflate' or a Deflate")
    name = f"{side}_max_window_bits"
    if getattr(wanted, name, None) == 8:
        raise ValueError(f"{name} is 8, but zlib compresses with {FEWEST_BITS} to 15")
    return wanted


def _read(text: str, *, offer: bool) -> Deflate | None:
    """Read one element of Sec-WebSocket-Extensions; None if it is not a valid one of this extension (§7).

    A client_max_window_bits without a value, which only an offer may have, is read as 15.
    """
    name, *parameters = (part.strip(" \t") for part in text.split(";"))
    values: dict[str, int | None] = {}
    for parameter in parameters:
        key, equals, value = (part.strip(' \t"') for part in parameter.partition("="))
        if key in values:
            return None
        if key in FLAGS and not equals:
            values[key] = True
        elif key in BITS and value in _SIZES:
            values[key] = _SIZES[value]
        elif key == BITS[1] and not equals and offer:
            values[key] = 15
        else:
            return None
    return Deflate(**(dict.fromkeys(BITS) | values)) if name == EXTENSION else None


def _least(*bits: int | None) -> int | None:
    return min((size for size in bits if size is not None), default=None)


class Deflater:
    """The compressor of what one end sends (§7.2.1). Nothing is allocated before the first message.

    Args:
        bits: the window is 2 to the power of this, in bytes.
        takeover: whether it remembers messages, so that the next can refer to them.
        level, memory_level: as in :class:`Deflate`.

    Attributes:
        shared: equal in compressors that return the same bytes for a message; None if they remember others.

    >>> Deflater(15, True).deflate(b"Hello").hex(" ")
    'f2 48 cd c9 c9 07 00'
    """

    def __init__(self, bits: int, takeover: bool, level: int = 6, memory_level: int = 5) -> None:
        self.shared = None if takeover else (bits, level, memory_level)
        self._settings = (level, zlib.DEFLATED, -bits, memory_level)
        self._zlib: zlib._Compress | None = None

    def deflate(self, payload: bytes) -> bytes:
        """Compress a whole message."""
        if not payload:
            return EMPTY
        compressor = self._zlib or zlib.compressobj(*self._settings)
        if not self.shared:
            self._zlib = compressor
        return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


class Inflater:
    """The decompressor of what the peer sends (§7.2.2). It inflates at most one byte too many.

    Args:
        bits: the window is 2 to the power of this, in bytes.
        takeover: whether messages may refer to earlier ones.

    >>> inflater = Inflater(15, True)
    >>> inflater.inflate(bytes.fromhex("f248cdc9c90700"), True, room=5)  # the examples of §7.2.3
    b'Hello'
    >>> inflater.inflate(bytes.fromhex("f200110000"), True, room=5)
    b'Hello'
    """

    def __init__(self, bits: int, takeover: bool) -> None:
        self._bits = bits
        self._takeover = takeover
        self._zlib: zlib._Decompress | None = None

    def inflate(self, data: bytes, fin: bool, room: int) -> bytes:
        """Decompress a piece of a message, and stop one byte above the room.

        A message that ends inside a block is refused, because part of it is missing. (Browsers and
        ``websockets`` take it as a shorter message.) zlib does not report it, but treats the four bytes, and
        those after them, as part of that block.

        Args:
            data: the piece, in bytes.
            fin: whether it is the last one.
            room: the most that the caller accepts, in bytes.

        Raises:
            ProtocolError: 1007, the piece is not compressed data, or the last one ends inside a block.
        """
        stream = self._zlib or zlib.decompressobj(-self._bits)
        begun: zlib._Decompress | None = stream
        try:
            inflated = stream.decompress(data, min(room + 1, sys.maxsize))
            if stream.eof:
                more, begun = self._next_streams(stream.unused_data, room - len(inflated))
                inflated += more
            if fin and begun and len(inflated) <= room and (begun.decompress(END, 1) or begun.eof):
                raise zlib.error("it ends inside a block")
        except zlib.error as error:
            raise ProtocolError(CloseCode.INVALID_DATA, f"message cannot be inflated: {error}") from None
        self._zlib = begun if self._takeover or not fin else None
        return inflated

    def _next_streams(self, data: bytes, room: int) -> tuple[bytes, zlib._Decompress | None]:
        """Go on after a block with BFINAL, after which the sender starts a new stream (§7.2.3.4).

        Return the inflated bytes, and the stream that has begun; None if the last one ended with the data.
        """
        pieces, at, stream = [], 0, None
        while at < len(data) and room >= 0:
            stream = stream or zlib.decompressobj(-self._bits)
            piece = data[at : at + STEP]
            pieces.append(stream.decompress(piece, min(room + 1, sys.maxsize)))
            room -= len(pieces[-1])
            at += len(piece) - len(stream.unused_data)
            if stream.eof:
                stream = None
        return b"".join(pieces), stream
