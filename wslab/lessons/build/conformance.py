"""How far a server conforms: Autobahn's cases against it, counted by section, the wire of each to look at.

The cases are those of the Autobahn test suite, sections 1 to 7 and 10, run by `kosoku`. Where that package
is missing, the cases of `own_cases` take their place: fewer, and shown in the same way. Each case opens a
connection to the server, which must send every message back, and ends it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from wslab.lab.dissector.dissection import Dissections
from wslab.lab.dissector.stream import dissect
from wslab.lab.views.figure import Figure, label, sheet
from wslab.lab.views.palette import ERROR, INK, PAPER
from wslab.lessons.build.own_cases import Case, run_own_cases

__all__ = ["Conformance", "conformance"]

SECTIONS = {
    "1": "text and binary messages",
    "2": "pings and pongs",
    "3": "reserved bits",
    "4": "reserved opcodes",
    "5": "fragments",
    "6": "UTF-8",
    "7": "closing",
    "10": "fragments of the sender's own",
}
AT_ONCE = 32  # cases that run side by side: most of them wait, and some fail if the machine answers late
STRICT = ("OK", "INFORMATIONAL")
MISSING = "These are the course's own cases. For the 247 of Autobahn: pip install kosoku"
ROW, STEP, LEFT = 40, 9, 310  # cases in a row of the figure; pixels from one to the next, and left of them
MARKS: dict[str, dict[str, Any]] = {
    "passed and clean": {"marker": "s", "c": INK},
    "passed, not clean": {"marker": "s", "c": PAPER, "edgecolors": INK},
    "failed": {"marker": "x", "c": ERROR.background},
}


@dataclass(frozen=True)
class Conformance:
    """The cases that were run against a server; true when all are passed and clean.

    >>> print(Conformance((Case("1.1", "a", "b", True, True), Case("2.1", "c", "d", False, True))))
    passed 1 of 2, clean 2
    """

    cases: tuple[Case, ...]
    note: str = ""

    def __bool__(self) -> bool:
        return bool(self.cases) and all(case.passed and case.clean for case in self.cases)

    def __repr__(self) -> str:
        return f"passed {self.passed} of {len(self.cases)}, clean {sum(case.clean for case in self.cases)}"

    def __getitem__(self, number: str) -> Case:
        return next(case for case in self.cases if case.number == number)

    @property
    def passed(self) -> int:
        """How many cases are passed."""
        return len(self.cases) - len(self.failed)

    @property
    def failed(self) -> list[Case]:
        """The cases that are not passed."""
        return [case for case in self.cases if not case.passed]

    def wire(self, number: str) -> Dissections:
        """Return what the server sent in a case, dissected."""
        return dissect(self[number].received, sender="server", start="frame")

    def figure(self, title: str) -> Figure:
        """Draw a mark for each case, a row for each section, under a title that says what to see."""
        words: dict[str, int] = {}  # what is written for a section to its place from the top
        marks = [(kind, LEFT + 128 * at, 0) for at, kind in enumerate(MARKS)]  # the legend, at the end
        top = 50
        for number, name in SECTIONS.items():
            if cases := [case for case in self.cases if case.section == number]:
                passed = sum(case.passed for case in cases)
                words[f"{number} · {name}: {passed} of {len(cases)}"] = top
                for at, case in enumerate(cases):
                    line, column = divmod(at, ROW)
                    marks.append((case.mark, LEFT + STEP * column, top + STEP * line))
                top = marks[-1][2] + 20
        drawing, axes = sheet(LEFT + STEP * ROW + 12, top + 22)
        label(axes, 12, 18, title, size=11)
        label(axes, 12, top + 6, self.note, size=8)
        for text, middle in words.items():
            label(axes, LEFT - 14, middle, text, align="right")
        for kind, look in MARKS.items():
            places = [(left, middle or top + 6) for each, left, middle in marks if each == kind]
            axes.scatter([x for x, _ in places], [y for _, y in places], s=22, linewidths=1, **look)
            label(axes, places[0][0] + 9, places[0][1], kind, size=8)
        return Figure(drawing, f"{title}. {self}. Passed: {'; '.join(words)}. {self.note}".rstrip())


async def conformance(port: int) -> Conformance:
    """Run the conformance cases against the echo server on a port of 127.0.0.1."""
    if not find_spec("kosoku"):
        return Conformance(await run_own_cases(port), MISSING)
    import kosoku

    wanted = [f"{number}.*" for number in SECTIONS]
    try:
        found = await kosoku.run_fuzzingclient(f"ws://127.0.0.1:{port}", wanted, concurrency=AT_ONCE)
    except kosoku.FailureError as failed:
        found = failed.results
    return Conformance(tuple(map(_case, found)))


def _case(found: Any) -> Case:
    return Case(
        found.case_id,
        " ".join(found.description.split()),
        " ".join(found.expectation.split()),
        found.behavior.value in STRICT,
        found.behavior_close.value in STRICT,
        _received(found.wirelog),
    )


def _received(log: Iterable[Any]) -> bytes:
    """Return the bytes that kosoku noted as received ("RO"); it cuts long ones short."""
    pieces = (entry[1][1].removesuffix(" ...") for entry in log if entry[0] == "RO")
    return b"".join(bytes.fromhex(piece[: len(piece) // 2 * 2]) for piece in pieces)
