"""A real browser and a server of ours compress for each other, whatever the server wants of it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.here import Here
from wslab import Deflate

pytestmark = pytest.mark.browser

TALK = """async (port) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  socket.binaryType = "arraybuffer";
  const noise = crypto.getRandomValues(new Uint8Array(5000));
  const hello = "Hello ".repeat(50);
  const sent = [hello, "µ".repeat(1000), "", noise.buffer, hello, "x".repeat(3e5)];
  const written = (data) => typeof data === "string" ? data : new Uint8Array(data).join();
  await new Promise((opened) => { socket.onopen = opened; });
  const agreed = socket.extensions;
  for (const message of sent) {
    socket.send(message);
    const back = await new Promise((come) => { socket.onmessage = (event) => come(event.data); });
    if (written(message) !== written(back)) return "another message came back";
  }
  socket.close(1000);
  return agreed;
}"""


async def echo(connection: Any) -> None:
    assert connection.compression is not None
    async for message in connection:
        await connection.send(message)


@pytest.mark.parametrize(
    ("wanted", "agreed"),
    [
        ("deflate", str(Deflate())),
        (Deflate(True, True, 15, 15), str(Deflate(True, True, 15, None))),
        (Deflate(False, True, 9, 9), str(Deflate(False, True, 9, 9))),
        (Deflate(True, False, None, None), str(Deflate(True, False, None, None))),
    ],
)
def test_a_browser_and_a_server_compress_for_each_other(
    page: Page, here: Here, wanted: Any, agreed: str
) -> None:
    port = here.serve(echo, "echo.html", "wslab", compression=wanted)
    page.goto(f"http://127.0.0.1:{port}/no-page")  # an origin of its own, without a page that talks
    assert page.evaluate(TALK, port) == agreed
    assert here.next()[0] == 1000
