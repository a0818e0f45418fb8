"""The pictures of the README are what the running course draws."""

import asyncio
import io
import re
from pathlib import Path

import pytest
from matplotlib.image import imread
from PIL import Image

from tools import pictures
from tools.pictures import DOCS, chat, conversation, film, race

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_shows_every_picture_and_no_other() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(docs/([a-z]+\.png)\)", README.read_text(encoding="utf-8"))
    drawn = ["film.png", "conversation.png", "race.png", "chat.png"]
    assert shown == [*drawn, "speed.png"]  # from make bench
    for name in shown:
        assert (DOCS / name).read_bytes().startswith(b"\x89PNG")


def test_the_same_conversation_draws_the_same_picture() -> None:
    assert asyncio.run(conversation()) == asyncio.run(conversation())


def test_the_same_conversation_makes_the_same_film() -> None:
    first = asyncio.run(film())
    assert first == asyncio.run(film())
    assert len(first) < 100_000
    drawn, stored = Image.open(io.BytesIO(first)), Image.open(DOCS / "film.png")
    # Another version of Pillow may draw another edge of a letter, and no other film.
    assert (drawn.size, drawn.n_frames) == (stored.size, stored.n_frames), "run make pictures"  # type: ignore[attr-defined]


def test_the_race_is_the_one_that_the_lesson_stores() -> None:
    assert race() == (DOCS / "race.png").read_bytes(), "run make pictures"


@pytest.mark.browser
def test_the_same_chat_draws_the_same_picture(chromium: str) -> None:
    first, second = asyncio.run(chat(chromium)), asyncio.run(chat(chromium))
    assert first == second
    assert imread(io.BytesIO(first)).std() > 0.05, "two empty windows"


def test_without_a_browser_the_other_pictures_are_drawn_and_a_sentence_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "DOCS", tmp_path)
    monkeypatch.setattr("shutil.which", lambda program: None)
    monkeypatch.delenv("WSLAB_CHROMIUM", raising=False)
    assert "sudo apt install chromium" in (pictures.main() or "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["conversation.png", "film.png", "race.png"]
