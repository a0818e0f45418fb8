"""All cells of a notebook at once, as JupyterLab's Run All sends them.

nbval sends the next cell when the one before is done. JupyterLab queues them all: a task that one cell starts
may then find that the next cells have already run. What fails only that way is found here, and nowhere else.

Where there is a browser, tests/browser/test_lessons.py runs each lesson from JupyterLab's own menu, and this
would prove the same once more: it is skipped.
"""

import time
from queue import Empty
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient as KernelClient
from jupyter_client.manager import start_new_kernel

from tests.conftest import has_browser
from tools.course import Cell, Lesson

SECONDS_A_LESSON = 120
Published = dict[str, list[dict[str, Any]]]
Replies = dict[str, dict[str, Any]]


pytestmark = pytest.mark.skipif(
    has_browser(), reason="a browser is here: tests/browser/test_lessons.py runs each lesson in it"
)


def printed(outputs: list[dict[str, Any]]) -> str:
    """Return what outputs or messages wrote to stdout."""
    return "".join("".join(output["text"]) for output in outputs if output.get("name") == "stdout")


def send_all(client: KernelClient, cells: list[Cell]) -> dict[str, Cell]:
    """Queue every cell without waiting; return the cell of each request."""
    requests = {}
    for cell in cells:
        forgiving = (
            "raises-exception" in cell.tags
        )  # JupyterLab keeps the queue after an error that is announced
        requests[client.execute(cell.source, stop_on_error=not forgiving)] = cell
    return requests


def collect(client: KernelClient, requests: dict[str, Cell]) -> tuple[Published, Replies]:
    """Return what the kernel published for each request, and its reply to each."""
    published: Published = {request: [] for request in requests}
    replies: Replies = {}
    idle: set[str] = set()
    end = time.monotonic() + SECONDS_A_LESSON
    while len(idle) < len(requests) or len(replies) < len(requests):
        receive = client.get_iopub_msg if len(idle) < len(requests) else client.get_shell_msg
        try:
            message = receive(timeout=max(0.0, end - time.monotonic()))
        except Empty:
            waiting = min(
                (cell.number for request, cell in requests.items() if request not in idle), default=0
            )
            pytest.fail(f"{SECONDS_A_LESSON} s after Run All, these cells are not done: {waiting}")
        request, content = message["parent_header"].get("msg_id"), message["content"]
        if request not in requests:
            continue
        if message["msg_type"] == "execute_reply":
            replies[request] = content
        elif content.get("execution_state") == "idle":
            idle.add(request)
        published[request].append(content)
    return published, replies


def test_all_cells_sent_at_once_end_well(lesson: Lesson) -> None:
    manager, client = start_new_kernel(
        cwd=str(lesson.path.parent), extra_arguments=["--IPKernelApp.log_level=ERROR"]
    )
    try:
        requests = send_all(client, lesson.code)
        published, replies = collect(client, requests)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert requests
    for request, cell in requests.items():
        expected = "error" if "raises-exception" in cell.tags else "ok"
        reply = replies[request]
        assert reply["status"] == expected, f"cell {cell.number}: {reply.get('ename')}: {reply.get('evalue')}"
        if "nbval-ignore-output" not in cell.tags:
            assert printed(published[request]) == printed(cell.outputs), f"cell {cell.number}"
