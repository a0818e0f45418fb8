"""The benchmark: its ratios, its table, and what it writes. What it measures depends on the machine."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import threading
from pathlib import Path

import pytest

import wslab
from benchmarks import report
from benchmarks.clients import Clients
from benchmarks.measure import Row, compare
from benchmarks.report import as_text, versions, write
from benchmarks.run import measure_speed


@pytest.fixture
def readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The README of a course of its own, which the report is written into, and docs beside it."""
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(report, "ROOT", tmp_path)
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    return tmp_path / "README.md"


ROWS = [
    Row("decode 16 B, masked", {"wslab": 2e-6, "websockets": 6e-6, "wsproto": 20e-6}, 3.0, 2.5),
    Row("encode 16 B, masked", {"wslab": 2e-6, "websockets": 3e-6, "aiohttp": 2e-6}, 1.5, 2),
    Row("decode 16 B of text, masked", {"wslab": 1e-6, "websockets": 2e-6}, 2.0, None),
    Row("broadcast 100 B to 500", {"wslab": 2e-6, "websockets": 4e-6, "TCP": 1e-6}, 2.0, 1.5),
]


def test_the_ratio_is_theirs_over_ours() -> None:
    row = compare("nothing", {"websockets": lambda: 6.0, "wslab": lambda: 2.0}, 2.5, count=2)
    assert row == Row("nothing", {"websockets": 3.0, "wslab": 1.0}, 3.0, 2.5)


def test_what_runs_without_a_time_of_its_own_is_measured() -> None:
    def work() -> None:
        sum(range(100_000))

    row = compare("sum", {"websockets": work, "wslab": work}, None)
    assert 0 < row.seconds["wslab"] < 1


def test_a_line_says_whether_the_target_is_reached() -> None:
    assert as_text(ROWS[0]).endswith("3.00     2.5  ok")
    assert as_text(ROWS[1]).endswith("1.50     2.0  MISSED")
    assert as_text(ROWS[2]).endswith("2.00")


def test_without_their_extension_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison would flatter us."""
    monkeypatch.setitem(sys.modules, "websockets.speedups", None)
    with pytest.raises(SystemExit, match="websockets has no C extension here"):
        measure_speed()


def test_what_is_written(readme: Path) -> None:
    readme.write_text(f"before\n{report.BEGIN}STALE\n{report.END}\nafter\n", encoding="utf-8")
    write(ROWS, ["import nothing: 0 ms"])
    assert (readme.parent / "docs" / "speed.png").read_bytes().startswith(b"\x89PNG")
    whole, short = (
        (readme.parent / "docs" / "speed.md").read_text(encoding="utf-8"),
        readme.read_text(encoding="utf-8"),
    )
    for text in (whole, short):
        assert "| decode 16 B, masked | 2.0 | 6.0 |  | 3.00 | 2.5 |" in text
        assert "| broadcast 100 B to 500 | 2.0 | 4.0 | 1.0 (4.00) | 2.00 | 1.5 |" in text
        assert versions() in text
        assert re.search(r"Measured on \d{4}-\d\d-\d\d", text)
    assert "import nothing: 0 ms" in whole
    assert "of text" in whole
    assert "of text" not in short
    assert short.startswith("before\n")
    assert short.endswith("\nafter\n")
    assert "STALE" not in short


def test_a_readme_without_the_section(readme: Path) -> None:
    readme.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="no line"):
        write(ROWS, [])


def test_a_missed_target_is_named_in_the_table(readme: Path) -> None:
    readme.write_text(f"{report.BEGIN}{report.END}", encoding="utf-8")
    write(ROWS, [])
    text = (readme.parent / "docs" / "speed.md").read_text(encoding="utf-8")
    assert "| encode 16 B, masked | 2.0 | 3.0 |  | 1.50 | 2 (missed) |" in text
    assert text.count("missed") == 1


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
