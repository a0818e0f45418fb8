"""Pings without a pong yet: who waits for which, and since when (RFC 6455 §5.5.2, §5.5.3).

This module knows that a pong repeats the payload of its ping, and that a peer may answer only the latest of
several pings. Sending them is left to ``link``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator

__all__ = ["Latency", "Pings"]


class Latency(float):
    """The seconds from a ping to its pong. Awaiting it returns it, for code written for ``websockets``."""

    def __await__(self) -> Generator[None, None, Latency]:
        return self
        yield  # never reached: it makes this a generator, as await needs one


class Pings:
    """The pings that are not answered yet.

    Attributes:
        latency: seconds from the last ping that was answered to its pong; 0 before.
    """

    def __init__(self) -> None:
        self.latency = 0.0
        self._loop = asyncio.get_running_loop()
        # For each payload, the future of its latency and when the ping was sent.
        self._waiting: dict[bytes, tuple[asyncio.Future[float], float]] = {}

    def __contains__(self, payload: bytes) -> bool:
        return payload in self._waiting

    def add(self, payload: bytes) -> asyncio.Future[float]:
        """Remember a ping that is sent now, and return the future of its latency in seconds."""
        waiter: asyncio.Future[float] = self._loop.create_future()
        self._waiting[payload] = waiter, self._loop.time()
        return waiter

    def answer(self, payload: bytes) -> None:
        """Wake those who wait for this pong or an earlier one: a peer may skip some (§5.5.3)."""
        if payload not in self._waiting:
            return  # an unsolicited pong (§5.5.3)
        now = self._loop.time()
        self.latency = now - self._waiting[payload][1]
        for earlier in list(self._waiting):
            waiter, sent_at = self._waiting.pop(earlier)
            if not waiter.done():
                waiter.set_result(now - sent_at)
            if earlier == payload:
                return

    def fail(self, ending: Exception) -> None:
        """Let everyone who waits raise ``ending``: no pong will arrive any more."""
        for waiter, _ in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(ending)
                waiter.exception()  # marks it as seen: nobody has to await a ping
        self._waiting.clear()
