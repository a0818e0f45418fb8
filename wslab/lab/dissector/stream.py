"""All bytes that one side of a connection sent, in order: heads, bodies and frames, field by field.

`dissect` walks the stream and decides what comes next: a body where a head announces one, the next head on
a connection that is used again, frames after a request for WebSocket or a 101 (RFC 6455 §4). It reads any
bytes and never raises for what they say: wrong ones are described, with the section that they break. The
last piece may be incomplete; it then says how many bytes are missing. No byte is dropped: the bytes of
all pieces, joined, are the stream.

Left to others: how a head or a body is read (`dissect_http`), how a frame is read (`dissect_frames`), and
how the result is shown (`views`, `ruler`).
"""

from __future__ import annotations

import re
from typing import Literal

from wslab.lab.dissector.bodies import take_body
from wslab.lab.dissector.dissection import Dissection, Dissections, Field
from wslab.lab.dissector.frame import FrameWalk
from wslab.lab.dissector.http import take_head

__all__ = ["Dissection", "Dissections", "Field", "dissect"]

# No frame of a client begins like this: it would have RSV1 set. A refused client asks again.
_ASKS_AGAIN = re.compile(rb"[A-Z]{3,10} [\x21-\x7e]{1,8000} HTTP/1\.[01]\r?\n")


def dissect(
    data: bytes | bytearray | memoryview,
    *,
    sender: Literal["client", "server"] | None = None,
    start: Literal["head", "frame"] = "head",
    extensions: str | None = None,
) -> Dissections:
    r"""Dissect what one side sent.

    Args:
        data: all bytes of that side, in order; none may be left out before them.
        sender: who sent them, to check the direction of masking (§5.1); None leaves it unchecked.
        start: "head" for a stream that begins with HTTP, "frame" for one behind the handshake.
        extensions: the value of Sec-WebSocket-Extensions in the server's answer. When it is not given, that
            of the stream's own head counts, in a request too, where it is only an offer.

    Raises:
        TypeError: the data are not bytes-like.
        ValueError: ``sender`` or ``start`` is none of the words above.

    >>> hello, ping = dissect(bytes.fromhex("810548656c6c6f 8900"), start="frame")
    >>> hello.what, hello.meaning, ping.what
    ('TEXT', '"Hello"', 'PING')
    >>> [field.name for field in hello.fields][-2:]
    ['payload length', 'payload data']
    >>> dissect(b"\x83\x00", start="frame")[0].error
    'opcode 3 is reserved (§5.2)'
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"data is {type(data).__name__}, not bytes; encode a text with .encode() first")
    if sender not in ("client", "server", None) or start not in ("head", "frame"):
        raise ValueError(
            f'sender is "client", "server" or None, start is "head" or "frame"; not {sender!r}, {start!r}'
        )
    stream = bytes(data)
    pieces: list[Dissection] = []
    at = 0
    frames = _frames(sender, extensions or "") if start == "frame" else None
    while at < len(stream):
        if frames:
            pieces.append(frames.take(stream, at))
            at += len(pieces[-1].data)
            continue
        piece, head = take_head(stream, at)
        pieces.append(piece)
        at += len(piece.data)
        if head.framing is not None and head.framing != 0 and piece.complete and at < len(stream):
            pieces.append(take_body(stream, at, head.framing))
            at += len(pieces[-1].data)
        if head.upgrade and piece.complete and not _ASKS_AGAIN.match(stream, at):
            frames = _frames(sender, head.extensions if extensions is None else extensions)
    return Dissections(pieces)


def _frames(sender: str | None, extensions: str) -> FrameWalk:
    names = [extension.partition(";")[0].strip().lower() for extension in extensions.split(",")]
    return FrameWalk(sender, deflate="permessage-deflate" in names)
