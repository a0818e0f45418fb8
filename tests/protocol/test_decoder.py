"""The decoder: every rule that one frame can break, and every way to cut a stream (RFC 6455 §5)."""

from __future__ import annotations

import array
import itertools
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.aio import (
    SIDES,
    failure,
)
from tests.support.strategies import cut, frames, keys
from wslab import (
    Connection,
)
from wslab.close import CloseCode, ProtocolError
from wslab.decoder import FrameDecoder
from wslab.frames import Frame, Opcode, encode_frame, first_byte


def data(text: str) -> bytes:
    return bytes.fromhex(text)


def assert_refused(
    wire: bytes, masked: bool, code: CloseCode, words: str, max_size: int | None = 2**20
) -> None:
    """Check that the bytes are refused with the code and the words, whole and byte by byte."""
    with pytest.raises(ProtocolError, match=words) as whole:
        FrameDecoder(masked=masked, max_size=max_size).feed(wire)
    assert whole.value.code is code
    decoder = FrameDecoder(masked=masked, max_size=max_size)
    with pytest.raises(ProtocolError, match=words):
        feed_singly(decoder, wire)


def feed_singly(decoder: FrameDecoder, wire: bytes) -> list[Frame]:
    return [frame for byte in wire for frame in decoder.feed(bytes((byte,)))]


class TestRules:
    """What one frame may not be: every refusal with its close code."""

    @pytest.mark.parametrize(
        ("wire", "words"),
        [
            ("c1 00", "RSV1 is set"),
            ("a1 00", "RSV2 is set"),
            ("91 00", "RSV3 is set"),
            ("83 00", "opcode 0x3 is reserved"),
            ("87 00", "opcode 0x7 is reserved"),
            ("8b 00", "opcode 0xb is reserved"),
            ("8f 00", "opcode 0xf is reserved"),
            ("09 00", "control frame PING is fragmented"),
            ("08 00", "control frame CLOSE is fragmented"),
            ("81 80", "frame from a server is masked"),
            ("89 7e 00 7e", "control frame payload is over 125 bytes"),
            ("8a 7f 00 00 00 00 00 01 00 00", "control frame payload is over 125 bytes"),
            ("81 7e 00 7d", "length 125 is not encoded in the fewest"),
            ("82 7e 00 00", "length 0 is not encoded in the fewest"),
            ("82 7f 00 00 00 00 00 00 ff ff", "length 65535 is not encoded in the fewest"),
            ("82 7f 80 00 00 00 00 00 00 00", "top bit of the 64-bit payload length is set"),
            ("82 7f ff ff ff ff ff ff ff ff", "top bit of the 64-bit payload length is set"),
        ],
    )
    def test_from_a_server(self, wire: str, words: str) -> None:
        assert_refused(data(wire), False, CloseCode.PROTOCOL_ERROR, words)

    def test_client_must_mask(self) -> None:
        assert_refused(data("81 05"), True, CloseCode.PROTOCOL_ERROR, "frame from a client is not masked")

    @pytest.mark.parametrize("first", range(256))
    def test_every_first_byte(self, first: int) -> None:
        allowed = first in {0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8A}
        decoder = FrameDecoder(masked=False)
        if allowed:
            [frame] = decoder.feed(bytes((first, 0)))
            assert first_byte(frame) == first
        else:
            with pytest.raises(ProtocolError):
                decoder.feed(bytes((first, 0)))

    def test_a_long_frame_is_refused_from_its_header(self) -> None:
        wire = data("82 7f 00 00 00 00 00 10 00 01")
        assert_refused(wire, False, CloseCode.MESSAGE_TOO_BIG, "1048577 bytes, limit 1048576")

    def test_the_limit_itself_is_accepted(self) -> None:
        assert len(FrameDecoder(masked=False, max_size=126).feed(data("82 7e 00 7e") + bytes(126))) == 1
        assert_refused(data("82 7e 00 7f"), False, CloseCode.MESSAGE_TOO_BIG, "limit 126", max_size=126)

    def test_no_limit(self) -> None:
        assert FrameDecoder(masked=False, max_size=None).feed(data("82 7f 7f ff ff ff ff ff ff ff")) == []

    def test_whole_frames_before_an_error_are_kept(self) -> None:
        decoder = FrameDecoder(masked=False)
        with pytest.raises(ProtocolError) as caught:
            decoder.feed(data("81 01 41 89 00 83 00"))
        assert caught.value.frames == [Frame(Opcode.TEXT, b"A"), Frame(Opcode.PING)]
        with pytest.raises(ProtocolError) as again:
            decoder.feed(b"")
        assert (again.value.code, str(again.value)) == (caught.value.code, str(caught.value))
        assert again.value.frames == []
        assert len(caught.value.frames) == 2

    def test_nothing_is_understood_behind_an_error(self) -> None:
        decoder = FrameDecoder(masked=False)
        for wire in ("83 00", "81 00"):
            with pytest.raises(ProtocolError, match="opcode 0x3"):
                decoder.feed(data(wire))


class TestStream:
    @given(st.lists(frames, max_size=8), st.one_of(st.none(), keys), st.data())
    def test_any_split_gives_the_same_frames(
        self, sent: list[Frame], masking_key: bytes | None, data: st.DataObject
    ) -> None:
        wire = b"".join(encode_frame(frame, masking_key) for frame in sent)
        decoder = FrameDecoder(masked=masking_key is not None)
        received = [frame for piece in data.draw(cut(wire)) for frame in decoder.feed(piece)]
        assert received == sent

    @given(st.binary(max_size=300), st.booleans(), st.data())
    def test_any_split_of_anything_gives_the_same_verdict(
        self, wire: bytes, masked: bool, data: st.DataObject
    ) -> None:
        def judge(pieces: list[bytes]) -> tuple[list[Frame], str | None]:
            decoder, received = FrameDecoder(masked=masked, max_size=200), []
            try:
                for piece in pieces:
                    received += decoder.feed(piece)
            except ProtocolError as error:
                return received + error.frames, str(error)
            return received, None

        assert judge(data.draw(cut(wire))) == judge([wire])

    def test_a_view_with_items_of_four_bytes(self) -> None:
        wire = encode_frame(Frame(Opcode.BINARY, bytes(range(200)))) * 2
        decoder, items = FrameDecoder(masked=False), array.array("I", wire)
        frames = decoder.feed(memoryview(items)[:20]) + decoder.feed(memoryview(items)[20:])
        assert [frame.payload for frame in frames] == [bytes(range(200))] * 2

    def test_a_view_with_gaps(self) -> None:
        wire = encode_frame(Frame(Opcode.BINARY, bytes(range(200))))
        spread = memoryview(bytes(byte for each in wire for byte in (each, 255)))[::2]
        decoder = FrameDecoder(masked=False)
        assert decoder.feed(spread[:50]) + decoder.feed(spread[50:90]) == []
        (frame,) = decoder.feed(spread[90:])
        assert frame.payload == bytes(range(200))

    def test_a_frame_owns_its_payload(self) -> None:
        buffer = bytearray(data("82 03 01 02 03"))
        [frame] = FrameDecoder(masked=False).feed(buffer)
        buffer[2:] = b"xyz"
        assert frame.payload == b"\x01\x02\x03"


class TestEverySize:
    """Lengths around each limit, in every form that bytes can have, with numpy and without it."""

    SIZES = (0, 1, 125, 126, 127, 319, 320, 321, 4087, 4088, 4095, 4097, 8195, 2**15, 2**15 + 3, 65535, 65536)

    @pytest.fixture(params=["numpy", "no numpy"], autouse=True)
    def numpy(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        if request.param == "no numpy":
            monkeypatch.setattr("wslab.masking._numpy", lambda: None)

    @pytest.mark.parametrize("masked", [True, False])
    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    @pytest.mark.parametrize("size", [*SIZES, 2**17 + 5])
    def test_there_and_back(self, size: int, kind: type, masked: bool) -> None:
        payload, key = (bytes(range(251)) * (size // 251 + 1))[:size], b"\x01\x02\x03\x04"
        wire = encode_frame(Frame(Opcode.BINARY, payload), key if masked else None)
        if masked:
            assert wire[-size:] == bytes(byte ^ key[i % 4] for i, byte in enumerate(payload)) or not size
        for pieces in ([wire], [wire + wire[:3], wire[3:]], [wire[:-1], wire[-1:]]):
            decoder = FrameDecoder(masked=masked)
            frames = [frame for piece in pieces for frame in decoder.feed(kind(piece))]
            assert set(frames) == {Frame(Opcode.BINARY, payload)}
            assert sum(map(len, pieces)) == len(frames) * len(wire)

    @pytest.mark.parametrize("wire", ["827f" + "00" * 127, "827e0005" + "00" * 5, "827e007d" + "00" * 125])
    def test_a_length_in_too_many_bytes(self, wire: str) -> None:
        assert_refused(data(wire), False, CloseCode.PROTOCOL_ERROR, "fewest")


# -- frames -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", SIDES)
def test_every_pair_of_first_bytes(side: Literal["client", "server"]) -> None:
    """§5.2, §5.5: the first two bytes alone say whether a frame is one that may come."""
    masked = side == "server"
    seconds = [bit | length for bit in (0, 0x80) for length in (0, 1, 2, 124, 125, 126, 127)]
    for first, second in itertools.product(range(256), seconds):
        opcode, length = first & 0xF, second & 0x7F
        lawful = (
            not first & 0x70
            and opcode in (0, 1, 2, 8, 9, 10)
            and bool(second & 0x80) is masked
            and not (opcode & 8 and (length > 125 or first < 0x80))
        )
        refused = failure(Connection(side), bytes((first, second)))
        # A length up to 125 is known by then: so is that there is nothing to continue.
        if not lawful or (opcode == 0 and length <= 125):
            assert refused, f"{first:08b} {second:08b}"
            assert refused.code == 1002
        else:
            assert refused is None, f"{first:08b} {second:08b}"
