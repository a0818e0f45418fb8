"""Frames and handshakes judged side by side with `websockets` and `wsproto`, over valid and mutated bytes.

A verdict is: which frames came, and whether the stream was refused. Both must agree with ours. Differences
that stand are named in LENIENT, with the section of the RFC that settles them.
"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import PayloadTooBig
from websockets.exceptions import ProtocolError as TheirProtocolError
from websockets.frames import Frame as TheirFrame
from websockets.frames import Opcode as TheirOpcode
from websockets.http11 import Request as WebsocketsRequest
from websockets.server import ServerProtocol
from websockets.streams import StreamReader
from websockets.uri import parse_uri
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection
from wsproto.events import Request as TheirRequest
from wsproto.frame_protocol import FrameDecoder as WsprotoDecoder
from wsproto.frame_protocol import FrameProtocol, ParseFailed

from tests.support.strategies import frames, keys
from wslab.close import ProtocolError
from wslab.decoder import FrameDecoder
from wslab.frames import Frame, Opcode, encode_frame
from wslab.handshake import (
    HandshakeError,
    Request,
    RequestReader,
    Response,
    ResponseReader,
    build_request,
    generate_key,
    judge_request,
    judge_response,
)

Seen = list[tuple[int, bool, bytes]]
PADDING = bytes(70_000)  # completes every frame that announces less

# Where an oracle accepts what the RFC forbids: the words of our refusal, and why it stands.
LENIENT = {
    "websockets": {
        # §5.2: "the minimal number of bytes MUST be used to encode the length".
        "not encoded in the fewest bytes",
        # §5.2: "the most significant bit MUST be 0". It waits for 2**63 bytes instead.
        "top bit of the 64-bit payload length",
    },
    "wsproto": set[str](),
}


def ours(data: bytes, masked: bool) -> tuple[Seen, str | None]:
    decoder = FrameDecoder(masked=masked, max_size=None)
    try:
        return [(f.opcode, f.fin, f.payload) for f in decoder.feed(data)], None
    except ProtocolError as error:
        return [(f.opcode, f.fin, f.payload) for f in error.frames], str(error)


def websockets_verdict(data: bytes, masked: bool) -> tuple[Seen, bool]:
    reader, seen = StreamReader(), []
    reader.feed_data(data)
    while True:
        parser = TheirFrame.parse(reader.read_exact, mask=masked, max_size=None)
        try:
            next(parser)
        except StopIteration as stop:
            frame = stop.value
            seen.append((int(frame.opcode), frame.fin, bytes(frame.data)))
        except (TheirProtocolError, PayloadTooBig):
            return seen, True
        else:
            return seen, False  # it waits for more bytes


def wsproto_verdict(data: bytes, masked: bool) -> tuple[Seen, bool]:
    decoder, seen, payload = WsprotoDecoder(client=not masked), [], b""
    opcode: int | None = None
    decoder.receive_bytes(data)
    try:
        while (frame := decoder.process_buffer()) is not None:
            opcode = int(frame.opcode) if opcode is None else opcode
            payload += frame.payload  # type: ignore[operator]
            if frame.frame_finished:
                seen.append((opcode, frame.message_finished, payload))
                opcode, payload = None, b""
    except ParseFailed:
        return seen, True
    return seen, False


VERDICTS = {"websockets": websockets_verdict, "wsproto": wsproto_verdict}


def announces_more_than_the_padding(data: bytes, seen: Seen, masked: bool) -> bool:
    """Return whether the frame behind those seen is longer than any padding: an oracle may wait for it."""
    offset = sum(
        len(encode_frame(Frame(Opcode(o), p, fin), b"1234" if masked else None)) for o, fin, p in seen
    )
    head = (data + PADDING)[offset : offset + 10]
    return head[1] & 0x7F == 127 and int.from_bytes(head[2:10], "big") > len(PADDING) - 14


def assert_same_verdict(oracle: str, data: bytes, masked: bool) -> None:
    seen, refused = ours(data, masked)
    theirs, they_refuse = VERDICTS[oracle](data, masked)
    if refused and any(words in refused for words in LENIENT[oracle]):
        assert theirs[: len(seen)] == seen
        return
    assert theirs == seen
    if they_refuse:
        assert refused, f"{oracle} refuses what we accept"
    elif refused and not announces_more_than_the_padding(data, seen, masked):
        # We refuse from the first byte that is wrong; an oracle may look only once the frame is whole.
        theirs, they_refuse = VERDICTS[oracle](data + PADDING, masked)
        assert they_refuse, f"{oracle} accepts what we refuse: {refused}"
        assert theirs == seen


@st.composite
def mutated(draw: st.DrawFn, masked: bool) -> bytes:
    """Encode some frames, then change, drop and insert bytes."""
    sent = draw(st.lists(frames, min_size=1, max_size=4))
    data = bytearray(b"".join(encode_frame(f, draw(keys) if masked else None) for f in sent))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, min(len(data), 300)))
        match draw(st.sampled_from(["change", "drop", "insert"])):
            case "change":
                data[at : at + 1] = bytes((draw(st.integers(0, 255)),))
            case "drop":
                del data[at : at + draw(st.integers(1, 9))]
            case _:
                data[at:at] = draw(st.binary(min_size=1, max_size=9))
    return bytes(data)


@pytest.mark.parametrize("oracle", VERDICTS)
@pytest.mark.parametrize("masked", [False, True])
class TestDecoding:
    @given(data=st.data())
    def test_valid_streams(self, oracle: str, masked: bool, data: st.DataObject) -> None:
        sent = data.draw(st.lists(frames, max_size=6))
        raw = b"".join(encode_frame(f, data.draw(keys) if masked else None) for f in sent)
        theirs, they_refuse = VERDICTS[oracle](raw, masked)
        assert (theirs, they_refuse) == ([(f.opcode, f.fin, f.payload) for f in sent], False)
        assert ours(raw, masked) == (theirs, None)

    @given(data=st.data())
    def test_mutated_streams(self, oracle: str, masked: bool, data: st.DataObject) -> None:
        assert_same_verdict(oracle, data.draw(mutated(masked)), masked)

    @given(data=st.binary(max_size=60))
    @example(data=bytes.fromhex("827e007d"))
    @example(data=bytes.fromhex("827f8000000000000000"))
    @example(data=bytes.fromhex("c100"))
    @example(data=bytes.fromhex("8000"))
    def test_any_bytes(self, oracle: str, masked: bool, data: bytes) -> None:
        assert_same_verdict(oracle, data, masked)


def test_the_listed_differences_are_real() -> None:
    """An entry of LENIENT that is no longer true must go."""
    for wire, frame_is_accepted in (("827e0001ff", True), ("827f8000000000000000", False)):
        data = bytes.fromhex(wire)
        assert ours(data, masked=False)[1]
        assert websockets_verdict(data, masked=False) == (
            ([(Opcode.BINARY, True, b"\xff")] if frame_is_accepted else []),
            False,
        )


class TestEncoding:
    @given(frames)
    def test_websockets_writes_the_same_bytes(self, frame: Frame) -> None:
        theirs = TheirFrame(TheirOpcode(frame.opcode), frame.payload, frame.fin)
        assert theirs.serialize(mask=False) == encode_frame(frame)
        assert ours(bytes(theirs.serialize(mask=True)), masked=True) == (
            [(frame.opcode, frame.fin, frame.payload)],
            None,
        )

    @given(st.binary(max_size=300), st.booleans(), st.booleans())
    def test_wsproto_writes_the_same_bytes(self, payload: bytes, fin: bool, client: bool) -> None:
        theirs = bytes(FrameProtocol(client=client, extensions=[]).send_data(payload, fin))
        assert ours(theirs, masked=client) == ([(Opcode.BINARY, fin, payload)], None)
        if not client:
            assert theirs == encode_frame(Frame(Opcode.BINARY, payload, fin))


class TestHandshake:
    @given(st.lists(st.sampled_from(["chat", "superchat", "v2.json"]), unique=True))
    def test_our_client_their_servers(self, offered: list[str]) -> None:
        key = generate_key()
        data = build_request("h", "/chat", key=key, subprotocols=offered or None).encode()
        server = ServerProtocol()
        server.receive_data(data)
        [request] = server.events_received()
        assert isinstance(request, WebsocketsRequest)
        server.send_response(server.accept(request))
        assert judge_ours(b"".join(server.data_to_send()), key, offered) is None
        other = WSConnection(ConnectionType.SERVER)
        other.receive_data(data)
        [event] = list(other.events())
        assert isinstance(event, TheirRequest)
        chosen = event.subprotocols[0] if event.subprotocols else None
        assert judge_ours(other.send(AcceptConnection(subprotocol=chosen)), key, offered) == chosen

    def test_their_clients_our_server(self) -> None:
        client = ClientProtocol(parse_uri("ws://h/chat"), subprotocols=["chat"])  # type: ignore[list-item]
        client.send_request(client.connect())
        client.receive_data(answer(b"".join(client.data_to_send())))
        assert client.handshake_exc is None
        assert client.subprotocol == "chat"
        other = WSConnection(ConnectionType.CLIENT)
        data = other.send(TheirRequest(host="h", target="/chat", subprotocols=["chat"]))
        other.receive_data(answer(data))
        [event] = list(other.events())
        assert isinstance(event, AcceptConnection)
        assert event.subprotocol == "chat"

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ((b"Upgrade: websocket\r\n", b""), "Upgrade"),
            ((b"Upgrade: websocket", b"Upgrade: h2c"), "Upgrade"),
            ((b"Connection: Upgrade\r\n", b""), "Connection"),
            ((b"Sec-WebSocket-Accept: ", b"Sec-WebSocket-Accept: A"), "Accept"),
            ((b"101 Switching Protocols", b"200 OK"), "200"),
            ((b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: other\r\n\r\n"), "other"),
            ((b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: x\r\n\r\n"), "extension"),
        ],
    )
    def test_responses_that_websockets_refuses_too(self, wrong: tuple[bytes, bytes], words: str) -> None:
        client = ClientProtocol(parse_uri("ws://h/"))
        request = client.connect()
        client.send_request(request)
        data = answer(b"".join(client.data_to_send())).replace(*wrong)
        client.receive_data(data)
        client.receive_eof()
        assert client.handshake_exc is not None
        with pytest.raises(HandshakeError, match=words):
            judge_ours(data, request.headers["Sec-WebSocket-Key"], [])


def judge_ours(data: bytes, key: str, offered: list[str]) -> str | None:
    response = ResponseReader().feed(data)
    assert isinstance(response, Response)
    return judge_response(response, key, subprotocols=offered)


def answer(data: bytes) -> bytes:
    request = RequestReader().feed(data)
    assert isinstance(request, Request)
    return judge_request(request, subprotocols=["chat"]).encode()
