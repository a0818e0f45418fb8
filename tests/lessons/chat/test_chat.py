"""The chat of lesson 07, as its cells have it: what it answers, whom it tells and drops, on both packages."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import websockets
from websockets.asyncio.server import serve

import wslab
from tools.chat_cells import LAST_LINE, chat_cells, source
from wslab.lab import Tap
from wslab.lessons.chat.people import Guest, stranger

BOTH = pytest.mark.parametrize("package", ["websockets", "wslab"])


def opened(package: str) -> SimpleNamespace:
    """Run the cells of the chat on one of the packages, without the limit of speed."""
    lost = {"websockets": websockets.ConnectionClosed, "wslab": wslab.ConnectionClosed}[package]
    return chat_cells(ConnectionClosed=lost, too_fast=lambda times, now: False)


@asynccontextmanager
async def serving(handler: Any, package: str) -> AsyncIterator[int]:
    """Serve a handler with one of the two packages, and yield its port."""
    if package == "wslab":
        async with wslab.serve(handler) as ours:
            yield ours.port
    else:
        async with serve(handler, "127.0.0.1", 0, close_timeout=1) as theirs:
            yield theirs.sockets[0].getsockname()[1]


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario within a bound, and see that it leaves no task behind."""

    async def bounded() -> None:
        async with asyncio.timeout(30):
            await scenario()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(bounded())


@BOTH
def test_tells_the_room_and_no_one_else(package: str) -> None:
    async def scenario() -> None:
        room = opened(package)
        async with serving(room.chat, package) as port:
            ada, dee = await Guest.enter(port, "Ada"), await Guest.enter(port, "Dee", "coffee")
            assert (await ada.hear())["members"] == ["Ada"]
            assert (await dee.hear())["members"] == ["Dee"]
            bob = await Guest.enter(port, "Bob")
            assert (await bob.hear())["members"] == ["Ada", "Bob"]
            await bob.say("Hello")
            assert await ada.hear() == {"type": "joined", "name": "Bob"}
            assert await ada.hear() == {"type": "said", "name": "Bob", "text": "Hello"}
            assert await bob.hear() == {"type": "said", "name": "Bob", "text": "Hello"}
            await bob.leave()
            assert await ada.hear() == {"type": "left", "name": "Bob"}
            await dee.say("To coffee")
            assert (await dee.hear())["text"] == "To coffee"  # and nothing of tea before it
            await ada.leave()
            await dee.leave()
        assert room.rooms == {}

    run(scenario)


@BOTH
def test_a_lost_connection_is_reported_like_a_closed_one(package: str) -> None:
    async def scenario() -> None:
        async with serving(opened(package).chat, package) as port, Tap(port) as tap:
            ada, eve = await Guest.enter(port, "Ada"), await Guest.enter(tap.port, "Eve")
            await eve.hear("welcome")
            tap.cut()
            assert await ada.hear("left") == {"type": "left", "name": "Eve"}
            await ada.leave()

    run(scenario)


@BOTH
def test_a_newcomer_gets_the_last_twenty_lines_and_none_twice(package: str) -> None:
    async def scenario() -> None:
        async with serving(opened(package).chat, package) as port:
            ada = await Guest.enter(port, "Ada")
            for number in range(25):
                await ada.say(str(number))
                await ada.hear("said")
            cy = await Guest.enter(port, "Cy")
            lines = [said["text"] for said in (await cy.hear("welcome"))["history"]]
            assert lines == [str(number) for number in range(5, 25)]
            await ada.say("25")
            assert (await cy.hear())["text"] == "25"
            await cy.leave()
            await ada.leave()

    run(scenario)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("ada", "name-taken"),
        (" ADA ", "name-taken"),
        ("Ａｄａ", "name-taken"),
        ("A\u0308da", "Äda"),
        ("Bob  Smith", "Bob Smith"),
        ("\N{GREEK SMALL LETTER ALPHA}", "α"),
        (" ", "bad-name"),
        ("A\u200bda", "bad-name"),  # a space of no width
        ("A\u202eda", "bad-name"),  # from here on from right to left
        ("A\x00da", "bad-name"),
        ("A\tda", "bad-name"),
        ("\ud800", "bad-name"),  # half of a pair
        ("\u3164", "bad-name"),  # letters that show nothing
        ("\u2800", "bad-name"),
        ("A\ufe0f", "bad-name"),
        (40 * "\ufdfa", "bad-name"),  # 18 characters each, once they are normal
        (41 * "a", "too-long"),
    ],
)
def test_names_that_look_the_same_are_one_and_names_that_show_nothing_are_none(
    asked: str, answer: str
) -> None:
    async def scenario() -> None:
        async with serving(opened("websockets").chat, "websockets") as port:
            ada = await Guest.enter(port, "Ada")
            await ada.hear("welcome")
            guest = await Guest.enter(port, asked)
            told = await guest.hear()
            assert told.get("code", told.get("name")) == answer
            await guest.leave()
            await ada.leave()

    run(scenario)


def test_a_room_is_a_name_too() -> None:
    async def scenario() -> None:
        async with serving(opened("websockets").chat, "websockets") as port:
            guest = await Guest.enter(port, "Ada", "\u200b")
            assert (await guest.hear())["code"] == "bad-name"
            await guest.leave()

    run(scenario)


@BOTH
def test_what_is_refused_is_told_to_its_sender_and_the_connection_stays(package: str) -> None:
    async def scenario() -> None:
        async with serving(opened(package).chat, package) as port:
            ada, eve = await Guest.enter(port, "Ada"), await Guest.enter(port, "Eve", "")
            await ada.hear("welcome")
            assert (await eve.hear())["code"] == "bad-field"
            await eve.say("Hello")
            assert (await eve.hear())["code"] == "not-joined"
            await eve.send(json.dumps({"type": "join", "name": "Eve", "room": "tea"}))
            assert (await eve.hear())["members"] == ["Ada", "Eve"]
            await eve.send(json.dumps({"type": "join", "name": "Mallory", "room": "tea"}))
            assert (await eve.hear())["code"] == "already-joined"
            for message in ("Hello", b"\x00", "[" * 10_000, '{"type": "say", "text": ["x"]}'):
                await eve.send(message)
                assert (await eve.hear())["type"] == "error"
            await eve.say('half of a pair: "\ud800"')
            assert (await ada.hear("joined"))["name"] == "Eve"
            assert (await ada.hear())["text"] == 'half of a pair: "\ud800"'
            await eve.leave()
            await ada.leave()

    run(scenario)


def test_three_messages_a_second() -> None:
    moments = iter((100.0, 100.25, 100.5, 100.75, 101.0, 101.125))
    room = chat_cells(time=SimpleNamespace(monotonic=lambda: next(moments)))
    eve = room.Member(None)
    answers = []
    for _ in range(6):
        room.receive(eve, '{"type": "say", "text": "Hello"}')
        answers.append(json.loads(eve.queue.get_nowait())["code"])
    assert answers == ["not-joined"] * 3 + ["too-fast", "not-joined", "too-fast"]


@BOTH
def test_drops_a_client_that_does_not_read_and_holds_up_no_one(package: str) -> None:
    async def scenario() -> None:
        room = opened(package)
        async with serving(room.chat, package) as port, Tap(port) as tap:
            ada, eve = await Guest.enter(port, "Ada"), await Guest.enter(tap.port, "Eve")
            await eve.hear("welcome")
            await ada.hear("joined")
            tap.freeze()
            members, told = room.rooms["tea"].members, 0
            while len(members) == 2:
                room.tell(members.values(), type="said", name="Ada", text="a" * 2**16)
                told += 1
                await ada.hear("said")
            assert 256 < told < 1000
            assert await ada.hear("left") == {"type": "left", "name": "Eve"}
            await ada.leave()

    run(scenario)


def test_a_stranger_never_reaches_an_exception() -> None:
    async def scenario() -> None:
        strange = ("", "x", "[]", "{}", "null", b"x", '{"type": "join"}', '{"type": "leave"}', "[" * 15_000)
        answers = await stranger(opened("websockets").chat, *strange)
        assert len(answers) == len(strange)
        assert "closed" not in [code for code, _ in answers]

    run(scenario)


@BOTH
def test_the_cells_are_one_file_that_runs_outside_jupyter(package: str, tmp_path: Path) -> None:
    file = tmp_path / "chat.py"
    text = f"{source()}\n{LAST_LINE}\n".replace("from websockets import", f"from {package} import")
    assert f"from {package} import" in text
    file.write_text(text, encoding="utf-8")

    async def scenario(address: str) -> None:
        port = int(address.removeprefix("http://127.0.0.1:").rstrip("/\n"))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        assert b"<title>Chat</title>" in await reader.read()
        writer.close()
        ada, bob = await Guest.enter(port, "Ada"), await Guest.enter(port, "Bob")
        await bob.say("Is it you?")
        assert (await ada.hear("said"))["name"] == "Bob"
        await bob.leave()
        assert (await ada.hear("left"))["name"] == "Bob"
        await ada.leave()

    command = [sys.executable, "-W", "error", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            run(lambda: scenario(process.stdout.readline()))  # type: ignore[union-attr]
        finally:
            process.kill()
        assert process.stderr
        assert process.stderr.read() == ""
