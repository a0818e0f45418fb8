"""A lesson, opened in JupyterLab or Notebook 7 as a learner opens it, and run from the menu.

What there is to know of the notebook is asked of the running application (`--expose-app-in-browser`): the
prompts on the page of a stored notebook are numbered before anything runs.
"""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import FrameLocator, Locator, Page, TimeoutError, expect

from tests.support.jupyter_process import BASE_URL, JupyterProcess

__all__ = ["Lesson", "open_lesson"]

SECONDS = 120  # in which a lesson is opened, or has run
VIEWS = {"lab": "lab/workspaces/{0}/tree/{0}/{0}.ipynb?reset&", "notebook": "notebooks/{0}/{0}.ipynb?"}
CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets.map(({ model }) => ({
    kind: model.type,
    source: model.sharedModel.getSource(),
    tags: model.getMetadata("tags") ?? [],
    count: model.executionCount ?? null,
    state: model.executionState ?? null,
    outputs: model.type === "code" ? model.outputs.toJSON() : [],
}))"""
READY = """() => {
    const panel = window.jupyterapp?.shell.currentWidget;
    return panel?.context?.isReady && panel.sessionContext.isReady
        && panel.sessionContext.session?.kernel?.status === "idle"
        && panel.content.widgets.some(({ model }) => model.type === "code");
}"""
# Over when every cell up to the last one has run, or one of them failed that should not.
OVER = """(last) => {
    const models = window.jupyterapp.shell.currentWidget.content.widgets.map(({ model }) => model);
    const cells = models.slice(0, last + 1)
        .filter((model) => model.type === "code" && model.sharedModel.getSource().trim());
    const failed = (model) => model.outputs.toJSON().some((output) => output.output_type === "error")
        && !(model.getMetadata("tags") ?? []).includes("raises-exception");
    const done = (model) => model.executionCount && model.executionState === "idle";
    return cells.some(failed) || cells.every(done);
}"""


# Ask the kernel behind the learner's back: no cell, no prompt that counts.
ASK = """async (code) => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const request = kernel.requestExecute({ code, store_history: false });
    let printed = "";
    request.onIOPub = ({ content }) => { printed += content.name === "stdout" ? content.text : ""; };
    const { content } = await request.done;
    return content.status === "ok" ? printed : `${content.ename}: ${content.evalue}`;
}"""


@dataclass
class Lesson:
    """An open notebook: `page` is the browser's tab, `panel` the notebook in it."""

    page: Page
    panel: Locator
    faults: list[str] = field(default_factory=list)  # of our own pages, see `note_faults`

    @property
    def cells(self) -> list[dict[str, Any]]:
        """What the application knows of each cell now: kind, source, tags, count, state, outputs."""
        found: list[dict[str, Any]] = self.page.evaluate(CELLS)
        return found

    def number(self, text: str) -> int:
        """Return the index of the only code cell whose source has this text."""
        [number] = [
            i for i, cell in enumerate(self.cells) if cell["kind"] == "code" and text in cell["source"]
        ]
        return number

    def cell(self, number: int) -> Locator:
        """Return the cell of this index on the page."""
        return self.panel.locator(f'.jp-Cell[data-windowed-list-index="{number}"]')

    def choose(self, item: str, menu: str = "Run") -> None:
        """Choose an item of a menu, as a learner does."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text=menu).first.click()
        self.page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()

    def run_all(self) -> None:
        """Run all cells from the menu; fail if one of them does."""
        self.choose("Run All Cells")
        self._wait(len(self.cells) - 1)

    def run_through(self, text: str) -> None:
        """Run all cells from the first to the only one whose source has this text."""
        number = self.number(text)
        self._select(number + 1)
        self.choose("Run All Above Selected Cell")
        self._wait(number)

    def run_cell(self, text: str) -> None:
        """Run the only cell whose source has this text, as Shift+Enter does."""
        self._select(self.number(text))
        before = self.cells[self.number(text)]["count"]
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
        cell = self.cells[self.number(text)]
        assert cell["count"] != before
        assert not failed(cell), cell["outputs"]

    def frame(self, text: str, index: int = 0) -> FrameLocator:
        """Return the page in the output of the only cell whose source has this text."""
        return self.cell(self.number(text)).locator(".jp-OutputArea iframe").nth(index).content_frame

    def printed(self, text: str) -> str:
        """Return what the only cell whose source has this text has printed."""
        outputs = self.cells[self.number(text)]["outputs"]
        return "".join("".join(output.get("text", "")) for output in outputs)

    def ask(self, code: str) -> str:
        """Run code in the lesson's kernel, and return what it prints."""
        printed: str = self.page.evaluate(ASK, code)
        return printed.strip()

    def _select(self, number: int) -> None:
        script = "(n) => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = n; }"
        self.page.evaluate(script, number)

    def _wait(self, last: int) -> None:
        self.page.wait_for_function(OVER, arg=last, timeout=SECONDS * 1000)
        bad = [(number, cell["outputs"]) for number, cell in enumerate(self.cells) if failed(cell)]
        assert not bad, bad


def failed(cell: dict[str, Any]) -> bool:
    """Return whether a cell ended with an error that was not announced."""
    errors = [output for output in cell["outputs"] if output["output_type"] == "error"]
    return bool(errors) and "raises-exception" not in cell["tags"]


def note_faults(page: Page, faults: list[str]) -> None:
    """Note what goes wrong in our own pages. That a server is gone is no fault: lessons close theirs."""

    def note(message: Any) -> None:
        gone = (
            "Failed to load resource",
            "WebSocket connection to",
            "Refused to apply",
            "Refused to execute",
        )
        network = message.text.startswith(gone)
        if message.type == "error" and "/wslab/" in message.location["url"] and not network:
            faults.append(message.text)

    page.on("console", note)
    page.on(
        "pageerror", lambda error: faults.append(str(error)) if "/wslab/" in (error.stack or "") else None
    )


def open_lesson(page: Page, jupyter: JupyterProcess, path: Path, view: str = "lab") -> Lesson:
    """Open a copy of a notebook, without its outputs, in a folder of its own; wait until it can be run."""
    name = path.stem
    folder = jupyter.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    (folder / path.name).write_text(json.dumps(notebook), "utf-8")
    faults: list[str] = []
    note_faults(page, faults)
    address = f"{jupyter.origin}{BASE_URL}{VIEWS[view].format(name)}token={jupyter.token}"
    page.goto(address, wait_until="domcontentloaded")
    panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    expect(panel.locator(".jp-CodeCell").first).to_be_visible(timeout=SECONDS * 1000)
    try:
        page.wait_for_function(READY, timeout=SECONDS * 1000)
    except TimeoutError as error:
        dialogs = page.locator(".jp-Dialog").all_inner_texts()
        status = page.locator("#jp-bottom-panel, .jp-StatusBar-Middle").all_inner_texts()
        raise AssertionError(f"not ready to run: dialogs {dialogs}, status {status}") from error
    return Lesson(page, panel, faults)
