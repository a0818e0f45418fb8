"""What JupyterLab writes beside the dots of a folded output betrays nothing of what is in it."""

from __future__ import annotations

from typing import Any

import pytest

from wslab.frames import Frame, Opcode
from wslab.lab import accept_steps, dissect, encode_steps
from wslab.lab.wire.counts import counted
from wslab.lab.wire.film import Film
from wslab.lab.wire.reader import Reader
from wslab.lab.wire.recording import Recording

HELLO = bytes.fromhex("810548656c6c6f")


def reader() -> Reader:
    recording = Recording(limit=1000)
    recording.add(1, "client", "bytes", b"GET / HTTP/1.1\r\n\r\n", now=0.0)
    return Reader(recording)


def first_line(view: Any) -> str:
    """Return the first line that is not empty of the form that JupyterLab asks for first."""
    html = getattr(view, "_repr_html_", None)
    text = html() if html else view._repr_mimebundle_()[0]["text/plain"]
    return next(line for line in str(text).split("\n") if line)


VIEWS = [
    dissect(HELLO, start="frame"),
    dissect(HELLO, start="frame")[0],
    dissect(HELLO, start="frame")[0].figure(),
    accept_steps("dGhlIHNhbXBsZSBub25jZQ=="),
    encode_steps(Frame(Opcode.TEXT, b"Hello")),
    encode_steps(Frame(Opcode.TEXT, b"Hello")).figure(),
    reader().conversation(),
    counted(reader()),
    Film(reader().conversation()),
]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: type(view).__name__)
def test_the_first_line_is_blank(view: Any) -> None:
    assert first_line(view) == " "


def test_the_map_of_a_frame_is_as_wide_as_its_page() -> None:
    html = dissect(HELLO, start="frame")._repr_html_()
    assert "table-layout:fixed" in html
    assert "width:100%;min-width:520px;max-width:700px" in html


def test_a_name_of_one_bit_is_one_word() -> None:
    html = dissect(HELLO, start="frame")._repr_html_()
    assert all(f">{name}</span>" in html for name in ("FIN", "RSV1", "RSV2", "RSV3", "MASK"))
