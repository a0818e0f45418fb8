"""Draw the pictures of the README from the running course: `make pictures`.

    docs/film.png            the same conversation as a film: bytes that cross and become arrows
    docs/conversation.png    a real client says one word to a real server, as the tap and the dissector see it
    docs/race.png            the race of lesson 01, with the numbers that the lesson stores
    docs/chat.png            the page of lesson 07, in two windows of an installed Chromium or Chrome
    docs/page-….png          for the reading edition, see `page_pictures`

The same machine draws the same files each time, byte for byte: the race is not run again, and the clock of
the chat stands still.
"""

import asyncio
import base64
import io
import os
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import numpy
from matplotlib.image import imread, imsave
from numpy.typing import NDArray
from playwright.async_api import Page, async_playwright, expect
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from tools.chat_cells import chat_cells
from tools.page_pictures import page_pictures
from wslab.frames import Frame, Opcode, encode_frame
from wslab.handshake import build_request
from wslab.lab import Tap
from wslab.lab.browser.serve import serve_page

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
RACE = ROOT / "notebooks" / "01-polling-vs-websocket.ipynb"
RACE_CELL = "trade(results, costs)"  # draws the picture of it
WIDTH, HEIGHT, SHARPNESS = 455, 370, 1.6  # of a window in CSS pixels, and what the screen makes of one
EDGE, MARGIN = 2, 14  # pixels around a window: its line, and the white around it
Pixels = NDArray[Any]  # height × width × colours, from 0 to 1
KEY, MASKING_KEY = "dGhlIHNhbXBsZSBub25jZQ==", bytes.fromhex("37fa213d")  # those of RFC 6455, §1.3 and §5.7
TEN = SimpleNamespace(
    time=lambda: 10 * 3600.0, monotonic=time.monotonic
)  # o'clock, in the time zone of the windows
SAID = [("Ada", "Is anyone here?"), ("Bob", "Yes, <b>Bob</b>."), ("Ada", "Markup stays text.")]
NO_BROWSER = (
    "docs/chat.png is as it was: no Chromium on the PATH. On Debian and Ubuntu: sudo apt install chromium; "
    "elsewhere set WSLAB_CHROMIUM to the program of an installed Chromium or Chrome."
)


def pixels(png: bytes) -> Pixels:
    """Return the rows of a PNG."""
    found: Pixels = imread(io.BytesIO(png))
    return found


def stored(rows: Pixels) -> bytes:
    """Return rows of pixels as a PNG that does not tell with what it was made."""
    file = io.BytesIO()
    nothing: dict[str, Any] = {"Software": None}
    imsave(file, rows, metadata=nothing)
    return file.getvalue()


def framed(window: Pixels) -> Pixels:
    """Return a picture of a window with a grey line around it, on white."""
    for width, shade in ((EDGE, 0.6), (MARGIN, 1.0)):
        window = numpy.pad(window, ((width, width), (width, width), (0, 0)), constant_values=shade)
    return window


async def echo(websocket: ServerConnection) -> None:
    """Send every message back."""
    async for message in websocket:
        await websocket.send(message)


async def conversation() -> bytes:
    """Hold a conversation of one word; return the PNG of it, and of the frame that brings the word back."""
    async with (
        asyncio.timeout(30),
        serve(echo, "127.0.0.1", 0, compression=None) as server,
        Tap(server.sockets[0].getsockname()[1]) as tap,
    ):
        uri = f"ws://127.0.0.1:{tap.port}/hello"
        async with connect(uri, compression=None, proxy=None) as websocket:
            await websocket.send("Hello")
            await websocket.recv()
        await tap.closed()
        reply = tap.conversation()[3].dissection
        assert reply is not None
        return stored(numpy.vstack([pixels(tap.figure().png()), pixels(reply.figure().png())]))


async def film() -> bytes:
    """Hold the same conversation with fixed keys, because a film shows every byte; return it as a film."""
    async with (
        asyncio.timeout(30),
        serve(echo, "127.0.0.1", 0, compression=None) as server,
        Tap(server.sockets[0].getsockname()[1]) as tap,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", tap.port)
        writer.write(build_request("127.0.0.1", "/hello", key=KEY).encode())
        await tap.seen("101")
        for opcode, payload in ((Opcode.TEXT, b"Hello"), (Opcode.CLOSE, (1000).to_bytes(2, "big"))):
            writer.write(encode_frame(Frame(opcode, payload), MASKING_KEY))
            await tap.seen(opcode.name, "server")
        await reader.read()
        writer.close()
        await tap.closed()
        return tap.film().png()


def race() -> bytes:
    """Return the PNG that lesson 01 stores of its race."""
    cells = nbformat.read(RACE, as_version=4).cells
    [cell] = [cell for cell in cells if cell.source == RACE_CELL]
    return base64.b64decode(cell.outputs[0].data["image/png"])


async def chat(chromium: str) -> bytes:
    """Let two windows of a browser talk to each other; return one PNG of both."""
    async with (
        asyncio.timeout(60),
        serve(chat_cells(time=TEN).chat, "127.0.0.1", 0, process_request=serve_page("chat.html")) as server,
        async_playwright() as playwright,
    ):
        port = server.sockets[0].getsockname()[1]
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
        browser = await playwright.chromium.launch(executable_path=chromium, args=arguments)
        windows: dict[str, Page] = {}
        for name in ("Ada", "Bob"):
            windows[name] = await browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT},
                device_scale_factor=SHARPNESS,
                timezone_id="UTC",
                color_scheme="light",
            )
            await windows[name].goto(f"http://127.0.0.1:{port}/?name={name}&room=tea")
            for window in windows.values():
                await expect(window.locator("#members > *")).to_have_count(len(windows))
        for name, text in SAID:
            await windows[name].locator("#text").fill(text)
            await windows[name].keyboard.press("Enter")
            for window in windows.values():
                await expect(window.locator("#log")).to_contain_text(text)
        shots = [await window.screenshot() for window in windows.values()]
        await browser.close()
        return stored(numpy.hstack([framed(pixels(shot)) for shot in shots]))


def main() -> str | None:
    """Write the pictures; return a sentence if one of them could not be drawn."""
    chromium = os.environ.get("WSLAB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    DOCS.mkdir(exist_ok=True)
    pictures = {"film.png": asyncio.run(film()), "conversation.png": asyncio.run(conversation())}
    pictures["race.png"] = race()
    if chromium:
        pictures["chat.png"] = asyncio.run(chat(chromium))
        pictures |= asyncio.run(page_pictures(chromium))
    for name, picture in pictures.items():
        (DOCS / name).write_bytes(picture)
        print(f"docs/{name}")
    return None if chromium else NO_BROWSER


if __name__ == "__main__":
    sys.exit(main())
