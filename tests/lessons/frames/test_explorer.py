"""The frame explorer shows the bytes that wslab encodes, live and stored, and says what may not be sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategies import frames, keys
from wslab.frames import Frame, Opcode, encode_frame
from wslab.lessons.frames.explorer import KEY, FrameExplorer, describe

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def test_begins_with_the_masked_hello_of_section_5_7() -> None:
    explorer = FrameExplorer()
    assert explorer.data.hex(" ") == "81 85 37 fa 21 3d 7f 9f 4d 51 58"
    assert "37 fa 21 3d" in explorer.shown


@given(frames, st.none() | keys)
def test_shows_what_encode_frame_writes(frame: Frame, key: bytes | None) -> None:
    piece, problem = describe(frame, key)
    if problem:
        with pytest.raises(ValueError, match="control frame") as refused:
            encode_frame(frame, key)
        assert problem == f"No endpoint may send this frame: {refused.value} (§5.5)."
    else:
        assert piece.data == encode_frame(frame, key)


def test_every_control_changes_the_view() -> None:
    explorer = FrameExplorer()
    seen = [explorer.shown]
    for control, value in (
        (explorer.text, "Hello, world"),
        (explorer.opcode, Opcode.BINARY),
        (explorer.fin, False),
        (explorer.mask, False),
    ):
        control.value = value
        seen.append(explorer.shown)
    assert len(set(seen)) == 5
    assert explorer.data == encode_frame(Frame(Opcode.BINARY, b"Hello, world", fin=False))


def test_the_button_draws_another_key() -> None:
    explorer = FrameExplorer(draw_key=lambda: bytes.fromhex("01020304"))
    assert explorer.masking_key == KEY
    explorer.new_key.click()
    assert explorer.data == encode_frame(Frame(Opcode.TEXT, b"Hello"), bytes.fromhex("01020304"))
    assert "01 02 03 04" in explorer.shown


def test_a_drawn_key_has_four_bytes() -> None:
    explorer = FrameExplorer()
    explorer.new_key.click()
    assert len(explorer.masking_key) == 4


def test_the_button_rests_while_nothing_is_masked() -> None:
    explorer = FrameExplorer()
    explorer.mask.value = False
    assert explorer.new_key.disabled
    assert "Not masked" in explorer.shown


@pytest.mark.parametrize(
    ("opcode", "text", "fin", "sentence"),
    [
        (Opcode.PING, "x" * 126, True, "control frame payload is 126 bytes, limit 125 (§5.5)."),
        (Opcode.PONG, "x", False, "control frame PONG is fragmented (§5.5)."),
        (Opcode.CLOSE, "x" * 124, True, "control frame payload is 126 bytes, limit 125 (§5.5)."),
    ],
)
def test_says_in_a_sentence_what_may_not_be_sent(opcode: Opcode, text: str, fin: bool, sentence: str) -> None:
    explorer = FrameExplorer(text)
    explorer.opcode.value = opcode
    explorer.fin.value = fin
    assert f"No endpoint may send this frame: {sentence}" in explorer.shown
    explorer.opcode.value, explorer.fin.value = Opcode.BINARY, True
    assert "No endpoint" not in explorer.shown


def test_the_text_of_a_close_is_its_reason() -> None:
    explorer = FrameExplorer("bye")
    explorer.opcode.value = Opcode.CLOSE
    assert explorer.frame.payload == bytes.fromhex("03e8627965")
    assert "close 1000" in explorer.shown


def test_a_continuation_follows_a_first_fragment() -> None:
    explorer = FrameExplorer("lo")
    explorer.opcode.value = Opcode.CONTINUATION
    assert "wrong" not in explorer.shown
    assert "bytes 0–7 (8)" in explorer.shown


@pytest.mark.parametrize("text", ["", "<b>&", "€", "\ud800", "x" * 70_000])
def test_takes_any_text_and_escapes_it(text: str) -> None:
    explorer = FrameExplorer()
    explorer.text.value = text
    assert explorer.frame.payload == text.encode("utf-8", "replace")
    assert "<b>&" not in explorer.shown


def test_what_is_stored_is_the_frame_of_the_beginning_without_controls() -> None:
    explorer = FrameExplorer()
    bundle = explorer._repr_mimebundle_()
    assert WIDGET_VIEW in bundle
    explorer.text.value = "changed"
    again = explorer._repr_mimebundle_()
    assert again["text/html"] == bundle["text/html"]
    assert "Run this cell to see the controls" in bundle["text/html"]
    assert again["text/plain"] == repr(explorer) == repr(FrameExplorer("other"))
