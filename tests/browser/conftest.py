"""One Chromium and one JupyterLab for all tests of this folder that a process runs; a tab for each test.

They end with the last test of the folder, not with the session: as long as Playwright's blocking interface is
open, its event loop runs in the main thread, and no later test could call asyncio.run. The browser is an
installed Chromium or Chrome: `chromium` in tests/conftest.py says where it is looked for.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.here import SECONDS, Here
from tests.browser.lab import Lesson, open_lesson
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
def learner(browser: Browser) -> Iterator[BrowserContext]:
    """A window of the browser that keeps JupyterLab in its cache: loading it is most of what a test costs."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    context.set_default_timeout(SECONDS * 1000)
    yield context
    context.close()


@pytest.fixture
def lesson(learner: BrowserContext, jupyter: JupyterProcess) -> Iterator[Callable[..., Lesson]]:
    """Open a lesson by the beginning of its name: `lesson("05")`. Its kernel ends with the test.

    `lesson("05", "notebook")` opens it in Notebook 7.
    """
    opened: list[Lesson] = []

    def open_by_name(name: str, view: str = "lab") -> Lesson:
        [path] = LESSONS.glob(f"{name}*.ipynb")
        opened.append(open_lesson(learner.new_page(), jupyter, path, view))
        return opened[-1]

    yield open_by_name
    for each in opened:
        each.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        each.page.close()
