"""The two computations that the course is named for, step by step: the accept key, and a frame being encoded.

`accept_steps` follows a Sec-WebSocket-Key to the Sec-WebSocket-Accept that answers it (RFC 6455 §4.2.2);
`encode_steps` follows a frame to its bytes (§5.2, §5.3). Every value comes from the functions that a
connection uses (`wslab.handshake`, `wslab.frames`); nothing is computed a second way. The result shows
itself as plain text, as HTML and as a figure, which `steps_figure` draws.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wslab.frames import Frame, encode_frame, encode_length, first_byte
from wslab.handshake import GUID, accept_digest, accept_key
from wslab.lab.views.palette import FIELDS
from wslab.lab.views.table import Cell, Column, Table, Tabled
from wslab.lab.views.words import count, hexed, plain
from wslab.masking import apply_mask

if TYPE_CHECKING:
    from wslab.lab.views.figure import Figure

__all__ = ["AcceptSteps", "EncodeSteps", "Step", "accept_steps", "encode_steps"]

_MASKED = 8  # bytes of the payload that are masked before the reader's eyes


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, how the result is made, the result as text and as bytes, and the section."""

    name: str
    working: str
    result: str
    data: bytes
    section: str


@dataclass(frozen=True, slots=True, repr=False)
class _Steps(Tabled):
    """The steps in order, and what is wrong with the input, if anything; shows itself as a table."""

    title: str
    steps: tuple[Step, ...]
    problem: str | None

    def _table(self) -> Table:
        heading = (Column("step", 23, 8), "how", Column("result", 40, code=True), Column("section", 10))
        rows = [
            (step.name, step.working, Cell(step.result, FIELDS.get(step.name)), step.section)
            for step in self.steps
        ]
        return Table(heading, rows, title=self.title, wrong=self.problem or "")


class AcceptSteps(_Steps):
    """The steps from a key to its accept key."""

    __slots__ = ()

    def figure(self) -> Figure:
        """Draw the steps from top to bottom."""
        from wslab.lab.steps_figure import draw_accept  # matplotlib is loaded when a picture is asked for

        return draw_accept(self)


@dataclass(frozen=True, slots=True, repr=False)
class EncodeSteps(_Steps):
    """The steps from a frame to its bytes.

    Args:
        frame: the frame.
        masking_key: 4 bytes, or None.
    """

    frame: Frame
    masking_key: bytes | None

    def figure(self) -> Figure:
        """Draw the bytes of the header bit by bit, the masking, and the whole frame."""
        from wslab.lab.steps_figure import draw_encode

        return draw_encode(self)


# -- the accept key (§4.2.2) --------------------------------------------------------------------------------


def accept_steps(key: str) -> AcceptSteps:
    """Follow a Sec-WebSocket-Key to the Sec-WebSocket-Accept that answers it (§4.2.2).

    An invalid key is followed too, as a careless server would do; the view says what is wrong with it.

    Args:
        key: the value of the header.

    Raises:
        TypeError: the key is not a str.
        ValueError: it has a character that no HTTP header can carry.

    >>> accept_steps("dGhlIHNhbXBsZSBub25jZQ==").steps[-1].result
    's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    >>> print(accept_steps("dGhlIHNhbXBsZSBub25jZQ==").steps[2].data.hex())
    b37a4f2cc0624f1690f64606cf385945b2bec4ea
    """
    if not isinstance(key, str):
        raise TypeError(f"the key is {type(key).__name__}, not str: give the header's value as text")
    try:
        wire = key.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError("the key has a character outside Latin-1, which no HTTP header can carry") from None
    hashed, digest, accept = wire + GUID.encode(), accept_digest(key), accept_key(key)
    problem = _key_problem(wire)
    drawn = "16 random bytes in base64" if problem is None else "what the client sent"
    steps = (
        Step("key", drawn, plain(wire), wire, "§4.1"),
        Step("key + GUID", f"the key, then {GUID}", plain(hashed), hashed, "§4.2.2"),
        Step("SHA-1", "digest of these characters: 20 bytes", digest.hex(" "), digest, "§4.2.2"),
        Step("accept key", "the 20 bytes in base64", accept, accept.encode(), "§4.2.2"),
    )
    return AcceptSteps("From Sec-WebSocket-Key to Sec-WebSocket-Accept", steps, problem)


def _key_problem(wire: bytes) -> str | None:
    try:
        size = len(base64.b64decode(wire, validate=True))
    except binascii.Error:
        return "the key is not base64; it must be 16 bytes in base64 (§4.1)"
    return None if size == 16 else f"the key decodes to {count(size)}; it must be 16 bytes in base64 (§4.1)"


# -- a frame (§5.2, §5.3) -----------------------------------------------------------------------------------


def encode_steps(frame: Frame, masking_key: bytes | None = None) -> EncodeSteps:
    """Follow a frame to its bytes (§5.2).

    Args:
        frame: the frame.
        masking_key: 4 bytes, as a client must use, or None, as a server must (§5.1).

    Raises:
        TypeError: not a frame.
        ValueError: a frame that may not be sent, or a key that is not 4 bytes.

    >>> from wslab.frames import Opcode
    >>> steps = encode_steps(Frame(Opcode.TEXT, b"Hello"), bytes.fromhex("37fa213d")).steps
    >>> steps[-1].data.hex(" ")
    '81 85 37 fa 21 3d 7f 9f 4d 51 58'
    >>> steps[5].name, steps[5].result
    ('first byte', '1000 0001 = 81')
    """
    if not isinstance(frame, Frame):
        raise TypeError(f"the frame is {type(frame).__name__}, not Frame")
    whole = encode_frame(frame, masking_key)
    steps = _first_byte(frame) + _lengths(len(frame.payload), masking_key is not None)
    if masking_key is not None:
        key = bytes(masking_key)
        steps.append(Step("masking-key", "4 bytes that nobody can predict", key.hex(" "), key, "§5.3"))
    steps += _masking(frame.payload, masking_key)
    steps.append(Step("frame", f"all parts in order: {count(len(whole))}", hexed(whole, 24), whole, "§5.2"))
    return EncodeSteps(f"Encoding {frame}", tuple(steps), None, frame, masking_key)


def _byte(number: int) -> str:
    return f"{number >> 4:04b} {number & 15:04b}"


def _first_byte(frame: Frame) -> list[Step]:
    last = "the last frame of its message" if frame.fin else "more fragments follow"
    opcode = first_byte(Frame(frame.opcode, fin=False))
    parts = [("FIN", last, first_byte(frame) & 0b1000_0000)]
    for name, bit in (("RSV1", 0b0100_0000), ("RSV2", 0b0010_0000), ("RSV3", 0b0001_0000)):
        number = first_byte(frame) & bit
        parts.append((name, "set by an extension" if number else "no extension uses it", number))
    parts.append(("opcode", f"{frame.opcode:X} = {frame.opcode.name}", opcode))
    steps = [Step(name, how, _byte(number), bytes((number,)), "§5.2") for name, how, number in parts]
    first = first_byte(frame)
    result = f"{_byte(first)} = {first:02x}"
    return [*steps, Step("first byte", "FIN, RSV and opcode together", result, bytes((first,)), "§5.2")]


def _lengths(length: int, masked: bool) -> list[Step]:
    data = encode_length(length, masked)
    mask, seven = data[0] & 0b1000_0000, data[0] & 0b0111_1111
    how = {1: "up to 125: itself", 3: "up to 65535: 126", 9: "more: 127"}[len(data)]
    result = f"{_byte(data[0])} = {data[0]:02x}"
    who = "a client masks" if masked else "a server does not mask"
    steps = [
        Step("MASK", who, _byte(mask), bytes((mask,)), "§5.1"),
        Step("payload length", f"{count(length)}; {how}", _byte(seven), bytes((seven,)), "§5.2"),
        Step("second byte", "MASK and payload length together", result, data[:1], "§5.2"),
    ]
    if data[1:]:
        how = f"{length} in {len(data) - 1} bytes, the highest first"
        steps.append(Step("extended payload length", how, data[1:].hex(" "), data[1:], "§5.2"))
    return steps


def _masking(payload: bytes, key: bytes | None) -> list[Step]:
    """Return a step for each of the first bytes of the payload, and one for all of it."""
    if key is None:
        how = "not masked" if payload else "none"
        return [Step("payload data", how, hexed(payload), payload, "§5.3")]
    masked = apply_mask(payload, key)
    steps = []
    for i in range(min(_MASKED, len(payload))):
        how = f"{payload[i]:02x}{_character(payload[i])} XOR {key[i % 4]:02x} (key byte {i % 4})"
        steps.append(Step(f"payload byte {i}", how, f"{masked[i]:02x}", masked[i : i + 1], "§5.3"))
    rest = len(payload) - len(steps)
    how = f"all {count(len(payload))} masked" + (f", {rest} more in the same way" if rest else "")
    return [*steps, Step("payload data", how if payload else "none", hexed(masked), masked, "§5.3")]


def _character(byte: int) -> str:
    return f' "{chr(byte)}"' if 0x20 <= byte < 0x7F else ""
