"""The frame workbench: what it computes is what `wslab` computes, and a person can use it, by keyboard too."""

import base64
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.here import Here
from tests.browser.test_pages import CONTRAST, DARK, LIGHT, WIDER
from wslab import Frame, Opcode, accept_key, encode_frame
from wslab.lab.dissect import Dissection, dissect
from wslab.lab.palette import FIELDS
from wslab.lab.site import PAGES
from wslab.lab.steps import accept_steps, encode_steps

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
SIZES = [0, 1, 2, 5, 60, 61, 125, 126, 127, 300, 65535, 65536]


# -- what it computes ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(browser: Browser) -> Iterator[Page]:
    """The page as a file, without a server, for all that is computed; a message in the console is a fault."""
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
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


def spoilt(octets: bytes, chance: random.Random) -> bytes:
    """Break a frame: cut it, flip bits of it, write its length in too many bytes, or take other bytes."""
    way, end = chance.random(), len(octets)
    if way < 0.3:
        return octets[: chance.randrange(1, end + 1)]
    if way < 0.7:
        flipped = bytearray(octets)
        for _ in range(3):
            flipped[chance.randrange(min(end, 16))] ^= 1 << chance.randrange(8)
        return bytes(flipped)
    if way < 0.8:
        return bytes((octets[0], 126, 0, octets[1] & 0x7F)) + octets[2:]
    return chance.randbytes(chance.randrange(1, 40))


def byte_for_octet(words: Any) -> Any:
    """Return the same words, with *byte* where the RFC's word is still said."""
    return json.loads(json.dumps(words, ensure_ascii=False).replace("octet", "byte"))


def as_shown(piece: Dissection) -> Any:
    fields = [[f.name, f.bit, f.bits, f.value, f.meaning, f.section, f.error] for f in piece.fields]
    return byte_for_octet([piece.start, piece.what, piece.meaning, piece.error, piece.complete, fields])


def based(data: bytes) -> str:
    return base64.b64encode(data).decode()


BYTES = "(text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))"
DISSECT = (
    """(streams) => streams.map(([text, sender]) => Frames.dissect((%s)(text), sender ?? "").map((frame) => [
    frame.start, frame.what, frame.meaning, frame.error, !frame.missing,
    frame.fields.map((f) => [f.name, f.bit, f.bits, f.value, f.meaning, f.section, f.error])]))"""
    % BYTES
)
ENCODE = """(frames) => frames.map(([first, payload, key]) => Frames.encode(first, (%s)(payload), key && (%s)(key)))
    .map((bytes) => Page.hex(bytes))""" % (BYTES, BYTES)
STEPS = (
    """(frames) => frames.map((text) => Frames.steps(Frames.dissect((%s)(text))[0])
    .map(({ name, how, result, section }) => [name, how, result, section]))"""
    % BYTES
)


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
        byte_for_octet([[s.name, s.working, s.result, s.section] for s in encode_steps(frame, key).steps])
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
    streams = [(octets, chance.choice([None, "client", "server"])) for octets in valid + broken + several]
    wanted = [
        [as_shown(piece) for piece in dissect(octets, sender=sender, start="frame")]
        for octets, sender in streams
    ]
    found = bench.evaluate(DISSECT, [[based(octets), sender] for octets, sender in streams])
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
        assert got == byte_for_octet({"steps": wanted, "problem": steps.problem})
        assert got["steps"][-1][2] == accept_key(key)
