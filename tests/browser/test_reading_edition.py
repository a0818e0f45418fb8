"""The reading edition in a real browser: it fits each window, asks nobody, and needs no mouse."""

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tools.course import lessons

pytestmark = pytest.mark.browser
WIDTHS = (360, 800, 1400)  # CSS pixels: a phone, half a screen, a screen
FRONT, LESSON = "index.html", "03-frames.html"
TABS = 2000  # more than any page has stops
# What can be used, and is neither folded away nor hidden by the theme at this width.
USABLE = """() => [...document.querySelectorAll('a[href], button, summary, input, iframe')]
    .filter(each => each.checkVisibility({visibilityProperty: true}) && each.tabIndex >= 0)"""
# Note what has the focus as reached; how many elements are not reached yet.
REACHED = """() => {
    document.activeElement.removeAttribute('data-due');
    return document.querySelectorAll('[data-due]').length;
}"""
WIDER = """() => {
    const edge = document.documentElement.clientWidth;
    return document.documentElement.scrollWidth > edge || document.body.scrollWidth > edge;
}"""

LEGIBLE = 4.5  # the contrast that WCAG 2 asks for
# The contrast of each text with the ground that it stands on, the text, its colour, and the ground.
CONTRASTS = """() => {
    const parts = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [[r, .2126], [g, .7152], [b, .0722]].reduce((sum, [value, weight]) =>
        sum + weight * (value <= 10 ? value / 3295 : ((value / 255 + .055) / 1.055) ** 2.4), 0);
    const ground = element => {
        const [r, g, b, opaque = 1] = parts(getComputedStyle(element).backgroundColor);
        if (opaque === 1 || !element.parentElement) return [r, g, b];
        const below = ground(element.parentElement);
        return [r, g, b].map((value, place) => Math.round(value * opaque + below[place] * (1 - opaque)));
    };
    const walk = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
    const found = [];
    while (walk.nextNode()) {
        const element = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || !element.checkVisibility({visibilityProperty: true})) continue;
        const [colour, under] = [parts(getComputedStyle(element).color), ground(element)];
        const [low, high] = [light(colour), light(under)].sort((a, b) => a - b);
        found.push([(high + .05) / (low + .05), walk.currentNode.data, String(colour), String(under)]);
    }
    return found;
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address(reading_edition: Path) -> Iterator[str]:
    """Where the site is served, as on the web."""
    handler = functools.partial(Quiet, directory=str(reading_edition))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_every_page_fits_each_window_and_asks_nobody_else(page: Page, address: str) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    names = [f"{each.name}.html" for each in lessons()]
    for name in [FRONT, "zh.html", "teach.html", "glossary.html", *names]:
        page.goto(address + name)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert not page.evaluate(WIDER), f"{name} is wider than {width} pixels"
    assert len(asked) > len(names)
    assert {url for url in asked if not url.startswith(address)} <= {"about:blank"}
    assert not complaints


def test_the_workbench_is_live_on_the_front_page(page: Page, address: str) -> None:
    page.goto(address + FRONT)
    workbench = page.frame_locator("iframe.workbench")
    expect(workbench.locator("#verdict")).to_contain_text("TEXT")
    workbench.locator("#text").fill("Bytes")
    expect(workbench.locator("#hex")).to_have_value(re.compile("^81 85 "))
    expect(workbench.locator("#verdict")).to_contain_text("Bytes")
    expect(workbench.locator("#ladder")).to_contain_text("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")


def test_search_finds_masking(page: Page, address: str) -> None:
    page.goto(address + FRONT)
    page.get_by_placeholder("Search").fill("masking")
    page.get_by_placeholder("Search").press("Enter")
    expect(page.locator("#search-results ul.search a[href*='03-frames']").first).to_be_visible()


@pytest.mark.parametrize("name", [FRONT, LESSON])
@pytest.mark.parametrize("width", [360, 1400])
def test_the_keyboard_alone_reaches_everything(page: Page, address: str, name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address + name)
    page.evaluate(f"() => ({USABLE})().forEach(each => each.setAttribute('data-due', ''))")
    due = page.locator("[data-due]")
    left = usable = due.count()
    assert usable > 20
    for _ in range(TABS):
        page.keyboard.press("Tab")
        left = page.evaluate(REACHED)
        if not left:
            break
    assert not left, [each.inner_text() or each.get_attribute("class") for each in due.all()]


def test_the_keyboard_opens_a_solution_and_shows_a_term(page: Page, address: str) -> None:
    page.goto(address + LESSON)
    solution = page.locator("details", has_text="The solution").first
    expect(solution.locator(".cell_input")).to_be_hidden()
    solution.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(solution.locator(".cell_input")).to_be_visible()
    term = page.locator("article a[href*='glossary.html#'][title]").first
    term.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    shown = "each => getComputedStyle(each, '::after').content"
    assert term.get_attribute("title") in term.evaluate(shown)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [FRONT, LESSON])
def test_text_is_legible_in_both_themes(page: Page, address: str, name: str, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(address + name)
    found = page.evaluate(CONTRASTS)
    assert len(found) > 50
    grounds = {ground for _, _, _, ground in found}
    assert ("255,255,255" in grounds) == (scheme == "light"), grounds
    pale = [(text, colour, ground) for contrast, text, colour, ground in found if contrast < LEGIBLE]
    assert not pale
