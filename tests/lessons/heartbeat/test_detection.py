"""The picture of detection: a panel for each setting, a second as long in each, and the given formula."""

from __future__ import annotations

import numpy as np
import pytest

import wslab
from wslab.lessons.heartbeat.detection import saws

SETTINGS = [(wslab, 0.8, 0.4), (wslab, 0.4, 0.2)]


def formula(frozen: float, interval: float, timeout: float) -> float:
    return interval - frozen % interval + timeout


def test_each_setting_has_a_panel_with_the_formula_and_the_dots() -> None:
    panels = {setting: [(0.1, 0.9), (0.5, 0.5)] for setting in SETTINGS}
    picture = saws(panels, formula)
    assert [axes.get_title() for axes in picture.figure.axes] == [
        "wslab\ninterval 0.8 s\ntimeout 0.4 s",
        "wslab\ninterval 0.4 s\ntimeout 0.2 s",
    ]
    lines = picture.figure.axes[0].lines
    teeth = np.array([line.get_xydata() for line in lines if line.get_linestyle() == "-"])
    assert np.allclose(teeth, [[[0, 1.2], [0.8, 0.4]], [[0.8, 1.2], [1.6, 0.4]]], atol=1e-6)
    (dots,) = [line.get_xydata() for line in lines if line.get_marker() == "o"]
    assert np.allclose(dots, [[0.1, 0.9], [0.5, 0.5]])
    assert picture.png().startswith(b"\x89PNG")


def test_a_second_is_as_long_in_each_panel_so_that_equal_slopes_look_alike() -> None:
    picture = saws({setting: [(0.1, 0.5)] for setting in SETTINGS}, formula)
    picture.png()  # lays the panels out
    lengths = [axes.transData.transform([(0, 0), (0.1, 0.1)]) for axes in picture.figure.axes]
    (first, second) = [end - start for start, end in lengths]
    assert first == pytest.approx(second, rel=0.02)


def test_the_words_begin_with_the_title() -> None:
    picture = saws({SETTINGS[0]: [(0.1, 0.5)]}, formula)
    assert picture.alt.splitlines()[0] == picture.figure.get_suptitle() + "."
    assert "wslab, interval 0.8 s, timeout 0.4 s" in picture.alt
