"""The state diagram of a connection, drawn from the table that the connection itself follows.

The ready states of RFC 6455 §4.1, §7.1.3 and §7.1.4 are boxes from left to right. An arrow joins two states
that ``wslab.connection.TRANSITIONS`` joins: to the next box straight, back to the same box above it, past a
box below it. The path of one connection can be marked, step by step.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from wslab.connection import TRANSITIONS, ReadyState
from wslab.lab.views.figure import Figure, box, label, sheet, style
from wslab.lab.views.palette import INK, PALE, PAPER, Colour

__all__ = ["diagram"]

Point = tuple[float, float]

# All sizes are in CSS pixels.
WIDTH, HEIGHT, MIDDLE = 760, 264, 126  # MIDDLE: of the boxes, from the top
FIRST, APART = 56, 216  # the middle of the first box, and from one middle to the next
WIDE, HIGH, LINE = 92, 46, 16  # a box, and a line of text
VISITED = Colour("#D9E9F5", INK)


def diagram(walked: Sequence[str] = ()) -> Figure:
    """Draw the ready states and what leads from one to the next.

    Args:
        walked: what happened to one connection, in order, from CONNECTING on; these steps are numbered.

    Raises:
        ValueError: something cannot happen in the state that was reached.

    >>> print(diagram(["handshake failed"]).alt.splitlines()[-1])
    One connection: (1) handshake failed, to 3 CLOSED.
    """
    steps, path, state = {}, [], ReadyState.CONNECTING
    visited = {state} if walked else set()
    for number, happening in enumerate(walked, 1):
        if happening not in TRANSITIONS[state]:
            raise ValueError(f"{happening!r} cannot happen in {state.name}")
        steps[state, happening] = number
        visited.add(state := TRANSITIONS[state][happening])
        path.append(f"({number}) {happening}, to {int(state)} {state.name}")
    _, axes = sheet(WIDTH, HEIGHT)
    for before, moves in TRANSITIONS.items():
        for after in {*moves.values()}:
            names = [name for name in moves if moves[name] is after]
            with style():
                _arrow(axes, before, after, {name: steps.get((before, name), 0) for name in names}, walked)
        left, top = _x(before) - WIDE / 2, MIDDLE - HIGH / 2
        if not moves:  # the end: a second border
            box(axes, (left - 4, top - 4, WIDE + 8, HIGH + 8), "", Colour(PAPER, INK))
        colour = VISITED if before in visited else Colour(PAPER, INK)
        box(axes, (left, top, WIDE, HIGH), f"{int(before)}\n{before.name}", colour)
    return Figure(axes.figure, _in_words(path))  # type: ignore[arg-type]


def _x(state: ReadyState) -> float:
    return FIRST + APART * int(state)


def _corners(before: ReadyState, after: ReadyState) -> tuple[tuple[Point, ...], Point]:
    """Return the corners of an arrow, from tail to tip, and the place of its lowest text."""
    start, end, top, bottom = _x(before), _x(after), MIDDLE - HIGH / 2, MIDDLE + HIGH / 2
    if before is after:
        up = top - 26
        return ((start - 24, top), (start - 24, up), (start + 24, up), (start + 24, top)), (start, up - 10)
    if after - before == 1:
        tail, tip = start + WIDE / 2, end - WIDE / 2 - 5
        return ((tail, MIDDLE), (tip, MIDDLE)), ((tail + tip) / 2, MIDDLE - 11)
    down, tip = bottom - 40 + 42 * (after - before), end - 80 + 32 * (after - before)  # the longer, the lower
    corners = ((start, bottom), (start, down), (tip, down), (tip, bottom + 5))
    return corners, ((start + tip) / 2, down - 10)


def _arrow(
    axes: Axes, before: ReadyState, after: ReadyState, marks: dict[str, int], walked: Sequence[str]
) -> None:
    """Draw an arrow with its texts, the numbers of the steps in front of them."""
    corners, (middle, lowest) = _corners(before, after)
    taken = any(marks.values())
    ink = INK if taken or not walked else PALE
    xs, ys = zip(*corners, strict=True)
    axes.plot(xs, ys, color=ink, linewidth=2.4 if taken else 1.3, zorder=1, solid_joinstyle="miter")
    (x, y), (from_x, from_y) = corners[-1], corners[-2]
    right, down = (x > from_x) - (x < from_x), (y > from_y) - (y < from_y)
    back = (x - 9 * right, y - 9 * down)
    tip = [(x, y), (back[0] + 5 * down, back[1] + 5 * right), (back[0] - 5 * down, back[1] - 5 * right)]
    axes.add_patch(Polygon(tip, facecolor=ink, edgecolor=ink, zorder=2))
    for line, (name, number) in enumerate(reversed(marks.items())):
        text = f"({number}) {name}" if number else name
        weight = "bold" if number else "normal"
        y = lowest - LINE * line
        label(axes, middle, y, text, size=7.5, align="center", weight=weight, ink=ink)  # type: ignore[arg-type]


def _in_words(path: Sequence[str]) -> str:
    lines = ["The four ready states, and what leads from one to the next."]
    for state, moves in TRANSITIONS.items():
        ways = [f"{happening} leads to {int(after)} {after.name}" for happening, after in moves.items()]
        lines.append(f"{int(state)} {state.name}: {'; '.join(ways) or 'the end'}.")
    return "\n".join(lines + ([f"One connection: {'; '.join(path)}."] if path else []))
