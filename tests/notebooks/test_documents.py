"""The notebooks as documents: what a reader meets without running anything."""

import ast
import builtins
import re
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tools.course import BEGIN, END, GLOSSARY, README, ROOT, Lesson, lessons
from tools.glossary import anchor, bold, key, link, renewed, rows, terms
from tools.outline import navigation, outline
from wslab.lab.kernel.missing_name import advice, bound_names

LINK = re.compile(r"(?<!!)\[[^\]]+\]\(\s*<?((?:[^()\s>]|\([^()\s]*\))+)")
IMAGE = re.compile(r"!\[([^\]]*)\]\(\s*<?([^)\s>]+)")
PROGRAMS = {"chat", "client", "server", "worker"}
TAGS = {"setup", "exercise", "solution", "cleanup", *PROGRAMS, "nbval-ignore-output", "raises-exception"}
MACHINE = re.compile(
    r"/(?:home|root|Users|tmp|work|var|mnt|opt)/\w|[A-Z]:\\\\?Users|site-packages|ipykernel_\d"
    r"|(?:127\.0\.0\.1|localhost|\[::1\])[:/]\d{4,5}\b|\b0x[0-9a-f]{9,}\b"
)
PAGES = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/index.md", "docs/teach.md"]
METADATA = {"kernelspec", "language_info"}
STOP = re.compile(r"^\*\*A place to stop:\*\* ", re.MULTILINE)
SHOWN_FIRST = ("text/html", "image/svg+xml", "application/pdf", "text/markdown", "text/plain")


def beside_the_dots(output: dict[str, Any]) -> str:
    """Return what JupyterLab shows of a folded output: its first line that is not empty; a blank is none."""
    data = output.get("data", {"text/plain": output.get("text", output.get("evalue", ""))})
    first = next(("".join(data[kind]) for kind in SHOWN_FIRST if kind in data), "")
    return next(filter(None, first.split("\n")), "").strip()


def anchors(file: Path) -> list[str]:
    """Return the fragments by which one can link into a lesson or the glossary."""
    if file.suffix == ".md":
        return re.findall(r'<a id="([^"]+)">', file.read_text(encoding="utf-8"))
    return [anchor(text) for _, text in Lesson(file).headings]


def test_the_course_has_notebooks_with_unique_numbers(lesson: Lesson) -> None:
    assert re.fullmatch(r"\d\d-[a-z0-9-]+\.ipynb", lesson.path.name)
    assert [each.number for each in lessons()].count(lesson.number) == 1


def test_opening_says_what_it_gives_and_takes(lesson: Lesson) -> None:
    first = lesson.cells[0]
    assert first.kind == "markdown"
    number, name = lesson.number, lesson.title
    assert re.fullmatch(rf"{number} · \w.+[^.]", name), f"{name!r} must be '{number} · Verb …'"
    assert lesson.promise.endswith("."), "one sentence under the title says what the learner builds"
    assert re.search(r"^\*\*You will be able to\*\*:?\n+(- .+\n){2,}", first.source, re.MULTILINE)
    assert re.search(r"^\*\*You need:\*\* .+", first.source, re.MULTILINE)
    assert f"**Time:** {lesson.minutes} minutes" in first.source, "run make notebooks"
    assert 10 <= lesson.minutes <= 90


def test_a_long_lesson_has_a_place_to_stop(lesson: Lesson) -> None:
    stops = [cell.number for cell in lesson.prose if STOP.search(cell.source)]
    assert lesson.minutes <= 45 or stops, f"{lesson.minutes} minutes, and no line **A place to stop:** …"
    assert all(0.25 < number / len(lesson.cells) < 0.75 for number in stops)


def test_the_answer_to_a_prediction_stays_folded_until_the_cell_is_run(lesson: Lesson) -> None:
    asked = [cell.number for cell in lesson.prose if "**Predict" in cell.source]
    for number in asked:
        answer = next((cell for cell in lesson.code if cell.number > number and cell.outputs), None)
        assert answer, f"cell {number}: no output answers it"
        assert answer.folded, f"cell {answer.number}: fold its output"


def test_the_line_beside_a_folded_output_betrays_nothing(lesson: Lesson) -> None:
    # JupyterLab shows the first line of the first output beside the dots: a blank, a heading with a colon, or
    # the head of a table.
    for cell in lesson.code:
        if cell.folded and cell.outputs:
            line = beside_the_dots(cell.outputs[0])
            assert not line or line.endswith(":") or line.startswith("| "), f"cell {cell.number}: {line!r}"


def test_an_output_quoted_in_the_opening_is_a_stored_one(lesson: Lesson) -> None:
    stored = {line.rstrip() for cell in lesson.code for text in cell.texts for line in text.splitlines()}
    for quoted in re.findall(r"^```text\n(.*?)^```", lesson.opening, re.MULTILINE | re.DOTALL):
        assert {line.rstrip() for line in quoted.splitlines()} <= stored


def test_something_is_seen_within_four_code_cells(lesson: Lesson) -> None:
    assert any(cell.outputs for cell in lesson.code[:4])


def test_closing_recalls_asks_and_leads_on(lesson: Lesson) -> None:
    titles = [text for level, text in lesson.headings if level == 2]
    assert titles[-4:] == ["Recap", "Questions", "In practice", "Further reading"]
    assert lesson.prose[-1].source.endswith(navigation(lesson, lessons())), "run make notebooks"
    assert "cleanup" in lesson.code[-1].tags, "the last code cell closes what the lesson opened"


def test_headings_are_in_order(lesson: Lesson) -> None:
    levels = [level for level, _ in lesson.headings]
    assert len(levels) > 5
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels


def test_links_resolve(lesson: Lesson) -> None:
    found = [target for cell in lesson.prose for target in LINK.findall(cell.prose)]
    assert found
    for target in found:
        parts = urlsplit(target)
        if parts.scheme:
            assert parts.scheme == "https", target
            assert re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", parts.netloc), target
            assert not re.search(r"(^|\.)(example|test|invalid|localhost)(\.|$)", parts.netloc), target
            continue
        file = lesson.path.parent / unquote(parts.path) if parts.path else lesson.path
        assert file.resolve().is_relative_to(ROOT), target
        assert file.exists(), target
        if parts.fragment:
            assert unquote(parts.fragment) in anchors(file), target


def test_images_have_a_text_alternative_and_exist(lesson: Lesson) -> None:
    for cell in lesson.prose:
        for alternative, target in IMAGE.findall(cell.prose):
            assert len(alternative) > 10, target
            assert (lesson.path.parent / unquote(target)).exists(), target
        for tag in re.findall(r"<img\b[^>]*>", cell.prose):
            assert re.search(r"\balt=(['\"]).{10,}?\1", tag), tag


def test_figures_have_a_text_alternative(lesson: Lesson) -> None:
    pictures = [
        (cell.number, output)
        for cell in lesson.code
        for output in cell.outputs
        if any(kind.startswith("image/") for kind in output.get("data", {}))
    ]
    assert pictures, "a lesson shows at least one figure"
    for number, output in pictures:
        text = "".join(output["data"].get("text/plain", ""))
        assert len(text) > 30, f"cell {number}: the figure says nothing to who cannot see it"
        assert not text.startswith("<"), f"cell {number}: {text}"
        if "image/png" in output["data"]:
            assert output["metadata"].get("image/png", output["metadata"]).get("alt"), (
                f"cell {number}: no alt"
            )


def test_cells_have_unique_ids_and_counts_in_order(lesson: Lesson) -> None:
    ids = [cell.raw.get("id") for cell in lesson.cells]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    counts = [cell.raw["execution_count"] for cell in lesson.code]
    assert counts == list(range(1, len(counts) + 1)), "run make notebooks"
    assert counts


def test_only_metadata_that_somebody_uses(lesson: Lesson) -> None:
    assert set(lesson.raw["metadata"]) == METADATA, "run make notebooks"
    assert lesson.raw["metadata"]["kernelspec"]["name"] == "python3"
    assert "widget-view" not in lesson.path.read_text(encoding="utf-8"), "run make notebooks"
    for cell in lesson.cells:
        assert set(cell.raw["metadata"]) <= {"tags", "jupyter", "ran"}, f"cell {cell.number}"
        assert cell.tags <= TAGS, f"cell {cell.number}"


def test_no_stored_error_that_the_cell_does_not_announce(lesson: Lesson) -> None:
    for cell in lesson.code:
        failed = any(output["output_type"] == "error" for output in cell.outputs)
        assert failed == ("raises-exception" in cell.tags), f"cell {cell.number}"


def test_outputs_name_no_machine_no_port_and_no_address(lesson: Lesson) -> None:
    texts = [(cell.number, text) for cell in lesson.code for text in cell.texts]
    assert texts
    found = [(number, match[0]) for number, text in texts for match in MACHINE.finditer(text)]
    assert not found


def test_outputs_of_measuring_cells_are_stored_for_their_source(lesson: Lesson) -> None:
    for cell in lesson.code:
        if "nbval-ignore-output" in cell.tags:
            assert "ran" in cell.raw["metadata"], f"cell {cell.number}: run make notebooks"


def test_cells_are_short(lesson: Lesson) -> None:
    # The parts of a program that the lesson builds, tagged with its name, may each be as long as a function.
    lengths = sorted(cell.lines for cell in lesson.code if not cell.tags & PROGRAMS)
    assert lengths[0] > 0, "an empty code cell"
    program = any(cell.tags & PROGRAMS for cell in lesson.code)
    # A lesson with a program has few other cells, and they are experiments.
    assert median(lengths) <= (7 if program else 4)
    assert sum(length <= 10 for length in lengths) >= 0.95 * len(lengths), lengths
    assert max(len(cell.source.splitlines()) for cell in lesson.code) <= 25


def test_prose_and_code_are_in_balance(lesson: Lesson) -> None:
    # An exercise is one thing to the reader: its text, stub, note and folded solution count as one cell.
    exercises = sum("exercise" in cell.tags for cell in lesson.code)
    # A lesson whose program stands in its cells, function by function, takes more of them than minutes.
    assert 25 <= len(lesson.cells) - 3 * exercises <= max(50, 1.25 * lesson.minutes)
    assert 0.8 <= len(lesson.prose) / len(lesson.code) <= 1.6
    assert len(lesson.prose) + len(lesson.code) == len(lesson.cells)


def test_few_outputs_are_not_compared(lesson: Lesson) -> None:
    ignored = [cell for cell in lesson.code if "nbval-ignore-output" in cell.tags]
    assert len(ignored) <= 0.2 * len(lesson.code)


def test_exercises_have_a_solution_that_is_folded(lesson: Lesson) -> None:
    assert "setup" in lesson.code[0].tags
    exercises = [text for _, text in lesson.headings if text.startswith("Exercise: ")]
    stubs = [cell for cell in lesson.code if "exercise" in cell.tags]
    solutions = [cell for cell in lesson.code if "solution" in cell.tags]
    assert exercises
    assert len(exercises) == len(stubs), "each stub has its heading and its question"
    assert len(exercises) <= len(solutions)
    for cell in solutions:
        assert cell.raw["metadata"].get("jupyter", {}).get("source_hidden"), f"cell {cell.number}"


def test_a_cell_that_runs_too_early_says_what_to_run_first(lesson: Lesson) -> None:
    cells = lesson.raw["cells"]
    found = 0
    for cell in lesson.code[1:]:
        nodes = list(ast.walk(ast.parse(cell.source)))
        names = {(node.id, type(node.ctx)) for node in nodes if isinstance(node, ast.Name)}
        own = bound_names(cell.source) | {name for name, use in names if use is ast.Store}
        own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        own |= {node.name or "" for node in nodes if isinstance(node, ast.ExceptHandler)}
        own |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
        for name in {name for name, _ in names} - own - set(dir(builtins)):
            found += 1
            assert advice(name, cells, cell.raw["id"]), f"cell {cell.number}: {name}"
    assert found


def test_code_does_not_hide_a_value_by_a_semicolon(lesson: Lesson) -> None:
    # nbval runs cells without history, where the semicolon has no effect: the output would differ.
    for cell in lesson.code:
        assert not cell.source.rstrip().endswith(";"), f"cell {cell.number}: assign the value to _ instead"


def test_style_of_the_text(lesson: Lesson) -> None:
    assert lesson.prose
    for cell in lesson.cells:
        assert "\t" not in cell.source, f"cell {cell.number}"
        assert not re.search(r"[ ]+$", cell.source, re.MULTILINE), f"cell {cell.number}: trailing space"
        assert not re.search("[\U0001f000-\U0001faff\ufe0f]", cell.source), f"cell {cell.number}"
    for cell in lesson.prose:
        assert not re.search(r"[\w)\"”]!(?=\s|$)", cell.prose), f"cell {cell.number}: exclamation mark"


def test_terms_are_linked_to_the_glossary(lesson: Lesson) -> None:
    known = terms(GLOSSARY.read_text(encoding="utf-8"))
    linked = 0
    for cell in lesson.prose:
        assert link(cell.source, known) == cell.source, f"cell {cell.number}: run make notebooks"
        linked += cell.source.count("](glossary.md#")
    assert linked
    defined = [phrase for phrase, _ in bold([cell.source for cell in lesson.prose])]
    short = [phrase for phrase in defined if re.fullmatch(r"[a-z][\w-]*( [\w-]+){0,2}", phrase)]
    missing = {key(phrase) for phrase in short} - {key(term) for term in known}
    assert not missing, "in bold, so a term, but not in notebooks/glossary.md"


def test_the_glossary_is_in_order_and_leads_to_the_lessons() -> None:
    text = GLOSSARY.read_text(encoding="utf-8")
    assert text == renewed(text, lessons()), "run make notebooks"
    assert len(rows(text)) > 50
    found = anchors(GLOSSARY)
    assert len(set(found)) == len(found) == len(rows(text))
    for term, meaning, _, place in rows(text):
        assert meaning.endswith("."), term
        [target] = LINK.findall(place) or [""]
        assert target, f"{term}: no lesson has it in bold"
        file = GLOSSARY.parent / target.partition("#")[0]
        assert target.partition("#")[2] in anchors(file), target
        assert key(term) in {key(phrase) for phrase, _ in bold([cell.source for cell in Lesson(file).prose])}


def test_the_readme_has_the_outline_of_the_notebooks() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert f"{BEGIN}{outline(lessons())}{END}" in text, "run make notebooks"


@pytest.mark.parametrize("name", PAGES)
def test_links_of_the_pages_around_the_lessons_resolve(name: str) -> None:
    text = re.sub(r"^```.*?^```", "", Path(ROOT, name).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    local = [target for target in LINK.findall(text) if "://" not in target]
    local += [target for _, target in IMAGE.findall(text)]
    assert local
    for target in local:
        assert Path(ROOT, name, "..", unquote(target.partition("#")[0])).resolve().exists(), target
    assert all(len(alternative) > 10 for alternative, _ in IMAGE.findall(text))


def test_the_questions_for_a_class_are_those_of_the_lessons() -> None:
    text = Path(ROOT, "docs", "teach.md").read_text(encoding="utf-8")
    asked = re.findall(r"^\| (\d\d) \| \[(.+)\]\(\S+?#(\S+)\) \| (.+) \|$", text, re.MULTILINE)
    assert {number for number, *_ in asked} == {each.number for each in lessons()}
    prose = {each.number: "\n".join(cell.source for cell in each.prose) for each in lessons()}
    for number, heading, fragment, question in asked:
        assert fragment == anchor(heading), heading
        sections = re.split(r"^## (.+)$", prose[number], flags=re.MULTILINE)
        section = sections[sections.index(heading) + 1]
        there = question.casefold() in " ".join(section.split()).casefold()
        assert there, f"lesson {number} asks otherwise now; write its words into docs/teach.md: {question}"
