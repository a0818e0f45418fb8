"""The sans-I/O connection: two of them joined by a wire of bytes, and what hypothesis makes of it."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.aio import MASK, SIDES, failure, peak_of, wire
from tests.support.strategies import cut, frames
from wslab import (
    Close,
    CloseCode,
    Connection,
    Failure,
    Frame,
    InvalidState,
    Opcode,
    Ping,
    Pong,
    ReadyState,
    encode_frame,
)
from wslab.connection import TRANSITIONS, Event

ROOT = Path(__file__).resolve().parents[2]
KEY = bytes.fromhex("37fa213d")


def pair() -> tuple[Connection, Connection]:
    return Connection("client", masking_key=lambda: KEY), Connection("server")


def carry(sender: Connection, receiver: Connection) -> list[Event]:
    """Carry what one has to send to the other."""
    return receiver.receive_data(sender.data_to_send())


class TestMessages:
    def test_both_ways(self) -> None:
        client, server = pair()
        client.send_text("Hello")
        client.send_binary(b"\0\1")
        client.send_binary(bytearray(b"\2"))
        assert carry(client, server) == ["Hello", b"\0\1", b"\2"]
        server.send_text("µ")
        server.send_binary(memoryview(b"\3"))
        assert carry(server, client) == ["µ", b"\3"]

    def test_only_the_client_masks(self) -> None:
        client, server = pair()
        client.send_text("Hello")
        server.send_text("Hello")
        assert client.data_to_send() == bytes.fromhex("8185 37fa213d 7f9f4d5158")
        assert server.data_to_send() == bytes.fromhex("8105 48656c6c6f")

    @pytest.mark.parametrize("key", [b"", b"123", b"12345"])
    def test_a_masking_key_of_the_wrong_size(self, key: bytes) -> None:
        client = Connection("client", masking_key=lambda: key)
        with pytest.raises(ValueError, match="not 4"):
            client.send_text("Hello")
        assert client.data_to_send() == b""

    def test_a_masking_key_of_another_type(self) -> None:
        client = Connection("client", masking_key=lambda: memoryview(KEY))  # type: ignore[arg-type,return-value]
        client.send_text("Hello")
        assert client.data_to_send() == encode_frame(Frame(Opcode.TEXT, b"Hello"), KEY)

    @given(st.lists(frames, max_size=8), st.binary(max_size=60), st.integers(1, 4), st.data())
    def test_in_portions_it_means_the_same(
        self, sent: list[Frame], junk: bytes, most: int, data: st.DataObject
    ) -> None:
        """However few frames one call may read, and whatever breaks a rule behind them."""
        wire = b"".join(encode_frame(frame, KEY) for frame in sent) + junk
        server, events = Connection("server"), []
        for piece in data.draw(cut(wire)):
            events += server.receive_data(piece, most)
            while server.has_more:
                events += server.receive_data(b"", most)
        assert events == Connection("server").receive_data(wire)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
    def test_a_fork_shares_no_masking_key(self) -> None:
        code = """if True:
            import os, wslab
            client = wslab.Connection("client")
            client.ping()
            client.data_to_send()
            child = os.fork()
            for _ in range(100):
                client.ping()
            os.write(1, client.data_to_send().hex().encode() + b" ")
            if child:
                os.waitpid(child, 0)
        """
        output = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
        keys = [wire[at + 4 : at + 12] for wire in output.split() for at in range(0, len(wire), 12)]
        assert len(keys) == len(set(keys)) == 200

    def test_random_masking_keys_differ(self) -> None:
        client = Connection("client")
        for _ in range(200):
            client.send_binary(b"")
        out = client.data_to_send()
        assert len({out[at + 2 : at + 6] for at in range(0, len(out), 6)}) > 190

    @given(
        st.lists(st.one_of(st.text(), st.binary(), st.integers(0, 70000).map(bytes)), max_size=5), st.data()
    )
    def test_any_split(self, messages: list[str | bytes], data: st.DataObject) -> None:
        for sender, receiver in (pair(), pair()[::-1]):
            for message in messages:
                sender.send_text(message) if isinstance(message, str) else sender.send_binary(message)
            received: list[Event] = []
            for piece in data.draw(cut(sender.data_to_send())):
                received += receiver.receive_data(piece)
            assert received == messages

    @pytest.mark.parametrize("wrong", [1, None, b"x", ["x"]])
    def test_text_of_the_wrong_type(self, wrong: Any) -> None:
        with pytest.raises(TypeError, match="not str"):
            Connection("server").send_text(wrong)

    @pytest.mark.parametrize("wrong", [1, None, "x", [1]])
    def test_binary_of_the_wrong_type(self, wrong: Any) -> None:
        with pytest.raises(TypeError, match="not bytes"):
            Connection("server").send_binary(wrong)

    def test_side_of_the_wrong_name(self) -> None:
        wrong: Any = "browser"
        with pytest.raises(ValueError, match="browser"):
            Connection(wrong)


class TestPing:
    def test_is_answered(self) -> None:
        client, server = pair()
        client.ping(b"?")
        assert carry(client, server) == [Ping(b"?")]
        (answer,) = carry(server, client)
        assert isinstance(answer, Pong)
        assert answer.payload == b"?"

    def test_pong_unasked(self) -> None:
        client, server = pair()
        server.pong(b"!")
        (event,) = carry(server, client)
        assert isinstance(event, Pong)
        assert client.data_to_send() == b""

    def test_too_long(self) -> None:
        for send in (Connection("server").ping, Connection("server").pong):
            with pytest.raises(ValueError, match="126 bytes, limit 125"):
                send(bytes(126))

    def test_is_not_answered_behind_our_close(self) -> None:
        client, server = pair()
        client.ping()
        server.close()
        server.data_to_send()
        carry(client, server)
        assert server.data_to_send() == b""


class TestClosing:
    def test_from_either_side(self) -> None:
        for one, other in (pair(), pair()[::-1]):
            one.close(3001, "bye")
            assert one.ready_state is ReadyState.CLOSING
            assert carry(one, other) == [Close(3001, "bye")]
            assert (other.ready_state, other.close_code, other.close_reason) == (2, 3001, "bye")
            assert not other.finished
            assert carry(other, one) == [Close(3001, "")]
            assert one.finished
            assert other.finished
            for connection in (one, other):
                connection.receive_eof()
                assert (connection.ready_state, connection.close_code) == (3, 3001)

    def test_at_the_same_time(self) -> None:
        client, server = pair()
        client.close(1000)
        server.close(1001)
        from_client, from_server = client.data_to_send(), server.data_to_send()
        client.receive_data(from_server)
        server.receive_data(from_client)
        assert (client.close_code, server.close_code) == (1001, 1000)
        assert client.data_to_send() == server.data_to_send() == b""

    def test_answers_go_out_before_the_close(self) -> None:
        client, server = pair()
        client.send_text("a")
        client.send_text("b")
        client.close()
        assert carry(client, server) == ["a", "b", Close(1000, "")]
        assert server.data_to_send(hold_close=True) == b""
        server.send_text("A")
        server.send_text("B")
        assert carry(server, client) == ["A", "B", Close(1000, "")]

    def test_answers_go_out_before_the_failure(self) -> None:
        server = Connection("server")
        wire = bytes.fromhex("8185 37fa213d 7f9f4d5158") + b"\xff\xff" + b"\x81\x80" + bytes(4)
        hello, failure = server.receive_data(wire)
        assert hello == "Hello"
        assert isinstance(failure, Failure)
        assert failure.code == CloseCode.PROTOCOL_ERROR
        server.send_text("Hello")
        out = server.data_to_send()
        assert out.startswith(bytes.fromhex("8105 48656c6c6f 88"))
        assert out[9:11] == b"\x03\xea"
        assert server.failure == failure

    def test_own_close_is_an_answer_if_one_is_due(self) -> None:
        client, server = pair()
        client.close(3001)
        carry(client, server)
        server.close(1000)
        assert server.data_to_send() == bytes.fromhex("8802 0bb9")

    def test_second_close_does_nothing(self) -> None:
        server = Connection("server")
        server.close(1000)
        assert server.data_to_send()
        server.close(1001)
        assert server.data_to_send() == b""

    def test_nothing_is_sent_behind_it(self) -> None:
        server = Connection("server")
        server.close()
        for send in (
            partial(server.send_text, "x"),
            partial(server.send_binary, b""),
            server.ping,
            server.pong,
        ):
            with pytest.raises(InvalidState, match="Close"):
                send()

    def test_nothing_is_sent_behind_the_end_of_tcp(self) -> None:
        server = Connection("server")
        server.receive_eof()
        server.receive_eof()
        assert (server.ready_state, server.close_code) == (ReadyState.CLOSED, CloseCode.ABNORMAL_CLOSURE)
        with pytest.raises(InvalidState, match="TCP"):
            server.send_text("x")
        server.close()
        server.fail(1011, "too late")
        assert server.receive_data(b"\xff") == []
        assert server.data_to_send() == b""
        assert server.close_code == 1006

    @pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000])
    def test_codes_that_never_travel(self, code: int) -> None:
        with pytest.raises(ValueError, match=str(code)):
            Connection("server").close(code)

    def test_reason_too_long(self) -> None:
        with pytest.raises(ValueError, match="124 bytes in UTF-8, limit 123"):
            Connection("server").close(1000, "é" * 62)

    def test_failing(self) -> None:
        client, server = pair()
        server.fail(1011, "no pong within 20 s")
        assert carry(server, client) == [Close(1011, "no pong within 20 s")]
        assert server.failure == Failure(1011, "no pong within 20 s")
        assert server.receive_data(bytes.fromhex("8882 00000000 03f3")) == []  # not even its Close (§7.1.7)
        server.receive_eof()
        assert (server.close_code, server.close_reason) == (1006, "")

    def test_first_failure_counts(self) -> None:
        server = Connection("server")
        (failure,) = server.receive_data(b"\xff\xff")
        server.fail(1011, "no pong within 20 s")
        assert server.failure == failure
        assert server.data_to_send()[2:4] == b"\x03\xea"


class TestReadyStates:
    def test_the_table_is_closed(self) -> None:
        reachable = {state for row in TRANSITIONS.values() for state in row.values()}
        assert set(TRANSITIONS) == set(ReadyState) == reachable | {ReadyState.CONNECTING}
        assert TRANSITIONS[ReadyState.CLOSED] == {}

    def test_nothing_goes_back(self) -> None:
        moves = [(state, after) for state, row in TRANSITIONS.items() for after in row.values()]
        assert moves
        assert all(before <= after for before, after in moves)


def without_words(events: list[Event]) -> list[Event]:
    """Leave out how a failure is worded: only its code is the same for every way to cut the stream."""
    return [event._replace(reason="") if isinstance(event, Failure) else event for event in events]


class TestHostileInput:
    @given(st.lists(st.binary(max_size=300), max_size=10), st.sampled_from(["client", "server"]))
    def test_no_bytes_raise(self, pieces: list[bytes], side: Literal["client", "server"]) -> None:
        connection = Connection(side)
        for piece in pieces:
            connection.receive_data(piece)
            connection.data_to_send()

    @given(st.lists(frames, max_size=6), st.data())
    def test_changed_bytes_give_the_same_however_they_are_cut(
        self, sent: list[Any], data: st.DataObject
    ) -> None:
        wire = bytearray(b"".join(encode_frame(frame, KEY) for frame in sent))
        for at, byte in data.draw(
            st.dictionaries(st.integers(0, 200), st.integers(0, 255), max_size=3)
        ).items():
            if at < len(wire):
                wire[at] = byte
        at_once, in_pieces = Connection("server", max_size=250), Connection("server", max_size=250)
        expected = at_once.receive_data(wire)
        received = [event for piece in data.draw(cut(bytes(wire))) for event in in_pieces.receive_data(piece)]
        assert without_words(received) == without_words(expected)

    def test_endless_empty_fragments_cost_nothing(self) -> None:
        connection = Connection("server")
        connection.receive_data(b"\x01\x80" + KEY)
        for _ in range(20):
            connection.receive_data((b"\x00\x80" + KEY) * 5000)
        assert connection.receive_data(b"\x80\x80" + KEY) == [""]


def test_the_protocol_loads_little() -> None:
    """What an import costs is what it loads: nothing that only some programs need."""
    script = "import sys, wslab; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(answer.stdout.split())
    assert "wslab.connection" in loaded
    assert not loaded & {"asyncio", "socket", "ssl", "numpy", "dataclasses", "inspect", "hashlib", "email"}
    assert not loaded & {"typing", "re", "base64", "contextlib"}


@pytest.mark.parametrize("side", SIDES)
def test_every_close_code(side: Literal["client", "server"]) -> None:
    """§7.4: a Close that is answered is answered with its own code."""
    lawful = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
    for code in (*range(5200), 8192, 32767, 32768, 65535):
        connection = Connection(side, masking_key=lambda: MASK)
        payload = code.to_bytes(2, "big")
        (event,) = connection.receive_data(wire(0x88, payload, masked=side == "server"))
        out = connection.data_to_send()
        answer = out[6:8] if side == "client" else out[2:4]
        if code in lawful:
            assert event == Close(code, "")
            assert answer == payload
        else:
            assert isinstance(event, Failure)
            assert answer == (1002).to_bytes(2, "big")


@pytest.mark.parametrize("behind", [wire(0x88, b"\x03\xe9"), wire(0x81, b"x"), wire(0x89), b"\xff" * 20])
@pytest.mark.parametrize("last", [wire(0x88, b"\x03\xe8"), wire(0x88), wire(0xFF)])
def test_whatever_comes_behind_the_end_is_ignored(last: bytes, behind: bytes) -> None:
    """§5.5.1, §7.1.7: one end, one answer, however often it is repeated."""
    connection = Connection("server")
    assert len(connection.receive_data(last + behind * 100)) == 1
    ending = connection.close_code, connection.close_reason
    assert connection.data_to_send()
    for _ in range(100):
        assert connection.receive_data(behind) == []
    assert connection.data_to_send() == b""
    assert (connection.close_code, connection.close_reason) == ending


@pytest.mark.parametrize("first", [0x01, 0x02])
def test_empty_fragments_without_end(first: int) -> None:
    connection = Connection("server")
    assert peak_of(connection, wire(first), wire(0x00) * 1000, 40) < 2**18
    (message,) = connection.receive_data(wire(0x80, b"x"))
    assert message == ("x" if first == 0x01 else b"x")


@pytest.mark.parametrize("first", [0x01, 0x02])
def test_tiny_fragments_up_to_the_limit(first: int) -> None:
    """§10.4: fragments of one byte cost what their bytes cost; one too many is refused."""
    connection = Connection("server", max_size=20_000)
    assert peak_of(connection, wire(first), wire(0x00, b"x") * 1000, 20) < 2**19
    refused = failure(connection, wire(0x00, b"x"))
    assert refused
    assert refused.code == 1009


def test_a_flood_of_pings_leaves_nothing_behind() -> None:
    connection = Connection("server")
    assert peak_of(connection, b"", wire(0x89, bytes(125)) * 500, 20) < 2**21


@pytest.mark.parametrize("size", [2**20 + 1, 2**31, 2**63 - 1])
@pytest.mark.parametrize("first", [0x81, 0x82, 0x01, 0x02])
def test_too_long_is_refused_from_the_header(first: int, size: int) -> None:
    """1009 without one byte of the payload, and before its masking-key."""
    connection = Connection("server")
    refused = failure(connection, bytes((first, 0xFF)) + size.to_bytes(8, "big"))
    assert refused
    assert refused.code == 1009
    assert str(size) in refused.reason


@pytest.mark.parametrize("first", [0x81, 0x82])
def test_announced_and_dripping(first: int) -> None:
    """What is kept of a frame that is not whole is what has arrived of it."""
    connection = Connection("server", max_size=None)
    header = bytes((first, 0xFF)) + (2**62).to_bytes(8, "big") + MASK
    # So short that numpy is not imported for them: that would count, too.
    assert peak_of(connection, header, b"x" * 100, 1000) < 2**20
