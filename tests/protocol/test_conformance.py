"""Strict conformance with RFC 6455: bytes in, exact bytes out, on both sides, cut in every way.

Each case is what a peer sends, and what an endpoint that echoes every message must send back. Frames are put
together here by hand, so that broken ones can be made, and so that the encoder does not judge itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import pytest

from wslab import Connection

KEY = bytes.fromhex("37fa213d")
Cut = Callable[[bytes], Iterator[bytes]]

FIN, CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x80, 0, 1, 2, 8, 9, 10


class Sent(NamedTuple):
    """A frame as it is put on the wire, whether that is allowed or not."""

    first: int
    payload: bytes = b""
    length: int | None = None  # the length that the header claims
    size: int | None = None  # the size of the length field: 7, 16 or 64 bits

    def encode(self, key: bytes | None) -> bytes:
        length = len(self.payload) if self.length is None else self.length
        size = self.size or (7 if length < 126 else 16 if length < 65536 else 64)
        mask = 0x80 if key else 0
        header = {
            7: bytes((mask | length,)) if length < 126 else b"",
            16: bytes((mask | 126,)) + length.to_bytes(8, "big")[-2:],
            64: bytes((mask | 127,)) + length.to_bytes(8, "big"),
        }[size]
        masked = bytes(byte ^ key[i % 4] for i, byte in enumerate(self.payload)) if key else self.payload
        return bytes((self.first,)) + header + (key or b"") + masked


def text(payload: str | bytes, fin: int = FIN) -> Sent:
    return Sent(fin | TEXT, payload.encode() if isinstance(payload, str) else payload)


def binary(payload: bytes, fin: int = FIN) -> Sent:
    return Sent(fin | BINARY, payload)


def more(payload: str | bytes, fin: int = FIN) -> Sent:
    return Sent(fin | CONTINUATION, payload.encode() if isinstance(payload, str) else payload)


def ping(payload: bytes = b"") -> Sent:
    return Sent(FIN | PING, payload)


def pong(payload: bytes = b"") -> Sent:
    return Sent(FIN | PONG, payload)


def close(code: int | None = None, reason: bytes = b"") -> Sent:
    return Sent(FIN | CLOSE, (b"" if code is None else code.to_bytes(2, "big")) + reason)


def failed(code: int) -> Sent:
    """A Close with that code, whatever its reason."""
    return close(code)


HELLO = text("Hello")
MU = "κόσμε"
VALID_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)
INVALID_CODES = (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
INVALID_UTF8 = (
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",  # a surrogate
    b"\x80",  # a continuation byte alone
    b"\xc0\xaf",  # overlong
    b"\xe0\x80\xaf",
    b"\xf0\x80\x80\xaf",
    b"\xf4\x90\x80\x80",  # above U+10FFFF
    b"\xf8\x88\x80\x80\x80",  # five bytes
    b"\xfe",
    b"\xff",
    b"a\xc3(b",
)
VALID_UTF8 = (
    "\0",
    "\x7f",
    "\x80",
    "߿",
    "ࠀ",
    "\ud7ff",
    "\ue000",
    "￾",
    "\uffff",
    "𐀀",
    "\U0010ffff",
    "\ufeffa",
    MU,
)

# name: (section, what the peer sends, what an echo must send back)
CASES: dict[str, tuple[str, list[Sent], list[Sent]]] = {
    "empty text": ("§5.6", [text("")], [text("")]),
    "empty binary": ("§5.6", [binary(b"")], [binary(b"")]),
    **{
        f"{kind.__name__} of {n}": ("§5.2", [kind(b"*" * n)], [kind(b"*" * n)])
        for kind in (text, binary)
        for n in (1, 124, 125, 126, 127, 128, 65535, 65536)
    },
    **{f"ping of {n}": ("§5.5.2", [ping(b"\xfe" * n)], [pong(b"\xfe" * n)]) for n in (0, 1, 124, 125)},
    "ten pings": ("§5.5.3", [ping(bytes((n,))) for n in range(10)], [pong(bytes((n,))) for n in range(10)]),
    "a pong that nobody asked for": ("§5.5.3", [pong(b"x"), ping(b"y")], [pong(b"y")]),
    "ping of 126": ("§5.5", [HELLO, Sent(FIN | PING, bytes(126))], [HELLO, failed(1002)]),
    "close of 126": ("§5.5", [Sent(FIN | CLOSE, b"\x03\xe8" + bytes(124))], [failed(1002)]),
    **{
        f"first byte {first:#04x}": ("§5.2", [HELLO, Sent(first, payload), HELLO], [HELLO, failed(1002)])
        for payload in (b"", b"x")
        for first in (
            *(FIN | bits | opcode for bits in range(0x10, 0x80, 0x10) for opcode in (TEXT, BINARY, PING)),
            *(FIN | opcode for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
            *(CLOSE, PING, PONG),  # fragmented
        )
    },
    "length of 16 bits for 125": ("§5.2", [Sent(FIN | TEXT, b"*" * 125, size=16)], [failed(1002)]),
    "length of 64 bits for 65535": ("§5.2", [Sent(FIN | BINARY, b"", length=65535, size=64)], [failed(1002)]),
    "length of 64 bits, top bit": ("§5.2", [Sent(FIN | BINARY, b"", length=2**63, size=64)], [failed(1002)]),
    "text in two fragments": ("§5.4", [text("Hel", 0), more("lo")], [HELLO]),
    "binary in two fragments": ("§5.4", [binary(b"\0", 0), more(b"\1")], [binary(b"\0\1")]),
    "empty fragments": ("§5.4", [text("", 0), more("", 0), more("")], [text("")]),
    "empty fragments, one is not": ("§5.4", [text("", 0), more("x", 0), more("")], [text("x")]),
    "ping between fragments": (
        "§5.4",
        [text("Hel", 0), ping(b"1"), more("l", 0), ping(b"2"), more("o")],
        [pong(b"1"), pong(b"2"), HELLO],
    ),
    "many fragments": ("§5.4", [text("a", 0), *[more("b", 0)] * 50, more("c")], [text("a" + "b" * 50 + "c")]),
    "continuation of nothing": ("§5.4", [more("x")], [failed(1002)]),
    "continuation of nothing, unfinished": ("§5.4", [more("x", 0), HELLO], [failed(1002)]),
    "continuation behind a message": ("§5.4", [HELLO, more("x")], [HELLO, failed(1002)]),
    "message behind a fragmented one, then a continuation": (
        "§5.4",
        [text("a", 0), more("b"), more("c", 0), HELLO],
        [text("ab"), failed(1002)],
    ),
    "text within a fragmented text": ("§5.4", [text("a", 0), text("b")], [failed(1002)]),
    "binary within a fragmented text": ("§5.4", [text("a", 0), binary(b"b")], [failed(1002)]),
    "fragments of two messages": ("§5.4", [text("a", 0), text("b", 0), more("c")], [failed(1002)]),
    **{f"UTF-8 {string!a}": ("§8.1", [text(string)], [text(string)]) for string in VALID_UTF8},
    **{
        f"fragmented UTF-8 {string!a}": (
            "§8.1",
            [text("", 0), *[more(bytes((byte,)), 0) for byte in string.encode()], more("")],
            [text(string)],
        )
        for string in VALID_UTF8
    },
    **{f"not UTF-8 {data!r}": ("§8.1", [HELLO, text(data)], [HELLO, failed(1007)]) for data in INVALID_UTF8},
    **{
        f"not UTF-8, fragmented {data!r}": (
            "§8.1",
            [text("", 0), *[more(bytes((byte,)), 0) for byte in data], more("")],
            [failed(1007)],
        )
        for data in INVALID_UTF8
    },
    "not UTF-8, cut off": ("§8.1", [text(b"\xce")], [failed(1007)]),
    "not UTF-8, cut off in the last fragment": ("§8.1", [text(b"a", 0), more(b"\xce")], [failed(1007)]),
    "no UTF-8 needed": ("§5.6", [binary(b"\xff\xfe")], [binary(b"\xff\xfe")]),
    "close without code": ("§5.5.1", [close()], [close()]),
    "close of one byte": ("§5.5.1", [Sent(FIN | CLOSE, b"\x03")], [failed(1002)]),
    "close with reason": ("§5.5.1", [close(1000, b"bye")], [close(1000)]),
    "close with the longest reason": ("§5.5.1", [close(1000, b"*" * 123)], [close(1000)]),
    "close with a reason not UTF-8": ("§5.5.1", [close(1000, INVALID_UTF8[0])], [failed(1007)]),
    **{f"close {code}": ("§7.4", [close(code)], [close(code)]) for code in VALID_CODES},
    **{f"close {code}": ("§7.4", [close(code)], [failed(1002)]) for code in INVALID_CODES},
    "two closes": ("§5.5.1", [close(1000), close(1001)], [close(1000)]),
    "ping behind close": ("§5.5.1", [close(1000), ping()], [close(1000)]),
    "message behind close": ("§5.5.1", [HELLO, close(1000), HELLO], [HELLO, close(1000)]),
    "close within a fragmented message": ("§5.5.1", [text("a", 0), close(3001), more("b")], [close(3001)]),
    "long message, close, ping": (
        "§5.5.1",
        [text("*" * 70000), close(1000), ping()],
        [text("*" * 70000), close(1000)],
    ),
    "frame over the limit": (
        "§7.4.1",
        [HELLO, Sent(FIN | BINARY, b"x", length=2**20 + 1)],
        [HELLO, failed(1009)],
    ),
    "fragments over the limit": ("§7.4.1", [binary(bytes(2**19), 0), more(bytes(2**19 + 1))], [failed(1009)]),
    "message at the limit": ("§7.4.1", [binary(bytes(2**20))], [binary(bytes(2**20))]),
}


def whole(data: bytes) -> Iterator[bytes]:
    yield data


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    step = 1 if len(data) < 2000 else 997
    return (data[at : at + step] for at in range(0, len(data), step))


def echo(connection: Connection, data: bytes, cut: Cut) -> bytes:
    """Feed the bytes, send each message back, and return all that went out."""
    out = b""
    for piece in cut(data):
        for event in connection.receive_data(piece):
            if isinstance(event, str):
                connection.send_text(event)
            elif isinstance(event, bytes):
                connection.send_binary(event)
        out += connection.data_to_send()
    return out


def without_reasons(data: bytes, key: bytes | None) -> bytes:
    """Shorten the Close at the end of what went out to its code: the words are ours to choose."""
    mask = 4 if key else 0
    at = 0
    while at < len(data):
        length = data[at + 1] & 0x7F
        start = at + 2 + (2 if length == 126 else 8 if length == 127 else 0)
        length = int.from_bytes(data[at + 2 : start], "big") if length > 125 else length
        if data[at] == FIN | CLOSE and length > 2:
            assert at + 2 + mask + length == len(data), "something was sent behind a Close"
            header = bytes((data[at], (0x80 if key else 0) | 2))
            return data[:at] + header + data[at + 2 : at + 2 + mask + 2]
        at = start + mask + length
    return data


SIDES: list[Literal["client", "server"]] = ["client", "server"]


@pytest.mark.parametrize("cut", [whole, byte_by_byte])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", CASES)
def test_case(name: str, side: Literal["client", "server"], cut: Cut) -> None:
    _, sent, expected = CASES[name]
    theirs, ours = (KEY, None) if side == "server" else (None, KEY)
    connection = Connection(side, masking_key=lambda: KEY)
    out = echo(connection, b"".join(frame.encode(theirs) for frame in sent), cut)
    assert without_reasons(out, ours) == b"".join(frame.encode(ours) for frame in expected)


@pytest.mark.parametrize("side", SIDES)
def test_masking_in_the_wrong_direction(side: Literal["client", "server"]) -> None:
    """§5.1."""
    wrong, ours = (None, None) if side == "server" else (KEY, KEY)
    connection = Connection(side, masking_key=lambda: KEY)
    assert without_reasons(echo(connection, HELLO.encode(wrong), whole), ours) == failed(1002).encode(ours)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("data", "first_bad"),
    [
        (b"abc\xff", 3),
        (MU.encode() + b"\xf4\x90\x80\x80", len(MU.encode()) + 1),
        (b"\xed\xa0\x80", 1),
        (b"\xc0\xaf", 0),
    ],
)
def test_bad_byte_in_a_frame_that_is_not_whole(
    side: Literal["client", "server"], data: bytes, first_bad: int
) -> None:
    """§8.1: the connection is failed as soon as the byte is there, though the frame is not."""
    theirs, ours = (KEY, None) if side == "server" else (None, KEY)
    wire = text(data + b"x" * 50).encode(theirs)
    header = len(wire) - len(data) - 50
    connection = Connection(side, masking_key=lambda: KEY)
    assert echo(connection, wire[: header + first_bad], byte_by_byte) == b""
    out = echo(connection, wire[header + first_bad : header + first_bad + 1], whole)
    assert without_reasons(out, ours) == failed(1007).encode(ours)


def test_there_are_cases() -> None:
    assert len(CASES) > 160
    assert all(section.startswith("§") and expected is not None for section, _, expected in CASES.values())
