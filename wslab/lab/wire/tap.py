"""The tap: a relay between any client and any server that shows what crosses the wire.

A tap listens on 127.0.0.1, on a port that the system chooses, and relays every connection to the server's
port. It never alters a byte; ``relay`` moves them, ``recording`` keeps them, ``reader`` says what they mean
(RFC 6455 §4, §5; RFC 9112 for HTTP), ``sequence`` draws it, ``capture`` saves it for Wireshark.

The network between client and server is perfect at first: ``delay``, ``throttle``, ``freeze`` and ``cut``
make it slow, narrow, silent or broken, for every connection of the tap.

A cell that waits for the network waits for a fact and never for a time: ``seen`` and ``closed`` return when
something has passed. When it has not, they raise TimeoutError with a sentence that says what passed instead.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Literal, Self

from wslab.lab.dissector.stream import Sender
from wslab.lab.wire import capture
from wslab.lab.wire.conversation import Conversation, Row
from wslab.lab.wire.counts import Counts, counted
from wslab.lab.wire.network import Path
from wslab.lab.wire.reader import Reader
from wslab.lab.wire.recording import Recording
from wslab.lab.wire.relay import Relay

if TYPE_CHECKING:
    from os import PathLike
    from types import TracebackType

    from wslab.lab.views.figure import Figure
    from wslab.lab.wire.film import Film

__all__ = ["Tap"]

Direction = Literal["client", "server", "both"]
SENDERS: tuple[Sender, Sender] = ("client", "server")
ROWS = 100  # that are read in one turn of the loop


class Tap:
    """A relay to a server on this machine that records what passes.

    Args:
        port: where the server listens on 127.0.0.1.
        delay: what the network adds one way, in both directions, in seconds.
        limit: the memory that the recording may take, in bytes; beyond it bytes are relayed and summed up
            only. Reading it takes as much again, a few times as much for short frames.
        secrets: whether its views show credentials, such as cookies; by default only how long they are.

    Raises:
        ValueError: the port is not one, the delay is negative, or the limit is.

    Use it as ``async with Tap(port) as tap:``, or over several cells with ``tap = await Tap(port).start()``
    and ``await tap.stop()`` in the last one.

    >>> Tap(8765, delay=0.04)
    <Tap: not listening>
    """

    def __init__(
        self, port: int, *, delay: float = 0.0, limit: int = 64 * 2**20, secrets: bool = False
    ) -> None:
        if not 1 <= port <= 65535:
            raise ValueError(f"a port is a number from 1 to 65535, not {port}")
        if limit < 0:
            raise ValueError(f"a recording cannot take {limit} bytes")
        self._target = port
        self._server: asyncio.Server | None = None
        self._relays: list[Relay] = []
        self._paths: dict[Sender, Path] = {"client": Path(), "server": Path()}
        self._recording = Recording(limit)
        self._reader = Reader(self._recording, secrets=secrets)
        self.delay = delay

    def __repr__(self) -> str:
        return f"<Tap: {'listening' if self.listening else 'not listening'}>"

    async def start(self) -> Self:
        """Listen, and return the tap itself.

        Raises:
            RuntimeError: the tap listens already, or would relay to itself.
        """
        if self._server is not None:
            raise RuntimeError("this tap listens already; stop it first, or make another one")
        server = await asyncio.get_running_loop().create_server(self._join, "127.0.0.1", 0)
        if server.sockets[0].getsockname()[1] == self._target:
            server.close()
            raise RuntimeError("nothing listens on the server's port, and the tap would relay to itself")
        self._server = server
        return self

    async def stop(self) -> None:
        """Stop listening, reset what is still connected, and wait until every socket is closed."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for relay in self._relays:
            relay.abort()
        for relay in self._relays:
            await relay.gone.wait()
        await server.wait_closed()
        self._recording.wake()  # so that `rows` ends

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def listening(self) -> bool:
        """Whether clients can connect."""
        return self._server is not None

    @property
    def port(self) -> int:
        """The port to which clients connect instead of the server's own.

        Raises:
            RuntimeError: the tap does not listen.
        """
        if self._server is None:
            remedy = "first run what starts it, async with Tap(port) or await tap.start()"
            raise RuntimeError(f"the tap does not listen: {remedy}")
        return int(self._server.sockets[0].getsockname()[1])

    def _join(self) -> asyncio.BaseProtocol:
        self._recording.connections += 1
        relay = Relay(self._recording.connections, self._target, self._paths, self._recording)
        self._relays = [other for other in self._relays if not other.gone.is_set()]
        self._relays.append(relay)
        if self._server is None:  # it was accepted, and joined only after the tap stopped listening
            relay.abort()
        return relay.client

    @property
    def delay(self) -> float:
        """What the network adds one way, in both directions, in seconds; may be set at any time.

        It holds for what is sent from now on: what is on the way arrives first, in the order in which it was
        sent.
        """
        return self._paths["client"].delay

    @delay.setter
    def delay(self, seconds: float) -> None:
        if not 0 <= seconds < math.inf:
            raise ValueError(f"a delay is a number of seconds from 0 on, not {seconds}")
        for path in self._paths.values():
            path.delay = seconds

    def throttle(self, bytes_per_second: float | None, direction: Direction = "both") -> None:
        """Let so many bytes pass in a second, on each connection; None takes the limit away.

        Raises:
            ValueError: the rate is not above 0 (to stop everything, ``freeze``), or there is no such
            direction.
        """
        if bytes_per_second is not None and not 0 < bytes_per_second < math.inf:
            fault = f"a rate is above 0 bytes a second, not {bytes_per_second}"
            raise ValueError(f"{fault}; freeze() stops everything")
        for sender in _senders(direction):
            self._paths[sender].rate = bytes_per_second
        self._restart()

    def freeze(self, direction: Direction = "both") -> None:
        """Let nothing pass any more: no byte, no FIN, no RST, as when a cable is pulled in the middle.

        Neither end is told. What they send is accepted by their own system until its buffers are full. The
        first 4 KiB of it are recorded as sent, and as never arrived until the network thaws.
        """
        self._freeze(direction, frozen=True, event="freeze")

    def thaw(self, direction: Direction = "both") -> None:
        """Let everything pass again, beginning with what was held."""
        self._freeze(direction, frozen=False, event="thaw")

    def _freeze(self, direction: Direction, *, frozen: bool, event: str) -> None:
        for sender in _senders(direction):
            self._paths[sender].frozen = frozen
        whose: Sender | None = None if direction == "both" else direction
        self._recording.add(0, whose, event, now=asyncio.get_running_loop().time())
        self._restart()

    @property
    def frozen(self) -> tuple[Sender, ...]:
        """The sides whose bytes do not pass now: none, one or both."""
        return tuple(sender for sender, path in self._paths.items() if path.frozen)

    def cut(self) -> None:
        """Reset every connection on both sides: client and server each get RST."""
        for relay in self._relays:
            if not relay.gone.is_set():
                relay.record(None, "cut")
                relay.abort()

    def conversation(self, *, times: bool = False, tcp: bool = False) -> Conversation:
        """Return what has passed so far, row by row.

        Args:
            times: whether the table shows the times, in milliseconds; they differ from run to run.
            tcp: whether there are rows for what happened to TCP: SYN, FIN, RST.
        """
        return self._reader.conversation(times=times, tcp=tcp)

    async def rows(self) -> AsyncIterator[Row]:
        """Yield each row as soon as its last byte has passed, from the first on; end when the tap stops."""
        reader, at = self._reader, 0
        while True:
            reader.read(ROWS)
            new = reader.rows[at : at + ROWS]
            at += len(new)
            for row in new:
                if row.kind != "tcp":
                    yield row
            if reader.behind or at < len(reader.rows):
                await asyncio.sleep(0)  # a flood must not hold the loop
            elif not self.listening:
                return
            else:
                await self._recording.news()

    @property
    def full(self) -> bool:
        """Whether something has passed that the recording does not keep."""
        return self._reader.full

    @property
    def elapsed(self) -> float:
        """How long ago the first thing was recorded, in milliseconds: the time that a row would have now."""
        return 1000 * self._recording.clock(asyncio.get_running_loop().time())

    def counts(self) -> Counts:
        """Return how many bytes, heads, bodies and frames have passed so far."""
        return counted(self._reader)

    def figure(self, *, times: bool = False) -> Figure:
        """Draw what has passed so far as a sequence diagram.

        Args:
            times: whether the arrows are at their places on an axis of time; else they have equal distances,
                and the figure is the same in every run.
        """
        from wslab.lab.wire.sequence import draw_conversation  # matplotlib is loaded for the first picture

        return draw_conversation(self.conversation(times=times))

    def film(self) -> Film:
        """Draw what has passed so far as a moving picture: the bytes of each frame cross in their colours.

        A client's frames are masked with random keys, so each run makes another film; the words are the same.
        """
        from wslab.lab.wire.film import Film  # Pillow is loaded when the first film is asked for

        return Film(self.conversation())

    def save(self, path: str | PathLike[str]) -> None:
        """Write what has passed so far to a file that Wireshark opens, credentials included.

        Args:
            path: the file, by custom with the ending ".pcap"; an old one is replaced.
        """
        capture.save(self._recording, path)

    async def seen(
        self, what: str, sender: Sender | None = None, *, count: int = 1, timeout: float = 5.0
    ) -> None:
        """Wait until an HTTP head, a body or a frame of that name has passed in full.

        What is sent into a frozen network counts too, as far as it is recorded.

        Args:
            what: "GET /chat" or "GET", "101", "TEXT", "CLOSE", "body": the whole name or its first word.
            sender: "client" or "server"; None for either.
            count: how many of them must have passed since the tap was made.
            timeout: how long to wait for them, in seconds.

        Raises:
            TimeoutError: they did not pass in that time; the message says how many did.
        """
        senders = SENDERS if sender is None else _senders(sender)
        try:
            async with asyncio.timeout(timeout):
                while True:
                    self._reader.read(ROWS)
                    if (number := sum(self._reader.passed[each, what] for each in senders)) >= count:
                        break
                    await (asyncio.sleep(0) if self._reader.behind else self._recording.news())
        except TimeoutError:
            wanted = f"{count} {what}" + (f" from the {sender}" if sender else "")
            raise TimeoutError(f"waited {timeout:g} s for {wanted}; {number} passed the tap") from None

    async def closed(self, *, timeout: float = 5.0) -> None:
        """Wait until there has been a connection and all of them are closed on both sides.

        Args:
            timeout: how long to wait, in seconds.

        Raises:
            TimeoutError: none was opened in that time, or one is still open.
        """
        try:
            async with asyncio.timeout(timeout):
                while not self._recording.connections:
                    await self._recording.news()
                while self._relays:
                    await self._relays[0].gone.wait()
                    self._relays = [relay for relay in self._relays if not relay.gone.is_set()]
        except TimeoutError:
            state = f"{len(self._relays)} still open" if self._relays else "nobody has connected"
            raise TimeoutError(f"waited {timeout:g} s for connections to be closed; {state}") from None

    def _restart(self) -> None:
        for relay in self._relays:
            relay.restart()


def _senders(direction: Direction) -> tuple[Sender, ...]:
    if direction == "both":
        return SENDERS
    if direction not in SENDERS:
        known = '"client" (what the client sends), "server" or "both"'
        raise ValueError(f"a direction is {known}, not {direction!r}")
    return (direction,)
