"""Messages from fragments: their order, their size, and text that is refused at its first wrong byte."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.aio import (
    failure,
    wire,
)
from tests.support.strategies import cut
from wslab import Ping
from wslab.close import CloseCode, ProtocolError
from wslab.connection import Connection, Event, Failure
from wslab.frames import FIN, Frame, Opcode, encode_frame
from wslab.message import Assembler, decode_text


def assemble(opcode: Opcode, fragments: list[bytes], max_size: int = 1000) -> str | bytes | None:
    """Add the fragments of one message; only the last may give something."""
    assembler = Assembler(max_size=max_size)
    for number, fragment in enumerate(fragments):
        last = number == len(fragments) - 1
        first = (FIN if last else 0) | (opcode if number == 0 else Opcode.CONTINUATION)
        message = assembler.add(first, fragment)
        assert last or message is None
    return message


def first_refused(data: bytes) -> int | None:
    """Say after how many bytes a text is refused, when they come one by one."""
    assembler = Assembler(max_size=1000)
    assembler.add(Opcode.TEXT, b"")
    for number in range(len(data)):
        try:
            assembler.add(Opcode.CONTINUATION, data[number : number + 1])
        except ProtocolError as error:
            return number + 1 if error.code is CloseCode.INVALID_DATA else -1
    return None


@given(st.text(max_size=40), st.data())
def test_a_text_in_any_fragments(text: str, data: st.DataObject) -> None:
    assert assemble(Opcode.TEXT, data.draw(cut(text.encode()))) == text


@given(st.binary(max_size=200), st.data())
def test_a_binary_in_any_fragments(raw: bytes, data: st.DataObject) -> None:
    assert assemble(Opcode.BINARY, data.draw(cut(raw))) == raw


def test_one_message_after_the_other() -> None:
    assembler = Assembler(max_size=10)
    for _ in range(3):
        assert assembler.add(Opcode.TEXT, b"0123456") is None
        assert assembler.add(FIN, b"789") == "0123456789"
        assert assembler.opcode is Opcode.CONTINUATION


@pytest.mark.parametrize(
    ("data", "after"),
    [
        ("ff", 1),
        ("80", 1),
        ("c0", 1),  # would begin an overlong form
        ("c3 28", 2),
        ("e0 80", 2),  # overlong
        ("ed a0", 2),  # half of a surrogate pair
        ("f0 80", 2),  # overlong
        ("f4 90", 2),  # above U+10FFFF
        ("f5", 1),
        ("e2 82 28", 3),
        ("41 f0 9f 98 41", 5),
    ],
)
def test_a_text_is_refused_at_its_first_wrong_byte(data: str, after: int) -> None:
    assert first_refused(bytes.fromhex(data)) == after


@given(st.binary(max_size=12))
def test_refused_exactly_where_nothing_can_make_it_utf8(data: bytes) -> None:
    """A byte is wrong when no continuation makes a text of what came so far (RFC 3629 §4)."""

    def can_go_on(head: bytes) -> bool:
        tails = (
            b"",
            b"\x80",
            b"\xa0",
            b"\x90",
            b"\xbf",
            b"\x80\x80",
            b"\xa0\x80",
            b"\x90\x80\x80",
            b"\x80\x80\x80",
        )
        return any(is_utf8(head + tail) for tail in tails)

    expected = next((n for n in range(1, len(data) + 1) if not can_go_on(data[:n])), None)
    assert first_refused(data) == expected


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("following", [0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0])
@pytest.mark.parametrize("begin", [b"", b"a", b"\xc3\xa9", b"\xe2\x82"])
@pytest.mark.parametrize("lead", [0x80, 0xC0, 0xC2, 0xE0, 0xE2, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF])
def test_the_sentence_does_not_depend_on_how_tcp_cut_the_text(
    lead: int, begin: bytes, following: int
) -> None:
    wrong = begin + bytes([lead, following]) + b"ab"
    frame = encode_frame(Frame(Opcode.TEXT, wrong))
    whole = Connection("client").receive_data(frame)
    for first in range(1, len(frame)):
        for second in range(first, len(frame)):
            connection = Connection("client")
            events: list[Event] = []
            for piece in (frame[:first], frame[first:second], frame[second:]):
                events += connection.receive_data(piece)
            assert events == whole
    assert whole == [wrong.decode()] if is_utf8(wrong) else isinstance(whole[0], Failure)


def test_a_text_that_ends_inside_a_character() -> None:
    with pytest.raises(ProtocolError, match="not UTF-8") as caught:
        assemble(Opcode.TEXT, [b"a\xe2", b"\x82"])
    assert caught.value.code is CloseCode.INVALID_DATA


def test_the_order_of_fragments() -> None:
    with pytest.raises(ProtocolError, match="no message to continue") as caught:
        Assembler(max_size=10).add(FIN, b"")
    assert caught.value.code is CloseCode.PROTOCOL_ERROR
    assembler = Assembler(max_size=10)
    assembler.add(Opcode.TEXT, b"a")
    with pytest.raises(ProtocolError, match="BINARY before the fragmented message was whole"):
        assembler.add(FIN | Opcode.BINARY, b"")


def test_the_limit_holds_for_the_message() -> None:
    assert assemble(Opcode.BINARY, [b"12345"] * 2, max_size=10) == b"1234512345"
    with pytest.raises(ProtocolError, match="at least 11 bytes, limit 10") as caught:
        assemble(Opcode.BINARY, [b"12345", b"123456", b""], max_size=10)
    assert caught.value.code is CloseCode.MESSAGE_TOO_BIG


def test_a_whole_text() -> None:
    assert decode_text("µ".encode()) == "µ"
    with pytest.raises(ProtocolError, match="byte 0xff"):
        decode_text(b"a\xff")


class TestFromTheHeader:
    """A frame that may not come, or makes its message too long, is refused before its payload (§5.4)."""

    FIRST = bytes.fromhex("01 03 616263")  # "abc", and more is to follow

    @pytest.mark.parametrize(
        ("first", "wire", "code", "words"),
        [
            (FIRST, "82 0a", 1002, "BINARY before the fragmented message was whole"),
            (FIRST, "82 0a 00", 1002, "BINARY before the fragmented message was whole"),
            (FIRST, "80 62", 1009, "message is at least 101 bytes, limit 100"),
            (FIRST, "80 62 64", 1009, "message is at least 101 bytes, limit 100"),
            (FIRST, "80 62 ff", 1009, "message is at least 101 bytes, limit 100"),  # and no UTF-8
            (FIRST, "00 62 64", 1009, "message is at least 101 bytes, limit 100"),
            (bytes.fromhex("02 03 616263"), "80 62 64", 1009, "message is at least 101 bytes, limit 100"),
            (b"", "80 0a 64", 1002, "no message to continue"),
        ],
    )
    @pytest.mark.parametrize("together", [True, False])
    def test_refused(self, first: bytes, wire: str, code: int, words: str, together: bool) -> None:
        client = Connection("client", max_size=100)
        pieces = [first + bytes.fromhex(wire)] if together else [first, bytes.fromhex(wire)]
        events = [event for piece in pieces for event in client.receive_data(piece)]
        (failure,) = events
        assert isinstance(failure, Failure)
        assert failure.code == code
        assert words in failure.reason

    def test_too_long_and_no_utf8_is_too_long_wherever_it_is_cut(self) -> None:
        wire = self.FIRST + bytes.fromhex("80 62") + b"d\xff" + bytes(96)
        for at in range(len(wire) + 1):
            client = Connection("client", max_size=100)
            events = client.receive_data(wire[:at]) + client.receive_data(wire[at:])
            assert [event.code for event in events if isinstance(event, Failure)] == [1009], at

    def test_what_fits_exactly(self) -> None:
        client = Connection("client", max_size=100)
        assert client.receive_data(self.FIRST + bytes.fromhex("80 61 64")) == []
        assert client.receive_data(b"e" * 96) == ["abcd" + "e" * 96]


# -- UTF-8 against an oracle --------------------------------------------------------------------------------


@functools.cache
def can_become_text(data: bytes) -> bool:
    """Return whether any continuation makes these bytes UTF-8. It asks ``bytes.decode``, and tries."""
    # The second byte of a character has ranges of its own; one of these three is in each of them.
    for more in (b"", *(second + b"\x80" * n for second in (b"\x80", b"\x90", b"\xa0") for n in range(3))):
        with contextlib.suppress(UnicodeDecodeError):
            (data + more).decode()
            return True
    return False


def beginnings() -> Iterator[bytes]:
    """Yield what is no character yet and each byte that may come next, at the edges of every range."""
    edges = b"\x00\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xff"
    open_ones = [b""]
    for length in range(1, 5):
        following = range(256) if length < 4 else edges
        tried = [begin + bytes((byte,)) for begin in open_ones for byte in following]
        yield from tried
        open_ones = [
            one
            for one in tried
            if can_become_text(one) and not is_text(one) and one[-1] in (edges if length > 1 else LEADS)
        ]


LEADS = b"\xc2\xdf\xe0\xe1\xed\xef\xf0\xf1\xf4"


def is_text(data: bytes) -> bool:
    with contextlib.suppress(UnicodeDecodeError):
        data.decode()
        return True
    return False


def test_the_oracle_knows_the_edges() -> None:
    assert all(map(can_become_text, (b"", b"a\xf0", b"\xed\x9f", b"\xf4\x8f\xbf", b"\xe0\xa0")))
    assert not any(map(can_become_text, (b"\x80", b"\xc1", b"\xed\xa0", b"\xf4\x90", b"\xe0\x9f", b"\xf5")))


def test_each_beginning_of_a_character() -> None:
    """§8.1: a byte is refused if and only if no continuation can be valid, in a frame not whole."""
    tried = 0
    for data in beginnings():
        connection = Connection("client")
        connection.receive_data(b"\x01\x7d")  # 125 bytes of text announced
        refused = [failure(connection, bytes((byte,))) is not None for byte in data]
        assert refused == [not can_become_text(data[: n + 1]) for n in range(len(data))], data.hex()
        tried += 1
    assert tried > 5_000


@given(
    st.lists(
        st.one_of(
            st.text(max_size=4).map(str.encode),
            st.binary(max_size=3),
            st.sampled_from([b"\xed\xa0", b"\xf0\x9f"]),
        ),
        max_size=8,
    ).map(b"".join),
    st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=6),
)
def test_text_cut_into_fragments_anywhere(data: bytes, cuts: list[tuple[int, bool]]) -> None:
    """The same verdict as ``bytes.decode``, with empty fragments and pings in every gap."""
    connection = Connection("server")
    places = sorted({min(place, len(data)) for place, _ in cuts})
    parts = [data[a:b] for a, b in itertools.pairwise([0, *places, len(data)])]
    frames = []
    for n, part in enumerate(parts):
        first = (0x80 if n == len(parts) - 1 else 0) | (0 if n else 1)
        frames += [wire(first, part)] + [wire(0x89, b"?")] * (first < 0x80)
    events = [event for frame in frames for event in connection.receive_data(frame)]
    messages = [event for event in events if not isinstance(event, Ping)]
    try:
        assert messages == [data.decode()]
    except UnicodeDecodeError:
        (failed,) = messages
        assert isinstance(failed, Failure)
        assert failed.code == 1007
