"""A report on a set-up, line by line, as plain text and as HTML.

This module knows how results of checks look: a symbol and a word for each state (colour only repeats them),
what was found, and what to do. It checks nothing: that is ``doctor``. Versions, paths and addresses are
details, shown on demand; without them the report of a healthy machine is the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal

__all__ = ["Finding", "Report"]

_LOOKS = {"ok": ("✓", "#009E73"), "note": ("○", "#8A8A8A"), "problem": ("✗", "#D55E00")}


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Args:
        state: "ok", "note" or "problem".
        what: what was found, the same on every machine where it is found.
        remedy: what to do, one sentence; empty when all is well.
        detail: versions and addresses, shown only on demand.
    """

    state: Literal["ok", "note", "problem"]
    what: str
    remedy: str = ""
    detail: str = ""


@dataclass(frozen=True, repr=False)
class Report:
    """All checks; true when there is no problem.

    >>> Report((Finding("ok", "Figures can be drawn."),))
    ✓ ok       Figures can be drawn.
    This machine is ready for the course.
    """

    lines: tuple[Finding, ...]
    details: bool = False
    elsewhere: str = ""  # a link to the course on another machine

    def __bool__(self) -> bool:
        return not any(line.state == "problem" for line in self.lines)

    @property
    def _summary(self) -> str:
        problems = sum(line.state == "problem" for line in self.lines)
        if not problems:
            return "This machine is ready for the course."
        return (
            "1 problem is to be solved first."
            if problems == 1
            else f"{problems} problems are to be solved first."
        )

    def __repr__(self) -> str:
        texts = []
        for line in self.lines:
            texts.append(f"{_LOOKS[line.state][0]} {line.state:7}  {line.what}")
            texts += [f"{'':11}{extra}" for extra in self._extras(line)]
        return "\n".join([*texts, self._summary, *self._way_out])

    @property
    def _way_out(self) -> list[str]:
        """Where else the course runs, for a machine that has a problem, and among the details."""
        if not self.elsewhere or (self and not self.details):
            return []
        return [f"With nothing installed, the course runs on Binder: {self.elsewhere}"]

    def _extras(self, line: Finding) -> list[str]:
        return [text for text in (line.remedy, line.detail if self.details else "") if text]

    def _repr_html_(self) -> str:
        cell = "padding:.15em .9em .15em .5em;text-align:left;vertical-align:top;background:none"
        rows = []
        for line in self.lines:
            symbol, colour = _LOOKS[line.state]
            text = "<br>".join(map(escape, [line.what, *self._extras(line)]))
            bar = f"{cell};border-left:5px solid {colour};white-space:nowrap"
            rows.append(
                f'<tr style="background:none"><td style="{bar}">{symbol} {line.state}</td>'
                f'<td style="{cell}">{text}</td></tr>'
            )
        table = f'<table style="color:inherit;border:none;margin:0">{"".join(rows)}</table>'
        end = "".join(f"<div>{escape(text)}</div>" for text in self._way_out)
        summary = f"<div><b>{self._summary}</b></div>{end}"
        return f'<div style="color:inherit;overflow-x:auto">{table}{summary}</div>'
