"""Take the pictures of the pages of lessons, with what crosses the wire: part of `make pictures`.

    docs/page-05.png    a text goes to an echo server as text and as bytes, and comes back
    docs/page-06.png    a server pushes the time
    docs/page-07.png    two clients chat, and one of them writes markup
    docs/page-09.png    the same line goes to an echo server three times, compressed
    docs/page-11.png    a worker is killed before it answers, and the line is sent to the next one

A real browser opens the page through a tap. Its clock stands still unless it is moved, so the same machine
draws the same files. The reading edition shows them where a notebook says only that the page would be there.
What they show is stored in them in words.
"""

import asyncio
import io
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.async_api import Browser, Page, async_playwright, expect
from websockets.asyncio.server import ServerConnection, serve

from tools.chat_cells import chat_cells
from wslab.lab import Tap, serve_page
from wslab.lab.wire.conversation import Conversation

WIDTH, SHARPNESS = 640, 1.5  # of the page in CSS pixels, and what the screen makes of one
TEN = 36000  # o'clock, where the page is
COLOURS = 128  # of a picture: text and flat grounds need no more

LOOK: dict[str, Any] = {"device_scale_factor": SHARPNESS, "color_scheme": "light", "timezone_id": "UTC"}
Cues = asyncio.Queue[None]  # by which the reader says to the server: now


@dataclass(frozen=True)
class Scene:
    """A page, how high its window is, what its server and its reader do, and the picture in words."""

    page: str
    height: int
    handler: Callable[[ServerConnection, Cues], Awaitable[None]]
    act: Callable[[Page, Cues], Awaitable[None]]
    words: str
    compression: str | None = None


async def echo(websocket: ServerConnection, _: Cues) -> None:
    """Send every message back."""
    async for message in websocket:
        await websocket.send(message)


async def say_hello(page: Page, _: Cues) -> None:
    """Send a text, then the same as bytes."""
    for kind in ("text", "binary"):
        await page.locator("#kind").select_option(kind)
        await page.locator("#send button").click()
    await expect(page.locator("#log > *")).to_have_count(4)


async def say_it_again(page: Page, _: Cues) -> None:
    """Send the same line three times."""
    await page.locator("#text").fill("Is anybody here?")
    for number in range(1, 4):
        await page.locator("#send button").click()
        await expect(page.locator("#log > *")).to_have_count(2 * number)


async def push(websocket: ServerConnection, cues: Cues) -> None:
    """Push a tick at each cue, until the client goes."""
    for number in range(1, 4):
        await cues.get()
        await websocket.send(json.dumps({"time": f"10:00:0{number}", "number": number}))
    await websocket.wait_closed()


async def watch(page: Page, cues: Cues) -> None:
    """Let three seconds pass for the page, with a tick in each."""
    for number in range(1, 4):
        await page.evaluate(f"globalThis.seconds = {number}")
        cues.put_nowait(None)
        await expect(page.locator("#clock")).to_have_text(f"10:00:0{number}")


async def tea(websocket: ServerConnection, _: Cues) -> None:
    """Serve a chat in which Eve has been before; she never reads."""
    clock = SimpleNamespace(time=lambda: TEN, monotonic=time.monotonic)
    room = chat_cells(time=clock)
    eve = room.Member(None)
    room.join(eve, "Eve", "tea")
    room.say(eve, "<b>Markup</b> stays text.")
    await room.chat(websocket)


async def answer(page: Page, _: Cues) -> None:
    """Write a line to the room."""
    await expect(page.locator("#log")).to_contain_text("Markup")
    await page.locator("#text").fill("So it does.")
    await page.keyboard.press("Enter")
    await expect(page.locator("#log")).to_contain_text("So it does.")


async def store(websocket: ServerConnection, _: Cues) -> None:
    """Serve as a worker that is killed before it answers a second message, or as the next one."""
    fresh = "last=0-0" in websocket.request.path  # type: ignore[union-attr]
    async for text in websocket:
        if fresh and "Is" in text:
            return websocket.transport.abort()
        await websocket.send(json.dumps({"id": f"179534880025{'0' if fresh else '4'}-0", "m": text}))
        await websocket.send(json.dumps({"ack": json.loads(text)["key"]}))


async def lose_a_worker(page: Page, _: Cues) -> None:
    """Send a line, and a second one that a worker takes to its grave."""
    for number, text in enumerate(("Hello", "Is anyone there?"), start=1):
        await page.locator("#text").fill(text)
        await page.keyboard.press("Enter")
        await expect(page.locator("#log > *")).to_have_count(number)


SCENES = {
    "page-05.png": Scene(
        "echo.html",
        390,
        echo,
        say_hello,
        "The page of an echo server, and its wire. The page has sent Hello as a text and as bytes, and lists "
        "both with their answers. Below, the four frames: TEXT from the client and from the server, then "
        "BINARY. Those of the client are four bytes longer, because it masks what it sends.",
    ),
    "page-06.png": Scene(
        "clock.html",
        430,
        push,
        watch,
        "The page of a clock, and its wire. The page shows 10:00:03 and lists three arrivals, one each "
        "second, none missed. Below, three TEXT frames, all from the server: the client asked for nothing.",
    ),
    "page-07.png": Scene(
        "chat.html?name=Fay&room=tea",
        340,
        tea,
        answer,
        "The page of a chat, and its wire. Fay and Eve are in the room tea. Eve has written HTML tags around "
        "a word, and they are shown as text; Fay answers. Below, the frames: Fay's join, the welcome with "
        "the line of Eve in it, the line of Fay, and the same line as the server sends it to everyone.",
    ),
    "page-09.png": Scene(
        "echo.html",
        460,
        echo,
        say_it_again,
        "The page of an echo server, and its wire. The page has sent the same line of 16 letters three "
        "times, and lists each line with its answer. Below, six TEXT frames, compressed: the first of the "
        "client has 24 bytes, the next two only 11 and 10.",
        compression="deflate",
    ),
    "page-11.png": Scene(
        "scale.html",
        330,
        store,
        lose_a_worker,
        "A page of the chat, and its wire. The page lists two lines with their ids and says that everything "
        "sent is stored. Below, the frames: Hello, the same line with its id, and its acknowledgement. Then "
        "a second line that nobody answers. On a new connection the page sends it again, under the same "
        "key, and receives it with its id and an acknowledgement.",
    ),
}


async def shot(browser: Browser, scene: Scene) -> list[bytes]:
    """Return the picture of a page after the scene, and that of its frames on the wire."""
    options: dict[str, Any] = {"compression": scene.compression}
    options["process_request"] = serve_page(scene.page.partition("?")[0])
    cues: Cues = asyncio.Queue()

    async def handler(websocket: ServerConnection) -> None:
        await scene.handler(websocket, cues)

    async with (
        asyncio.timeout(30),
        serve(handler, "127.0.0.1", 0, **options) as server,
        Tap(server.sockets[0].getsockname()[1]) as tap,
    ):
        look: dict[str, Any] = {
            "device_scale_factor": SHARPNESS,
            "color_scheme": "light",
            "timezone_id": "UTC",
        }
        page = await browser.new_page(viewport={"width": WIDTH, "height": scene.height}, **look)
        await page.add_init_script("performance.now = () => 1000 * (globalThis.seconds ?? 0)")
        await page.add_init_script("Math.random = () => 0.7")
        await page.goto(f"http://127.0.0.1:{tap.port}/{scene.page}")
        await scene.act(page, cues)
        above = await page.screenshot()
        rows = Conversation([row for row in tap.conversation() if row.kind == "frame"])
        await page.close()
        page = await browser.new_page(viewport={"width": WIDTH, "height": 100}, **LOOK)
        await page.set_content(f'<body style="font-family:sans-serif;font-size:13px">{rows._repr_html_()}')
        return [above, await page.screenshot(full_page=True)]


def joined(pictures: list[bytes], words: str) -> bytes:
    """Return pictures below each other as one PNG that says in words what it shows."""
    parts = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    whole = Image.new("RGB", (max(part.width for part in parts), sum(part.height for part in parts)), "white")
    top = 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    said, file = PngInfo(), io.BytesIO()
    said.add_text("Description", words)
    whole.quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", pnginfo=said, optimize=True)
    return file.getvalue()


async def page_pictures(chromium: str) -> dict[str, bytes]:
    """Return the PNG of each scene by its file name."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=arguments)
        found = {name: joined(await shot(browser, scene), scene.words) for name, scene in SCENES.items()}
        await browser.close()
        return found
