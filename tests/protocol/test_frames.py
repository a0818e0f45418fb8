"""Frames against the RFC's own bytes, in both directions; lengths, masks, and the faults of the caller."""

import pytest

from wslab.decoder import FrameDecoder
from wslab.frames import (
    Frame,
    Opcode,
    encode_frame,
    encode_length,
    first_byte,
)

RFC_KEY = bytes.fromhex("37fa213d")


def data(text: str) -> bytes:
    return bytes.fromhex(text)


def assert_wire(frame: Frame, wire: bytes, masking_key: bytes | None = None) -> None:
    """Check that the frame is encoded to these bytes, and these bytes are decoded to the frame."""
    assert encode_frame(frame, masking_key) == wire
    assert FrameDecoder(masked=masking_key is not None).feed(wire) == [frame]


class TestExamplesOfTheRfc:
    """§5.7."""

    def test_single_frame_unmasked_text(self) -> None:
        assert_wire(Frame(Opcode.TEXT, b"Hello"), data("81 05 48 65 6c 6c 6f"))

    def test_single_frame_masked_text(self) -> None:
        assert_wire(Frame(Opcode.TEXT, b"Hello"), data("81 85 37 fa 21 3d 7f 9f 4d 51 58"), RFC_KEY)

    def test_fragmented_unmasked_text(self) -> None:
        assert_wire(Frame(Opcode.TEXT, b"Hel", fin=False), data("01 03 48 65 6c"))
        assert_wire(Frame(Opcode.CONTINUATION, b"lo"), data("80 02 6c 6f"))

    def test_unmasked_ping_and_masked_pong(self) -> None:
        assert_wire(Frame(Opcode.PING, b"Hello"), data("89 05 48 65 6c 6c 6f"))
        assert_wire(Frame(Opcode.PONG, b"Hello"), data("8a 85 37 fa 21 3d 7f 9f 4d 51 58"), RFC_KEY)

    def test_256_bytes_of_binary(self) -> None:
        payload = bytes(range(256))
        assert_wire(Frame(Opcode.BINARY, payload), data("82 7e 01 00") + payload)

    def test_64_kib_of_binary(self) -> None:
        payload = bytes(65536)
        assert_wire(Frame(Opcode.BINARY, payload), data("82 7f 00 00 00 00 00 01 00 00") + payload)


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
        assert encode_length(length, masked=False) == data(encoded)
        masked = encode_length(length, masked=True)
        assert masked[0] == data(encoded)[0] | 0x80
        assert masked[1:] == data(encoded)[1:]

    @pytest.mark.parametrize("length", [-1, 2**63])
    def test_what_does_not_fit(self, length: int) -> None:
        with pytest.raises(ValueError, match=r"outside 0 to 2\*\*63 - 1"):
            encode_length(length, masked=False)

    @pytest.mark.parametrize("length", [0, 1, 124, 125, 126, 127, 65534, 65535, 65536, 65537])
    @pytest.mark.parametrize("masking_key", [None, RFC_KEY])
    def test_round_trip_at_boundaries(self, length: int, masking_key: bytes | None) -> None:
        frame = Frame(Opcode.BINARY, bytes(i % 251 for i in range(length)))
        assert_wire(frame, encode_frame(frame, masking_key), masking_key)


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

    def test_longest_control_frame(self) -> None:
        """§5.5."""
        assert_wire(Frame(Opcode.PING, bytes(125)), data("89 7d") + bytes(125))

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
