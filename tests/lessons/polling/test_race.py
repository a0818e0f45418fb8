"""A race measures every way on the same changes, counts to the byte, and leaves nothing running."""

import asyncio

import pytest

from tests.lessons.polling.ways import HELD, PUSHED, STREAMED, answer, polling
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.costs import weigh
from wslab.lessons.polling.race import Race, race
from wslab.lessons.polling.ways import Way


def run(*args: object, **options: object) -> Race:
    async def scenario() -> Race:
        async with asyncio.timeout(60):
            found = await race(*args, **options)  # type: ignore[arg-type]
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return found

    return asyncio.run(scenario())


def test_who_is_told_pays_for_changes_only_and_misses_none() -> None:
    found = run([STREAMED, PUSHED], Clock.irregular(8, 0.01, seed=1), clients=5)
    assert found["WebSocket"].bytes == 8 * 5 * 10
    assert found["server-sent events"].bytes == 8 * 5 * 22
    assert [result.missed for result in found] == [0, 0]
    assert [result.requests for result in found] == [0, 0]
    assert all(late >= 0 for result in found for late in result.staleness)
    assert [result.after.connections for result in found] == [5, 5]


def test_who_asks_pays_for_every_question_to_the_byte() -> None:
    found = run([polling(0.01), HELD], Clock.irregular(6, 0.03, seed=1))
    for result, request in zip(found, (99, 114), strict=True):
        assert result.passed("client", "head_bytes") == result.requests * request
        assert result.passed("server", "head_bytes") == result.passed("server", "heads") * 132
        assert result.passed("server", "body_bytes") == result.passed("server", "bodies") * 8
        assert result.requests > 0


def test_a_delay_makes_every_staleness_at_least_as_long() -> None:
    found = run([polling(0.01), HELD, PUSHED], Clock.irregular(4, 0.05, seed=1), delays=(0.0, 0.03))
    assert len(found) == 6
    assert [result.delay for result in found] == [0.0] * 3 + [0.03] * 3
    for result in found[3:]:
        assert min(result.staleness) >= 0.03 - 0.016  # the clock of Windows counts in steps of 16 ms
    assert found.find("WebSocket", 0.03) is found[5]


def test_an_idle_clock_costs_nothing_to_who_is_told() -> None:
    found = run([polling(0.01), STREAMED, PUSHED], Clock(), rest=0.1)
    assert [result.bytes > 0 for result in found] == [True, False, False]
    assert "–" in repr(found)


def test_shows_results_and_predictions_as_tables() -> None:
    async def scenario() -> None:
        async with asyncio.timeout(60):
            costs = await weigh([polling(0.01), PUSHED])
            found = await race([polling(0.02), PUSHED], Clock.irregular(5, 0.02, seed=1))
        assert "polling, 20 ms" in repr(found)
        assert found._repr_html_().count("<tr>") == 3
        comparison = repr(found.compare(costs))
        assert "predicted" in comparison
        assert 0 <= found.late < 60
        assert len(found.predictions(costs)) == 2
        assert set(found.surprises(costs)) <= {"polling, 20 ms, 0 ms", "WebSocket, 0 ms"}
        with pytest.raises(KeyError):
            found["carrier pigeon"]

    asyncio.run(scenario())


def test_refuses_a_clock_that_ran_and_reports_a_client_that_ends() -> None:
    clock = Clock()
    clock.change()
    with pytest.raises(RuntimeError, match="ran already"):
        run([PUSHED], clock)

    async def leave(port: int, learn: object) -> None:
        return

    with pytest.raises(RuntimeError, match="a client of leaving ended"):
        run([PUSHED, Way("leaving", answer, leave)], Clock([0.01]))


def test_a_race_that_is_over_before_the_first_alarm() -> None:
    found = run([PUSHED], Clock([0.001]), rest=0.0)
    assert found["WebSocket"].bytes == 10
