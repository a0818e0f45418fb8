"""The state diagram of a connection, drawn from the table that the connection itself moves by.

``diagram`` draws the ready states of RFC 6455 §4.1, §7.1.3 and §7.1.4 as boxes from left to right, and an
arrow for each pair of states that the table joins; what moves a connection along it stands at the arrow. A
path through the diagram can be marked, step by step. What may happen, and where it leads, is read from
``wslab.connection.TRANSITIONS``: this module knows places on a sheet only. The alternative text is the table
and the path in words. Nothing here waits for bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from wslab.connection import TRANSITIONS, ReadyState
from wslab.lab.views.figure import Figure, box, label, sheet, style
from wslab.lab.views.palette import CLIENT, INK, PAPER, Colour

__all__ = ["diagram"]

Table = Mapping[ReadyState, Mapping[str, ReadyState]]
Pair = tuple[ReadyState, ReadyState]
Point = tuple[float, float]

# All sizes are in CSS pixels.
WIDTH, HEIGHT = 760, 264
FIRST, APART = 56, 216  # the middle of the first box, and from one middle to the next
MIDDLE = 126  # of the boxes, from the top
BOX = (92, 46)
LINE = 16  # from one line of text to the next
PALE = "#6B6B6B"
VISITED = Colour("#D9E9F5", INK)


class Arrow(NamedTuple):
    """Hold the corners of an arrow, from tail to tip, and where the lowest of its texts stands."""

    corners: tuple[Point, ...]
    text: Point


def diagram(table: Table = TRANSITIONS, walked: Sequence[str] = ()) -> Figure:
    """Draw the ready states and what moves a connection from one to the next.

    Args:
        table: for each state, what may happen in it, and the state that this leads to.
        walked: what happened to one connection, in order, from CONNECTING on; these steps are numbered.

    Raises:
        ValueError: something cannot happen in the state that was reached.

    >>> print(diagram(walked=["handshake failed"]).alt.splitlines()[-1])
    Walked: (1) handshake failed, to 3 CLOSED.
    """
    steps, visited = _follow(table, walked)
    joined = _joined(table)
    _, axes = sheet(WIDTH, HEIGHT)
    with style():
        for (before, after), arrow in _places(joined).items():
            marks = {name: steps.get((before, name), []) for name in joined[before, after]}
            _draw(axes, arrow, marks, ink=INK if any(marks.values()) or not walked else PALE)
    for state in table:
        left, top = _x(state) - BOX[0] / 2, MIDDLE - BOX[1] / 2
        if not table[state]:  # the end: a second border
            box(axes, (left - 4, top - 4, BOX[0] + 8, BOX[1] + 8), "", Colour(PAPER, INK))
        colour = VISITED if state in visited else Colour(PAPER, INK)
        box(axes, (left, top, *BOX), f"{int(state)}\n{state.name}", colour, size=9.0)
    return Figure(axes.figure, _in_words(table, walked))  # type: ignore[arg-type]


def _follow(
    table: Table, walked: Sequence[str]
) -> tuple[dict[tuple[ReadyState, str], list[int]], set[ReadyState]]:
    """Return the numbers of the steps at each entry of the table, and the states that were visited."""
    steps: dict[tuple[ReadyState, str], list[int]] = {}
    state = ReadyState.CONNECTING
    visited = {state} if walked else set()
    for number, happening in enumerate(walked, 1):
        if happening not in table[state]:
            possible = " or ".join(table[state]) or "nothing"
            raise ValueError(f"{happening!r} cannot happen in {state.name}, only {possible}")
        steps.setdefault((state, happening), []).append(number)
        state = table[state][happening]
        visited.add(state)
    return steps, visited


def _joined(table: Table) -> dict[Pair, list[str]]:
    """Collect what leads from one state to the same other state."""
    joined: dict[Pair, list[str]] = {}
    for before, moves in table.items():
        for happening, after in moves.items():
            joined.setdefault((before, after), []).append(happening)
    return joined


def _places(joined: Mapping[Pair, list[str]]) -> dict[Pair, Arrow]:
    """Place the arrows: to the next box straight, to the same box above it, past a box below it."""
    width, height = BOX
    places = {}
    past = sorted((pair for pair in joined if abs(pair[1] - pair[0]) > 1), key=lambda pair: pair[1] - pair[0])
    for before, after in joined:
        start, end = _x(before), _x(after)
        if before == after:
            top, up = MIDDLE - height / 2, 26
            corners = ((start - 24, top), (start - 24, top - up), (start + 24, top - up), (start + 24, top))
            places[before, after] = Arrow(corners, (start, top - up - 10))
        elif (before, after) in past:
            bottom, nth = MIDDLE + height / 2, past.index((before, after))
            down, tip = bottom + 44 + 42 * nth, end - 16 + 32 * nth  # the longer, the lower: none crosses
            corners = ((start, bottom), (start, down), (tip, down), (tip, bottom + 5))
            places[before, after] = Arrow(corners, ((start + tip) / 2, down - 10))
        else:
            toward = 1 if end > start else -1
            tail, tip = start + toward * width / 2, end - toward * (width / 2 + 5)
            places[before, after] = Arrow(((tail, MIDDLE), (tip, MIDDLE)), ((tail + tip) / 2, MIDDLE - 11))
    return places


def _x(state: ReadyState) -> float:
    return FIRST + APART * int(state)


def _draw(axes: Axes, arrow: Arrow, marks: Mapping[str, list[int]], ink: str) -> None:
    """Draw an arrow with its texts, the numbers of the steps in front of them."""
    wide = 2.4 if any(marks.values()) else 1.3
    xs, ys = zip(*arrow.corners, strict=True)
    axes.plot(xs, ys, color=ink, linewidth=wide, zorder=1, solid_joinstyle="miter")
    (x, y), (from_x, from_y) = arrow.corners[-1], arrow.corners[-2]
    right, down = (x > from_x) - (x < from_x), (y > from_y) - (y < from_y)
    back = (x - 9 * right, y - 9 * down)
    tip = [(x, y), (back[0] + 5 * down, back[1] + 5 * right), (back[0] - 5 * down, back[1] - 5 * right)]
    axes.add_patch(Polygon(tip, facecolor=ink, edgecolor=ink, zorder=2))
    for line, (name, numbers) in enumerate(reversed(list(marks.items()))):
        text = " ".join([*(f"({number})" for number in numbers), name])
        marked = CLIENT.background if numbers else ink
        label(
            axes,
            arrow.text[0],
            arrow.text[1] - LINE * line,
            text,
            size=7.5,
            align="center",
            weight="bold" if numbers else "normal",
            ink=marked,
        )


def _in_words(table: Table, walked: Sequence[str]) -> str:
    lines = ["State diagram of a connection."]
    for state, moves in table.items():
        ways = [f"{happening} leads to {int(after)} {after.name}" for happening, after in moves.items()]
        lines.append(f"{int(state)} {state.name}: {'; '.join(ways) or 'the end'}.")
    state, path = ReadyState.CONNECTING, []
    for number, happening in enumerate(walked, 1):
        state = table[state][happening]
        path.append(f"({number}) {happening}, to {int(state)} {state.name}")
    return "\n".join(lines + ([f"Walked: {'; '.join(path)}."] if path else []))
