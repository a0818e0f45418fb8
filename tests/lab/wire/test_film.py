"""A film begins and ends with the whole conversation, moves for less than 5 seconds, and shows every byte."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from PIL import Image, ImageColor

from wslab.frames import Frame, Opcode, encode_frame
from wslab.lab.views.palette import FIELDS, GROUND, LEGEND
from wslab.lab.wire.conversation import Conversation, Row
from wslab.lab.wire.film import CARD, FLYING, MAX_ROWS, Film, _flying
from wslab.lab.wire.reader import Reader
from wslab.lab.wire.recording import Recording

UPGRADE = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"
AGREE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def talk(count: int = 2) -> Conversation:
    recording = Recording(limit=2**20)
    recording.connections = 1
    said: list[tuple[str, bytes]] = [("client", UPGRADE), ("server", AGREE)]
    for number in range(count):
        said.append(("client", encode_frame(Frame(Opcode.TEXT, b"Hello %d" % number), b"abcd")))
        said.append(("server", encode_frame(Frame(Opcode.TEXT, b"Hello %d" % number))))
    for time, (sender, data) in enumerate(said):
        recording.add(1, sender, "bytes", data, now=float(time)).delivered = float(time)  # type: ignore[arg-type]
    return Reader(recording).conversation()


def frames(film: Film) -> list[tuple[bytes, float]]:
    """Return the pixels of each picture, and how long it is shown, in milliseconds."""
    image = Image.open(io.BytesIO(film.png()))
    found = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        found.append((image.convert("RGBA").tobytes(), float(image.info.get("duration", 0))))
    return found


def test_the_first_picture_and_the_last_are_the_whole() -> None:
    shown = frames(Film(talk()))
    assert len(shown) > 30
    assert shown[0] == shown[-1]
    assert len({pixels for pixels, _ in shown}) > 30
    assert shown[0][1] == shown[-1][1] >= 2000


@pytest.mark.parametrize("count", [1, 2, 4, 50])
def test_it_moves_for_less_than_five_seconds_and_plays_once(count: int) -> None:
    film = Film(talk(count))
    assert 0 < sum(duration for _, duration in frames(film)[1:-1]) <= 5000
    assert Image.open(io.BytesIO(film.png())).info["loop"] == 1


def test_the_same_conversation_gives_the_same_bytes() -> None:
    assert Film(talk()).png() == Film(talk()).png()


def test_its_corners_are_transparent_and_its_card_lets_the_page_through() -> None:
    image = Image.open(io.BytesIO(Film(talk()).png())).convert("RGBA")
    width, height = image.size
    assert (width, height) == tuple(2 * side for side in Film(talk()).size)
    opacity = image.getchannel("A")
    assert [opacity.getpixel((x, y)) for x in (0, width - 1) for y in (0, height - 1)] == [0] * 4
    *_, opaque = ImageColor.getrgb(GROUND)
    assert opaque <= image.getpixel((width // 2, height - 8))[3] < opaque + 6  # type: ignore[index]
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    assert _near(white.getpixel((width // 2, height - 8))[:3], ImageColor.getrgb(CARD))  # type: ignore[index]
    assert sum(opacity.histogram()[1:]) > 0.99 * width * height


def test_every_byte_of_a_frame_flies_in_the_colour_of_its_field() -> None:
    masked = talk()[2]
    names = ["opcode", "payload length", *["masking-key"] * 4, *["payload data"] * 6]
    assert [colour for _, colour in _flying(masked)][:FLYING] == [FIELDS[name] for name in names]
    assert [text for text, _ in _flying(masked)][:2] == ["81", "87"]
    assert _flying(masked)[-1][0] == "…"  # the thirteenth


def test_a_long_conversation_says_what_is_left_out() -> None:
    film = Film(talk(50))
    assert f"({102 - MAX_ROWS} rows left out)" in film.alt
    assert film.size == Film(talk(5)).size


def test_its_words_are_the_conversation() -> None:
    assert Film(talk(1)).alt.splitlines()[1:] == [
        "client to server: GET /chat",
        "server to client: 101 Switching Protocols",
        'client to server: TEXT "Hello 0"',
        'server to client: TEXT "Hello 0"',
    ]


def test_what_never_arrived_and_what_the_tap_did_are_drawn_too() -> None:
    lost = Row(0.0, None, 1, "client", "frame", 7, "PING", "asks for a Pong")
    frozen = Row(1.0, None, 0, None, "tap", 0, "freeze", "nothing passes any more; neither side is told")
    image = Image.open(io.BytesIO(Film(Conversation([lost, frozen])).png())).convert("RGBA")
    ink = tuple(int(LEGEND["control frame"].ink[i : i + 2], 16) for i in (1, 3, 5))
    y = 2 * (52 + 22)
    drawn = [x for x in range(image.width) if _near(image.getpixel((x, y))[:3], ink)]  # type: ignore[index]
    assert drawn
    assert max(drawn) < image.width * 0.55  # half way


def _near(pixel: object, colour: tuple[int, ...]) -> bool:
    return sum(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 40  # type: ignore[call-overload]


def test_a_conversation_that_has_not_begun() -> None:
    film = Film(Conversation([]))
    assert "Nothing has passed yet" in film.alt
    assert film.png().startswith(b"\x89PNG")


def test_no_matplotlib_is_loaded_for_it() -> None:
    code = "import sys; import wslab.lab.wire.film, wslab.lab.wire.conversation as c; "
    code += "wslab.lab.wire.film.Film(c.Conversation([])).png(); print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
