"""The bar of a cell that takes a while: seen where a person is looking, and nowhere else."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest

from wslab.lab.browser.save_hook import BAR
from wslab.lab.kernel import bar as module
from wslab.lab.kernel.bar import bar


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Let a person look: the HTML that is displayed, and whether it replaces what was there."""
    seen: list[tuple[str, bool]] = []

    def publish(data: dict[str, str], transient: dict[str, str], update: bool) -> None:
        assert data["text/plain"] == BAR
        assert transient["display_id"].startswith("wslab-bar-")
        seen.append((data["text/html"], update))

    monkeypatch.setattr("IPython.display.publish_display_data", publish)
    monkeypatch.setattr(module, "is_live", lambda: True)
    monkeypatch.setattr(module, "PAUSE", 0.0)
    return seen


def test_each_step_is_drawn_and_the_end_is_empty(shown: list[tuple[str, bool]]) -> None:
    with bar("Racing <fast>", steps=2) as step:
        step("polling")
        step()
    assert [update for _, update in shown] == [False, True, True]
    assert re.findall(r'aria-valuenow="(\d+)"', "".join(html for html, _ in shown)) == ["50", "100"]
    assert "Racing &lt;fast&gt;" in shown[0][0]
    assert "1 of 2 polling" in shown[0][0]
    assert shown[-1] == ("", True)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, asyncio.CancelledError])
def test_an_error_and_an_interrupt_leave_nothing(
    shown: list[tuple[str, bool]], error: type[BaseException]
) -> None:
    def cell() -> None:
        with bar("Racing", steps=2) as step:
            step()
            raise error

    with pytest.raises(error):
        cell()
    assert shown[-1] == ("", True)


def test_it_moves_by_itself_while_the_cell_awaits(
    shown: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)

    async def cell() -> int:
        with bar("Freezing", seconds=0.05):
            async with asyncio.timeout(5):
                while len(shown) < 8:
                    await asyncio.sleep(0.01)
        await asyncio.sleep(0)  # its ticker ends with this turn
        return len(asyncio.all_tasks())

    assert asyncio.run(cell()) == 1
    shares = [int(share) for html, _ in shown for share in re.findall(r'aria-valuenow="(\d+)"', html)]
    assert shares == sorted(shares)
    assert max(shares) == 99  # it does not say that it is over before it is


def test_a_quick_cell_shows_none(shown: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 60.0)
    with bar("Racing", steps=1) as step:
        step()
    assert not shown


def test_nothing_is_displayed_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    before = time.monotonic()
    with bar("Racing", steps=1) as step:
        step("polling")
    assert time.monotonic() >= before
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("metadata", "live"), [({"cellId": "a"}, True), ({}, False), (None, False)])
def test_a_request_with_the_id_of_a_cell_is_from_a_person(
    monkeypatch: pytest.MonkeyPatch, metadata: Any, live: bool
) -> None:
    class Shell:
        def get_parent(self) -> Any:
            return None if metadata is None else {"metadata": metadata}

    monkeypatch.setattr("IPython.get_ipython", Shell)
    assert module.is_live() is live
