"""The right answers of lesson 09, which its cells use until a learner's own are right (RFC 7692)."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from wslab.deflate import TAIL, Deflate

__all__ = ["Parameters", "answer_offer", "inflate", "secret", "squeeze"]

Parameters = dict[str, str | None]  # names to values, as in an offer; None for a name without a value


def squeeze(compressor: zlib._Compress, message: bytes) -> bytes:
    """Return what is sent for a message: compressed, flushed, without the last four bytes (§7.2.1).

    >>> squeeze(zlib.compressobj(wbits=-15), b"Hello").hex(" ")
    'f2 48 cd c9 c9 07 00'
    """
    return (compressor.compress(message) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflate(decompressor: zlib._Decompress, payload: bytes, limit: int) -> bytes | None:
    """Return the message, or None if it is longer than the limit, without making more (§7.2.2).

    >>> inflate(zlib.decompressobj(-15), bytes.fromhex("f248cdc9c90700"), 5)
    b'Hello'
    """
    message = decompressor.decompress(payload + TAIL, limit + 1)
    return None if len(message) > limit else message


def answer_offer(parameters: Parameters) -> Parameters | None:
    """Return what a server with windows of 12 bits answers to one offer, or None to decline it (§7, §7.1).

    >>> answer_offer({"client_max_window_bits": None})
    {'server_max_window_bits': '12', 'client_max_window_bits': '12'}
    """
    offer = [name if value is None else f"{name}={value}" for name, value in parameters.items()]
    accepted = Deflate().answer(["; ".join(["permessage-deflate", *offer])])
    pairs = [parameter.partition("=") for parameter in (accepted or "").split("; ")[1:]]
    return {name: value or None for name, _, value in pairs} if accepted else None


def secret(overheard: Callable[[str], int], start: str, count: int) -> str:
    """Return the digits that follow the start in a secret, by the bytes that answers take (§8)."""
    known = start
    for _ in range(count):
        known = min((known + digit for digit in "0123456789"), key=overheard)
    return known.removeprefix(start)
