"""A matplotlib figure that is shown with its words, and the sheet that diagrams are drawn on.

Figures are drawn with the Agg canvas and without pyplot: no global state, no window, no second picture of the
same figure at the end of a cell. The ink is dark, and the ground dims itself on a dark page (`GROUND`). The
fonts come with matplotlib, and the file does not say when or with what it was made.

Left to others: what is drawn (each instrument draws its own objects) and the colours (`palette`).
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as MplFigure
from matplotlib.patches import Rectangle

from wslab.lab.views.palette import GROUND, INK, Colour
from wslab.lab.views.shown import Picture

__all__ = ["MONO", "SANS", "Figure", "box", "canvas", "label", "sheet", "style"]

SANS = "DejaVu Sans"
MONO = "DejaVu Sans Mono"
_CSS_DPI = 96  # a CSS pixel is 1/96 inch, and the sheet is measured in CSS pixels
_SHARPNESS = 2  # rendered pixels for each CSS pixel, for screens of high density


@contextmanager
def style() -> Iterator[None]:
    """Apply the look of the course to what is drawn inside, whatever the reader's own settings are.

    >>> with style():
    ...     matplotlib.rcParams["text.parse_math"]  # a payload may hold a dollar sign
    False
    """
    look: dict[Any, Any] = {
        "axes.edgecolor": INK,
        "axes.facecolor": "none",
        "axes.labelcolor": INK,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.facecolor": GROUND,
        "font.family": SANS,
        "font.size": 9.0,
        "path.sketch": None,
        "savefig.bbox": None,
        "text.color": INK,
        "text.parse_math": False,
        "text.usetex": False,
        "xtick.color": INK,
        "ytick.color": INK,
    }
    with matplotlib.rc_context(look):
        yield


class Figure(Picture):
    """A matplotlib figure together with its alternative text.

    Args:
        figure: the drawing; it should have been made inside `style` or with `sheet`.
        alt: what the figure shows, in words, for readers who do not see it.

    Raises:
        ValueError: the alternative text is empty.

    >>> drawing, _ = sheet(200, 100)
    >>> Figure(drawing, "an empty sheet")
    an empty sheet
    """

    def __init__(self, figure: MplFigure, alt: str) -> None:
        super().__init__(alt)
        self.figure = figure

    def png(self) -> bytes:
        """Render the figure; the same figure makes the same bytes every time."""
        picture = io.BytesIO()
        with style(), warnings.catch_warnings():
            # A payload may hold any character; one that the font lacks is drawn as a box, and that is enough.
            warnings.filterwarnings("ignore", message="Glyph")
            paper, dpi = FigureCanvasAgg(self.figure), _CSS_DPI * _SHARPNESS
            paper.print_figure(picture, format="png", dpi=dpi, metadata={"Software": None})
        return picture.getvalue()

    @property
    def size(self) -> tuple[int, int]:
        """Its width and height in CSS pixels."""
        width, height = self.figure.get_size_inches()
        return round(width * _CSS_DPI), round(height * _CSS_DPI)


def canvas(width: float, height: float) -> MplFigure:
    """Return an empty figure for plots with axes; to be called, and drawn on, inside `style`.

    Args:
        width, height: the size in inches, in which matplotlib measures. Labels do not cover each other.

    >>> canvas(8, 3).get_size_inches().tolist()
    [8.0, 3.0]
    """
    figure = MplFigure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def sheet(width: float, height: float) -> tuple[MplFigure, Axes]:
    """Return an empty sheet to draw a diagram on.

    Args:
        width, height: the size in CSS pixels. The axes use the same unit, with (0, 0) at the top left.

    >>> _, axes = sheet(640, 120)
    >>> [float(limit) for limit in axes.get_xlim() + axes.get_ylim()]
    [0.0, 640.0, 120.0, 0.0]
    """
    with style():
        figure = MplFigure(figsize=(width / _CSS_DPI, height / _CSS_DPI), dpi=_CSS_DPI)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.set_axis_off()
    return figure, axes


def label(
    axes: Axes,
    left: float,
    middle: float,
    text: str,
    *,
    size: float = 9.0,
    family: str = SANS,
    align: Literal["left", "center", "right"] = "left",
    weight: Literal["normal", "bold"] = "normal",
    ink: str = INK,
) -> None:
    """Write a text on a sheet.

    Args:
        axes: the axes of a `sheet`.
        left: where the text starts, has its centre or ends, as ``align`` says, in CSS pixels.
        middle: the middle of its height, in CSS pixels from the top.
        text: what is written; may hold line breaks.
        size: of the text, in points.
        family: `SANS` or `MONO`.

    >>> _, axes = sheet(100, 40)
    >>> label(axes, 10, 20, "byte")
    >>> axes.texts[0].get_position()
    (10, 20)
    """
    with style():
        axes.text(
            left, middle, text, ha=align, va="center", color=ink, size=size, family=family, weight=weight
        )


def box(
    axes: Axes,
    place: tuple[float, float, float, float],
    text: str,
    colour: Colour,
    *,
    size: float = 9.0,
    family: str = SANS,
) -> None:
    """Draw a filled rectangle with a text in its middle.

    Args:
        axes: the axes of a `sheet`.
        place: left, top, width and height, in CSS pixels.
        text: what is written in the box; may hold line breaks.
        size: of the text, in points.
        family: `SANS` or `MONO`.

    >>> _, axes = sheet(100, 40)
    >>> box(axes, (10, 10, 80, 20), "FIN", Colour("#F5EB7A", INK))
    >>> axes.texts[0].get_text()
    'FIN'
    """
    left, top, width, height = place
    with style():
        axes.add_patch(Rectangle((left, top), width, height, fc=colour.background, ec=INK, linewidth=0.8))
    if text:
        middle = top + height / 2
        label(axes, left + width / 2, middle, text, size=size, family=family, align="center", ink=colour.ink)
