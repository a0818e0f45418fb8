"""The chat page in a real browser, against the chat that lesson 07 builds."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.here import Here
from tools.chat_cells import chat_cells

pytestmark = pytest.mark.browser
MARKUP = '<img src="x" onerror="window.hit=1"><script>window.hit=1</script><b>bold</b>'


def enter(page: Page, port: int, name: str) -> None:
    """Open the page and join by keyboard alone, from the first Tab to the last Enter."""
    page.goto(f"http://127.0.0.1:{port}/")
    expect(page.locator("#state")).to_have_text("1 OPEN")
    for _ in range(2):  # past Reconnect
        page.keyboard.press("Tab")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type("tea")
    page.keyboard.press("Enter")


def say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message").fill(text)
    page.keyboard.press("Enter")


def test_two_people_talk(page: Page, browser: Browser, here: Here) -> None:
    port = here.serve(chat_cells().chat, "chat.html")
    other = browser.new_context().new_page()
    enter(page, port, "Ada")
    expect(page.get_by_role("heading", name="Messages in tea, you are Ada")).to_be_visible()
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    page.keyboard.type("Is anyone here?")
    page.keyboard.press("Enter")
    expect(page.locator("#log")).to_contain_text("Ada Is anyone here?")

    other.goto(f"http://127.0.0.1:{port}/?name=Ada&room=tea")  # joins by itself, and is refused
    expect(other.get_by_role("alert")).to_have_text("Ada is taken in this room.")
    other.get_by_label("Name").fill("Bob")
    other.keyboard.press("Enter")
    expect(other.locator("#log")).to_contain_text("Ada Is anyone here?")
    expect(other.get_by_role("alert")).to_have_text("")
    expect(other.locator("#members > *")).to_have_text(["Ada", "Bob"])
    expect(page.locator("#members > *")).to_have_text(["Ada", "Bob"])
    expect(page.locator("#log")).to_contain_text("Bob joined")
    say(other, "I am")
    expect(page.locator("#log")).to_contain_text("Bob I am")
    expect(other.locator("#log")).to_contain_text("Bob I am")

    other.get_by_role("button", name="Leave").click()
    assert here.next() == (1000, "left")
    expect(page.locator("#log")).to_contain_text("Bob left")
    expect(page.locator("#members > *")).to_have_text(["Ada"])
    expect(page.locator("#count")).to_have_text("1")
    other.get_by_role("button", name="Join").click()  # comes back on a new connection
    expect(page.locator("#members > *")).to_have_text(["Ada", "Bob"])
    other.context.close()


def test_markup_does_nothing_wherever_it_stands(page: Page, here: Here) -> None:
    async def hostile(connection: Any) -> None:
        await connection.recv()
        said = {"type": "said", "name": MARKUP, "text": MARKUP, "at": MARKUP}
        welcome = {"type": "welcome", "name": MARKUP, "room": MARKUP, "members": [MARKUP], "history": [said]}
        for message in (
            welcome,
            {"type": "joined", "name": MARKUP},
            said,
            {"type": "left", "name": MARKUP},
            {"type": "error", "code": MARKUP, "sentence": MARKUP},
            {"type": MARKUP},
            {"type": "toString"},
            [MARKUP],
        ):
            await connection.send(json.dumps(message))
        await connection.send(MARKUP)
        await connection.send(MARKUP.encode())
        await connection.close(1000, MARKUP[:100])

    page.goto(f"http://127.0.0.1:{here.serve(hostile, 'chat.html')}/?name=Ada")
    expect(page.locator("#closed")).to_contain_text('1000 "<img')
    expect(page.locator("#log > *")).to_have_count(9)
    expect(page.locator("#error")).to_have_text(MARKUP)
    expect(page.locator("#messages")).to_contain_text(f"Messages in {MARKUP}, you are {MARKUP}")
    assert page.locator("img, b, body script").count() == 0
    assert page.evaluate("() => window.hit") is None


def test_what_the_page_does_not_know_is_shown_as_it_is(page: Page, here: Here) -> None:
    async def handler(connection: Any) -> None:
        for message in ("plain", "7", "null", "[]", '{"type": "dance"}', '{"type": "welcome"}'):
            await connection.send(message)
        await connection.wait_closed()

    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"http://127.0.0.1:{here.serve(handler, 'chat.html')}/")
    expect(page.locator("#messages")).to_contain_text("undefined")  # the welcome that says nothing
    expect(page.locator("#state")).to_have_text("1 OPEN")
    assert faults == []


def test_without_names_a_line_is_the_message(page: Page, here: Here) -> None:
    async def echo(connection: Any) -> None:
        async for message in connection:
            await connection.send(message)

    page.goto(f"http://127.0.0.1:{here.serve(echo, 'chat.html')}/?lines")
    expect(page.locator("#state")).to_have_text("1 OPEN")
    say(page, MARKUP)
    expect(page.locator("#log > *")).to_have_text([MARKUP])
    expect(page.get_by_label("Name")).to_be_hidden()
    expect(page.locator("#members")).to_be_hidden()
    page.get_by_role("button", name="Leave").click()
    expect(page.locator("#closed")).to_contain_text("1000")
    expect(page.get_by_label("Name")).to_be_hidden()
    page.get_by_role("textbox", name="Message").fill("again")
    told = page.evaluate("() => { reconnect.click(); say.requestSubmit(); return sentence.textContent }")
    assert told == "Nothing was sent: the connection is not open yet."
    expect(page.locator("#state")).to_have_text("1 OPEN")
    page.keyboard.press("Enter")  # what was not sent is still there
    expect(page.locator("#log > *")).to_have_text([MARKUP, "again"])
