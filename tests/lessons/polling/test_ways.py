"""A lane runs a way through its tap, is ready when every client knows something, and leaves nothing."""

import asyncio

import pytest

from tests.lessons.polling.ways import HELD, PUSHED, STREAMED, Learn, answer, polling
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.ways import Lane, Way, every

WAYS = [polling(0.01), HELD, STREAMED, PUSHED]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.kind)
def test_every_client_learns_what_the_clock_shows_and_then_its_changes(way: Way) -> None:
    async def scenario() -> None:
        clock = Clock()
        async with asyncio.timeout(30), Lane(way, clock, clients=3) as lane:
            assert all(known[0][1] == 0 for known in lane.learned)
            assert lane.tap.counts().connections == 3, "a connection for each client, and no more"
            for number in (1, 2):
                clock.change()
                await lane.know(number)
            assert repr(lane) == f"<Lane: {way.name}, 3 clients>"
        assert lane.tap.counts().connections == 3
        assert {number for known in lane.learned for _, number in known} == {0, 1, 2}
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.kind)
def test_bytes_are_the_same_whatever_the_machine(way: Way) -> None:
    async def scenario() -> tuple[bytes, ...]:
        async with asyncio.timeout(30), Lane(way, Clock()) as lane:
            rows = lane.tap.conversation()
            return tuple(row.dissection.data for row in rows if row.kind == "head" and row.dissection)

    request, response = asyncio.run(scenario())[:2]
    for head in (request, response):
        assert b"ython" not in head, "versions have different lengths"
        assert b"127.0.0.1" not in head, "ports have different lengths"
    assert b"\r\nHost: clock.example\r\n" in request


def test_a_client_that_fails_is_reported_with_its_cause() -> None:
    async def stumble(port: int, learn: Learn) -> None:
        raise ZeroDivisionError("stumbled")

    async def scenario() -> None:
        async with asyncio.timeout(30):
            with pytest.raises(RuntimeError, match="a client of stumbling ended") as caught:
                async with Lane(Way("stumbling", answer, stumble), Clock()):
                    pass
            assert isinstance(caught.value.__cause__, ZeroDivisionError)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())


def test_a_client_that_learns_nothing_is_not_waited_for_for_ever() -> None:
    async def scenario() -> None:
        async with asyncio.timeout(30), Lane(PUSHED, Clock()) as lane:
            with pytest.raises(TimeoutError):
                await lane.until(lambda: False, patience=0.01)

    asyncio.run(scenario())


def test_every_goes_on_at_once_and_then_at_regular_times() -> None:
    async def scenario() -> list[float]:
        times: list[float] = []
        async for _ in every(0.02):
            times.append(asyncio.get_running_loop().time())
            if len(times) == 4:
                return times
        return []

    times = asyncio.run(scenario())
    assert times[3] - times[1] >= 0.04 - 0.02  # two intervals, less what the clock of Windows is coarse
    assert list(times) == sorted(times)
    assert repr(polling(0.02)) == "<Way: polling, 20 ms>"
