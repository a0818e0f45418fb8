"""What the learner reads: a verdict or a hint, as plain text and as HTML.

A symbol and a word say the state, colour only repeats them. Each view is the same on every machine: no time,
no address. The HTML needs no style sheet and takes its ink from the page. ``bool(verdict)`` is whether the
answer is right, so ``assert check(...)`` means what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal

from wslab.lab.dissector.difference import Shown

__all__ = ["LOOKS", "Hint", "Rows", "State", "Verdict"]

State = Literal["right", "wrong", "not yet", "unknown"]
Rows = tuple[tuple[str, str], ...]

LOOKS = {  # symbol and colour of the bar at the left
    "right": ("✓", "#009E73"),
    "wrong": ("✗", "#D55E00"),
    "not yet": ("○", "#8A8A8A"),
    "unknown": ("?", "#8A8A8A"),
    "hint": ("→", "#0072B2"),
}


def _box(look: str, title: str, sentences: tuple[str, ...], inner: str = "") -> str:
    symbol, colour = LOOKS[look]
    text = "".join(f'<div style="margin-top:.3em">{escape(sentence)}</div>' for sentence in sentences)
    return (  # a blank line first: JupyterLab writes the first line of a folded output beside its dots
        f' \n<div style="color:inherit;border:1px solid rgba(128,128,128,.4);border-left:5px solid {colour};'
        f'padding:.4em .8em;overflow-x:auto"><div><b>{symbol} {escape(title)}</b></div>{text}{inner}</div>'
    )


@dataclass(frozen=True, repr=False)
class Verdict:
    """The verdict on an answer; true when it is right.

    >>> Verdict("wrong", ("The opcode is lost.",), (("expected", "129"),), title="Put FIN first")
    ✗ wrong: Put FIN first
      The opcode is lost.
      expected  129
    """

    state: State
    sentences: tuple[str, ...] = ()  # what there is to say, the most important first
    rows: Rows = ()  # label and text of what is compared
    exercise: str = ""  # its name
    title: str = ""  # of the exercise

    def __bool__(self) -> bool:
        return self.state == "right"

    @property
    def _heading(self) -> str:
        known = f"{self.state}: {self.title or self.exercise}"
        return "no such exercise" if self.state == "unknown" else known

    def __repr__(self) -> str:
        width = max((len(label) for label, _ in self.rows), default=0)
        rows = [f"{label:{width}}  {text}" for label, text in self.rows]
        lines = "\n".join([*self.sentences, *rows]).splitlines()
        return "\n  ".join([f"{LOOKS[self.state][0]} {self._heading}", *lines])

    def _repr_html_(self) -> str:
        cell = "padding:.1em .8em .1em 0;text-align:left;vertical-align:top;white-space:pre;background:none"
        rows = "".join(
            f'<tr style="background:none"><th scope="row" style="{cell};font-weight:normal">{escape(label)}'
            f'</th><td style="{cell};font-family:monospace">'
            f"{text.html() if isinstance(text, Shown) else escape(text)}</td></tr>"
            for label, text in self.rows
        )
        table = f'<table style="color:inherit;border:none;margin:.3em 0 0">{rows}</table>' if rows else ""
        return _box(self.state, self._heading, self.sentences, table)


@dataclass(frozen=True, repr=False)
class Hint:
    """One hint of an exercise.

    >>> Hint("Compute the accept key", "Start with the key as it is.", 1, 3)
    → hint 1 of 3: Compute the accept key
      Start with the key as it is.
    """

    exercise: str  # its title
    sentence: str
    number: int  # which hint this is, from 1; 0 when there is no such exercise
    total: int

    @property
    def _heading(self) -> str:
        return f"hint {self.number} of {self.total}: {self.exercise}" if self.number else "no such exercise"

    def __repr__(self) -> str:
        return f"{LOOKS['hint'][0]} {self._heading}\n  {self.sentence}"

    def _repr_html_(self) -> str:
        return _box("hint", self._heading, (self.sentence,))
