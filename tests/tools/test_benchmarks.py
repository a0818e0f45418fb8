"""The benchmark: its ratios, its table, and what it writes. What it measures depends on the machine."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import wslab
from benchmarks import report
from benchmarks.clients import Clients
from benchmarks.measure import AIOHTTP, ANY, SMALL, Row, compare, missed
from benchmarks.picture import GROUPS
from benchmarks.report import as_text, versions, write
from benchmarks.run import measure_speed
from benchmarks.server import STATM, ServerProcess


@pytest.fixture
def readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The README of a course of its own, which the report is written into, and docs beside it."""
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(report, "ROOT", tmp_path)
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    return tmp_path / "README.md"


def row(what: str, ours: float, ratio: float, **more: Any) -> Row:
    """A line in which websockets needs so many times as much as wslab."""
    values = {"wslab": ours, "websockets": ours * ratio} | more.get("values", {})
    ratios = {name: (value / ours,) * 3 for name, value in values.items() if name != "wslab"}
    return Row(what, values, ratios, more.get("targets", ANY), more.get("unit", "µs"))


ROWS = [row(what, 2, 1.5) for lines in GROUPS.values() for what in lines] + [
    row("decode 125 B, masked", 2, 3.0, values={"wsproto": 20.0}, targets=SMALL),
    row("encode 125 B, masked", 2, 1.5, targets=SMALL),
    row("echo 1 B", 10, 1.1, values={"aiohttp": 5.0, "TCP": 4.0}, targets=AIOHTTP),
    row("decode 1 B, slowly", 1, 0.2, targets={}),
    row("memory", 8, 1.4, unit="KiB"),
]


def test_the_ratio_is_theirs_over_ours_and_has_quartiles() -> None:
    theirs = iter([9.0, 6.0, 8.0, 2.0, 4.0, 10.0])
    candidates = {"websockets": lambda: next(theirs), "wslab": lambda: 2.0, "aiohttp": lambda: 1.0}
    measured = compare("nothing", candidates, SMALL, count=2, unit="KiB", repeats=5)
    assert measured.values == {"websockets": 3.0, "wslab": 1.0, "aiohttp": 0.5}
    assert measured.ratios == {"websockets": (2.0, 3.0, 4.0), "aiohttp": (0.5, 0.5, 0.5)}
    assert (measured.what, measured.targets, measured.unit) == ("nothing", SMALL, "KiB")


def test_what_runs_without_a_number_of_its_own_is_timed() -> None:
    def work() -> None:
        sum(range(100_000))

    measured = compare("sum", {"websockets": work, "wslab": work}, {}, repeats=2)
    assert 0 < measured.values["wslab"] < 1e6


def test_a_line_says_whether_its_targets_are_reached() -> None:
    lines = {line.what: as_text(line) for line in ROWS}
    assert lines["decode 125 B, masked"].endswith("3.00 (3.00–3.00)  2")
    assert lines["encode 125 B, masked"].endswith("1.50 (1.50–1.50)  2 (missed)")
    assert lines["echo 1 B"].endswith("0.95  1.25 times aiohttp, is 2.00 (missed)")
    assert lines["decode 1 B, slowly"].endswith("0.20 (0.20–0.20)")
    assert lines["memory"].startswith("memory, KiB ")


def test_without_their_extension_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison would flatter us."""
    monkeypatch.setitem(sys.modules, "websockets.speedups", None)
    with pytest.raises(SystemExit, match="websockets has no C extension here"):
        measure_speed()


def test_without_a_peer_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="picows is not installed here"):
        measure_speed()


def test_what_is_written(readme: Path) -> None:
    readme.write_text(f"before\n{report.BEGIN}STALE\n{report.END}\nafter\n", encoding="utf-8")
    write(ROWS, ["import nothing: 0 ms"])
    assert (readme.parent / "docs" / "speed.png").read_bytes().startswith(b"\x89PNG")
    whole = (readme.parent / "docs" / "speed.md").read_text(encoding="utf-8")
    short = readme.read_text(encoding="utf-8")
    for text in (whole, short):
        assert "| decode 16 B, masked | 2.0 | 3.0 |" in text
        assert "![wslab needs less than websockets on 19 of 20 lines" in text
        assert versions() in text
        assert re.search(r"Measured on \d{4}-\d\d-\d\d", text)
        for peer in report.PEERS:
            assert f"\n- {peer}: " in text  # what it is written in, and leaves out
    assert "| | wslab | websockets | wsproto | aiohttp | TCP | ratio | target |" in whole
    assert "| decode 125 B, masked | 2.0 | 6.0 | 20.0 |  |  | 3.00 (3.00–3.00) | 2 |" in whole
    assert "|  | 5.0 | 4.0 (2.75) | 1.10 (1.10–1.10) | 0.95; 1.25 times aiohttp, is 2.00 (missed) |" in whole
    assert "import nothing: 0 ms" in whole
    assert "slowly" not in short
    assert short.startswith("before\n")
    assert short.endswith("\nafter\n")
    assert "STALE" not in short


def test_a_missed_target_is_said_beside_its_floor(readme: Path) -> None:
    readme.write_text(f"{report.BEGIN}{report.END}", encoding="utf-8")
    write([*ROWS, row("echo 2 B", 10, 0.9, values={"TCP": 4.5})], [])
    text = (readme.parent / "docs" / "speed.md").read_text(encoding="utf-8")
    assert "\n- encode 125 B, masked: 1.50 (1.50–1.50), target 2 (missed)\n" in text
    assert "\n- echo 2 B: 0.90 (0.90–0.90), target 0.95 (missed); TCP alone has 2.00\n" in text
    reached = [each for each in ROWS if not any(missed(each, peer) for peer in each.targets)]
    write(reached, [])
    text = (readme.parent / "docs" / "speed.md").read_text(encoding="utf-8")
    assert "Every target was reached." in text
    assert "missed" not in text


def test_a_readme_without_the_section(readme: Path) -> None:
    readme.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="no line"):
        write(ROWS, [])


def test_a_line_that_is_shown_was_measured(readme: Path) -> None:
    with pytest.raises(SystemExit, match="not measured: \\['decode 16 B, masked'\\]"):
        write(ROWS[1:], [])


def test_clients_send_and_read_in_a_process_of_their_own() -> None:
    heard: list[int] = []

    async def echo(ws: wslab.ServerConnection) -> None:
        async for message in ws:
            heard.append(len(message))
            await ws.send(message)

    async def test() -> None:
        async with wslab.serve(echo) as server:
            clients = await asyncio.to_thread(Clients, server.port, 2)
            await asyncio.to_thread(clients.echo, 3, 16, 4)
            wslab.broadcast(server.connections, b"x" * 100)
            await asyncio.to_thread(clients.read, 102)
            await asyncio.to_thread(clients.open, 3)
            while len(server.connections) > 2:
                await asyncio.sleep(0)
            await asyncio.to_thread(clients.close)

    asyncio.run(test())
    assert heard == [16] * (2 * 3 * 4)


def test_clients_whose_server_closes_fail() -> None:
    def close_at_once() -> None:
        listener.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        closing = threading.Thread(target=close_at_once)
        closing.start()
        with pytest.raises(SystemExit, match="clients of the benchmark have failed"):
            Clients(listener.getsockname()[1], 1)
        closing.join()


def test_a_flood_goes_on_until_it_is_killed() -> None:
    heard = asyncio.Event()

    async def count(ws: wslab.ServerConnection) -> None:
        for _ in range(1000):
            assert await ws.recv() == b""
        heard.set()
        await ws.wait_closed()

    async def test() -> None:
        async with wslab.serve(count) as server:
            clients = await asyncio.to_thread(Clients, server.port, 1)
            await asyncio.to_thread(clients.flood)
            await heard.wait()
            await asyncio.to_thread(clients.kill)

    asyncio.run(test())


def test_a_server_process_tells_its_memory() -> None:
    if not STATM.exists():
        pytest.skip("only Linux says what a process takes now")
    server = ServerProcess("wslab")
    try:
        assert server.memory() > 1000
        clients = Clients(server.port, 1)
        clients.echo(1, 16, 1)
        clients.close()
    finally:
        server.close()
