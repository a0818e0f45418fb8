"""Take the pictures of the pages of lessons, with the wire beside them: part of `make pictures`.

    docs/page-00.png    one word goes to an echo server and comes back
    docs/page-05.png    a text goes to an echo server as text and as bytes, and comes back
    docs/page-06.png    a server pushes the time
    docs/page-07.png    two people chat, and one of them writes markup
    docs/page-08.png    a bank's page and a foreign one read the same balance, in two tabs
    docs/page-09.png    the same line goes to an echo server three times, compressed
    docs/page-10.png    a page whose wire is cut comes back, and misses nothing
    docs/page-11.png    a worker is killed before it answers, and the line is sent to the next one

A real browser shows what `show` puts into the notebook of a learner with a kernel: the pages and, live, what
crosses the tap. Time stands still unless a scene moves it, so the same machine draws the same files. The
reading edition shows them where a notebook says only that the page would be there. What they show is stored
in them in words.
"""

import asyncio
import io
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.async_api import Browser, Frame, Page, Route, async_playwright, expect
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.http11 import Request, Response

from tools.chat_cells import chat_cells
from tools.lesson_cells import await_cells
from wslab.lab import Tap, serve_page, show
from wslab.lab.browser.wire import live_wire
from wslab.lab.wire.film import dimmed
from wslab.lessons import check
from wslab.lessons.resilience import right
from wslab.lessons.resilience.page import page as feed_files

WIDTH, HEIGHT, SHARPNESS = 1000, 900, 1.5  # of the output in CSS pixels, and what the screen makes of one
TEN = 36000  # o'clock, where the page is
COLOURS = 128  # of a picture: text and flat grounds need no more
LOOK: dict[str, Any] = {"device_scale_factor": SHARPNESS, "color_scheme": "light", "timezone_id": "UTC"}
FIXED = "performance.now = () => 1000 * (globalThis.seconds ?? 0); Math.random = () => 0.7"
# What the server sends to two pages at one moment passes in any order: the shorter first, after the client's.
IN_ORDER = """() => {
    const rows = document.getElementById("rows");
    rows.append(...[...rows.rows].sort((a, b) =>
        a.cells[0].textContent - b.cells[0].textContent
        || b.classList.contains("client") - a.classList.contains("client")
        || a.cells[2].textContent - b.cells[2].textContent));
}"""


@dataclass
class Stage:
    """What a scene is played on: the pages, and the one clock of pages and tap."""

    pages: list[Frame] = field(default_factory=list)
    wire: Frame | None = None
    seconds: float = 0.0
    cues: asyncio.Queue[None] = field(default_factory=asyncio.Queue)  # the reader says to the server: now

    async def at(self, seconds: float) -> None:
        """Move the clock."""
        self.seconds = seconds
        for page in self.pages:
            await page.evaluate(f"globalThis.seconds = {seconds}")

    async def passed(self, frames: int, *, choose: bool = True) -> None:
        """Wait until the wire shows so many frames, then ask it for the fields of the newest."""
        assert self.wire is not None
        rows = self.wire.locator("#rows tr:not(.http):not(.tap)")
        await expect(rows).to_have_count(frames)
        if len(self.pages) > 1:
            await self.wire.evaluate(IN_ORDER)
        if choose:
            await rows.last.click()
            await expect(self.wire.locator("#fields h2")).to_be_visible()
            await self.wire.page.mouse.move(0, 0)  # what the pointer rests on would be marked


async def no_files() -> None:
    """Leave a page to the course."""


@dataclass(frozen=True)
class Scene:
    """The pages, how high they are, what their server and their readers do, and the picture in words."""

    pages: tuple[str, ...]
    height: int
    handler: Callable[[ServerConnection, Stage], Awaitable[None]]
    act: Callable[[Stage], Awaitable[None]]
    words: str
    compression: str | None = None
    ready: str = "Connected"
    files: Callable[[], Awaitable[dict[str, str] | None]] = no_files

    async def shot(self, browser: Browser) -> bytes:
        """Return the picture of pages and wire after the scene."""
        options: dict[str, Any] = {"compression": self.compression}
        options["process_request"] = serve_page(self.pages[0].partition("?")[0], await self.files())
        stage = Stage()

        async def handler(websocket: ServerConnection) -> None:
            await self.handler(websocket, stage)

        async with (
            asyncio.timeout(30),
            serve(handler, "127.0.0.1", 0, **options) as server,
            Tap(server.sockets[0].getsockname()[1]) as tap,
        ):
            tap._recording.clock = lambda now: stage.seconds  # type: ignore[method-assign]
            page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, **LOOK)
            await page.add_init_script(FIXED)
            shown = show(tap.port, *self.pages, wire=tap, height=self.height).value
            await open_pages(page, stage, self, shown)
            await self.act(stage)
            picture = await page.locator("body > div").screenshot()
            await page.goto("about:blank")  # the pages close their connections
            await page.close()
            return picture


@dataclass(frozen=True)
class Hijack:
    """The bank's page of lesson 08 and a foreign one, in two tabs of a browser, and the picture in words."""

    words: str

    async def shot(self, browser: Browser) -> bytes:
        """Return the picture of both tabs, above the wire of the bank."""
        names: dict[str, Any] = {}
        await await_cells("08", names, "08-setup", "08-cookies", "08-bank-pages", "08-bank-serve")
        bank, foreign, stage, tabs = names["bank_server"], names["foreign_server"], Stage(), []
        async with asyncio.timeout(30), bank, foreign, Tap(bank.port) as tap:
            tap._recording.clock = lambda now: stage.seconds  # type: ignore[method-assign]
            names["reached"].append(tap.port)
            context = await browser.new_context(viewport={"width": WIDTH // 2, "height": 300}, **LOOK)
            places = f"{tap.port}/bank.html", f"{foreign.port}/foreign.html?bank={tap.port}"
            for stage.seconds, place in enumerate(places):
                page = await context.new_page()
                await page.goto(f"http://127.0.0.1:{place}")
                await expect(page.locator("#log")).to_contain_text("cookies that came")
                tabs.append(await page.screenshot())
            page = await browser.new_page(viewport={"width": WIDTH, "height": 240}, **LOOK)
            live = live_wire(tap)
            await page.goto(f"http://127.0.0.1:{live.port}/{live.path}")
            stage.wire = page.main_frame
            await stage.passed(4, choose=False)
            wire = await page.screenshot()
            await context.close()
            await page.close()
        return joined(tabs, wire)


async def echo(websocket: ServerConnection, _: Stage) -> None:
    """Send every message back."""
    async for message in websocket:
        await websocket.send(message)


async def say_one_word(stage: Stage) -> None:
    """Send the word that is there, once."""
    [page] = stage.pages
    await page.locator("#send button").click()
    await expect(page.locator("#log > *")).to_have_count(2)
    await stage.passed(2)


async def say_hello(stage: Stage) -> None:
    """Send a text, then the same as bytes."""
    [page] = stage.pages
    for number, kind in enumerate(("text", "binary"), 1):
        await stage.at(number)
        await page.locator("#kind").select_option(kind)
        await page.locator("#send button").click()
        await expect(page.locator("#log > *")).to_have_count(2 * number)
    await stage.passed(4)


async def say_it_again(stage: Stage) -> None:
    """Send the same line three times."""
    [page] = stage.pages
    await page.locator("#text").fill("Is anybody here?")
    for number in range(1, 4):
        await stage.at(number)
        await page.locator("#send button").click()
        await expect(page.locator("#log > *")).to_have_count(2 * number)
    await stage.passed(6)


async def push(websocket: ServerConnection, stage: Stage) -> None:
    """Push a tick at each cue, until the client goes."""
    for number in range(1, 4):
        await stage.cues.get()
        await websocket.send(json.dumps({"number": number, "time": f"10:00:0{number}"}))
    await websocket.wait_closed()


async def watch(stage: Stage) -> None:
    """Let three seconds pass for the page, with a tick in each."""
    for number in range(1, 4):
        await stage.at(number)
        stage.cues.put_nowait(None)
        await expect(stage.pages[0].locator("#clock")).to_have_text(f"10:00:0{number}")
    await stage.passed(3)


class Tea:
    """The chat of lesson 07, at ten o'clock."""

    def __init__(self) -> None:
        self._chat: Any = None

    async def __call__(self, websocket: ServerConnection, _: Stage) -> None:
        clock = SimpleNamespace(time=lambda: TEN, monotonic=time.monotonic)
        self._chat = self._chat or chat_cells(time=clock).chat
        await self._chat(websocket)


async def talk(stage: Stage) -> None:
    """Fay writes markup, Gus answers."""
    fay, gus = stage.pages
    for number, (page, text) in enumerate([(fay, "<b>Markup</b> stays text."), (gus, "So it does.")], 2):
        await stage.at(number)
        await page.locator("#text").fill(text)
        await page.locator("#text").press("Enter")
        for each in stage.pages:
            await expect(each.locator("#log")).to_contain_text(text)
    await stage.passed(11, choose=False)


async def store(websocket: ServerConnection, _: Stage) -> None:
    """Serve as a worker that is killed before it answers a second message, or as the next one."""
    fresh = "last=0-0" in websocket.request.path  # type: ignore[union-attr]
    async for text in websocket:
        if fresh and "Is" in text:
            return websocket.transport.abort()
        await websocket.send(json.dumps({"id": f"179534880025{'0' if fresh else '4'}-0", "m": text}))
        await websocket.send(json.dumps({"ack": json.loads(text)["key"]}))


async def lose_a_worker(stage: Stage) -> None:
    """Send a line, and a second one that a worker takes to its grave."""
    [page] = stage.pages
    for number, text in enumerate(("Hello", "Is anyone there?"), start=1):
        await stage.at(number)
        await page.locator("#text").fill(text)
        await page.locator("#text").press("Enter")
        await expect(page.locator("#log > *")).to_have_count(number)
    await stage.passed(7, choose=False)


class Feed:
    """The feed and the page of lesson 10, from its cells."""

    def __init__(self) -> None:
        self._feed: Any = None

    async def files(self) -> dict[str, str]:
        """Begin a new feed, and return the files of its page."""
        names: dict[str, Any] = {"check": check, "my_replay": None, "right": right}
        await await_cells("10", names, "r10-feed-names", "r10-1818c6fb", "r10-f1a4bb53", "r10-feed-js")
        names["broadcast"] = broadcast  # to connections of websockets
        self._feed = names["Feed"]()
        return feed_files(names["feed_js"])

    async def __call__(self, websocket: ServerConnection, _: Stage) -> None:
        await self._feed.handler(websocket)

    async def cut(self, stage: Stage) -> None:
        """Publish three prices, cut the wire, publish three more while the page is away, then another one."""
        [page], wire = stage.pages, stage.wire
        assert wire is not None
        for seconds, prices, received in ((1, (97, 98, 99), 3), (3, (100, 101, 102), 6), (4, (103,), 7)):
            if seconds == 3:
                await stage.at(2)
                await wire.get_by_role("button", name="Cut").click()
                await expect(page.locator("#state")).to_contain_text("1006")
            await stage.at(seconds)
            for price in prices:
                self._feed.publish("ACME", price)
            await expect(page.locator("#received")).to_have_text(str(received))
        await stage.passed(8, choose=False)


FEED = Feed()
SCENES: dict[str, Scene | Hijack] = {
    "page-00.png": Scene(
        ("echo.html",),
        480,
        echo,
        say_one_word,
        "The page of an echo server, and the live wire beside it. The page has sent Hello and lists the word "
        "and its echo. On the wire are the two frames: TEXT from the client, TEXT from the server. The "
        "second one is chosen, and its fields are shown bit by bit.",
    ),
    "page-05.png": Scene(
        ("echo.html",),
        480,
        echo,
        say_hello,
        "The page of an echo server, and the live wire beside it. The page has sent Hello as a text and as "
        "bytes, and lists both with their answers. On the wire are the four frames: TEXT from the client and "
        "from the server, then BINARY. Those of the client are four bytes longer, because it masks what it "
        "sends. The last frame is chosen, and its fields are shown bit by bit.",
    ),
    "page-06.png": Scene(
        ("clock.html",),
        480,
        push,
        watch,
        "The page of a clock, and the live wire beside it. The page shows 10:00:03 and lists three arrivals, "
        "one each second, none missed. On the wire are three TEXT frames, all from the server: the client "
        "asked for nothing. The last one is chosen, and its fields are shown bit by bit.",
    ),
    "page-07.png": Scene(
        ("chat.html?name=Fay&room=tea", "chat.html?name=Gus&room=tea"),
        340,
        Tea(),
        talk,
        "Two pages of a chat, and the live wire below them. Fay and Gus are in the room tea. Fay has sent "
        "HTML tags around a word, and both pages show them as text; Gus answers. On the wire, each line goes "
        "to the server once and from the server to both pages.",
        ready="you are",
    ),
    "page-08.png": Hijack(
        "Two pages in two tabs of one browser, and the live wire of the bank below them. The bank's page "
        "shows the balance, 1000, and that two cookies came. The foreign page, Win a prize, cannot read the "
        "answer to HTTP (CORS). By WebSocket it shows the same balance, and that the same cookies came. On "
        "the wire are four TEXT frames from the server: it told the second page what it told the first.",
    ),
    "page-09.png": Scene(
        ("echo.html",),
        480,
        echo,
        say_it_again,
        "The page of an echo server, and the live wire beside it. The page has sent the same line of 16 "
        "letters three times, and lists each line with its answer. On the wire are six TEXT frames, "
        "compressed: the first of the client has 24 bytes, the next two only 11 and 10.",
        compression="deflate",
    ),
    "page-10.png": Scene(
        ("feed.html",),
        480,
        FEED,
        FEED.cut,
        "The page of a feed, and the live wire beside it. The page has received messages 1 to 3, was closed "
        "with 1006, waited 2.8 seconds and opened again. Then messages 4 to 6 arrived at once, and 7. It "
        "counts seven received, none missing, none twice. On the wire are a snapshot and messages 1 to 3, "
        "the cut, and on the next connection messages 4 to 7, without a second snapshot.",
        ready="snapshot",
        files=FEED.files,
    ),
    "page-11.png": Scene(
        ("scale.html",),
        330,
        store,
        lose_a_worker,
        "A page of the chat, and the live wire beside it. The page lists two lines with their ids and says "
        "that everything sent is stored. On the wire are Hello, the same line with its id, and its "
        "acknowledgement. Then comes a second line that nobody answers. On a new connection the page sends "
        "it again, under the same key, and receives it with its id and an acknowledgement.",
    ),
}


def respond(shown: str) -> Callable[[ServerConnection, Request], Response]:
    """Return what answers a request with one page, in place of Jupyter: no other site may frame the pages."""

    def process(connection: ServerConnection, _: Request) -> Response:
        response = connection.respond(200, f'<!doctype html><body style="font: 13px sans-serif">{shown}')
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        return response

    return process


async def open_pages(page: Page, stage: Stage, scene: Scene, shown: str) -> None:
    """Show the pages one after the other, so that the same one comes first each time."""
    first = asyncio.Event()

    async def hold(route: Route) -> None:
        await first.wait()
        await route.continue_()

    await page.route(lambda url: url.endswith(scene.pages[1:]), hold)
    process = respond(shown)
    async with serve(ServerConnection.wait_closed, "127.0.0.1", 0, process_request=process) as jupyter:
        address = f"http://127.0.0.1:{jupyter.sockets[0].getsockname()[1]}/"
        await page.goto(address, wait_until="domcontentloaded")
    for frame in await page.locator("iframe").all():
        found = await (await frame.element_handle()).content_frame()
        assert found is not None
        stage.pages.append(found)
    stage.wire = stage.pages.pop()
    for number, each in enumerate(stage.pages):
        stage.seconds = number
        if number:
            first.set()
        await expect(each.locator("body")).to_contain_text(scene.ready)


def joined(above: list[bytes], below: bytes) -> bytes:
    """Return pictures beside each other, with another one below them."""
    tops, bottom = [Image.open(io.BytesIO(each)) for each in above], Image.open(io.BytesIO(below))
    whole = Image.new("RGB", (bottom.width, tops[0].height + bottom.height), "white")
    for number, each in enumerate(tops):
        whole.paste(each, (number * each.width, 0))
    whole.paste(bottom, (0, tops[0].height))
    file = io.BytesIO()
    whole.save(file, "PNG")
    return file.getvalue()


def described(picture: bytes, words: str) -> bytes:
    """Return a picture as a small PNG that says in words what it shows."""
    said, file = PngInfo(), io.BytesIO()
    said.add_text("Description", words)
    whole = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    colours, opacities = dimmed(whole.getpalette() or [])  # it is on a dark page what figures are there
    whole.putpalette(colours)
    whole.save(file, "PNG", pnginfo=said, optimize=True, transparency=opacities)
    return file.getvalue()


async def page_pictures(chromium: str) -> dict[str, bytes]:
    """Return the PNG of each scene by its file name."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=arguments)
        found = {name: described(await scene.shot(browser), scene.words) for name, scene in SCENES.items()}
        await browser.close()
        return found
