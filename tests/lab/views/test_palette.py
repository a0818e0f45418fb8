"""The palette: readable ink, distinct fields, neighbours that colour-blind readers tell apart."""

from itertools import combinations, pairwise, product

import pytest

from wslab.lab.views.palette import (
    CLIENT,
    ERROR,
    FIELDS,
    GROUND,
    INK,
    LEGEND,
    PALE,
    PAPER,
    SERVER,
    Colour,
)
from wslab.lessons.polling.figures import LOOKS

ALL = {**FIELDS, "error": ERROR, "client": CLIENT, "server": SERVER}
NEIGHBOURS = [
    (
        "FIN",
        "RSV1",
        "RSV2",
        "RSV3",
        "opcode",
        "MASK",
        "payload length",
        "extended payload length",
        "masking-key",
    ),
    ("masking-key", "payload data"),
    ("masking-key", "close code", "close reason"),
    ("payload length", "payload data"),
    ("payload length", "close code"),
    ("start line", "header name", "header value", "header name"),
    ("header value", "blank line", "body"),
    ("chunk size", "body", "blank line"),
]
# Machado, Oliveira, Fernandes 2009, severity 1, applied to linear RGB.
DEFICIENCIES = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
Triple = tuple[float, float, float]


def linear(colour: str) -> Triple:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))

    def channel(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

    return channel(red), channel(green), channel(blue)


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, the definition of contrast ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def lab(colour: str, deficiency: str) -> Triple:
    rgb = linear(colour)
    red, green, blue = (
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, rgb, strict=True))))
        for row in DEFICIENCIES[deficiency]
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089

    def root(value: float) -> float:
        return float(value ** (1 / 3)) if value > 0.008856 else 7.787 * value + 16 / 116

    return 116 * root(y) - 16, 500 * (root(x) - root(y)), 200 * (root(y) - root(z))


def distance(one: str, other: str, deficiency: str) -> float:
    pairs = zip(lab(one, deficiency), lab(other, deficiency), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


def test_the_measure_knows_black_and_white() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert distance("#000000", "#FFFFFF", "none") == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("name", ALL)
def test_ink_is_readable_on_its_background(name: str) -> None:
    colour = ALL[name]
    assert contrast(colour.ink, colour.background) >= 4.5


def test_every_field_has_a_colour_of_its_own() -> None:
    backgrounds = [colour.background for colour in ALL.values()]
    assert len(backgrounds) >= 20
    assert len(set(backgrounds)) == len(backgrounds)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_neighbouring_fields_are_told_apart(deficiency: str) -> None:
    pairs = [pair for row in NEIGHBOURS for pair in pairwise(row)]
    assert len(pairs) > 15
    too_close = {
        pair: round(d, 1)
        for pair in pairs
        if (d := distance(FIELDS[pair[0]].background, FIELDS[pair[1]].background, deficiency)) < 6
    }
    assert too_close == {}


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_directions_and_errors_are_told_apart(deficiency: str) -> None:
    for one, other in combinations([CLIENT, SERVER, FIELDS["payload data"]], 2):
        assert distance(one.background, other.background, deficiency) > 12


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_the_masking_key_is_told_from_the_payload_after_it(deficiency: str) -> None:
    key, payload = FIELDS["masking-key"].background, FIELDS["payload data"].background
    assert distance(key, payload, deficiency) > 12


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_what_crosses_the_wire_is_told_apart_from_each_other_and_from_both_sides(deficiency: str) -> None:
    inks = [entry.ink for entry in LEGEND.values()]
    for one, other in [*combinations(inks, 2), *product(inks, [CLIENT.background, SERVER.background])]:
        assert distance(one, other, deficiency) > 10, (one, other)


PAGES = ("#FFFFFF", "#111111", "#0D1117", "#131416")  # white; dark: JupyterLab, GitHub, the reading edition
WRITTEN = {"ink": INK, **{n: k.ink for n, k in LEGEND.items()}, **{n: k.colour for n, k in LOOKS.items()}}
DRAWN = {"client": CLIENT.background, "server": SERVER.background, "error": ERROR.background, "pale": PALE}


def on(page: str) -> str:
    """What a figure's ground looks like on a page."""
    opacity = int(GROUND[7:], 16) / 255
    parts = [(int(GROUND[i : i + 2], 16), int(page[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a * opacity + b * (1 - opacity)):02X}" for a, b in parts)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_in_a_figure_is_readable_on_every_page(name: str, page: str) -> None:
    assert contrast(WRITTEN[name], on(page)) >= 4.5


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", DRAWN)
def test_lines_and_areas_stand_out_on_every_page(name: str, page: str) -> None:
    assert contrast(DRAWN[name], on(page)) >= 3


def test_a_figure_is_white_on_a_white_page_and_does_not_glare_on_a_dark_one() -> None:
    assert on("#FFFFFF") == PAPER
    assert all(luminance(on(page)) < 0.5 for page in PAGES[1:])
    # One ink on a transparent ground cannot do it: between these two pages there is no room for 4.5 twice.
    assert contrast(PAGES[0], PAGES[1]) < 4.5**2


def test_css_sets_background_and_ink() -> None:
    assert Colour("#FFFFFF", "#000000").css == "background:#FFFFFF;color:#000000"
