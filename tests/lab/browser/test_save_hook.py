"""What a saved lesson keeps of the views that need a running kernel."""

import contextlib
import copy
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.jupyter_process import BASE_URL, JupyterProcess, run_jupyter
from wslab.lab.browser.save_hook import BAR, PROGRESS, leave_out_views
from wslab.lab.browser.show import show

VIEW = "application/vnd.jupyter.widget-view+json"
OURS: dict[str, Any] = {
    "pages": show(8765),
    "links": show(8765, direct=True),
}


def notebook(data: dict[str, Any]) -> dict[str, Any]:
    output = {"output_type": "display_data", "data": data, "metadata": {}}
    cell = {"id": "a", "cell_type": "code", "source": "", "metadata": {}, "execution_count": 1}
    return {"cells": [cell | {"outputs": [output]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def kept(content: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = content["cells"][0]["outputs"][0]["data"]
    return data


@pytest.mark.parametrize("widget", OURS.values(), ids=OURS)
def test_the_view_goes_and_all_else_stays(widget: Any) -> None:
    bundle = widget._repr_mimebundle_()
    assert VIEW in bundle
    content = notebook(copy.deepcopy(bundle))
    leave_out_views(model={"type": "notebook", "content": content}, path="x.ipynb", contents_manager=None)
    assert kept(content) == {key: value for key, value in bundle.items() if key != VIEW}
    assert kept(content)["text/plain"] == repr(widget)


def test_other_widgets_files_and_cells_are_left_alone() -> None:
    data = {"text/plain": "IntSlider(value=0)", VIEW: {"model_id": "b"}}
    models: list[dict[str, Any]] = [
        {"type": "notebook", "content": notebook(dict(data))},
        {"type": "notebook", "content": {"cells": [{"cell_type": "markdown", "source": ""}]}},
        {"type": "notebook"},
        {"type": "file", "content": "text"},
        {"type": "directory", "content": []},
    ]
    before = copy.deepcopy(models)
    for model in models:
        leave_out_views(model)
    assert models == before


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterProcess]:
    with run_jupyter(tmp_path_factory.mktemp("jupyter")) as server:
        yield server


def save(jupyter: JupyterProcess, path: str, content: dict[str, Any]) -> int:
    body = json.dumps({"type": "notebook", "format": "json", "content": content})
    connection = http.client.HTTPConnection("127.0.0.1", jupyter.port, timeout=20)
    with contextlib.closing(connection):
        connection.request("PUT", path, body, {"Authorization": f"token {jupyter.token}"})
        return connection.getresponse().status


def test_jupyter_saves_a_lesson_without_the_view(jupyter: JupyterProcess) -> None:
    """As installed with the course, through the interface that JupyterLab saves with."""
    data = OURS["pages"]._repr_mimebundle_()
    assert save(jupyter, f"{BASE_URL}api/contents/lesson.ipynb", notebook(data)) == 201
    saved = json.loads((jupyter.folder / "lesson.ipynb").read_text("utf-8"))
    assert "".join(kept(saved)["text/plain"]) == repr(OURS["pages"])
    assert VIEW not in kept(saved)


def test_what_a_learner_has_done_and_a_bar_are_not_stored() -> None:
    shown: list[dict[str, Any]] = [
        {"output_type": "stream", "name": "stdout", "text": "before\n"},
        {"output_type": "display_data", "data": {"text/plain": BAR, "text/html": "<div></div>"}},
        {"output_type": "execute_result", "data": {"text/plain": [PROGRESS], "text/html": "mine"}},
        {"output_type": "display_data", "data": {"text/plain": "a result", "text/html": "a result"}},
    ]
    cell: dict[str, Any] = {"cell_type": "code", "outputs": shown}
    content = {"cells": [cell, {"cell_type": "markdown"}]}
    leave_out_views({"type": "notebook", "content": content})
    assert cell["outputs"] == [
        shown[0],
        {"output_type": "execute_result", "data": {"text/plain": [PROGRESS]}},
        shown[3],
    ]
