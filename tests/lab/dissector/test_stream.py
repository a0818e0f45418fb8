"""The dissector: every field of good bytes, every fault of bad ones, and no exception for any bytes."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import time
import tracemalloc
import zlib
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wslab.close import ProtocolError
from wslab.decoder import FrameDecoder
from wslab.frames import Frame, Opcode, encode_frame
from wslab.handshake import build_request, judge_request
from wslab.lab.dissector.stream import Dissection, Dissections, Stream, dissect
from wslab.lab.views.palette import FIELDS
from wslab.lab.views.table import WIDTH
from wslab.lab.views.words import count, hexed, quoted

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = bytes.fromhex("37fa213d")
REQUEST = build_request("example.com", "/chat", key=KEY, origin="http://example.com").encode()
RESPONSE = judge_request(build_request("example.com", "/chat", key=KEY)).encode()
HELLO = bytes.fromhex("81 05 48 65 6c 6c 6f")
MASKED_HELLO = bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58")


def assert_tiles(pieces: Dissections, stream: bytes) -> None:
    """The pieces make up the stream, and the fields of each piece all its bits."""
    assert b"".join(piece.data for piece in pieces) == stream
    at = 0
    for piece in pieces:
        assert piece.start == at
        at += len(piece.data)
        bit = 0
        for field in piece.fields:
            assert field.bit == bit
            assert field.name in FIELDS
            assert field.data == piece.data[bit // 8 : (bit + field.bits + 7) // 8]
            bit += field.bits
        assert bit == 8 * len(piece.data)


def frames(data: bytes, sender: Literal["client", "server"] | None = None) -> Dissections:
    pieces = dissect(data, sender=sender, start="frame")
    assert_tiles(pieces, data)
    return pieces


def frame(data: str, sender: Literal["client", "server"] | None = None) -> Dissection:
    (piece,) = frames(bytes.fromhex(data), sender)
    return piece


# -- good frames (RFC 6455 §5.7) ----------------------------------------------------------------------------


def test_unmasked_text_of_section_5_7() -> None:
    piece = frame("81 05 48 65 6c 6c 6f", "server")
    assert (piece.kind, piece.what, piece.meaning, piece.error) == ("frame", "TEXT", '"Hello"', None)
    assert piece.frame == Frame(Opcode.TEXT, b"Hello")
    assert [(field.name, field.bits, field.value, field.section) for field in piece.fields] == [
        ("FIN", 1, "1", "§5.2"),
        ("RSV1", 1, "0", "§5.2"),
        ("RSV2", 1, "0", "§5.2"),
        ("RSV3", 1, "0", "§5.2"),
        ("opcode", 4, "1", "§5.2"),
        ("MASK", 1, "0", "§5.1"),
        ("payload length", 7, "5", "§5.2"),
        ("payload data", 40, '"Hello"', "§5.6"),
    ]


def test_masked_text_of_section_5_7_is_unmasked_for_reading() -> None:
    (piece,) = frames(MASKED_HELLO, "client")
    assert (piece.meaning, piece.error) == ('"Hello"', None)
    assert [field.data.hex() for field in piece.fields[-2:]] == ["37fa213d", "7f9f4d5158"]


def test_fragmented_text_of_section_5_7() -> None:
    pieces = frames(bytes.fromhex("01 03 48 65 6c 80 02 6c 6f"))
    assert [piece.meaning for piece in pieces] == ['first fragment "Hel"', 'last fragment "lo"']
    assert [piece.error for piece in pieces] == [None, None]


def test_ping_and_pong_of_section_5_7() -> None:
    pieces = frames(bytes.fromhex("89 05 48 65 6c 6c 6f 8a 85 37 fa 21 3d 7f 9f 4d 51 58"))
    assert [piece.meaning for piece in pieces] == [
        'asks for a Pong with "Hello"',
        'sign of life with "Hello"',
    ]


@pytest.mark.parametrize(("length", "names"), [(125, 0), (126, 1), (65535, 1), (65536, 1)])
def test_lengths_of_section_5_7(length: int, names: int) -> None:
    (piece,) = frames(encode_frame(Frame(Opcode.BINARY, bytes(length))))
    assert [field.name for field in piece.fields].count("extended payload length") == names
    assert piece.frame == Frame(Opcode.BINARY, bytes(length))
    assert piece.error is None


@pytest.mark.parametrize(
    ("data", "meaning"),
    [
        ("88 00", "close without a code"),
        ("88 02 03 e8", "close 1000"),
        ("88 05 03 e8 62 79 65", 'close 1000 "bye"'),
        ("88 02 0b b8", "close 3000"),
        ("88 02 13 87", "close 4999"),
    ],
)
def test_good_closes(data: str, meaning: str) -> None:
    piece = frame(data)
    assert (piece.meaning, piece.error) == (meaning, None)


def test_text_cut_inside_a_character_is_no_fault() -> None:
    pieces = frames(bytes.fromhex("01 02 c3 a9 00 01 c3 89 00 80 01 a9"))
    assert [piece.error for piece in pieces] == [None] * 4


# -- faults of one frame ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "sender", "says", "section"),
    [
        ("c1 00", None, "RSV1 is set", "§5.2"),
        ("a1 00", None, "RSV2 is set", "§5.2"),
        ("91 00", None, "RSV3 is set", "§5.2"),
        ("83 00", None, "opcode 3 is reserved", "§5.2"),
        ("8f 00", None, "opcode F is reserved", "§5.2"),
        ("81 7e 00 05 48 65 6c 6c 6f", None, "fewest bytes", "§5.2"),
        ("81 7f 00 00 00 00 00 00 00 01 48", None, "fewest bytes", "§5.2"),
        ("82 7f 80 00 00 00 00 00 00 00", None, "top bit", "§5.2"),
        ("89 7e 00 7e" + " 00" * 126, None, "at most 125", "§5.5"),
        ("09 00", None, "must not be fragmented", "§5.5"),
        ("88 01 03", None, "holds no close code", "§5.5.1"),
        ("88 02 03 ed", None, "1005 must not be sent", "§7.4"),
        ("88 02 00 00", None, "close code 0 must not", "§7.4"),
        ("88 03 03 e8 ff", None, "reason is not UTF-8", "§5.5.1"),
        ("81 01 ff", None, "text is not UTF-8", "§8.1"),
        ("81 01 c3", None, "text is not UTF-8", "§8.1"),
        ("81 05 ff", None, "text is not UTF-8", "§8.1"),
        ("81 00", "client", "client must mask", "§5.1"),
        ("81 80 00 00 00 00", "server", "server must not mask", "§5.1"),
        ("80 00", None, "no message to continue", "§5.4"),
    ],
)
def test_a_fault_is_named_with_its_section(
    data: str, sender: Literal["client", "server"] | None, says: str, section: str
) -> None:
    piece = frame(data, sender)
    assert piece.error is not None
    assert says in piece.error
    assert piece.error.endswith(f"({section})")
    at_field = [field.error for field in piece.fields if field.error]
    assert at_field == [piece.error]
    flat = re.sub(r"\s+", " ", repr(piece))
    assert flat.count(piece.error) == 1
    assert piece.error in piece._repr_html_()
    assert piece.error in piece.figure().alt


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        ("01 00 81 00", [None, "the TEXT message before is not finished (§5.4)"]),
        ("02 00 01 00 80 00", [None, "the BINARY message before is not finished (§5.4)", None]),
        ("88 00 81 00", [None, "no frame may follow a Close (§5.5.1)"]),
        ("01 01 c3 89 00 80 00", [None, None, "the text is not UTF-8: unexpected end of data (§8.1)"]),
        ("02 01 ff 80 01 ff 81 01 61", [None, None, None]),
        ("83 01 00 81 01 61", ["opcode 3 is reserved (§5.2)", None]),
    ],
)
def test_faults_between_frames(data: str, faults: list[str | None]) -> None:
    assert [piece.error for piece in frames(bytes.fromhex(data))] == faults


def test_many_faults_of_one_frame_are_all_named() -> None:
    piece = frame("73 00", "client")
    assert piece.error is not None
    for part in ("RSV1", "RSV2", "RSV3", "opcode 3", "client must mask"):
        assert part in piece.error


# -- frames that are not all here ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "note"),
    [
        ("81", "incomplete: at least 1 more byte needed"),
        ("81 05 48 65", "incomplete: 3 more bytes needed"),
        ("81 7e", "incomplete: at least 2 more bytes needed"),
        ("81 7e 01", "incomplete: at least 1 more byte needed"),
        ("81 7f 00 00 00 00 00 01 00", "incomplete: at least 1 more byte needed"),
        ("81 85 37 fa", "incomplete: 7 more bytes needed"),
        ("81 85 37 fa 21 3d 7f", "incomplete: 4 more bytes needed"),
        ("88 05 03 e8", "incomplete: 3 more bytes needed"),
    ],
)
def test_what_is_missing_is_counted(data: str, note: str) -> None:
    piece = frame(data)
    assert not piece.complete
    assert piece.frame is None
    assert piece.error is None
    assert piece.meaning.endswith(note)
    assert repr(piece)
    assert piece.figure().png()


def test_a_huge_announced_length_costs_nothing() -> None:
    piece = frame("82 ff 7f ff ff ff ff ff ff ff 00 00 00 00 61")
    assert piece.meaning == "61; incomplete: 9223372036854775806 more bytes needed"
    piece = frame("82 7f ff ff ff ff ff ff ff ff 61")
    assert piece.error == "the top bit of the 64-bit payload length is set (§5.2)"


# -- permessage-deflate (RFC 7692 §6) -----------------------------------------------------------------------


def test_rsv1_means_compressed_when_deflate_is_in_use() -> None:
    data = bytes.fromhex("c1 07 f2 48 cd c9 c9 07 00")  # RFC 7692 §7.2.3.1
    (piece,) = dissect(data, start="frame", extensions="permessage-deflate; client_max_window_bits")
    assert piece.error is None
    assert piece.meaning == '"Hello", compressed'
    assert piece.fields[-1].meaning == "7 bytes, inflated to 5"
    assert piece.fields[1].meaning == "the message is compressed"
    assert piece.fields[1].section == "RFC 7692 §6"
    assert frames(data)[0].error is not None


def test_a_compressed_message_in_fragments() -> None:
    data = bytes.fromhex("41 03 f2 48 cd 80 04 c9 c9 07 00 c9 00 81 01 61")  # RFC 7692 §7.2.3.1
    pieces = dissect(data, start="frame", extensions="permessage-deflate")
    assert [piece.error is None for piece in pieces] == [True, True, False, True]
    assert pieces[0].meaning == 'first fragment "He", compressed'
    assert pieces[1].meaning == 'last fragment "llo", compressed'
    assert pieces[3].meaning == '"a"'


def compressed(data: str) -> list[Dissection]:
    """Dissect frames as a server sends them, where messages are compressed."""
    return list(dissect(bytes.fromhex(data), start="frame", extensions="permessage-deflate"))


def test_a_compressed_message_that_refers_to_the_one_before() -> None:
    assert [piece.meaning for piece in compressed("c107f248cdc9c90700 8900 c205f200110000")] == [
        '"Hello", compressed',
        "asks for a Pong",
        "48 65 6c 6c 6f, compressed",
    ]
    assert [piece.meaning for piece in compressed("c10100 c2 01 00")] == [
        '"", compressed',
        "no bytes, compressed",
    ]


def test_a_compressed_message_that_is_not_whole_keeps_its_bytes() -> None:
    stream = Stream("server", start="frame", extensions="permessage-deflate")
    [hello] = stream.feed(bytes.fromhex("c107f248cdc9c90700 c105f200"))
    assert stream.rest()[0].meaning == "compressed f2 00; incomplete: 3 more bytes needed"
    assert [piece.meaning for piece in stream.feed(bytes.fromhex("110000"))] == [hello.meaning]


def test_what_is_wrong_with_a_compressed_message() -> None:
    broken, after = compressed("c101ff c107f248cdc9c90700")
    assert "cannot be inflated" in (broken.error or "")
    assert after.meaning == "compressed f2 48 cd c9 c9 07 00"
    assert "it ends inside a block" in (compressed("c103f248cd")[0].error or "")
    text = zlib.compressobj(wbits=-15)
    payload = (text.compress(b"\xff") + text.flush(zlib.Z_SYNC_FLUSH))[:-4]
    assert "not UTF-8" in (compressed(f"c1{len(payload):02x}{payload.hex()}")[0].error or "")


def test_a_bomb_is_not_inflated_to_be_shown() -> None:
    packed = zlib.compressobj(9, wbits=-15)
    bomb = (packed.compress(bytes(2**24)) + packed.flush(zlib.Z_SYNC_FLUSH))[:-4]
    tracemalloc.start()
    first, after = compressed(f"c27e{len(bomb):04x}{bomb.hex()} c20100")
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()
    assert "inflated to over 1048576 bytes" in first.fields[-1].meaning
    assert after.meaning == "compressed 00"


@pytest.mark.parametrize("extensions", [None, "permessage-deflate", "x, permessage-deflate; a=1"])
def test_the_head_of_the_stream_or_the_caller_tells_the_extensions(extensions: str | None) -> None:
    response = RESPONSE[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    head, piece = dissect(response + b"\xc1\x01\x00", sender="server", extensions=extensions)
    assert head.error is None
    assert piece.error is None


def test_a_declined_offer_leaves_rsv1_reserved() -> None:
    request = REQUEST[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    _, piece = dissect(request + bytes.fromhex("c1 80 00 00 00 00"), sender="client", extensions="")
    assert piece.error == "RSV1 is set, but no extension gives it a meaning (§5.2)"


# -- heads --------------------------------------------------------------------------------------------------


def http(data: bytes, sender: Literal["client", "server"] | None = None) -> Dissections:
    pieces = dissect(data, sender=sender)
    assert_tiles(pieces, data)
    return pieces


def test_a_client_asks_and_sends_frames() -> None:
    head, hello = http(REQUEST + MASKED_HELLO, "client")
    assert (head.kind, head.what, head.meaning, head.error) == (
        "head",
        "GET /chat",
        "asks to upgrade to WebSocket",
        None,
    )
    assert hello.what == "TEXT"
    assert hello.start == len(REQUEST)


def test_a_server_agrees_and_sends_frames() -> None:
    head, hello = http(RESPONSE + HELLO, "server")
    assert (head.what, head.meaning) == ("101 Switching Protocols", "agrees to upgrade to WebSocket")
    assert (hello.what, hello.meaning) == ("TEXT", '"Hello"')


def test_every_header_of_the_handshake_is_explained() -> None:
    pieces = [*http(REQUEST), *http(RESPONSE)]
    values = [field for piece in pieces for field in piece.fields if field.name == "header value"]
    assert len(values) == 9
    assert not [field.value for field in values if field.meaning == "other HTTP field"]
    (other,) = http(b"GET / HTTP/1.1\r\nX-Colour: blue\r\n\r\n")
    assert other.fields[2].meaning == "other HTTP field"


def test_a_refused_client_asks_again_on_the_same_connection() -> None:
    refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nno\n"
    assert [piece.what for piece in http(REQUEST + REQUEST + MASKED_HELLO, "client")] == [
        "GET /chat",
        "GET /chat",
        "TEXT",
    ]
    assert [piece.what for piece in http(refusal + RESPONSE + HELLO, "server")] == [
        "401 Unauthorized",
        "body",
        "101 Switching Protocols",
        "TEXT",
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"Sec-WebSocket-Key: " + KEY.encode(), b"Sec-WebSocket-Key: abc", "not 16 bytes in base64 (§4.1)"),
        (b"Version: 13", b"Version: 12", "Sec-WebSocket-Version is not 13 (§4.1)"),
        (b"Sec-WebSocket-Key: " + KEY.encode() + b"\r\n", b"", "Sec-WebSocket-Key is missing"),
        (b"Connection: Upgrade\r\n", b"", "Connection"),
        (b"GET ", b"POST ", "POST"),
        (b"HTTP/1.1", b"HTTP/1.0", "HTTP/1.0"),
        (b"Host: example.com\r\n", b"Host : example.com\r\n", "not allowed (RFC 9112 §5)"),
        (b"Host: example.com\r\n", b"Host example.com\r\n", "no colon (RFC 9112 §5)"),
        (b"Host: example.com\r\n", b"Host: example.com\n", "LF alone"),
        (b"Connection: Upgrade", b"Connection: Upgrade\r\n folded: x", "folded"),
        (b"example.com\r\n", b"exam\x00ple.com\r\n", "not allowed (RFC 9110 §5.5)"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(old: bytes, new: bytes, says: str) -> None:
    assert old in REQUEST
    (head,) = http(REQUEST.replace(old, new, 1), "client")
    assert head.error is not None
    assert says in head.error
    flat = re.sub(r"\s+", " ", repr(head))
    assert says in flat


@pytest.mark.parametrize("name", ["Upgrade", "Connection", "Sec-WebSocket-Accept"])
def test_what_a_101_lacks_is_named(name: str) -> None:
    broken = re.sub(rb"(?m)^" + name.encode() + rb":.*\r\n", b"", RESPONSE)
    assert broken != RESPONSE
    assert http(broken)[0].error == f"header {name} is missing (§4.2.2)"


def test_an_accept_key_of_the_wrong_size_is_named() -> None:
    broken = RESPONSE.replace(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", b"s3pPLMBi")
    assert http(broken)[0].error == "Sec-WebSocket-Accept is not 20 bytes in base64 (§4.2.2)"


@pytest.mark.parametrize("data", [b"\x81\x05Hello", b"\x16\x03\x01\x02", b"hello\r\n\r\n", b"GET /\r\n\r\n"])
def test_what_is_not_http_is_said_so(data: bytes) -> None:
    (head,) = http(data)
    assert head.what == "not HTTP"
    assert head.error == "the first line is neither a request line nor a status line (RFC 9112 §2.1)"


@pytest.mark.parametrize("size", [1, 5, 16, 18, 30, len(REQUEST) - 1])
def test_a_head_that_is_cut_is_incomplete_and_not_wrong(size: int) -> None:
    (head,) = http(REQUEST[:size])
    assert not head.complete
    assert head.error is None
    assert "incomplete" in head.meaning


def test_empty_lines_before_a_request_are_skipped() -> None:
    (head,) = http(b"\r\n" + REQUEST)
    assert (head.what, head.error) == ("GET /chat", None)


# -- bodies -------------------------------------------------------------------------------------------------


def test_several_messages_on_one_connection() -> None:
    answers = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12:00"
        b"HTTP/1.1 204 No Content\r\n\r\n"
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nHello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end"
    )
    pieces = http(answers, "server")
    assert [piece.what for piece in pieces] == [
        *("200 OK", "body", "204 No Content", "304 Not Modified", "100 Continue", "200 OK", "200 OK", "body"),
        *("200 OK", "body"),
    ]
    bodies = [piece.meaning for piece in pieces if piece.kind == "body"]
    assert bodies == ['"12:00"', '"Hello!" in 2 chunks', '"to the end"']
    assert all(piece.complete and piece.error is None for piece in pieces)


def test_requests_have_a_body_only_when_they_announce_one() -> None:
    pieces = http(
        b"GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /c HTTP/1.1\r\n\r\n"
    )
    assert [piece.what for piece in pieces] == ["GET /a", "POST /b", "body", "GET /c"]


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (b"5\r\nHel", "incomplete: more chunks follow"),
        (b"5", "incomplete: more chunks follow"),
        (b"5\r\nHello\r", "incomplete: more chunks follow"),
        (b"0\r\n", "incomplete: more chunks follow"),
    ],
)
def test_a_chunked_body_that_is_cut(body: bytes, note: str) -> None:
    _, piece = http(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    assert not piece.complete
    assert piece.error is None
    assert piece.meaning.endswith(note)


@pytest.mark.parametrize("body", [b"x\r\nHello", b"2\r\nHello\r\n", b"-1\r\n", b"\r\n", b"f" * 17 + b"\r\n"])
def test_a_chunk_that_is_wrong(body: bytes) -> None:
    _, piece = http(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    assert piece.error is not None
    assert piece.error.endswith("(RFC 9112 §7.1)")


@pytest.mark.parametrize("length", [b"x", b"-1", b"1, 2", b"\xb2", b"9" * 5000])
def test_a_content_length_that_is_wrong(length: bytes) -> None:
    head, *_ = http(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\nbody")
    assert head.error == "Content-Length is not one number (RFC 9112 §6.3)"


def test_a_body_that_is_cut_says_how_much_is_missing() -> None:
    _, body = http(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\nHel")
    assert body.meaning == '"Hel"; incomplete: 999999999997 more bytes needed'


# -- any bytes ---------------------------------------------------------------------------------------------

TEXTS = [
    b"GET / HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"Content-Length: 3\r\n",
    b"\r\n",
    b"Upgrade: websocket\r\n",
]
TEXTS += [
    b"Transfer-Encoding: chunked\r\n",
    b"5\r\n",
    b":",
    REQUEST,
    RESPONSE,
    MASKED_HELLO,
    HELLO,
    b"\x88\x01\x00",
]
streams = st.one_of(
    st.binary(max_size=60),
    st.lists(st.one_of(st.sampled_from(TEXTS), st.binary(max_size=12)), max_size=12).map(b"".join),
)


@settings(max_examples=300, deadline=None)
@given(
    stream=streams,
    sender=st.sampled_from(["client", "server", None]),
    start=st.sampled_from(["head", "frame"]),
    extensions=st.sampled_from([None, "", "permessage-deflate"]),
)
def test_any_bytes_are_described_and_none_is_lost(
    stream: bytes,
    sender: Literal["client", "server"] | None,
    start: Literal["head", "frame"],
    extensions: str | None,
) -> None:
    pieces = dissect(stream, sender=sender, start=start, extensions=extensions)
    assert_tiles(pieces, stream)
    assert all(piece.complete for piece in pieces[:-1] if piece.kind == "frame")
    assert max(map(len, repr(pieces).split("\n"))) <= WIDTH
    shown = pieces._repr_html_()
    assert shown.count("<td") == shown.count("</td>")


@settings(max_examples=15, deadline=None)
@given(stream=streams.filter(bool), start=st.sampled_from(["head", "frame"]))
def test_any_bytes_can_be_drawn(stream: bytes, start: Literal["head", "frame"]) -> None:
    for piece in dissect(stream, start=start)[:2]:
        assert piece.figure().png()


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=40), cut=st.integers(0, 60))
def test_what_has_arrived_is_described_the_same_when_more_arrives(data: bytes, cut: int) -> None:
    stream = MASKED_HELLO + data
    whole = dissect(stream, start="frame")
    part = dissect(stream[:cut], start="frame")
    complete = [piece for piece in part if piece.complete]
    assert list(whole[: len(complete)]) == complete


@settings(max_examples=200, deadline=None)
@given(
    stream=st.lists(
        st.one_of(st.sampled_from([HELLO, b"\x89\x00", b"\x88\x01\x00"]), st.binary(max_size=9))
    ).map(b"".join)
)
def test_the_decoder_and_the_dissector_agree(stream: bytes) -> None:
    pieces = frames(stream, "server")
    decoder = FrameDecoder(masked=False, max_size=None)
    try:
        decoded, refused = decoder.feed(stream), False
    except ProtocolError as error:
        decoded, refused = error.frames, True
    whole = [piece for piece in pieces if piece.complete]
    assert [piece.frame for piece in whole[: len(decoded)]] == decoded
    if refused:
        assert pieces[len(decoded)].error is not None
    else:
        assert len(whole) == len(decoded)
    # What a frame alone may not be, the decoder refuses; the rest is a matter of the message or the Close.
    of_messages = re.compile(r"§5\.4|§5\.5\.1|§7\.4|§8\.1")
    assert all(of_messages.search(piece.error) for piece in pieces[: len(decoded)] if piece.error)


def test_the_time_grows_with_the_bytes_and_not_faster() -> None:
    def seconds(frames: int) -> float:
        gc.disable()  # else it goes through what all the other tests hold, again and again
        try:
            begun = time.process_time()
            assert len(dissect(HELLO * frames, start="frame")) == frames
            return time.process_time() - begun
        finally:
            gc.enable()

    seconds(200)
    assert seconds(4000) < 40 * max(seconds(400), 0.001)


# -- views --------------------------------------------------------------------------------------------------


def test_plain_text_view_of_the_masked_hello() -> None:
    (piece,) = frames(MASKED_HELLO)
    assert (
        repr(piece)
        == """\
TEXT · frame · bytes 0–10 (11)
  "Hello"
on the wire  field           value        meaning                                            section
-----------  --------------  -----------  -------------------------------------------------  -------
1... ....    FIN             1            the whole message                                  §5.2
.0.. ....    RSV1            0            reserved for extensions                            §5.2
..0. ....    RSV2            0            reserved for extensions                            §5.2
...0 ....    RSV3            0            reserved for extensions                            §5.2
.... 0001    opcode          1            TEXT                                               §5.2
1... ....    MASK            1            a masking-key follows                              §5.1
.000 0101    payload length  5            5 bytes of payload data                            §5.2
37 fa 21 3d  masking-key     37 fa 21 3d  byte i of the payload XOR byte i mod 4 of the key  §5.3
7f 9f 4d 51  payload data    "Hello"      5 bytes, shown unmasked                            §5.6
58"""
    )


def test_long_payloads_are_left_out_of_every_view() -> None:
    (piece,) = frames(encode_frame(Frame(Opcode.TEXT, b"x" * 100_000)))
    assert len(repr(piece)) < 3000
    assert len(piece._repr_html_()) < 20_000
    assert "(99940 bytes left out)" in piece.meaning
    assert "… 99984 more" in repr(piece)


def test_what_came_off_the_wire_is_escaped_in_html() -> None:
    bad = b"<script>alert(1)</script>"
    pieces = [
        *dissect(b"GET /" + bad + b" HTTP/1.1\r\nX" + bad + b": " + bad + b"\r\n\r\n"),
        *dissect(encode_frame(Frame(Opcode.TEXT, bad)), start="frame"),
        *dissect(encode_frame(Frame(Opcode.CLOSE, b"\x03\xe8" + bad)), start="frame"),
    ]
    assert len(pieces) == 3
    for piece in pieces:
        assert "<script" not in piece._repr_html_()
        assert "&lt;script" in piece._repr_html_()


def test_the_list_shows_all_of_its_pieces() -> None:
    pieces = http(REQUEST + MASKED_HELLO)
    assert repr(pieces) == "\n\n".join(repr(piece) for piece in pieces)
    assert all(piece._repr_html_() in pieces._repr_html_() for piece in pieces)
    assert repr(dissect(b"")) == "no bytes"


def test_the_figure_says_in_words_what_it_shows() -> None:
    (piece,) = frames(MASKED_HELLO)
    assert repr(piece.figure()) == (
        "TEXT · frame · bytes 0–10 (11): FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 1 (TEXT), MASK 1, "
        'payload length 5, masking-key 37 fa 21 3d, payload data "Hello"'
    )
    figure = http(REQUEST)[0].figure()
    assert "Upgrade: websocket" in figure.alt


def test_reading_without_drawing_loads_no_matplotlib() -> None:
    code = (
        "import sys; from wslab.lab import dissect; repr(dissect(b'x')); print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_caller_is_told_what_is_wrong_with_the_call() -> None:
    with pytest.raises(TypeError, match="not bytes"):
        dissect("81 05")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sender"):
        dissect(b"", sender="me")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="start"):
        dissect(b"", start="body")  # type: ignore[arg-type]


def test_writing_bytes() -> None:
    assert (count(0), count(1)) == ("0 bytes", "1 byte")
    assert hexed(b"") == ""
    assert quoted("é".encode() * 40, limit=5) == '"éé" … (76 bytes left out)'
    assert quoted(b"\x80" * 9, limit=5) == r'"\x80\x80" … (7 bytes left out)'
