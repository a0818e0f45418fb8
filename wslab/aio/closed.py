"""The exceptions that say that a connection is over (RFC 6455 §7.1.5, §7.4.1).

This module knows which endings are orderly. How a connection ends is left to ``link``.
"""

from __future__ import annotations

from wslab.close import CloseCode
from wslab.connection import Failure

__all__ = ["ConnectionClosed", "ConnectionClosedError", "ConnectionClosedOK", "connection_closed"]

# With one of these codes, or without a code, the peer says that nothing went wrong.
ORDERLY = (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RCVD)


class ConnectionClosed(Exception):
    """The connection is over: nothing can be received or sent any more.

    Args:
        code: the close code, 1006 when TCP ended without a Close.
        reason: the reason in the Close, if any.
        failure: why this end failed the connection, if it did (§7.1.7).

    >>> str(ConnectionClosed(1001, "server shuts down"))
    '1001 (going away) server shuts down'
    >>> str(ConnectionClosed(1006, failure=Failure(1011, "no pong within 20 s")))
    '1006 (abnormal closure), given up with 1011: no pong within 20 s'
    """

    def __init__(self, code: int, reason: str = "", failure: Failure | None = None) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
        self.failure = failure

    def __str__(self) -> str:
        try:
            name = CloseCode(self.code).name.replace("_", " ").lower()
        except ValueError:
            name = "private use" if self.code >= 4000 else "registered"  # §7.4.2
        ending = f"{self.code} ({name}) {self.reason}".rstrip()
        if self.failure:
            ending += f", given up with {self.failure.code}: {self.failure.reason}"
        return ending


class ConnectionClosedOK(ConnectionClosed):
    """A connection closed normally: with 1000, with 1001, or by a Close without a code."""


class ConnectionClosedError(ConnectionClosed):
    """A connection that ended with another close code, or without a Close."""


def connection_closed(code: int, reason: str, failure: Failure | None) -> ConnectionClosed:
    """Make the exception that fits the close code.

    >>> connection_closed(1000, "", None)
    ConnectionClosedOK(1000, '')
    """
    kind = ConnectionClosedOK if code in ORDERLY else ConnectionClosedError
    return kind(code, reason, failure)
