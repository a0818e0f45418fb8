"""Run every check of the course and say at the end which passed: `make test`.

A step that fails does not keep the next ones from running. The exit code is the number of steps that failed.
What was skipped stands in the summary too, with what it needs.
"""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST = ["pytest", "-ra", "--durations=5", "--durations-min=2"]
STEPS = {
    "style (ruff check)": ["ruff", "check", "--no-cache", "."],
    "format (ruff format)": ["ruff", "format", "--no-cache", "--check", "."],
    "types (mypy strict)": ["mypy"],
    "unit tests and examples": [*PYTEST, "-p", "no:nbval", "-m", "not browser"],
    "pages and lessons in a real browser": [*PYTEST, "-p", "no:nbval", "-m", "browser"],
    "notebooks, output for output": [*PYTEST, "--nbval", "--nbval-cell-timeout=60", "notebooks"],
}
# What pytest ends with, and a failed or skipped test: kept for the summary.
TELLING = re.compile(r"=+ .*\d+ \w+.* in [\d.]+s.* =+$|(FAILED|ERROR|SKIPPED) ")
COLOUR = re.compile(r"\x1b\[[\d;]*m")


@dataclass(frozen=True)
class Result:
    """How one step went."""

    name: str
    passed: bool
    seconds: float
    telling: list[str]


def run(name: str, arguments: list[str]) -> Result:
    """Run one step, passing on what it prints as it comes."""
    print(f"\n--- {name}: {' '.join(arguments)}", flush=True)
    begin = time.perf_counter()
    chunks = []
    colour = {"FORCE_COLOR": "1"} if sys.stdout.isatty() else {}
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONUTF8": "1", **colour},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert isinstance(process.stdout, BufferedReader)
    while chunk := process.stdout.read1():
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        chunks.append(chunk)
    text = COLOUR.sub("", b"".join(chunks).decode(errors="replace"))
    telling = [line.rstrip() for line in text.splitlines() if TELLING.match(line)]
    return Result(name, process.wait() == 0, time.perf_counter() - begin, telling)


def summary(results: list[Result]) -> str:
    """Return the closing lines: each step, what failed or was skipped, and pytest's own last lines."""
    lines = ["", "=== what was checked ==="]
    for result in results:
        lines.append(f"{'passed' if result.passed else 'FAILED'}  {result.name} ({result.seconds:.0f} s)")
        lines += [f"        {line}" for line in result.telling if not line.startswith("=")]
    lines += [line for result in results for line in result.telling if line.startswith("=")]
    failed = sum(not result.passed for result in results)
    lines.append(
        f"{failed} of {len(results)} steps failed." if failed else f"All {len(results)} steps passed."
    )
    return "\n".join(lines)


def main() -> int:
    """Run all steps; return how many failed."""
    results = [run(name, arguments) for name, arguments in STEPS.items()]
    print(summary(results), flush=True)
    return sum(not result.passed for result in results)


if __name__ == "__main__":
    sys.exit(main())
