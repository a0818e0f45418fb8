"""What the learner reads: verdicts, hints and progress, as plain text and as HTML.

This module knows how an answer of the course looks: a symbol and a word for its state (colour only repeats
them), sentences, and rows such as "given" and "expected". It judges nothing; ``engine`` fills these values
in. Each view is the same on every machine: no time, no address. The HTML needs no style sheet and no script,
takes its ink from the page, and so reads on a light and on a dark one.

Truth is one thing here: ``bool(verdict)`` is whether the answer is right, so ``assert check(...)`` means what
it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal

__all__ = ["Hint", "Progress", "State", "Verdict"]

State = Literal["right", "wrong", "not yet", "unknown"]

_LOOKS = {  # symbol and colour of the bar beside the text
    "right": ("✓", "#009E73"),
    "wrong": ("✗", "#D55E00"),
    "not yet": ("○", "#8A8A8A"),
    "unknown": ("?", "#8A8A8A"),
    "hint": ("→", "#0072B2"),
}


def _box(look: str, title: str, inner: str) -> str:
    symbol, colour = _LOOKS[look]
    return (
        f'<div style="color:inherit;border:1px solid rgba(128,128,128,.4);border-left:5px solid {colour};'
        f'padding:.4em .8em;overflow-x:auto"><div><b>{symbol} {escape(title)}</b></div>{inner}</div>'
    )


def _paragraphs(sentences: tuple[str, ...]) -> str:
    return "".join(f'<div style="margin-top:.3em">{escape(sentence)}</div>' for sentence in sentences)


@dataclass(frozen=True, repr=False)
class Verdict:
    """Hold what an exercise says about an answer; it is true when the answer is right.

    Args:
        exercise: the name of the exercise.
        state: "right", "wrong", "not yet" (nothing to judge), or "unknown" (no exercise has this name).
        sentences: what there is to say, the most important first.
        rows: label and text of what is compared, such as ("expected", "81 05").

    >>> Verdict("first-byte", "wrong", ("my_first_byte(1) is wrong.",), (("expected", "129"),))
    ✗ wrong: first-byte
      my_first_byte(1) is wrong.
      expected  129
    """

    exercise: str
    state: State
    sentences: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return self.state == "right"

    @property
    def _title(self) -> str:
        return "no such exercise" if self.state == "unknown" else f"{self.state}: {self.exercise}"

    def __repr__(self) -> str:
        width = max((len(label) for label, _ in self.rows), default=0)
        rows = [f"{label:{width}}  {text}" for label, text in self.rows]
        lines = "\n".join([*self.sentences, *rows]).splitlines()
        return "\n  ".join([f"{_LOOKS[self.state][0]} {self._title}", *lines])

    def _repr_html_(self) -> str:
        cell = "padding:.1em .8em .1em 0;text-align:left;vertical-align:top;white-space:pre;background:none"
        rows = "".join(
            f'<tr style="background:none"><td style="{cell}">{escape(label)}</td>'
            f'<td style="{cell};font-family:monospace">{escape(text)}</td></tr>'
            for label, text in self.rows
        )
        table = f'<table style="color:inherit;border:none;margin:.3em 0 0">{rows}</table>' if rows else ""
        return _box(self.state, self._title, _paragraphs(self.sentences) + table)


@dataclass(frozen=True, repr=False)
class Hint:
    """Hold one hint of an exercise.

    Args:
        exercise: the name of the exercise.
        sentence: the hint.
        number: which hint this is, from 1; 0 when there is no such exercise.
        total: how many hints the exercise has.

    >>> Hint("accept-key", "Start with the key as it stands.", 1, 3)
    → hint 1 of 3: accept-key
      Start with the key as it stands.
    """

    exercise: str
    sentence: str
    number: int
    total: int

    @property
    def _title(self) -> str:
        return f"hint {self.number} of {self.total}: {self.exercise}" if self.number else "no such exercise"

    def __repr__(self) -> str:
        return f"{_LOOKS['hint'][0]} {self._title}\n  {self.sentence}"

    def _repr_html_(self) -> str:
        return _box("hint", self._title, _paragraphs((self.sentence,)))


@dataclass(frozen=True, repr=False)
class Progress:
    """Hold how far the learner came in this kernel.

    Args:
        rows: lesson, exercise, title, and "right", "wrong" or "not yet", in the order of the course.

    >>> Progress((("02", "accept-key", "Compute the accept key", "right"),))
    Lesson 02: 1 of 1 right
      ✓ right    accept-key  Compute the accept key
    """

    rows: tuple[tuple[str, str, str, State], ...]

    def _lessons(self) -> dict[str, list[tuple[str, str, State]]]:
        lessons: dict[str, list[tuple[str, str, State]]] = {}
        for lesson, name, title, state in self.rows:
            lessons.setdefault(lesson, []).append((name, title, state))
        return lessons

    @staticmethod
    def _heading(lesson: str, rows: list[tuple[str, str, State]]) -> str:
        right = sum(state == "right" for _, _, state in rows)
        return f"Lesson {lesson}: {right} of {len(rows)} right"

    def __repr__(self) -> str:
        if not self.rows:
            return "No exercise was checked in this kernel yet."
        width = max(len(name) for _, name, _, _ in self.rows)
        lines = []
        for lesson, rows in self._lessons().items():
            lines.append(self._heading(lesson, rows))
            lines += [
                f"  {_LOOKS[state][0]} {state:7}  {name:{width}}  {title}" for name, title, state in rows
            ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<div>{escape(repr(self))}</div>"
        cell = "padding:.1em 1em .1em 0;text-align:left;background:none;white-space:nowrap"
        lines = []
        for lesson, rows in self._lessons().items():
            lines.append(
                f'<tr><th colspan="3" style="{cell}">{escape(self._heading(lesson, rows))}</th></tr>'
            )
            for name, title, state in rows:
                texts = (f"{_LOOKS[state][0]} {state}", name, title)
                cells = "".join(f'<td style="{cell}">{escape(text)}</td>' for text in texts)
                lines.append(f'<tr style="background:none">{cells}</tr>')
        table = f'<table style="color:inherit;border:none;margin:0">{"".join(lines)}</table>'
        return f'<div style="color:inherit;overflow-x:auto">{table}</div>'
