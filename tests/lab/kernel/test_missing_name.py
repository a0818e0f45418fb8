"""Cells out of order: which missing names get a sentence, and which errors stay as they are.

The real path, from a kernel of the environment to what a reader sees in JupyterLab, is in the tests of the
browser; here a kernel is started with the name of its notebook as a Jupyter server starts it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient as KernelClient
from jupyter_client.manager import start_new_kernel

from tests.support.ports import PORTS, draw
from wslab.lab.kernel.missing_name import advice, bound_names

LESSON = [
    ("markdown", "# 09 · Try\n\n## Begin"),
    ("code", "import asyncio\nfrom os import path"),
    ("markdown", "## Serve\n\n```\n# no heading\n```"),
    ("code", "\ndef echo(ws):\n    inner = missing_inside\n    return inner"),
    ("code", "tap = 1"),
    ("markdown", "### Exercise: use it"),
    ("code", "tap = 2"),
    ("code", "tap, echo"),
    ("code", "late = tap"),
    ("code", "half written ("),
]


def cells(lesson: list[tuple[str, str]] = LESSON) -> list[dict[str, Any]]:
    return [
        {"id": f"cell{number}", "cell_type": kind, "source": source, "metadata": {}}
        for number, (kind, source) in enumerate(lesson)
    ]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import a.b, c as d\nfrom e import f as g, h", {"a", "d", "g", "h"}),
        ("x = y.z = w[0] = 1\nx.v = 2", {"x"}),
        ("(a, *b), c = d", {"a", "b", "c"}),
        ("n: int = 1\nm += 1", {"n", "m"}),
        ("async with f() as (tap, ws), g() as h:\n    await ws.close()", {"tap", "ws", "h"}),
        ("for i in x:\n    if (seen := i):\n        last = i", {"i", "seen", "last"}),
        ("async def f(a):\n    b = a\n    return [c for c in b]", {"f"}),
        ("class C:\n    a = 1\n    def m(self): ...", {"C"}),
        ("k = lambda q: (r := q)\nv = {s: t for s, t in x}", {"k", "v"}),
        ("match x:\n    case [first, *rest]:\n        pass", {"first", "rest"}),
        ("try:\n    f()\nexcept E as error:\n    pass", set()),  # unbound again at the end of its clause
        ("await x", set()),
        ("half written (", set()),
        ("def my_answer(n)\n    m = n\n\nkept = 1\nkept == (", {"my_answer", "kept"}),
        ("async def my_handler(n)\nclass C\n    x = 1", {"my_handler", "C"}),
        ("", set()),
    ],
)
def test_names_that_a_cell_binds(source: str, names: set[str]) -> None:
    assert bound_names(source) == names


def test_the_first_code_cell_is_called_that() -> None:
    assert advice("asyncio", cells(), "cell7") == (
        '"asyncio" comes from the first code cell. Run that cell first, then this one again.'
    )


def test_another_cell_is_named_by_its_section_and_its_first_line() -> None:
    assert advice("echo", cells(), "cell7") == (
        '"echo" comes from the cell in the section "Serve" that begins with\n    def echo(ws):\n'
        "Run that cell first, then this one again. "
        "Or run all cells above: menu Run, Run All Above Selected Cell."
    )


@pytest.mark.parametrize(
    ("running", "line"), [("cell7", "tap = 2"), ("cell6", "tap = 1"), ("cell4", "tap = 2"), (None, "tap = 2")]
)
def test_the_nearest_cell_above_is_named(running: str | None, line: str) -> None:
    assert f"    {line}\n" in advice("tap", cells(), running)


def test_of_a_cell_below_it_is_not_said_that_it_is_above() -> None:
    said = advice("late", cells(), "cell4")
    assert "late = tap" in said
    assert "above" not in said


def test_a_long_line_is_cut() -> None:
    lesson = [("code", "import os"), ("code", f"value = {'1 + ' * 40}1"), ("code", "value")]
    assert max(map(len, advice("value", cells(lesson)).splitlines())) < 120


@pytest.mark.parametrize("name", ["misspelled", "inner", "missing_inside", "written", "ws"])
def test_a_name_that_no_cell_makes_gets_no_sentence(name: str) -> None:
    assert advice(name, cells(), "cell7") == ""


def test_a_name_of_the_running_cell_alone_gets_no_sentence() -> None:
    assert advice("late", cells(), "cell8") == ""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("course") / "09-try.ipynb"
    path.write_text(json.dumps({"cells": cells()}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def client(notebook: Path) -> Iterator[KernelClient]:
    """A kernel of this environment, told which notebook is its own as a Jupyter server tells it."""
    manager, client = start_new_kernel(
        kernel_name="python3", env=os.environ | {"JPY_SESSION_NAME": str(notebook)}
    )
    assert manager.shell_port in PORTS
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client: KernelClient, source: str, cell: str = "cell7") -> dict[str, Any]:
    """Run a cell in the kernel, as JupyterLab does; return its reply.

    Without ``stop_on_error``: a kernel aborts what reaches it just after a cell that failed.
    """
    content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
    content |= {"user_expressions": {}, "stop_on_error": False}
    message = client.session.msg("execute_request", content, metadata={"cellId": cell})
    client.shell_channel.send(message)
    while True:
        reply = client.get_shell_msg(timeout=60)
        if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
            return dict(reply["content"])


def test_a_fresh_kernel_shows_the_sentence_and_the_cell_fails(client: KernelClient) -> None:
    reply = run(client, "asyncio.sleep(0)")
    assert (reply["status"], reply["ename"]) == ("error", "NameError")
    assert reply["evalue"] == "name 'asyncio' is not defined"
    assert reply["traceback"] == [
        "NameError: name 'asyncio' is not defined\n\n"
        '"asyncio" comes from the first code cell. Run that cell first, then this one again.'
    ]


def test_an_awaited_cell_and_a_function_of_the_notebook_show_it_too(client: KernelClient) -> None:
    awaited = run(client, "import contextlib\nasync with contextlib.AsyncExitStack():\n    echo")
    called = run(client, "def call(): return tap\ncall()")
    assert "    def echo(ws):\n" in awaited["traceback"][0]
    assert "    tap = 2\n" in called["traceback"][0]


def test_a_refused_connection_tells_of_the_server(client: KernelClient) -> None:
    assert run(client, f"port = {draw()}")["status"] == "ok"
    blocking = "__import__('socket').create_connection(('127.0.0.1', port))"
    awaited = "await __import__('asyncio').open_connection('127.0.0.1', port)"
    for reply in (run(client, blocking), run(client, awaited)):
        assert reply["ename"] == "ConnectionRefusedError"
        assert "Nothing listens on that port." in reply["traceback"][0]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("misspelled", "NameError"),
        ("def f():\n    tap += 1\nf()", "UnboundLocalError"),
        ("exec('tap', {})", "NameError"),  # the name is not missing in the notebook
        ("{}['tap']", "KeyError"),
        ("raise NameError('tap')", "NameError"),
        ("late = late", "NameError"),
    ],
)
def test_other_errors_keep_their_traceback(client: KernelClient, source: str, name: str) -> None:
    reply = run(client, source, "cell8")
    assert reply["ename"] == name
    shown = "\n".join(reply["traceback"])
    assert "Traceback (most recent call last)" in shown
    assert "Run that cell first" not in shown


def test_a_notebook_that_cannot_be_read_changes_nothing(client: KernelClient, notebook: Path) -> None:
    text = notebook.read_text(encoding="utf-8")
    for broken in (text[:40], "{}", '{"cells": [1]}', '{"cells": [{"cell_type": "code"}]}'):
        notebook.write_text(broken, encoding="utf-8")
        try:
            reply = run(client, "asyncio")
        finally:
            notebook.write_text(text, encoding="utf-8")
        assert "Traceback (most recent call last)" in "\n".join(reply["traceback"])


def test_nothing_is_missing_when_nothing_is_missing(client: KernelClient) -> None:
    assert run(client, "tap = 5\ntap")["status"] == "ok"
