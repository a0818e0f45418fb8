"""A race measures every way on the same changes, counts to the byte, and leaves nothing running."""

import asyncio
import gc

import pytest

from tests.lessons.polling.ways import HELD, PUSHED, STREAMED, answer, polling
from wslab.lessons.polling.clock import Clock
from wslab.lessons.polling.race import Race, race, staleness
from wslab.lessons.polling.ways import Way


def run(*args: object, **options: object) -> Race:
    async def scenario() -> Race:
        async with asyncio.timeout(60):
            found = await race(*args, **options)  # type: ignore[arg-type]
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return found

    return asyncio.run(scenario())


def test_a_server_that_sends_costs_bytes_for_changes_only_and_no_client_misses_one() -> None:
    found = run([STREAMED, PUSHED], Clock.irregular(8, 0.01, seed=1))
    assert [result.bytes for result in found] == [8 * 22, 8 * 10]
    assert [result.bytes_per_update for result in found] == [22, 10]
    assert [result.missed for result in found] == [0, 0]
    assert [result.requests for result in found] == [0, 0]
    assert all(result.mean >= 0 for result in found)
    assert [result.after.connections for result in found] == [1, 1]


def test_a_client_that_asks_costs_bytes_for_every_request() -> None:
    found = run([polling(0.01), HELD], Clock.irregular(6, 0.03, seed=1))
    for result, request in zip(found, (101, 116), strict=True):
        asked = result.after.client.head_bytes - result.before.client.head_bytes
        assert asked == result.requests * request > 0
        answers = result.after.server.heads - result.before.server.heads
        assert result.after.server.head_bytes - result.before.server.head_bytes == answers * 132
        assert result.bytes == asked + answers * (132 + 8)


def test_a_delay_makes_every_staleness_at_least_as_long() -> None:
    found = run([polling(0.01), HELD, PUSHED], Clock.irregular(4, 0.05, seed=1), delays=(0.0, 0.03))
    assert [result.lane.delay for result in found] == [0.0] * 3 + [0.03] * 3
    for result in found[3:]:
        late = staleness(result.lane.clock.times, result.lane.learned)
        assert min(late) >= 0.03 - 0.016  # the clock of Windows counts in steps of 16 ms
    assert found.find("WebSocket", 0.03) is found[5]
    assert found.find("WebSocket") is found[2]
    with pytest.raises(KeyError):
        found.find("carrier pigeon")


def test_an_idle_clock_costs_nothing_where_the_server_sends() -> None:
    found = run([polling(0.01), STREAMED, PUSHED], Clock(), rest=0.1)
    assert [result.bytes > 0 for result in found] == [True, False, False]
    assert "–" in repr(found)


def test_shows_the_results_as_a_table() -> None:
    found = run([polling(0.02), PUSHED], Clock.irregular(5, 0.02, seed=1))
    assert "polling, 20 ms" in repr(found)
    assert found._repr_html_().count("<tr>") == 3


def test_says_who_learns_what_while_it_runs() -> None:
    heard: list[tuple[str, str]] = []
    run(
        [PUSHED],
        Clock.irregular(2, 0.01, seed=1),
        delays=(0.0, 0.01),
        watch=lambda lane, text: heard.append((lane.name, text)),
    )
    for name in ("WebSocket", "WebSocket, 10 ms away"):
        assert [text for who, text in heard if who == name] == ["10:00:00", "10:00:01", "10:00:02"]


def test_what_a_notebook_holds_is_not_collected_while_the_race_runs() -> None:
    frozen: list[int] = []
    run(
        [PUSHED],
        Clock.irregular(2, 0.01, seed=1),
        watch=lambda lane, text: frozen.append(gc.get_freeze_count()),
    )
    assert frozen
    assert all(frozen)
    assert gc.get_freeze_count() == 0


def test_refuses_a_clock_that_ran_and_reports_a_client_that_ends() -> None:
    clock = Clock()
    clock.change()
    with pytest.raises(RuntimeError, match="ran already"):
        run([PUSHED], clock)

    async def leave(url: str, learn: object) -> None:
        return

    with pytest.raises(RuntimeError, match="the client of leaving ended"):
        run([PUSHED, Way("leaving", answer, leave)], Clock([0.01]))


def test_a_race_without_rest() -> None:
    found = run([PUSHED], Clock([0.001]), rest=0.0)
    assert found.find("WebSocket").bytes == 10


@pytest.mark.parametrize(
    ("learned", "expected"),
    [
        ([(0.5, 0), (1.5, 1), (2.25, 2)], [0.5, 0.25]),
        ([(0.5, 0), (3.0, 2)], [2.0, 1.0]),  # the first was never seen
        ([(1.5, 1), (1.75, 1), (2.5, 2), (2.5, 2)], [0.5, 0.5]),  # told the same again
    ],
)
def test_staleness_lasts_until_the_change_or_a_later_one_is_known(
    learned: list[tuple[float, int]], expected: list[float]
) -> None:
    assert staleness((1.0, 2.0), learned) == expected


def test_staleness_of_a_change_that_was_never_known_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not know the last of 2"):
        staleness((1.0, 2.0), [(0.5, 0), (1.5, 1)])
    assert staleness((), []) == []
