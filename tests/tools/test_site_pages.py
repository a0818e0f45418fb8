"""The pages of the reading edition; `reading_edition` builds them, with warnings as errors."""

import html.parser
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tools import site
from tools.course import lessons
from tools.site_lesson import FOLDS, fold
from wslab.lab.browser.serve import PAGES as SERVED

pytestmark = pytest.mark.site


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
