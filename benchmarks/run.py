"""Measure wslab beside its peers, and then the course itself: ``make bench``.

``make bench ARGS=--speed`` stops before the course; ``ARGS=--quick`` measures each line a few times only, and
writes nothing. The table is printed as it grows, and then written to docs/speed.md, drawn into
docs/speed.png, and shown in the README.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks import measure
from benchmarks.codec import codec_rows
from benchmarks.connections import connection_rows
from benchmarks.course import check_seconds, import_lines, lesson_lines
from benchmarks.measure import Row
from benchmarks.network import network_rows
from benchmarks.report import HEADING, as_text, versions, write


def check_fairness() -> None:
    """Compare with websockets at its fastest, or not at all."""
    try:
        import websockets.speedups  # noqa: F401
    except ImportError:
        raise SystemExit("websockets has no C extension here: the comparison would flatter us") from None
    if importlib.util.find_spec("picows") is None:
        raise SystemExit("picows is not installed here: make bench installs it")


def rows_without_extensions() -> Iterator[Row]:
    """Measure both in their standard-library form, in a process that can load neither extension."""
    script = (
        "import json, sys; sys.modules['numpy'] = sys.modules['websockets.speedups'] = None\n"
        "from benchmarks import measure; from benchmarks.codec import pure_rows\n"
        f"measure.REPEATS = {measure.REPEATS}\n"
        "for row in pure_rows(): print(json.dumps(row), flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            what, *measured = json.loads(line)
            yield Row(f"{what}, no numpy, no C", *measured)
    if process.returncode:
        raise SystemExit("measuring without numpy failed")


def measure_speed(*, quick: bool = False) -> None:
    """Print the table, line by line, and write what the README shows, unless it is only a try."""
    check_fairness()
    print(versions(), HEADING, sep="\n", flush=True)
    rows = []
    if quick:
        measure.REPEATS = 3
    for source in (codec_rows, rows_without_extensions, network_rows, connection_rows):
        for row in source():
            print(as_text(row), flush=True)
            rows.append(row)
    if quick:
        return
    imports = []
    for line in import_lines():
        print(line, flush=True)
        imports.append(line)
    write(rows, imports)


def measure_course() -> None:
    """Print how long each lesson takes, and every check."""
    for line in lesson_lines():
        print(line, flush=True)
    print(f"make test: {check_seconds():.0f} s", flush=True)


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    measure_speed(quick=quick)
    if not quick and "--speed" not in sys.argv[1:]:
        measure_course()


if __name__ == "__main__":
    main()
