"""The exercises of lesson 03 on one frame: read it, and build it field by field (RFC 6455 §5.2, §5.3).

This module knows the questions, their typical wrong answers and their hints, from easy to hard. The right
answers come from ``wslab.frames``; the field of the first wrong byte comes from the dissector. The solutions
stand in the notebook. Streams of frames, text and close codes are in ``lesson03_streams``. Nothing here waits
for more bytes.
"""

from __future__ import annotations

import struct
from typing import Any

from wslab.frames import Frame, Opcode, encode_frame, encode_length, first_byte
from wslab.lab.exercises.answer import field_at, show
from wslab.lab.exercises.exercise import Case, Exercise, Fault, Mistake, equals, returns
from wslab.masking import apply_mask

__all__ = ["EXERCISES", "FRAME_TO_READ", "KEY"]

KEY = bytes.fromhex("37fa213d")  # the masking-key of the examples in §5.7

FRAME_TO_READ = bytes.fromhex("02fe012c37fa213d")
"""The first eight bytes of a frame."""

_READ = {"fin": False, "opcode": 2, "masked": True, "length": 300, "payload_at": 8}

READ_A_FRAME = Exercise(
    name="read-a-frame",
    lesson="03",
    title="Read the head of a frame by eye",
    judge=equals(
        _READ,
        {
            "fin": "FIN is the highest bit of byte 0, which is 0000 0010 (§5.2).",
            "opcode": "The opcode is the lower four bits of byte 0, which is 0000 0010 (§5.2).",
            "masked": "MASK is the highest bit of byte 1, which is 1111 1110 (§5.2).",
            "length": "The lower seven bits of byte 1 are 126: the length stands in bytes 2 and 3 (§5.2).",
            "payload_at": "Two bytes, extended payload length, masking-key: then the payload (§5.2).",
        },
    ),
    section="RFC 6455 §5.2",
    hints=(
        "Write bytes 0 and 1 in binary, and lay the picture of §5.2 over them.",
        "Seven bits of 126 say that two more bytes hold the length, the higher one first.",
    ),
    mistakes=(
        Mistake(
            _READ | {"length": 126, "payload_at": 6},
            "126 is no length here; it says that the length follows in two bytes.",
        ),
        Mistake(
            _READ | {"length": 0x2C01},
            "Network byte order: the higher byte comes first.",
        ),
        Mistake(
            _READ | {"payload_at": 4},
            "The frame is masked: four bytes of masking-key stand before the payload.",
        ),
    ),
    why="Every frame of every WebSocket connection starts with these same fields.",
)


def _judge_first_byte(answer: Any) -> Fault | None:
    """Compare bit by bit, and name the field of the first bit that differs."""
    calls = [(True, 1), (False, 1), (True, 9), (False, 0), (True, 8), (True, 2), (False, 2), (True, 10)]
    for call in calls:
        given, expected = answer(*call), first_byte(Frame(Opcode(call[1]), fin=call[0]))
        if not isinstance(given, int):
            what = "None" if given is None else f"a value of type {type(given).__name__}"
            return Fault(f"gives {what}, not int.", (("given", show(given)),), call=call)
        if given != expected:
            rows = [("given", _bits(given)), ("expected", _bits(expected))]
            if 0 <= given <= 255:
                field = field_at(bytes((expected, 0)), 8 - (given ^ expected).bit_length())
                rows.append(("first difference", field))
            return Fault("gives the wrong byte.", tuple(rows), given, call)
    return None


def _bits(number: int) -> str:
    return f"{number:09_b}" if 0 <= number <= 255 else f"{number}, which does not fit in one byte"


FIRST_BYTE = Exercise(
    name="first-byte",
    lesson="03",
    title="Put FIN and the opcode into the first byte",
    asks="my_first_byte(fin, opcode)",
    judge=_judge_first_byte,
    section="RFC 6455 §5.2",
    hints=(
        "FIN alone is 0b1000_0000; the three bits behind it stay 0.",
        "Put the two together with |, as in 0b1000_0000 | opcode when fin is true.",
    ),
    mistakes=(
        Mistake(
            lambda fin, opcode: 0x80 if fin else opcode,
            "With FIN set the opcode is lost. An if … else in front of | needs parentheses.",
        ),
        Mistake(lambda fin, opcode: opcode << 4 | fin, "FIN is the highest bit, the opcode the lowest four."),
        Mistake(lambda fin, opcode: 0x80 | opcode, "FIN is set only in the last frame of a message."),
        Mistake(
            lambda fin, opcode: fin << 3 | opcode, "FIN is bit 0 of the picture, the highest: 0b1000_0000."
        ),
    ),
    why="A receiver can refuse a reserved bit, a reserved opcode or half a ping by this byte alone.",
)


def _capped(length: int, masked: bool, last: int) -> bytes:
    """Encode a length in one byte up to a wrong last value: a typical mistake."""
    return bytes((masked << 7 | length,)) if length <= last else encode_length(length, masked)


ENCODE_LENGTH = Exercise(
    name="encode-length",
    lesson="03",
    title="Encode the payload length",
    asks="my_encode_length(length, masked)",
    judge=returns(
        *(
            Case((length, masked), encode_length(length, masked))
            for masked in (False, True)
            for length in (5, 0, 125, 126, 127, 256, 1000, 65535, 65536, 0x0102030405060708)
        ),
        before=lambda length, masked: b"\x82",
    ),
    section="RFC 6455 §5.2",
    hints=(
        "Up to 125 in the seven bits; up to 65535 as 126 and two bytes; above as 127 and eight bytes.",
        "length.to_bytes(2, 'big') gives two bytes, the higher first. MASK is 0b1000_0000.",
    ),
    mistakes=(
        Mistake(
            lambda length, masked: _capped(length, masked, 127),
            "126 and 127 are not lengths in the seven bits: they announce an extended payload length.",
        ),
        Mistake(
            lambda length, masked: encode_length(length, masked)[:1] + encode_length(length, masked)[:0:-1],
            "Network byte order: the higher byte comes first.",
        ),
        Mistake(
            lambda length, masked: encode_length(length, False),
            "MASK, the highest bit of this byte, says that a masking-key follows.",
        ),
        Mistake(
            lambda length, masked: (
                encode_length(length, masked)
                if length < 126
                else bytes((masked << 7 | 127,)) + length.to_bytes(8, "big")
            ),
            "The fewest bytes must be used (§5.2): this length fits in 16 bits.",
        ),
        Mistake(
            lambda length, masked: (
                bytes((masked << 7 | 126,)) + length.to_bytes(2, "big")
                if length == 125
                else encode_length(length, masked)
            ),
            "The fewest bytes must be used (§5.2): 125 still fits in the seven bits.",
        ),
        Mistake(
            lambda length, masked: bytes(masked << 7 | length),
            "bytes(5) makes five bytes 00; bytes([5]) makes the one byte 05.",
        ),
        Mistake(
            lambda length, masked: chr(masked << 7 | length).encode() if length < 126 else b"",
            "chr makes a letter, which takes two bytes from 128 on; bytes([n]) makes the byte n.",
        ),
        Mistake(
            lambda length, masked: (
                encode_length(length, masked)
                if length < 126
                else struct.pack("BH", masked << 7 | 126, length)
            ),
            "Begin the format of struct with !: network byte order, and no bytes to fill up.",
        ),
        Mistake(
            lambda length, masked: (
                encode_length(length, masked)
                if length <= 65535
                else bytes((masked << 7 | 127,)) + (length % 2**32).to_bytes(4, "big")
            ),
            "127 says that eight bytes follow.",
        ),
    ),
    why="The boundaries 125, 126, 65535 and 65536 are where implementations break.",
)

APPLY_MASK = Exercise(
    name="apply-mask",
    lesson="03",
    title="Mask a payload",
    asks="my_apply_mask(data, masking_key)",
    judge=returns(
        *(Case((data, KEY), apply_mask(data, KEY)) for data in (b"Hello", b"", b"Hel", bytes(range(16)))),
        Case((b"Hello", b"\1\2\3\4"), apply_mask(b"Hello", b"\1\2\3\4")),
        Case((bytes(range(100)), b"\xff\1\0\x80"), apply_mask(bytes(range(100)), b"\xff\1\0\x80")),
        before=lambda data, key: bytes((0x82, 0x80 | len(data))) + key,
    ),
    section="RFC 6455 §5.3",
    hints=(
        "Byte i of the result is byte i of the data XOR byte i modulo 4 of the key.",
        "bytes(...) takes a generator of integers; enumerate(data) gives i and the byte; ^ is XOR.",
    ),
    mistakes=(
        Mistake(
            lambda data, key: bytes(a ^ b for a, b in zip(data, key, strict=False)),
            "zip ends with the shorter one; after four bytes the key starts again.",
        ),
        Mistake(
            lambda data, key: bytes(byte ^ key[0] for byte in data),
            "All four bytes of the key are used, in turn.",
        ),
        Mistake(
            lambda data, key: apply_mask(data, key[::-1]),
            "The key is a row of bytes, used from the first on; it is not a number to be turned around.",
        ),
        Mistake(lambda data, key: data, "These are the data as they were."),
        Mistake(
            lambda data, key: key + apply_mask(data, key),
            "Only the masked data are asked. The key is put before them where the frame is put together.",
        ),
        Mistake(
            lambda data, key: bytes(byte & key[i % 4] for i, byte in enumerate(data)),
            "This is AND, which cannot be undone; XOR is ^.",
        ),
        Mistake(
            lambda data, key: bytes(byte | key[i % 4] for i, byte in enumerate(data)),
            "This is OR, which cannot be undone; XOR is ^.",
        ),
        Mistake(
            lambda data, key: "".join(map(chr, apply_mask(data, key))).encode(),
            "chr makes letters, of which those from 128 on take two bytes: bytes(...) takes the integers.",
        ),
        Mistake(
            lambda data, key: "".join(map(chr, apply_mask(data, key))),
            "chr makes letters of the bytes: bytes(...) takes the integers as they are.",
        ),
    ),
    why="Masking twice with the same key gives the data back: the receiver runs the same function.",
)


def _encode(opcode: int, payload: bytes, key: bytes | None) -> bytes:
    return encode_frame(Frame(Opcode(opcode), payload), key)


ENCODE_FRAME = Exercise(
    name="encode-frame",
    lesson="03",
    title="Encode a whole frame",
    asks="my_encode_frame(opcode, payload, masking_key)",
    judge=returns(
        *(
            Case((opcode, payload, key), _encode(opcode, payload, key))
            for opcode, payload, key in (
                (1, b"Hello", None),
                (1, b"Hello", KEY),
                (9, b"", KEY),
                (2, bytes(126), KEY),
                (2, bytes(256), None),
                (2, bytes(65535), None),
                (2, bytes(65536), KEY),
                (10, b"Hello", bytes(4)),
                (8, b"", None),
                (2, bytes(range(256)), b"\1\2\3\4"),
            )
        ),
        before=lambda *call: b"",
    ),
    section="RFC 6455 §5.2 and §5.7",
    hints=(
        "You have all the parts: first byte, length, masking-key, masked payload, in this order.",
        "Without a key there is no MASK bit, no masking-key, and the payload stands as it is.",
    ),
    mistakes=(
        Mistake(
            lambda opcode, payload, key: (
                _encode(opcode, payload, None)
                if key is None
                else _encode(opcode, apply_mask(payload, key), key)
            ),
            "The payload is not masked, or it is masked twice.",
        ),
        Mistake(
            lambda opcode, payload, key: (
                _encode(opcode, payload, key).replace(key, b"", 1) if key else _encode(opcode, payload, key)
            ),
            "The masking-key travels with the frame, in front of the payload.",
        ),
        Mistake(
            lambda opcode, payload, key: _encode(opcode, payload, None),
            "With a masking-key, MASK is set, the key follows the length, and the payload is masked.",
        ),
    ),
    why="The check began with both frames of §5.7 that say Hello. Next, a real server reads one of yours.",
)

EXERCISES = (READ_A_FRAME, FIRST_BYTE, ENCODE_LENGTH, APPLY_MASK, ENCODE_FRAME)
