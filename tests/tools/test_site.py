"""The reading edition: what is prepared for Sphinx. For the pages that it makes, see test_site_pages."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tools import site, site_text
from tools.chinese import ABOUT, CHINESE, renewed
from tools.course import Lesson, lessons
from tools.course_map import course_map
from tools.site_lesson import YOUR_TURN, fold, lesson_page, pictured, prose, words
from tools.site_text import HTML, local, meanings, sections
from wslab.lab.browser.save_hook import PAGES
from wslab.lessons.start.course_map import AT_HOME

ROOT = Path(__file__).resolve().parents[2]
RFC6455 = "https://www.rfc-editor.org/rfc/rfc6455.html"
RFC9110 = "https://www.rfc-editor.org/rfc/rfc9110.html"


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("a frame (§5.2).", f"a frame ([§5.2]({RFC6455}#section-5.2))."),
        (
            "see RFC 9110 §7.8 and §15.",
            f"see [RFC 9110 §7.8]({RFC9110}#section-7.8) and [§15]({RFC9110}#section-15).",
        ),
        ("(RFC 9110 §7.8) of §4", f"([RFC 9110 §7.8]({RFC9110}#section-7.8)) of [§4]({RFC6455}#section-4)"),
        ("RFC 9110. §4", f"[RFC 9110]({RFC9110}). [§4]({RFC6455}#section-4)"),
        ("`§` alone, `§5.2` in code, [§5.2](there)", "`§` alone, `§5.2` in code, [§5.2](there)"),
        ("## Masking (§5.3)\n§5.3", f"## Masking (§5.3)\n[§5.3]({RFC6455}#section-5.3)"),
    ],
)
def test_sections_lead_to_their_addresses(text: str, linked: str) -> None:
    assert sections(text) == linked


def test_sections_in_html_lead_to_their_addresses_too() -> None:
    html_ = '<td title="§5.1">§5.2</td><td>RFC 9110 §4</td><td>§6</td><code>§7</code><a href="">§8</a>'
    assert sections(html_, HTML) == (
        f'<td title="§5.1"><a href="{RFC6455}#section-5.2">§5.2</a></td>'
        f'<td><a href="{RFC9110}#section-4">RFC 9110 §4</a></td><td><a href="{RFC6455}#section-6">§6</a></td>'
        '<code>§7</code><a href="">§8</a>'
    )


def test_a_term_says_what_it_means() -> None:
    rows = '|---|---|---|---|\n| tap | <a id="tap"></a>A `relay` with "a copy" of [all](#all). | – | |\n'
    assert meanings(rows) == {"tap": "A relay with ″a copy″ of all."}
    text = prose("a [**tap**](glossary.md#tap), [new](glossary.md#new)", meanings(rows))
    assert text == 'a [**tap**](glossary.md#tap "A relay with ″a copy″ of all."), [new](glossary.md#new "")'


def test_what_only_jupyterlab_has_is_left_out() -> None:
    text = (
        "A solution is folded below. Click its three dots.\n\n**Next:** [x](05-echo.ipynb) · **Terms:** y\n"
    )
    assert prose(text, {}).strip() == "A solution is folded below."


def test_links_to_files_lead_to_pages_or_to_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[a](../notebooks/05-echo.ipynb#Top) [b](teach.md) [c](../LICENSE) [d](https://e.org) `f[g](h)`"
    made = "[a](05-echo.ipynb#Top) [b](teach.md) {} [d](https://e.org) `f[g](h)`"
    monkeypatch.setattr(site_text, "repository", lambda: "")
    assert local(text, ROOT / "docs") == made.format("c")
    assert local("a\n([source](../LICENSE)), b", ROOT / "docs") == "a, b"
    monkeypatch.setattr(site_text, "repository", lambda: "https://github.com/o/n")
    assert local(text, ROOT / "docs") == made.format("[c](https://github.com/o/n/blob/HEAD/LICENSE)")


@pytest.mark.parametrize(
    ("metadata", "outputs", "tag"),
    [
        ({}, [1], ""),
        ({"jupyter": {"outputs_hidden": True}}, [1], "hide-output"),
        ({"jupyter": {"outputs_hidden": True}}, [], ""),
        ({"jupyter": {"source_hidden": True}}, [1], "hide-input"),
        ({"jupyter": {"source_hidden": True}, "tags": ["solution"]}, [1], "hide-cell"),
    ],
)
def test_what_is_folded_in_the_notebook_is_folded_on_the_page(metadata: Any, outputs: Any, tag: str) -> None:
    assert fold({"metadata": metadata, "outputs": outputs}) == tag


def test_a_lesson_keeps_its_cells_and_gains_words_and_turns(tmp_path: Path) -> None:
    figure = {
        "output_type": "display_data",
        "data": {"image/png": ""},
        "metadata": {"image/png": {"alt": "A plot."}},
    }
    cells = [
        {"id": "a", "cell_type": "markdown", "metadata": {}, "source": ["# 99 · Try\n"]},
        {
            "id": "b",
            "cell_type": "code",
            "metadata": {"tags": ["exercise"]},
            "source": ["x"],
            "outputs": [figure],
        },
    ]
    (tmp_path / "99-try.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}), encoding="utf-8")
    made = json.loads(lesson_page(Lesson(tmp_path / "99-try.ipynb"), {}))["cells"]
    assert [cell["id"] for cell in made] == ["a", "b-turn", "b"]
    assert made[1]["source"] == YOUR_TURN
    assert made[2]["metadata"]["mystnb"]["image"] == {"alt": "A plot."}
    assert words([figure, figure]) == "A plot. A plot."


def test_the_page_of_a_lesson_is_shown_once_as_a_picture() -> None:
    def shown() -> dict[str, Any]:
        return {"outputs": [{"data": {"text/plain": [PAGES]}, "metadata": {}}]}

    cells = [{"cell_type": "markdown"}, shown(), shown()]
    pictured(cells, "05")
    assert words(cells[1]["outputs"]).startswith("The page of an echo server")
    assert words(cells[2]["outputs"]) == ""
    cells = [{"cell_type": "markdown", "source": "![A page](../docs/page-05.png)"}, shown()]
    pictured(cells, "05")
    assert words(cells[1]["outputs"]) == "", "a lesson that begins with the picture has shown it"


def test_every_lesson_is_on_the_map_once() -> None:
    drawn = course_map(lessons())
    assert drawn.count("<li>") == len(lessons())
    assert all(drawn.count(f'"{each.name}.html"') == 1 for each in lessons())
    assert re.findall("<p><b>(.*?)</b>", drawn) == ["Client", "Tap", "Server"]
    assert set.intersection(*map(set, AT_HOME.values())) == set()


def test_the_chinese_page_has_every_lesson() -> None:
    text = CHINESE.read_text(encoding="utf-8")
    assert text == renewed(text, lessons()), "run make notebooks"
    assert [*ABOUT] == [each.number for each in lessons()]
    assert sum(f"](notebooks/{each.path.name})" in text for each in lessons()) == len(lessons())


def test_a_second_preparation_writes_nothing(tmp_path: Path) -> None:
    site.prepare(tmp_path)
    files = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}
    assert len(files) > len(lessons())
    (tmp_path / "pages" / "renamed.ipynb").touch()
    site.prepare(tmp_path)
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.is_file()} == {
        file: time for file, time in files.items() if file.is_file()
    }
