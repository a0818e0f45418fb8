"""permessage-deflate (RFC 7692): its own examples, offers and answers, the rules of RSV1, limits, and fuzz.

`websockets` and zlib itself judge beside us.
"""

from __future__ import annotations

import random
import tracemalloc
import zlib
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
    enable_server_permessage_deflate,
)
from websockets.protocol import Protocol, State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from tests.support.strategies import cut
from wslab import CloseCode, Connection, Deflate, Failure, HandshakeError, Ping
from wslab.connection import CompressedConnection
from wslab.decoder import FrameDecoder
from wslab.deflate import EMPTY, TAIL, Inflater, compression_settings
from wslab.frames import Frame, Opcode, encode_frame
from wslab.handshake import agreed_compression, build_request, generate_key, judge_request, judge_response
from wslab.http import Headers, Response

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
NAME = "permessage-deflate"
FREE = Deflate(server_max_window_bits=None, client_max_window_bits=None)
BOTH_FORGET = Deflate(server_no_context_takeover=True, client_no_context_takeover=True)
LAST = bytes.fromhex("010000ffff")  # an empty block with BFINAL
TEXT, BINARY, CONTINUATION = Opcode.TEXT, Opcode.BINARY, Opcode.CONTINUATION


def client(compression: Deflate = Deflate(), **options: Any) -> CompressedConnection:  # noqa: B008
    """A client, which receives frames without masks: the easier end to feed by hand."""
    return CompressedConnection("client", compression, **options)


def frame(opcode: int, payload: str | bytes, *, fin: bool = True, rsv1: bool = False) -> bytes:
    data = bytes.fromhex(payload) if isinstance(payload, str) else payload
    return encode_frame(Frame(opcode, data, fin, rsv1))


def compressed(opcode: int, payload: str | bytes, *, fin: bool = True) -> bytes:
    return frame(opcode, payload, fin=fin, rsv1=True)


def deflated(data: bytes, bits: int = 15) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -bits, 9)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


class TestExamplesOfTheRFC:
    """§7.2.3, byte for byte."""

    def test_a_message_in_one_frame(self) -> None:
        """§7.2.3.1, written and read."""
        server = CompressedConnection("server", Deflate(server_max_window_bits=15, memory_level=8))
        server.send_text("Hello")
        wire = bytes.fromhex("c107 f248cdc9c90700")
        assert server.data_to_send() == wire
        assert client().receive_data(wire) == ["Hello"]

    def test_a_message_in_two_frames(self) -> None:
        assert client().receive_data(bytes.fromhex("4103 f248cd 8004 c9c90700")) == ["Hello"]

    def test_a_message_that_refers_to_the_one_before(self) -> None:
        """§7.2.3.2."""
        server = CompressedConnection("server", Deflate())
        server.send_text("Hello")
        server.send_text("Hello")
        wire = bytes.fromhex("c107 f248cdc9c90700 c105 f200110000")
        assert server.data_to_send() == wire
        assert client().receive_data(wire) == ["Hello", "Hello"]

    def test_a_message_that_refers_to_what_was_forgotten(self) -> None:
        wire = bytes.fromhex("c107 f248cdc9c90700 c105 f200110000")
        hello, failure = client(BOTH_FORGET).receive_data(wire)
        assert hello == "Hello"
        assert isinstance(failure, Failure)
        assert failure.code == CloseCode.INVALID_DATA
        assert "too far back" in failure.reason

    def test_a_block_without_compression(self) -> None:
        """§7.2.3.3."""
        assert client().receive_data(compressed(TEXT, "00 0500 faff 48656c6c6f 00")) == ["Hello"]

    @pytest.mark.parametrize("compression", [Deflate(), BOTH_FORGET])
    def test_a_block_that_is_the_last_of_its_stream(self, compression: Deflate) -> None:
        """§7.2.3.4: BFINAL; what comes behind begins anew."""
        wire = compressed(TEXT, "f348cdc9c90700 00")
        assert (
            client(compression).receive_data(wire * 2 + compressed(TEXT, "f248cdc9c90700")) == ["Hello"] * 3
        )

    def test_two_blocks_in_a_message(self) -> None:
        """§7.2.3.5."""
        assert client().receive_data(compressed(TEXT, "f248050000 00ffff cac9c90700")) == ["Hello"]

    def test_an_empty_message(self) -> None:
        """§7.2.3.6: one byte, at the beginning of a connection and later."""
        server = CompressedConnection("server", Deflate())
        for message in ("", "a", "", ""):
            server.send_text(message)
        wire = server.data_to_send()
        assert wire.startswith(bytes.fromhex("c101 00"))
        assert wire.endswith(bytes.fromhex("c101 00 c101 00"))
        assert client().receive_data(wire) == ["", "a", "", ""]


class TestOffersAndAnswers:
    """§5.1, §7: what a server accepts, and what a client believes."""

    ANSWERS: tuple[tuple[Deflate, str, str | None], ...] = (
        # what the server wants, what the client offers, what the server answers
        (Deflate(), "PMD", "PMD; server_max_window_bits=12"),
        (Deflate(), "PMD; client_max_window_bits", str(Deflate())),
        (
            Deflate(),
            'PMD; client_max_window_bits="10"',
            "PMD; server_max_window_bits=12; client_max_window_bits=10",
        ),
        (Deflate(), "PMD; server_max_window_bits=9", "PMD; server_max_window_bits=9"),
        (Deflate(), "PMD ;server_max_window_bits = 15", "PMD; server_max_window_bits=12"),
        (
            FREE,
            "PMD; server_max_window_bits=15",
            "PMD; server_max_window_bits=15",
        ),
        (FREE, "PMD; client_max_window_bits", "PMD"),
        (
            FREE,
            "PMD; client_max_window_bits=8",
            "PMD; client_max_window_bits=8",
        ),
        (
            FREE,
            "PMD; server_no_context_takeover",
            "PMD; server_no_context_takeover",
        ),
        (Deflate(False, True, None, None), "PMD", "PMD; client_no_context_takeover"),
        # declined: what this extension does not know, or zlib cannot do
        (Deflate(), "PMD; server_max_window_bits=8", None),
        (Deflate(), "PMD; server_max_window_bits", None),
        (Deflate(), "PMD; server_max_window_bits=7", None),
        (Deflate(), "PMD; server_max_window_bits=16", None),
        (Deflate(), "PMD; server_max_window_bits=010", None),
        (Deflate(), "PMD; server_max_window_bits=ten", None),
        (Deflate(), "PMD; client_max_window_bits=7", None),
        (Deflate(), "PMD; client_no_context_takeover=1", None),
        (Deflate(), "PMD; server_no_context_takeover; server_no_context_takeover", None),
        (Deflate(), "PMD; client_max_window_bits=9; client_max_window_bits=9", None),
        (Deflate(), "PMD; level=9", None),
        (Deflate(), "permessage-bzip2", None),
        # the first that can be accepted
        (
            Deflate(),
            "x, PMD; level=9, PMD; server_max_window_bits=10, PMD",
            "PMD; server_max_window_bits=10",
        ),
    )

    @pytest.mark.parametrize(("wanted", "offers", "answer"), ANSWERS)
    def test_a_server_answers(self, wanted: Deflate, offers: str, answer: str | None) -> None:
        offers = offers.replace("PMD", NAME)
        request = build_request("h", key=KEY, additional_headers=[("Sec-WebSocket-Extensions", offers)])
        response = judge_request(request, compression=wanted)
        assert response.status == 101  # an offer that is declined is no reason to refuse the connection
        assert response.headers.get("Sec-WebSocket-Extensions") == (answer and answer.replace("PMD", NAME))
        assert "Sec-WebSocket-Extensions" not in judge_request(request).headers

    @pytest.mark.parametrize("offers", [";", NAME + ";", NAME + "; a b", NAME + '; a="', f"{NAME}; a=b,;"])
    def test_an_offer_that_is_malformed_is_refused(self, offers: str) -> None:
        request = build_request("h", key=KEY, additional_headers=[("Sec-WebSocket-Extensions", offers)])
        assert judge_request(request, compression=Deflate()).status == 400

    AGREED: tuple[tuple[Deflate, str, Deflate], ...] = (
        (FREE, "PMD", FREE),
        (Deflate(), "PMD; server_max_window_bits=9", Deflate(False, False, 9, 12)),
        (
            FREE,
            'PMD; server_max_window_bits="8"',
            Deflate(False, False, 8, None),
        ),
        (
            Deflate(False, False, None, 12),
            "PMD; client_max_window_bits=10",
            Deflate(False, False, None, 10),
        ),
        (Deflate(False, True, None, None), "PMD", Deflate(False, True, None, None)),
        (
            FREE,
            "PMD; client_no_context_takeover",
            Deflate(False, True, None, None),
        ),
        (Deflate(False, False, None, None, 9, 9), "PMD", Deflate(False, False, None, None, 9, 9)),
    )

    @pytest.mark.parametrize(("offered", "answer", "agreed"), AGREED)
    def test_a_client_believes(self, offered: Deflate, answer: str, agreed: Deflate) -> None:
        assert self.judged(offered, answer.replace("PMD", NAME)) == agreed

    @pytest.mark.parametrize(
        ("offered", "answer", "words"),
        [
            (None, NAME, "not offered"),
            (Deflate(), f"{NAME}, {NAME}", "not offered"),
            (Deflate(), "permessage-bzip2", "not offered"),
            (Deflate(), f"{NAME}; level=1", "not offered"),
            (Deflate(), f"{NAME}; server_max_window_bits=12; server_max_window_bits=12", "not offered"),
            (Deflate(), f"{NAME}; server_max_window_bits=12; client_max_window_bits", "not offered"),
            (Deflate(), f"{NAME}; server_max_window_bits=16", "not offered"),
            (Deflate(), NAME, "None in the answer and 12 in the offer"),
            (Deflate(), f"{NAME}; server_max_window_bits=13", "13 in the answer and 12 in the offer"),
            (Deflate(False, False, None), f"{NAME}; client_max_window_bits=13", "13 in the answer and 12 in"),
            (
                Deflate(False, False, None),
                f"{NAME}; client_max_window_bits=8",
                "zlib compresses with 9 to 15",
            ),
            (Deflate(True, False, None), NAME, "does not agree to forget"),
            (Deflate(), f"{NAME};", "malformed"),
            (Deflate(), "", "malformed"),
        ],
    )
    def test_a_client_refuses(self, offered: Deflate | None, answer: str, words: str) -> None:
        with pytest.raises(HandshakeError, match=words) as refused:
            self.judged(offered, answer)
        assert refused.value.status == 101

    @staticmethod
    def judged(offered: Deflate | None, answer: str) -> Deflate | None:
        headers = [
            *judge_request(build_request("h", key=KEY)).headers.items(),
            ("Sec-WebSocket-Extensions", answer),
        ]
        response = Response(101, "Switching Protocols", Headers(headers))
        judge_response(response, KEY, compression=offered)
        return agreed_compression(response, offered, "client")

    bits = st.sampled_from([None, *range(9, 16)])
    settings = st.builds(Deflate, st.booleans(), st.booleans(), bits, bits, st.just(6), st.just(5))

    @given(settings, settings)
    def test_two_of_us_agree_or_do_without(self, offered: Deflate, wanted: Deflate) -> None:
        key = generate_key()
        response = judge_request(build_request("h", key=key, compression=offered), compression=wanted)
        judge_response(response, key, compression=offered)
        for_client = agreed_compression(response, offered, "client")
        for_server = agreed_compression(response, wanted, "server")
        assert for_client is not None
        assert for_server is not None
        assert (for_client.server_max_window_bits or 15) <= (offered.server_max_window_bits or 15)
        assert (for_client.client_max_window_bits or 15) <= (for_server.client_max_window_bits or 15)
        server, client = (
            CompressedConnection("server", for_server),
            CompressedConnection("client", for_client),
        )
        for text in ("Hello " * 4000, "", "Hello " * 4000, "µ"):
            client.send_text(text)
            server.send_text(text)
            assert server.receive_data(client.data_to_send()) == [text]
            assert client.receive_data(server.data_to_send()) == [text]

    @given(settings, settings)
    def test_websockets_judges_alike(self, offered: Deflate, wanted: Deflate) -> None:
        """Their client believes our server, and our client believes theirs."""
        factory = ClientPerMessageDeflateFactory(*offered[:3], offered.client_max_window_bits or True)
        theirs = ClientProtocol(parse_uri("ws://h/"), extensions=[factory])
        offer = theirs.connect().headers["Sec-WebSocket-Extensions"]
        assert offer == offered.offer()
        answer = wanted.answer([offer])
        assert answer is not None
        extension = factory.process_response_params(parameters(answer), [])
        agreed = offered.agree(answer, "client")
        assert extension.local_max_window_bits == (agreed.client_max_window_bits or 15)
        assert extension.remote_max_window_bits == (agreed.server_max_window_bits or 15)
        server = ServerPerMessageDeflateFactory(*wanted[:4])
        told, _ = server.process_request_params(parameters(offer), [])
        response = "; ".join([NAME, *(f"{name}={value}" if value else name for name, value in told)])
        assert windows(offered.agree(response, "client")) == windows(agreed)

    @pytest.mark.parametrize(
        "wrong",
        [{"server_max_window_bits": 7}, {"client_max_window_bits": 16}, {"level": 10}, {"memory_level": 0}],
    )
    def test_numbers_out_of_range(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Deflate(**wrong)

    def test_the_defaults_are_those_of_a_server_of_websockets(self) -> None:
        (theirs,) = enable_server_permessage_deflate(None)
        assert isinstance(theirs, ServerPerMessageDeflateFactory)
        assert Deflate()[:4] == (
            theirs.server_no_context_takeover,
            theirs.client_no_context_takeover,
            theirs.server_max_window_bits,
            theirs.client_max_window_bits,
        )
        assert theirs.compress_settings == {"memLevel": Deflate().memory_level}
        assert Deflate().level == 6  # what zlib takes for its default

    def test_the_argument_of_serve_and_connect(self) -> None:
        assert compression_settings(None, "server") is None
        assert compression_settings("deflate", "client") == Deflate()
        assert compression_settings(BOTH_FORGET, "client") is BOTH_FORGET
        assert compression_settings(Deflate(server_max_window_bits=8), "client")
        for wrong in ("gzip", True, 15):
            with pytest.raises(ValueError, match="not None, 'deflate' or a Deflate"):
                compression_settings(wrong, "server")  # type: ignore[arg-type]
        for side, name in (("server", "server_max_window_bits"), ("client", "client_max_window_bits")):
            with pytest.raises(ValueError, match="zlib compresses with 9 to 15"):
                compression_settings(Deflate(**{name: 8}), side)  # type: ignore[arg-type]


def windows(agreed: Deflate) -> Deflate:
    """The same in other words: no wish means 15 (§7.1.2)."""
    return agreed._replace(
        server_max_window_bits=agreed.server_max_window_bits or 15,
        client_max_window_bits=agreed.client_max_window_bits or 15,
    )


def parameters(element: str) -> list[tuple[str, str | None]]:
    pairs = [parameter.strip().partition("=") for parameter in element.split(";")[1:]]
    return [(name, value or None) for name, _, value in pairs]


class TestFrames:
    """§6: where RSV1 may be set, and that the rest of RFC 6455 holds."""

    @pytest.mark.parametrize(
        ("wire", "words"),
        [
            (compressed(Opcode.PING, b""), "not on the first frame of a message"),
            (
                compressed(TEXT, "f248cd", fin=False) + compressed(CONTINUATION, "c9c90700"),
                "not on the first",
            ),
            (frame(TEXT, b"a", fin=False) + compressed(CONTINUATION, b"\x00"), "not on the first"),
            (encode_frame(Frame(TEXT, b"", rsv1=True, rsv2=True)), "RSV2 is set"),
            (encode_frame(Frame(TEXT, b"", rsv3=True)), "RSV3 is set"),
            (compressed(TEXT, "f248cd", fin=False) + compressed(TEXT, "00"), "before the fragmented"),
        ],
    )
    def test_rsv1_where_it_may_not_be(self, wire: bytes, words: str) -> None:
        *_, failure = client().receive_data(wire)
        assert isinstance(failure, Failure)
        assert failure.code == CloseCode.PROTOCOL_ERROR
        assert words in failure.reason

    def test_rsv1_that_was_not_negotiated(self) -> None:
        failure = Connection("client").receive_data(compressed(TEXT, "f248cdc9c90700"))[0]
        assert isinstance(failure, Failure)
        assert (failure.code, failure.reason) == (1002, "RSV1 is set, but no extension was negotiated")

    def test_messages_that_are_not_compressed(self) -> None:
        """§6: a sender decides for each message."""
        wire = frame(TEXT, b"plain") + compressed(BINARY, "f248cdc9c90700") + frame(TEXT, b"a", fin=False)
        assert client().receive_data(wire + frame(CONTINUATION, b"b")) == ["plain", b"Hello", "ab"]

    def test_a_control_frame_between_fragments(self) -> None:
        wire = (
            compressed(TEXT, "f248cd", fin=False) + frame(Opcode.PING, b"p") + frame(CONTINUATION, "c9c90700")
        )
        assert client().receive_data(wire) == [Ping(b"p"), "Hello"]

    def test_fragments_that_are_empty(self) -> None:
        pieces = [b"", deflated(b"Hello"), b"", b""]
        wire = b"".join(
            frame(CONTINUATION if at else TEXT, piece, fin=at == 3, rsv1=at == 0)
            for at, piece in enumerate(pieces)
        )
        assert client().receive_data(wire) == ["Hello"]

    def test_the_decoder_says_that_a_frame_is_compressed(self) -> None:
        decoder = FrameDecoder(masked=False, compressed=True)
        wire = compressed(TEXT, "f248cdc9c90700")
        for at in range(len(wire) - 1):
            assert decoder.feed(wire[at : at + 1]) == []
        assert decoder.feed(wire[-1:]) == [Frame(TEXT, bytes.fromhex("f248cdc9c90700"), rsv1=True)]

    def test_utf8_is_judged_on_what_is_inflated(self) -> None:
        """At the first wrong byte that comes out, though neither frame nor message is whole."""
        start = deflated(b"good \xff bad" + bytes(range(256)) * 8)
        peer = client()
        events: list[Any] = []
        for byte in compressed(TEXT, start + b"x" * 100, fin=False)[: len(start)]:
            events += peer.receive_data(bytes([byte]))
            if events:
                break
        assert isinstance(events[0], Failure)
        assert events[0].code == CloseCode.INVALID_DATA
        assert "byte 0xff" in events[0].reason
        assert client().receive_data(compressed(TEXT, deflated(b"\xc3")))[0][0] == CloseCode.INVALID_DATA

    @pytest.mark.parametrize(
        "payload",
        ["f248", "f248cdc9c907", "000500faff48656c", "f248050000 00ff", "f348cdc9c90700 f248", ""],
        ids=["fixed", "its end", "stored", "header of a block", "second stream", "no byte at all"],
    )
    @pytest.mark.parametrize("compression", [Deflate(), BOTH_FORGET])
    def test_a_message_that_ends_inside_a_block(self, compression: Deflate, payload: str) -> None:
        [failure] = client(compression).receive_data(compressed(BINARY, payload))
        assert isinstance(failure, Failure)
        assert failure.code == CloseCode.INVALID_DATA
        assert "cannot be inflated" in failure.reason

    def test_a_message_whose_stream_is_closed_without_a_byte_after_it(self) -> None:
        """Less than §7.2.3.4 asks for, but nothing is missing; the next message begins anew."""
        assert client().receive_data(2 * compressed(TEXT, "f348cdc9c90700")) == ["Hello"] * 2

    @pytest.mark.parametrize("payload", [b"\xff", b"\x07\x00", b"\x00\x05\x00"])
    def test_what_is_not_compressed_data(self, payload: bytes) -> None:
        failure = client().receive_data(compressed(BINARY, payload))[0]
        assert isinstance(failure, Failure)
        assert failure.code == CloseCode.INVALID_DATA
        assert "cannot be inflated" in failure.reason

    def test_nothing_is_sent_after_a_close(self) -> None:
        from wslab import InvalidState

        peer = client()
        peer.close()
        with pytest.raises(InvalidState):
            peer.send_text("a")
        with pytest.raises(InvalidState):
            peer.send_binary(b"a")
        with pytest.raises(TypeError):
            peer.send_text(b"a")  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            peer.send_binary("a")  # type: ignore[arg-type]

    messages = st.lists(st.one_of(st.text(max_size=60), st.binary(max_size=60)), max_size=6)

    @given(messages, st.booleans(), st.data())
    def test_the_same_however_it_is_cut(
        self, messages: list[str | bytes], forget: bool, data: st.DataObject
    ) -> None:
        agreed = BOTH_FORGET if forget else Deflate()
        sender, receiver = CompressedConnection("client", agreed), CompressedConnection("server", agreed)
        for message in messages:
            sender.send_text(message) if isinstance(message, str) else sender.send_binary(message)
        events: list[object] = []
        for piece in data.draw(cut(sender.data_to_send())):
            events += receiver.receive_data(piece)
        assert events == messages


class TestLimits:
    """``max_size`` is a limit on what comes out, and it holds while that comes out."""

    BOMB = deflated(bytes(2**26))  # 64 MiB in 65 KiB

    @pytest.mark.parametrize("opcode", [TEXT, BINARY])
    @pytest.mark.parametrize("at_once", [2**12, 2**26])
    def test_a_bomb_is_stopped_before_it_takes_memory(self, opcode: int, at_once: int) -> None:
        wire = compressed(opcode, self.BOMB)
        peer = client(max_size=2**20)
        tracemalloc.start()
        try:
            events = [
                e for at in range(0, len(wire), at_once) for e in peer.receive_data(wire[at : at + at_once])
            ]
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert events == [Failure(1009, f"message inflates to more than {2**20} bytes")]
        assert most < 2**23

    @pytest.mark.parametrize(("size", "accepted"), [(1000, True), (1001, False)])
    @pytest.mark.parametrize("fragments", [1, 5])
    def test_the_limit_to_the_byte(self, size: int, accepted: bool, fragments: int) -> None:
        data = deflated(bytes(size))
        cuts = [len(data) * at // fragments for at in range(fragments + 1)]
        peer = client(max_size=1000)
        events: list[object] = []
        for at, (start, end) in enumerate(pairwise(cuts)):
            opcode, last = CONTINUATION if at else BINARY, at == fragments - 1
            events += peer.receive_data(frame(opcode, data[start:end], fin=last, rsv1=at == 0))
        assert events[0] == (
            bytes(size) if accepted else Failure(1009, "message inflates to more than 1000 bytes")
        )

    def test_random_data_as_long_as_the_limit_is_accepted(self) -> None:
        """Compressed it is longer than the limit; what counts is what comes out."""
        noise = random.Random(7).randbytes(2**16)
        for settings in (Deflate(), Deflate(False, False, 9, 9, 6, 1), Deflate(level=0)):
            sender = CompressedConnection("server", settings)
            sender.send_binary(noise)
            wire = sender.data_to_send()
            assert len(wire) > 2**16
            assert client(settings, max_size=2**16).receive_data(wire) == [noise]

    def test_a_frame_that_no_compressor_makes_so_long_is_refused_from_its_header(self) -> None:
        failure = client(max_size=1000).receive_data(bytes.fromhex("c27e 04af"))[0]
        assert isinstance(failure, Failure)
        assert failure.code == CloseCode.MESSAGE_TOO_BIG
        plain = client(max_size=1000).receive_data(bytes.fromhex("827e 03e9"))[0]
        assert plain == Failure(1009, "frame payload is 1001 bytes, limit 1000")

    def test_no_limit(self) -> None:
        wire = compressed(BINARY, deflated(bytes(2**22)))
        assert client(max_size=None).receive_data(wire) == [bytes(2**22)]

    def test_many_streams_in_one_message_take_time_for_each_byte_only(self) -> None:
        """Streams that end (BFINAL) after two bytes: what is left is not copied for each of them."""
        inflater, hello = Inflater(15, True), bytes.fromhex("f348cdc9c90700")
        assert inflater.inflate(bytes.fromhex("0300") * 20_000, False, room=10) == b""
        assert inflater.inflate(hello * 3 + b"\x00", True, room=20) == b"Hello" * 3
        assert inflater.inflate(hello * 3 + b"\x00", True, room=13) == b"HelloHelloHell"
        assert Inflater(15, True).inflate(hello, False, room=4) == b"Hello"


STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED)
FLUSHES = (
    zlib.Z_NO_FLUSH,
    zlib.Z_PARTIAL_FLUSH,
    zlib.Z_SYNC_FLUSH,
    zlib.Z_FULL_FLUSH,
    zlib.Z_BLOCK,
    zlib.Z_FINISH,
)
CONTENT = st.lists(
    st.tuples(
        st.binary(max_size=300) | st.text("ab ", max_size=300).map(str.encode), st.sampled_from(FLUSHES)
    ),
    max_size=5,
)


class TestFuzz:
    """Against `websockets` in both directions, and against zlib on streams that are broken."""

    def test_websockets_reads_what_we_write_and_we_what_it_writes(self) -> None:
        draw = random.Random(7692)
        count = 0
        for _ in range(120):
            agreed = Deflate(
                draw.random() < 0.5, draw.random() < 0.5, draw.randrange(9, 16), draw.randrange(9, 16),
                draw.randrange(10), draw.randrange(1, 10),
            )  # fmt: skip
            for side in ("client", "server"):
                count += self.converse(agreed, side, draw)
        assert count > 1000

    def converse(self, agreed: Deflate, side: Literal["client", "server"], draw: random.Random) -> int:
        ours, theirs = CompressedConnection(side, agreed), opposite(agreed, side)
        messages = [message(draw) for _ in range(draw.randrange(1, 10))]
        for sent in messages:
            data = sent.encode() if isinstance(sent, str) else sent
            ours.send_text(sent) if isinstance(sent, str) else ours.send_binary(sent)
            theirs.receive_data(ours.data_to_send())
            assert [(f.opcode == 1, bytes(f.data)) for f in theirs.events_received()] == [  # type: ignore[union-attr]
                (isinstance(sent, str), data)
            ]
            events: list[object] = []
            for piece in their_wire(theirs, sent, draw):
                events += ours.receive_data(piece)
            assert events == [sent]
        return len(messages)

    @given(st.data())
    def test_every_stream_that_ends_where_it_may_is_accepted(self, data: st.DataObject) -> None:
        """Whatever blocks it has, and however it is cut; its prefixes are judged as zlib judges them."""
        compressor, inflater, bits = None, Inflater(15, True), data.draw(st.integers(9, 15))
        settings = data.draw(st.tuples(st.integers(0, 9), st.integers(1, 9), st.sampled_from(STRATEGIES)))
        for message in data.draw(st.lists(CONTENT, min_size=1, max_size=4)):
            wire = b""
            for piece, flush in message:
                compressor = compressor or zlib.compressobj(
                    settings[0], zlib.DEFLATED, -bits, settings[1], settings[2]
                )
                wire += compressor.compress(piece) + compressor.flush(flush)
                compressor = None if flush == zlib.Z_FINISH else compressor
            compressor = compressor or zlib.compressobj(9, zlib.DEFLATED, -bits)
            wire += compressor.flush(zlib.Z_SYNC_FLUSH)
            assert wire.endswith(TAIL) or not compressor.flush(zlib.Z_SYNC_FLUSH)
            wire = wire.removesuffix(TAIL) if wire.endswith(TAIL) else wire + EMPTY
            at = data.draw(st.integers(0, len(wire)))
            out = inflater.inflate(wire[:at], False, 2**20) + inflater.inflate(wire[at:], True, 2**20)
            assert out == b"".join(piece for piece, _ in message)

    def test_a_broken_stream_is_judged_as_zlib_judges_it(self) -> None:
        """Bytes that were changed, left out or doubled: the same bytes come out, or both refuse."""
        draw = random.Random(1951)
        seen = {True: 0, False: 0}
        for _ in range(1500):
            data = bytearray(deflated(draw.choice([b"Hello " * 30, draw.randbytes(40), b"", b"ab" * 400])))
            for _ in range(draw.randrange(3)):
                at = draw.randrange(len(data))
                data[at : at + draw.randrange(2)] = draw.randbytes(draw.randrange(3)) or b"\x00"
            expected = judged_by_zlib(bytes(data), 1000)
            seen[expected is None] += 1
            events: list[object] = []
            peer = client(BOTH_FORGET, max_size=1000)
            wire = compressed(BINARY, bytes(data))
            at = draw.randrange(len(wire))
            for piece in (wire[:at], wire[at:]):
                events += peer.receive_data(piece)
            if expected is None:
                assert isinstance(events[0], Failure), data.hex()
            else:
                assert events == [expected], data.hex()
        assert min(seen.values()) > 200


def message(draw: random.Random) -> str | bytes:
    size = draw.choice([0, 1, 5, 100, 1000, 40_000])
    kind = draw.randrange(3)
    if kind == 0:
        return draw.randbytes(size)
    words = " ".join(draw.choices(["Hello", "wörld", '{"price": 1.25}', "µ"], k=size // 6))
    return words if kind == 1 else words.encode()


def opposite(agreed: Deflate, side: Literal["client", "server"]) -> Protocol:
    """The other end as `websockets` builds it, with the handshake behind it."""
    bits = {"server": agreed.server_max_window_bits, "client": agreed.client_max_window_bits}
    forgets = {"server": agreed.server_no_context_takeover, "client": agreed.client_no_context_takeover}
    other = "client" if side == "server" else "server"
    settings = {"level": agreed.level, "memLevel": agreed.memory_level}
    extension = PerMessageDeflate(
        forgets[side], forgets[other], bits[side] or 15, bits[other] or 15, settings
    )
    protocol: Protocol
    if other == "client":
        protocol = ClientProtocol(parse_uri("ws://h/"), state=State.OPEN)
    else:
        protocol = ServerProtocol(state=State.OPEN)
    protocol.extensions = [extension]
    return protocol


def their_wire(theirs: Protocol, sent: str | bytes, draw: random.Random) -> Iterable[bytes]:
    """Let them send a message, in one frame or in three, and cut what they send."""
    data = sent.encode() if isinstance(sent, str) else sent
    send = theirs.send_text if isinstance(sent, str) else theirs.send_binary
    if draw.random() < 0.5:
        send(data)
    else:
        third = len(data) // 3
        send(data[:third], fin=False)
        theirs.send_continuation(data[third : 2 * third], fin=False)
        theirs.send_continuation(data[2 * third :], fin=True)
    wire = b"".join(theirs.data_to_send())
    cuts = sorted(draw.randrange(len(wire) + 1) for _ in range(draw.randrange(4)))
    return [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]


def judged_by_zlib(data: bytes, limit: int) -> bytes | None:
    """What comes out of a message that is compressed by itself; None if it may not.

    It is complete if a last empty block ends its stream, and nothing comes out of that.
    """
    out = b""
    try:
        while data:
            stream = zlib.decompressobj(-12)
            out += stream.decompress(data)
            data = stream.unused_data
            if not stream.eof and (stream.decompress(TAIL + LAST) or not stream.eof or stream.unused_data):
                return None
    except zlib.error:
        return None
    return out if len(out) <= limit else None
