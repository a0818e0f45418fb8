"""The exercises of lesson 03 on streams: take a frame, join a text, close, refuse (RFC 6455 §5, §7.4, §8.1).

This module knows the questions, their typical wrong answers and their hints. ``ZOO`` is the material of one
question: frames that a client sends, most of them broken; the close codes that it expects are held by the
tests against two implementations. Where bytes are missing, the right answer is None, "not yet".
"""

from __future__ import annotations

import codecs
from dataclasses import replace
from typing import Any

from wslab.close import encode_close
from wslab.frames import Frame, Opcode, encode_frame
from wslab.lab.exercises.exercise import Case, Exercise, Fault, Mistake, equals, returns
from wslab.lessons.frames.exercises import KEY
from wslab.masking import apply_mask

__all__ = ["EXERCISES", "ZOO"]


def _close_header(code: int | None, reason: str) -> bytes:
    return bytes((0x88, len(encode_close(code, reason))))


CLOSE_PAYLOAD = Exercise(
    name="close-payload",
    lesson="03",
    title="Write the payload of a Close",
    asks="my_close_payload(code, reason)",
    judge=returns(
        *(
            Case((code, reason), encode_close(code, reason))
            for code, reason in (
                (1000, "bye"),
                (1000, ""),
                (4001, "trop tôt €"),
                (None, ""),
                (1011, "É" * 61),
            )
        ),
        before=_close_header,
    ),
    section="RFC 6455 §5.5.1 and §7.4",
    hints=(
        "Two bytes of close code, the higher first, then the reason in UTF-8.",
        "code None stands for a Close without a code: its payload is empty.",
    ),
    mistakes=(
        Mistake(
            lambda code, reason: f"{code}{reason}".encode(),
            "The code is a number in two bytes, not its digits.",
        ),
        Mistake(
            lambda code, reason: code.to_bytes(2, "little") + reason.encode() if code else b"",
            "Network byte order: the higher byte comes first.",
        ),
        Mistake(
            lambda code, reason: (code or 1005).to_bytes(2, "big") + reason.encode(),
            "1005 never travels: it is what an endpoint reports when the Close had no code (§7.4.1).",
        ),
        Mistake(
            lambda code, reason: (code or 1000).to_bytes(2, "big") + reason.encode(),
            "None is no code at all: the payload stays empty.",
        ),
        Mistake(
            lambda code, reason: encode_frame(Frame(Opcode.CLOSE, encode_close(code, reason))),
            "This is the whole frame; only its payload is asked.",
        ),
        Mistake(
            lambda code, reason: bytes(code) + reason.encode(),
            "bytes(1000) makes a thousand bytes 00: use code.to_bytes(2, 'big').",
        ),
    ),
    why="The reason may take 123 bytes: a control frame carries 125, and the code is two of them (§5.5).",
)


def _take(
    buffer: bytes, *, wait: bool = True, unmask: bool = True, rest: bool = True, extended: bool = True
) -> Any:
    """Take the first frame of a buffer; each flag that is false makes a typical mistake."""
    if len(buffer) < 2:
        return None
    start, length = 2, buffer[1] & 0x7F
    if extended and length >= 126:
        start += 2 if length == 126 else 8
        if len(buffer) < start:
            return None
        length = int.from_bytes(buffer[2:start], "big")
    masked = buffer[1] >> 7
    key = buffer[start : start + 4] if masked else bytes(4)
    start += 4 * masked
    if wait and len(buffer) < start + length:
        return None
    payload = buffer[start : start + length]
    payload = apply_mask(payload, key) if unmask else payload
    used = start + length if rest else len(buffer)
    return Frame(Opcode(buffer[0] & 0x0F), payload, fin=buffer[0] >= 0x80), used


_HELLO = Frame(Opcode.TEXT, b"Hello")
_MASKED_HELLO = encode_frame(_HELLO, KEY)
_NO_RSV = ", rsv1=False, rsv2=False, rsv3=False"
_LONG = [Frame(Opcode.BINARY, bytes(size)) for size in (256, 65536)]

_CASES = returns(
    Case((encode_frame(_HELLO),), (_HELLO, 7)),
    Case((_MASKED_HELLO,), (_HELLO, 11)),
    Case((encode_frame(_HELLO)[:5],), None),
    Case((bytes.fromhex("010348656c 80026c6f"),), (Frame(Opcode.TEXT, b"Hel", fin=False), 5)),
    *(Case((_MASKED_HELLO[:cut],), None) for cut in range(len(_MASKED_HELLO))),
    *(Case((encode_frame(long),), (long, len(encode_frame(long)))) for long in _LONG),
    *(Case((encode_frame(_LONG[1])[:cut],), None) for cut in (2, 9, 10)),
    *(Case((encode_frame(long, KEY) + b"\x81",), (long, len(encode_frame(long, KEY)))) for long in _LONG),
    Case((_MASKED_HELLO * 2,), (_HELLO, 11)),
    Case((encode_frame(Frame(Opcode.PING), KEY),), (Frame(Opcode.PING), 6)),
    Case((encode_frame(Frame(Opcode.PONG, b"7")),), (Frame(Opcode.PONG, b"7"), 3)),
    Case((encode_frame(Frame(Opcode.CONTINUATION, b"lo")),), (Frame(Opcode.CONTINUATION, b"lo"), 4)),
    Case((encode_frame(Frame(Opcode.CLOSE)),), (Frame(Opcode.CLOSE), 2)),
    Case((bytes.fromhex("827f 0000000100000000 78"),), None),
)


def _judge_take_frame(answer: Any) -> Fault | None:
    """Judge the cases, and show a frame without its reserved bits, which are never set in them."""
    fault: Fault | None = _CASES(answer)
    if fault is None:
        return None
    return replace(fault, rows=tuple((label, text.replace(_NO_RSV, "")) for label, text in fault.rows))


TAKE_FRAME = Exercise(
    name="take-frame",
    lesson="03",
    title="Take one frame from a buffer that is cut anywhere",
    asks="my_take_frame(buffer)",
    judge=_judge_take_frame,
    section="RFC 6455 §5.2",
    hints=(
        "Return None when a byte is missing: of the first two, the extended length, the key, the payload.",
        "Move one offset forward: 2, then 0, 2 or 8, then 0 or 4. The frame ends at offset plus length.",
    ),
    mistakes=(
        Mistake(
            lambda buffer: _take(buffer, unmask=False),
            "MASK is set: give back the payload unmasked.",
        ),
        Mistake(
            lambda buffer: _take(buffer, wait=False),
            "The payload is not whole yet: return None, and look again when more bytes are there.",
        ),
        Mistake(
            lambda buffer: _take(buffer, rest=False),
            "A buffer can hold the beginning of the next frame: count only the bytes of this one.",
        ),
        Mistake(
            lambda buffer: _take(buffer, extended=False),
            "126 and 127 are no lengths here: the length stands in the next two or eight bytes.",
        ),
        Mistake(
            lambda buffer: None if len(buffer) >= 7 else _take(buffer),
            "The frame is whole, up to its last byte: it must come out now.",
        ),
        Mistake(
            lambda buffer: _take(buffer)[0],
            "Two things are asked: the frame, and the number of bytes that it took.",
        ),
        Mistake(
            lambda buffer: (_take(buffer)[0], len(_take(buffer)[0].payload)),
            "This is the length of the payload; count the bytes before it, too.",
        ),
        Mistake(
            lambda buffer: (_take(buffer)[0], buffer[_take(buffer)[1] :]),
            "This is the rest of the buffer; the number of bytes that the frame took is asked.",
        ),
        Mistake(
            lambda buffer: (
                found and (found[0]._replace(fin=True), found[1]) if (found := _take(buffer)) else None
            ),
            "FIN is 0 in this frame: more of its message follows.",
        ),
        Mistake(
            lambda buffer: (_take(buffer)[0]._replace(fin=buffer[0] & 0x80), _take(buffer)[1]),
            "fin is True or False: compare, or use bool(...).",
        ),
    ),
    why="TCP carries a stream of bytes: where a read ends says nothing about where a frame ends.",
)


def _decode(pieces: list[bytes], *, final: bool) -> str | None:
    """Decode a text that comes in pieces; without ``final`` it is a typical mistake."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return "".join([*map(decoder.decode, pieces), decoder.decode(b"", final)])
    except UnicodeDecodeError:
        return None


def _decode_alone(pieces: list[bytes]) -> str | None:
    try:
        return "".join(piece.decode() for piece in pieces)
    except UnicodeDecodeError:
        return None


UTF8_CUT = Exercise(
    name="utf8-cut",
    lesson="03",
    title="Join a text whose characters are cut",
    asks="my_text(payloads)",
    judge=returns(
        *(
            Case((pieces,), _decode(pieces, final=True))
            for pieces in (
                [b"Hel", b"lo"],
                ["Zürich".encode()],
                ["€".encode()[:1], "€".encode()[1:2], "€".encode()[2:]],
                [b"Hello\xff"],
                [b"\xed\xa0\x80"],
                [b"Hello", b"\xc3"],
                [b""],
                [b" a\r\n", b"", b"b", b"c", b"d\0 "],
                ["\ufffd\N{GRINNING FACE}".encode()],
                ["\ufeffHello".encode()],
            )
        )
    ),
    section="RFC 6455 §5.6 and §8.1",
    hints=(
        "A frame may end inside a character: only the whole message must be UTF-8.",
        'codecs.getincrementaldecoder("utf-8")() keeps an incomplete character; final=True ends the message.',
    ),
    mistakes=(
        Mistake(
            lambda pieces: "".join(piece.decode("latin-1") for piece in pieces),
            "A text message is UTF-8, where ü takes two bytes.",
        ),
        Mistake(
            lambda pieces: b"".join(pieces).decode("utf-8", "replace"),
            "This message is not UTF-8: it is refused as a whole, so give None and repair nothing.",
        ),
        Mistake(
            lambda pieces: _decode(pieces, final=True) or None,
            "A message may be empty: then its text is, too.",
        ),
        Mistake(
            lambda pieces: "".join(piece.decode("utf-8", "replace") for piece in pieces),
            "Each piece is decoded alone, so a character that is cut between two frames is lost.",
        ),
        Mistake(_decode_alone, "A character is cut between these frames: the message as a whole is UTF-8."),
        Mistake(
            lambda pieces: _decode(pieces, final=False),
            "The message ends inside a character: nothing may be left over at its end.",
        ),
        Mistake(
            lambda pieces: b"".join(pieces).decode("utf-8", "ignore"),
            "This message is not UTF-8: it is refused as a whole, so give None and leave nothing out.",
        ),
        Mistake(
            lambda pieces: "".join(piece.decode("utf-8", "ignore") for piece in pieces),
            "Each piece is decoded alone, so a character that is cut between two frames is left out.",
        ),
    ),
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

_CODES = {
    "binary": 0,
    "reserved bit": 1002,
    "reserved opcode": 1002,
    "not masked": 1002,
    "half a ping": 1002,
    "ping of 126 bytes": 1002,
    "text": 1007,
    "two mebibytes": 1009,
    "close 1005": 1002,
    "close with a reason": 1007,
}

FIND_THE_FAULT = Exercise(
    name="find-the-fault",
    lesson="03",
    title="Give each malformed frame its close code",
    judge=equals(
        _CODES,
        {
            "binary": "Which bytes are forbidden in a binary message? (§5.6)",
            "reserved bit": "RSV1 is set, and no extension was negotiated (§5.2).",
            "reserved opcode": "Opcode 3 is reserved (§5.2).",
            "not masked": "A frame from a client must be masked (§5.1).",
            "half a ping": "FIN is 0; a control frame must not be fragmented (§5.5).",
            "ping of 126 bytes": "A control frame carries 125 bytes at most (§5.5).",
            "text": "The byte ff never occurs in UTF-8; data of the wrong kind have a code (§7.4.1).",
            "two mebibytes": "Nothing is malformed; the message is too big for this server (§7.4.1).",
            "close 1005": "1005 must not be sent (§7.4.1).",
            "close with a reason": "A close reason is UTF-8, and ff is not (§5.5.1).",
        },
        noun="frame",
    ),
    section="RFC 6455 §5.2, §5.5, §7.4.1 and §8.1",
    hints=(
        "One frame is in order. Two are data that are not what they claim, one is too big.",
        "1002: the protocol is broken. 1007: the data are not UTF-8. 1009: too big for this server.",
    ),
    mistakes=(
        Mistake(
            _CODES | {"binary": 1007},
            "Only text must be UTF-8; what a binary message holds is the application's business.",
        ),
        Mistake(
            _CODES | {"text": 1002, "close with a reason": 1002},
            "The frame is well formed; its data are not what they claim to be.",
        ),
        Mistake(
            _CODES | {"two mebibytes": 1002},
            "A length of 64 bits is allowed. This server does not want so much.",
        ),
    ),
    why="The close code, with a reason behind it, tells the developer of the other side where to look.",
)

EXERCISES = (CLOSE_PAYLOAD, TAKE_FRAME, UTF8_CUT, FIND_THE_FAULT)
