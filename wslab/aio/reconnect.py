"""When a client comes back, and when it does not: what ``async for ws in connect(...)`` decides by.

RFC 6455 §7.2.3 asks a client to wait a random time before it comes back, and longer each time. Here each wait
is drawn from the whole interval up to a ceiling that doubles ("full jitter"), so that clients that were lost
together do not come back together. The waits start over only after a connection has lasted: a server that
accepts and closes at once is not hammered. Opening and closing are left to ``client``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from ssl import SSLCertVerificationError

from wslab.close import CloseCode
from wslab.http import HandshakeError

__all__ = ["LAST_CEILING", "STABLE_TIME", "full_jitter", "may_come_back", "may_try_again"]

FIRST_CEILING, LAST_CEILING = 0.5, 60.0  # seconds
STABLE_TIME = 5.0  # seconds after which a connection is a success, and the waits start over
# What another connection would only repeat: one end found fault with what the other does.
FATAL_CODES = frozenset(
    {
        CloseCode.PROTOCOL_ERROR,
        CloseCode.UNSUPPORTED_DATA,
        CloseCode.INVALID_DATA,
        CloseCode.POLICY_VIOLATION,
        CloseCode.MESSAGE_TOO_BIG,
        CloseCode.MANDATORY_EXTENSION,
    }
)
# Below 500, those that say "later" (RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4).
PASSING_STATUSES = frozenset({408, 425, 429})


def full_jitter(first: float = FIRST_CEILING, last: float = LAST_CEILING) -> Iterator[float]:
    """Yield the seconds to wait before each try, without end (§7.2.3).

    Args:
        first: the ceiling of the first wait, in seconds; it doubles each time.
        last: the greatest ceiling, in seconds.

    >>> waits = full_jitter(1, 4)
    >>> all(0 <= next(waits) <= ceiling for ceiling in (1, 2, 4, 4))
    True
    """
    ceiling = first
    while True:
        yield random.uniform(0, ceiling)
        ceiling = min(last, 2 * ceiling)


def may_come_back(close_code: int | None) -> bool:
    """Return whether a connection that ended with this code is worth another one (§7.4.1).

    >>> may_come_back(1001), may_come_back(1006), may_come_back(1008)
    (True, True, False)
    """
    return close_code not in FATAL_CODES


def may_try_again(error: Exception) -> bool:
    """Return whether an opening that failed like this may succeed later.

    >>> may_try_again(ConnectionRefusedError()), may_try_again(HandshakeError("no", 403))
    (True, False)
    """
    if isinstance(error, HandshakeError) and error.status is not None:
        return error.status >= 500 or error.status in PASSING_STATUSES
    # TimeoutError is an OSError; so is the error for a certificate, which no wait makes valid.
    return isinstance(error, OSError | HandshakeError) and not isinstance(error, SSLCertVerificationError)
