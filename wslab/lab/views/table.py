"""A table of numbers with a heading: what an instrument that measures hands back to be looked at.

It shows itself in plain text and in HTML; the first column is words, the others are aligned to the right. A
narrow page scrolls it. Where the numbers come from, and how they are rounded, is left to who fills it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Table"]

_CELL = "border:1px solid rgba(128,128,128,.4);padding:1px 6px;white-space:nowrap"


@dataclass(frozen=True, repr=False)
class Table:
    """Hold rows of texts under a heading, and perhaps a sentence below them.

    Args:
        heading: the names of the columns; a name may hold a line break.
        rows: as many texts as there are columns, for each row.
        note: the sentence.

    >>> Table(("way", "bytes"), [("polling", "228"), ("WebSocket", "10")])
    way        bytes
    ---------  -----
    polling      228
    WebSocket     10
    """

    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def __repr__(self) -> str:
        names = [name.split("\n") for name in self.heading]
        height = max(map(len, names))
        above = list(zip(*([""] * (height - len(lines)) + lines for lines in names), strict=True))
        widths = [max(map(len, column)) for column in zip(*above, *self.rows, strict=True)]
        lines = [*above, ["-" * width for width in widths], *self.rows]
        written = [
            "  ".join(
                text.ljust(width) if place == 0 else text.rjust(width)
                for place, (text, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        return "\n".join([*written, self.note] if self.note else written)

    def _repr_html_(self) -> str:
        lines = [
            [f'<th style="{_style(place)}">{_lines(name)}</th>' for place, name in enumerate(self.heading)]
        ]
        lines += [
            [f'<td style="{_style(place)}">{escape(text)}</td>' for place, text in enumerate(row)]
            for row in self.rows
        ]
        body = "".join(f"<tr>{''.join(line)}</tr>" for line in lines)
        return (
            '<div style="overflow-x:auto;color:inherit"><table style="border-collapse:collapse;margin:4px 0;'
            f'font-size:12px;font-variant-numeric:tabular-nums">{body}</table>{escape(self.note)}</div>'
        )


def _style(place: int) -> str:
    return f"{_CELL};text-align:{'right' if place else 'left'};vertical-align:bottom"


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")
