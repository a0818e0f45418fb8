"""The pages in a real browser, with a server behind them: what is typed, what is shown, what stays text."""

import json
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

import wslab
from tests.browser.here import Here
from tests.support.jupyter_process import BASE_URL, JupyterProcess
from tests.support.ports import draw

pytestmark = pytest.mark.browser
NAMES = ["chat.html", "clock.html", "console.html", "echo.html"]
MARKUP = '<img src="x" onerror="window.hit=1"><script>window.hit=1</script><b>bold</b>'
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(21, 24, 27)"  # the paper of the pages
LOST = "The connection was lost without a closing handshake. Press Reconnect."
CLOSED = 'The connection was closed: close code {0}, reason "{1}". Press Reconnect to open a new one.'


async def echo(connection: Any) -> None:
    async for message in connection:
        await connection.send(message)


def open_page(page: Page, port: int, query: str = "") -> None:
    """Open the page of a server, and wait until its socket is open."""
    page.goto(f"http://127.0.0.1:{port}/{query}")
    expect(page.locator("#state")).to_have_text("1 OPEN")


def rows(page: Page) -> list[str]:
    """Return the text of each row of the log."""
    return [" ".join(text.split()) for text in page.locator("#log > *").all_inner_texts()]


def click(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


# -- echo ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("implementation", ["websockets", "wslab"])
def test_echo_of_text_and_binary(page: Page, here: Here, implementation: str) -> None:
    open_page(page, here.serve(echo, "echo.html", implementation))
    page.get_by_role("textbox", name="Message").fill("Grüße")
    page.keyboard.press("Enter")
    expect(page.locator("#log > *")).to_have_count(2)  # else the next is sent before the echo of this one
    page.get_by_label("Send as").select_option("binary")
    click(page, "Send")
    expect(page.locator("#log > :nth-child(4) .bytes")).to_have_text("47 72 c3 bc c3 9f 65")
    page.get_by_label("Receive binary as").select_option("arraybuffer")
    click(page, "Send")
    expect(page.locator("#log > :nth-child(6) .bytes")).to_have_text("47 72 c3 bc c3 9f 65")
    assert rows(page) == [
        "sent string, length 5 Grüße",
        "received string, length 5 Grüße",
        "sent ArrayBuffer, byteLength 7 47 72 c3 bc c3 9f 65",
        "received Blob, size 7 47 72 c3 bc c3 9f 65",
        "sent ArrayBuffer, byteLength 7 47 72 c3 bc c3 9f 65",
        "received ArrayBuffer, byteLength 7 47 72 c3 bc c3 9f 65",
    ]


def test_text_from_a_server_that_forgets_the_opcode_is_a_blob(page: Page, here: Here) -> None:
    async def careless(connection: Any) -> None:
        async for message in connection:
            await connection.send(message.encode())

    open_page(page, here.serve(careless, "echo.html"))
    click(page, "Send")
    expect(page.locator("#log .bytes")).to_have_text("48 65 6c 6c 6f")
    assert rows(page)[1] == "received Blob, size 5 48 65 6c 6c 6f"


@pytest.mark.parametrize("implementation", ["websockets", "wslab"])
def test_close_with_a_code_is_seen_on_both_sides(page: Page, here: Here, implementation: str) -> None:
    open_page(page, here.serve(echo, "echo.html", implementation))
    page.get_by_label("Close code").fill("4001")
    page.get_by_label("Reason").fill("genug")
    click(page, "Close")
    expect(page.locator("#state")).to_have_text("3 CLOSED")
    # A server answers with the same code (§5.5.1); the reason is its own, and only websockets repeats ours.
    reason = "genug" if implementation == "websockets" else ""
    expect(page.locator("#closed")).to_have_text(f'4001 "{reason}", wasClean true')
    expect(page.get_by_role("status")).to_contain_text("The connection was closed: close code 4001")
    assert here.next() == (4001, "genug")
    click(page, "Send")
    expect(page.get_by_role("status")).to_contain_text("Nothing was sent")
    click(page, "Reconnect")
    expect(page.locator("#state")).to_have_text("1 OPEN")
    page.get_by_label("Close code").fill("")
    click(page, "Close")
    expect(page.locator("#closed")).to_have_text('1005 "", wasClean true')
    assert here.next() == (1005, "")


def test_a_code_that_no_page_may_send_is_explained(page: Page, here: Here) -> None:
    open_page(page, here.serve(echo, "echo.html"))
    page.get_by_label("Close code").fill("1002")
    click(page, "Close")
    expect(page.get_by_role("status")).to_contain_text("The browser refused: ")
    expect(page.locator("#state")).to_have_text("1 OPEN")


def test_ends_that_the_server_makes(page: Page, here: Here) -> None:
    async def end(connection: Any) -> None:
        kind = await connection.recv()
        if kind == "abort":
            connection.transport.abort()
        else:
            await connection.close(1011, "out of tea")

    open_page(page, here.serve(end, "echo.html"))
    click(page, "Send")
    expect(page.get_by_role("status")).to_have_text(CLOSED.format(1011, "out of tea"))
    click(page, "Reconnect")
    expect(page.locator("#state")).to_have_text("1 OPEN")
    page.get_by_role("textbox", name="Message").fill("abort")
    click(page, "Send")
    expect(page.get_by_role("status")).to_have_text(LOST)
    expect(page.locator("#closed")).to_have_text('1006 "", wasClean false')


def test_a_server_that_is_gone_and_comes_back(page: Page, here: Here) -> None:
    port = here.serve(echo, "echo.html", port=draw())
    open_page(page, port)
    here.stop(port)
    expect(page.locator("#closed")).to_have_text('1001 "", wasClean true')
    click(page, "Reconnect")
    expect(page.get_by_role("status")).to_contain_text("The connection could not be opened.")
    here.serve(echo, "echo.html", port=port)
    click(page, "Reconnect")
    expect(page.get_by_role("status")).to_have_text("Connected.")


# -- console ------------------------------------------------------------------------------------------------


def test_console_logs_each_step_with_the_ready_state_behind_it(page: Page, here: Here) -> None:
    async def handler(connection: Any) -> None:
        here.seen.put((connection.request.path, connection.subprotocol))
        await echo(connection)

    port = here.serve(handler, "console.html", subprotocols=["chat.v2", "chat.v1"], compression=None)
    page.goto(f"http://127.0.0.1:{port}/")
    expect(page.get_by_role("status")).to_contain_text("could not be opened")  # no subprotocol was offered
    click(page, "Clear")
    page.get_by_label("Path").fill("/tea?pot=1")
    page.get_by_label("Subprotocols").fill("chat.v1, chat.v2")
    click(page, "Open")
    assert here.next() == ("/tea?pot=1", "chat.v2")
    expect(page.locator("#log > *")).to_have_count(2)
    click(page, "Send text")
    expect(page.locator("#log > *")).to_have_count(4)
    click(page, "Send binary")
    expect(page.locator("#log > :nth-child(6) .bytes")).to_have_text("48 65 6c 6c 6f")
    page.get_by_label("Bytes").fill("4")
    click(page, "Send binary")
    expect(page.get_by_role("status")).to_contain_text("pairs of hexadecimal digits")
    click(page, "Close")
    expect(page.locator("#log > *")).to_have_count(8)
    assert rows(page) == [
        "step: new WebSocket path /tea?pot=1, subprotocols [chat.v1, chat.v2] 0 CONNECTING",
        'event: open (Event) protocol "chat.v2", extensions "" 1 OPEN',
        "step: send text string, length 5: Hello 1 OPEN",
        "event: message (MessageEvent) data is a string, length 5: Hello 1 OPEN",
        "step: send binary ArrayBuffer, byteLength 5: 48 65 6c 6c 6f 1 OPEN",
        "event: message (MessageEvent) data is a Blob, size 5: 48 65 6c 6c 6f 1 OPEN",
        'step: close code 1000, reason "bye" 2 CLOSING',
        'event: close (CloseEvent) code 1000, reason "bye", wasClean true 3 CLOSED',
    ]


def test_console_shows_what_the_browser_and_the_server_refuse(page: Page, here: Here) -> None:
    port = here.serve(echo, "console.html", origins=["https://elsewhere.example"])
    page.goto(f"http://127.0.0.1:{port}/")
    expect(page.get_by_role("status")).to_contain_text("could not be opened")
    assert rows(page)[1:] == [
        "event: error (Event) no field says why: a page may not learn what is on the network 3 CLOSED",
        'event: close (CloseEvent) code 1006, reason "", wasClean false 3 CLOSED',
    ]
    page.get_by_label("Subprotocols").fill("not a token")
    click(page, "Open")
    expect(page.get_by_role("status")).to_contain_text("The browser refused: ")


# -- clock --------------------------------------------------------------------------------------------------


def test_clock_shows_time_text_and_quotes_and_counts_what_is_missing(page: Page, here: Here) -> None:
    async def handler(connection: Any) -> None:
        for message in (
            '{"time": 0, "number": 1}',
            '{"time": "12:00:01", "number": 4}',
            '{"symbol": "ABC", "price": 10}',
            '{"symbol": "<b>DE</b>", "price": 5.5}',
            '{"symbol": "ABC", "price": 9.5}',
            "12 hours, <b>as text</b>",
        ):
            await connection.send(message)
        async for message in connection:
            here.seen.put(message)

    open_page(page, here.serve(handler, "clock.html"))
    expect(page.locator("#arrived")).to_have_text("6")
    expect(page.locator("#missed")).to_have_text("2")
    expect(page.locator("#clock")).to_have_text("12 hours, <b>as text</b>")
    quotes = [" ".join(text.split()) for text in page.locator("#table tr").all_inner_texts()]
    assert quotes == ["ABC 9.50 ▼ −0.50 2", "<b>DE</b> 5.50 0.00 1"]
    expect(page.locator("#log tr:last-child td:first-child")).to_have_text("first")
    click(page, "Pause")
    click(page, "Resume")
    page.get_by_label("Command").fill("every 0.2")
    page.keyboard.press("Enter")
    assert [here.next() for _ in range(3)] == ["pause", "resume", "every 0.2"]
    click(page, "Pause")
    expect(page.get_by_role("status")).to_contain_text("Paused: you asked the server to wait.")
    expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
    click(page, "Reconnect")
    expect(page.get_by_role("status")).to_have_text("Connected.")
    assert [here.next(), here.next()] == ["pause", (1000, "reconnect")]
    click(page, "Close")
    assert here.next() == (1000, "bye")


def test_a_log_keeps_its_last_200_rows(page: Page, here: Here) -> None:
    async def flood(connection: Any) -> None:
        for number in range(1, 1001):
            await connection.send(json.dumps({"time": f"tick {number}", "number": number}))
        await connection.wait_closed()

    open_page(page, here.serve(flood, "clock.html"))
    expect(page.locator("#arrived")).to_have_text("1000")
    expect(page.locator("#clock")).to_have_text("tick 1000")
    expect(page.locator("#log tr")).to_have_count(200)
    expect(page.locator("#log tr:first-child td:last-child")).to_contain_text("tick 1000")


# -- any page -----------------------------------------------------------------------------------------------


async def wordy(connection: Any) -> None:
    """Say something long, without a blank to break at, in each protocol, then echo."""
    long, said = "w" * 500, {"type": "said", "name": "n" * 80, "text": "w" * 500, "at": 0}
    welcome = {"type": "welcome", "name": "Ada", "room": "r" * 80, "members": ["m" * 90], "history": [said]}
    error = {"type": "error", "code": "too-long", "sentence": "e" * 300}
    for message in ({"time": long}, {"symbol": "S" * 20, "price": 1e15}, welcome, error):
        await connection.send(json.dumps(message))
    await connection.send(long)
    await echo(connection)


# A page hears before the next frame that its window is narrower.
WIDER = """() => new Promise(requestAnimationFrame).then(() =>
    document.documentElement.scrollWidth - document.documentElement.clientWidth)"""


@pytest.mark.parametrize("name", NAMES)
def test_a_page_keeps_to_its_frame(page: Page, here: Here, name: str) -> None:
    open_page(page, here.serve(wordy, name))
    expect(page.locator("#log")).to_contain_text("w" * 500)
    for width in (1400, 800, 320, 280):
        page.set_viewport_size({"width": width, "height": 360})
        assert page.evaluate(WIDER) == 0


HEIGHTS = """() => {
    const log = document.querySelector(".log:has(#log)");
    const padding = parseFloat(getComputedStyle(document.body).paddingBottom);
    const lowest = document.body.lastElementChild.getBoundingClientRect().bottom;
    return {
        "page": document.documentElement.scrollHeight - innerHeight,
        "below": Math.round(innerHeight - padding - lowest),
        "log scrolls": log.scrollHeight > log.clientHeight,
        "log is high": log.clientHeight >= 90,
    };
}"""


@pytest.mark.parametrize("name", NAMES)
def test_only_the_log_of_a_page_scrolls_and_it_takes_what_is_left(page: Page, here: Here, name: str) -> None:
    """A frame of a notebook has one scroll bar, not two, and nothing below the page is empty."""

    async def talk(connection: Any) -> None:
        welcome = {"type": "welcome", "name": "Ada", "room": "tea", "members": ["Ada"], "history": []}
        await connection.send(json.dumps(welcome))
        for number in range(100):
            await connection.send(f"message {number}")
        await echo(connection)

    open_page(page, here.serve(talk, name))
    expect(page.locator("#log")).to_contain_text("message 99")
    wanted = {"page": 0, "below": 0, "log scrolls": True, "log is high": True}
    for width, height in ((800, 560), (800, 460), (400, 700)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(HEIGHTS) == wanted, (width, height)


# The ratio of WCAG 2.2 §1.4.3 between each text and the nearest background that is painted behind it.
CONTRAST = """() => {
    const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => channels(colour).slice(0, 3).map((c) => c / 255)
        .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (e) => {
        const colour = getComputedStyle(e).backgroundColor;
        return channels(colour)[3] === 0 ? behind(e.parentElement) : colour;
    };
    const written = (e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
    const texts = [...document.body.querySelectorAll("*")]
        .filter((e) => e.checkVisibility() && (["INPUT", "SELECT"].includes(e.nodeName) || written(e)));
    return texts.map((e) => {
        const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
        return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.outerHTML.slice(0, 60)];
    });
}"""


@pytest.mark.parametrize("name", NAMES)
def test_every_text_is_readable_in_both_schemes(page: Page, here: Here, name: str) -> None:
    schemes: dict[Literal["light", "dark"], str] = {"light": LIGHT, "dark": DARK}
    open_page(page, here.serve(wordy, name))
    expect(page.locator("#log")).to_contain_text("w" * 500)
    for scheme, colour in schemes.items():
        page.emulate_media(color_scheme=scheme)
        paper = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert paper == colour, scheme
        ratios = page.evaluate(CONTRAST)
        assert len(ratios) > 10
        assert [each for each in ratios if each[0] < 4.5] == [], scheme


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_as_light_as_the_notebook_that_shows_it(page: Page, here: Here, scheme: Any) -> None:
    """JupyterLab has a theme of its own: a page of its origin follows it, also when it changes."""
    page.emulate_media(color_scheme=scheme)
    origin = f"http://127.0.0.1:{here.serve(echo, 'echo.html')}"
    notebook = f'<body data-jp-theme-light="false"><iframe src="{origin}/"></iframe>'
    page.route(f"{origin}/lab", lambda route: route.fulfill(body=notebook, content_type="text/html"))
    page.goto(f"{origin}/lab")
    body = page.frame_locator("iframe").locator("body")
    expect(body).to_have_css("background-color", DARK)
    page.evaluate("() => (document.body.dataset.jpThemeLight = 'true')")
    expect(body).to_have_css("background-color", LIGHT)


def test_a_notebook_does_not_keep_the_pages_that_it_no_longer_shows(page: Page, here: Here) -> None:
    """The page watches the theme of the notebook: that must not hold it in memory when it is gone."""
    origin = f"http://127.0.0.1:{here.serve(echo, 'echo.html')}"
    notebook = '<body data-jp-theme-light="false">'
    page.route(f"{origin}/lab", lambda route: route.fulfill(body=notebook, content_type="text/html"))
    page.goto(f"{origin}/lab")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    for _ in range(5):
        page.evaluate(
            "(src) => document.body.append(Object.assign(document.createElement('iframe'), {src}))",
            f"{origin}/",
        )
        expect(page.frame_locator("iframe").locator("body")).to_have_css("background-color", DARK)
        page.evaluate("() => document.querySelector('iframe').remove()")
    session.send("HeapProfiler.collectGarbage")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    assert metrics["Documents"] <= 2


def test_a_page_of_another_origin_follows_the_browser(page: Page, here: Here) -> None:
    page.emulate_media(color_scheme="dark")
    address = f"http://127.0.0.1:{here.serve(echo, 'echo.html')}/"
    notebook = f'<body data-jp-theme-light="true"><iframe src="{address}"></iframe>'
    answer = wslab.Response(200, "OK", wslab.Headers([("Content-Type", "text/html")]), notebook.encode())

    async def start() -> wslab.Server:
        return await wslab.serve(echo, process_request=lambda connection, request: answer)

    elsewhere = here.run(start())
    try:
        page.goto(f"http://127.0.0.1:{elsewhere.port}/")
        frame = page.frame_locator("iframe")
        expect(frame.locator("#state")).to_have_text("1 OPEN")
        expect(frame.locator("body")).to_have_css("background-color", DARK)
    finally:
        here.run(elsewhere.__aexit__())


@pytest.mark.parametrize("name", NAMES)
def test_every_control_is_reached_by_tab_and_has_a_name(page: Page, here: Here, name: str) -> None:
    open_page(page, here.serve(echo, name))
    controls = page.locator("input, select, button, [tabindex]").filter(visible=True).count()
    reached = []
    for _ in range(controls):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.outerHTML"))
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", reached[-1]
    assert len(set(reached)) == controls > 3
    snapshot = page.locator("body").aria_snapshot()
    for line in snapshot.splitlines():
        if any(role in line for role in ("- textbox", "- combobox", "- button", "- log", "- table")):
            assert '"' in line, line


@pytest.mark.parametrize("name", NAMES)
def test_a_page_works_behind_the_tunnel(page: Page, here: Here, jupyter: JupyterProcess, name: str) -> None:
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    port = here.serve(echo, name)
    page.goto(f"{jupyter.origin}{BASE_URL}api/status?token={jupyter.token}")  # logs in
    page.goto(f"{jupyter.origin}{jupyter.prefix}{port}/{name}")
    expect(page.locator("#state")).to_have_text("1 OPEN")
    assert faults == []


def test_the_policy_keeps_markup_from_a_page(page: Page, here: Here) -> None:
    open_page(page, here.serve(echo, "echo.html"))
    refused = page.evaluate(
        """(markup) => { try { document.body.innerHTML = markup } catch (error) { return error.name } }""",
        MARKUP,
    )
    assert refused == "TypeError"
    assert page.evaluate("() => window.hit") is None
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate("() => fetch('https://elsewhere.example/').catch(() => 0)")
