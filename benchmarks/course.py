"""What the course costs besides the protocol: importing it, running each lesson, running every check.

The import is measured in processor time of a new interpreter, as what it takes beyond one that does nothing
or has asyncio already. Lessons and checks are measured on the clock, as a learner waits for them.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from tools.course import LESSONS, ROOT, lessons
from tools.notebooks import execute, read

__all__ = ["check_seconds", "import_lines", "lesson_lines"]

REPEATS = 15
IMPORTS = {
    "nothing": "pass",
    "asyncio": "import asyncio",
    "the protocol of wslab": "import wslab",
    "asyncio and wslab.serve": "import asyncio, wslab; wslab.serve",
    "asyncio and websockets.serve": "import asyncio; from websockets.asyncio.server import serve",
}


def _interpreter_seconds(code: str) -> float:
    # With stored bytecode, as in every start but the first.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    measured = f"{code}; import time; print(time.process_time())"
    return float(subprocess.check_output([sys.executable, "-c", measured], env=environment, cwd=ROOT))


def import_lines() -> Iterator[str]:
    """Measure the imports in turns, and say what each takes beyond what was there before."""
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(REPEATS):
        for name, code in IMPORTS.items():
            times[name].append(_interpreter_seconds(code) * 1000)
    for name, before in (
        ("asyncio", "nothing"),
        ("the protocol of wslab", "nothing"),
        ("asyncio and wslab.serve", "asyncio"),
        ("asyncio and websockets.serve", "asyncio"),
    ):
        more = statistics.median(a - b for a, b in zip(times[name], times[before], strict=True))
        yield f"import {name}: {more:.0f} ms of processor time more than {before}"


def lesson_lines() -> Iterator[str]:
    """Run all cells of each lesson in a new kernel, without storing anything."""
    for lesson in lessons():
        notebook = read(lesson.path)
        start = time.perf_counter()
        execute(notebook, LESSONS)
        yield f" Run All of {lesson.path.stem}: {time.perf_counter() - start:.1f} s, limit 20 s"


def check_seconds() -> float:
    """Run every check, showing what they print, and return how long they take.

    Raises:
        SystemExit: a check failed.
    """
    start = time.perf_counter()
    if subprocess.run([sys.executable, "-m", "tools.checks"], cwd=ROOT, check=False).returncode:
        raise SystemExit("make test failed, see above")
    return time.perf_counter() - start
