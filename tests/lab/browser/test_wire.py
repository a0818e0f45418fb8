"""The server of the live wire: who may see it, what it is asked, how it ends, and that it stays bounded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

import wslab
from wslab.lab.browser import wire as module
from wslab.lab.browser.show import show
from wslab.lab.browser.wire import LiveWire, live_wire
from wslab.lab.wire.tap import Tap


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await work
            if left := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(left)  # every view ends with its tap

    asyncio.run(bounded())


async def echo(ws: Any) -> None:
    async for message in ws:
        await ws.send(message)


@asynccontextmanager
async def tapped() -> AsyncIterator[Tap]:
    async with wslab.serve(echo) as server, Tap(server.port) as tap:
        yield tap


def page_of(live: LiveWire, **more: Any) -> connect:
    """Connect as the page of a wire does."""
    own = f"http://127.0.0.1:{live.port}"
    path = live.path.replace("wire.html", "wire")
    options = {"origin": own, "compression": None} | more
    return connect(f"ws://127.0.0.1:{live.port}/{options.pop('path', path)}", **options)


async def until(page: ClientConnection, name: str) -> Any:
    """Return what comes next under a name."""
    while True:
        message = json.loads(await page.recv())
        if name in message:
            return message[name]


async def say(tap: Tap, *messages: str) -> None:
    async with wslab.connect(f"ws://127.0.0.1:{tap.port}") as ws:
        for message in messages:
            await ws.send(message)
            await ws.recv()


@pytest.mark.parametrize(
    "more",
    [
        {"origin": None},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:1"},
        {"path": "wire"},
        {"path": "wire?guessed"},
        {"path": ""},
    ],
)
def test_a_stranger_is_refused(more: dict[str, Any]) -> None:
    async def talk() -> None:
        async with tapped() as tap:
            live = live_wire(tap)
            with pytest.raises(websockets.InvalidStatus) as refused:
                await page_of(live, **more)
            assert refused.value.response.status_code == 403
            async with page_of(live) as page:
                assert await until(page, "state") == {"frozen": [], "delay": 0, "full": False}

    run(talk())


def test_the_address_cannot_be_guessed_and_is_new_each_time() -> None:
    async def talk() -> None:
        async with tapped() as tap:
            paths = {live_wire(tap).path for _ in range(3)}
            assert len(paths) == 3
            assert all(len(path.partition("?")[2]) >= 20 for path in paths)

    run(talk())


def test_a_row_and_its_fields() -> None:
    async def talk() -> None:
        async with tapped() as tap:
            live = live_wire(tap)
            await say(tap, "Hello")
            async with page_of(live) as page:
                rows = await until(page, "rows")
                assert [row["what"] for row in rows] == [
                    *("GET /", "101 Switching Protocols", "TEXT", "TEXT", "CLOSE", "CLOSE"),
                ]
                await page.send(json.dumps({"show": rows[3]["id"]}))
                piece = await until(page, "piece")
                assert (piece["title"], piece["frame"], piece["bytes"]) == (
                    'TEXT: "Hello"',
                    True,
                    "810548656c6c6f",
                )
                assert piece["fields"][-1] == {
                    "name": "payload data",
                    "bit": 16,
                    "bits": 40,
                    "value": '"Hello"',
                    "meaning": "5 bytes",
                    "section": "§5.6",
                    "error": None,
                }

    run(talk())


@pytest.mark.parametrize(
    "message", ["", "{", "[]", "7", '{"show": 99}', '{"show": []}', '{"do": "drop"}', b"\x00"]
)
def test_what_is_not_a_message_of_the_page_does_nothing(message: str | bytes) -> None:
    async def talk() -> None:
        async with tapped() as tap, page_of(live_wire(tap)) as page:
            await until(page, "state")
            await page.send(message)
            await page.send(json.dumps({"do": "freeze"}))
            assert (await until(page, "state"))["frozen"] == ["client", "server"]

    run(talk())


def test_a_credential_is_not_sent_to_the_page() -> None:
    async def talk() -> None:
        async with tapped() as tap:
            async with wslab.connect(
                f"ws://127.0.0.1:{tap.port}/?token=s3cret", additional_headers=[("Cookie", "a=s3cret")]
            ):
                pass
            async with page_of(live_wire(tap)) as page:
                rows = await until(page, "rows")
                await page.send(json.dumps({"show": rows[0]["id"]}))
                piece = await until(page, "piece")
            assert "s3cret" not in json.dumps([rows, piece])
            assert "(hidden)" in json.dumps(piece)
            assert b"s3cret".hex() not in piece["bytes"]

    run(talk())


def test_it_ends_with_the_tap_and_a_newer_one_takes_its_place() -> None:
    async def talk() -> None:
        async with tapped() as tap:
            old = live_wire(tap)
            async with page_of(old) as page:
                new = live_wire(tap)
                with pytest.raises(websockets.ConnectionClosedOK) as closed:
                    await until(page, "nothing")
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.reason == "replaced"
            with pytest.raises(ConnectionRefusedError):
                await page_of(old)
            async with page_of(new) as page:
                await tap.stop()
                with pytest.raises(websockets.ConnectionClosedOK) as closed:
                    await until(page, "nothing")
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.reason == "stopped"

    run(talk())


def test_a_flood_is_cut_to_the_newest_rows() -> None:
    async def talk() -> None:
        async with tapped() as tap:
            live = live_wire(tap)
            await say(tap, *map(str, range(2 * module.SHOWN)))
            async with page_of(live) as page:
                message = json.loads(await page.recv())
                assert len(message["rows"]) == module.SHOWN
                assert message["left_out"] == message["rows"][0]["id"] - 1 > module.SHOWN
                assert message["rows"][-1]["what"] == "CLOSE"

    run(talk())


def test_no_more_than_some_pages_at_once() -> None:
    async def talk() -> None:
        async with tapped() as tap:
            live = live_wire(tap)
            pages = [await page_of(live) for _ in range(module.VIEWERS)]
            async with page_of(live) as one_more:
                with pytest.raises(websockets.ConnectionClosedError, match="1013"):
                    await one_more.recv()
            for page in pages:
                await page.close()

    run(talk())


def test_show_puts_the_wire_beside_the_page_or_alone() -> None:
    async def talk() -> None:
        async with tapped() as tap:
            assert show(tap.port, wire=tap).value.count("<iframe") == 2
            assert show(wire=tap).value.count("<iframe") == 1
            assert "wire.html?" in show(wire=tap).value
            assert repr(show(wire=tap)) == "Run this cell in JupyterLab to see the page here."
            with pytest.raises(TypeError, match="show needs the port"):
                show()
        with pytest.raises(RuntimeError, match="the tap does not listen"):
            show(wire=tap)

    run(talk())
