"""Lesson 07 as a learner does it: two pages in the notebook, a stranger's markup, and the kernel."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Lesson

pytestmark = pytest.mark.browser
PAGES, PANEL, WIRE = "chat.html?name=Fay", "chat.panel()", "before + 1"


def test_two_pages_a_panel_and_the_wire(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("07")
    opened.run_through(WIRE)
    opened.cell(opened.number(PAGES)).scroll_into_view_if_needed()
    fay, gus = opened.frame(PAGES, 0), opened.frame(PAGES, 1)
    for page, name in ((fay, "Fay"), (gus, "Gus")):
        expect(page.get_by_role("heading", name=f"Messages in tea, you are {name}")).to_be_visible()
        expect(page.locator("#log")).to_contain_text(
            '<b>Eve</b> <img src=x onerror="document.body.remove()">'
        )
        expect(page.locator("#log img, #log b, #members b")).to_have_count(0)

    fay.get_by_role("textbox", name="Message").fill("Hello from Fay")
    fay.get_by_role("button", name="Say").click()
    expect(gus.locator("#log")).to_contain_text("Fay Hello from Fay")
    gus.get_by_role("textbox", name="Message").fill("Hello, Fay")
    gus.get_by_role("textbox", name="Message").press("Enter")
    expect(fay.locator("#log")).to_contain_text("Gus Hello, Fay")
    assert opened.ask("print([said['text'] for said in chat.rooms['tea'].history][-2:])") == (
        "['Hello from Fay', 'Hello, Fay']"
    )
    opened.run_cell(WIRE)
    expect(opened.cell(opened.number(WIRE)).locator(".jp-OutputArea")).to_contain_text("Hello, Fay")
    opened.ask("await bob.say('Hello from the kernel')")
    for page in (fay, gus):
        expect(page.locator("#log")).to_contain_text("Bob Hello from the kernel")

    panel = opened.cell(opened.number(PANEL)).locator(".jp-OutputArea")
    expect(panel).to_contain_text("<b>Eve</b>")
    row = panel.locator("tr", has_text="Gus").locator("td")
    expect(row.nth(3)).to_have_text("2")  # join and one line
    gus.get_by_role("button", name="Leave").click()
    expect(fay.locator("#log")).to_contain_text("Gus has gone")
    expect(panel.locator("tr", has_text="Gus")).to_have_count(0)
    expect(gus.locator("#closed")).to_contain_text("1000")
    assert opened.faults == []
