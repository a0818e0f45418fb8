"""Counts are sums over what the dissector finds, as the bytes arrive, however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wslab.frames import Frame, Opcode, encode_frame
from wslab.lab.dissector.frame import FrameWalk
from wslab.lab.dissector.stream import Dissection, Sender, dissect
from wslab.lab.wire.counts import Counts, SideCounts, counted
from wslab.lab.wire.reader import Reader
from wslab.lab.wire.recording import Recording

UPGRADE = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"
AGREE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
REFUSE = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
HELLO = encode_frame(Frame(Opcode.TEXT, b"Hello"))
MASKED_HELLO = encode_frame(Frame(Opcode.TEXT, b"Hello"), b"abcd")
Passages = list[tuple[Sender, bytes]]


def recorded(passages: Passages) -> Recording:
    recording = Recording(limit=2**22)
    recording.connections = 1
    for time, (sender, data) in enumerate(passages):
        recording.add(1, sender, "bytes", data, now=float(time))
    return recording


def counts(*passages: tuple[Sender, bytes]) -> Counts:
    return counted(Reader(recorded(list(passages))))


# -- figures, computed by hand ------------------------------------------------------------------------------


def test_a_websocket_connection() -> None:
    sent = [encode_frame(Frame(Opcode.BINARY, bytes(n)), b"abcd") for n in (0, 125, 126, 70_000)]
    passages: Passages = [("client", UPGRADE), ("server", AGREE), *(("client", each) for each in sent)]
    found = counts(*passages, ("server", HELLO))
    assert (len(UPGRADE), len(AGREE)) == (51, 56)
    size = 6 + 131 + 134 + 70_014
    assert found.client == SideCounts(51 + size, head_bytes=51, frame_bytes=size, heads=1, frames=4)
    assert found.server == SideCounts(56 + 7, head_bytes=56, frame_bytes=7, heads=1, frames=1)
    assert (found.requests, found.connections) == (1, 1)


def test_counted_bodies_on_a_connection_that_is_used_again() -> None:
    ask, post = b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello"
    found = counts(("client", ask), ("server", answer), ("client", post), ("server", answer))
    assert found.client == SideCounts(18 + 40, 18 + 38, 2, 0, heads=2, bodies=1)
    assert found.server == SideCounts(2 * 43, 2 * 38, 2 * 5, 0, heads=2, bodies=2)


@pytest.mark.parametrize("cut", range(0, 70, 3))
def test_a_chunked_body(cut: int) -> None:
    body = b"5;a=b\r\nHello\r\n1F\r\n" + bytes(31) + b"\r\n0\r\nTrailer: x\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    raw = head + body + REFUSE
    found = counts(("server", raw[: len(head) + cut]), ("server", raw[len(head) + cut :]))
    assert found.server == SideCounts(len(raw), len(head) + len(REFUSE), len(body), 0, heads=2, bodies=1)


def test_a_body_without_a_length_lasts_until_the_end() -> None:
    recording = recorded([("server", b"HTTP/1.1 200 OK\r\n\r\n"), ("server", bytes(50))])
    reader = Reader(recording)
    found = counted(reader).server
    assert (found.head_bytes, found.body_bytes, found.bodies) == (19, 50, 0)
    recording.add(1, "server", "FIN", now=3.0)
    found = counted(reader).server
    assert (found.head_bytes, found.body_bytes, found.bodies) == (19, 50, 1)


def test_an_answer_to_head_has_no_body() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n"
    passages: Passages = [("client", b"HEAD / HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n")]
    passages += [("server", b"HTTP/1.1 100 Continue\r\n\r\n" + answer), ("server", answer + bytes(70))]
    reader = Reader(recorded(passages))
    found = counted(reader).server
    assert (found.heads, found.bodies, found.body_bytes) == (3, 1, 70)
    whats = ["HEAD /", "GET /b", "100 Continue", "200 OK", "200 OK", "body"]
    assert [row.what for row in reader.conversation()] == whats


@pytest.mark.parametrize(("answer", "expected"), [(AGREE, 1), (REFUSE, 0)])
def test_frames_of_a_client_follow_only_when_the_server_agrees(answer: bytes, expected: int) -> None:
    recording = recorded([("client", UPGRADE + (MASKED_HELLO if expected else UPGRADE))])
    reader = Reader(recording)
    before = counted(reader).client
    assert (before.heads, before.frames) == (1, 0)
    recording.add(1, "server", "bytes", answer, now=9.0)
    after = counted(reader)
    assert (after.client.frames, after.requests) == (expected, 2 - expected)
    assert reader.passed["client", "TEXT"] == expected


def test_what_is_neither_http_nor_a_frame_is_counted() -> None:
    side = counts(("client", b"\x16\x03\x01" + b"x" * 70_000), ("client", bytes(1000))).client
    assert (side.bytes, side.heads, side.head_bytes) == (71_003, 0, 0)


def test_what_passes_after_the_limit_is_summed_up() -> None:
    recording = Recording(limit=1000)
    for _ in range(9):
        recording.add(1, "client", "bytes", UPGRADE + bytes(200), now=0.0)
    side = counted(Reader(recording)).client
    assert (side.bytes, side.heads) == (9 * 251, 1)


# -- any bytes, cut anywhere --------------------------------------------------------------------------------

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
good = st.builds(
    lambda heads, sent: b"".join([*heads, AGREE, *map(encode_frame, sent)]),
    st.lists(responses(), max_size=4),
    st.lists(frames, max_size=5),
)
TEXTS = [
    b"\r\n",
    b"GET / HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"Content-Length: 3\r\n",
    UPGRADE,
    AGREE,
    HELLO,
]
TEXTS += [
    HELLO,
    b"Transfer-Encoding: chunked\r\n",
    b"5\r\nHello\r\n",
    b"0\r\n\r\n",
    b"\x88\x01\x00",
    MASKED_HELLO,
]
wild = st.lists(st.sampled_from(TEXTS) | st.binary(max_size=12), max_size=12).map(b"".join)


@given(good | wild, st.data())
def test_a_stream_that_is_cut_anywhere_is_read_as_if_it_came_at_once(raw: bytes, data: st.DataObject) -> None:
    raw = raw[: data.draw(st.integers(0, len(raw)))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    recording = recorded([])
    reader = Reader(recording)
    for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        recording.add(1, "server", "bytes", raw[begin:end], now=float(end))
        reader.read()
    once = dissect(raw, sender="server")
    assert [row.dissection for row in reader.conversation()] == list(once)
    found = counted(reader).server
    for kind, size in (("head", found.head_bytes), ("body", found.body_bytes), ("frame", found.frame_bytes)):
        pieces = [piece for piece in once if piece.kind == kind and piece.what != "not HTTP"]
        assert size == sum(len(piece.data) for piece in pieces)
    assert found.bytes == len(raw)


def test_each_piece_is_read_once_as_the_recording_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    take = FrameWalk.take

    def counting(walk: FrameWalk, stream: bytes, start: int) -> Dissection:
        taken.append(1)
        return take(walk, stream, start)

    monkeypatch.setattr(FrameWalk, "take", counting)
    recording = recorded([("server", AGREE)])
    reader = Reader(recording)
    for number in range(200):
        recording.add(1, "server", "bytes", HELLO[:3] if number % 2 else HELLO[3:] + HELLO, now=1.0)
        reader.conversation()
        counted(reader)
    assert len(reader.conversation()) > 100
    assert len(taken) < 1000  # a piece that is not whole is described each time it is looked at


def test_the_memory_for_rows_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wslab.lab.wire.reader.KEPT", 10)
    recording = recorded([("server", AGREE + HELLO * 100)])
    reader = Reader(recording)
    assert len(reader.conversation()) == 10
    assert counted(reader).server.frames == 100
    assert f"the recording is full: {91 * 7} more bytes passed" in repr(reader.conversation())


def test_counts_show_themselves() -> None:
    found = counts(("client", UPGRADE))
    assert repr(found).startswith("1 connection\n")
    for view in (repr(found), found._repr_html_()):
        assert "client sent" in view
        assert "51" in view
