"""Who is connected: a table of this moment, and a panel in the notebook that follows what happens.

A ``Presence`` is the table, a ``Panel`` the widget around it. The usual table is the same in every run: the
times are shown only on request. The panel is drawn anew a moment after something happened, and not for every
message, because a busy chat has more of them than a reader could follow. Jupyter does not store what a widget
holds; what stays in the notebook is a constant sentence.

Names come from strangers: they are escaped wherever they meet HTML. Counting frames (RFC 6455 §5.2) is left
to ``chat_member``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ipywidgets import HTML

from wslab.lab.browser.save_hook import PANEL
from wslab.lab.views.table import Table
from wslab.lessons.chat.member import Member

__all__ = ["Panel", "Presence"]

PAUSE = 0.2  # seconds between two drawings
SHOWN = 50  # members that are listed


@dataclass(frozen=True, repr=False)
class Presence:
    """Hold who was connected at one moment; shows itself as a table.

    Args:
        rows: room, name, since when, frames in, frames out; sorted by room and name.
        times: whether the table shows since when.

    >>> Presence((("tea", "Ada", "10:00:00", 2, 5),))
    room  name  frames in  frames out
    ----  ----  ---------  ----------
    tea   Ada           2           5
    """

    rows: tuple[tuple[str, str, str, int, int], ...]
    times: bool = False

    @classmethod
    def of(cls, members: Iterable[Member], *, times: bool = False) -> Presence:
        """Look at members now."""
        rows = [
            (
                member.room,
                member.name,
                time.strftime("%H:%M:%S", time.localtime(member.since)),
                member.received,
                member.sent,
            )
            for member in members
        ]
        return cls(tuple(sorted(rows)), times=times)

    def __len__(self) -> int:
        return len(self.rows)

    def _table(self) -> Table:
        table = [("room", "name", "since", "frames in", "frames out"), *self.rows[:SHOWN]]
        heading, *rows = [tuple(map(_printable, row if self.times else row[:2] + row[3:])) for row in table]
        return Table(heading, rows, f"and {len(self) - SHOWN} more" if len(self) > SHOWN else "")

    def __repr__(self) -> str:
        return repr(self._table()) if self.rows else "nobody is here"

    def _repr_html_(self) -> str:
        return self._table()._repr_html_() if self.rows else "<div>nobody is here</div>"


def _printable(value: object) -> str:
    """Write a value so that any front end can carry it: half of a surrogate pair becomes a question mark."""
    return str(value).encode("utf-8", "replace").decode()


class Panel(HTML):  # type: ignore[misc]
    """Show presence as it changes.

    Args:
        look: gives the presence of this moment.
    """

    def __init__(self, look: Callable[[], Presence]) -> None:
        super().__init__()
        self._look = look
        self._timer: asyncio.TimerHandle | None = None
        self._draw()

    def __repr__(self) -> str:
        return PANEL

    def refresh_soon(self) -> None:
        """Draw anew in a moment, once for all that happens until then."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._draw)

    def _draw(self) -> None:
        self._timer = None
        self.value = self._look()._repr_html_()
