"""The material of the questions of lesson 03, and what their verdicts show."""

from __future__ import annotations

from websockets.frames import CloseCode
from websockets.protocol import Protocol, Side

from wslab.close import ProtocolError, decode_close
from wslab.decoder import FrameDecoder
from wslab.frames import Frame, Opcode, encode_frame, encode_length
from wslab.lessons import check
from wslab.lessons.frames import ZOO


def code_of_wslab(data: bytes) -> int:
    decoder = FrameDecoder(masked=True)
    try:
        for frame in decoder.feed(data):
            if frame.opcode is Opcode.CLOSE:
                decode_close(frame.payload)
            if frame.opcode is Opcode.TEXT:
                frame.payload.decode()
    except ProtocolError as error:
        return int(error.code)
    except UnicodeDecodeError:
        return 1007
    return 0


def code_of_websockets(data: bytes) -> int:
    server = Protocol(Side.SERVER, max_size=2**20)
    server.receive_data(data)
    text = next((frame for frame in server.events_received() if frame.opcode == 1), None)  # type: ignore[union-attr]
    if text is not None:
        try:
            text.data.decode()  # type: ignore[union-attr]
        except UnicodeDecodeError:
            return int(CloseCode.INVALID_DATA)
    return int(server.close_sent.code) if server.close_sent and server.parser_exc else 0


def test_the_zoo_gets_the_codes_of_two_implementations() -> None:
    assert len(ZOO) >= 8
    for judge in (code_of_wslab, code_of_websockets):
        verdict = check("find-the-fault", {name: judge(data) for name, data in ZOO.items()})
        assert verdict, repr(verdict)


def test_the_frame_to_read_is_what_the_question_says() -> None:
    frame = encode_frame(Frame(Opcode.BINARY, bytes(300), fin=False), bytes.fromhex("37fa213d"))
    assert frame.startswith(bytes.fromhex("02 fe 01 2c 37 fa 21 3d"))
    reading = {"fin": 0, "opcode": 2, "masked": 1, "length": 0x012C, "payload_at": len(frame) - 300}
    assert check("read-a-frame", reading)


def test_frames_are_shown_without_their_reserved_bits() -> None:
    verdict = check("take-frame", lambda buffer: (Frame(Opcode.TEXT, buffer), 7))
    assert ("returned", "Frame(TEXT, 81 05 48 65 6c 6c 6f, fin=True), 7") in verdict.rows


def test_a_wrong_byte_is_named_in_the_verdict() -> None:
    def my_length(n: int, masked: bool) -> bytes:
        return b"\x7f" + n.to_bytes(8, "big") if n > 99 else encode_length(n, masked)

    verdict = check("encode-length", lambda n, masked: my_length(n, masked))
    assert "byte 0, payload length (§5.2): given 0x7f, expected 0x7d" in repr(verdict)
