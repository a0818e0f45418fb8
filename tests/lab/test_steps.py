"""The step-by-step views: their last step is what the connection computes, and each step is right."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wslab.frames import Frame, Opcode, encode_frame
from wslab.handshake import GUID, accept_key
from wslab.lab.steps import accept_steps, encode_steps
from wslab.lab.views.table import WIDTH

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = bytes.fromhex("37fa213d")


def test_accept_key_of_section_1_3() -> None:
    shown = accept_steps(KEY)
    assert [step.name for step in shown.steps] == ["key", "key + GUID", "SHA-1", "accept key"]
    assert shown.steps[1].data == (KEY + GUID).encode()
    assert shown.steps[2].data == hashlib.sha1((KEY + GUID).encode()).digest()
    assert shown.steps[3].result == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert shown.problem is None


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_the_last_step_is_the_accept_key_for_any_key(key: str) -> None:
    shown = accept_steps(key)
    assert shown.steps[-1].result == accept_key(key)
    assert shown.steps[-1].data == base64.b64encode(shown.steps[-2].data)
    assert max(map(len, repr(shown).split("\n"))) <= WIDTH
    assert "<table" in shown._repr_html_()


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("abc", "the key is not base64"),
        ("", "the key decodes to 0 bytes"),
        ("AAAA", "the key decodes to 3 bytes"),
        (KEY[:-1], "the key is not base64"),
        (f" {KEY}", "the key is not base64"),
        ("é", "the key is not base64"),
    ],
)
def test_a_malformed_key_is_named_and_followed(key: str, says: str) -> None:
    shown = accept_steps(key)
    assert shown.problem is not None
    assert shown.problem.startswith(says)
    assert shown.problem in repr(shown)
    assert shown.problem in shown._repr_html_()
    assert shown.problem in shown.figure().alt
    assert shown.steps[-1].result == accept_key(key)


def test_a_key_that_is_no_header_value() -> None:
    with pytest.raises(TypeError, match="bytes, not str"):
        accept_steps(KEY.encode())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Latin-1"):
        accept_steps("鍵")


frames = st.builds(
    Frame,
    st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONTINUATION]),
    st.binary(max_size=300),
    fin=st.booleans(),
    rsv1=st.booleans(),
    rsv2=st.booleans(),
    rsv3=st.booleans(),
)


@given(frames, st.one_of(st.none(), st.binary(min_size=4, max_size=4)))
def test_the_last_step_is_the_encoded_frame(frame: Frame, key: bytes | None) -> None:
    shown = encode_steps(frame, key)
    data = {step.name: step.data for step in shown.steps}
    assert data["frame"] == encode_frame(frame, key)
    header = ["first byte", "second byte", "extended payload length", "masking-key", "payload data"]
    assert b"".join(data.get(name, b"") for name in header) == data["frame"]
    bits = ["FIN", "RSV1", "RSV2", "RSV3", "opcode"]
    assert sum(data[name][0] for name in bits) == data["first byte"][0]
    assert data["MASK"][0] | data["payload length"][0] == data["second byte"][0]
    assert max(map(len, repr(shown).split("\n"))) <= WIDTH


def test_the_masked_hello_of_section_5_7() -> None:
    shown = encode_steps(Frame(Opcode.TEXT, b"Hello"), MASK)
    results = {step.name: step.result for step in shown.steps}
    assert results["frame"] == "81 85 37 fa 21 3d 7f 9f 4d 51 58"
    assert results["payload byte 4"] == "58"
    assert [step.working for step in shown.steps if step.name == "payload byte 4"] == [
        '6f "o" XOR 37 (key byte 0)'
    ]
    assert "81 85 37 fa 21 3d 7f 9f 4d 51 58" in shown.figure().alt


@pytest.mark.parametrize("key", [None, MASK])
@pytest.mark.parametrize("size", [0, 1, 14, 15, 125, 126, 65536])
def test_every_size_has_its_views(size: int, key: bytes | None) -> None:
    shown = encode_steps(Frame(Opcode.BINARY, bytes(size)), key)
    assert len(repr(shown)) < 5000
    assert len(shown._repr_html_()) < 20_000
    assert shown.figure().png()


@pytest.mark.parametrize(
    "frame", [Frame(Opcode.CLOSE, b"\x03\xe8bye"), Frame(Opcode.PING), Frame(Opcode.TEXT, b"$<b>")]
)
def test_every_kind_has_its_views(frame: Frame) -> None:
    shown = encode_steps(frame, MASK)
    assert shown.figure().png()
    assert "<b>$" not in shown._repr_html_().replace("<b>Enc", "")


def test_frames_that_may_not_be_sent() -> None:
    with pytest.raises(ValueError, match="125"):
        encode_steps(Frame(Opcode.PING, bytes(126)))
    with pytest.raises(ValueError, match="masking-key"):
        encode_steps(Frame(Opcode.TEXT), b"abc")
    with pytest.raises(TypeError, match="not Frame"):
        encode_steps(b"\x81\x00")  # type: ignore[arg-type]
