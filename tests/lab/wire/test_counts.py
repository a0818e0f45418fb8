"""Counting bytes as they pass agrees with dissecting them afterwards, however the stream is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wslab.frames import Frame, Opcode, encode_frame
from wslab.lab.dissector.stream import dissect
from wslab.lab.wire.counts import Splitter, Tally

UPGRADE = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"
AGREE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"

bodies = st.binary(max_size=40)


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    body = draw(bodies)
    match draw(st.sampled_from(["length", "chunked", "none"])):
        case "length":
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        case "chunked":
            chunks = b"".join(b"%X;a=b\r\n%s\r\n" % (len(part), part) for part in (body, body[:3]) if part)
            return (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\nTrailer: x\r\n\r\n"
            )
        case _:
            return b"HTTP/1.1 304 Not Modified\r\nContent-Length: 70\r\n\r\n"


payloads = st.binary(max_size=125) | st.sampled_from([bytes(126), bytes(65536)])
frames = payloads.map(lambda payload: Frame(Opcode.BINARY, payload)) | st.just(Frame(Opcode.PING, b"?"))


@given(st.lists(responses(), max_size=4), st.lists(frames, max_size=5), st.data())
def test_any_split_counts_what_the_dissector_finds(
    heads: list[bytes], sent: list[Frame], data: st.DataObject
) -> None:
    raw = b"".join([*heads, AGREE, *map(encode_frame, sent)])
    raw = raw[: data.draw(st.integers(0, len(raw)))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    pieces: list[tuple[str, str]] = []
    splitter = Splitter(lambda kind, name: pieces.append((kind, name)))
    for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        splitter.feed(raw[begin:end])
    found = dissect(raw, sender="server")
    assert pieces == [(piece.kind, piece.what) for piece in found if piece.complete]
    for kind in ("head", "body", "frame"):
        assert splitter.data()[kind] == sum(len(piece.data) for piece in found if piece.kind == kind)


def test_frames_of_a_client_follow_only_when_the_server_agrees() -> None:
    ping = encode_frame(Frame(Opcode.PING), b"abcd")
    for answer, frames_found in ((AGREE, 1), (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 0)):
        tally = Tally()
        tally.feed(1, "client", UPGRADE + (ping if frames_found else UPGRADE))
        assert tally.counts(1).client.frames == 0
        tally.feed(1, "server", answer)
        counts = tally.counts(1)
        assert (counts.client.frames, counts.requests) == (frames_found, 2 - frames_found)
        assert tally.passed["client", "PING"] == frames_found


def test_what_is_neither_http_nor_a_frame_is_counted_and_not_kept() -> None:
    tally = Tally()
    tally.feed(1, "client", b"\x16\x03\x01" + b"x" * 70_000)
    for _ in range(3):
        tally.feed(1, "client", bytes(1000))
    side = tally.counts(1).client
    assert (side.bytes, side.heads) == (73_003, 0)
    assert len(tally._splitters[1, "client"]._buffer) == 0


def test_a_body_without_a_length_lasts_until_the_end() -> None:
    tally = Tally()
    tally.feed(1, "server", b"HTTP/1.1 200 OK\r\n\r\n" + bytes(50))
    assert (tally.counts(1).server.head_bytes, tally.counts(1).server.body_bytes) == (19, 50)


def test_requests_with_and_without_a_body() -> None:
    tally = Tally()
    tally.feed(
        1,
        "client",
        b"GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET / HTTP/1.1\r\n\r\n",
    )
    side = tally.counts(1).client
    assert (side.heads, side.bodies, side.body_bytes) == (3, 1, 2)


def test_counts_show_themselves() -> None:
    tally = Tally()
    tally.feed(1, "client", UPGRADE)
    counts = tally.counts(2)
    assert (counts.client.heads, counts.client.bodies) == (1, 0)
    assert repr(counts).startswith("2 connections\n")
    for view in (repr(counts), counts._repr_html_()):
        assert "client sent" in view
        assert str(len(UPGRADE)) in view
