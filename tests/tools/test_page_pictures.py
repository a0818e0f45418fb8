"""The pictures of the pages, as the reading edition shows them."""

import asyncio

import pytest
from PIL import Image

from tools.page_pictures import SCENES, page_pictures
from tools.site_text import DOCS


def test_each_picture_is_there_and_says_what_it_shows() -> None:
    for name, scene in SCENES.items():
        with Image.open(DOCS / name) as picture:
            assert picture.info["Description"] == scene.words, "run make pictures"


@pytest.mark.browser
def test_the_same_scenes_draw_the_same_pictures(chromium: str) -> None:
    first, second = asyncio.run(page_pictures(chromium)), asyncio.run(page_pictures(chromium))
    assert first == second
    assert set(first) == set(SCENES)
