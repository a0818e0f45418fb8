"""The heartbeat: regular pings, and the decision that a peer is gone (RFC 6455 §5.5.2).

The protocol does not define "gone": an endpoint's timer decides it when no pong has arrived in time. A peer
that falls silent is noticed after ``timeout`` seconds at the earliest, ``interval + timeout`` at the latest.

This module knows the two timers, which are callbacks of the event loop: an idle connection costs no task.
Sending the ping and failing the connection are left to ``link``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Heartbeat"]


class Heartbeat:
    """Pings, each ``interval`` seconds after the last pong, until no pong arrives within ``timeout``.

    Args:
        interval: seconds from one pong to the next ping; None for no heartbeat.
        timeout: seconds to wait for a pong; None to wait forever.
        ping: sends a ping and returns the future of its pong.
        is_overdue: returns whether a pong would have been read if it had arrived. It is False when a busy
            receiver has held up reading since the last call: then the peer gets another ``timeout``.
        give_up: fails the connection, for the reason that it is given.
    """

    def __init__(
        self,
        interval: float | None,
        timeout: float | None,
        *,
        ping: Callable[[], asyncio.Future[float]],
        is_overdue: Callable[[], bool],
        give_up: Callable[[str], None],
    ) -> None:
        self._interval = interval
        self._timeout = timeout
        self._ping = ping
        self._is_overdue = is_overdue
        self._give_up = give_up
        self._timer: asyncio.TimerHandle | None = None
        self._pong: asyncio.Future[float] | None = None
        self._wait(interval, self._beat)

    def stop(self) -> None:
        """Stop both timers: a timer that nobody cancels keeps its connection in memory."""
        if self._timer:
            self._timer.cancel()
        self._interval = None

    def _wait(self, seconds: float | None, then: Callable[[], None]) -> None:
        if self._timer:
            self._timer.cancel()
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def _beat(self) -> None:
        self._wait(self._timeout, self._on_silence)
        self._pong = self._ping()
        self._pong.add_done_callback(self._on_pong)

    def _on_pong(self, pong: asyncio.Future[float]) -> None:
        if not pong.cancelled() and pong.exception() is None:
            self._wait(self._interval, self._beat)

    def _on_silence(self) -> None:
        if self._pong and self._pong.done():
            return  # it arrived in this very turn of the event loop
        if self._is_overdue():
            self._give_up(f"no pong within {self._timeout} s")
        else:
            self._wait(self._timeout, self._on_silence)
