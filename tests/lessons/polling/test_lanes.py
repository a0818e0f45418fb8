"""The lanes of a race are drawn where a person is looking, and leave nothing."""

import asyncio

import pytest

from tests.lessons.polling.ways import PUSHED, polling
from wslab.lab.kernel import bar
from wslab.lessons.polling import lanes as module
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.lanes import lanes
from wslab.lessons.polling.race import race


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    shown: list[str] = []

    def publish(self: bar.Live, html: str) -> None:
        self._shown = True
        shown.append(html)

    monkeypatch.setattr(bar.Live, "publish", publish)
    return shown


async def run() -> None:
    with lanes() as watch:
        async with asyncio.timeout(60):
            ways = [polling(0.02), PUSHED]
            await race(ways, Clock.irregular(8, 0.03, seed=1), delays=(0.0, 0.01), watch=watch)


def test_nothing_is_shown_where_nobody_is_looking(published: list[str]) -> None:
    asyncio.run(run())
    assert published == []


def test_a_lane_for_each_contestant_fills_and_is_gone(
    published: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_live", lambda: True)
    monkeypatch.setattr(module, "PAUSE", 0.0)
    asyncio.run(run())
    last = published[-2]
    names = ["WebSocket", "polling, 20 ms", "WebSocket, 10 ms away", "polling, 20 ms, 10 ms away"]
    assert [last.index(f"<span>{name}</span>") for name in names] == sorted(
        last.index(f"<span>{name}</span>") for name in names
    ), "the nearer above, and the quicker above the slower"
    assert last.count("width:100.0%;background") == 4
    assert any("width:50.0%;background" in html for html in published)
    assert published[-1] == "", "an empty output has no height"
