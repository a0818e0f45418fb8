"""The instruments of lesson 10, and what the lesson says against what its cells do."""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import time
from contextlib import suppress
from typing import Any

import pytest

from tests.support.aio import run
from tools.course import lessons
from tools.lesson_cells import await_cells
from wslab import connect, serve
from wslab.aio import reconnect
from wslab.handshake import build_request, generate_key
from wslab.lessons.resilience import right
from wslab.lessons.resilience.herd import Gate, Herd, clients_for, real, simulate
from wslab.lessons.resilience.page import page
from wslab.lessons.resilience.returns import returns


def test_a_gate_admits_a_rate_and_few_at_once() -> None:
    gate = Gate(rate=10, most=2)
    assert [gate.admits(0.0) for _ in range(3)] == [True, True, False]
    assert [gate.admits(0.1), gate.admits(0.15), gate.admits(0.2)] == [True, False, True]
    assert [gate.admits(9.0) for _ in range(3)] == [True, True, False]


def test_a_herd_in_step_comes_back_in_steps() -> None:
    herd = simulate(lambda number: 1, clients=50, rate=100, most=10, away=1.5)
    assert herd.back == [second for second in (2, 3, 4, 5, 6) for _ in range(10)]
    assert herd.refused == 40 + 30 + 20 + 10
    assert herd.last == 6


def test_jitter_is_better_than_doubling_alone() -> None:
    source = random.Random(1)
    alone = simulate(lambda number: min(8, 0.25 * 2**number), clients=1000, rate=100, most=10)
    spread = simulate(lambda number: source.uniform(0, min(8, 0.25 * 2**number)), 1000, rate=100, most=10)
    assert spread.last < alone.last / 10
    assert spread.refused < alone.refused / 10
    assert len(spread.back) == len(alone.back) == 1000


def test_a_herd_that_would_never_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wslab.lessons.resilience.herd.MOST_TRIES", 100)
    assert simulate(lambda number: 1, clients=10, rate=0, most=0).back == []
    assert simulate(lambda number: 0, clients=10).back == []


def test_real_clients_come_back_on_the_same_port() -> None:
    async def test() -> None:
        herd = await real(lambda number: 0.1 * random.random(), clients=20, rate=100, most=5)
        assert len(herd.back) == 20
        assert herd.refused > 0

    run(test())


def test_the_figure_says_its_numbers_in_words() -> None:
    figure = returns("A claim", {"a": Herd([1.0, 2.0], 7), "b": Herd([3.0], 1000)})
    assert figure.alt == (
        "A claim. a: 2 clients, last after 2 s, 7 refusals; b: 1 clients, last after 3 s, 1,000 refusals."
    )
    assert figure.png().startswith(b"\x89PNG")


def test_the_page_has_the_files_that_it_names() -> None:
    files = page("open()")
    assert files["feed.js"] == "open()"
    assert set(re.findall(r'"\./?(\w+\.js)"|src="(\w+\.js)"', files["feed.html"])) == {("", "feed.js")}
    assert "textContent" in files["show.js"]
    assert "innerHTML" not in files["show.js"]


@pytest.mark.parametrize("ended", [None, *range(1000, 1016), 3000, 4999])
def test_the_lesson_comes_back_when_wslab_does(ended: int | None) -> None:
    assert right.comes_back(ended) == reconnect.may_come_back(ended)


def test_the_codes_of_the_page_are_those_of_wslab() -> None:
    [lesson] = [each for each in lessons() if each.number == "10"]
    [final] = {found for cell in lesson.code for found in re.findall(r"FINAL = \[([\d, ]+)\]", cell.source)}
    assert {int(code) for code in final.split(", ")} == reconnect.FATAL_CODES


@pytest.mark.parametrize(
    ("soft", "hard", "clients"), [(256, 4096, 200), (256, 300, 60), (20_000, 20_000, 200)]
)
def test_a_herd_takes_no_more_descriptors_than_there_are(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, clients: int
) -> None:
    resource = pytest.importorskip("resource", reason="Windows counts descriptors otherwise")
    limits = [(soft, hard)]
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda which, new: limits.append(new))
    assert clients_for(200) == clients
    assert all(new[1] == hard for new in limits)


def test_the_feed_of_the_cells_ends_the_connection_of_a_client_that_reads_nothing() -> None:
    names: dict[str, Any] = {"my_replay": None}

    async def test() -> None:
        await await_cells("10", names, "r10-dceaf131", "r10-feed-names", "r10-1818c6fb")
        feed, most = names["Feed"](keep=10), 0
        async with serve(feed.handler) as server:
            _, deaf = await asyncio.open_connection("127.0.0.1", server.port)
            deaf.write(build_request("127.0.0.1", key=generate_key()).encode())
            async with connect(f"ws://127.0.0.1:{server.port}/") as reading:
                while len(feed.clients) < 2:
                    await asyncio.sleep(0.01)
                while len(feed.clients) == 2:
                    feed.publish("ACME", "x" * 2**16)
                    sizes = [each.transport.get_write_buffer_size() for each in feed.clients]
                    most = max(most, *sizes)
                    while json.loads(await reading.recv())["n"] < feed.number:
                        pass
                assert len(feed.clients) == 1
            assert 2**20 < most < 2**21
            deaf.transport.abort()

    run(test())


def test_the_proxy_of_the_cells_closes_the_connection_of_a_client_when_no_server_is_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names: dict[str, Any] = {"asyncio": asyncio, "suppress": suppress, "time": time}

    async def test() -> None:
        await await_cells("10", names, "r10-pump", "r10-b1a74c0e")
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))  # and does not listen
            async with await names["start_proxy"]({"port": silent.getsockname()[1]}, 0.5) as proxy:
                reader, writer = await asyncio.open_connection(*proxy.sockets[0].getsockname())
                assert await reader.read() == b""
                writer.close()

    run(test())
    assert not caplog.records, "asyncio logs what the proxy raises"
