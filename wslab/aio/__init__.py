"""The only part of the protocol that does I/O: WebSocket on asyncio.

``server`` listens and runs handlers, ``client`` connects. After the opening handshake both are a
``websocket`` for their caller and a ``link`` for the event loop, which keeps messages in an ``inbox`` and
``pings`` until they are answered. ``heartbeat`` notices silent peers, ``reconnect`` says when a client comes
back, ``closed`` has the exceptions. What the bytes mean is left to the modules above: ``handshake``,
``decoder``, ``message``, ``connection``. RFC 6455 §4, §5.5.2, §7.
"""

from wslab.aio.client import ClientConnection, connect
from wslab.aio.closed import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK
from wslab.aio.server import Server, ServerConnection, serve
from wslab.aio.websocket import broadcast

__all__ = [
    "ClientConnection",
    "ConnectionClosed",
    "ConnectionClosedError",
    "ConnectionClosedOK",
    "Server",
    "ServerConnection",
    "broadcast",
    "connect",
    "serve",
]
