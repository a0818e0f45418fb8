"""The right answers of lesson 12. Judges compare with them; the server uses them until yours are right."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from wslab.connection import Connection

__all__ = ["close_in_time", "next_beat", "read", "send_and_wait", "shut_down", "write"]


def read(connection: Connection, data: bytes) -> list[str | bytes]:
    """Give bytes to a connection, and return the messages that are whole now (§5.6)."""
    return [event for event in connection.receive_data(data) if isinstance(event, str | bytes)]


def write(connection: Connection, waiting: int) -> bytes:
    """Return what can be written while some messages still wait for the handler (§5.5.1)."""
    return connection.data_to_send(hold_close=waiting > 0)


async def close_in_time(ws: Any, code: int, reason: str, timeout: float) -> None:
    """Send a Close, wait for the peer's at most ``timeout`` seconds, then end TCP (§7.1.1)."""
    ws.connection.close(code, reason)
    ws.flush()
    with suppress(TimeoutError):
        await asyncio.wait_for(ws.answered(), timeout)
    ws.writer.close()


def next_beat(heard: float, pinged: float | None, interval: float, timeout: float) -> tuple[str, float]:
    """Return what a heartbeat does next, and when, in seconds of the clock of ``heard`` and ``pinged``."""
    return ("ping", heard + interval) if pinged is None else ("give up", pinged + timeout)


async def send_and_wait(ws: Any, message: str | bytes) -> None:
    """Send a message, and wait while the peer is slow."""
    if isinstance(message, str):
        ws.connection.send_text(message)
    else:
        ws.connection.send_binary(message)
    ws.flush()
    await ws.writer.drain()


async def shut_down(connections: Sequence[Any], timeout: float) -> int:
    """Close all connections with 1001 side by side, abort those that are late; return how many were."""
    closing = [asyncio.wait_for(each.close(1001), timeout) for each in connections]
    results = await asyncio.gather(*closing, return_exceptions=True)
    pairs = zip(connections, results, strict=True)
    late = [each for each, result in pairs if isinstance(result, TimeoutError)]
    for each in late:
        each.abort()
    return len(late)
