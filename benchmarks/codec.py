"""Bytes to events and intents to bytes, through the connection without I/O of each package.

Each hands out what its user gets: bytes for a binary message, a str for a text. The connection of websockets
leaves a text encoded, its user gets it decoded one layer above; so that is done here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, cast

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame as TheirFrame
from websockets.protocol import CLIENT, SERVER, Protocol
from wsproto.connection import Connection as WsprotoConnection
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage

from benchmarks.measure import ANY, SMALL, Row, compare
from wslab import Connection, Frame, Opcode, encode_frame
from wslab.connection import CompressedConnection
from wslab.deflate import Deflate, Deflater

__all__ = ["SLOW_BY_DESIGN", "codec_rows", "pure_rows"]

LIMIT = 2**25
CALLS_DEFLATE = 200
SLOW_BY_DESIGN = "decode 1 MiB of text in pieces of 1,448 B"
SIZES = {
    "16 B": 16,
    "125 B": 125,
    "1 KiB": 2**10,
    "16 KiB": 2**14,
    "64 KiB": 2**16,
    "1 MiB": 2**20,
    "16 MiB": 2**24,
}


def codec_rows() -> Iterator[Row]:
    for name, size in SIZES.items():
        yield _decoding(f"decode {name}, masked", [_masked(size)], _target(size), _calls(size))
    for name in ("16 B", "125 B", "1 KiB", "16 KiB", "1 MiB"):
        size = SIZES[name]
        text = _masked(size, Opcode.TEXT)
        yield _decoding(f"decode {name} of text, masked", [text], _target(size), _calls(size), True)
    small = _masked(16) * 1000
    yield _decoding("decode 1,000 frames of 16 B, one buffer", [small], SMALL, 2)
    yield _decoding("decode 1,000 frames of 16 B, pieces of 1,448 B", _pieces(small, 1448), SMALL, 2)
    yield _decoding("decode 1 MiB in pieces of 1,448 B", _pieces(_masked(2**20), 1448), ANY, 2)
    text = _masked(2**20, Opcode.TEXT)
    yield _decoding(SLOW_BY_DESIGN, _pieces(text, 1448), {}, 2, True)
    yield _decoding("decode 16 MiB in pieces of 64 KiB", _pieces(_masked(2**24), 2**16), ANY, 1)
    yield from _deflate_rows()
    for side, masked in (("client", "masked"), ("server", "unmasked")):
        for name, size in SIZES.items():
            yield _encoding(f"encode {name}, {masked}", side, size, _target(size))


def pure_rows() -> Iterator[Row]:
    """Measure what is measured without numpy, and without the extension of websockets."""
    for name, size in SIZES.items():
        if size > 2**20:
            return  # takes seconds, and the way is the same
        calls, target = max(1, _calls(size) // 4), _target(size)
        yield _decoding(f"decode {name}, masked", [_masked(size)], target, calls)
        yield _encoding(f"encode {name}, masked", "client", size, target, calls)


def _target(size: int) -> dict[str, float]:
    return SMALL if size <= 125 else ANY


def _deflate_rows() -> Iterator[Row]:
    """Measure permessage-deflate with the same parameters for all: a window of 12 bits, memory level 5."""
    text = "".join(f'{{"name": "Ada", "at": {n * 7919 % 1000}, "text": "line {n}"}}' for n in range(20))
    data = text.encode()
    forgetful = Deflater(12, takeover=False)
    frame = encode_frame(Frame(Opcode.TEXT, forgetful.deflate(data), rsv1=True), os.urandom(4))
    takeover = Deflate()
    ours, theirs = CompressedConnection("server", takeover), Protocol(SERVER)
    theirs.extensions = [PerMessageDeflate(False, False, 12, 12, {"memLevel": 5})]

    def websockets_receives() -> None:
        for _ in range(CALLS_DEFLATE):
            theirs.receive_data(frame)
            for event in theirs.events_received():
                cast(TheirFrame, event).data.decode()  # type: ignore[union-attr]

    def wslab_receives() -> None:
        for _ in range(CALLS_DEFLATE):
            ours.receive_data(frame)

    def websockets_sends() -> None:
        for _ in range(CALLS_DEFLATE):
            theirs.send_text(data)
            theirs.data_to_send()

    def wslab_sends() -> None:
        for _ in range(CALLS_DEFLATE):
            ours.send_text(text)
            ours.data_to_send()

    receiving = {"websockets": websockets_receives, "wslab": wslab_receives}
    yield compare(f"decode {len(data)} B of JSON, compressed", receiving, ANY, CALLS_DEFLATE)
    sending = {"websockets": websockets_sends, "wslab": wslab_sends}
    yield compare(f"encode {len(data)} B of JSON, compressed", sending, ANY, CALLS_DEFLATE)


def _masked(size: int, opcode: Opcode = Opcode.BINARY) -> bytes:
    payload = b"0123456789abcdef" * (size // 16) + b"x" * (size % 16)
    if opcode is Opcode.BINARY:
        payload = os.urandom(size)
    return encode_frame(Frame(opcode, payload), os.urandom(4))


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def _calls(size: int) -> int:
    return max(1, min(3000, 3_000_000 // size))


def _decoding(
    what: str, pieces: list[bytes], target: dict[str, float], calls: int, text: bool = False
) -> Row:
    theirs = Protocol(SERVER, max_size=LIMIT)
    ours = Connection("server", max_size=LIMIT)
    wsproto = WsprotoConnection(ConnectionType.SERVER)

    def websockets_receives(data: bytes) -> None:
        theirs.receive_data(data)
        theirs.events_received()

    def websockets_receives_text(data: bytes) -> None:
        theirs.receive_data(data)
        for frame in theirs.events_received():
            cast(TheirFrame, frame).data.decode()  # type: ignore[union-attr]

    def wsproto_receives(data: bytes) -> None:
        wsproto.receive_data(data)
        list(wsproto.events())

    def repeat(receive: Callable[[bytes], Any]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(calls):
                for piece in pieces:
                    receive(piece)

        return run

    candidates: dict[str, Callable[[bytes], Any]] = {
        "websockets": websockets_receives_text if text else websockets_receives,
        "wslab": ours.receive_data,
        "wsproto": wsproto_receives,
    }
    return compare(what, {name: repeat(receive) for name, receive in candidates.items()}, target, calls)


def _encoding(what: str, side: Any, size: int, target: dict[str, float], calls: int = 0) -> Row:
    theirs = Protocol(CLIENT if side == "client" else SERVER)
    ours = Connection(side)
    wsproto = WsprotoConnection(ConnectionType.CLIENT if side == "client" else ConnectionType.SERVER)
    payload = os.urandom(size)
    calls = calls or _calls(size)

    def websockets_sends() -> None:
        for _ in range(calls):
            theirs.send_binary(payload)
            theirs.data_to_send()

    def wslab_sends() -> None:
        for _ in range(calls):
            ours.send_binary(payload)
            ours.data_to_send()

    def wsproto_sends() -> None:
        for _ in range(calls):
            wsproto.send(BytesMessage(payload))

    candidates = {"websockets": websockets_sends, "wslab": wslab_sends, "wsproto": wsproto_sends}
    return compare(what, candidates, target, calls)
