"""A conversation as a moving picture: the bytes of each frame cross in their colours and become an arrow.

It is an animated PNG. Every front end that shows PNG plays it, and one that does not shows its first frame:
the whole conversation. It plays once, moves for less than 5 seconds (WCAG 2.2.2), and ends with the whole
again. It is on a light card with transparent corners, so that it is as legible on a dark page. Pillow draws
it without matplotlib, with the fonts that come with that, in one palette: the same conversation makes the
same bytes.

A long conversation is shown with its middle left out, as in the sequence diagram.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFont

from wslab.lab.views.palette import CLIENT, FIELDS, GROUND, INK, LEGEND, SERVER, Colour
from wslab.lab.views.shown import Picture
from wslab.lab.wire.conversation import Conversation, Row, caption, in_words, legend_of, shorten

__all__ = ["Film", "dimmed"]

WIDTH, TOP, LINE = 720, 52, 42  # CSS pixels
LEFT, RIGHT = 70, WIDTH - 70  # the lifelines
SCALE = 2  # rendered pixels for a CSS pixel
MAX_ROWS = 12
HOLD, MOTION, TICK = 2500, 4500, 50  # milliseconds: a whole picture, all that moves, a step of a flight
FLYING = 12  # bytes of a frame; the rest is an ellipsis
COLOURS, NO_DITHER = 64, Image.Dither.NONE
CARD, EDGE, CORNER = "#F6F6F4", "#C9CCD0", "#FF00FF"
TITLE = "Film of a conversation, client on the left, server on the right."
Point = tuple[float, float]
Place = tuple[float, float, float, float]  # left, top, width, height


class Film(Picture):
    """The film of a conversation, with its words.

    >>> Film(Conversation([]))
    Film of a conversation, client on the left, server on the right. Nothing has passed yet.
    """

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(in_words(TITLE, conversation.rows, MAX_ROWS))
        first, self._left_out, last = shorten(conversation.rows, MAX_ROWS)
        self._rows, self._gap = [*first, *last], len(first)

    @property
    def size(self) -> tuple[int, int]:
        """Its width and height in CSS pixels."""
        return WIDTH, TOP + LINE * max(1, len(self._rows)) + 14

    def png(self) -> bytes:
        """Draw the film; the same conversation makes the same bytes every time."""
        whole, times = self._sheet(), [HOLD]
        flights: list[Image.Image] = []
        for number, row in enumerate(self._rows):
            scenes = [*self._scenes(whole, number, row)]
            half_way, y = scenes[len(scenes) // 2], round((TOP + LINE * number + 22) * SCALE)
            flights.append(half_way.crop((0, y - 30, half_way.width, y + 30)))
            flying = len(scenes) - 1
            times += [TICK] * flying + [max(TICK, MOTION // len(self._rows) - TICK * flying)]
        times[-1] = HOLD
        palette = _palette(whole.image, flights)
        # Drawn again, one at a time: all pictures in full colour would take hundreds of megabytes.
        again = self._sheet()
        scenes_again = (self._scenes(again, number, row) for number, row in enumerate(self._rows))
        pictures = chain([whole.image], chain.from_iterable(scenes_again))
        return _encoded([each.quantize(palette=palette, dither=NO_DITHER) for each in pictures], times)

    def _sheet(self) -> _Sheet:
        """Return an empty card; what stays of its corners is transparent."""
        sheet = _Sheet(Image.new("RGB", (self.size[0] * SCALE, self.size[1] * SCALE), CORNER))
        sheet.card()
        return sheet

    def _scenes(self, sheet: _Sheet, number: int, row: Row) -> Iterator[Image.Image]:
        """Yield the pictures of one row: a flight, and the arrow that stays."""
        y = TOP + LINE * number + 22
        steps = 0 if row.kind in ("tap", "tcp") else max(3, min(10, MOTION // len(self._rows) // TICK - 5))
        for step in range(steps):
            part = step / (steps - 1)
            part = part * part * (3 - 2 * part)  # it starts and ends gently
            flight = _Sheet(sheet.image.copy())
            flight.fly(row, y, part if row.arrived is not None else part / 2)
            yield flight.image
        sheet.arrow(row, y)
        sheet.text(WIDTH / 2, y - 11, caption(row, 60), LEGEND[legend_of(row)].ink)
        if self._left_out and number == self._gap - 1:
            sheet.text(WIDTH / 2, y + 11, f"… {self._left_out} rows left out", INK)
        yield sheet.image.copy()


class _Sheet:
    """A picture that is drawn on in CSS pixels."""

    def __init__(self, image: Image.Image) -> None:
        self.image, self._draw = image, ImageDraw.Draw(image)

    def card(self) -> None:
        """Draw what does not move: the card and the two lifelines."""
        width, height = self.image.size
        corners = (0, 0, width - 1, height - 1)
        self._draw.rounded_rectangle(corners, 8 * SCALE, CARD, EDGE, SCALE // 2)
        for x, name, colour in ((LEFT, "client", CLIENT), (RIGHT, "server", SERVER)):
            self.line((x, 36), (x, height / SCALE - 10), colour.background)
            self.box((x - 42, 10, 84, 26), name, colour)

    def text(self, x: float, y: float, text: str, ink: str, *, mono: bool = False) -> None:
        font = _font("DejaVuSansMono", 11) if mono else _font("DejaVuSans", 12)
        self._draw.text((x * SCALE, y * SCALE), text, ink, font, anchor="mm")

    def box(self, place: Place, text: str, colour: Colour, *, mono: bool = False) -> None:
        left, top, width, height = place
        corners = [side * SCALE for side in (left, top, left + width, top + height)]
        self._draw.rectangle(corners, colour.background, INK, SCALE // 2)
        self.text(left + width / 2, top + height / 2, text, colour.ink, mono=mono)

    def line(self, start: Point, end: Point, ink: str) -> None:
        self._draw.line([side * SCALE for side in (*start, *end)], ink, round(1.5 * SCALE))

    def arrow(self, row: Row, y: float) -> None:
        """Draw the arrow of a row; one that never arrived ends half way, in a cross."""
        if row.sender is None or row.kind == "tap":
            return
        ink, way = LEGEND[legend_of(row)].ink, 1 if row.sender == "client" else -1
        tail, tip = (LEFT, RIGHT) if way > 0 else (RIGHT, LEFT)
        if row.arrived is None:
            middle = (LEFT + RIGHT) / 2
            self.line((tail, y), (middle, y), ink)
            for slope in (-5, 5):
                self.line((middle - 5, y - slope), (middle + 5, y + slope), ink)
            return
        self.line((tail, y), (tip - 4 * way, y), ink)
        corners = [(tip, y), (tip - 9 * way, y - 4), (tip - 9 * way, y + 4)]
        self._draw.polygon([(x * SCALE, height * SCALE) for x, height in corners], ink)

    def fly(self, row: Row, y: float, part: float) -> None:
        """Draw the bytes of a row on their way."""
        flying, width = _flying(row), 24 if row.kind == "frame" else 46
        room = RIGHT - LEFT - len(flying) * width
        left = LEFT + room * (part if row.sender == "client" else 1 - part)
        for number, (text, colour) in enumerate(flying):
            self.box((left + number * width, y - 10, width, 20), text, colour, mono=True)


def _flying(row: Row) -> list[tuple[str, Colour]]:
    """Return what flies: each byte of a frame in the colour of its field, a head or a body as one box."""
    piece = row.dissection
    if piece is None or row.kind != "frame":
        return [("HTTP", FIELDS["start line" if row.kind == "head" else "body"])]
    colours: dict[int, Colour] = {}
    for field in piece.fields:  # a later field of the same byte wins: opcode over FIN, length over MASK
        first = field.bit // 8
        colours |= dict.fromkeys(range(first, first + max(1, len(field.data))), FIELDS[field.name])
    flying = [(f"{byte:02x}", colours[place]) for place, byte in enumerate(piece.data[:FLYING])]
    return flying + [("…", FIELDS["unread"])] * (len(piece.data) > FLYING)


@cache
def _font(name: str, size: float) -> ImageFont.FreeTypeFont:
    spec = find_spec("matplotlib")  # it need not be loaded for its fonts
    path = Path(spec.origin if spec and spec.origin else "").parent / f"mpl-data/fonts/ttf/{name}.ttf"
    return ImageFont.truetype(str(path), round(size * SCALE), layout_engine=ImageFont.Layout.BASIC)


def _exact(palette: list[int]) -> list[int]:
    """Return a palette in which the colours of the card are not mixed with others near them."""
    for colour in (CARD, EDGE, CORNER):
        wanted = ImageColor.getrgb(colour)[:3]
        places = range(0, len(palette), 3)
        nearest = min(places, key=lambda at: sum(abs(palette[at + i] - wanted[i]) for i in range(3)))
        palette[nearest : nearest + 3] = wanted
    return palette


def dimmed(palette: list[int], lightest: int = 255) -> tuple[list[int], bytes]:
    """Return a palette and its opacities: the white in a colour lets the page through as `GROUND` does.

    On a white page every colour is as it was.

    Args:
        palette: red, green and blue of each colour, one after the other.
        lightest: of the ground, from 0 to 255; what is lighter is writing on a dark box, and stays.
    """
    colours: list[int] = []
    opacities: list[int] = []
    _, _, _, opaque = ImageColor.getcolor(GROUND, "RGBA")  # type: ignore[misc]
    for at in range(0, len(palette), 3):
        colour = palette[at : at + 3]
        gone = 0 if min(colour) > lightest else (255 - opaque) * min(colour) // 255
        colours += [255 * (part - gone) // (255 - gone) for part in colour]
        opacities.append(0 if colour == [*ImageColor.getrgb(CORNER)] else 255 - gone)
    return colours, bytes(opacities)


def _palette(whole: Image.Image, flights: Sequence[Image.Image]) -> Image.Image:
    """Return a picture with the palette of a film: that of the whole and of what flies half way."""
    width, height = whole.size
    strip = Image.new("RGB", (width, height + 60 * len(flights)), CORNER)
    strip.paste(whole, (0, 0))
    for number, flight in enumerate(flights):
        strip.paste(flight, (0, height + 60 * number))
    palette = strip.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=NO_DITHER)
    palette.putpalette(_exact(palette.getpalette() or []))
    return palette


def _encoded(pictures: Sequence[Image.Image], times: Sequence[int]) -> bytes:
    """Return pictures in one palette as one file."""
    colours, opacities = dimmed(pictures[0].getpalette() or [], min(ImageColor.getrgb(CARD)))
    for picture in pictures:
        picture.putpalette(colours)
    film: dict[str, Any] = {"append_images": pictures[1:], "duration": list(times), "loop": 1}
    film |= {"disposal": 0, "blend": 0, "transparency": opacities}
    file = io.BytesIO()
    pictures[0].save(file, "PNG", save_all=True, **film)
    return file.getvalue()
