"""The hook that leaves out of a saved lesson what needs a running kernel, or is the learner's alone.

A page is a widget: the file could keep no more of it than the number of an object in the kernel. Opened again
with another kernel, JupyterLab would show "Error displaying widget" there, although the output also holds a
sentence for readers without a kernel. So when Jupyter saves a notebook, the number is left out where that
sentence is one of ours, and readers see the sentence until the cell runs again. An open page does not change
until it is loaded again. Outputs of other notebooks and widgets stay as they are. A learner's progress, and
the bar that shows how far a cell is, are never stored.

The tunnel registers ``leave_out_views`` in the Jupyter server; the widgets take their sentences from here.
"""

from __future__ import annotations

from typing import Any

__all__ = ["BAR", "LINKS", "PAGES", "PROGRESS", "leave_out_views"]

PAGES = "Run this cell in JupyterLab to see the page here."
LINKS = "Run this cell in JupyterLab to get a link to the page here."
PROGRESS = "Run this cell in JupyterLab to see which exercises are right so far."
BAR = "A bar shows here how far the cell is."

_VIEW = "application/vnd.jupyter.widget-view+json"


def leave_out_views(model: dict[str, Any], **_: Any) -> None:
    """Leave the views of this course out of a notebook that is about to be saved, in place.

    Args:
        model: as a contents manager of Jupyter passes it to a pre-save hook.

    >>> data = {"text/plain": PAGES, _VIEW: {"model_id": "8f3e"}}
    >>> cells = [{"cell_type": "code", "outputs": [{"output_type": "display_data", "data": data}]}]
    >>> leave_out_views({"type": "notebook", "content": {"cells": cells}})
    >>> data
    {'text/plain': 'Run this cell in JupyterLab to see the page here.'}
    """
    if model.get("type") != "notebook" or not model.get("content"):
        return
    for cell in model["content"].get("cells", ()):
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if _text(output) in (PAGES, LINKS):
                data.pop(_VIEW, None)
            if _text(output) == PROGRESS:
                data.pop("text/html", None)
        if "outputs" in cell:
            cell["outputs"] = [output for output in cell["outputs"] if _text(output) != BAR]


def _text(output: dict[str, Any]) -> str:
    return "".join(output.get("data", {}).get("text/plain", ""))
