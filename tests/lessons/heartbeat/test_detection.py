"""A lost peer is given up when the formula says so, by the servers of both packages; the picture shows it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import websockets.asyncio.server

import wslab
from wslab.lessons.heartbeat.detection import Detection, detect, figure, survey

CLOSE = 0.2  # seconds that websockets waits for the answer to its Close


def test_the_formula_is_a_saw() -> None:
    times = [Detection(1.0, 0.5, frozen, took=0.0).expected for frozen in (0.0, 0.25, 0.75, 1.0, 1.75)]
    assert times == [1.5, 1.25, 0.75, 1.5, 0.75]
    assert Detection(1.0, 0.5, 0.25, took=0.0, closing=2.0).expected == 3.25


@pytest.mark.parametrize(
    ("serve", "closing"),
    [(wslab.serve, 0.0), (websockets.asyncio.server.serve, CLOSE)],
    ids=["wslab", "websockets"],
)
def test_nobody_is_given_up_before_the_timeout(serve: Any, closing: float) -> None:
    detection = asyncio.run(detect(0.2, 0.1, 0.05, serve=serve, closing=closing))
    assert detection.frozen > 0
    assert detection.took > 0.1 + closing
    if detection.frozen < 0.2:  # else the machine was too busy, and a ping had been answered
        assert detection.took > 0.2 - detection.frozen + 0.1 + closing - 0.01


def test_a_survey_measures_every_setting_and_leaves_nothing_behind() -> None:
    async def main() -> list[Detection]:
        detections = await survey([(0.1, 0.1), (0.2, 0.1)], moments=2)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return detections

    detections = asyncio.run(main())
    assert [(each.interval, each.timeout) for each in detections] == [(0.1, 0.1)] * 2 + [(0.2, 0.1)] * 2
    picture = figure(detections)
    assert "wslab: interval 0.1 s, timeout 0.1 s; wslab: interval 0.2 s, timeout 0.1 s. " in picture.alt
    assert [axes.get_title() for axes in picture.figure.axes] == [
        "wslab: interval 0.1 s,\ntimeout 0.1 s",
        "wslab: interval 0.2 s,\ntimeout 0.1 s",
    ]
    assert picture.png().startswith(b"\x89PNG")


def test_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="empty"):
        figure([])
