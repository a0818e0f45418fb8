"""Attempts at the exercises of lesson 03."""

from __future__ import annotations

import codecs
import itertools
import struct
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.attempts import right, wrong
from wslab.close import encode_close
from wslab.frames import Frame, Opcode, encode_frame, encode_length
from wslab.masking import apply_mask

KEY = bytes.fromhex("37fa213d")

# -- read-a-frame -------------------------------------------------------------------------------------------

READING = {"fin": False, "opcode": 2, "masked": True, "length": 300, "payload_at": 8}
READ = wrong(
    "read-a-frame",
    (READING | {"length": 126, "payload_at": 6}, "126 is not the length here"),
    (READING | {"length": 0x2C01}, "Network byte order"),
    (READING | {"payload_at": 4}, "four bytes of masking-key"),
    (READING | {"fin": True}, "The entry 'fin' is wrong"),
    (READING | {"opcode": "2"}, "The entry 'opcode' is wrong"),
    (READING | {"length": 254}, "The entry 'length' is wrong"),
    (READING | {"rsv1": 0}, "There is no entry 'rsv1'"),
    (dict.fromkeys(READING, ...), "Still to fill in", "not yet"),
)

# -- first-byte ---------------------------------------------------------------------------------------------


def shift_and_add(fin: bool, opcode: int) -> int:
    return (fin << 7) + opcode


def from_binary(fin: bool, opcode: int) -> int:
    return int(f"{fin:d}000{opcode:04b}", 2)


FIRST = wrong(
    "first-byte",
    (lambda fin, opcode: 0x80 if fin else opcode, "You lost the opcode"),
    (lambda fin, opcode: opcode << 4 | fin, "FIN is the highest bit, and the opcode"),
    (lambda fin, opcode: 0x80 | opcode, "FIN is set only in the last frame"),
    (lambda fin, opcode: fin << 3 | opcode, "0b1000_0000"),
    (lambda fin, opcode: bytes([fin << 7 | opcode]), "a value of type bytes, not int"),
    (lambda fin, opcode: float(fin * 128 + opcode), "returned a float, not int"),
    (lambda fin, opcode: 0x81, "FIN is set only in the last frame"),
    (lambda fin, opcode: f"{fin << 7 | opcode:08b}", "a value of type str, not int"),
    (lambda fin, opcode: fin | opcode, "0b1000_0000, not 1"),
    (lambda fin, opcode: 0x80 | opcode if fin else 0, "You lost the opcode when FIN is 0"),
    (lambda fin, opcode: fin << 1 | opcode, "returned the wrong value"),
    (lambda fin, opcode: None, "Write the function", "not yet"),
)

# -- encode-length ------------------------------------------------------------------------------------------


def length_with_struct(length: int, masked: bool) -> bytes:
    mask = 0x80 if masked else 0
    if length < 126:
        return struct.pack("!B", mask + length)
    return (
        struct.pack("!BH", mask + 126, length) if length < 2**16 else struct.pack("!BQ", mask + 127, length)
    )


def length_by_size(length: int, masked: bool) -> bytes:
    size = 0 if length <= 125 else 2 if length <= 0xFFFF else 8
    first = {0: length, 2: 126, 8: 127}[size]
    return bytes([first | masked << 7]) + (length.to_bytes(size, "big") if size else b"")


def length_by_hand(length: int, masked: bool) -> bytearray:
    data = bytearray()
    if length > 0xFFFF:
        data += bytes((length >> shift) & 255 for shift in range(56, -8, -8))
    elif length > 125:
        data += bytes(divmod(length, 256))
    data[:0] = bytes([(127 if len(data) == 8 else 126 if data else length) + 128 * masked])
    return data


def capped(last: int) -> Callable[[int, bool], bytes]:
    return lambda length, masked: (
        bytes((masked << 7 | length,)) if length <= last else encode_length_again(length, masked)
    )


def encode_length_again(length: int, masked: bool) -> bytes:
    return encode_length(length, masked)


def letters(length: int, masked: bool) -> bytes:
    return encode_length_again(length, masked) if length > 125 else chr(length | masked << 7).encode()


def sixteen_bits_at_125(length: int, masked: bool) -> bytes:
    if length == 125:
        return bytes((masked << 7 | 126,)) + length.to_bytes(2, "big")
    return encode_length_again(length, masked)


def always_64_bits(length: int, masked: bool) -> bytes:
    return encode_length_again(length, masked) if length < 126 else long_form(length, masked)


def long_form(length: int, masked: bool) -> bytes:
    return bytes((masked << 7 | 127,)) + length.to_bytes(8, "big")


def native_struct(length: int, masked: bool) -> bytes:
    if length < 126:
        return encode_length_again(length, masked)
    return struct.pack("BH", masked << 7 | 126, length)


def four_bytes(length: int, masked: bool) -> bytes:
    if length <= 65535:
        return encode_length_again(length, masked)
    return bytes((masked << 7 | 127,)) + (length % 2**32).to_bytes(4, "big")


def little(length: int, masked: bool) -> bytes:
    return encode_length_again(length, masked)[:1] + encode_length_again(length, masked)[:0:-1]


LENGTH = wrong(
    "encode-length",
    (
        lambda n, masked: encode_length_again(n, masked) if n != 65535 else long_form(n, masked),
        "65535 still fits",
    ),
    (capped(127), "126 and 127 are not lengths in the seven bits"),
    (little, "Network byte order"),
    (lambda length, masked: encode_length_again(length, False), "Set MASK"),
    (always_64_bits, "Use the fewest bytes (§5.2)"),
    (sixteen_bits_at_125, "125 still fits in the seven bits"),
    (lambda length, masked: bytes(masked << 7 | length), "bytes([5]) makes one byte"),
    (
        lambda length, masked: chr(masked << 7 | length).encode() if length < 126 else b"",
        "returned the wrong bytes",
    ),
    (letters, "chr makes letters"),
    (native_struct, "returned the wrong bytes"),
    (four_bytes, "127 says that eight bytes follow"),
    (lambda length, masked: bytes([length + masked << 7]), "Put masked << 7 in parentheses"),
    (lambda length, masked: "\x05", "returned a str, not bytes. Encode it."),
    (encode_length, "encode_length is the course's own function"),
    (lambda length, masked: b"\x05", "returned the wrong bytes"),
    (lambda length, masked: None, "Write the function", "not yet"),
)

# -- apply-mask ---------------------------------------------------------------------------------------------


def mask_with_cycle(data: bytes, key: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(data, itertools.cycle(key), strict=False))


def mask_in_place(data: bytes, key: bytes) -> bytearray:
    masked = bytearray(data)
    for i in range(len(masked)):
        masked[i] ^= key[i & 3]
    return masked


def mask_as_a_number(data: bytes, key: bytes) -> bytes:
    row = (key * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(row, "big")).to_bytes(len(data), "big")


def mask_again(data: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(data))


def with_yield(data: bytes, key: bytes) -> Iterator[int]:
    yield from mask_again(data, key)


MASK = wrong(
    "apply-mask",
    (
        lambda data, key: bytes(a ^ b for a, b in zip(data, key, strict=False)),
        "zip ends with the",
    ),
    (lambda data, key: bytes(byte ^ key[0] for byte in data), "Use all four bytes of the key"),
    (lambda data, key: mask_again(data, key[::-1]), "Use the key from its first byte on"),
    (lambda data, key: data, "You returned the data as they were"),
    (lambda data, key: key + mask_again(data, key), "The key joins the masked data in the frame"),
    (lambda data, key: bytes(byte & key[i % 4] for i, byte in enumerate(data)), "This is AND"),
    (lambda data, key: bytes(byte | key[i % 4] for i, byte in enumerate(data)), "This is OR"),
    (lambda data, key: "".join(map(chr, mask_again(data, key))).encode(), "chr makes letters"),
    (lambda data, key: "".join(map(chr, mask_again(data, key))), "returned a str, not bytes"),
    (lambda data, key: (byte for byte in data), "Put bytes(…), list(…) or the like around it"),
    (with_yield, "Write return instead of yield"),
    (lambda data, key: list(mask_again(data, key)), "a value of type list, not bytes"),
    (apply_mask, "apply_mask is the course's own function"),
    (lambda data, key: mask_again(data, KEY), "returned the wrong bytes"),  # knows the key of the example
    (lambda data, key: None, "Write the function", "not yet"),
)

# -- encode-frame -------------------------------------------------------------------------------------------


def encode_again(opcode: int, payload: bytes, key: bytes | None) -> bytes:
    return encode_frame(Frame(Opcode(opcode), payload), key)


def frame_of_parts(opcode: int, payload: bytes, key: bytes | None) -> bytes:
    header = bytes([0x80 | opcode]) + encode_length(len(payload), key is not None)
    return header + (payload if key is None else key + apply_mask(payload, key))


def frame_with_struct(opcode: int, payload: bytes, key: bytes | None) -> bytes:
    size, mask = len(payload), 128 if key else 0
    if size < 126:
        head = struct.pack(">BB", 128 + opcode, mask + size)
    elif size < 65536:
        head = struct.pack(">BBH", 128 + opcode, mask + 126, size)
    else:
        head = struct.pack(">BBQ", 128 + opcode, mask + 127, size)
    return head + (key + mask_with_cycle(payload, key) if key else payload)


def frame_in_a_bytearray(opcode: int, payload: bytes, key: bytes | None) -> bytearray:
    data = bytearray((0b1000_0000 + opcode,))
    data.extend(length_by_size(len(payload), key is not None))
    data.extend(key or b"")
    data.extend(mask_in_place(payload, key) if key is not None else payload)
    return data


def frame_up_to(last: int) -> Callable[..., bytes]:
    def my_encode_frame(opcode: int, payload: bytes, key: bytes | None) -> bytes:
        size, mask = len(payload), 0x80 if key else 0
        length = bytes((mask | size,)) if size <= last else encode_length(size, key is not None)
        return bytes((0x80 | opcode,)) + length + (key + apply_mask(payload, key) if key else payload)

    return my_encode_frame


def mask_and_mask_again(opcode: int, payload: bytes, key: bytes | None) -> bytes:
    return encode_again(opcode, payload if key is None else apply_mask(payload, key), key)


def key_left_out(opcode: int, payload: bytes, key: bytes | None) -> bytes:
    frame = encode_again(opcode, payload, key)
    return frame.replace(key, b"", 1) if key else frame


FRAME = wrong(
    "encode-frame",
    (mask_and_mask_again, "The payload is not masked, or it is masked twice"),
    (key_left_out, "Send the masking-key with the frame"),
    (lambda opcode, payload, key: encode_again(opcode, payload, None), "With a key, set MASK"),
    (frame_up_to(126), "returned the wrong bytes"),
    (frame_up_to(127), "returned the wrong bytes"),
    (lambda opcode, payload, key: encode_again(1, payload, key), "returned the wrong bytes"),
    (lambda opcode, payload, key: frame_of_parts(opcode, payload, key)[2:], "returned the wrong bytes"),
    (lambda opcode, payload, key: payload.decode("latin-1"), "returned a str, not bytes"),
    (encode_frame, "encode_frame is the course's own function"),
    (lambda opcode, payload, key: None, "Write the function", "not yet"),
)

# -- close-payload ------------------------------------------------------------------------------------------


def close_again(code: int | None, reason: str) -> bytes:
    return b"" if code is None else code.to_bytes(2, "big") + reason.encode()


def close_with_struct(code: int | None, reason: str) -> bytes:
    return struct.pack("!H", code) + reason.encode("utf-8") if code else b""


def close_by_hand(code: int | None, reason: str) -> bytes:
    return bytes([code >> 8, code & 255, *bytes(reason, "utf-8")]) if code is not None else b""


CLOSE = wrong(
    "close-payload",
    (lambda code, reason: f"{code}{reason}".encode(), "not as digits"),
    (
        lambda code, reason: code.to_bytes(2, "little") + reason.encode() if code else b"",
        "Network byte order",
    ),
    (lambda code, reason: (code or 1005).to_bytes(2, "big") + reason.encode(), "1005 is only reported"),
    (lambda code, reason: (code or 1000).to_bytes(2, "big") + reason.encode(), "None means no code"),
    (
        lambda code, reason: encode_frame(Frame(Opcode.CLOSE, close_again(code, reason))),
        "You returned the whole frame",
    ),
    (lambda code, reason: bytes(code) + reason.encode(), "makes 1000 bytes 00"),
    (lambda code, reason: code.to_bytes(2, "big") + reason.encode(), "raised an exception"),
    (lambda code, reason: close_with_struct(code, reason)[:2], "returned the wrong bytes"),
    (encode_close, "encode_close is the course's own function"),
    (lambda code, reason: None, "Write the function", "not yet"),
)

# -- take-frame ---------------------------------------------------------------------------------------------


def take(
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


def take_with_exceptions(buffer: bytes) -> Any:
    try:
        size = buffer[1] % 128
        at = {126: 4, 127: 10}.get(size, 2)
        if at > 2:
            size = struct.unpack_from({4: "!H", 10: "!Q"}[at], buffer, 2)[0]
        key = None
        if buffer[1] > 127:
            key, at = buffer[at : at + 4], at + 4
        payload = bytes(buffer[at + i] for i in range(size))
    except (IndexError, struct.error):
        return None
    return Frame(
        Opcode(buffer[0] % 16), mask_with_cycle(payload, key) if key else payload, fin=buffer[0] > 127
    ), at + size


def take_bit_by_bit(buffer: bytes) -> list[Any] | None:
    found = take(buffer)
    return None if found is None else [found[0], found[1]]


def take_little(buffer: bytes) -> Any:
    if len(buffer) < 2 or buffer[1] & 0x7F < 126:
        return take(buffer)
    size = 2 if buffer[1] & 0x7F == 126 else 8
    return take(buffer[:2] + buffer[2 : 2 + size][::-1] + buffer[2 + size :])


def take_with_mask_in_the_length(buffer: bytes) -> Any:
    if len(buffer) < 2 or buffer[1] < 0x80:
        return take(buffer)
    return None if len(buffer) < buffer[1] else take(buffer)


def take_without_a_key(buffer: bytes) -> Any:
    if len(buffer) < 2 or buffer[1] < 0x80:
        return take(buffer)
    return take(bytes([buffer[0], buffer[1] & 0x7F]) + buffer[2:])


def too_late(buffer: bytes) -> Any:
    end = 2 + (buffer[1] & 0x7F) if len(buffer) > 1 else 2
    if len(buffer) <= end:
        return None
    return Frame(Opcode(buffer[0] & 15), buffer[2:end]), end


def always_final(buffer: bytes) -> Any:
    return (found[0]._replace(fin=True), found[1]) if (found := take(buffer)) else None


def fin_as_a_number(buffer: bytes) -> Any:
    frame, used = take(buffer)
    return frame._replace(fin=buffer[0] & 0x80), used


TAKE = wrong(
    "take-frame",
    (lambda buffer: take(buffer, unmask=False), "MASK is set: return the payload unmasked"),
    (lambda buffer: take(buffer, wait=False), "The payload is not whole yet"),
    (lambda buffer: take(buffer, rest=False), "Count only the bytes of this one"),
    (lambda buffer: take(buffer, extended=False), "126 and 127 are not lengths"),
    (lambda buffer: None if len(buffer) >= 7 else take(buffer), "Return it now"),
    (lambda buffer: take(buffer)[0], "returned a value of type Frame, not tuple"),
    (lambda buffer: (take(buffer)[0], len(take(buffer)[0].payload)), "the length of the payload"),
    (lambda buffer: (take(buffer)[0], buffer[take(buffer)[1] :]), "the rest of the buffer"),
    (always_final, "FIN is 0 in this frame"),
    (
        lambda buffer: (take(buffer)[0]._replace(fin=buffer[0] & 0x80), take(buffer)[1]),
        "fin is True or False",
    ),
    (too_late, "Return it now"),
    (lambda buffer: (Frame(Opcode.TEXT, buffer), 7), "returned the wrong value"),
    (take_little, "the higher byte of the length comes first"),
    (take_with_mask_in_the_length, "The highest bit of the second byte is MASK"),
    (take_without_a_key, "four bytes of masking-key are in front"),
    (lambda buffer: None, "Write the function", "not yet"),
)

# -- utf8-cut -----------------------------------------------------------------------------------------------


def decode(pieces: list[bytes], *, final: bool) -> str | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return "".join([*map(decoder.decode, pieces), decoder.decode(b"", final)])
    except UnicodeDecodeError:
        return None


def decode_alone(pieces: list[bytes]) -> str | None:
    try:
        return "".join(piece.decode() for piece in pieces)
    except UnicodeDecodeError:
        return None


def add_up(payloads: list[bytes]) -> str | None:
    whole = payloads[0]
    for payload in payloads[1:]:
        whole += payload
    try:
        return whole.decode()
    except UnicodeDecodeError:
        return None


def with_str(payloads: list[bytes]) -> str | None:
    try:
        return str(bytes(itertools.chain.from_iterable(payloads)), "utf-8")
    except ValueError:
        return None


UTF8 = wrong(
    "utf8-cut",
    (lambda pieces: "".join(piece.decode("latin-1") for piece in pieces), "A text message is UTF-8"),
    (lambda pieces: b"".join(pieces).decode("utf-8", "replace"), "Return None and repair nothing"),
    (lambda pieces: decode(pieces, final=True) or None, "A message may be empty"),
    (lambda pieces: "".join(p.decode("utf-8", "replace") for p in pieces), "You decoded each piece alone"),
    (decode_alone, "No piece is wrong"),
    (lambda pieces: "".join(piece.decode() for piece in pieces), "Join the payloads, then decode"),
    (lambda pieces: decode(pieces, final=False), "The message ends inside a character"),
    (lambda pieces: b"".join(pieces).decode("utf-8", "ignore"), "Return None and leave nothing out"),
    (
        lambda pieces: "".join(p.decode("utf-8", "ignore") for p in pieces),
        "Each piece alone is not UTF-8",
    ),
    (lambda pieces: b"".join(pieces).decode("utf-8-sig", "strict"), "Catch UnicodeDecodeError"),
    (lambda pieces: b"".join(pieces), "returned bytes, not a str. Decode them."),
    (lambda pieces: None, "Write the function", "not yet"),
)

# -- find-the-fault -----------------------------------------------------------------------------------------

NAMES = (
    "binary",
    "reserved bit",
    "reserved opcode",
    "not masked",
    "half a ping",
    "ping of 126 bytes",
    "text",
    "two mebibytes",
    "close 1005",
    "close with a reason",
)
CODES = dict.fromkeys(NAMES, 1002) | {
    "binary": 0,
    "text": 1007,
    "close with a reason": 1007,
    "two mebibytes": 1009,
}
FAULT = wrong(
    "find-the-fault",
    (CODES | {"binary": 1007}, "Only text must be UTF-8"),
    (CODES | {"text": 1002, "close with a reason": 1002}, "The frame is well formed"),
    (CODES | {"two mebibytes": 1002}, "A length of 64 bits is allowed"),
    (CODES | {"close with a reason": 1002}, "Its reason is not UTF-8"),
    (CODES | {"close 1005": 1005}, "The frame 'close 1005' is wrong"),
    (CODES | {"not masked": 0}, "The frame 'not masked' is wrong"),
    (dict.fromkeys(NAMES, 1002), "The frame 'binary' is wrong"),
    (dict.fromkeys(NAMES, ...), "Still to fill in", "not yet"),
)

WRONG = [*READ, *FIRST, *LENGTH, *MASK, *FRAME, *CLOSE, *TAKE, *UTF8, *FAULT]
RIGHT = [
    *right(
        "read-a-frame", {"fin": 0, "opcode": Opcode.BINARY, "masked": 1, "length": 0x012C, "payload_at": 8}
    ),
    *right("first-byte", lambda fin, opcode: (0x80 if fin else 0) | opcode, shift_and_add, from_binary),
    *right("encode-length", length_with_struct, length_by_size, length_by_hand),
    *right("apply-mask", mask_with_cycle, mask_in_place, mask_as_a_number, mask_again),
    *right("encode-frame", frame_of_parts, frame_with_struct, frame_in_a_bytearray),
    *right("close-payload", close_with_struct, close_by_hand),
    *right(
        "close-payload",
        lambda code, reason: b"" if code is None else code.to_bytes(2, "big") + reason.encode(),
    ),
    *right("take-frame", take, take_with_exceptions, take_bit_by_bit),
    *right("utf8-cut", lambda pieces: decode(pieces, final=True), add_up, with_str),
]
