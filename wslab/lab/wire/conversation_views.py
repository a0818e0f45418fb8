"""A conversation as a table: in plain text, and in HTML.

Both show the same rows. The direction is an arrow and two words, and in HTML a colour too. The client always
stands on the left. The number of the connection is shown when there are several, the times when they are
asked for. The HTML needs no script and no style sheet, escapes what came off the wire, and is readable on
light and dark pages. A long conversation is shown with its middle left out, and says how many rows that are;
all of them are still in the object.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from wslab.lab.dissector import view as views
from wslab.lab.views.palette import CLIENT, ERROR, FIELDS, SERVER, Colour

if TYPE_CHECKING:
    from wslab.lab.wire.conversation import Conversation, Row

__all__ = ["direction", "html", "shorten", "text"]

_DIRECTIONS = {"client": "client → server", "server": "client ← server", None: "network"}
MAX_ROWS = 200
_BORDER = "border:1px solid rgba(128,128,128,.4)"
_CELL = f"{_BORDER};padding:2px 7px;text-align:left;vertical-align:top;white-space:normal"
_SIDES: dict[str | None, Colour] = {"client": CLIENT, "server": SERVER}
_KINDS = {"head": FIELDS["start line"], "body": FIELDS["body"], "frame": FIELDS["opcode"]}


def direction(row: Row) -> str:
    """Write who sent a row, as an arrow between the two; what the tap did is the network's."""
    return _DIRECTIONS[None if row.kind == "tap" else row.sender]


def shorten(rows: Sequence[Row], most: int) -> tuple[Sequence[Row], int, Sequence[Row]]:
    """Return the first rows, how many are left out after them, and the last rows."""
    if len(rows) <= most:
        return rows, 0, ()
    last = most // 3
    return rows[: most - last], len(rows) - most, rows[-last:]


def _cells(row: Row, *, several: bool, times: bool) -> dict[str, str]:
    """Return the columns of one row with their names."""
    cells: dict[str, str] = {}
    if times:
        cells["ms"] = f"{row.time:.1f}"
        arrived = "never" if row.arrived is None else f"{row.arrived:.1f}"
        cells["arrived"] = "" if row.kind == "tap" else arrived
    if several:
        cells["connection"] = str(row.connection or "")
    cells["direction"] = direction(row)
    cells["bytes"] = str(row.bytes) if row.bytes else ""
    return cells | {"what": row.what, "meaning": row.meaning}


def _tables(conversation: Conversation) -> tuple[tuple[str, ...], list[tuple[Row | None, tuple[str, ...]]]]:
    """Return the names of the columns, and the rows with their cells; None for the rows that are left out."""
    first, left_out, last = shorten(conversation.rows, MAX_ROWS)
    several = len({row.connection for row in conversation if row.connection}) > 1
    lines = [_cells(row, several=several, times=conversation.times) for row in (*first, *last)]
    heading = tuple(lines[0])
    table: list[tuple[Row | None, tuple[str, ...]]] = [
        (row, tuple(cells.values())) for row, cells in zip((*first, *last), lines, strict=True)
    ]
    if left_out:
        gap = (*[""] * (len(heading) - 1), f"… {left_out} rows left out")
        table.insert(len(first), (None, gap))
    return heading, table


def _note(conversation: Conversation) -> str:
    if not conversation.unkept:
        return ""
    return f"the recording is full: {conversation.unkept:,} more bytes passed and are not shown"


def text(conversation: Conversation) -> str:
    """Return the plain-text view."""
    if not conversation.rows:
        return _note(conversation) or "nothing has passed yet"
    heading, table = _tables(conversation)
    caps = [9 if name in ("ms", "arrived") else 15 for name in heading]
    caps[-2:] = [30, 0]
    lines = [views.Row(cells, row.error if row else None) for row, cells in table]
    return "\n".join(filter(None, [views.text_table(heading, lines, caps), _note(conversation)]))


def html(conversation: Conversation) -> str:
    """Return the HTML view."""
    note = f'<p style="margin:4px 0">{_note(conversation)}</p>' if conversation.unkept else ""
    if not conversation.rows:
        return note or "<p>nothing has passed yet</p>"
    heading, table = _tables(conversation)
    parts = [f'<table style="border-collapse:collapse;margin:4px 0;font-size:13px;{_BORDER}"><thead><tr>']
    parts += [f'<th style="{_CELL}">{name}</th>' for name in heading]
    parts.append("</tr></thead><tbody>")
    for row, cells in table:
        parts.append("<tr>")
        parts += [_cell(name, cell, row) for name, cell in zip(heading, cells, strict=True)]
        parts.append("</tr>")
        if row is not None and row.error:
            wrong = f"wrong: {escape(row.error)}"
            parts.append(f'<tr><td colspan="{len(cells)}" style="{_CELL};{ERROR.css}">{wrong}</td></tr>')
    return f'<div style="overflow-x:auto;color:inherit">{"".join(parts)}</tbody></table>{note}</div>'


def _cell(name: str, cell: str, row: Row | None) -> str:
    style = _CELL
    colour = None
    if name == "direction" and row is not None and row.kind != "tap":
        colour = _SIDES.get(row.sender)
    if name == "what" and row is not None:
        colour = _KINDS.get(row.kind)
    if colour is not None:
        style += f";{colour.css}"
    if name in ("ms", "arrived", "bytes", "connection"):
        style += ";text-align:right;font-variant-numeric:tabular-nums"
    if name in ("direction", "ms", "arrived"):
        style += ";white-space:nowrap"
    if name in ("what", "meaning"):
        style += f";overflow-wrap:anywhere;min-width:{8 if name == 'what' else 16}em"
    return f'<td style="{style}">{escape(cell)}</td>'
