"""The state diagram of a connection, drawn from the table that the connection itself follows.

The ready states of RFC 6455 §4.1, §7.1.3 and §7.1.4 are boxes from left to right. An arrow joins two states
that ``wslab.connection.TRANSITIONS`` joins: to the next box straight, back to the same box above it, past a
box below it. The path of one connection can be marked, step by step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes

from wslab.connection import TRANSITIONS, ReadyState
from wslab.lab.views.figure import Figure, box, label, sheet, style
from wslab.lab.views.palette import CLIENT, INK, PAPER, Colour

__all__ = ["diagram"]

TITLE = "No arrow leads back to an earlier state"
# All sizes are in CSS pixels.
WIDTH, HEIGHT, MIDDLE = 760, 300, 162  # MIDDLE: of the boxes, from the top
FIRST, APART = 56, 216  # the middle of the first box, and from one middle to the next
WIDE, HIGH, LINE = 92, 46, 16  # a box, and a line of text
PALE, VISITED, PLAIN = "#6B6B6B", Colour("#D9E9F5", INK), Colour(PAPER, INK)


def diagram(walked: Sequence[str] = ()) -> Figure:
    """Draw the ready states and what leads from one to the next.

    Args:
        walked: what happened to one connection, in order, from CONNECTING on; these steps are numbered.

    Raises:
        ValueError: something cannot happen in the state that was reached.

    >>> print(diagram(["handshake failed"]).alt.splitlines()[-1])
    One connection: (1) handshake failed, to 3 CLOSED.
    """
    steps, path, states = {}, [], [ReadyState.CONNECTING]
    for number, happening in enumerate(walked, 1):
        moves = TRANSITIONS[states[-1]]
        if happening not in moves:
            raise ValueError(f"{happening!r} cannot happen in {states[-1].name}")
        steps[states[-1], happening] = number
        states.append(after := moves[happening])
        path.append(f"({number}) {happening}, to {int(after)} {after.name}")
    drawing, axes = sheet(WIDTH, HEIGHT)
    label(axes, WIDTH / 2, 20, TITLE, size=11, align="center", weight="bold")
    for before, moves in TRANSITIONS.items():
        left, top = _x(before) - WIDE / 2, MIDDLE - HIGH / 2
        if not moves:  # the end: a second border
            box(axes, (left - 4, top - 4, WIDE + 8, HIGH + 8), "", PLAIN)
        colour = VISITED if walked and before in states else PLAIN
        box(axes, (left, top, WIDE, HIGH), f"{int(before)}\n{before.name}", colour)
        for after in {*moves.values()}:
            names = [name for name in moves if moves[name] is after]
            _arrow(axes, before, after, {name: steps.get((before, name), 0) for name in names}, bool(walked))
    marked = [f"One connection: {'; '.join(path)}."] if path else []
    return Figure(drawing, "\n".join([f"{TITLE}.", *_ways(), *marked]))


def _ways() -> Iterator[str]:
    for before, moves in TRANSITIONS.items():
        ways = [f"{happening} leads to {int(after)} {after.name}" for happening, after in moves.items()]
        yield f"{int(before)} {before.name}: {'; '.join(ways) or 'the end'}."


def _x(state: ReadyState) -> float:
    return FIRST + APART * int(state)


def _arrow(axes: Axes, before: ReadyState, after: ReadyState, marks: dict[str, int], walked: bool) -> None:
    """Draw an arrow, and beside it what leads that way, the numbers of the steps in front."""
    start, end, top, bottom = _x(before), _x(after), MIDDLE - HIGH / 2, MIDDLE + HIGH / 2
    if before is after:
        corners = [(start - 24, top), (start - 24, top - 26), (start + 24, top - 26), (start + 24, top)]
        middle, lowest = start, top - 36
    elif after - before == 1:
        corners = [(start + WIDE / 2, MIDDLE), (end - WIDE / 2 - 5, MIDDLE)]
        middle, lowest = (start + end) / 2, MIDDLE - 11
    else:
        down, tip = (
            bottom - 40 + 42 * (after - before),
            end - 80 + 32 * (after - before),
        )  # the longer, the lower
        corners = [(start, bottom), (start, down), (tip, down), (tip, bottom + 5)]
        middle, lowest = (start + tip) / 2, down - 10
    taken = any(marks.values())
    ink, width = INK if taken or not walked else PALE, 2.4 if taken else 1.3
    look = {"arrowstyle": "-|>", "color": ink, "linewidth": width, "shrinkA": 0, "shrinkB": 0}
    with style():
        axes.plot(*zip(*corners[:-1], strict=True), color=ink, linewidth=width, zorder=1)
        axes.annotate("", corners[-1], corners[-2], arrowprops=look)
    for line, (name, number) in enumerate(reversed(marks.items())):
        place = (middle, lowest - LINE * line)
        if number:
            name, bold = f"({number}) {name}", CLIENT.background
            label(axes, *place, name, size=7.5, align="center", weight="bold", ink=bold)
        else:
            label(axes, *place, name, size=7.5, align="center", ink=ink)
