"""A bar for cells that take a while: seen live in JupyterLab, never stored, never compared.

It is shown only where a person is looking: JupyterLab and Notebook 7 say which cell they run (``cellId``),
nbclient and nbval do not. The bar is one output with a constant plain text. It is emptied when the cell ends,
with or without an error, and the hook in ``browser.save_hook`` leaves it out of the file. An instrument takes
the step as a callback, so Jupyter is known only here.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from html import escape

from wslab.lab.browser.save_hook import BAR

__all__ = ["PAUSE", "Live", "bar", "is_live"]

PAUSE = 0.1  # seconds between two drawings, and before the first: a quick cell shows no bar


def is_live() -> bool:
    """Return whether a person runs this cell in a front end that shows what changes."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else None
    return "cellId" in (parent or {}).get("metadata", {})


@contextlib.contextmanager
def bar(what: str, *, steps: int = 0, seconds: float = 0.0) -> Iterator[Callable[..., None]]:
    """Show a bar while the body runs; call what it yields after each step, with a note if you like.

    Args:
        what: is written in front of the bar, such as "Racing".
        steps: how many there are.
        seconds: instead of steps: about how long it takes; the bar moves by itself while the cell awaits.

    >>> with bar("Counting", steps=2) as step:
    ...     for number in ("one", "two"):
    ...         step(number)
    """
    if not is_live():
        yield lambda note="": None
        return
    drawn = _Bar(what, steps, seconds)
    ticker = asyncio.get_running_loop().create_task(drawn.tick()) if seconds else None
    try:
        yield drawn.step
    finally:
        if ticker:
            ticker.cancel()
        drawn.end()


class Live:
    """An output that can be drawn again while its cell runs, and that is not stored."""

    def __init__(self) -> None:
        self._shown = False
        self._place = {"display_id": f"wslab-bar-{id(self):x}"}

    def publish(self, html: str) -> None:
        """Show HTML where the last was."""
        from IPython.display import publish_display_data

        data = {"text/plain": BAR, "text/html": html}
        publish_display_data(data, transient=self._place, update=self._shown)  # type: ignore[no-untyped-call]
        self._shown = True

    def end(self) -> None:
        """Empty the output; an empty output has no height."""
        if self._shown:
            self.publish("")


class _Bar(Live):
    def __init__(self, what: str, steps: int, seconds: float) -> None:
        super().__init__()
        self._what, self._steps, self._seconds = what, steps, seconds
        self._done, self._note = 0, ""
        self._began = self._drawn = time.monotonic()

    def step(self, note: str = "") -> None:
        """Count one step, and draw unless that was done a moment ago."""
        self._done, self._note = self._done + 1, note
        if time.monotonic() - self._drawn >= PAUSE:
            self._draw()

    async def tick(self) -> None:
        """Draw while the time passes."""
        while True:
            await asyncio.sleep(PAUSE)
            self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        passed = self._drawn - self._began
        share = self._done / self._steps if self._steps else min(passed / self._seconds, 0.99)
        said = f"{self._done} of {self._steps}" if self._steps else f"{passed:.1f} s"
        self.publish(
            '<div style="display:flex;gap:.8em;align-items:center;color:inherit;max-width:46em">'
            f"<span>{escape(self._what)}</span>"
            f'<div role="progressbar" aria-label="{escape(self._what)}" aria-valuenow="{100 * share:.0f}" '
            'style="flex:1;height:8px;border-radius:4px;background:rgba(128,128,128,.3)"><div style="'
            f'height:8px;border-radius:4px;background:#009E73;width:{100 * share:.1f}%"></div></div>'
            f'<span style="font-variant-numeric:tabular-nums">{said} {escape(self._note)}</span></div>'
        )
