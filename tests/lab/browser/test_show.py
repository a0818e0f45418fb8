"""Pages in the notebook: where they are found, what stays in the file, and that JupyterLab shows them."""

import html.parser
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import expect, sync_playwright

from tests.support.jupyter_process import BASE_URL, JupyterProcess, run_jupyter
from wslab.lab.browser.passage import PREFIX_VARIABLE
from wslab.lab.browser.show import HUB, ON_A_HUB, page_address, show

SENTENCE = "Run this cell in JupyterLab to see the page here."
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class Tags(html.parser.HTMLParser):
    """All start tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_address_is_behind_the_tunnel_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX_VARIABLE, "/user/x/wslab/")
    assert page_address(8765) == "/user/x/wslab/8765/"
    assert page_address(8765, "/chat.html?name=Ada&room=1#end") == (
        "/user/x/wslab/8765/chat.html?name=Ada&room=1#end"
    )
    monkeypatch.delenv(PREFIX_VARIABLE)
    assert page_address(8765, "chat.html") == "http://127.0.0.1:8765/chat.html"


def test_frames_have_a_title_a_link_and_no_markup_from_the_path() -> None:
    pages = show(8765, "chat.html?name=Ada&room=1", 'chat.html?name="><b>', height=200)
    tags = Tags(pages.value)
    assert [frame["title"] for frame in tags.of("iframe")] == [
        "Page of this lesson: chat.html?name=Ada&room=1",
        'Page of this lesson: chat.html?name="><b>',
    ]
    assert [frame["src"] for frame in tags.of("iframe")] == [link["href"] for link in tags.of("a")]
    assert {name for name, _ in tags.found} == {"div", "iframe", "a"}
    assert "height: 200px" in str(tags.of("iframe")[0]["style"])
    assert Tags(show(8765).value).of("iframe")[0]["title"] == "Page of this lesson: the first page"


def test_direct_links_lead_past_the_tunnel_and_are_none_on_a_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX_VARIABLE, "/user/x/wslab/")
    monkeypatch.delenv(HUB, raising=False)
    pages = show(8765, "", '/bank.html?a="><b>', direct=True)
    assert repr(pages) == "Run this cell in JupyterLab to get a link to the page here."
    tags = Tags(pages.value)
    assert [link["href"] for link in tags.of("a")] == [
        "http://127.0.0.1:8765/",
        'http://127.0.0.1:8765/bank.html?a="><b>',
    ]
    assert all((link["target"], link["rel"]) == ("_blank", "noreferrer") for link in tags.of("a"))
    assert {name for name, _ in tags.found} == {"p", "a"}
    monkeypatch.setenv(HUB, "/user/x/")
    assert show(8765, direct=True).value == f"<p>{ON_A_HUB}</p>"
    with pytest.raises(ValueError, match="port 80 is not"):
        show(80, direct=True)
    with pytest.raises(TypeError, match="neither a wire nor a height"):
        show(8765, direct=True, height=100)


@pytest.mark.parametrize(
    ("port", "path", "error", "says"),
    [
        ("8765", "", TypeError, "port must be an int, such as server.port, got '8765'"),
        (True, "", TypeError, "got True"),
        (80, "", ValueError, "port 80 is not in 1024–65535"),
        (65536, "", ValueError, "port 65536 is not"),
        (8765, b"chat.html", TypeError, "path must be a str"),
        (8765, "http://127.0.0.1/", ValueError, "path must be what follows the port"),
    ],
)
def test_misuse_is_told_in_a_sentence(port: Any, path: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as raised:
        show(port, path)
    assert says in str(raised.value)


SERVER = """from websockets.asyncio.server import serve
from wslab.lab import show

def pages(connection, request):
    if "Upgrade" not in request.headers:
        response = connection.respond(200, PAGE)
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        return response

async def echo(ws):
    await ws.send(await ws.recv())
    await ws.close(4001, "enough")

server = await serve(echo, "127.0.0.1", 0, process_request=pages)
port = server.sockets[0].getsockname()[1]"""
PAGE = """PAGE = '''<!doctype html><html lang="en"><title>echo</title><p id="log"></p><script>
const ws = new WebSocket(location.href.replace("http", "ws"));
ws.onopen = () => ws.send("Hello, " + location.search);
ws.onmessage = event => log.textContent += event.data;
ws.onclose = event => log.textContent += " " + event.code + " " + event.reason;
</script>'''"""


def notebook() -> nbformat.NotebookNode:
    sources = [PAGE, SERVER, 'show(port, "echo.html?ada", "echo.html?bob")', "print('open')"]
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    written: nbformat.NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return written


def test_what_a_run_stores_is_the_same_each_time() -> None:
    runs = []
    for _ in range(2):
        client = NotebookClient(notebook(), timeout=60, store_widget_state=False)
        runs.append(client.execute())
    for run in runs:
        [output] = run.cells[2].outputs
        assert output.data.pop(WIDGET_VIEW)
        assert output.data == {"text/plain": SENTENCE}
        assert run.metadata.get("widgets") is None
    assert "127.0.0.1:" not in json.dumps(runs[0])


@pytest.mark.browser
def test_jupyterlab_shows_the_pages_and_stores_no_address(tmp_path: Path, chromium: str) -> None:
    path = tmp_path / "show.ipynb"
    nbformat.write(notebook(), path)
    with run_jupyter(tmp_path, module="jupyterlab") as jupyter, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        open_and_run(page, jupyter)
        frames = page.locator(".jp-OutputArea iframe")
        expect(frames).to_have_count(2, timeout=20_000)
        for index, name in enumerate(("ada", "bob")):
            log = frames.nth(index).content_frame.locator("#log")
            expect(log).to_have_text(f"Hello, ?{name} 4001 enough", timeout=20_000)
            expect(frames.nth(index)).to_be_visible(timeout=20_000)
        address = page.frames[1].url
        with page.expect_response(lambda r: r.request.method == "PUT" and "/api/contents/show" in r.url):
            page.keyboard.press("Control+s")
        browser.close()
    assert address.startswith(f"{jupyter.origin}{BASE_URL}wslab/")
    stored = path.read_text("utf-8")
    assert SENTENCE in stored
    for secret in (jupyter.token, "wslab/", address.split("/")[6]):
        assert secret not in stored.replace("wslab.lab", "")
    assert faults == []


def open_and_run(page: Any, jupyter: JupyterProcess) -> None:
    """Open the notebook in JupyterLab, run all its cells from the menu, and wait until the last has run."""
    page.goto(
        f"{jupyter.origin}{BASE_URL}lab/workspaces/show/tree/show.ipynb?reset&token={jupyter.token}",
        wait_until="domcontentloaded",
    )
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    idle = notebook.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    expect(idle).to_have_count(1, timeout=60_000)
    status = page.locator(".jp-StatusBar-TextItem", has_text="Python 3 (ipykernel) | Idle")
    expect(status).to_be_visible(timeout=60_000)  # asked to run before, JupyterLab runs nothing
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
    expect(notebook.get_by_text("[4]:", exact=True).first).to_be_visible(timeout=60_000)
