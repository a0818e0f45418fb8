"""The race as a race: a lane for each contestant, which fills while the cell runs and is gone afterwards.

It is seen only where a person is looking, as every bar of ``kernel.bar``, and leaves nothing in the file.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

from wslab.lab.kernel.bar import PAUSE, Live, is_live
from wslab.lessons.polling.race import Watch
from wslab.lessons.polling.ways import Lane

__all__ = ["lanes"]

GROUND, FILL = "rgba(128,128,128,.2)", "#009E73"


@contextmanager
def lanes() -> Iterator[Watch | None]:
    """Show the lanes while the body runs, and yield what ``race`` takes as its ``watch``."""
    known: dict[tuple[float, float, str], int] = {}  # the quicker above the slower
    live, drawn = Live(), 0.0

    def watch(lane: Lane, text: str) -> None:
        nonlocal drawn
        known[lane.delay, lane.way.interval or 0.0, lane.name] = lane.clock.numbers[text]
        if time.monotonic() - drawn >= PAUSE:
            drawn = time.monotonic()
            live.publish(_drawn(known, lane.clock.number, len(lane.clock.moments)))

    try:
        yield watch if is_live() else None
    finally:
        live.end()


def _drawn(known: dict[tuple[float, float, str], int], clock: int, changes: int) -> str:
    """Return the lanes as HTML; the line across each is where the clock is."""
    rows = "".join(
        f'<span>{escape(name)}</span><span style="position:relative;height:10px;background:{GROUND}">'
        f'<span style="position:absolute;inset:0 auto 0 0;width:{100 * number / changes:.1f}%;'
        f'background:{FILL}"></span><span style="position:absolute;inset:-3px auto -3px '
        f'{100 * clock / changes:.1f}%;border-left:2px solid"></span></span>'
        f'<span style="text-align:right">{number}</span>'
        for (_, _, name), number in sorted(known.items())
    )
    return (
        '<div role="img" aria-label="a lane for each contestant, filled as far as it knows the clock" '
        'style="display:grid;grid-template-columns:max-content 1fr 2em;gap:3px 12px;align-items:center;'
        f'color:inherit;max-width:46em;font-variant-numeric:tabular-nums">{rows}</div>'
    )
