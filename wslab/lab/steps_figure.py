"""The pictures of `steps`: the accept key from top to bottom, and a frame from its bits to its bytes.

Every text in the pictures is a value of the steps, and the alternative text has the same values in the same
order. Long keys and payloads are cut: a key ends in an ellipsis, bytes in the number that is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from wslab.lab.dissector.stream import Dissection, Field, dissect
from wslab.lab.views.figure import MONO, Figure, box, label, sheet, style
from wslab.lab.views.palette import FIELDS, INK, PAPER, Colour
from wslab.lab.views.words import count
from wslab.masking import apply_mask

if TYPE_CHECKING:
    from wslab.lab.steps import AcceptSteps, EncodeSteps

__all__ = ["draw_accept", "draw_encode"]

_CHARACTER = 7.3  # width of one character of the fixed font at 9 points, in CSS pixels
_PLAIN = Colour(PAPER, INK)
_BYTE = 34  # width of the box of one byte
_MARGIN = 150  # left of the boxes, for the names
_SHOWN = 14  # bytes of payload, and bytes of the whole frame, that are drawn


def draw_accept(steps: AcceptSteps) -> Figure:
    """Draw the way from key to accept key.

    >>> from wslab.lab.steps import accept_steps
    >>> draw_accept(accept_steps("dGhlIHNhbXBsZSBub25jZQ==")).alt.splitlines()[-1]
    'accept key: s3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    """
    wide, step = 690, 62
    figure, axes = sheet(wide, 26 + step * len(steps.steps) + (20 if steps.problem else 0))
    label(axes, 12, 16, steps.title, size=10, weight="bold")
    for i, part in enumerate(steps.steps):
        top = 38 + i * step
        shown = part.result if len(part.result) <= 64 else part.result[:63] + "…"
        colour = FIELDS["header value"] if part.name in ("key", "accept key") else _PLAIN
        label(axes, 12, top + 14, part.name, weight="bold")
        box(axes, (110, top, len(shown) * _CHARACTER + 16, 28), shown, colour, family=MONO)
        if i:
            _arrow(axes, 130, top - step + 28, top)
            label(axes, 144, top - (step - 28) / 2, part.working, size=8)
    wrong = [f"wrong: {steps.problem}"] if steps.problem else []
    for line in wrong:
        label(axes, 12, 38 + step * len(steps.steps) - 14, line, size=8.5, weight="bold")
    return Figure(figure, "\n".join([steps.title, *wrong, *(f"{s.name}: {s.result}" for s in steps.steps)]))


def _arrow(axes: Axes, left: float, top: float, bottom: float) -> None:
    with style():
        arrow = {"arrowstyle": "->", "color": INK, "linewidth": 1.0}
        axes.annotate("", xy=(left, bottom - 1), xytext=(left, top + 1), arrowprops=arrow)


def draw_encode(steps: EncodeSteps) -> Figure:
    """Draw a frame: the two first bytes bit by bit, the masking byte by byte, all bytes in a row.

    >>> from wslab.frames import Frame, Opcode
    >>> from wslab.lab.steps import encode_steps
    >>> draw_encode(encode_steps(Frame(Opcode.TEXT, b"Hi"))).alt.splitlines()[-1]
    'frame: 81 02 48 69'
    """
    (piece,) = dissect(steps.steps[-1].data, start="frame")
    masked = steps.masking_key is not None and steps.frame.payload
    figure, axes = sheet(_MARGIN + _SHOWN * _BYTE + 130, 288 + (104 if masked else 0))
    label(axes, 12, 16, _cut(steps.title, 90), size=10, weight="bold")
    _bits(axes, 44, "first byte", piece.fields[:5])
    _bits(axes, 136, "second byte", piece.fields[5:7])
    top = 228
    if masked:
        _masking(axes, top, steps)
        top += 104
    _bytes(axes, top, piece)
    lines = [f"{step.name}: {step.result}" for step in steps.steps]
    return Figure(figure, "\n".join([steps.title, *lines]))


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _bits(axes: Axes, top: float, name: str, fields: tuple[Field, ...]) -> None:
    """Draw eight bits in the colours of their fields, with the byte that they make."""
    width = 46
    label(axes, 12, top + 40, name, weight="bold")
    byte = fields[0].data[0]
    for field in fields:
        first = field.bit % 8
        left = _MARGIN + first * width
        box(axes, (left, top, field.bits * width, 26), field.name, FIELDS[field.name], size=8.5)
        for bit in range(first, first + field.bits):
            place = (_MARGIN + bit * width, top + 26, width, 28)
            box(axes, place, f"{byte:08b}"[bit], FIELDS[field.name], size=10, family=MONO)
    label(axes, _MARGIN + 8 * width + 14, top + 40, f"= {byte:02x}", size=11, family=MONO, weight="bold")


def _masking(axes: Axes, top: float, steps: EncodeSteps) -> None:
    """Draw payload, key and masked payload as three rows, byte under byte (§5.3)."""
    key = steps.masking_key or b""
    payload = steps.frame.payload[:_SHOWN]
    rows = (
        ("payload", payload, _PLAIN),
        ("XOR masking-key", (key * 4)[: len(payload)], FIELDS["masking-key"]),
        ("= masked payload", apply_mask(payload, key), FIELDS["payload data"]),
    )
    for i, (name, data, colour) in enumerate(rows):
        label(axes, 12, top + i * 28 + 13, name, weight="bold")
        _row(axes, top + i * 28, [(f"{byte:02x}", colour) for byte in data])
    left_out = len(steps.frame.payload) - len(payload)
    if left_out:
        label(axes, _MARGIN + len(payload) * _BYTE + 8, top + 13, f"… {left_out} more")


def _bytes(axes: Axes, top: float, piece: Dissection) -> None:
    colours = [FIELDS["opcode"], FIELDS["payload length"]]
    for field in piece.fields[7:]:
        colours += [FIELDS[field.name]] * len(field.data[:_SHOWN])
    shown = piece.data[:_SHOWN]
    label(axes, 12, top + 13, "frame", weight="bold")
    label(axes, 12, top + 30, count(len(piece.data)), size=8)
    _row(axes, top, [(f"{byte:02x}", colour) for byte, colour in zip(shown, colours, strict=False)])
    if left_out := len(piece.data) - len(shown):
        label(axes, _MARGIN + len(shown) * _BYTE + 8, top + 13, f"… {left_out} more")
    names = ", ".join(field.name for field in piece.fields[7:])
    label(axes, _MARGIN, top + 40, f"first byte, second byte{', ' if names else ''}{names}", size=8)


def _row(axes: Axes, top: float, data: list[tuple[str, Colour]]) -> None:
    for i, (text, colour) in enumerate(data):
        box(axes, (_MARGIN + i * _BYTE, top, _BYTE, 26), text, colour, family=MONO)
