"""The lessons with pages, with somebody who types in them: what the page shows, and what the kernel saw.

The tests of a lesson stand in the order of its cells: each goes on in the notebook of the one before.
"""

import re
import shutil
from collections.abc import Callable
from importlib.util import find_spec

import pytest
from playwright.sync_api import FrameLocator, expect

from tests.browser.lab import UNTIL, Lesson
from tests.support.jupyter_process import JupyterProcess
from tools.course import GLOSSARY

pytestmark = pytest.mark.browser
TERMS = {"task group": "Push and receive at once", "drift": "Two ways to tick once a second"}
LINES, STRANGER, MARKUP, GREETER = "chat.html?lines", "console.html", "onerror=", "create_task(greeter"


def say(frame: FrameLocator, text: str) -> None:
    """Type in a page, as a learner does."""
    frame.get_by_role("textbox", name="Message").fill(text)
    frame.get_by_role("textbox", name="Message").press("Enter")


def test_what_is_typed_in_the_echo_page_is_seen_in_the_kernel(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("05", goes_on=True)
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
    rows = opened.ask("async with asyncio.timeout(20): await tap.closed()\nprint(tap.conversation())")
    assert "Grüße from the page" in rows
    assert "4001" in rows
    assert opened.faults == []


def test_the_wire_beside_the_echo_is_frozen_thawed_and_cut(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("05", goes_on=True)
    opened.run_through("show(tap.port")
    opened.run_cell("show(tap.port")  # again: the page that was there has closed
    frame, wire = (opened.frame("show(tap.port", index) for index in (0, 1))
    expect(frame.locator("#state")).to_have_text("1 OPEN")
    say(frame, "Hello, wire")
    rows = wire.locator("#rows tr", has_text="Hello, wire")
    expect(rows).to_have_count(2)
    wire.get_by_role("button", name="Freeze").click()
    expect(wire.locator("#sentence")).to_contain_text("Frozen")
    say(frame, "into the freeze")
    expect(frame.locator("#log > :nth-child(3)")).to_contain_text("sent string, length 15")
    expect(frame.locator("#log > *")).to_have_count(3)
    wire.get_by_role("button", name="Thaw").click()
    expect(frame.locator("#log > :nth-child(4)")).to_contain_text("received string, length 15")
    wire.get_by_role("button", name="Cut").click()
    expect(frame.locator("#closed")).to_have_text('1006 "", wasClean false')
    assert opened.ask(UNTIL.format("'no close frame' in written.getvalue()")) == ""  # no red cell
    assert opened.faults == []


def test_the_page_of_the_learner_talks_and_shows_its_mistakes(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("05", goes_on=True)
    opened.run_through("show(own_tap.port")
    own = opened.frame("show(own_tap.port")
    expect(own.locator("#log")).to_have_text("ready state 0")  # the stub
    opened.run_cell("solution_script =")
    for script in ("solution_script", "'const text = ;'"):
        opened.ask(f"my_script = {script}")
        opened.run_cell("show(own_tap.port")
        if script == "solution_script":
            expect(own.locator("#log > :nth-child(1)")).to_have_text("open")
            own.get_by_role("button", name="Send").click()
            expect(own.locator("#log > :nth-child(2)")).to_have_text("Hello")
            opened.ask("own_tap.cut()")
            expect(own.locator("#log > :nth-child(3)")).to_have_text('closed: 1006 "", wasClean false')
            own.get_by_role("button", name="Send").click()
            expect(own.locator("#log > :nth-child(4)")).to_have_text("not sent: ready state 3")
    expect(own.locator("#log")).to_contain_text("line 1: Uncaught SyntaxError")
    assert [fault for fault in opened.faults if "SyntaxError" not in fault] == []


def test_a_page_with_a_heartbeat_notices_a_frozen_network(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("05", goes_on=True)
    opened.run_through("show(beat_tap.port")
    beat, wire = (opened.frame("show(beat_tap.port", index) for index in (0, 1))
    expect(wire.locator("#rows tr", has_text="beat").nth(1)).to_be_visible()
    wire.get_by_role("button", name="Freeze").click()
    expect(wire.locator("#sentence")).to_contain_text("Frozen")  # else the flood may pass before
    beat.get_by_role("button", name="Send").click()
    expect(beat.locator("#log")).to_contain_text("no answer; ready state 1")
    expect(beat.locator("#log > *", has_text="20000000 bytes wait").first).to_be_attached()
    expect(beat.locator("#log > *", has_text="bytes wait").nth(1)).to_be_attached()  # and went on waiting
    assert opened.faults == []


def test_the_clock_is_paused_from_the_page(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("06", goes_on=True)
    opened.run_through("show(ticking.port")
    frame = opened.frame("show(ticking.port")
    expect(frame.locator("#clock")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    frame.get_by_role("button", name="Pause").click()
    expect(frame.locator("#sentence")).to_contain_text("Paused")
    seen = "await ticking.seen('TEXT', 'client', count={}, timeout=20)\nprint(ticking.conversation())"
    assert "pause" in opened.ask(seen.format(1))
    frame.get_by_role("button", name="Resume").click()
    assert "resume" in opened.ask(seen.format(2))
    wire = opened.frame("show(ticking.port", 1)
    expect(wire.locator("#rows tr", has_text="resume")).to_have_count(1)
    frame.get_by_role("button", name="Close").click()
    expect(frame.locator("#closed")).to_have_text('1000 "bye", wasClean true')
    expect(wire.locator("#rows tr", has_text="CLOSE")).to_have_count(2)
    assert opened.faults == []


def test_quotes_arrive_one_row_a_symbol(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("06", goes_on=True)
    opened.run_through("show(quoting.port")
    frame = opened.frame("show(quoting.port")
    expect(frame.locator("#table tr")).to_have_count(3)
    opened.run_cell("show(quoting.port")  # twice: the old market feeds the old boards
    expect(frame.locator("#table tr")).to_have_count(3)
    assert opened.faults == []


def test_a_term_leads_to_its_row_and_back(lesson: Callable[..., Lesson], jupyter: JupyterProcess) -> None:
    opened = lesson("06", goes_on=True)
    shutil.copy(GLOSSARY, next(jupyter.folder.glob("06*")))
    for term, heading in TERMS.items():
        opened.panel.get_by_role("link", name=term, exact=True).click()
        cell = opened.page.locator(".jp-MarkdownViewer td").get_by_text(term, exact=True)
        expect(cell).to_be_in_viewport()
        row = cell.locator("xpath=ancestor::tr")
        row.get_by_role("link", name=heading).click()
        expect(opened.panel.get_by_role("heading", name=heading)).to_be_in_viewport()


def test_the_chat_grows_in_two_pages(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("07", goes_on=True)
    opened.run_through(LINES)
    opened.cell(opened.number(LINES)).scroll_into_view_if_needed()
    first, second = opened.frame(LINES, 0), opened.frame(LINES, 1)
    for page in (first, second):
        expect(page.locator("#state")).to_have_text("1 OPEN")
    say(first, "Is anyone here?")
    for page in (first, second):
        expect(page.locator("#log > *")).to_have_text(["Is anyone here?"])

    opened.run_through(STRANGER)
    opened.cell(opened.number(STRANGER)).scroll_into_view_if_needed()
    fay, console = opened.frame(STRANGER, 0), opened.frame(STRANGER, 1)
    expect(fay.get_by_role("heading", name="Messages in tea, you are Fay")).to_be_visible()
    console.get_by_role("button", name="Open").click()
    expect(console.locator("#state")).to_have_text("1 OPEN")
    console.get_by_role("textbox", name="Text").fill("Hello")
    console.get_by_role("button", name="Send text").click()
    expect(console.locator("body")).to_contain_text("not-json")
    expect(fay.locator("#log > *")).to_have_count(0)
    assert opened.faults == []


def test_markup_and_a_bot(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("07", goes_on=True)
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


def test_a_page_whose_wire_is_cut_comes_back_and_misses_nothing(lesson: Callable[..., Lesson]) -> None:
    opened = lesson("10", goes_on=True)
    opened.run_through("show(live_tap.port")
    page, wire = (opened.frame("show(live_tap.port", index) for index in (0, 1))
    expect(page.locator("#received")).to_have_text(re.compile("[1-9]"))
    opened.ask("live.publish('<b>ACME</b>', 1)")
    expect(page.locator("#log")).to_contain_text("<b>ACME</b> 1")
    expect(wire.locator("#sentence")).to_contain_text("Everything passes")  # it is connected, too
    wire.get_by_role("button", name="Cut").click()
    expect(page.locator("#log")).to_contain_text(
        re.compile(r"closed with 1006: next try in \d\.\d s, since \d+")
    )
    for price in range(3):  # published while it is away, or right after
        opened.ask(f"live.publish('MISSED', {price})")
    expect(page.locator("#log")).to_contain_text("MISSED 2")
    assert page.locator("#log > *", has_text=re.compile("^open")).count() == 2
    expect(page.locator("#missing")).to_have_text("0")
    expect(page.locator("#twice")).to_have_text("0")
    assert "?since=" in opened.ask("print(live_tap.conversation())")
    opened.ask("await live_server.wait_closed() if live_server.close(1008) else None")
    expect(page.locator("#state")).to_have_text("closed with 1008: stays away")
    assert opened.faults == []


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
