"""Every lesson, opened in JupyterLab behind a base URL such as Binder's, and run from the menu."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Lesson
from tests.support.jupyter_process import BASE_URL, JupyterProcess
from tools.course import Lesson as Stored
from tools.course import lessons, missing
from wslab.lab.browser.save_hook import leave_out_views
from wslab.lab.browser.show import show

pytestmark = pytest.mark.browser
COMPARED = ("text", "text/plain", "text/markdown", "text/html")
A_PAGE = repr(show(8765))  # what is stored in place of a page


def pictures_and_pages(stored: Stored) -> dict[int, tuple[int, int]]:
    """Return how many figures and pages each cell shows according to the stored notebook, by index."""
    found = {}
    for cell in stored.code:
        data = [output.get("data", {}) for output in cell.outputs]
        figures = sum("image/png" in each for each in data)
        pages = sum("".join(each.get("text/plain", "")) == A_PAGE for each in data)
        if figures or pages:
            found[cell.number - 1] = (figures, pages)
    return found


def compared(outputs: list[dict[str, Any]]) -> list[str]:
    """Return what of outputs must be the same in every run: what is printed, and the texts of values.

    What is seen while somebody works and left out of the file, such as their progress, is no part of it.
    """
    texts: list[str] = []
    cell = {"outputs": copy.deepcopy(outputs)}
    leave_out_views({"type": "notebook", "content": {"cells": [cell]}})
    for output in cell["outputs"]:
        data = output.get("data", {"text": output.get("text", output.get("evalue", ""))})
        texts += ["".join(data[kind]) for kind in COMPARED if kind in data]
    return "".join(texts).splitlines()


@pytest.mark.parametrize("stored", lessons(), ids=lambda each: each.name)
def test_run_all_ends_well_and_everything_is_seen(stored: Stored, lesson: Callable[..., Lesson]) -> None:
    opened = lesson(stored.name)
    opened.run_all()
    shown = opened.cells
    for each in stored.code if stored.number not in missing().values() else ():
        if "nbval-ignore-output" not in each.tags:
            assert compared(shown[each.number - 1]["outputs"]) == compared(each.outputs), (
                f"cell {each.number}"
            )
    for number, (figures, pages) in pictures_and_pages(stored).items():
        cell = opened.cell(number)
        cell.scroll_into_view_if_needed()
        expect(cell.locator(".jp-OutputArea img")).to_have_count(figures)
        if pages:
            expect(cell.locator(".jp-OutputArea iframe").first).to_be_visible()
    for seen in opened.panel.locator(".jp-OutputArea").locator("img, iframe").all():
        seen.scroll_into_view_if_needed()
        expect(seen).to_be_visible()
        # A picture that cannot be decoded has a size on the page too.
        seen.evaluate("(e) => e.nodeName === 'IFRAME' || e.decode()")
        box = seen.bounding_box()
        assert box
        assert min(box["width"], box["height"]) > 20, box
    assert opened.faults == []


def test_jupyterlab_neither_looks_for_news_nor_asks_whether_to(jupyter: JupyterProcess) -> None:
    """As installed with the course: the tests add no settings of their own."""
    path = f"{BASE_URL}lab/api/settings/@jupyterlab/apputils-extension:notification"
    status, _, body = jupyter.request("GET", path)
    assert status == 200
    properties = json.loads(body)["schema"]["properties"]
    assert properties["fetchNews"]["default"] == "false"
    assert properties["checkForUpdates"]["default"] is False


def test_a_cell_of_a_fresh_kernel_says_what_to_run_first(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("00")
    [clean_up] = [number for number, cell in enumerate(opened.cells) if "cleanup" in cell["tags"]]
    opened.select(clean_up)
    opened.choose("Run Selected Cell")
    seen = opened.cell(clean_up).locator(".jp-OutputArea")
    expect(seen).to_contain_text("Run that cell first, then this one again.")
    expect(seen).not_to_contain_text("Traceback")
