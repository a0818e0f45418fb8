"""Lesson 07 as a learner does it: two pages in the notebook after a step, a stranger, and a bot."""

from collections.abc import Callable

import pytest
from playwright.sync_api import FrameLocator, expect

from tests.browser.lab import Lesson

pytestmark = pytest.mark.browser
LINES, STRANGER, MARKUP, GREETER = "chat.html?lines", "console.html", "onerror=", "create_task(greeter"


def say(page: FrameLocator, text: str) -> None:
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("textbox", name="Message").press("Enter")


def test_the_chat_grows_in_two_pages(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("07")
    opened.run_through(LINES)
    opened.cell(opened.number(LINES)).scroll_into_view_if_needed()
    first, second = opened.frame(LINES, 0), opened.frame(LINES, 1)
    say(first, "Is anyone here?")
    for page in (first, second):
        expect(page.locator("#log > *")).to_have_text(["Is anyone here?"])

    opened.run_through(STRANGER)
    opened.cell(opened.number(STRANGER)).scroll_into_view_if_needed()
    fay, console = opened.frame(STRANGER, 0), opened.frame(STRANGER, 1)
    expect(fay.get_by_role("heading", name="Messages in tea, you are Fay")).to_be_visible()
    console.get_by_role("button", name="Open").click()
    console.get_by_role("textbox", name="Text").fill("Hello")
    console.get_by_role("button", name="Send text").click()
    expect(console.locator("body")).to_contain_text("not-json")
    expect(fay.locator("#log > *")).to_have_count(0)
    assert opened.faults == []


def test_markup_and_a_bot(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("07")
    opened.run_through(GREETER)
    opened.cell(opened.number(MARKUP)).scroll_into_view_if_needed()
    fay, gus = opened.frame(MARKUP, 0), opened.frame(MARKUP, 1)
    for page, name in ((fay, "Fay"), (gus, "Gus")):
        expect(page.get_by_role("heading", name=f"Messages in tea, you are {name}")).to_be_visible()
        expect(page.locator("#log")).to_contain_text(
            '<b>Eve</b> <img src=x onerror="document.body.remove()">'
        )
        expect(page.locator("#log img, #log b, #members b")).to_have_count(0)
    say(fay, "Hello from Fay")
    expect(gus.locator("#log")).to_contain_text("Fay Hello from Fay")
    assert opened.ask("print(rooms['tea'].history[-1]['text'])") == "Hello from Fay"
    assert "Hello, Fay" in opened.printed(GREETER)
    gus.get_by_role("button", name="Leave").click()
    expect(fay.locator("#log")).to_contain_text("Gus left")
    expect(gus.locator("#closed")).to_contain_text("1000")
    assert opened.faults == []
