"""tools/notebooks.py: one normal form, whatever the notebook went through."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.notebooks import WIDGET_VIEW, main, normalise, read

PICTURE = """\
import os
from IPython.display import display
display({"image/png": os.urandom(9), "text/plain": "a picture of a measurement"}, raw=True)
"""


def code(source: str, *tags: str, **more: Any) -> dict[str, Any]:
    """Build a code cell as an editor that knows nothing of the normal form would leave it."""
    metadata = {
        "tags": list(tags),
        "execution": {"iopub.execute_input": "2026-01-01T00:00:00Z"},
        "scrolled": True,
    }
    cell = {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": 7}
    return cell | more


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A notebook without ids, with an error, an output that differs in every run, and a folded cell."""
    cells = [
        {"cell_type": "markdown", "metadata": {"x": 1}, "source": "# 90 · Try"},
        code("import itertools\nprint('é')"),
        code("object()", "nbval-ignore-output"),
        code("1 / 0", "raises-exception"),
        code(PICTURE),
        code("1 + 1", "solution")
        | {"metadata": {"jupyter": {"source_hidden": True, "outputs_hidden": True}}},
    ]
    path = tmp_path / "90-try.ipynb"
    content = {"cells": cells, "metadata": {"widgets": {}}, "nbformat": 4, "nbformat_minor": 2}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_second_run_changes_nothing(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRESH", raising=False)
    assert main([str(notebook)]) == 0
    first = notebook.read_bytes()
    assert main([str(notebook)]) == 0
    assert notebook.read_bytes() == first
    stored = json.loads(first)
    assert [cell.get("execution_count") for cell in stored["cells"]] == [None, 1, 2, 3, 4, 5]
    assert [set(cell["metadata"]) for cell in stored["cells"]] == [
        set(),
        set(),
        {"tags", "ran"},
        {"tags"},
        {"ran"},
        {"jupyter"},
    ]
    assert stored["cells"][5]["metadata"] == {"jupyter": {"source_hidden": True, "outputs_hidden": True}}
    assert stored["cells"][3]["outputs"][0]["traceback"] == ["ZeroDivisionError: division by zero"]
    assert set(stored["metadata"]) == {"kernelspec", "language_info"}
    assert "é" in first.decode("utf-8")
    assert first.endswith(b"}\n")


def test_a_measuring_cell_that_changed_is_measured_again(notebook: Path) -> None:
    main([str(notebook)])
    before = json.loads(notebook.read_text(encoding="utf-8"))
    before["cells"][2]["source"] = "'new'"
    notebook.write_text(json.dumps(before), encoding="utf-8")
    main([str(notebook)])
    after = json.loads(notebook.read_text(encoding="utf-8"))
    assert after["cells"][2]["outputs"][0]["data"] == {"text/plain": ["'new'"]}


def test_a_notebook_that_fails_is_left_as_it_was(notebook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    content["cells"][1]["source"] = "missing"
    notebook.write_text(json.dumps(content), encoding="utf-8")
    before = notebook.read_bytes()
    assert main([str(notebook)]) == 1
    assert notebook.read_bytes() == before
    assert "NameError" in capsys.readouterr().out


def test_a_widget_is_stored_as_its_static_alternative(notebook: Path) -> None:
    content = read(notebook)
    view = {WIDGET_VIEW: {"model_id": "5f"}, "text/html": "<b>static</b>", "text/plain": "Explorer"}
    output = {"output_type": "display_data", "data": view, "metadata": {}}
    stored = json.loads(json.dumps(content))
    stored["cells"][1]["outputs"] = [output]
    notebook.write_text(json.dumps(stored), encoding="utf-8")
    again = read(notebook)
    normalise(again)
    assert again.cells[1].outputs[0].data == {"text/html": "<b>static</b>", "text/plain": "Explorer"}


def test_ids_are_given_once_and_are_unique(notebook: Path) -> None:
    ids = [cell.id for cell in read(notebook).cells]
    assert ids == [cell.id for cell in read(notebook).cells]
    assert len(set(ids)) == len(ids) == 6


def test_an_unknown_name_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no-such-lesson"]) == 1
    assert "no such notebook" in capsys.readouterr().out
