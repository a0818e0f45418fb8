"""Masking: the XOR of a payload with its masking-key, in the way that suits its size best (RFC 6455 §5.3).

This module knows one operation, which the protocol does more often than any other, and three ways to do it.
Payload and key become one number each, which is fastest up to a few hundred bytes; longer payloads are masked
by numpy, where it is installed, 32 bits at a time; very long ones in place, since new memory costs more than
the XOR. A part of a payload can be masked alone, once the key is turned to begin where the part begins.
"""

from __future__ import annotations

import functools
import io

__all__ = ["apply_mask"]

LONG_PAYLOAD = 320  # bytes: from here on numpy is faster than the standard library
REPEATS = LONG_PAYLOAD // 4  # keys that cover every shorter payload
IN_PLACE = 2**16  # bytes: from here on it is faster to change a copy than to compute a new one
IN_PLACE_BEHIND = 2**17  # bytes: the same, with a header in front of the payload
BLOCK = 2**12  # bytes of a long payload that are masked together without numpy

TYPE_CHECKING = False  # wslab/__init__.py says why it is not imported
if TYPE_CHECKING:
    from typing import Any

    Bytes = bytes | bytearray | memoryview

number = int.from_bytes


def apply_mask(data: Bytes, masking_key: bytes) -> bytes:
    """XOR byte i of the data with byte i modulo 4 of the key (§5.3). Masking twice returns the original.

    Args:
        data: any number of bytes.
        masking_key: 4 bytes.

    Raises:
        ValueError: the key is not 4 bytes long.

    >>> apply_mask(b"Hello", bytes.fromhex("37fa213d")).hex(" ")
    '7f 9f 4d 51 58'
    """
    return xor_part(data, 0, len(data), four_bytes(masking_key))


def four_bytes(masking_key: Bytes) -> bytes:
    """Return a masking-key as bytes; raise ValueError if it is not 4 of them."""
    if len(masking_key) != 4:
        raise ValueError(f"masking-key is {len(masking_key)} bytes, not 4")
    return bytes(masking_key)


def xor_part(data: Bytes, start: int, end: int, key: bytes) -> bytes:
    """XOR the bytes from start to end, in the way that is fastest for their number."""
    size = end - start
    if size < LONG_PAYLOAD:  # most payloads: as in xor_block(), without the call
        return (number(data[start:end]) ^ number((key * REPEATS)[:size])).to_bytes(size)
    if (numpy := _numpy()) is None:
        return xor_blocks(data[start:end], key)
    if size >= IN_PLACE:
        return xor_in_place(io.BytesIO(data[start:end]), 0, key)
    words, word, scalar, xor = numpy
    array = xor(words(data, word, size // 4, start), scalar((), word, key))
    if left := size % 4:
        return b"".join((array, xor_part(data, end - left, end, key)))
    masked_bytes: bytes = array.tobytes()
    return masked_bytes


def xor_behind(header: bytes, payload: bytes, key: bytes) -> bytes:
    """XOR a payload and put a header in front of it, with one copy fewer than in two steps if it is long."""
    size = len(payload)
    if size < LONG_PAYLOAD or (numpy := _numpy()) is None:
        return header + xor_part(payload, 0, size, key)
    if size >= IN_PLACE_BEHIND:
        return xor_in_place(io.BytesIO(header + payload), len(header), key)
    words, word, scalar, xor = numpy
    array = xor(words(payload, word, size // 4), scalar((), word, key))
    if left := size % 4:
        return b"".join((header, array, xor_part(payload, size - left, size, key)))
    return b"".join((header, array))


def xor_block(data: Bytes, key: bytes) -> bytes:
    """XOR data and repeated key as one number each."""
    size = len(data)
    return (number(data) ^ number((key * (size // 4 + 1))[:size])).to_bytes(size)


def xor_blocks(data: Bytes, key: bytes) -> bytes:
    """XOR as xor_block() does, in blocks that share the number of the key."""
    if len(data) < BLOCK:
        return xor_block(data, key)
    last = len(data) // BLOCK * BLOCK  # the end of the last whole block
    repeated = number(key * (BLOCK // 4))
    blocks = [(number(data[at : at + BLOCK]) ^ repeated).to_bytes(BLOCK) for at in range(0, last, BLOCK)]
    return b"".join([*blocks, xor_block(data[last:], key)])


def xor_in_place(stream: io.BytesIO, start: int, key: bytes) -> bytes:
    """XOR the bytes of a stream from start on, and return them all, those before start included."""
    view = stream.getbuffer()
    size = len(view)
    if (numpy := _numpy()) is None or size < IN_PLACE:
        return stream.getvalue()[:start] + xor_part(view, start, size, key)
    if start % 4 or size % 4:  # numpy takes whole words, best from a multiple of 4 on
        first, last = start + -start % 4, size - size % 4
        for at in (*range(start, first), *range(last, size)):
            view[at] ^= key[(at - start) % 4]
        start, size, key = first, last, key[first - start :] + key[: first - start]
    words, word, scalar, xor = numpy
    array = words(view, word, (size - start) // 4, start)
    xor(array, scalar((), word, key), array)
    del array
    view.release()  # as long as a view of it exists, getvalue() has to copy
    return stream.getvalue()


@functools.cache
def _numpy() -> tuple[Any, Any, Any, Any] | None:
    """Import numpy for the first long payload: many programs never need it, and it takes 0.1 s.

    Return what makes an array of data without a copy, the type of its 32-bit items, what makes a single item,
    and what XORs two of these, into a third if there is one. Return None without numpy.
    """
    try:
        import numpy
    except ImportError:
        return None
    return numpy.frombuffer, numpy.dtype(numpy.uint32), numpy.ndarray, numpy.bitwise_xor
