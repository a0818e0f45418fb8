"""A lesson, opened in JupyterLab or Notebook 7 as a learner opens it, and run from the menu.

What there is to know of the notebook is asked of the running application (`--expose-app-in-browser`): the
prompts on the page of a stored notebook are numbered before anything runs. Loading JupyterLab is most of what
it costs to open a lesson. So it stays in its tab and opens one lesson after the other, each a fresh copy with
a kernel of its own; and the test of a lesson may go on where the one before has stopped.
"""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, TimeoutError, expect

from tests.support.jupyter_process import BASE_URL, JupyterProcess

__all__ = ["UNTIL", "Lab", "Lesson"]

SECONDS = 120  # in which a lesson is opened, or has run
OFTEN = 100  # milliseconds between two looks at how a lesson stands: each takes time from its kernel
VIEWS = {"lab": "lab/workspaces/{0}/tree/{0}/{0}.ipynb?reset&", "notebook": "notebooks/{0}/{0}.ipynb?"}
CELLS = """(only) => window.jupyterapp.shell.currentWidget.content.widgets
    .filter((_, number) => only === null || only === number)
    .map(({ model }) => ({
        kind: model.type,
        source: model.sharedModel.getSource(),
        tags: model.getMetadata("tags") ?? [],
        count: model.executionCount ?? null,
        state: model.executionState ?? null,
        outputs: model.type === "code" ? model.outputs.toJSON() : [],
    }))"""
# The source of each code cell, and whether it has run; None for what is no code.
CODE = """() => window.jupyterapp.shell.currentWidget.content.widgets.map(({ model }) =>
    model.type === "code" ? [model.sharedModel.getSource(), Boolean(model.executionCount)] : null)"""
SELECT = """([first, last]) => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.deselectAll();
    notebook.activeCellIndex = first;
    notebook.extendContiguousSelectionTo(last);
}"""
OPEN = "(path) => window.jupyterapp.commands.execute('docmanager:open', { path }).then(() => null)"
CLOSE = "() => [...window.jupyterapp.shell.widgets('main')].forEach((widget) => widget.dispose())"
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
    const kinds = ({ outputs }) => Array.from(outputs, (_, number) => outputs.get(number).type);
    const failed = (model) => kinds(model).includes("error")
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
# What to ask it, to wait for a condition; it prints nothing, or which error there was.
UNTIL = """
import asyncio
async with asyncio.timeout(20):
    while not ({}):
        await asyncio.sleep(0.05)
"""


@dataclass
class Lesson:
    """An open notebook: `page` is the browser's tab, `panel` the notebook in it."""

    page: Page
    panel: Locator
    faults: list[str] = field(default_factory=list)  # of our own pages, see `note_faults`

    @property
    def cells(self) -> list[dict[str, Any]]:
        """What the application knows of each cell now: kind, source, tags, count, state, outputs."""
        found: list[dict[str, Any]] = self.page.evaluate(CELLS, None)
        return found

    def known(self, text: str) -> dict[str, Any]:
        """Return the same of the only code cell whose source has this text."""
        [found] = self.page.evaluate(CELLS, self.number(text))
        return dict(found)

    def number(self, text: str) -> int:
        """Return the index of the only code cell whose source has this text."""
        [number] = [i for i, cell in enumerate(self.page.evaluate(CODE)) if cell and text in cell[0]]
        return int(number)

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
        self.wait(len(self.cells) - 1)

    def run_through(self, text: str) -> None:
        """Run the cells from the first that has not run yet to the only one whose source has this text."""
        last = self.number(text)
        waiting = [i for i, cell in enumerate(self.page.evaluate(CODE)[: last + 1]) if cell and not cell[1]]
        if waiting:
            self.select(waiting[0], last)
            self.choose("Run Selected Cells" if waiting[0] < last else "Run Selected Cell")
            self.wait(last)

    def run_cell(self, text: str) -> None:
        """Run the only cell whose source has this text, as Shift+Enter does."""
        before = self.known(text)["count"]
        self.select(self.number(text))
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
        cell = self.known(text)
        assert cell["count"] != before
        assert not failed(cell), cell["outputs"]

    def frame(self, text: str, index: int = 0) -> FrameLocator:
        """Return the page in the output of the only cell whose source has this text."""
        return self.cell(self.number(text)).locator(".jp-OutputArea iframe").nth(index).content_frame

    def printed(self, text: str) -> str:
        """Return what the only cell whose source has this text has printed."""
        outputs = self.known(text)["outputs"]
        return "".join("".join(output.get("text", "")) for output in outputs)

    def ask(self, code: str) -> str:
        """Run code in the lesson's kernel, and return what it prints."""
        printed: str = self.page.evaluate(ASK, code)
        return printed.strip()

    def select(self, first: int, last: int | None = None) -> None:
        """Select one cell, or all from the first to the last."""
        self.page.evaluate(SELECT, [first, first if last is None else last])

    def wait(self, last: int) -> None:
        """Wait until every cell up to the last has run; fail if one of them does."""
        self.page.wait_for_function(OVER, arg=last, polling=OFTEN, timeout=SECONDS * 1000)
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


class Lab:
    """JupyterLab in a window of the browser, with at most one lesson open."""

    def __init__(self, window: BrowserContext, jupyter: JupyterProcess) -> None:
        self._window, self._jupyter = window, jupyter
        self._tabs: dict[str, Page] = {}  # by the view that is loaded in each
        self._faults: list[str] = []  # of the pages in the tabs
        self._open: tuple[Path, str] | None = None  # what the next test may go on in, and its view
        self._lesson: Lesson | None = None

    def open(self, path: Path, view: str = "lab", goes_on: bool = False) -> Lesson:
        """Close what is open, and open a copy of this notebook.

        With `goes_on` the notebook is left as it is if it is open, by a test that said so too.
        """
        if self._lesson is None or not goes_on or self._open != (path, view):
            self.close()
            self._copy(path)
            self._lesson = self._load(path.stem, view)
            self._open = (path, view) if goes_on else None
        self._faults.clear()
        return self._lesson

    def close(self, tabs: bool = False) -> None:
        """Close what is open and end its kernel; with its tabs, JupyterLab is loaded again for the next."""
        for view in [*self._tabs]:
            if tabs or view != "lab":
                self._tabs.pop(view).close()
            else:
                self._tabs[view].evaluate(CLOSE)
        self._lesson = self._open = None
        for session in json.loads(self._jupyter.request("GET", f"{BASE_URL}api/sessions")[2]):
            self._jupyter.request("DELETE", f"{BASE_URL}api/sessions/{session['id']}")

    def _copy(self, path: Path) -> None:
        """Copy a notebook without its outputs to a folder of its own."""
        folder = self._jupyter.folder / path.stem
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        notebook = json.loads(path.read_text("utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        (folder / path.name).write_text(json.dumps(notebook), "utf-8")

    def _load(self, name: str, view: str) -> Lesson:
        """Open the copy, in the tab if JupyterLab is there; wait until it can be run."""
        if page := self._tabs.get(view):
            page.evaluate(OPEN, f"{name}/{name}.ipynb")
        else:
            page = self._tabs[view] = self._window.new_page()
            note_faults(page, self._faults)
            address = f"{self._jupyter.origin}{BASE_URL}{VIEWS[view].format(name)}token={self._jupyter.token}"
            page.goto(address, wait_until="domcontentloaded")
        panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        expect(panel.locator(".jp-CodeCell").first).to_be_visible(timeout=SECONDS * 1000)
        try:
            page.wait_for_function(READY, polling=OFTEN, timeout=SECONDS * 1000)
        except TimeoutError as error:
            dialogs = page.locator(".jp-Dialog").all_inner_texts()
            status = page.locator("#jp-bottom-panel, .jp-StatusBar-Middle").all_inner_texts()
            raise AssertionError(f"not ready to run: dialogs {dialogs}, status {status}") from error
        return Lesson(page, panel, self._faults)
