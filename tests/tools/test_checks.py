"""tools/checks.py: what runs side by side, and the closing lines of `make test`."""

import pytest

from tools.checks import GROUPS, IN_A_BROWSER, SITE, TELLING, Result, counted, run, run_side_by_side, summary
from tools.course import NEEDS, ROOT

CLOSING = "1 failed, 2 passed, 1 skipped in 3.45s"


def test_pytest_ends_with_what_the_summary_keeps() -> None:
    for line in (f"=== {CLOSING} ===", "5 passed in 130.82s (0:02:10)", "FAILED a.py::b", "SKIPPED [1] c"):
        assert TELLING.match(line)
    for line in ("tests/test_a.py .... [ 20%]", "=========== FAILURES ===========", "x in 3.4s"):
        assert not TELLING.match(line)


def test_summary_says_what_failed_and_ends_with_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.checks.missing", lambda: {"kosoku": NEEDS["kosoku"]})
    text = f"FAILED tests/a.py::b\nnoise\n==== {CLOSING} ====\n"
    results = [Result("style", True, 1, "All checks passed!"), Result("unit", False, 3, text)]
    found = summary(results)
    assert found.endswith("\n1 of 2 steps failed.")
    assert "passed  style (1 s)" in found
    assert f"FAILED  unit (3 s)\n        FAILED tests/a.py::b\n        {CLOSING}\n" in found
    assert "left out: the outputs of lesson 12, since kosoku is not installed" in found
    assert summary(results[:1]).endswith("All 1 steps passed.")
    assert counted(results) == (2, 1)
    assert counted([Result("unit", False, 1, "3 passed, 2 errors in 1.00s")]) == (3, 2)


@pytest.mark.parametrize(("module", "passed"), [("this", True), ("no_such_module", False)])
def test_a_step_passes_by_its_exit_code(module: str, passed: bool) -> None:
    result = run("a step", [module])
    assert result.passed is passed
    assert result.text


def test_steps_run_side_by_side_and_each_prints_in_one_piece(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.checks.SIGN_OF_LIFE", 0.01)
    results = run_side_by_side({"one": ["this"], "other": ["no_such_module"]})
    assert [(result.name, result.passed) for result in results] == [("one", True), ("other", False)]
    told = capsys.readouterr().out
    assert "\n--- one: this\nThe Zen of Python" in told
    assert "one: 0 s" in told


def test_every_test_is_in_a_step_of_make_test() -> None:
    steps = [" ".join(words) for group in GROUPS["test"] for words in group.values()]
    for part in ("-m not browser and not site -n", "-m browser or site -n", "--nbval "):
        [step] = [words for words in steps if part in words]
        assert ("--ignore=" in step) <= (part == "--nbval ")


@pytest.mark.parametrize(("marker", "places"), [("browser", IN_A_BROWSER), ("site", SITE)])
def test_every_test_of_a_marker_is_where_it_is_looked_for(marker: str, places: str | tuple[str, ...]) -> None:
    tests = {path: path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    marked = [path for path, text in tests.items() if f"mark.{marker}\n" in text]
    assert len(marked) >= {"browser": 10, "site": 1}[marker]
    for path in marked:
        assert path.relative_to(ROOT).as_posix().startswith(places), path
