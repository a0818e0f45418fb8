"""How far a server conforms: Autobahn's cases against it, counted by section, the wire of each to look at.

The cases are those of the Autobahn test suite, sections 1 to 7 and 10, run by `kosoku`. Where that package
is missing, the cases of `own_cases` take their place: fewer, and shown in the same way. Each case opens a
connection to the server, which must send every message back, and ends it.

A case is *passed* when the server did what RFC 6455 asks, strictly, and *clean* when the connection ended
with a closing handshake and the server ended TCP first (§7.1.1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from wslab.lab.dissector.dissection import Dissections
from wslab.lab.dissector.stream import dissect
from wslab.lab.views.table import Line, Table
from wslab.lessons.build.own_cases import run_own_cases

__all__ = ["Case", "Conformance", "conformance"]

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
AT_ONCE = 32  # cases that run side by side: a case that fails takes seconds, most of them waiting
STRICT = ("OK", "INFORMATIONAL")
MISSING = (
    "The package kosoku, which brings Autobahn's 247 cases, is not installed: these are the course's own. "
    "pip install kosoku"
)


@dataclass(frozen=True)
class Case:
    """A case: what happened in it, and what should have.

    Args:
        number: its number in the suite, such as "5.15".
        does: what it sends.
        expects: what must come back.
        passed: whether the server did that, strictly.
        clean: whether the connection ended with a closing handshake.
        sent: the bytes of the case's own frames, masked.
        received: the bytes of the server's frames.
    """

    number: str
    does: str
    expects: str
    passed: bool
    clean: bool
    sent: bytes = field(repr=False, default=b"")
    received: bytes = field(repr=False, default=b"")

    @property
    def section(self) -> str:
        """The number of its section."""
        return self.number.partition(".")[0]

    def wire(self, sender: str = "server") -> Dissections:
        """Return the frames that one side sent in this case, dissected; the case itself is the "client"."""
        data = self.sent if sender == "client" else self.received
        return dissect(data, sender="client" if sender == "client" else "server", start="frame")


class Conformance:
    """The cases that were run against a server; true when all are passed and clean.

    >>> cases = [Case("1.1", "a", "b", True, True), Case("2.1", "c", "d", False, True)]
    >>> print(Conformance(cases))
    passed 1 of 2, clean 2
    """

    def __init__(self, cases: Iterable[Case], note: str = "") -> None:
        self.cases = tuple(cases)
        self._note = note

    def __bool__(self) -> bool:
        return bool(self.cases) and all(case.passed and case.clean for case in self.cases)

    def __str__(self) -> str:
        return f"passed {self.passed} of {len(self.cases)}, clean {sum(case.clean for case in self.cases)}"

    def __getitem__(self, number: str) -> Case:
        found = next((case for case in self.cases if case.number == number), None)
        if found is None:
            raise KeyError(f"there is no case {number!r}, only such as {self.cases[0].number!r}")
        return found

    @property
    def passed(self) -> int:
        """How many cases are passed."""
        return sum(case.passed for case in self.cases)

    @property
    def failed(self) -> list[Case]:
        """The cases that are not passed."""
        return [case for case in self.cases if not case.passed]

    def table(self) -> Table:
        """Return the counts of each section as a table."""
        counts = {name: Counter(case.section for case in cases) for name, cases in self._kinds().items()}
        rows = [
            Line((f"{number} · {what}", *(str(count[number]) for count in counts.values())))
            for number, what in SECTIONS.items()
            if counts["cases"][number]
        ]
        rows.append(Line(("all", *(str(count.total()) for count in counts.values()))))
        return Table(("section", *counts), rows, self._note)

    def _kinds(self) -> dict[str, Sequence[Case]]:
        clean = [case for case in self.cases if case.clean]
        return {"cases": self.cases, "passed": [c for c in self.cases if c.passed], "clean": clean}

    def __repr__(self) -> str:
        return f" \n{self.table()!r}"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


async def conformance(port: int) -> Conformance:
    """Run the conformance cases against the echo server on a port of 127.0.0.1.

    Args:
        port: where it listens.
    """
    if not find_spec("kosoku"):
        return Conformance([Case(**case) for case in await run_own_cases(port)], MISSING)
    import kosoku

    wanted = [f"{number}.*" for number in SECTIONS]
    try:
        found = await kosoku.run_fuzzingclient(f"ws://127.0.0.1:{port}", wanted, concurrency=AT_ONCE)
    except kosoku.FailureError as failed:
        found = failed.results
    return Conformance(map(_case, found))


def _case(found: Any) -> Case:
    bytes_of = {kind: _noted(found.wirelog, kind) for kind in ("TO", "RO")}
    return Case(
        found.case_id,
        " ".join(found.description.split()),
        " ".join(found.expectation.split()),
        found.behavior.value in STRICT,
        found.behavior_close.value in STRICT,
        bytes_of["TO"],
        bytes_of["RO"],
    )


def _noted(log: Iterable[Any], kind: str) -> bytes:
    """Return the bytes that kosoku noted, sent ("TO") or received ("RO"); it cuts long ones short."""
    pieces = (entry[1][1].removesuffix(" ...") for entry in log if entry[0] == kind)
    return b"".join(bytes.fromhex(piece[: len(piece) // 2 * 2]) for piece in pieces)
