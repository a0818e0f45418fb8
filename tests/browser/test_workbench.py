"""The frame workbench: it computes what `wslab` computes, and it can be used, by keyboard alone too."""

import base64
import random
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.here import Here
from tests.browser.test_pages import CONTRAST, DARK, LIGHT, WIDER
from wslab import Frame, Opcode, accept_key, encode_frame
from wslab.lab.browser.serve import PAGES
from wslab.lab.dissector.stream import Dissection, dissect
from wslab.lab.steps import accept_steps, encode_steps
from wslab.lab.views.palette import FIELDS, Colour

pytestmark = pytest.mark.browser
ADDRESS = (PAGES / "workbench.html").as_uri()
WORDS = [
    "",
    "Hello",
    "Grüße",
    "€ 5",
    "\U0001f600!",
    'a "b" \\ c\n\t\x00',
    "\ufeff\u2028\xa0\xad",
    "x" * 70,
    "é" * 40,
]
SENDERS: list[Literal["client", "server"] | None] = [None, "client", "server"]
SIZES = [0, 1, 2, 5, 60, 61, 125, 126, 127, 300, 65535, 65536]


# -- what it computes ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(browser: Browser) -> Iterator[Page]:
    """The page as a file, without a server, for all that is computed; a message in the console is a fault."""
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.add_init_script(BYTES)
    page.goto(ADDRESS)
    yield page
    page.close()
    assert said == []


def some_frame(chance: random.Random) -> tuple[Frame, bytes | None]:
    """Draw a frame that may be sent."""
    opcode = chance.choice(list(Opcode))
    size = chance.choice(SIZES) if chance.random() < 0.4 else chance.randrange(80)
    payload = chance.randbytes(size)
    if chance.random() < 0.6:
        payload = "".join(chance.choices(WORDS, k=3)).encode()
    if opcode is Opcode.CLOSE:
        code = chance.choice([1000, 1003, 1011, 1014, 3000, 4999])
        payload = code.to_bytes(2, "big") + chance.choice(WORDS).encode()
    if opcode >= Opcode.CLOSE:
        payload = payload[:125]
    fin = opcode >= Opcode.CLOSE or chance.random() < 0.7
    return Frame(opcode, payload, fin=fin), chance.randbytes(4) if chance.random() < 0.6 else None


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """Break a frame: cut it, flip bits of it, write its length in too many bytes, or take other bytes."""
    way, end = chance.random(), len(data)
    if way < 0.3:
        return data[: chance.randrange(1, end + 1)]
    if way < 0.7:
        flipped = bytearray(data)
        for _ in range(3):
            flipped[chance.randrange(min(end, 16))] ^= 1 << chance.randrange(8)
        return bytes(flipped)
    if way < 0.8:
        return bytes((data[0], 126, 0, data[1] & 0x7F)) + data[2:]
    return chance.randbytes(chance.randrange(1, 40))


def fragmented(chance: random.Random) -> bytes:
    """Cut a text anywhere into four frames; one in three is no UTF-8."""
    text = "é€\U0001f600x".encode() * 2
    if chance.random() < 0.3:
        text = text[: chance.randrange(20)] + chance.randbytes(1)
    cuts = [0, *sorted(chance.randrange(len(text)) for _ in range(3)), len(text)]
    parts = [text[start:end] for start, end in pairwise(cuts)]
    frames = [
        Frame(Opcode.CONTINUATION if place else Opcode.TEXT, part, fin=place == 3)
        for place, part in enumerate(parts)
    ]
    return b"".join(encode_frame(frame) for frame in frames)


def as_shown(piece: Dissection) -> Any:
    fields = [[f.name, f.bit, f.bits, f.value, f.meaning, f.section, f.error] for f in piece.fields]
    return [piece.start, piece.what, piece.meaning, piece.error, piece.complete, fields]


def based(data: bytes) -> str:
    return base64.b64encode(data).decode()


BYTES = "globalThis.bytesOf = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0))"
DISSECT = """(streams) => streams.map(([text, sender]) => Frames.dissect(bytesOf(text), sender ?? "")
    .map((frame) => [frame.start, frame.what, frame.meaning, frame.error, !frame.missing,
        frame.fields.map((f) => [f.name, f.bit, f.bits, f.value, f.meaning, f.section, f.error])]))"""
ENCODE = """(frames) => frames.map(([first, payload, key]) =>
    Page.hex(Frames.encode(first, bytesOf(payload), key && bytesOf(key))))"""
STEPS = """(frames) => frames.map((text) => Frames.steps(Frames.dissect(bytesOf(text))[0])
    .map(({ name, how, result, section }) => [name, how, result, section]))"""


def test_what_it_encodes_and_how_is_what_wslab_encodes(bench: Page) -> None:
    chance = random.Random(6455)
    frames = [some_frame(chance) for _ in range(300)]
    wires = [encode_frame(frame, key) for frame, key in frames]
    asked = [
        [wire[0], based(frame.payload), key and based(key)]
        for wire, (frame, key) in zip(wires, frames, strict=True)
    ]
    assert bench.evaluate(ENCODE, asked) == [wire.hex(" ") for wire in wires]
    wanted = [
        [[s.name, s.working, s.result, s.section] for s in encode_steps(frame, key).steps]
        for frame, key in frames
    ]
    bits = {"FIN", "RSV1", "RSV2", "RSV3", "opcode", "MASK", "payload length"}  # parts of a step, in the page
    wanted = [[step for step in steps if step[0] not in bits] for steps in wanted]
    assert bench.evaluate(STEPS, [based(wire) for wire in wires]) == wanted


def test_what_it_reads_is_what_wslab_reads(bench: Page) -> None:
    """Field by field, word by word: 300 valid frames, 300 broken ones, and streams of several of both."""
    chance = random.Random(17)
    valid = [encode_frame(*some_frame(chance)) for _ in range(300)]
    broken = [spoilt(chance.choice(valid)[:2000], chance) for _ in range(300)]
    several = [b"".join(each[:150] for each in chance.choices(valid + broken, k=5)) for _ in range(100)]
    split = [fragmented(chance) for _ in range(100)]
    streams = [(data, chance.choice(SENDERS)) for data in valid + broken + several + split]
    wanted = [
        [as_shown(piece) for piece in dissect(data, sender=sender, start="frame")] for data, sender in streams
    ]
    found = bench.evaluate(DISSECT, [[based(data), sender] for data, sender in streams])
    for number, (expected, got) in enumerate(zip(wanted, found, strict=True)):
        assert got == expected, streams[number]
    errors = {error for pieces in wanted for *_, fields in pieces for *_, error in fields if error}
    assert len({error[-12:] for error in errors}) > 12  # sentences of many kinds were compared
    assert sum(bool(piece[3]) for pieces in wanted[300:] for piece in pieces) > 200


def test_accept_keys_are_those_of_wslab(bench: Page) -> None:
    chance = random.Random(4)
    keys = [based(chance.randbytes(16)) for _ in range(100)]
    keys += [
        "",
        "x",
        "a" * 200,
        "é",
        "AQIDBAUGBwgJCgsMDQ4PEC==",
        based(bytes(15)),
        based(bytes(17)),
        "_" * 22 + "==",
        "a b\tc",
    ]
    found = bench.evaluate("(keys) => keys.map((key) => Frames.accept(key))", keys)
    for key, got in zip(keys, found, strict=True):
        steps = accept_steps(key)
        wanted = [[step.name, step.working, step.result, step.section] for step in steps.steps]
        assert got == {"steps": wanted, "problem": steps.problem}
        assert got["steps"][-1][2] == accept_key(key)


# -- what a person does and sees ----------------------------------------------------------------------------

HELLO = "81 85 37 fa 21 3d 7f 9f 4d 51 58"  # §5.7


def show_bytes(page: Page, data: str) -> None:
    """Open a link to these bytes."""
    page.goto("about:blank")
    page.goto(f"{ADDRESS}#{data}")
    expect(page.locator("#hex")).to_have_value(bytes.fromhex(data).hex(" "))


def verdict(page: Page, words: str) -> None:
    expect(page.locator("#verdict")).to_have_text(words)


def focused(page: Page) -> str:
    """Return what a screen reader says of what has the focus, or its text."""
    name: str = page.evaluate(
        "() => (document.activeElement.ariaLabel ?? document.activeElement.innerText).trim()"
    )
    return " ".join(name.split())


def test_parts_make_the_bytes_and_bytes_the_parts(bench: Page) -> None:
    show_bytes(bench, HELLO)
    verdict(bench, 'A valid TEXT frame, 11 bytes: "Hello"')
    digits = bench.get_by_label("Bytes in hexadecimal")
    bench.get_by_label("MASK", exact=True).uncheck()
    bench.get_by_role("textbox", name="Text", exact=True).fill("Grüße")
    expect(digits).to_have_value("81 07 47 72 c3 bc c3 9f 65")
    bench.get_by_label("Sent by").select_option("client")
    verdict(bench, "Wrong: a client must mask its frames (§5.1)")
    bench.get_by_label("Sent by").select_option("")
    bench.get_by_role("combobox", name="Opcode").select_option("8")
    expect(digits).to_have_value("88 09 03 e8 47 72 c3 bc c3 9f 65")
    bench.get_by_role("textbox", name="Close code").fill("1005")
    verdict(bench, "Wrong: close code 1005 must not be sent (§7.4)")
    bench.get_by_role("textbox", name="Close code").fill("70000")
    expect(bench.get_by_role("alert").first).to_have_text("A close code is a number from 0 to 65535.")
    digits.fill("0x82, 0x02, 0xff, 0xfe")
    verdict(bench, "A valid BINARY frame, 4 bytes: ff fe")
    bench.get_by_label("FIN", exact=True).uncheck()  # what is no UTF-8 is not touched by another part
    expect(digits).to_have_value("02 02 ff fe")
    bench.get_by_role("button", name="New key").click()
    expect(digits).to_have_value(re.compile("^02 82 (.. ){4}.. ..$"))
    bench.get_by_role("textbox", name="Masking-key").fill("00 00 00")
    expect(bench.get_by_role("alert").first).to_have_text("A masking-key has 4 bytes, not 3.")
    bench.get_by_role("textbox", name="Masking-key").fill("00 00 00 01")
    expect(digits).to_have_value("02 82 00 00 00 01 ff fe")
    expect(bench.get_by_role("alert").first).to_be_empty()
    digits.fill("8g")
    expect(bench.get_by_role("alert").first).to_have_text('"g" is not a hexadecimal digit.')
    digits.fill("")
    verdict(bench, "There are no bytes.")


def test_a_paste_of_several_frames_is_counted(bench: Page) -> None:
    show_bytes(bench, HELLO)
    bench.get_by_label("Bytes in hexadecimal").fill("89 00\n83 01 61\n01 01 62 80 05 63")
    counter = bench.get_by_role("group", name="Frames")
    expect(counter).to_contain_text("Frame 1 of 4, bytes 0–1. Not valid: 2, 4.")
    verdict(bench, "A valid PING frame, 2 bytes: asks for a Pong")
    following = counter.get_by_role("button", name="Frame ›")
    following.click()
    verdict(bench, "Wrong: opcode 3 is reserved (§5.2)")
    bench.get_by_role("combobox", name="Opcode").select_option("2")
    expect(bench.get_by_label("Bytes in hexadecimal")).to_have_value("89 00 82 01 61 01 01 62 80 05 63")
    following.click()
    following.click()
    verdict(bench, "CONTINUATION: incomplete: 4 more bytes needed")
    expect(following).to_be_disabled()
    expect(bench.get_by_role("button", name="Next step")).to_be_disabled()


def test_a_field_lights_up_in_map_bytes_and_table(bench: Page) -> None:
    show_bytes(bench, HELLO)
    lit = r"() => [...document.querySelectorAll('#frame .lit')].map((each) => each.innerText.split(/\s/)[0])"
    bench.locator("#fields tr", has_text="masking-key").last.hover()
    assert bench.evaluate(lit) == ["masking-key", "masking-key", "37", "fa", "21", "3d", "masking-key"]
    bench.locator("#map [data-field=opcode]").hover()
    assert bench.evaluate(lit) == ["opcode", "81", "opcode"]
    bench.locator("#dump > * > *").nth(1).hover()
    assert set(bench.evaluate(lit)) == {"MASK", "payload", "85"}
    bench.locator("h1").hover()
    assert bench.evaluate(lit) == []


def test_encoding_goes_step_by_step(bench: Page) -> None:
    show_bytes(bench, HELLO)
    seen = []
    onward = bench.get_by_role("button", name="Next step")
    while onward.is_enabled():
        onward.click()
        unwritten = bench.locator("#dump .unwritten").count()
        seen.append((bench.locator("#step").inner_text().partition(": ")[2], unwritten))
    payload = [(f"payload byte {i} (§5.3)", 4 - i) for i in range(5)]
    assert seen[:3] == [("first byte (§5.2)", 10), ("second byte (§5.2)", 9), ("masking-key (§5.3)", 5)]
    assert seen[3:] == [*payload, ("payload data (§5.3)", 0), ("frame (§5.2)", 0)]
    for _ in range(4):
        bench.get_by_role("button", name="Back").click()
    rows = [" ".join(row.split()) for row in bench.locator("#working tr").all_inner_texts()]
    assert rows == ['payload byte 2 0110 1100 6c "l"', "key byte 2 0010 0001 21", "XOR 0100 1101 4d"]


def test_the_keyboard_alone_is_enough(bench: Page) -> None:
    show_bytes(bench, "81 00 89 00")
    bench.get_by_role("textbox", name="Text", exact=True).focus()
    stops: list[str] = []
    while not stops or stops[-1] != "New Sec-WebSocket-Key":
        bench.keyboard.press("Tab")
        stops.append(focused(bench))
        assert bench.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") == "solid", stops
        assert len(stops) < 30, "the focus is caught"
    assert stops.count("FIN, bit 0 of byte 0: 1") == 1  # the map is one stop, and so is the table
    assert {
        "New key",
        "Frame ›",
        "Next step ›",
        "Link to these bytes",
        "FIN 1 1 the whole message §5.2",
    } < set(stops)
    bench.locator("#map [tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Space"):
        bench.keyboard.press(key)
    assert focused(bench) == "RSV1, bit 1 of byte 0: 1"
    verdict(bench, "Wrong: RSV1 is set, but no extension gives it a meaning (§5.2)")
    bench.keyboard.press("Space")
    verdict(bench, 'A valid TEXT frame, 2 bytes: ""')
    bench.get_by_label("Bytes in hexadecimal").fill(HELLO)
    bench.locator("#map [tabindex='0']").focus()
    bench.keyboard.press("ArrowDown")
    assert focused(bench) == "masking-key, bit 1 of byte 4: 0"
    bench.locator("#fields [tabindex='0']").focus()
    bench.keyboard.press("ArrowDown")
    assert focused(bench).startswith("RSV1")
    expect(bench.locator("#map .lit")).to_have_text(re.compile("RSV1"))
    bench.get_by_role("button", name="Next step").focus()
    bench.keyboard.press("Enter")
    expect(bench.locator("#step")).to_contain_text("first byte")


def test_accept_key_step_by_step(bench: Page) -> None:
    field = bench.get_by_label("Sec-WebSocket-Key", exact=True)
    field.fill("x3JJHMbDL1EzLkh9GBhXDw==")
    expect(bench.locator("#ladder tr").last).to_contain_text("HSmrc0sMlYUkAGmm5OPpG2HaGWk=")
    field.fill("short")
    expect(bench.locator("#flaw")).to_have_text(
        "The key is not base64; it must be 16 bytes in base64 (§4.1)."
    )
    field.fill("€")
    expect(bench.locator("#flaw")).to_contain_text("outside Latin-1")
    bench.get_by_role("button", name="New Sec-WebSocket-Key").click()
    expect(bench.locator("#flaw")).to_be_empty()


def test_a_link_carries_a_frame(bench: Page) -> None:
    show_bytes(bench, "8105")
    verdict(bench, "TEXT: incomplete: 5 more bytes needed")
    bench.get_by_label("Bytes in hexadecimal").fill("8a 00")
    bench.get_by_role("link", name="Link to these bytes").click()
    expect(bench).to_have_url(f"{ADDRESS}#8a00")
    bench.reload()
    verdict(bench, "A valid PONG frame, 2 bytes: sign of life")
    bench.goto(f"{ADDRESS}#8g")
    expect(bench.get_by_role("alert").first).to_have_text('"g" is not a hexadecimal digit.')
    verdict(bench, "A valid PONG frame, 2 bytes: sign of life")  # what was there stays


LARGE = "82 7e 01 00 " + " ".join(f"{number:02x}" for number in range(256))
CROWDED = "08 83 01 02 03 04 02 ea fc"  # fragmented, not UTF-8, a code that nobody sends


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_readable_and_nothing_is_wider_than_the_page(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    for data in (CROWDED, LARGE):
        show_bytes(page, data)
        page.get_by_label("Sec-WebSocket-Key", exact=True).fill("w" * 300)
        page.get_by_role("button", name="Next step").click()
        page.locator("#map button").nth(9).hover()
        for width in (1400, 800, 360):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(WIDER) == 0, (width, data)
            ratios = page.evaluate(CONTRAST)
            assert len(ratios) > 100
            assert [each for each in ratios if each[0] < 4.5] == []
    paper = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": LIGHT, "dark": DARK}[scheme]


@pytest.mark.parametrize("around", ['data-jp-theme-light="{}"', 'data-theme="{}"'])
def test_it_follows_what_is_around_it_and_the_policy_of_a_lesson(page: Page, here: Here, around: str) -> None:
    """Served by a lesson, with its policy, in a frame of JupyterLab or of the reading edition."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    async def nobody(connection: Any) -> None:
        await connection.wait_closed()

    origin = f"http://127.0.0.1:{here.serve(nobody, 'workbench.html')}"
    body = f"<body {around}><iframe src='{origin}/'></iframe>".format("false" if "jp" in around else "dark")
    page.route(f"{origin}/lab", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(f"{origin}/lab")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#verdict")).to_have_text('A valid TEXT frame, 11 bytes: "Hello"')
    expect(frame.locator("body")).to_have_css("background-color", DARK)
    frame.get_by_role("button", name="Next step").click()
    frame.locator("#map button").nth(3).click()
    expect(frame.locator("#verdict")).to_contain_text("Wrong: RSV3 is set")
    assert said == []


def test_the_colours_are_those_of_the_palette() -> None:
    """The rules of the style sheet, each field once, with the one ink of all."""
    style = (PAGES / "framemap.css").read_text(encoding="utf-8")
    [ink] = re.findall(r"--on-field: (#\w+)", style)
    rules = re.findall(r'\[data-field="([^"]+)"\] \{ --field: (#\w+); \}', style)
    found = {name: Colour(colour.upper(), ink.upper()) for name, colour in rules}
    assert len(found) == len(rules)
    assert found == {name: colour for name, colour in FIELDS.items() if name != "unread"}
