"""A lane runs a way through its tap, is ready when every client knows something, and leaves nothing."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from tests.lessons.polling.ways import HELD, PUSHED, STREAMED, Learn, answer, polling
from wslab.lessons.polling import ways
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.ways import Lane, Way, http_server

WAYS = [polling(0.01), HELD, STREAMED, PUSHED]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.kind)
def test_a_client_learns_what_the_clock_shows_and_then_its_changes(way: Way) -> None:
    async def scenario() -> None:
        clock = Clock()
        async with asyncio.timeout(30), Lane(way, clock) as lane:
            assert lane.learned[0][1] == 0
            assert lane.tap.counts().connections == 1
            for number in (1, 2):
                clock.change()
                await lane.know(number)
            assert repr(lane) == f"<Lane: {way.name}>"
        assert lane.tap.counts().connections == 1
        assert {number for _, number in lane.learned} == {0, 1, 2}
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.kind)
def test_the_heads_that_are_counted_name_no_version(way: Way) -> None:
    async def scenario() -> list[bytes]:
        async with asyncio.timeout(30), Lane(way, Clock()) as lane:
            rows = lane.tap.conversation()
            return [row.dissection.data for row in rows if row.kind == "head" and row.dissection]

    heads = asyncio.run(scenario())
    assert len(heads) > 1
    for head in heads[1:] if way is PUSHED else heads:  # its request passes once, and no update is one
        assert b"ython" not in head, "versions have different lengths"


def test_a_client_that_fails_is_reported_with_its_cause() -> None:
    async def stumble(url: str, learn: Learn) -> None:
        raise ZeroDivisionError("stumbled")

    async def scenario() -> None:
        async with asyncio.timeout(30):
            with pytest.raises(RuntimeError, match="the client of stumbling ended") as caught:
                async with Lane(Way("stumbling", answer, stumble), Clock()):
                    pass
            assert isinstance(caught.value.__cause__, ZeroDivisionError)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())


def test_a_change_that_never_comes_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with asyncio.timeout(30), Lane(PUSHED, Clock()) as lane:
            monkeypatch.setattr(ways, "PATIENCE", 0.01)
            with pytest.raises(TimeoutError):
                await lane.know(1)

    asyncio.run(scenario())


def test_a_post_is_served_too() -> None:
    async def take(request: web.Request) -> web.Response:
        return web.Response(text=(await request.text()).upper())

    async def scenario() -> str:
        async with (
            asyncio.timeout(30),
            http_server(take) as port,
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{port}/", data="hello") as response,
        ):
            return await response.text()

    assert asyncio.run(scenario()) == "HELLO"


def test_a_way_has_a_kind() -> None:
    assert polling(0.02).kind == "polling"
    assert repr(polling(0.02)) == "<Way: polling, 20 ms>"
