"""tools/checks.py: the closing lines of `make test`."""

import pytest

from tools.checks import TELLING, Result, run, summary

CLOSING = "=================== 1 failed, 2 passed, 1 skipped in 3.45s ==================="


def test_pytest_ends_with_what_the_summary_keeps() -> None:
    for line in (
        CLOSING,
        "====== 5 passed in 130.82s (0:02:10) ======",
        "FAILED tests/a.py::b",
        "SKIPPED [1] c",
    ):
        assert TELLING.match(line)
    for line in ("tests/test_a.py .... [ 20%]", "=========== FAILURES ===========", "x in 3.4s"):
        assert not TELLING.match(line)


def test_summary_says_what_failed_and_ends_with_the_verdict() -> None:
    results = [Result("style", True, 1, []), Result("unit", False, 3, ["FAILED tests/a.py::b", CLOSING])]
    text = summary(results)
    assert text.endswith(f"\n{CLOSING}\n1 of 2 steps failed.")
    assert "passed  style (1 s)" in text
    assert "FAILED  unit (3 s)\n        FAILED tests/a.py::b" in text
    assert summary(results[:1]).endswith("All 1 steps passed.")


@pytest.mark.parametrize(("module", "passed"), [("this", True), ("no_such_module", False)])
def test_a_step_passes_by_its_exit_code(
    module: str, passed: bool, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run("a step", [module]).passed is passed
    assert b"--- a step" in capfdbinary.readouterr().out
