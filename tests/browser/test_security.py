"""Lesson 08 in a real browser, in tabs at the ports themselves: which cookies travel, and what stops it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.here import Here
from tools.lesson_cells import await_cells
from wslab.aio.server import Server
from wslab.lab import Tap

pytestmark = pytest.mark.browser
BOTH = "lesson08_plain, lesson08_strict"


class Cells:
    """The cells of the lesson, run by their ids on an event loop of their own."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self.names: dict[str, Any] = {}

    def run(self, *ids: str) -> None:
        """Run these cells, in this order."""
        self._here.run(await_cells("08", self.names, *ids))

    def stop(self) -> None:
        """Stop every tap and server that the cells have started."""

        async def stop() -> None:
            for each in self.names.values():
                if isinstance(each, Tap):
                    await each.stop()
                elif isinstance(each, Server):
                    each.close()
                    await each.wait_closed()

        self._here.run(stop())

    def address(self, server: str, path: str = "") -> str:
        return f"http://127.0.0.1:{self.names[server].port}/{path}"


def shows(page: Page, *texts: str) -> None:
    expect(page.locator("#log > *")).to_have_text([*texts])


@pytest.fixture
def cells(page: Page, here: Here) -> Iterator[Cells]:
    found = Cells(here)
    found.run("08-setup", "08-cookies", "08-bank-pages", "08-bank-serve")
    yield found
    found.stop()


def test_a_foreign_page_reads_the_balance_until_its_origin_is_checked(page: Page, cells: Cells) -> None:
    page.goto(cells.address("bank_server", "bank.html"))
    shows(page, "WebSocket: balance 1000", f"WebSocket: cookies that came: {BOTH}")
    kept = {each["name"]: (each["sameSite"], each["httpOnly"]) for each in page.context.cookies()}
    assert kept == {"lesson08_plain": ("Lax", False), "lesson08_strict": ("Strict", True)}

    asked: dict[str, str] = {}
    served = cells.names["pages"]

    def noting(connection: Any, request: Any) -> Any:
        asked[request.path] = ", ".join(cells.names["cookies_of"](request))
        return served(connection, request)

    cells.names["pages"] = noting
    foreign = page.context.new_page()
    query = f"foreign.html?bank={cells.names['bank_server'].port}"
    withheld = "HTTP: the browser keeps the answer from this page (CORS)."
    foreign.goto(cells.address("foreign_server", query))
    shows(foreign, withheld, "WebSocket: balance 1000", f"WebSocket: cookies that came: {BOTH}")
    assert asked["/balance"] == BOTH  # they came by HTTP too, and CORS kept the answer from the script
    foreign.get_by_role("link", name=re.compile("localhost")).click()
    shows(foreign, withheld, "WebSocket: please log in", "WebSocket: cookies that came: none")

    cells.names.update(my_origin_allowed=None)  # the learner's own is not written yet
    cells.run("08-as-browser-code", "08-guard-code")
    foreign.goto(cells.address("foreign_server", f"foreign.html?bank={cells.names['guarded'].port}"))
    shows(foreign, withheld, "WebSocket: an error, without a reason.", 'WebSocket: closed with 1006 "".')


def test_the_last_cell_takes_the_cookies_away(page: Page, cells: Cells) -> None:
    cells.names.update(my_origin_allowed=None)
    cells.run("08-show-bank", "08-as-browser-code", "08-guard-code", "08-ca", "08-wire-code")
    cells.run("08-wss-serve")
    page.goto(cells.address("bank_tap"))
    shows(page, "WebSocket: balance 1000", f"WebSocket: cookies that came: {BOTH}")
    cells.run("08-cleanup")
    expect(page.locator("#log")).to_contain_text("The cookies of lesson 08 are gone.")
    assert page.context.cookies() == []


def test_a_browser_refuses_a_certificate_of_our_own_and_does_not_say_why(page: Page, cells: Cells) -> None:
    cells.run("08-show-bank", "08-ca", "08-wire-code", "08-wss-serve")
    with page.expect_console_message(lambda message: "ERR_CERT_AUTHORITY_INVALID" in message.text):
        page.goto(cells.address("wss_pages", f"wss.html?tls={cells.names['secure_server'].port}"))
    shows(
        page,
        "WebSocket over TLS: an error, without a reason.",
        'WebSocket over TLS: closed with 1006 "".',
    )
