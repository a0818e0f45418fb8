"""The state diagram says what the table says: every transition is drawn, and no text covers another."""

from __future__ import annotations

import itertools

import pytest
from matplotlib.patches import Rectangle

from wslab.connection import TRANSITIONS
from wslab.lab.views.figure import Figure
from wslab.lessons.heartbeat.states import diagram

PATHS = [
    (),
    ("handshake failed",),
    ("handshake done", "TCP ended"),
    ("handshake done", "Close sent", "Close received", "TCP ended"),
    ("handshake done", "failed", "Close sent", "TCP ended"),
]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.figure.axes[0].texts]


def test_every_transition_of_the_table_is_drawn_and_said() -> None:
    figure = diagram()
    happenings = [happening for moves in TRANSITIONS.values() for happening in moves]
    assert len(happenings) > 5
    distinct = {
        (before, after, name) for before, moves in TRANSITIONS.items() for name, after in moves.items()
    }
    written = [text for text in texts(figure)[1:] if text and not text[:1].isdigit()]
    assert sorted(written) == sorted(name for _, _, name in distinct)
    for before, moves in TRANSITIONS.items():
        (line,) = (
            line for line in figure.alt.splitlines() if line.startswith(f"{int(before)} {before.name}:")
        )
        for happening, after in moves.items():
            assert f"{happening} leads to {int(after)} {after.name}" in line


def test_the_states_are_those_of_a_browser() -> None:
    boxes = [text for text in texts(diagram()) if text[:1].isdigit()]
    assert boxes == ["0\nCONNECTING", "1\nOPEN", "2\nCLOSING", "3\nCLOSED"]


@pytest.mark.parametrize("walked", PATHS)
def test_no_text_covers_another_or_leaves_the_sheet(walked: tuple[str, ...]) -> None:
    figure = diagram(walked).figure
    extents = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    assert len(extents) > 10
    for one, other in itertools.combinations(extents, 2):
        assert not one.overlaps(other)
    assert all(e.x0 >= 0 and e.x1 <= figure.bbox.width for e in extents)
    assert all(e.y0 >= 0 and e.y1 <= figure.bbox.height for e in extents)


@pytest.mark.parametrize("walked", PATHS)
def test_no_text_of_an_arrow_reaches_into_a_box(walked: tuple[str, ...]) -> None:
    axes = diagram(walked).figure.axes[0]
    boxes = [patch.get_window_extent() for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(boxes) == 5  # the last state has two borders
    for text in axes.texts:
        if text.get_text() and not text.get_text()[0].isdigit():
            assert not any(text.get_window_extent().overlaps(box) for box in boxes), text.get_text()


def test_a_path_is_numbered_in_the_picture_and_in_words() -> None:
    figure = diagram(PATHS[3])
    for step in ("(1) handshake done", "(2) Close sent", "(3) Close received", "(4) TCP ended"):
        assert step in texts(figure)
    assert figure.alt.endswith(
        "One connection: (1) handshake done, to 1 OPEN; (2) Close sent, to 2 CLOSING; "
        "(3) Close received, to 2 CLOSING; (4) TCP ended, to 3 CLOSED."
    )


def test_what_cannot_happen_is_refused() -> None:
    with pytest.raises(ValueError, match="'Close sent' cannot happen in CONNECTING"):
        diagram(["Close sent"])
    with pytest.raises(ValueError, match="'TCP ended' cannot happen in CLOSED"):
        diagram(["handshake failed", "TCP ended"])


def test_the_same_table_gives_the_same_picture() -> None:
    assert diagram().png() == diagram().png()
