"""Execute the notebooks and store them in one normal form.

    python tools/notebooks.py                     all lessons
    python tools/notebooks.py 02 03               these lessons (the beginning of the file name is enough)
    python tools/notebooks.py some/dir/x.ipynb    any notebook

What is stored depends on the sources alone, so that a second run changes nothing in git: ids of cells stay,
counts run from 1, and metadata, widget state, timings and tracebacks (which name files of this machine) are
dropped. A widget is stored as its static alternative. A notebook with a cell that fails is reported and not
written. A cell that did not change keeps its stored pictures, and all of its outputs if it is tagged
`nbval-ignore-output`, since measurements differ in every run; FRESH=1 in the environment replaces them.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools.course import lessons

SECONDS_A_CELL = 60
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def digest(text: str) -> str:
    """Name a text by eight hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read(path: Path) -> NotebookNode:
    """Read a notebook, giving an id that depends on its place and source to each cell that has none."""
    content = json.loads(path.read_text(encoding="utf-8"))
    seen: set[str] = set()
    for number, cell in enumerate(content["cells"]):
        if not cell.get("id") or cell["id"] in seen:
            cell["id"] = f"{number:02d}-{digest(''.join(cell['source']))}"
        seen.add(cell["id"])
    content["nbformat"], content["nbformat_minor"] = 4, 5
    notebook: NotebookNode = nbformat.reads(json.dumps(content), as_version=4)
    return notebook


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run every cell in a new kernel whose working directory is `folder`; show a dot for each."""
    NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        on_cell_executed=lambda **_: print(".", end="", flush=True),
    ).execute()


def normalise_output(output: NotebookNode) -> NotebookNode:
    """Drop from an output what differs from run to run or from machine to machine."""
    if output.output_type == "error":
        output.traceback = [f"{output.ename}: {output.evalue}"]
    output.get("data", {}).pop(WIDGET_VIEW, None)
    return output


def normalise(notebook: NotebookNode) -> None:
    """Reduce metadata to what a reader or a test uses, and number the code cells that ran from 1."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    count = 0
    for cell in notebook.cells:
        jupyter = cell.metadata.get("jupyter", {})
        hidden = {name: True for name in ("source_hidden", "outputs_hidden") if jupyter.get(name)}
        kept = {"tags": cell.metadata.get("tags"), "jupyter": hidden, "ran": cell.metadata.get("ran")}
        cell.metadata = nbformat.from_dict({name: value for name, value in kept.items() if value})
        if cell.cell_type == "code" and cell.source.strip():
            count += 1
            cell.execution_count = count
            cell.outputs = [normalise_output(output) for output in cell.outputs]
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count


def compared(outputs: Sequence[NotebookNode]) -> list[tuple[str, Any]]:
    """Return what nbval compares of outputs: their texts, not their pictures."""
    found = []
    for output in outputs:
        texts = {
            kind: text for kind, text in output.get("data", {}).items() if not kind.startswith("image/p")
        }
        found.append((output.output_type, output.get("text", texts)))
    return found


def refresh(notebook: NotebookNode, folder: Path, fresh: bool) -> int:
    """Execute and normalise `notebook` in place; return how many cells keep what was stored."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    stored = {cell.id: cell.outputs for cell in code if cell.metadata.get("ran") == digest(cell.source)}
    execute(notebook, folder)
    kept = 0
    for cell in code:
        cell.metadata.pop("ran", None)
        ignored = "nbval-ignore-output" in cell.metadata.get("tags", [])
        if not ignored and not any("image/png" in output.get("data", {}) for output in cell.outputs):
            continue
        cell.metadata["ran"] = digest(cell.source)
        before = stored.get(cell.id)
        # Times, widgets and pictures of measurements differ in every run: what is stored for this very source
        # stays unless a compared text changed, or else each run would change the file. FRESH=1 replaces it.
        if before and not fresh and (ignored or compared(before) == compared(cell.outputs)):
            kept += before != cell.outputs
            cell.outputs = before
    normalise(notebook)
    return kept


def store(path: Path, fresh: bool) -> None:
    """Bring one notebook up to date on the disk."""
    notebook = read(path)
    kept = refresh(notebook, path.parent, fresh)
    nbformat.validate(notebook)
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    unchanged = path.read_text(encoding="utf-8") == text
    path.write_text(text, encoding="utf-8", newline="\n")
    print(" unchanged" if unchanged else " stored", end="")
    if kept:
        print(f" ({kept} cells keep pictures or measurements; FRESH=1 replaces them)", end="")


def chosen(names: Sequence[str]) -> list[Path]:
    """Return the notebooks that `names` mean: paths, or beginnings of lessons' names; none means all."""
    beginnings = tuple(name for name in names if not name.endswith(".ipynb")) if names else ""
    paths = [Path(name).resolve() for name in names if name.endswith(".ipynb")]
    return paths + [each.path for each in lessons() if each.path.name.startswith(beginnings)]


def main(names: Sequence[str]) -> int:
    """Bring the named notebooks, or all, up to date; return the number of those that failed."""
    failures = 0
    paths = chosen(names)
    for path in paths:
        print(f"{path.stem} ", end="", flush=True)
        start = time.perf_counter()
        try:
            store(path, fresh=os.environ.get("FRESH") == "1")
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failures += 1
            print(f" failed, not stored\n{error}")
        print(f" in {time.perf_counter() - start:.0f} s", flush=True)
    if not paths:
        print("no such notebook" if names else "there is no notebook yet")
        return 1
    return failures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
