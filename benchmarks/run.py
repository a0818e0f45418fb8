"""Measure wslab beside websockets, wsproto and aiohttp, and then the course itself: ``make bench``.

``make bench ARGS=--speed`` stops before the course. The table is printed as it grows, and then written to
docs/speed.md, drawn into docs/speed.png, and shown in the README.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.codec import codec_rows
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


def rows_without_extensions() -> Iterator[Row]:
    """Measure both in their standard-library form, in a process that can load neither extension."""
    script = (
        "import json, sys; sys.modules['numpy'] = sys.modules['websockets.speedups'] = None\n"
        "from benchmarks.codec import pure_rows\n"
        "for row in pure_rows(): print(json.dumps(row), flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            what, *measured = json.loads(line)
            yield Row(f"{what}, no numpy, no C", *measured)
    if process.returncode:
        raise SystemExit("measuring without numpy failed")


def measure_speed() -> None:
    """Print the table, line by line, and write what the README shows."""
    check_fairness()
    print(versions(), HEADING, sep="\n", flush=True)
    rows = []
    for source in (codec_rows, rows_without_extensions, network_rows):
        for row in source():
            print(as_text(row), flush=True)
            rows.append(row)
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
    measure_speed()
    if "--speed" not in sys.argv[1:]:
        measure_course()


if __name__ == "__main__":
    main()
