"""The map of the course: client, wire and server, and at each the lessons that are at home there.

It is the one place that says where a lesson belongs; the reading edition takes it from here.
"""

from __future__ import annotations

from matplotlib.axes import Axes

from wslab.lab.views.figure import Figure, box, label, sheet
from wslab.lab.views.palette import CLIENT, INK, PAPER, SERVER, Colour

__all__ = ["AT_HOME", "course_map"]

AT_HOME = {
    "Client": {"01": "race polling and push", "02": "open by hand", "10": "come back after a loss"},
    "Tap": {
        "00": "watch a conversation",
        "03": "build frames",
        "04": "notice a lost peer",
        "09": "compress",
    },
    "Server": {
        "05": "echo",
        "06": "push a clock",
        "07": "chat",
        "08": "guard the door",
        "11": "several processes",
        "12": "build your own server",
    },
}
"""Place to number and subject of the lessons whose code is there."""

DOES = {
    "Client": "requests, masks, comes back",
    "Tap": "shows every byte",
    "Server": "answers, pushes, scales",
}
COLOURS = {"Client": CLIENT, "Tap": Colour(INK, PAPER), "Server": SERVER}
WIDTH, COLUMN, LINE, TOP = 760, 216, 26, 90  # in CSS pixels
TITLE = "Every lesson is at home at the client, at the server or on the wire"


def course_map() -> Figure:
    """Draw the map; its words list the lessons of each place.

    >>> print(repr(course_map()).splitlines()[2])
    Tap (shows every byte): 00 watch a conversation, 03 build frames, 04 notice a lost peer, 09 compress.
    """
    most = max(map(len, AT_HOME.values()))
    drawing, axes = sheet(WIDTH, TOP + 66 + LINE * most)
    label(axes, WIDTH / 2, 20, TITLE, size=11, align="center", weight="bold")
    for left, right in ((1, 2), (2, 3)):
        _joined(axes, _middle(left) + 70, _middle(right) - 70)
    words = [f"{TITLE}."]
    for column, (place, lessons) in enumerate(AT_HOME.items(), 1):
        middle = _middle(column)
        box(axes, (middle - 70, TOP - 46, 140, 40), place, COLOURS[place], size=11)
        label(axes, middle, TOP + 14, DOES[place], align="center", size=9)
        for row, (number, subject) in enumerate(lessons.items()):
            label(axes, middle - COLUMN / 2 + 12, TOP + 46 + row * LINE, number, weight="bold", size=10)
            label(axes, middle - COLUMN / 2 + 40, TOP + 46 + row * LINE, subject, size=10)
        listed = ", ".join(f"{number} {subject}" for number, subject in lessons.items())
        words.append(f"{place} ({DOES[place]}): {listed}.")
    return Figure(drawing, "\n".join(words))


def _middle(column: int) -> float:
    return WIDTH / 2 + (column - 2) * (COLUMN + 34)


def _joined(axes: Axes, left: float, right: float) -> None:
    axes.annotate(
        "",
        (right, TOP - 26),
        (left, TOP - 26),
        arrowprops={"arrowstyle": "<->", "color": INK, "linewidth": 1.4},
    )
