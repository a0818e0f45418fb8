"""Frames against the RFC's own octets, every rule that a frame can break, and every way to cut a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import cut, frames, keys
from wslab.close import CloseCode, ProtocolError
from wslab.decoder import FrameDecoder
from wslab.frames import (
    Frame,
    Opcode,
    apply_mask,
    encode_frame,
    encode_length,
    first_byte,
)

RFC_KEY = bytes.fromhex("37fa213d")


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


def assert_wire(frame: Frame, wire: bytes, masking_key: bytes | None = None) -> None:
    """Check that the frame is encoded to these octets, and these octets are decoded to the frame."""
    assert encode_frame(frame, masking_key) == wire
    assert FrameDecoder(masked=masking_key is not None).feed(wire) == [frame]


def assert_refused(
    wire: bytes, masked: bool, code: CloseCode, words: str, max_size: int | None = 2**20
) -> None:
    """Check that the octets are refused with the code and the words, whole and octet by octet."""
    with pytest.raises(ProtocolError, match=words) as whole:
        FrameDecoder(masked=masked, max_size=max_size).feed(wire)
    assert whole.value.code is code
    decoder = FrameDecoder(masked=masked, max_size=max_size)
    with pytest.raises(ProtocolError, match=words):
        feed_singly(decoder, wire)


def feed_singly(decoder: FrameDecoder, wire: bytes) -> list[Frame]:
    return [frame for octet in wire for frame in decoder.feed(bytes((octet,)))]


class TestExamplesOfTheRfc:
    """§5.7."""

    def test_single_frame_unmasked_text(self) -> None:
        assert_wire(Frame(Opcode.TEXT, b"Hello"), octets("81 05 48 65 6c 6c 6f"))

    def test_single_frame_masked_text(self) -> None:
        assert_wire(Frame(Opcode.TEXT, b"Hello"), octets("81 85 37 fa 21 3d 7f 9f 4d 51 58"), RFC_KEY)

    def test_fragmented_unmasked_text(self) -> None:
        assert_wire(Frame(Opcode.TEXT, b"Hel", fin=False), octets("01 03 48 65 6c"))
        assert_wire(Frame(Opcode.CONTINUATION, b"lo"), octets("80 02 6c 6f"))

    def test_unmasked_ping_and_masked_pong(self) -> None:
        assert_wire(Frame(Opcode.PING, b"Hello"), octets("89 05 48 65 6c 6c 6f"))
        assert_wire(Frame(Opcode.PONG, b"Hello"), octets("8a 85 37 fa 21 3d 7f 9f 4d 51 58"), RFC_KEY)

    def test_256_bytes_of_binary(self) -> None:
        data = bytes(range(256))
        assert_wire(Frame(Opcode.BINARY, data), octets("82 7e 01 00") + data)

    def test_64_kib_of_binary(self) -> None:
        data = bytes(65536)
        assert_wire(Frame(Opcode.BINARY, data), octets("82 7f 00 00 00 00 00 01 00 00") + data)


class TestLengths:
    """§5.2: the shortest of three encodings."""

    @pytest.mark.parametrize(
        ("length", "encoded"),
        [
            (0, "00"),
            (125, "7d"),
            (126, "7e 00 7e"),
            (65535, "7e ff ff"),
            (65536, "7f 00 00 00 00 00 01 00 00"),
            (2**63 - 1, "7f 7f ff ff ff ff ff ff ff"),
        ],
    )
    def test_boundaries(self, length: int, encoded: str) -> None:
        assert encode_length(length, masked=False) == octets(encoded)
        masked = encode_length(length, masked=True)
        assert masked[0] == octets(encoded)[0] | 0x80
        assert masked[1:] == octets(encoded)[1:]

    @pytest.mark.parametrize("length", [-1, 2**63])
    def test_what_does_not_fit(self, length: int) -> None:
        with pytest.raises(ValueError, match=r"outside 0 to 2\*\*63 - 1"):
            encode_length(length, masked=False)

    @pytest.mark.parametrize("length", [0, 1, 124, 125, 126, 127, 65534, 65535, 65536, 65537])
    @pytest.mark.parametrize("masking_key", [None, RFC_KEY])
    def test_round_trip_at_boundaries(self, length: int, masking_key: bytes | None) -> None:
        frame = Frame(Opcode.BINARY, bytes(i % 251 for i in range(length)))
        assert_wire(frame, encode_frame(frame, masking_key), masking_key)


class TestMask:
    """§5.3."""

    @given(st.binary(max_size=3000), keys)
    def test_is_the_xor_of_the_rfc(self, data: bytes, key: bytes) -> None:
        assert apply_mask(data, key) == bytes(octet ^ key[i % 4] for i, octet in enumerate(data))

    @pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 1023, 1024, 65535, 65536, 65537, 2**20 + 3])
    def test_long_payloads(self, size: int) -> None:
        data = bytes(i % 251 for i in range(size))
        masked = apply_mask(data, RFC_KEY)
        assert masked == bytes(octet ^ RFC_KEY[i % 4] for i, octet in enumerate(data))
        assert apply_mask(masked, RFC_KEY) == data

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    @pytest.mark.parametrize("size", [5, 5000])
    def test_any_bytes_like(self, kind: type, size: int) -> None:
        assert apply_mask(kind(bytes(size)), b"\x01\x02\x03\x04")[:5] == b"\x01\x02\x03\x04\x01"

    @pytest.mark.parametrize("key", [b"", b"123", b"12345"])
    @pytest.mark.parametrize("size", [0, 5, 5000])
    def test_key_of_the_wrong_size(self, key: bytes, size: int) -> None:
        with pytest.raises(ValueError, match="not 4"):
            apply_mask(bytes(size), key)


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
        assert_refused(octets(wire), False, CloseCode.PROTOCOL_ERROR, words)

    def test_client_must_mask(self) -> None:
        assert_refused(octets("81 05"), True, CloseCode.PROTOCOL_ERROR, "frame from a client is not masked")

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
        wire = octets("82 7f 00 00 00 00 00 10 00 01")
        assert_refused(wire, False, CloseCode.MESSAGE_TOO_BIG, "1048577 bytes, limit 1048576")

    def test_the_limit_itself_is_accepted(self) -> None:
        assert len(FrameDecoder(masked=False, max_size=126).feed(octets("82 7e 00 7e") + bytes(126))) == 1
        assert_refused(octets("82 7e 00 7f"), False, CloseCode.MESSAGE_TOO_BIG, "limit 126", max_size=126)

    def test_no_limit(self) -> None:
        assert FrameDecoder(masked=False, max_size=None).feed(octets("82 7f 7f ff ff ff ff ff ff ff")) == []

    def test_whole_frames_before_an_error_are_kept(self) -> None:
        decoder = FrameDecoder(masked=False)
        with pytest.raises(ProtocolError) as caught:
            decoder.feed(octets("81 01 41 89 00 83 00"))
        assert caught.value.frames == [Frame(Opcode.TEXT, b"A"), Frame(Opcode.PING)]

    def test_nothing_is_understood_behind_an_error(self) -> None:
        decoder = FrameDecoder(masked=False)
        for wire in ("83 00", "81 00"):
            with pytest.raises(ProtocolError, match="opcode 0x3"):
                decoder.feed(octets(wire))


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

    def test_a_frame_owns_its_payload(self) -> None:
        buffer = bytearray(octets("82 03 01 02 03"))
        [frame] = FrameDecoder(masked=False).feed(buffer)
        buffer[2:] = b"xyz"
        assert frame.payload == b"\x01\x02\x03"


class TestFrame:
    def test_faults_of_the_caller(self) -> None:
        with pytest.raises(ValueError, match="126 bytes, limit 125"):
            encode_frame(Frame(Opcode.PING, bytes(126)))
        with pytest.raises(ValueError, match="fragmented"):
            encode_frame(Frame(Opcode.CLOSE, fin=False))
        with pytest.raises(ValueError, match="not 4"):
            encode_frame(Frame(Opcode.TEXT), b"123")
        with pytest.raises(TypeError, match="encode a text"):
            Frame(Opcode.TEXT, "Hello")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="3 is not a valid Opcode"):
            Frame(3)

    def test_reserved_bits_are_encoded(self) -> None:
        assert first_byte(Frame(Opcode.TEXT, rsv1=True, rsv2=True, rsv3=True, fin=False)) == 0b0111_0001

    @pytest.mark.parametrize(
        ("frame", "line"),
        [
            (Frame(Opcode.TEXT, "héllo".encode()), 'TEXT "héllo" [6 bytes]'),
            (Frame(Opcode.TEXT, b"a\nb"), 'TEXT "a\\nb" [3 bytes]'),
            (Frame(Opcode.TEXT, b"x" * 100), f'TEXT "{"x" * 39}…" [100 bytes]'),
            (Frame(Opcode.BINARY, b"\x00"), "BINARY 00 [1 byte]"),
            (Frame(Opcode.BINARY, bytes(17)), f"BINARY {bytes(15).hex(' ')} … [17 bytes]"),
            (Frame(Opcode.CLOSE, b"\x03\xe8bye"), 'CLOSE 1000 "bye" [5 bytes]'),
            (Frame(Opcode.CLOSE), "CLOSE [0 bytes]"),
            (Frame(Opcode.CLOSE, b"\x03"), "CLOSE 03 [1 byte]"),
            (Frame(Opcode.PING, fin=True, rsv1=True), "PING [0 bytes, RSV1]"),
            (Frame(Opcode.TEXT, b"\xff", fin=False), 'TEXT "\ufffd" [1 byte, more follow]'),
        ],
    )
    def test_one_log_line(self, frame: Frame, line: str) -> None:
        assert str(frame) == line
