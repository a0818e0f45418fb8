"""The exercises of lesson 03: one frame, then streams, texts and close codes (RFC 6455 §5, §7.4, §8.1).

The right answers come from ``wslab``; the field of the first wrong byte comes from the dissector. ``ZOO`` is
the material of one question: its close codes are held by the tests against two implementations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import and_, or_, xor
from random import Random
from typing import Any

from wslab.close import encode_close
from wslab.decoder import FrameDecoder
from wslab.frames import Frame, Opcode, encode_frame, encode_length
from wslab.lab.exercises.answer import one_line
from wslab.lab.exercises.kinds import Function, Value
from wslab.masking import apply_mask

__all__ = ["EXERCISES", "FRAME_TO_READ", "KEY", "ZOO"]

KEY = bytes.fromhex("37fa213d")  # the masking-key of the examples in §5.7
FRAME_TO_READ = bytes.fromhex("02fe012c37fa213d")
"""The first eight bytes of a frame."""

READ_A_FRAME = Value(
    name="read-a-frame",
    title="Read the head of a frame by eye",
    right={"fin": False, "opcode": 2, "masked": True, "length": 300, "payload_at": 8},
    look_at={
        "fin": "FIN is the highest bit of byte 0, which is 0000 0010 (§5.2).",
        "opcode": "The opcode is the lower four bits of byte 0, which is 0000 0010 (§5.2).",
        "masked": "MASK is the highest bit of byte 1, which is 1111 1110 (§5.2).",
        "length": "The lower seven bits of byte 1 are 126: the length is in bytes 2 and 3 (§5.2).",
        "payload_at": "Two bytes, extended payload length, masking-key: then the payload (§5.2).",
    },
    section="RFC 6455 §5.2",
    hints=(
        "Write bytes 0 and 1 in binary, and lay the picture of §5.2 over them.",
        "Seven bits of 126 say that two more bytes hold the length, the higher one first.",
    ),
    mistakes={
        "126 is not the length here. It says that the length follows in two bytes.": {"length": 126},
        "Network byte order: the higher byte comes first.": {"length": 0x2C01},
        "The frame is masked: four bytes of masking-key are in front of the payload.": {"payload_at": 4},
    },
    why="Every frame of every WebSocket connection starts with these same fields.",
)


def _bits(value: Any) -> str:
    whole = isinstance(value, int) and 0 <= value <= 255
    return f"{int(value):09_b}" if whole else one_line(value)


_OPCODES = (1, 0, 8, 2, 9, 10)

FIRST_BYTE = Function(
    name="first-byte",
    title="Put FIN and the opcode into the first byte",
    asks="my_first_byte(fin, opcode)",
    right=lambda fin, opcode: fin << 7 | opcode,
    calls=[(True, 1), (False, 1), *((fin, opcode) for opcode in _OPCODES for fin in (True, False))],
    shows=_bits,
    exact=True,
    borrows=("first_byte",),
    section="RFC 6455 §5.2",
    hints=(
        "FIN alone is 0b1000_0000. The three bits after it stay 0.",
        "Join the two with |, as in 0b1000_0000 | opcode when fin is true.",
    ),
    mistakes={
        "You lost the opcode when FIN is set. Put parentheses around if … else.": lambda f, o: (
            128 if f else o
        ),
        "You lost the opcode when FIN is 0. Put parentheses around if … else.": lambda f, o: (
            128 | o if f else 0
        ),
        "FIN is the highest bit: 0b1000_0000, not 1.": lambda f, o: f | o,
        "FIN is the highest bit, and the opcode the lowest four.": lambda fin, opcode: opcode << 4 | fin,
        "FIN is set only in the last frame of a message.": lambda fin, opcode: 0x80 | opcode,
        "FIN is bit 0 of the picture, the highest: 0b1000_0000.": lambda fin, opcode: fin << 3 | opcode,
    },
    why="A receiver can refuse a reserved bit, a reserved opcode or half a ping by this byte alone.",
)


def _length(
    *, last: int = 125, most: int = 0xFFFF, size: int = 2, wide: int = 8, order: int = 1
) -> Callable[[int, bool], bytes]:
    """Make an encoder of lengths; each argument that is changed makes a typical mistake."""

    def encode(length: int, masked: bool) -> bytes:
        if length <= last:
            return bytes([masked << 7 | length])
        width = size if length <= most else wide
        extended = (length % 256**width).to_bytes(width, "big")[::order]
        return bytes([masked << 7 | (126 if width == 2 else 127), *extended])

    return encode


ENCODE_LENGTH = Function(
    name="encode-length",
    title="Encode the payload length",
    asks="my_encode_length(length, masked)",
    right=encode_length,
    calls=[
        (length, masked)
        for masked in (False, True)
        for length in (5, 0, 125, 126, 127, 256, 1000, 65535, 65536, 0x0102030405060708)
    ],
    drawn=lambda source: (source.randrange(2 ** source.choice([7, 16, 20, 62])), source.random() < 0.5),
    before=lambda length, masked: b"\x82",
    borrows=("encode_length", "encode_frame"),
    section="RFC 6455 §5.2",
    hints=(
        "Up to 125 in the seven bits; up to 65535 as 126 and two bytes; above as 127 and eight bytes.",
        "length.to_bytes(2, 'big') returns two bytes, the higher first. MASK is 0b1000_0000.",
    ),
    mistakes={
        "126 and 127 are not lengths in the seven bits. They announce an extended one.": _length(last=127),
        "Use the fewest bytes (§5.2): 125 still fits in the seven bits.": _length(last=124),
        "Use the fewest bytes (§5.2): this length fits in 16 bits.": _length(size=8),
        "Use the fewest bytes (§5.2): 65535 still fits in 16 bits.": _length(most=0xFFFE),
        "127 says that eight bytes follow.": _length(wide=4),
        "Network byte order: the higher byte comes first.": _length(order=-1),
        "Set MASK, the highest bit, when a masking-key follows.": lambda n, masked: encode_length(n, False),
        "+ comes before <<. Put masked << 7 in parentheses.": lambda n, masked: bytes([n + masked << 7]),
    },
    why="The boundaries 125, 126, 65535 and 65536 are where implementations break.",
)


def _each(operator: Callable[[int, int], int]) -> Callable[[bytes, bytes], bytes]:
    return lambda data, key: bytes(operator(byte, key[i % 4]) for i, byte in enumerate(data))


APPLY_MASK = Function(
    name="apply-mask",
    title="Mask a payload",
    asks="my_apply_mask(data, masking_key)",
    right=apply_mask,
    calls=[(data, KEY) for data in (b"Hello", b"", b"Hel", bytes(range(16)))],
    drawn=lambda source: (source.randbytes(source.randrange(200)), source.randbytes(4)),
    before=lambda data, key: encode_frame(Frame(Opcode.BINARY, data), key)[: -len(data) or None],
    borrows=("apply_mask",),
    section="RFC 6455 §5.3",
    hints=(
        "Byte i of the result is byte i of the data XOR byte i modulo 4 of the key.",
        "bytes(...) takes a generator of integers; enumerate(data) yields i and the byte; ^ is XOR.",
    ),
    mistakes={
        "zip ends with the shorter one. After four bytes, the key starts again.": lambda data, key: _each(
            xor
        )(data[:4], key),
        "Use all four bytes of the key, in turn.": lambda data, key: apply_mask(data, key[:1] * 4),
        "Use the key from its first byte on.": lambda data, key: apply_mask(data, key[::-1]),
        "You returned the data as they were.": lambda data, key: data,
        "The key joins the masked data in the frame.": lambda data, key: key + apply_mask(data, key),
        "This is AND, which cannot be undone. XOR is ^.": _each(and_),
        "This is OR, which cannot be undone. XOR is ^.": _each(or_),
    },
    why="Masking twice with the same key returns the data, so the receiver runs the same function.",
)


def _encode(opcode: int, payload: bytes, key: bytes | None) -> bytes:
    return encode_frame(Frame(Opcode(opcode), payload), key)


def _draw_frame(source: Random) -> tuple[int, bytes, bytes | None]:
    size = source.choice([source.randrange(126), source.randrange(300), 126, 65536])
    return source.choice([1, 2]), source.randbytes(size), source.choice([None, source.randbytes(4)])


ENCODE_FRAME = Function(
    name="encode-frame",
    title="Encode a whole frame",
    asks="my_encode_frame(opcode, payload, masking_key)",
    right=_encode,
    calls=[
        (1, b"Hello", None),
        (1, b"Hello", KEY),
        (9, b"", KEY),
        *((2, bytes(size), KEY) for size in (126, 256, 65535, 65536)),
        (10, b"Hello", bytes(4)),
        (8, b"", None),
    ],
    drawn=_draw_frame,
    before=lambda *call: b"",
    borrows=("encode_frame",),
    section="RFC 6455 §5.2 and §5.7",
    hints=(
        "You have all the parts: first byte, length, masking-key, masked payload, in this order.",
        "Without a key there is no MASK bit, no masking-key, and the payload stays as it is.",
    ),
    mistakes={
        "The payload is not masked, or it is masked twice.": lambda opcode, data, key: _encode(
            opcode, apply_mask(data, key or bytes(4)), key
        ),
        "Send the masking-key with the frame, in front of the payload.": lambda opcode, data, key: _encode(
            opcode, data, key
        ).replace(key or b"\0" * 99, b"", 1),
        "With a key, set MASK, send the key after the length, and mask.": lambda o, p, _: _encode(o, p, None),
    },
    why="The check began with both frames of §5.7 that say Hello. Next, a real server reads one of yours.",
)

CLOSE_PAYLOAD = Function(
    name="close-payload",
    title="Write the payload of a Close",
    asks="my_close_payload(code, reason)",
    right=encode_close,
    calls=[(1000, "bye"), (1000, ""), (4001, "trop tôt €"), (None, ""), (1011, "É" * 61)],
    drawn=lambda source: (source.randrange(3000, 5000), "".join(source.choices("abc äé€", k=20))),
    before=lambda code, reason: bytes((0x88, len(encode_close(code, reason)))),
    borrows=("encode_close",),
    section="RFC 6455 §5.5.1 and §7.4",
    hints=(
        "Two bytes of close code, the higher first, then the reason in UTF-8.",
        "code None means a Close without a code: its payload is empty.",
    ),
    mistakes={
        "Write the code in two bytes, not as digits.": lambda c, r: f"{c}{r}".encode(),
        "Network byte order: the higher byte comes first.": lambda c, r: c.to_bytes(2, "little") + r.encode(),
        "None means no code: 1005 is only reported (§7.4.1).": lambda c, r: encode_close(c, r) or b"\3\xed",
        "None means no code: the payload stays empty.": lambda c, r: encode_close(c or 1000, r),
        "bytes(1000) makes 1000 bytes 00. Use code.to_bytes(2, 'big').": lambda c, r: bytes(c) + r.encode(),
        "You returned the whole frame. Return its payload.": lambda *call: encode_frame(
            Frame(Opcode.CLOSE, encode_close(*call))
        ),
    },
    why="The reason may take 123 bytes: a control frame carries 125, and the code is two of them (§5.5).",
)


# -- streams ------------------------------------------------------------------------------------------------


def _take(
    buffer: bytes,
    *,
    wait: bool = True,
    unmask: bool = True,
    extended: bool = True,
    masks: bool = True,
    order: Any = "big",
    length_bits: int = 0x7F,
) -> Any:
    """Take the first frame of a buffer; each argument that is changed makes a typical mistake."""
    if len(buffer) < 2:
        return None
    start, length = 2, buffer[1] & length_bits
    if extended and length >= 126:
        start += 2 if length == 126 else 8
        if len(buffer) < start:
            return None
        length = int.from_bytes(buffer[2:start], order)
    masked = masks and buffer[1] >= 0x80
    start += 4 * masked
    if wait and len(buffer) < start + length:
        return None
    payload = buffer[start : start + length]
    if masked and unmask:
        payload = apply_mask(payload, buffer[start - 4 : start])
    return Frame(Opcode(buffer[0] & 0x0F), payload, fin=buffer[0] >= 0x80), start + length


def _taking(**changes: Any) -> Callable[[bytes], Any]:
    return partial(_take, **changes)


def _returning(change: Callable[..., Any]) -> Callable[[bytes], Any]:
    """Make a function that takes a frame, and returns something else of it."""
    return lambda buffer: change(*found, buffer) if (found := _take(buffer)) else None


_OTHERS: dict[str, Callable[[Frame, int, bytes], Any]] = {  # of a frame, its bytes and the buffer
    "A buffer can hold more than one frame. Count only the bytes of this one.": lambda f, n, b: (f, len(b)),
    "That is the length of the payload. Count the header too.": lambda f, n, b: (f, len(f.payload)),
    "That is the rest of the buffer. Return how many bytes the frame took.": lambda f, n, b: (f, b[n:]),
    "FIN is 0 in this frame: more of its message follows.": lambda f, n, b: (f._replace(fin=True), n),
    "fin is True or False. Compare, or use bool(...).": lambda f, n, b: (f._replace(fin=b[0] & 0x80), n),
}


def _show_taken(value: Any) -> str:
    """Show a frame and a number of bytes, without the reserved bits, which are never set here."""
    if not (isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], Frame)):
        return one_line(value)
    frame, used = value
    opcode = getattr(frame.opcode, "name", one_line(frame.opcode))
    return f"Frame({opcode}, {one_line(frame.payload)}, fin={one_line(frame.fin)}), {one_line(used)}"


_HELLO = Frame(Opcode.TEXT, b"Hello")
_SHORT, _MASKED = encode_frame(_HELLO), encode_frame(_HELLO, KEY)
_LONG = [encode_frame(Frame(Opcode.BINARY, bytes(size)), key) for size in (256, 65536) for key in (None, KEY)]


def _draw_buffer(source: Random) -> tuple[bytes]:
    opcode, payload, key = _draw_frame(source)
    data = encode_frame(Frame(Opcode(opcode), payload, fin=source.random() < 0.5), key)
    more = data + source.randbytes(3)
    return (more[: source.choice([len(data), len(more), source.randrange(len(data))])],)


TAKE_FRAME = Function(
    name="take-frame",
    title="Take one frame from a buffer that is cut anywhere",
    asks="my_take_frame(buffer)",
    right=_take,
    calls=[
        (_SHORT,),
        (_MASKED,),
        (_SHORT[:5],),
        (bytes.fromhex("010348656c 80026c6f"),),
        *((_MASKED[:cut],) for cut in range(len(_MASKED))),
        *((data,) for data in _LONG),
        *((_LONG[2][:cut],) for cut in (2, 9, 10)),
        *((data + b"\x81",) for data in _LONG),
        (_MASKED * 2,),
        (encode_frame(Frame(Opcode.PING), KEY),),
        (encode_frame(Frame(Opcode.PONG, b"7")),),
        (encode_frame(Frame(Opcode.CONTINUATION, b"lo")),),
        (encode_frame(Frame(Opcode.CLOSE)),),
        (bytes.fromhex("827f 0000000100000000 78"),),
    ],
    drawn=_draw_buffer,
    shows=_show_taken,
    borrows=(FrameDecoder.__name__,),
    section="RFC 6455 §5.2",
    hints=(
        "Return None when a byte is missing: of the first two, the extended length, the key, the payload.",
        "Move one offset forward: 2, then 0, 2 or 8, then 0 or 4. The frame ends at offset plus length.",
    ),
    mistakes={
        "MASK is set: return the payload unmasked.": _taking(unmask=False),
        "MASK is set: four bytes of masking-key are in front of the payload.": _taking(masks=False),
        "The highest bit of the second byte is MASK, not part of the length.": _taking(length_bits=0xFF),
        "The payload is not whole yet. Return None until more bytes are there.": _taking(wait=False),
        "126 and 127 are not lengths: the length is in the next two or eight bytes.": _taking(extended=False),
        "Network byte order: the higher byte of the length comes first.": _taking(order="little"),
        "The frame is whole, up to its last byte. Return it now.": lambda buffer: _take(buffer[:-1]),
        **{text: _returning(change) for text, change in _OTHERS.items()},
    },
    why="TCP carries a stream of bytes: where a read ends says nothing about where a frame ends.",
)


def _text(payloads: Sequence[bytes], errors: str = "strict") -> str | None:
    try:
        return b"".join(payloads).decode("utf-8", errors)
    except UnicodeDecodeError:
        return None


def _each_alone(errors: str, payloads: Sequence[bytes]) -> str:
    return "".join(piece.decode("utf-8", errors) for piece in payloads)


def _each_or_none(payloads: Sequence[bytes]) -> str | None:
    pieces = [_text([piece]) for piece in payloads]
    return None if None in pieces else "".join(filter(None, pieces))


def _draw_payloads(source: Random) -> tuple[list[bytes]]:
    data = "".join(source.choices("aé€\N{GRINNING FACE}", k=6)).encode()
    data += source.choice([b"", b"", b"\xff", b"\xc3"])
    cut = source.randrange(len(data))
    return ([data[:cut], data[cut : cut + 1], data[cut + 1 :]],)


UTF8_CUT = Function(
    name="utf8-cut",
    title="Join a text whose characters are cut",
    asks="my_text(payloads)",
    right=_text,
    calls=[
        ([b"Hel", b"lo"],),
        (["Zürich".encode()],),
        ([b"\xe2", b"\x82", b"\xac"],),
        ([b"Hello\xff"],),
        ([b"\xed\xa0\x80"],),
        ([b"Hello", b"\xc3"],),
        ([b""],),
        ([b" a\r\n", b"", b"b", b"c", b"d\0 "],),
        (["\ufffd\N{GRINNING FACE}".encode()],),
        (["\ufeffHello".encode()],),
    ],
    drawn=_draw_payloads,
    section="RFC 6455 §5.6 and §8.1",
    hints=(
        "A frame may end inside a character: only the whole message must be UTF-8.",
        'codecs.getincrementaldecoder("utf-8")() keeps an incomplete character; final=True ends the message.',
    ),
    mistakes={
        "A text message is UTF-8, where ü takes two bytes.": lambda p: b"".join(p).decode("latin-1"),
        "This message is not UTF-8. Return None and repair nothing.": partial(_text, errors="replace"),
        "This message is not UTF-8. Return None and leave nothing out.": partial(_text, errors="ignore"),
        "A message may be empty. Then its text is empty too.": lambda p: _text(p) or None,
        "Join the payloads, then decode: a cut may go through a character.": partial(_each_alone, "strict"),
        "No piece is wrong, but a cut goes through a character. Join them, then decode.": _each_or_none,
        "This message is not UTF-8. Catch UnicodeDecodeError and return None.": lambda p: b"".join(
            p
        ).decode(),
        "You decoded each piece alone, but a cut may go through a character.": partial(
            _each_alone, "replace"
        ),
        "Each piece alone is not UTF-8 where a cut goes through a character.": partial(_each_alone, "ignore"),
        "The message ends inside a character. Nothing may be left over.": lambda p: _text(
            [b"".join(p).removesuffix(b"\xc3")]
        ),
    },
    why="An incremental decoder also sees a bad byte as soon as it arrives, before the message is whole.",
)


def _raw(first: int, payload: bytes) -> bytes:
    """Write a short masked frame without judging it."""
    return bytes((first, 0x80 | len(payload))) + KEY + apply_mask(payload, KEY)


ZOO = {
    "binary": _raw(0x82, b"\xff\xfe"),
    "reserved bit": _raw(0xC1, b"Hello"),
    "reserved opcode": _raw(0x83, b"Hello"),
    "not masked": bytes.fromhex("8105 48656c6c6f"),
    "half a ping": _raw(0x09, b"Hello"),
    "ping of 126 bytes": bytes.fromhex("89fe007e") + KEY + apply_mask(bytes(126), KEY),
    "text": _raw(0x81, b"Hello\xff"),
    "two mebibytes": bytes.fromhex("82ff0000000000200000") + KEY,
    "close 1005": _raw(0x88, bytes.fromhex("03ed")),
    "close with a reason": _raw(0x88, bytes.fromhex("03e8ff")),
}
"""Ten beginnings of what a client sends to a server that accepts messages of up to 1 MiB."""

FIND_THE_FAULT = Value(
    name="find-the-fault",
    title="Find the close code that answers each malformed frame",
    right=dict.fromkeys(ZOO, 1002)
    | {"binary": 0, "text": 1007, "close with a reason": 1007, "two mebibytes": 1009},
    look_at={
        "binary": "Which bytes are forbidden in a binary message? (§5.6)",
        "reserved bit": "RSV1 is set, and no extension was negotiated (§5.2).",
        "reserved opcode": "Opcode 3 is reserved (§5.2).",
        "not masked": "A frame from a client must be masked (§5.1).",
        "half a ping": "FIN is 0; a control frame must not be fragmented (§5.5).",
        "ping of 126 bytes": "A control frame carries 125 bytes at most (§5.5).",
        "text": "The byte ff never occurs in UTF-8. There is a code for data of the wrong kind (§7.4.1).",
        "two mebibytes": "Nothing is malformed. The message is too big for this server (§7.4.1).",
        "close 1005": "1005 must not be sent (§7.4.1).",
        "close with a reason": "A close reason is UTF-8, and ff is not (§5.5.1).",
    },
    noun="frame",
    section="RFC 6455 §5.2, §5.5, §7.4.1 and §8.1",
    hints=(
        "One frame is valid. Two hold data that are not what they claim, one is too big.",
        "1002: the protocol is broken. 1007: the data are not UTF-8. 1009: too big for this server.",
    ),
    mistakes={
        "Only text must be UTF-8. A binary message may hold any bytes.": {"binary": 1007},
        "The frame is well formed. Its data are not what they claim to be.": {"text": 1002},
        "This Close is well formed. Its reason is not UTF-8.": {"close with a reason": 1002},
        "A length of 64 bits is allowed. This server does not want so much.": {"two mebibytes": 1002},
    },
    why="The close code and the reason after it tell the developer of the peer where to look.",
)

EXERCISES = (
    READ_A_FRAME,
    FIRST_BYTE,
    ENCODE_LENGTH,
    APPLY_MASK,
    ENCODE_FRAME,
    UTF8_CUT,
    CLOSE_PAYLOAD,
    TAKE_FRAME,
    FIND_THE_FAULT,
)
