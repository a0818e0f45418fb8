"""The benchmark: its ratios, its table, and what it writes. What it measures depends on the machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.measure import Row, compare
from benchmarks.report import as_text, versions, write

ROWS = [
    Row("decode 16 B, masked", {"wslab": 2e-6, "websockets": 6e-6, "wsproto": 20e-6}, 3.0, 2.5),
    Row("encode 16 B, masked", {"wslab": 2e-6, "websockets": 3e-6, "aiohttp": 2e-6}, 1.5, 2),
    Row("decode 16 B of text, masked", {"wslab": 1e-6, "websockets": 2e-6}, 2.0, None),
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


def test_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}STALE\n{report.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(report, "ROOT", tmp_path)
    monkeypatch.setattr(report, "README", readme)
    write(ROWS, ["import nothing: 0 ms"])
    assert (tmp_path / "docs" / "speed.png").read_bytes().startswith(b"\x89PNG")
    whole, short = (
        (tmp_path / "docs" / "speed.md").read_text(encoding="utf-8"),
        readme.read_text(encoding="utf-8"),
    )
    for text in (whole, short):
        assert "| decode 16 B, masked | 2.0 | 6.0 | 3.00 | 2.5 |" in text
        assert versions() in text
        assert re.search(r"Measured on \d{4}-\d\d-\d\d", text)
    assert "import nothing: 0 ms" in whole
    assert "of text" in whole
    assert "of text" not in short
    assert short.startswith("before\n")
    assert short.endswith("\nafter\n")
    assert "STALE" not in short


def test_a_readme_without_the_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("nothing\n", encoding="utf-8")
    monkeypatch.setattr(report, "ROOT", tmp_path)
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    with pytest.raises(SystemExit, match="no line"):
        write(ROWS, [])
