"""The live wire in a real browser: rows as they pass, a row that is chosen, buttons that act, and its end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

import wslab
from tests.browser.here import Here
from tests.browser.lab import UNTIL, Lesson
from tests.lab.views.test_palette import contrast
from wslab.lab.browser.serve import PAGES
from wslab.lab.browser.wire import LiveWire, live_wire
from wslab.lab.wire.tap import Tap

pytestmark = pytest.mark.browser
MARKUP = '<img src="x" onerror="window.hit=1"><b>bold</b>'
STOPPED = "The tap has stopped. Run the cells that start it and show this page again."


async def echo(connection: Any) -> None:
    async for message in connection:
        await connection.send(message)


class Desk:
    """The page of a server behind a tap in one tab, what crosses the tap in another."""

    def __init__(self, here: Here, page: Page) -> None:
        self.here, self.wire = here, page
        self.talker = page.context.new_page()
        self.tap = here.run(self._start(Tap(here.serve(echo, "echo.html", compression=None))))
        self.live = self.show()
        self.talker.goto(f"http://127.0.0.1:{self.tap.port}/")
        expect(self.talker.locator("#state")).to_have_text("1 OPEN")

    async def _start(self, tap: Tap) -> Tap:
        return await tap.start()

    async def _show(self) -> LiveWire:
        return live_wire(self.tap)

    def show(self) -> LiveWire:
        live = self.here.run(self._show())
        self.wire.goto(f"http://127.0.0.1:{live.port}/{live.path}")
        expect(self.wire.locator("#sentence")).to_contain_text("Everything passes")
        return live

    def say(self, text: str) -> None:
        self.talker.get_by_role("textbox", name="Message").fill(text)
        self.talker.get_by_role("button", name="Send", exact=True).click()

    def rows(self) -> list[str]:
        return [
            " ".join(text.split())
            for text in self.wire.locator("#rows tr:visible td:nth-child(2)").all_inner_texts()
        ]

    def press(self, name: str) -> None:
        self.wire.get_by_role("button", name=name).click()

    def stop(self) -> None:
        self.here.run(self.tap.stop())


@pytest.fixture
def desk(here: Here, page: Page) -> Iterator[Desk]:
    desk = Desk(here, page)
    yield desk
    desk.stop()


def test_rows_appear_as_they_pass_and_http_on_request(desk: Desk) -> None:
    desk.say("Grüße")
    expect(desk.wire.locator("#rows tr:visible")).to_have_count(2)
    assert desk.rows() == ["client → TEXT", "← server TEXT"]
    expect(desk.wire.locator("#rows tr:visible").first).to_contain_text('"Grüße"')
    desk.wire.get_by_label("HTTP too").check()
    expect(desk.wire.locator("#rows tr:visible", has_text="101 Switching Protocols")).to_have_count(1)


def test_a_row_is_chosen_by_mouse_and_by_keyboard(desk: Desk) -> None:
    desk.say("Hello")
    expect(desk.wire.locator("#rows tr:visible")).to_have_count(2)
    desk.wire.locator("#rows tr:visible").first.click()
    expect(desk.wire.locator("#fields h2")).to_have_text('TEXT: "Hello"')
    expect(desk.wire.locator("#fields .map [data-field='masking-key']").first).to_be_visible()
    names = desk.wire.locator("#fields tbody th").all_inner_texts()
    assert names[-4:] == ["MASK", "payload length", "masking-key", "payload data"]
    desk.wire.keyboard.press("ArrowDown")
    expect(desk.wire.locator("#fields tbody th")).to_have_count(8)  # a server masks nothing
    expect(desk.wire.locator("#rows tr:visible").nth(1)).to_be_focused()
    desk.wire.keyboard.press("ArrowDown")  # there is nothing below
    desk.wire.keyboard.press("Home")
    expect(desk.wire.locator("#fields tbody th")).to_have_count(9)
    expect(desk.wire.locator("#rows [aria-selected='true']")).to_have_count(1)


def test_tab_comes_to_the_rows_once_and_goes_on(desk: Desk) -> None:
    desk.say("a")
    desk.say("b")
    expect(desk.wire.locator("#rows tr:visible")).to_have_count(4)
    desk.wire.get_by_label("HTTP too").focus()
    desk.wire.keyboard.press("Tab")
    assert desk.wire.evaluate("document.activeElement.closest('#rows') !== null")
    desk.wire.keyboard.press("Enter")
    expect(desk.wire.locator("#fields .map")).to_have_count(1)
    desk.wire.keyboard.press("Tab")
    assert desk.wire.evaluate("document.activeElement.closest('#rows') === null")


def test_freeze_stops_the_echo_thaw_brings_it_and_cut_ends_it(desk: Desk) -> None:
    desk.press("Freeze")
    expect(desk.wire.locator("#sentence")).to_have_text("Frozen: nothing that client or server sends passes.")
    desk.say("into the freeze")
    expect(desk.talker.locator("#log > li")).to_have_count(1)
    expect(desk.wire.locator("#rows tr:visible")).to_have_count(2)  # what is sent into the freeze is seen
    desk.press("Thaw")
    expect(desk.talker.locator("#log > li")).to_have_count(2)
    expect(desk.wire.locator("#sentence")).to_have_text("Everything passes.")
    expect(desk.wire.locator("#rows tr:visible")).to_have_count(4)
    assert desk.rows() == ["network freeze", "client → TEXT", "network thaw", "← server TEXT"]
    desk.press("Cut")
    expect(desk.talker.locator("#closed")).to_contain_text("1006")
    expect(desk.wire.locator("#rows tr:visible").last).to_contain_text("cut")


def test_delay_is_switched_on_and_off_and_follows_what_cells_do(desk: Desk) -> None:
    button = desk.wire.get_by_role("button", name="Delay")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert desk.tap.delay == 0.2
    desk.tap.delay = 0.0
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(desk.wire.locator("#sentence")).to_have_text("Everything passes.")


def test_received_text_is_text(desk: Desk) -> None:
    desk.say(MARKUP)
    desk.wire.locator("#rows tr:visible").first.click()
    expect(desk.wire.locator("#fields h2")).to_contain_text("<b>bold</b>")
    expect(desk.wire.locator("#rows tr:visible").first).to_contain_text("<b>bold</b>")
    assert desk.wire.locator("b, img").count() == 0
    assert desk.wire.evaluate("window.hit") is None


def test_of_a_flood_the_page_keeps_the_newest_rows(desk: Desk) -> None:
    async def flood() -> None:
        async with wslab.connect(f"ws://127.0.0.1:{desk.tap.port}") as ws:
            for number in range(1500):
                await ws.send(f"message {number}")
                await ws.recv()

    desk.here.run(flood())
    expect(desk.wire.locator("#rows tr").last).to_contain_text("close 1000")
    assert desk.wire.locator("#rows tr").count() == 200
    desk.wire.locator("#rows tr:visible", has_text="message 1499").first.click()
    expect(desk.wire.locator("#fields h2")).to_have_text('TEXT: "message 1499"')


def test_the_view_ends_with_the_tap_and_says_so(desk: Desk) -> None:
    desk.stop()
    expect(desk.wire.locator("#sentence")).to_have_text(STOPPED)
    expect(desk.wire.get_by_role("button", name="Freeze")).to_be_disabled()


def test_shown_twice_the_newer_view_goes_on(desk: Desk) -> None:
    old = desk.wire.context.new_page()
    old.goto(desk.wire.url)
    expect(old.locator("#sentence")).to_contain_text("Everything passes")
    desk.show()
    expect(old.locator("#sentence")).to_have_text("This view was replaced by a newer one.")
    desk.say("still here")
    expect(desk.wire.locator("#rows tr:visible")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_page(desk: Desk, scheme: Any) -> None:
    desk.wire.emulate_media(color_scheme=scheme)
    desk.say("Hello " * 50)
    expect(desk.wire.locator("#rows tr:visible")).to_have_count(2)
    for number, width in enumerate((360, 700, 1400)):
        desk.wire.set_viewport_size({"width": width, "height": 480})
        desk.wire.locator("#rows tr:visible").nth(number % 2).click()  # its fields are drawn at this width
        expect(desk.wire.locator("#fields tbody th")).to_have_count(10 - number % 2)
        expect(desk.wire.locator("#fields .map")).to_have_count(1)
        for place in ("documentElement", "querySelector('.log')", "querySelector('#fields')"):
            fits = f"document.{place}.scrollWidth <= document.{place}.clientWidth"
            assert desk.wire.evaluate(fits), (width, place)


def test_the_colours_that_carry_text_have_contrast() -> None:
    style = (PAGES / "wire.css").read_text()
    pairs = [
        ("#ffffff", background) for background in re.findall(r"\.end \{ background: (#[0-9a-f]{6})", style)
    ]
    assert len(pairs) == 3
    assert all(contrast(ink, background) >= 4.5 for ink, background in pairs)


def test_no_fault_is_reported_by_the_browser(browser: Browser, here: Here) -> None:
    page = browser.new_context().new_page()
    faults: list[str] = []
    page.on(
        "console",
        lambda message: faults.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: faults.append(str(error)))
    desk = Desk(here, page)
    desk.say("Hello")
    page.locator("#rows tr:visible").first.click()
    expect(page.locator("#fields .map")).to_have_count(1)
    assert faults == []
    desk.stop()
    page.context.close()


# -- in JupyterLab, through the tunnel ----------------------------------------------------------------------

CELLS = [
    """import asyncio
import wslab
from wslab.lab import Tap, serve_page, show

async def echo(ws):
    async for message in ws:
        await ws.send(message)

server = await wslab.serve(echo, process_request=serve_page("echo.html"))
tap = await Tap(server.port).start()""",
    "show(tap.port, wire=tap)",
    "while not tap.delay:\n    await asyncio.sleep(0.05)",
    "await tap.stop()",
]


def test_in_jupyterlab_it_acts_while_a_cell_awaits_can_be_run_twice_and_leaves_no_address(
    lesson: Callable[..., Lesson], tmp_path: Path
) -> None:
    path = tmp_path / "live-wire.ipynb"
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{at}") for at, source in enumerate(CELLS)]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    opened = lesson(path)
    opened.run_through("server = await")
    for _ in range(2):  # the second time, the first view gives way
        opened.run_cell("show(tap.port")
    talker, wire = (opened.frame("show(tap.port", at) for at in (0, 1))
    expect(talker.locator("#state")).to_have_text("1 OPEN")
    expect(wire.locator("#sentence")).to_have_text("Everything passes.")
    views = "sum(task.get_name() == 'live wire' for task in asyncio.all_tasks())"
    assert opened.ask(UNTIL.format(f"{views} == 1")) == ""

    start_cell(opened, "while not tap.delay")
    talker.get_by_role("button", name="Send", exact=True).click()
    wire.locator("#rows tr:visible", has_text="TEXT").first.click()
    expect(wire.locator("#fields .map")).to_be_visible()
    wire.get_by_role("button", name="Freeze").click()
    expect(wire.locator("#sentence")).to_contain_text("Frozen")
    talker.get_by_role("button", name="Send", exact=True).click()
    expect(talker.locator("#log > li")).to_have_count(3)
    wire.get_by_role("button", name="Thaw").click()
    expect(talker.locator("#log > li")).to_have_count(4)
    wire.get_by_role("button", name="Cut").click()
    expect(talker.locator("#closed")).to_contain_text("1006")
    assert opened.known("while not tap.delay")["state"] == "running"
    wire.get_by_role("button", name="Delay").click()
    expect(wire.locator("#sentence")).to_contain_text("200 ms later")

    opened.page.wait_for_function(IDLE)
    opened.run_cell("await tap.stop()")
    expect(wire.locator("#sentence")).to_have_text(STOPPED)
    stored = str(opened.known("show(tap.port")["outputs"])
    assert "Run this cell in JupyterLab to see the page here." in stored
    assert "wslab/" not in stored
    assert opened.faults == []


IDLE = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"


def start_cell(opened: Lesson, text: str) -> None:
    """Start the only cell whose source has this text, and do not wait for its end."""
    opened.page.evaluate(
        """(at) => {
            window.jupyterapp.shell.currentWidget.content.activeCellIndex = at;
            window.jupyterapp.commands.execute("notebook:run-cell");
        }""",
        opened.number(text),
    )
