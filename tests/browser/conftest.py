"""One Chromium and one JupyterLab for all tests of this folder that a process runs.

A test of a page has a new tab; those of lessons share the tab that JupyterLab is loaded in, see `Lab`.

They end with the last test of the folder, not with the session: as long as Playwright's blocking interface is
open, its event loop runs in the main thread, and no later test could call asyncio.run. The browser is an
installed Chromium or Chrome: `chromium` in tests/conftest.py says where it is looked for.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.here import SECONDS, Here
from tests.browser.lab import Lab, Lesson
from tests.support.jupyter_process import JupyterProcess, run_jupyter
from tools.course import LESSONS

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The tests ask the application how a notebook stands. The second is for Notebook 7, where it is installed.
EXPOSED = ["--expose-app-in-browser", "--JupyterNotebookApp.expose_app_in_browser=True"]
WIDTH, HEIGHT = 1400, 1000
expect.set_options(timeout=SECONDS * 1000)


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new tab, with no cookie of an earlier one."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    context.set_default_timeout(SECONDS * 1000)
    yield context.new_page()
    context.close()


@pytest.fixture
def here() -> Iterator[Here]:
    """Servers in this process."""
    servers = Here()
    yield servers
    servers.end()


@pytest.fixture(scope="package")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterProcess]:
    """JupyterLab with a token, at a base URL such as Binder's."""
    folder = tmp_path_factory.mktemp("jupyter")
    with run_jupyter(folder, module="jupyterlab", options=EXPOSED) as server:
        yield server


@pytest.fixture(scope="package")
def lab(browser: Browser, jupyter: JupyterProcess) -> Iterator[Lab]:
    """JupyterLab in a window of its own."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    context.set_default_timeout(SECONDS * 1000)
    found = Lab(context, jupyter)
    yield found
    found.close(tabs=True)
    context.close()


@pytest.fixture
def lesson(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Callable[..., Lesson]]:
    """Open a notebook, or a lesson by the beginning of its name: `lesson("05")`.

    `lesson("05", "notebook")` opens it in Notebook 7. `lesson("05", goes_on=True)` goes on in the notebook of
    the test before, if that has passed and said the same.
    """
    failed = request.session.testsfailed

    def open_by_name(name: str | Path, view: str = "lab", goes_on: bool = False) -> Lesson:
        [path] = [name] if isinstance(name, Path) else LESSONS.glob(f"{name}*.ipynb")
        return lab.open(path, view, goes_on)

    yield open_by_name
    if request.session.testsfailed > failed:
        lab.close(tabs=True)
