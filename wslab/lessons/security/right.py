"""The right answers of lesson 08, which its cells use until a learner's own are right."""

from __future__ import annotations

import hmac
from collections.abc import Collection

__all__ = ["Tickets", "origin_allowed", "redeem", "spend"]

Tickets = dict[str, tuple[str, float]]  # user to ticket and when it expires, in seconds


def origin_allowed(origin: str | None, allowed: Collection[str | None]) -> bool:
    """Return whether a request with this Origin may come in (RFC 6455 §10.2).

    Args:
        origin: the value of the header; None if there is none.
        allowed: origins, None for "no Origin", and patterns such as "https://*.bank.example" for every name
            below bank.example.

    >>> origin_allowed("https://m.bank.example", ["https://*.bank.example"])
    True
    >>> origin_allowed("https://bank.example.evil.example", ["https://bank.example"])
    False
    """
    if origin in allowed:
        return True
    scheme, _, host = (origin or "").partition("://")
    patterns = [each.partition("*") for each in allowed if each and "://*." in each]
    return any(start == f"{scheme}://" and host.endswith(name) for start, _, name in patterns)


def redeem(tickets: Tickets, user: str, given: str, now: float) -> bool:
    """Return whether a ticket is good, and take it away: it lets its user in once, before it expires.

    Args:
        tickets: those that were issued.
        user: who the client says it is.
        given: the ticket that it shows.
        now: the time, in the seconds of the tickets.

    >>> tickets = {"ada": ("4711", 30.0)}
    >>> redeem(tickets, "ada", "4711", 10.0), redeem(tickets, "ada", "4711", 10.0)
    (True, False)
    """
    ticket, expires = tickets.get(user, ("", 0.0))
    if not hmac.compare_digest(ticket.encode(), given.encode()):
        return False
    return tickets.pop(user, None) is not None and now < expires


def spend(tokens: float, elapsed: float, rate: float, burst: float) -> tuple[bool, float]:
    """Return whether a message is allowed, and how many tokens are then left in the bucket.

    Args:
        tokens: how many there were after the message before.
        elapsed: seconds since then.
        rate: tokens that come in a second.
        burst: how many the bucket holds.

    >>> spend(0.5, 0.1, 10, 20)
    (True, 0.5)
    >>> spend(0.5, 0.0, 10, 20)
    (False, 0.5)
    """
    tokens = min(burst, tokens + elapsed * rate)
    return (True, tokens - 1) if tokens >= 1 else (False, tokens)
