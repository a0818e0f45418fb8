"""What is seen while a person works, and never stored: the bar of a long cell, and what is right so far."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.lab import Lesson
from tests.support.jupyter_process import JupyterProcess

pytestmark = pytest.mark.browser

SETUP = """
import asyncio, os, pathlib
from wslab.lab.kernel.bar import bar
from wslab.lessons import check, progress
os.environ["WSLAB_PROGRESS"] = {place!r}
seen = pathlib.Path({seen!r})
"""
LONG = """
print("before")
with bar("Racing", steps=5) as step:
    for number in range(5):
        await asyncio.sleep(0.1)
        step(f"run {number}")
    while not seen.exists():
        await asyncio.sleep(0.05)
print("after")
"""
READ = """
check("read-a-frame", {"fin": False, "opcode": 2, "masked": True, "length": 300, "payload_at": 8})
"""


def test_a_bar_and_the_progress_are_seen_and_not_stored(
    lesson: Callable[..., Lesson], jupyter: JupyterProcess, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"  # made when the bar has been seen
    setup = SETUP.format(place=str(tmp_path / "progress.jsonl"), seen=str(seen))
    sources = [setup, LONG, READ, "progress()"]
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in sources]
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "live.ipynb")
    opened = lesson(tmp_path / "live.ipynb")
    opened.choose("Run All Cells")
    expect(opened.panel.get_by_role("progressbar", name="Racing")).to_be_visible()
    seen.touch()
    opened.wait(3)
    expect(opened.panel.get_by_role("progressbar", name="Racing")).to_have_count(0)
    assert opened.printed("step(") == "before\nafter\n"
    expect(opened.cell(3)).to_contain_text("✓ Read the head of a frame by eye")
    opened.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    stored = (jupyter.folder / "live" / "live.ipynb").read_text("utf-8")
    assert "after" in stored
    assert "see which exercises are right so far" in stored
    assert "progressbar" not in stored
    assert "exercises are right.</b>" not in stored
    opened.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    opened.page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    expect(opened.cell(3)).not_to_contain_text("✓")
    for text in ("os.environ", "progress()"):  # the next kernel, which counts from 1 again, knows it as well
        opened.select(opened.number(text))
        opened.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
    expect(opened.cell(3)).to_contain_text("✓ Read the head of a frame by eye")
