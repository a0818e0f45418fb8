"""The lessons with pages, with somebody who types in them: what the page shows, and what the kernel saw."""

import re
from collections.abc import Callable
from importlib.util import find_spec

import pytest
from playwright.sync_api import FrameLocator, expect

from tests.browser.lab import Lesson
from tools.course import LESSONS

pytestmark = pytest.mark.browser


def needs(name: str) -> pytest.MarkDecorator:
    """Skip a test as long as its lesson is not written."""
    return pytest.mark.skipif(
        not list(LESSONS.glob(f"{name}-*.ipynb")), reason=f"there is no lesson {name} yet"
    )


def say(frame: FrameLocator, text: str) -> None:
    """Type in a page, as a learner does."""
    frame.get_by_role("textbox", name="Message").fill(text)
    frame.get_by_role("textbox", name="Message").press("Enter")


@needs("05")
def test_what_is_typed_in_the_echo_page_is_seen_in_the_kernel(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("05")
    opened.run_through("show(tap.port")
    frame = opened.frame("show(tap.port")
    expect(frame.locator("#state")).to_have_text("1 OPEN")
    say(frame, "Grüße from the page")
    expect(frame.locator("#log > :nth-child(2)")).to_contain_text(
        "received string, length 19 Grüße from the page"
    )
    frame.get_by_label("Close code").fill("4001")
    frame.get_by_label("Reason").fill("enough")
    frame.get_by_role("button", name="Close").click()
    expect(frame.locator("#closed")).to_have_text('4001 "enough", wasClean true')
    rows = opened.ask("async with asyncio.timeout(5): await tap.closed()\nprint(tap.conversation())")
    assert "Grüße from the page" in rows
    assert "4001" in rows
    assert opened.faults == []


@needs("06")
def test_the_clock_is_paused_from_the_page(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("06")
    opened.run_through("show(ticking.port")
    frame = opened.frame("show(ticking.port")
    expect(frame.locator("#clock")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    frame.get_by_role("button", name="Pause").click()
    seen = "await ticking.seen('TEXT', 'client', count={}, timeout=10)\nprint(ticking.conversation())"
    assert "pause" in opened.ask(seen.format(1))
    frame.get_by_role("button", name="Resume").click()
    assert "resume" in opened.ask(seen.format(2))
    frame.get_by_role("button", name="Close").click()
    expect(frame.locator("#closed")).to_have_text('1000 "bye", wasClean true')
    assert opened.faults == []


@needs("07")
@pytest.mark.skipif(
    not find_spec("notebook"), reason="Notebook 7 is missing; to get it: pip install 'notebook>=7.6'"
)
def test_two_chat_pages_in_notebook_7(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("07", "notebook")
    opened.run_through("onerror=")
    fay, gus = (opened.frame("onerror=", index) for index in (0, 1))
    expect(fay.locator("#members")).to_contain_text("Gus")
    expect(gus.locator("#members")).to_contain_text("Fay")
    say(fay, "Is <b>tea</b> ready?")
    expect(gus.locator("#log")).to_contain_text("Fay Is <b>tea</b> ready?")
    say(gus, "In a minute")
    expect(fay.locator("#log")).to_contain_text("Gus In a minute")
    assert fay.locator("b").count() == gus.locator("b").count() == 0
    assert "In a minute" in opened.ask("print(tap.conversation())")
    gus.get_by_role("button", name="Leave").click()
    expect(gus.locator("#closed")).to_have_text('1000 "left", wasClean true')
    expect(fay.locator("#log")).to_contain_text("Gus left")
    assert opened.faults == []
