"""Octets to events and intents to octets, through the connection without I/O of each package."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from websockets.protocol import CLIENT, SERVER, Protocol
from wsproto.connection import Connection as WsprotoConnection
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage

from benchmarks.measure import Row, compare
from wslab import Connection, Frame, Opcode, encode_frame

__all__ = ["codec_rows"]

LIMIT = 2**25
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
        target = 2.5 if size <= 125 else 1.7 if size <= 2**14 else 1.2
        yield _decoding(f"decode {name}, masked", [_masked(size)], target, _calls(size))
    small = _masked(16) * 1000
    yield _decoding("decode 1,000 frames of 16 B, one buffer", [small], 3, 2)
    yield _decoding("decode 1,000 frames of 16 B, pieces of 1,448 B", _pieces(small, 1448), 3, 2)
    yield _decoding("decode 1 MiB in pieces of 1,448 B", _pieces(_masked(2**20), 1448), 1.2, 2)
    yield _decoding("decode 16 MiB in pieces of 64 KiB", _pieces(_masked(2**24), 2**16), 1.2, 1)
    for name, size in SIZES.items():
        yield _encoding(f"encode {name}, masked", "client", size, 2 if size <= 125 else 1)
    for name, size in SIZES.items():
        yield _encoding(f"encode {name}, unmasked", "server", size, 3 if size <= 125 else 1)


def _masked(size: int) -> bytes:
    return encode_frame(Frame(Opcode.BINARY, os.urandom(size)), os.urandom(4))


def _pieces(octets: bytes, size: int) -> list[bytes]:
    return [octets[at : at + size] for at in range(0, len(octets), size)]


def _calls(size: int) -> int:
    return max(1, min(3000, 3_000_000 // size))


def _decoding(what: str, pieces: list[bytes], target: float, calls: int) -> Row:
    theirs = Protocol(SERVER, max_size=LIMIT)
    ours = Connection("server", max_size=LIMIT)
    wsproto = WsprotoConnection(ConnectionType.SERVER)

    def websockets_receives(data: bytes) -> None:
        theirs.receive_data(data)
        theirs.events_received()

    def wsproto_receives(data: bytes) -> None:
        wsproto.receive_data(data)
        list(wsproto.events())

    def repeat(receive: Callable[[bytes], Any]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(calls):
                for piece in pieces:
                    receive(piece)

        return run

    candidates = {"websockets": websockets_receives, "wslab": ours.receive_data, "wsproto": wsproto_receives}
    return compare(what, {name: repeat(receive) for name, receive in candidates.items()}, target, calls)


def _encoding(what: str, side: Any, size: int, target: float) -> Row:
    theirs = Protocol(CLIENT if side == "client" else SERVER)
    ours = Connection(side)
    wsproto = WsprotoConnection(ConnectionType.CLIENT if side == "client" else ConnectionType.SERVER)
    payload = os.urandom(size)
    calls = _calls(size)

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
