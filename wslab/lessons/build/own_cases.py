"""The course's own conformance cases, for a machine on which Autobahn's cannot be installed.

Each is numbered like the section of the Autobahn suite that it belongs to. A case sends frames to an echo
server, closes with 1000 if it is still open, and reads what comes until TCP ends. It is passed when the right
messages and pongs came back, and then the right Close or the end of TCP.
"""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from typing import Any, NamedTuple

from wslab.close import ProtocolError, decode_close, encode_close
from wslab.decoder import FrameDecoder
from wslab.frames import Frame, Opcode, encode_frame
from wslab.handshake import ResponseReader, build_request, generate_key
from wslab.http import HandshakeError

__all__ = ["OWN_CASES", "Case", "run_own_cases"]

PATIENCE = 2.0  # seconds for the server to answer and to end TCP
KEY = bytes.fromhex("37fa213d")


class Case(NamedTuple):
    """A case: what happened in it, and what should have.

    Args:
        number: its number in the suite, such as "5.15".
        does: what it sends.
        expects: what must come back.
        passed: whether the server did that, strictly.
        clean: whether the connection ended with a closing handshake, and the server ended TCP first (§7.1.1).
        received: the bytes of the server's frames.
    """

    number: str
    does: str
    expects: str
    passed: bool
    clean: bool
    received: bytes = b""

    @property
    def section(self) -> str:
        """The number of its section."""
        return self.number.partition(".")[0]

    @property
    def mark(self) -> str:
        """How it went, as the legend of the figure says it."""
        return ("passed and clean" if self.clean else "passed, not clean") if self.passed else "failed"


def _frame(opcode: Opcode, payload: bytes = b"", fin: bool = True, **bits: bool) -> bytes:
    return encode_frame(Frame(opcode, payload, fin=fin, **bits), KEY)


def _raw(header: str, payload: bytes = b"") -> bytes:
    """Return a masked frame whose header no encoder writes; the key is four zero bytes."""
    return bytes.fromhex(header) + bytes(4) + payload


def _closes(payload: bytes = b"") -> bytes:
    return _frame(Opcode.CLOSE, payload)


TEXT, BINARY, MORE, PING, PONG = Opcode.TEXT, Opcode.BINARY, Opcode.CONTINUATION, Opcode.PING, Opcode.PONG
LONG, WORD = b"*" * 65536, "κόσ".encode()
HALVES = _frame(TEXT, WORD[:-1], fin=False), _frame(MORE, WORD[-1:])
# Number, close code, what it does, its bytes, and the frames that must come back before the Close; 1000
# answers the case's own Close.
OWN_CASES: tuple[tuple[Any, ...], ...] = (
    ("1.1", 1000, "an empty text", _frame(TEXT), (TEXT, b"")),
    ("1.2", 1000, "a text of 126 bytes", _frame(TEXT, LONG[:126]), (TEXT, LONG[:126])),
    ("1.3", 1000, "a binary message of 64 KiB", _frame(BINARY, LONG), (BINARY, LONG)),
    ("2.1", 1000, "a ping without payload", _frame(PING), (PONG, b"")),
    ("2.2", 1000, "a ping of 125 bytes", _frame(PING, LONG[:125]), (PONG, LONG[:125])),
    ("2.3", 1002, "a ping of 126 bytes", _raw("89fe007e", LONG[:126])),
    ("2.4", 1000, "a pong that nobody asked for", _frame(PONG, b"unsolicited")),
    ("3.1", 1002, "RSV1 without an extension", _frame(TEXT, b"a", rsv1=True)),
    ("3.2", 1002, "RSV3 in a ping", _frame(PING, rsv3=True)),
    ("4.1", 1002, "a reserved data opcode", _raw("8380")),
    ("4.2", 1002, "a reserved control opcode after a text", _frame(TEXT, b"a") + _raw("8b80"), (TEXT, b"a")),
    ("5.1", 1002, "a ping in fragments", _raw("0980")),
    ("5.2", 1000, "a text in two fragments", b"".join(HALVES), (TEXT, WORD)),
    ("5.4", 1002, "a continuation of nothing", _frame(MORE, b"a")),
    ("5.5", 1002, "a text inside a text", HALVES[0] + _frame(TEXT, b"b")),
    ("5.6", 1000, "a ping between fragments", _frame(PING).join(HALVES), (PONG, b""), (TEXT, WORD)),
    ("6.1", 1007, "text that is not UTF-8", _frame(TEXT, b"\xce\xba\xff")),
    ("6.2", 1007, "a wrong byte in the second fragment", HALVES[0] + _frame(MORE, b"\xff")),
    ("6.3", 1007, "half a character at the end", _frame(TEXT, b"\xce")),
    ("6.4", 1007, "a surrogate", _frame(TEXT, b"\xed\xa0\x80")),
    ("7.1", 1005, "a Close without a code", _closes()),
    ("7.2", 1002, "a Close of one byte", _closes(b"\x03")),
    ("7.3", 4000, "a Close with a code of one's own", _closes(encode_close(4000))),
    ("7.4", 1002, "a Close with 1006", _closes(b"\x03\xee")),
    ("7.5", 1007, "a reason that is not UTF-8", _closes(b"\x03\xe8\xff")),
    ("7.6", 1000, "a message after the Close", _closes(encode_close(1000)) + _frame(TEXT, b"a")),
    ("10.1", 1000, "a message of 64 KiB", _frame(TEXT, LONG), (TEXT, LONG)),
)


async def run_own_cases(port: int) -> tuple[Case, ...]:
    """Run all cases side by side against the echo server on a port."""
    return tuple(await asyncio.gather(*(_run(port, *case) for case in OWN_CASES)))


async def _run(port: int, number: str, code: int, does: str, sends: bytes, *back: tuple[int, bytes]) -> Case:
    received, ended = bytearray(), False
    closes = code == 1000 and not number.startswith("7.")
    size = sum(len(encode_frame(Frame(Opcode(opcode), payload))) for opcode, payload in back)
    with suppress(OSError, HandshakeError):  # nobody listens, is silent, breaks off, or is no server
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with closing(writer):
                await _talk(reader, writer, received, sends, size if closes else None)
                ended = True
    names = [f"{Opcode(opcode).name} of {len(payload)} bytes" for opcode, payload in back]
    came, close = _read(received), (Opcode.CLOSE, code)
    passed = came in ([*back], [*back, close]) and (ended or close in came)
    clean = ended and came == [*back, close]
    return Case(number, does, ", ".join([*names, f"Close {code}"]), passed, clean, bytes(received))


async def _talk(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    received: bytearray,
    sends: bytes,
    size: int | None,
) -> None:
    """Send the case, then a Close once ``size`` bytes are back, if it is not None; read until TCP ends."""
    writer.write(build_request("127.0.0.1", key=generate_key()).encode())
    head = ResponseReader()
    while head.feed(data := await reader.read(4096)) is None and data:
        pass
    received += head.rest
    writer.write(sends)
    while True:
        if size is not None and len(received) >= size:
            writer.write(_closes(encode_close(1000)))
            size = None
        if not (data := await reader.read(65536)):
            return
        received += data


def _read(received: bytearray) -> list[tuple[int, bytes | int] | None]:
    """Return opcode and payload of each frame, the code in place of a Close's payload; None for a fault."""
    try:
        frames = FrameDecoder(masked=False, max_size=None).feed(received)
        return [
            (f.opcode, decode_close(f.payload)[0] if f.opcode == Opcode.CLOSE else f.payload) for f in frames
        ]
    except ProtocolError:
        return [None]
