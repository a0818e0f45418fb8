"""Run the checks of the course and say at the end which passed: `make test`; the quick ones: `make check`.

A step that fails does not keep the next ones from running. The exit code is the number of steps that failed.
What was skipped stands in the summary too, with what it needs. Steps of one group run side by side; nothing
that measures time runs beside a browser.
"""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tools.course import NEEDS, ROOT, lessons, missing

PYTEST = ["pytest", "-q", "-ra", "--durations=8", "--durations-min=3"]
# Tests wait more than they work: for the bounds of wrong answers, for a kernel. So there are more processes
# than cores, and an idle one takes tests of another.
STEAL = ["--dist", "worksteal"]
UNITS = [*PYTEST, "-p", "no:nbval", "-m", "not browser and not site", "-n", "4", *STEAL]
IN_A_BROWSER = (
    "tests/browser",
    "tests/lab/browser",
    "tests/tools/test_pictures.py",
    "tests/tools/test_page_pictures.py",
)
SITE = "tests/tools/test_site_pages.py"  # here, since the browser opens the same site
BROWSER = [*PYTEST, "-p", "no:nbval", "-m", "browser or site", "-n", "3", *STEAL, *IN_A_BROWSER, SITE]
STYLE = {
    "style (ruff check)": ["ruff", "check", "--no-cache", "."],
    "format (ruff format)": ["ruff", "format", "--no-cache", "--check", "."],
    "types (mypy strict)": ["mypy"],
}
QUICK = ["tests/protocol", "tests/aio", "tests/tools", "tests/test_package.py", "tests/test_imports.py"]
GROUPS: dict[str, list[dict[str, list[str]]]] = {
    "check": [STYLE | {"protocol, aio, tools": [*UNITS, *QUICK]}],
    "test": [
        STYLE | {"unit tests and examples": [*UNITS]},
        {"pages and lessons in a real browser, the reading edition": BROWSER},
        {
            "notebooks, output for output": [
                *PYTEST,
                *("--nbval", "--nbval-cell-timeout=60", "-n", "3", "--dist", "loadfile", "notebooks"),
                *(f"--ignore={each.path}" for each in lessons() if each.number in missing().values()),
            ],
        },
    ],
}
# What pytest ends with, and a failed or skipped test: kept for the summary.
TELLING = re.compile(r"(=+ )?(\d+ \w+.* in [\d.]+s)|(FAILED|ERROR|SKIPPED) ")
COLOUR = re.compile(r"\x1b\[[\d;]*m")
SIGN_OF_LIFE = 20.0  # seconds without a word, after which one says what still runs


@dataclass(frozen=True)
class Result:
    """How one step went."""

    name: str
    passed: bool
    seconds: float
    text: str

    @property
    def telling(self) -> list[str]:
        """The lines that say how many tests passed, and which did not or were skipped."""
        return [line.strip("= ") for line in self.text.splitlines() if TELLING.match(line)]


def run(name: str, arguments: Sequence[str]) -> Result:
    """Run one step to its end."""
    begin = time.perf_counter()
    colour = {"FORCE_COLOR": "1"} if sys.stdout.isatty() else {}
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONUTF8": "1", **colour},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    text = COLOUR.sub("", done.stdout.decode(errors="replace"))
    return Result(name, done.returncode == 0, time.perf_counter() - begin, text)


def run_side_by_side(steps: dict[str, list[str]]) -> list[Result]:
    """Run steps at once; print what each printed when it ends, and now and then which still run."""
    results: list[Result] = []
    over = threading.Event()
    running = dict.fromkeys(steps, time.perf_counter())

    def watch() -> None:
        while not over.wait(SIGN_OF_LIFE):
            now = time.perf_counter()
            print(
                ", ".join(f"{name}: {now - begin:.0f} s" for name, begin in list(running.items())), flush=True
            )

    def work(name: str) -> Result:
        result = run(name, steps[name])
        del running[name]
        print(f"\n--- {name}: {' '.join(steps[name])}\n{result.text}", flush=True)
        return result

    threading.Thread(target=watch, daemon=True).start()
    with ThreadPoolExecutor(len(steps)) as pool:
        results = list(pool.map(work, steps))
    over.set()
    return results


def summary(results: Sequence[Result]) -> str:
    """Return the closing lines: each step, what failed or was skipped, and how many tests passed."""
    lines = ["", "=== what was checked ==="]
    for result in results:
        lines.append(f"{'passed' if result.passed else 'FAILED'}  {result.name} ({result.seconds:.0f} s)")
        lines += [f"        {line}" for line in result.telling]
    lines += [
        f"left out: the outputs of lesson {NEEDS[name]}, since {name} is not installed" for name in missing()
    ]
    failed = sum(not result.passed for result in results)
    lines.append(
        f"{failed} of {len(results)} steps failed." if failed else f"All {len(results)} steps passed."
    )
    return "\n".join(lines)


def counted(results: Sequence[Result]) -> tuple[int, int]:
    """Return how many tests passed, and how many failed, in all steps together."""
    closing = "\n".join(line for result in results for line in result.telling)
    numbers = [re.findall(rf"(\d+) {word}\b", closing) for word in ("passed", r"failed|(\d+) errors?")]
    passed = sum(int(number) for number in numbers[0])
    failed = sum(int(each) for pair in numbers[1] for each in pair if each)
    return passed, failed


def main(names: Sequence[str]) -> int:
    """Run all steps of `test` or `check`; return how many failed."""
    begin = time.perf_counter()
    results = [result for steps in GROUPS[(names or ["test"])[0]] for result in run_side_by_side(steps)]
    print(summary(results))
    print(f"{time.perf_counter() - begin:.0f} s in all")
    print("{} passed, {} failed".format(*counted(results)), flush=True)
    return sum(not result.passed for result in results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
