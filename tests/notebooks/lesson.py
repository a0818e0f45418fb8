"""A stored notebook, as the tests of the documents look at it."""

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
CODE_SPAN = re.compile(r"(`+)[^`].*?\1", re.DOTALL)


@dataclass(frozen=True)
class Cell:
    """One cell: its place in the notebook, from 1, its kind, and what it holds."""

    number: int
    kind: str
    source: str
    tags: frozenset[str]
    raw: dict[str, Any] = field(repr=False)

    @property
    def prose(self) -> str:
        """The text without the code in it."""
        return CODE_SPAN.sub("`code`", FENCE.sub("", self.source))

    @property
    def lines(self) -> int:
        """The number of lines that are not blank."""
        return sum(1 for line in self.source.splitlines() if line.strip())

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """The stored outputs; none for prose."""
        found: list[dict[str, Any]] = self.raw.get("outputs", [])
        return found

    @property
    def texts(self) -> list[str]:
        """Every text that the stored outputs show: streams, errors, and each textual form of a value."""
        found = []
        for output in self.outputs:
            found.append("".join(output.get("text", "")))
            found.append(output.get("evalue", "") + "".join(output.get("traceback", [])))
            data = output.get("data", {})
            found += ["".join(data[kind]) for kind in data if not kind.startswith("image/p")]
        return [text for text in found if text]


@dataclass(frozen=True)
class Lesson:
    """One notebook of the course."""

    path: Path

    @cached_property
    def raw(self) -> dict[str, Any]:
        """The notebook as JSON."""
        content: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return content

    @cached_property
    def cells(self) -> list[Cell]:
        """All cells in order."""
        return [
            Cell(
                number,
                cell["cell_type"],
                "".join(cell["source"]),
                frozenset(cell["metadata"].get("tags", [])),
                cell,
            )
            for number, cell in enumerate(self.raw["cells"], 1)
        ]

    @cached_property
    def code(self) -> list[Cell]:
        """The code cells in order."""
        return [cell for cell in self.cells if cell.kind == "code"]

    @cached_property
    def prose(self) -> list[Cell]:
        """The markdown cells in order."""
        return [cell for cell in self.cells if cell.kind == "markdown"]

    @cached_property
    def headings(self) -> list[tuple[int, str]]:
        """Level and text of each heading."""
        pattern = re.compile(r"^(#{1,6}) +(.+?) *$", re.MULTILINE)
        without_fences = [FENCE.sub("", cell.source) for cell in self.prose]
        return [(len(marks), text) for source in without_fences for marks, text in pattern.findall(source)]
