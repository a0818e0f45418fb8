"""What the measurements are shown as: a table to read, a section of the README, and see ``picture``.

The README gets the lines that stand for the others and the date; all lines go into docs/speed.md.
"""

from __future__ import annotations

import datetime
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import distributions, version

from benchmarks.codec import SLOW_BY_DESIGN
from benchmarks.measure import Row, missed
from benchmarks.picture import GROUPS, draw
from tools.course import README, ROOT

__all__ = ["HEADING", "PEERS", "as_text", "versions", "write"]

PEERS = ("websockets", "wsproto", "aiohttp", "picows")
COLUMNS = ("wslab", *PEERS, "TCP")  # for TCP see network
HEADING = f"{'':<60}{''.join(f'{name:>12}' for name in COLUMNS)}   websockets ÷ wslab"
BEGIN, END = "<!-- speed: written by make bench -->\n", "<!-- end of the speed -->"
HOW = (
    "Everything runs side by side, in turns. A line holds medians of processor time in µs, unless it names "
    "another unit: for what it names, an echo for each message, a broadcast for each recipient. The ratio is "
    "what websockets needs divided by what wslab needs, the median of pairs that were measured one after the "
    "other, and behind it the quartiles: more than 1 means that wslab needs less.\n"
)
WHO = """\
- wslab: Python, and numpy for long payloads. Every rule of RFC 6455 is checked, a text as it comes.
- websockets: Python, and a C function that masks. It accepts lengths that are not in the fewest bytes.
- wsproto: Python alone, and no I/O: so it is in the lines without a network only.
- aiohttp: an HTTP server and client whose reader and masking are compiled from Cython. A text is checked \
when it is whole.
- picows: Cython. Its core API calls a function for each frame: messages of several frames, their limit and \
the UTF-8 of a text are left to the user, and no task waits for messages.
- TCP: a server on asyncio that sends as many bytes as the answers have and looks at nothing. No server on \
asyncio's transports needs less; behind its time stands the ratio to websockets that it has itself, which is \
the most that anything could reach.
"""
SLOWER = (
    "Slower by design: a long text in small pieces, since each piece is checked to be UTF-8 as it comes, so "
    "that the first wrong byte is refused.\n"
)
SHOWN = tuple(what for lines in GROUPS.values() for what in lines)


def versions() -> str:
    """Name what was compared, on what."""
    installed = {each.name for each in distributions()}  # picows is there for the benchmark only
    names = [name for name in ("wslab", *PEERS, "numpy") if name in installed]
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    return f"{packages}, Python {platform.python_version()}, {sys.platform}, {os.cpu_count()} cores"


def as_text(row: Row) -> str:
    """Return a line for the terminal."""
    values = "".join(f"{row.values[name]:12,.2f}" if name in row.values else " " * 12 for name in COLUMNS)
    verdicts = "".join(f"  {_target(row, name)}" for name in row.targets)
    return f"{_name(row):<60}{values}   {_ratio(row)}{verdicts}"


def _name(row: Row) -> str:
    return row.what if row.unit == "µs" else f"{row.what}, {row.unit}"


def _ratio(row: Row) -> str:
    low, middle, high = row.ratios["websockets"]
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def _target(row: Row, peer: str) -> str:
    """Write a target: of websockets as the ratio to reach, of another as the share of its time to keep to."""
    verdict = " (missed)" if missed(row, peer) else ""
    if peer == "websockets":
        return f"{row.targets[peer]:g}{verdict}"
    return f"{1 / row.targets[peer]:g} times {peer}, is {1 / row.ratios[peer][1]:.2f}{verdict}"


def as_table(rows: Sequence[Row]) -> str:
    """Return lines as a table in Markdown, with a column for each package that they measure."""
    names = [name for name in COLUMNS if any(name in row.values for row in rows)]
    lines = [
        f"| | {' | '.join(names)} | ratio | target |",
        f"|---|{'--:|' * len(names)}--:|---|",
    ]
    for row in rows:
        cells = [f"{row.values[name]:,.1f}" if name in row.values else "" for name in names]
        if "TCP" in row.values:
            cells[-1] += f" ({row.values['websockets'] / row.values['TCP']:.2f})"
        targets = "; ".join(_target(row, peer) for peer in row.targets)
        lines.append(f"| {_name(row)} | {' | '.join(cells)} | {_ratio(row)} | {targets} |")
    return "\n".join(lines) + "\n"


def _not_reached(rows: Sequence[Row]) -> str:
    """Name what was missed, beside its floor where there is one."""
    lines = []
    for row in rows:
        for peer in row.targets:
            if missed(row, peer):
                floor = ""
                if peer == "websockets" and "TCP" in row.values:
                    floor = f"; TCP alone has {row.values['websockets'] / row.values['TCP']:.2f}"
                lines.append(f"- {_name(row)}: {_ratio(row)}, target {_target(row, peer)}{floor}")
    return (
        "Targets that were missed:\n\n" + "\n".join(lines) + "\n" if lines else "Every target was reached.\n"
    )


def write(rows: Sequence[Row], imports: Sequence[str]) -> None:
    """Write docs/speed.png, docs/speed.md and the section of the README.

    Raises:
        SystemExit: the README has no place for it, or a line that it shows was not measured.
    """
    docs, today = ROOT / "docs", datetime.date.today().isoformat()
    if unknown := set(SHOWN) - {row.what for row in rows}:
        raise SystemExit(f"these lines are shown, but were not measured: {sorted(unknown)}")
    before, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    if not begin:
        raise SystemExit(f"README.md has no line {BEGIN.strip()!r}: the speed was not written into it")
    words = draw(rows, docs / "speed.png")
    how = f"Measured on {today} by `make bench`: {versions()}. {HOW}"
    extra = "\n".join(f"- {line}" for line in imports) + "\n"
    parts = [how, f"![{words}](speed.png)\n", WHO, as_table(rows), _not_reached(rows), SLOWER, extra]
    (docs / "speed.md").write_text("# How fast it is\n\n" + "\n".join(parts), encoding="utf-8", newline="\n")
    shown = as_table([row for row in rows if row.what in SHOWN])
    short = "\n".join([how, f"![{words}](docs/speed.png)\n", shown, WHO, SLOWER])
    after = rest.partition(END)[2]
    README.write_text(before + BEGIN + short + END + after, encoding="utf-8", newline="\n")


assert SLOW_BY_DESIGN in SHOWN
