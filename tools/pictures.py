"""Draw the pictures of the README from the running course: `make pictures`.

A real client says one word to a real server; the tap and the dissector draw what they saw. The same run gives
the same files, octet for octet.
"""

import asyncio
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from wslab.lab import Tap

DOCS = Path(__file__).resolve().parent.parent / "docs"


async def echo(websocket: ServerConnection) -> None:
    """Send every message back."""
    async for message in websocket:
        await websocket.send(message)


async def draw() -> dict[str, bytes]:
    """Hold the conversation; return the PNG of each picture by its file name."""
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
        return {"conversation.png": tap.figure().png(), "frame.png": reply.figure().png()}


if __name__ == "__main__":
    DOCS.mkdir(exist_ok=True)
    for name, picture in asyncio.run(draw()).items():
        (DOCS / name).write_bytes(picture)
        print(f"docs/{name}")
