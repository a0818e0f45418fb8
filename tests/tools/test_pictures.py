"""The pictures of the README are what the running course draws."""

import asyncio
from pathlib import Path

import pytest

from tools.pictures import DOCS, draw

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture(scope="module")
def pictures() -> dict[str, bytes]:
    return asyncio.run(draw())


def test_the_readme_shows_every_picture(pictures: dict[str, bytes]) -> None:
    text = README.read_text(encoding="utf-8")
    assert pictures
    for name in pictures:
        assert f"](docs/{name})" in text
        assert (DOCS / name).read_bytes().startswith(b"\x89PNG")


def test_the_same_run_draws_the_same_pictures(pictures: dict[str, bytes]) -> None:
    assert asyncio.run(draw()) == pictures
