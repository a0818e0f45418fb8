"""Attempts at the exercises of lesson 08."""

from __future__ import annotations

import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

from tests.support.attempts import right, wrong
from wslab.lessons.security import right as ours

# -- origin-allowed -----------------------------------------------------------------------------------------


def exact(origin: Any, allowed: Any) -> Any:
    return origin in allowed


def begins(origin: Any, allowed: Any) -> Any:
    return any(origin is each or (each and (origin or "").startswith(each)) for each in allowed)


def contains(origin: Any, allowed: Any) -> Any:
    hosts = [each.partition("://")[2].replace("*.", "") for each in allowed if each]
    return origin in allowed or any(host in (origin or "") for host in hosts)


def without_the_dot(origin: Any, allowed: Any) -> Any:
    names = [each.partition("*.")[2] for each in allowed if each and "*" in each]
    return origin in allowed or (bool(origin) and any(origin.endswith(name) for name in names))


def without_the_scheme(origin: Any, allowed: Any) -> Any:
    names = [each.partition("*")[2] for each in allowed if each and "*" in each]
    return origin in allowed or (bool(origin) and any(origin.endswith(name) for name in names))


def any_port(origin: Any, allowed: Any) -> Any:
    if origin is None:
        return None in allowed
    parts = urlsplit(origin)
    return ours.origin_allowed(f"{parts.scheme}://{parts.hostname}", allowed)


def programs_come_in(origin: Any, allowed: Any) -> Any:
    return origin is None or ours.origin_allowed(origin, allowed)


def in_a_loop(origin: Any, allowed: Any) -> Any:
    for each in allowed:
        if each == origin:
            return True
        pattern = each is not None and each.startswith("https://*.")
        if pattern and origin and origin.startswith("https://") and origin.endswith(each[9:]):
            return True
    return False


def by_urlsplit(origin: Any, allowed: Any) -> Any:
    if origin is None or origin in allowed:
        return origin in allowed
    mine = urlsplit(origin)
    return any(
        mine.scheme == urlsplit(each).scheme and mine.netloc.endswith(urlsplit(each).netloc[1:])
        for each in allowed
        if each and "*" in each
    )


def by_sets(origin: Any, allowed: Any) -> Any:
    possible = {origin}
    if origin:
        scheme, _, host = origin.partition("://")
        parts = host.split(".")
        possible |= {f"{scheme}://*.{'.'.join(parts[at:])}" for at in range(1, len(parts))}
    return not possible.isdisjoint(allowed)


# -- redeem-ticket ------------------------------------------------------------------------------------------


def with_equals(tickets: Any, user: Any, given: Any, now: Any) -> Any:
    if user not in tickets or tickets[user][0] != given:
        return False
    return now < tickets.pop(user)[1]


def compares_bytes_with_equals(tickets: Any, user: Any, given: Any, now: Any) -> Any:
    if user not in tickets or given.encode() != tickets[user][0].encode():
        return False
    return now < tickets.pop(user)[1]


def many_times(tickets: Any, user: Any, given: Any, now: Any) -> Any:
    ticket, expires = tickets.get(user, ("", 0))
    return hmac.compare_digest(ticket.encode(), given.encode()) and now < expires


def for_ever(tickets: Any, user: Any, given: Any, now: Any) -> Any:
    return ours.redeem(tickets, user, given, 0.0)


def for_anybody(tickets: Any, user: Any, given: Any, now: Any) -> Any:
    for owner, (ticket, expires) in list(tickets.items()):
        if hmac.compare_digest(ticket.encode(), given.encode()):
            del tickets[owner]
            return now < expires
    return False


def burns_on_a_guess(tickets: Any, user: Any, given: Any, now: Any) -> Any:
    ticket, expires = tickets.pop(user, ("", 0))
    return bool(ticket) and hmac.compare_digest(ticket.encode(), given.encode()) and now < expires


def ascii_only(tickets: Any, user: Any, given: Any, now: Any) -> Any:
    ticket, expires = tickets.get(user, ("", 0))
    if not hmac.compare_digest(str(ticket), given):
        return False
    del tickets[user]
    return now < expires


def keeps_the_expired(tickets: Any, user: Any, given: Any, now: Any) -> Any:
    ticket, expires = tickets.get(user, ("", 0))
    if now >= expires or not hmac.compare_digest(ticket.encode(), given.encode()):
        return False
    del tickets[user]
    return True


def a_moment_too_long(tickets: Any, user: Any, given: Any, now: Any) -> Any:
    ticket, expires = tickets.get(user, ("", 0))
    if not ticket or not hmac.compare_digest(ticket.encode(), given.encode()):
        return False
    del tickets[user]
    return now <= expires


def plainly(tickets: Any, user: Any, given: Any, now: Any) -> Any:
    if user not in tickets:
        return False
    ticket, expires = tickets[user]
    good = secrets.compare_digest(ticket.encode(), given.encode())
    if good:
        del tickets[user]
    return good and now < expires


def in_one_expression(tickets: Any, user: Any, given: Any, now: Any) -> Any:
    return (
        user in tickets
        and hmac.compare_digest(tickets[user][0].encode(), given.encode())
        and tickets.pop(user)[1] > now
    )


def puts_it_back(tickets: Any, user: Any, given: Any, now: Any) -> Any:
    entry = tickets.pop(user, None)
    if entry and not hmac.compare_digest(entry[0].encode("utf-8"), given.encode("utf-8")):
        tickets[user] = entry
        return False
    return bool(entry) and now < entry[1]


# -- token-bucket -------------------------------------------------------------------------------------------


def overflows(tokens: Any, elapsed: Any, rate: Any, burst: Any) -> Any:
    return ours.spend(tokens, elapsed, rate, 10**9)


def never_fills(tokens: Any, elapsed: Any, rate: Any, burst: Any) -> Any:
    return ours.spend(tokens, 0.0, rate, burst)


def goes_into_debt(tokens: Any, elapsed: Any, rate: Any, burst: Any) -> Any:
    tokens = min(burst, tokens + elapsed * rate) - 1
    return tokens >= 0, tokens


def wants_more_than_one(tokens: Any, elapsed: Any, rate: Any, burst: Any) -> Any:
    tokens = min(burst, tokens + elapsed * rate)
    return (True, tokens - 1) if tokens > 1 else (False, tokens)


def takes_a_part(tokens: Any, elapsed: Any, rate: Any, burst: Any) -> Any:
    tokens = min(burst, tokens + elapsed * rate)
    return (True, tokens - 1) if tokens > 0 else (False, tokens)


def says_yes_or_no(tokens: Any, elapsed: Any, rate: Any, burst: Any) -> Any:
    return min(burst, tokens + elapsed * rate) >= 1


def cuts_after(tokens: Any, elapsed: Any, rate: Any, burst: Any) -> Any:
    tokens += elapsed * rate
    return (True, min(burst, tokens - 1)) if tokens >= 1 else (False, tokens)


def by_steps(tokens: Any, elapsed: Any, rate: Any, burst: Any) -> Any:
    tokens = tokens + elapsed * rate
    if tokens > burst:
        tokens = burst
    allowed = tokens >= 1
    return allowed, tokens - allowed


def as_a_list(tokens: Any, elapsed: Any, rate: Any, burst: Any) -> Any:
    return list(ours.spend(float(tokens), float(elapsed), float(rate), float(burst)))


def from_the_top(tokens: Any, elapsed: Any, rate: Any, burst: Any) -> Any:
    missing = max(0, burst - tokens - elapsed * rate)
    return (True, burst - missing - 1) if burst - missing >= 1 else (False, burst - missing)


GUESTS = {
    "a page of another site": 403,
    "50 connections from one address": 429,
    "a full server": 503,
    "1,000 messages a second": 1008,
    "a message of 2 MiB": 1009,
    "a client that never sends its request": 0,
}

WRONG = [
    *wrong(
        "origin-allowed",
        (lambda origin, allowed: None, "", "not yet"),
        (exact, "Handle it after the exact comparison"),
        (begins, "only begins like yours"),
        (contains, "only contains yours"),
        (without_the_dot, "Keep the dot"),
        (without_the_scheme, "Compare the scheme too"),
        (any_port, "Another port is another origin"),
        (programs_come_in, "only where None is in the list"),
        (lambda origin, allowed: True, "returned"),
        (lambda origin, allowed: origin.startswith("https"), "returned"),
    ),
    *wrong(
        "redeem-ticket",
        (lambda tickets, user, given, now: None, "", "not yet"),
        (with_equals, "stops at the first wrong character"),
        (compares_bytes_with_equals, "stops at the first wrong character"),
        (many_times, "returned"),
        (for_ever, "returned"),
        (for_anybody, "returned"),
        (burns_on_a_guess, "returned"),
        (ascii_only, "Encode both"),
        (keeps_the_expired, "returned"),
        (a_moment_too_long, "returned"),
        (lambda tickets, user, given, now: tickets[user][0] == given, ""),
    ),
    *wrong(
        "token-bucket",
        (lambda tokens, elapsed, rate, burst: None, "", "not yet"),
        (overflows, "no more than burst"),
        (never_fills, "First add what has come since"),
        (goes_into_debt, "takes no token"),
        (wants_more_than_one, "One whole token is enough"),
        (takes_a_part, "A part of a token"),
        (says_yes_or_no, "Return both"),
        (cuts_after, "returned"),
    ),
    *wrong(
        "which-limit",
        (GUESTS | {"a page of another site": 401}, "is wrong"),
        (GUESTS | {"50 connections from one address": 1008}, "no connection yet"),
        (GUESTS | {"a full server": 1013}, "opens no connection"),
        (GUESTS | {"1,000 messages a second": 429}, "too late"),
        (GUESTS | {"a message of 2 MiB": 413}, "this connection is open"),
        (GUESTS | {"a client that never sends its request": 408}, "cannot tell it anything"),
        (GUESTS | {"a full server": "503"}, "is wrong"),
        ({}, "is missing"),
    ),
]
RIGHT = [
    *right("origin-allowed", in_a_loop, by_urlsplit, by_sets),
    *right("redeem-ticket", plainly, in_one_expression, puts_it_back),
    *right("token-bucket", by_steps, as_a_list, from_the_top),
]
