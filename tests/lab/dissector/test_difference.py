"""Where two runs of bytes part, and how that is shown."""

from __future__ import annotations

import pytest

from wslab.lab.dissector.difference import Shown, first_difference, marked


@pytest.mark.parametrize(
    ("given", "expected", "field"),
    [
        ("0105", "8105", "byte 0, FIN (§5.2)"),
        ("8205", "8105", "byte 0, opcode (§5.2)"),
        ("810548656c6c6f", "818537fa213d7f9f4d5158", "byte 1, MASK"),
        ("817e0005", "8105", "byte 1, payload length (§5.2)"),
        ("827e0001", "827e0100", "byte 2, extended payload length (§5.2)"),
        ("818537fa213d48656c6c6f", "818537fa213d7f9f4d5158", "byte 6, payload data"),
        ("8105", "810548656c6c6f", "byte 2, payload data"),
    ],
)
def test_the_first_difference_names_its_field(given: str, expected: str, field: str) -> None:
    assert first_difference(bytes.fromhex(given), bytes.fromhex(expected), b"").startswith(field)


def test_surplus_bytes_are_counted() -> None:
    assert first_difference(b"abcd", b"ab") == "2 too many, from byte 2 on: 63 64"


def test_a_late_difference_is_shown_with_what_is_around_it() -> None:
    shown = marked(bytes(100), bytes(50) + b"\1" + bytes(49))
    assert shown.startswith("… 00 00 00 00 00 00 00 00 [00] 00")
    assert shown.endswith("… (100 bytes)")


def test_a_byte_that_is_missing_is_marked() -> None:
    assert marked(b"\x81", b"\x81\x05") == "81 [missing]"
    assert marked(b"", b"\x81") == "[no bytes]"


def test_the_colour_is_that_of_the_field_with_the_fault() -> None:
    shown = marked(bytes.fromhex("0105"), bytes.fromhex("8105"), before=b"")
    assert isinstance(shown, Shown)
    assert [(part.text, part.field, part.marked) for part in shown.parts] == [
        ("01", "FIN", True),
        ("05", "payload length", False),
    ]
    assert shown.html().count("outline:2px solid") == 1
