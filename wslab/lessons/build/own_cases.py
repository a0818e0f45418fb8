"""The course's own conformance cases, for a machine on which Autobahn's cannot be installed.

Each is numbered like the section of the Autobahn suite that it belongs to. A case sends frames to an echo
server, closes with 1000 if it is still open, and reads what comes until TCP ends. What must come back is
messages, pongs and the code of the Close.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, NamedTuple

from wslab.close import decode_close, encode_close
from wslab.decoder import FrameDecoder
from wslab.frames import Frame, Opcode, encode_frame
from wslab.handshake import ResponseReader, build_request, generate_key
from wslab.http import HandshakeError

__all__ = ["OWN_CASES", "OwnCase", "run_own_cases"]

PATIENCE = 2.0  # seconds for the server to answer and to end TCP
KEY = bytes.fromhex("37fa213d")
TEXT, BINARY, MORE, CLOSE, PING, PONG = (
    *(Opcode.TEXT, Opcode.BINARY, Opcode.CONTINUATION, Opcode.CLOSE, Opcode.PING, Opcode.PONG),
)


class OwnCase(NamedTuple):
    """A case: its number, what it sends, and what must come back.

    Args:
        number: such as "2.4".
        does: what it does, in words.
        sends: its bytes; a case that ends the connection itself ends with a Close.
        back: the frames that must come back before the Close, as opcode and payload.
        code: the close code that must come, or 1000 for the answer to its own.
    """

    number: str
    does: str
    sends: bytes
    back: tuple[tuple[int, bytes], ...] = ()
    code: int = 1000


def _frame(opcode: Opcode, payload: bytes = b"", fin: bool = True, **bits: bool) -> bytes:
    return encode_frame(Frame(opcode, payload, fin=fin, **bits), KEY)


def _raw(header: str, payload: bytes = b"") -> bytes:
    """Return a masked frame whose header no encoder writes; the key is four zero bytes."""
    return bytes.fromhex(header) + bytes(4) + payload


LONG = b"*" * 65536
HALVES = _frame(TEXT, "κόσ".encode()[:-1], fin=False), _frame(MORE, "κόσ".encode()[-1:])
OWN_CASES: tuple[OwnCase, ...] = (
    OwnCase("1.1", "an empty text", _frame(TEXT), ((TEXT, b""),)),
    OwnCase("1.2", "a text of 126 bytes", _frame(TEXT, LONG[:126]), ((TEXT, LONG[:126]),)),
    OwnCase("1.3", "a binary message of 64 KiB", _frame(BINARY, LONG), ((BINARY, LONG),)),
    OwnCase("2.1", "a ping without payload", _frame(PING), ((PONG, b""),)),
    OwnCase("2.2", "a ping of 125 bytes", _frame(PING, LONG[:125]), ((PONG, LONG[:125]),)),
    OwnCase("2.3", "a ping of 126 bytes", _raw("89fe007e", LONG[:126]), (), 1002),
    OwnCase("2.4", "a pong that nobody asked for", _frame(PONG, b"unsolicited")),
    OwnCase("3.1", "RSV1 without an extension", _frame(TEXT, b"a", rsv1=True), (), 1002),
    OwnCase("3.2", "RSV3 in a ping", _frame(PING, rsv3=True), (), 1002),
    OwnCase("4.1", "a reserved data opcode", _raw("8380"), (), 1002),
    OwnCase("4.2", "a reserved control opcode", _raw("8b80"), (), 1002),
    OwnCase("5.1", "a ping in fragments", _raw("0980"), (), 1002),
    OwnCase("5.2", "a text in two fragments", b"".join(HALVES), ((TEXT, "κόσ".encode()),)),
    OwnCase(
        "5.3",
        "a ping between two fragments",
        HALVES[0] + _frame(PING, b"now") + HALVES[1],
        ((PONG, b"now"), (TEXT, "κόσ".encode())),
    ),
    OwnCase("5.4", "a continuation of nothing", _frame(MORE, b"a"), (), 1002),
    OwnCase("5.5", "a text inside a text", _frame(TEXT, b"a", fin=False) + _frame(TEXT, b"b"), (), 1002),
    OwnCase("6.1", "text that is not UTF-8", _frame(TEXT, b"\xce\xba\xff"), (), 1007),
    OwnCase("6.2", "a wrong byte in the second fragment", HALVES[0] + _frame(MORE, b"\xff"), (), 1007),
    OwnCase("6.3", "half a character at the end", _frame(TEXT, b"\xce"), (), 1007),
    OwnCase("6.4", "a surrogate", _frame(TEXT, b"\xed\xa0\x80"), (), 1007),
    OwnCase("7.1", "a Close without a code", _frame(CLOSE), (), 1005),
    OwnCase("7.2", "a Close of one byte", _frame(CLOSE, b"\x03"), (), 1002),
    OwnCase("7.3", "a Close with a code of one's own", _frame(CLOSE, encode_close(4000)), (), 4000),
    OwnCase("7.4", "a Close with 1006", _frame(CLOSE, b"\x03\xee"), (), 1002),
    OwnCase("7.5", "a reason that is not UTF-8", _frame(CLOSE, b"\x03\xe8\xff"), (), 1007),
    OwnCase("7.6", "a message after the Close", _frame(CLOSE, encode_close(1000)) + _frame(TEXT, b"a")),
    OwnCase("10.1", "a message in one fragment of 64 KiB", _frame(TEXT, LONG), ((TEXT, LONG),)),
)


async def run_own_cases(port: int) -> list[dict[str, Any]]:
    """Run all cases side by side against the echo server on a port; return the fields of each result."""
    return await asyncio.gather(*(_run(case, port) for case in OWN_CASES))


async def _run(case: OwnCase, port: int) -> dict[str, Any]:
    received, ended = bytearray(), False
    with contextlib.suppress(
        OSError, HandshakeError
    ):  # nobody listens, is silent, breaks off, or is no server
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(writer):
                await _talk(case, reader, writer, received)
                ended = True
    frames = FrameDecoder(masked=False, max_size=None).feed(received)
    back = tuple((int(frame.opcode), bytes(frame.payload)) for frame in frames if frame.opcode != CLOSE)
    codes = [decode_close(frame.payload)[0] for frame in frames if frame.opcode == CLOSE]
    return {
        "number": case.number,
        "does": case.does,
        "expects": _in_words(case),
        "passed": back == case.back and codes == [case.code],
        "clean": ended and codes == [case.code],
        "sent": case.sends,
        "received": bytes(received),
    }


async def _talk(
    case: OwnCase, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, received: bytearray
) -> None:
    """Send the case, then a Close when all that it expects is back; read until TCP ends."""
    writer.write(build_request("127.0.0.1", key=generate_key()).encode())
    head = ResponseReader()
    while head.feed(data := await reader.read(4096)) is None and data:
        pass
    received += head.rest
    writer.write(case.sends)
    size = sum(len(encode_frame(Frame(Opcode(opcode), payload))) for opcode, payload in case.back)
    closes = case.code == 1000 and not case.number.startswith("7.")
    while True:
        if closes and len(received) >= size:
            writer.write(_frame(CLOSE, encode_close(1000)))
            closes = False
        if not (data := await reader.read(65536)):
            return
        received += data


def _in_words(case: OwnCase) -> str:
    names = [f"{Opcode(opcode).name} of {len(payload)} bytes" for opcode, payload in case.back]
    return ", ".join([*names, f"Close {case.code}"])
