"""The four ways of lesson 01, for tests: as short as they go, and each known to work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web
from websockets.asyncio.client import connect

from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.ways import Way, ask, every, through, websocket_server

__all__ = ["HELD", "PUSHED", "STREAMED", "polling"]

Learn = Callable[[str], None]


async def answer(clock: Clock, request: web.Request) -> web.Response:
    return web.Response(text=clock.text)


async def poll(port: int, learn: Learn, interval: float) -> None:
    async with ask(port) as session:
        async for _ in every(interval):
            async with session.get("/") as response:
                learn(await response.text())


async def answer_later(clock: Clock, request: web.Request) -> web.Response:
    return web.Response(text=await clock.other_than(request.query["known"]))


async def poll_long(port: int, learn: Learn) -> None:
    known = "--:--:--"
    async with ask(port) as session:
        while True:
            async with session.get("/", params={"known": known}) as response:
                known = await response.text()
            learn(known)


async def stream(clock: Clock, request: web.Request) -> None:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    async for text in clock.readings():
        await response.write(f"data: {text}\n\n".encode())


async def follow(port: int, learn: Learn) -> None:
    async with ask(port) as session, session.get("/") as response:
        async for line in response.content:
            if line.startswith(b"data: "):
                learn(line[6:].decode().strip())


async def push(clock: Clock, websocket: Any) -> None:
    async for text in clock.readings():
        await websocket.send(text)


async def listen(port: int, learn: Learn) -> None:
    async with connect("ws://clock.example", **through(port)) as websocket:
        async for text in websocket:
            learn(str(text))


def polling(interval: float) -> Way:
    return Way("polling", answer, poll, interval)


HELD = Way("long polling", answer_later, poll_long)
STREAMED = Way("server-sent events", stream, follow)
PUSHED = Way("WebSocket", push, listen, server=websocket_server)
