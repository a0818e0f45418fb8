"""How long a lost peer goes unnoticed: the experiment, the formula, and the picture of both.

``detect`` opens a connection through a tap, freezes the network after a while, and measures how long the
server's heartbeat takes to give the peer up (RFC 6455 §5.5.2, §7.1.7). The next ping is due an interval
after the pong before; no pong comes; the timeout passes. So it takes the timeout, and what is left of the
interval. ``survey`` does that at many moments at once, and ``figure`` draws what was measured on the formula.
What a heartbeat is, it leaves to the server; nothing here reads bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import wslab
from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, INK
from wslab.lab.wire.tap import Tap

__all__ = ["Detection", "detect", "figure", "survey"]

PATIENCE = 30.0  # seconds to wait for a server that may have no heartbeat


@dataclass(frozen=True)
class Detection:
    """Hold one measurement; all times are in seconds.

    Args:
        interval: from a pong to the next ping; from ping to ping in ``websockets``.
        timeout: how long the server waits for a pong.
        frozen: when the network was frozen, counted from the opening of the connection.
        took: from there until the handler was told that the peer is given up.
        closing: how long this server waits for the answer to its Close before it tells its handler.
        package: whose server it is.

    >>> Detection(interval=1.0, timeout=0.5, frozen=1.25, took=1.26).expected
    1.25
    """

    interval: float
    timeout: float
    frozen: float
    took: float
    closing: float = 0.0
    package: str = "wslab"

    @property
    def setting(self) -> str:
        """Name what was set, as the title of a panel."""
        more = f", then {self.closing:g} s for the Close" if self.closing else ""
        return f"{self.package}: interval {self.interval:g} s, timeout {self.timeout:g} s{more}"

    @property
    def expected(self) -> float:
        """What is left of the interval, then the timeout; the way of ping and pong is left out."""
        return self.interval - self.frozen % self.interval + self.timeout + self.closing


async def detect(
    interval: float,
    timeout: float,
    pause: float,
    *,
    serve: Callable[..., Any] = wslab.serve,
    closing: float = 0.0,
) -> Detection:
    """Freeze the network, and measure how long the server takes to give the peer up.

    Args:
        interval: seconds from a pong to the next ping.
        timeout: seconds to wait for a pong.
        pause: seconds from the opening of the connection to the freeze.
        serve: ``wslab.serve``, or that of ``websockets``.
        closing: with ``websockets``, its ``close_timeout``, in seconds, by which it tells its handler later;
            ``wslab`` tells at once.

    Raises:
        TimeoutError: the server did not notice within half a minute.
    """
    now = asyncio.get_running_loop().time
    began = ended = 0.0
    over = asyncio.Event()

    async def wait(ws: Any) -> None:
        nonlocal began, ended
        began = now()
        await ws.wait_closed()
        ended = now()
        over.set()

    limits = {"ping_interval": interval, "ping_timeout": timeout}
    if closing:
        limits["close_timeout"] = closing
    async with asyncio.timeout(PATIENCE), serve(wait, "127.0.0.1", 0, **limits) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with Tap(port) as tap, wslab.connect(f"ws://127.0.0.1:{tap.port}/", ping_interval=None):
            await asyncio.sleep(pause)
            tap.freeze()
            frozen = now()
            await over.wait()
            tap.cut()  # the client knows nothing yet
    package = serve.__module__.partition(".")[0]
    return Detection(interval, timeout, frozen - began, ended - frozen, closing, package)


async def survey(
    settings: Sequence[tuple[float, float]],
    moments: int = 8,
    *,
    serve: Callable[..., Any] = wslab.serve,
    closing: float = 0.0,
) -> list[Detection]:
    """Measure each setting at several moments of two intervals, all at the same time.

    Args:
        settings: pairs of ping interval and ping timeout, in seconds.
        moments: how many for each setting, equally far from each other.
        serve, closing: as for ``detect``.
    """
    return await asyncio.gather(
        *(
            detect(interval, timeout, 2 * interval * (moment + 0.5) / moments, serve=serve, closing=closing)
            for interval, timeout in settings
            for moment in range(moments)
        )
    )


def figure(detections: Sequence[Detection]) -> Figure:
    """Draw the time to detection over the moment of the freeze, a panel for each setting.

    Raises:
        ValueError: there is nothing to draw.
    """
    if not detections:
        raise ValueError("there is nothing to draw: the list of detections is empty")
    settings: dict[str, list[Detection]] = {}
    for each in detections:
        settings.setdefault(each.setting, []).append(each)
    top = 1.3 * max(max(each.took, each.interval + each.timeout + each.closing) for each in detections)
    with style():
        drawing = canvas(8, 3.2)
        panels = drawing.subplots(1, len(settings), sharey=True, squeeze=False)[0]
        for axes, measured in zip(panels, settings.values(), strict=True):
            _draw(axes, measured)
        panels[0].set_ylim(0, top)
        panels[0].set_ylabel("until the server gave up, s")
        panels[-1].legend(loc="upper right", frameon=False, fontsize=8)
        drawing.supxlabel("when the network froze, seconds after the opening", fontsize=9)
    return Figure(
        drawing,
        f"A panel for each setting: {'; '.join(settings)}. Over the moment of "
        "the freeze stands the time until the server gave the peer up. The formula is a saw: from its upper "
        "bound it falls by one interval, and jumps back at each ping. The measurements are dots.",
    )


def _draw(axes: Any, measured: Sequence[Detection]) -> None:
    """Draw one setting: the formula as a line, its bounds, the measurements as dots."""
    interval, lowest = measured[0].interval, measured[0].timeout + measured[0].closing
    for tooth in range(2):
        ends = [tooth * interval, (tooth + 1) * interval]
        name = "formula" if not tooth else None
        axes.plot(ends, [interval + lowest, lowest], color=INK, linewidth=1.2, label=name)
    for bound, name, side in ((lowest, "earliest", "top"), (interval + lowest, "latest", "bottom")):
        axes.axhline(bound, color="#8A8A8A", linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
        axes.text(0.08 * interval, bound, name, va=side, fontsize=8)
    places, times = [each.frozen for each in measured], [each.took for each in measured]
    axes.plot(places, times, "o", color=CLIENT.background, markersize=6, label="measured")
    axes.set_title(measured[0].setting.replace(", ", ",\n"), fontsize=9)
    axes.set_xlim(0, 2.05 * interval)
