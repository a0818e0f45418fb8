"""The figure wrapper: alternative text, sharpness, determinism, no global state."""

import base64
import io
import struct
import warnings
from typing import Any

import matplotlib
import pytest
from PIL import Image, ImageColor

from wslab.lab.views.figure import MONO, Figure, box, sheet, style
from wslab.lab.views.palette import FIELDS, GROUND, INK


def drawing(text: str = "FIN") -> Figure:
    figure, axes = sheet(200, 100)
    box(axes, (10, 10, 80, 20), text, FIELDS["FIN"], family=MONO)
    return Figure(figure, "one box\nsays <FIN>")


def test_bundle_holds_picture_and_words() -> None:
    data, metadata = drawing()._repr_mimebundle_()
    assert set(data) == {"image/png", "text/plain"}
    assert repr(drawing()) == "one box\nsays <FIN>"
    assert (
        data["text/plain"] == " \none box\nsays <FIN>"
    )  # JupyterLab shows the first line of a folded output
    assert metadata["image/png"] == {"alt": "one box\nsays <FIN>", "width": 200, "height": 100}


def test_picture_has_twice_the_declared_pixels() -> None:
    data, metadata = drawing()._repr_mimebundle_()
    picture = base64.b64decode(data["image/png"])
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack("!II", picture[16:24])
    assert (width, height) == (400, 200)
    assert (metadata["image/png"]["width"], metadata["image/png"]["height"]) == (200, 100)


def test_its_ground_lets_the_page_through_and_its_boxes_do_not() -> None:
    picture = Image.open(io.BytesIO(drawing().png()))
    assert picture.getpixel((390, 190)) == ImageColor.getrgb(GROUND)
    assert picture.getpixel((30, 30)) == (*ImageColor.getrgb(FIELDS["FIN"].background), 255)


def test_picture_is_deterministic_and_anonymous() -> None:
    shown = drawing()
    assert shown.png() == shown.png() == drawing().png()
    assert all(chunk not in shown.png() for chunk in (b"Software", b"tIME", b"tEXt"))


def test_displaying_puts_the_words_into_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[Any, ...]] = []
    monkeypatch.setattr("IPython.display.publish_display_data", lambda *bundle: shown.append(bundle))
    drawing()._ipython_display_()
    (picture, metadata), (words,) = shown
    assert "image/png" in picture
    assert metadata["image/png"]["width"] == 200
    assert set(words) == {"text/html"}
    assert "one box<br>says &lt;FIN&gt;" in words["text/html"]


@pytest.mark.parametrize("alt", ["", " \n"])
def test_a_figure_without_words_is_refused(alt: str) -> None:
    with pytest.raises(ValueError, match="alternative text"):
        Figure(sheet(10, 10)[0], alt)


@pytest.mark.parametrize("text", ["$\\frac{", "$$", "日本語", "a\x00b", "🙂", "\u202e"])
def test_any_text_is_drawn_without_a_warning(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drawing(text).png()


def test_the_readers_own_settings_do_not_matter_and_do_not_change() -> None:
    plain = drawing().png()
    with matplotlib.rc_context(
        {"font.family": "serif", "figure.facecolor": "black", "savefig.bbox": "tight"}
    ):
        assert drawing().png() == plain
        assert matplotlib.rcParams["figure.facecolor"] == "black"
    with style():
        assert matplotlib.rcParams["text.color"] == INK
