"""What is done in all lessons, after a restart too: a line for each right answer, in the user's data folder.

Not beside the notebooks: ``git status`` stays clean, a second clone knows it as well, and the folder may be
read-only. Names and dates are kept, no answers. It is written and read only where a person runs the cell, so
tests, nbval and ``make notebooks`` neither write nor see it. Lines are appended, one short write each: two
kernels may write at once, and half a line is skipped when it is read.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from html import escape
from pathlib import Path

from wslab.lab.browser.save_hook import PROGRESS
from wslab.lab.exercises.verdict import LOOKS, State
from wslab.lab.kernel.bar import is_live

__all__ = ["Progress", "forget", "remember", "remembered"]


def place() -> Path:
    """Return the file; WSLAB_PROGRESS names another one, for tests and for shared accounts."""
    from jupyter_core.paths import jupyter_data_dir

    return Path(os.environ.get("WSLAB_PROGRESS") or Path(jupyter_data_dir(), "wslab", "progress.jsonl"))


def remember(name: str) -> None:
    """Write down that an exercise is right; a folder that cannot be written to does no harm."""
    if not is_live() or name in remembered():
        return
    line = json.dumps({"right": name, "on": time.strftime("%Y-%m-%d")}) + "\n"
    with contextlib.suppress(OSError):
        place().parent.mkdir(parents=True, exist_ok=True)
        with open(place(), "ab", buffering=0) as file:  # one write, at the end, whoever else writes
            file.write(line.encode())


def remembered() -> set[str]:
    """Return the names of the exercises that were right in any kernel of this user."""
    if not is_live():
        return set()
    try:
        lines = place().read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return set(filter(None, map(_name, lines)))


def forget() -> None:
    """Forget all of them."""
    if is_live():
        with contextlib.suppress(OSError):
            place().unlink()


def _name(line: str) -> str:
    try:
        return str(json.loads(line)["right"])
    except (ValueError, KeyError, TypeError):
        return ""


@dataclass(frozen=True, repr=False)
class Progress:
    """How far the learner is: a bar for each lesson, and the titles of the exercises in those begun.

    In a file it is one constant sentence: what a learner has done is never stored. ``print`` writes it out.

    Args:
        lessons: number and name of each lesson, and title and state of each of its exercises.

    >>> print(Progress((("02 handshake", (("Compute the accept key", "right"), ("Write", "not yet"))),)))
    02 handshake  ●○  1 of 2
      ✓ Compute the accept key
      ○ Write
    1 of 2 exercises are right.
    """

    lessons: tuple[tuple[str, tuple[tuple[str, State], ...]], ...]

    def __repr__(self) -> str:
        return PROGRESS

    def __str__(self) -> str:
        lines, width = [], max(len(name) for name, _ in self.lessons)
        for name, rows in self.lessons:
            lines.append("  ".join((f"{name:{width}}", *_bar(rows))))
            if _begun(rows):
                lines += [f"  {LOOKS[state][0]} {title}" for title, state in rows]
        return "\n".join([*lines, self._sum()])

    def _sum(self) -> str:
        states = [state for _, rows in self.lessons for _, state in rows]
        return f"{states.count('right')} of {len(states)} exercises are right."

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": PROGRESS} | ({"text/html": self.html()} if is_live() else {})

    def html(self) -> str:
        """Return the view: a table whose lessons unfold."""
        lines = []
        for name, rows in self.lessons:
            dots, count = _bar(rows)
            titles = "".join(f"<div>{LOOKS[state][0]} {escape(title)}</div>" for title, state in rows)
            lines.append(
                f'<details{" open" if _begun(rows) else ""}><summary><span style="display:inline-block;'
                f'width:9em">{escape(name)}</span><span aria-hidden="true" style="display:inline-block;'
                f'min-width:9em;letter-spacing:.15em">{dots}</span> {count}</summary>'
                f'<div style="padding-left:1.6em">{titles}</div></details>'
            )
        return f'<div style="color:inherit;line-height:1.5">{"".join(lines)}<b>{self._sum()}</b></div>'


def _bar(rows: tuple[tuple[str, State], ...]) -> tuple[str, str]:
    right = sum(state == "right" for _, state in rows)
    return "●" * right + "○" * (len(rows) - right), f"{right} of {len(rows)}"


def _begun(rows: tuple[tuple[str, State], ...]) -> bool:
    """Return whether something in a lesson is right, and something is not."""
    return 0 < sum(state == "right" for _, state in rows) < len(rows)
