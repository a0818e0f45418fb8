"""The four ways of lesson 01, for tests: as short as they go, and each known to work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import aiohttp
from aiohttp import web
from websockets.asyncio.client import connect

from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.ways import Way, websocket_server

__all__ = ["HELD", "PUSHED", "STREAMED", "Learn", "answer", "poll_long", "polling"]

HEADS = {"User-Agent": "lesson", "Accept-Encoding": "identity"}
Learn = Callable[[str], None]


async def answer(clock: Clock, request: web.Request) -> web.Response:
    return web.Response(text=clock.text)


async def poll(url: str, learn: Learn, interval: float) -> None:
    async with aiohttp.ClientSession(headers=HEADS) as session:
        while True:
            async with session.get(url) as response:
                learn(await response.text())
            await asyncio.sleep(interval)


async def answer_later(clock: Clock, request: web.Request) -> web.Response:
    while clock.text == request.query["known"]:
        await clock.changed.wait()
    return web.Response(text=clock.text)


async def poll_long(url: str, learn: Learn) -> None:
    known = "--:--:--"
    async with aiohttp.ClientSession(headers=HEADS) as session:
        while True:
            async with session.get(url, params={"known": known}) as response:
                known = await response.text()
            learn(known)


async def readings(clock: Clock) -> AsyncIterator[str]:
    number = clock.number
    while True:
        yield clock.reading(number)
        while number == clock.number:
            await clock.changed.wait()
        number += 1


async def stream(clock: Clock, request: web.Request) -> None:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    async for text in readings(clock):
        await response.write(f"data: {text}\n\n".encode())


async def follow(url: str, learn: Learn) -> None:
    async with aiohttp.ClientSession(headers=HEADS) as session, session.get(url) as response:
        async for line in response.content:
            if line.startswith(b"data: "):
                learn(line[6:].decode().strip())


async def push(clock: Clock, websocket: Any) -> None:
    async for text in readings(clock):
        await websocket.send(text)


async def listen(url: str, learn: Learn) -> None:
    async with connect(url, compression=None) as websocket:
        async for text in websocket:
            learn(str(text))


def polling(interval: float) -> Way:
    client = partial(poll, interval=interval)
    return Way(f"polling, {interval * 1000:g} ms", answer, client, interval)


HELD = Way("long polling", answer_later, poll_long, 0)
STREAMED = Way("server-sent events", stream, follow)
PUSHED = Way("WebSocket", push, listen, server=websocket_server)
