"""WebSocket from the bytes up: the package that the course builds.

One module a layer. ``http``, ``accept``, ``handshake``, ``masking``, ``frames``, ``decoder``, ``deflate``,
``close``, ``message`` and ``connection`` know the protocol and do no I/O. ``aio`` does. It is loaded when one
of its names is first used, so that the protocol can be used without asyncio.
"""

from __future__ import annotations

from wslab.accept import accept_key, generate_key
from wslab.close import CloseCode, ProtocolError
from wslab.connection import Close, Connection, Event, Failure, InvalidState, Ping, Pong, ReadyState
from wslab.decoder import FrameDecoder
from wslab.deflate import Deflate
from wslab.frames import Frame, Opcode, encode_frame
from wslab.http import HandshakeError, Headers, Request, Response
from wslab.masking import apply_mask

TYPE_CHECKING = False  # type checkers take it as true; importing typing takes as long as all of this
if TYPE_CHECKING:
    from typing import Any

    from wslab.aio import (
        ClientConnection,
        ConnectionClosed,
        ConnectionClosedError,
        ConnectionClosedOK,
        Server,
        ServerConnection,
        broadcast,
        connect,
        serve,
    )

__all__ = [
    "ClientConnection",
    "Close",
    "CloseCode",
    "Connection",
    "ConnectionClosed",
    "ConnectionClosedError",
    "ConnectionClosedOK",
    "Deflate",
    "Event",
    "Failure",
    "Frame",
    "FrameDecoder",
    "HandshakeError",
    "Headers",
    "InvalidState",
    "Opcode",
    "Ping",
    "Pong",
    "ProtocolError",
    "ReadyState",
    "Request",
    "Response",
    "Server",
    "ServerConnection",
    "accept_key",
    "apply_mask",
    "broadcast",
    "connect",
    "encode_frame",
    "generate_key",
    "serve",
]


def __getattr__(name: str) -> Any:
    """Load ``aio`` when one of its names is first used (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'wslab' has no attribute {name!r}")
    from wslab import aio

    return getattr(aio, name)
