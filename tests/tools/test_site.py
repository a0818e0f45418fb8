"""The reading edition: what is prepared for Sphinx, and the pages that it makes."""

import html.parser
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tools import site, site_text
from tools.chinese import ABOUT, CHINESE, renewed
from tools.course import Lesson, lessons
from tools.course_map import course_map
from tools.site_lesson import FOLDS, YOUR_TURN, fold, lesson_page, pictured, prose, words
from tools.site_text import HTML, local, meanings, sections
from wslab.lab.browser.save_hook import PAGES
from wslab.lab.browser.serve import PAGES as SERVED
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


# The pages that Sphinx makes; `reading_edition` builds them, with warnings as errors.


class Page(html.parser.HTMLParser):
    """What the tests look at in a page: its links, its anchors, its pictures, its terms."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.pictures: list[dict[str, str]] = []
        self.titles = 0
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag links to, and by which name it is linked to."""
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        self.links += [found[name] for name in ("href", "src", "srcset") if name in found]
        if tag == "img":
            self.pictures.append(found)
        self.titles += tag == "a" and "glossary.html#" in found.get("href", "") and bool(found.get("title"))


@pytest.fixture(scope="module")
def pages(reading_edition: Path) -> dict[str, Page]:
    """Every page of the site, by its name."""
    return {path.name: Page(path) for path in sorted(reading_edition.glob("*.html"))}


def test_every_lesson_and_page_is_there(pages: dict[str, Page]) -> None:
    assert {f"{each.name}.html" for each in lessons()} <= set(pages)
    assert {"index.html", "glossary.html", "teach.html", "zh.html", "search.html"} <= set(pages)


def test_every_internal_link_and_anchor_resolves(pages: dict[str, Page], reading_edition: Path) -> None:
    followed = 0
    for page in pages.values():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in ("https", "data"), link
                continue
            followed += 1
            target = reading_edition / unquote(parts.path) if parts.path else page.path
            assert target.exists(), f"{page.path.name}: {link}"
            if parts.fragment and target.suffix == ".html" and target.name in pages:
                assert unquote(parts.fragment) in pages[target.name].anchors, f"{page.path.name}: {link}"
    assert followed > 20 * len(pages)


def test_every_picture_has_words(pages: dict[str, Page]) -> None:
    pictures = [picture for page in pages.values() for picture in page.pictures]
    assert len(pictures) > len(lessons())
    for picture in pictures:
        assert len(picture.get("alt", "")) > 30, picture
        assert not picture["alt"].endswith(".png"), picture


def test_terms_say_what_they_mean(pages: dict[str, Page]) -> None:
    for each in lessons():
        assert pages[f"{each.name}.html"].titles > 3, each.name


def test_solutions_and_predicted_outputs_are_folded(pages: dict[str, Page]) -> None:
    for each in lessons():
        text = pages[f"{each.name}.html"].text
        cells = [cell.raw for cell in each.code]
        tags = [fold(cell) for cell in cells]
        assert tags.count("hide-cell") > 0
        for tag, sentence in FOLDS.items():
            assert text.count(f">{sentence}</p>") == 2 * tags.count(tag), f"{each.name}: {sentence}"
        assert "<details open" not in text
        assert "Toggle hidden" not in text, "a fold has its sentence as its name"
        exercises = sum("exercise" in cell["metadata"].get("tags", []) for cell in cells)
        assert text.count(">Your turn</p>") == exercises


def test_a_link_to_a_page_says_what_it_is(pages: dict[str, Page]) -> None:
    for name in ["index.html", "teach.html", *(f"{lesson.name}.html" for lesson in lessons())]:
        [sentence] = re.findall(r'<meta content="([^"]+)" property="og:description" />', pages[name].text)
        assert len(sentence) > 30
        assert sentence.endswith("."), name


def test_the_workbench_is_the_one_that_the_lessons_serve(reading_edition: Path) -> None:
    names = site.served(site.WORKBENCH)
    assert len(names) > 3
    for name in names:
        assert (reading_edition / name).read_bytes() == (SERVED / name).read_bytes()


def test_the_front_page_has_film_map_outline_and_start(pages: dict[str, Page]) -> None:
    text = pages["index.html"].text
    assert not re.findall(r"<!-- (?:film|map|outline|run|workbench) -->", text)
    assert "film-still.png" in text
    assert text.count('class="place"') == 3
    assert "make lab" in re.sub("<[^>]*>", "", text)
    for each in lessons():
        assert text.count(f'href="{each.name}.html"') >= 3, f"{each.title}: menu, map and outline"
