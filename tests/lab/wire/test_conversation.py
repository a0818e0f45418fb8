"""The rows of a conversation are right for any two implementations, and show no secret and nothing random."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.peers import CLIENTS, LONG, SERVERS, listening, spy_for_client, websockets_server
from wslab.frames import Frame, Opcode, encode_frame
from wslab.handshake import Request, build_request
from wslab.lab.browser.passage import PROOF
from wslab.lab.wire.conversation import Conversation
from wslab.lab.wire.counts import counted
from wslab.lab.wire.credentials import redact
from wslab.lab.wire.reader import Reader
from wslab.lab.wire.recording import Recording
from wslab.lab.wire.tap import Tap

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
LIMIT = 30.0


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(LIMIT):
            await work

    # The spies note what passes through the methods of a socket: a selector loop calls them, on every system.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(bounded())


def recorded(*passages: tuple[str, bytes]) -> Recording:
    recording = Recording(limit=2**20)
    recording.connections = 1
    for time, (sender, data) in enumerate(passages):
        recording.add(1, sender, "bytes", data, now=float(time))  # type: ignore[arg-type]
    return recording


def read(recording: Recording, *, times: bool = False, tcp: bool = False) -> Conversation:
    return Reader(recording).conversation(times=times, tcp=tcp)


def ask(path: str = "/chat", **fields: str) -> bytes:
    extra = [(name.replace("_", "-"), value) for name, value in fields.items()]
    return build_request("127.0.0.1:8765", path, key=KEY, additional_headers=extra).encode()


def agree(extensions: str = "") -> bytes:
    extra = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{extra}\r\n"
    ).encode()


# -- real peers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("client", CLIENTS)
def test_rows_are_right_and_no_byte_is_altered(client: str, server: str) -> None:
    async def talk() -> None:
        listener = listening()
        caller = spy_for_client()
        async with SERVERS[server](listener), Tap(listener.getsockname()[1]) as tap:
            await CLIENTS[client](caller, tap.port)
            await tap.seen("CLOSE", "server")
            await tap.closed()
            conversation = tap.conversation()
            assert [(row.sender, row.what) for row in conversation] == [
                ("client", "GET /chat"),
                ("server", "101 Switching Protocols"),
                ("client", "TEXT"),
                ("server", "TEXT"),
                ("client", "BINARY"),
                ("server", "BINARY"),
                ("client", "CLOSE"),
                ("server", "CLOSE"),
            ]
            assert [row.error for row in conversation] == [None] * 8
            assert conversation[2].meaning == conversation[3].meaning == '"Hello"'
            assert [row.bytes for row in conversation[2:]] == [11, 7, len(LONG) + 14, len(LONG) + 10, 8, 4]
            (called,) = listener.accepted
            for sender, sent, received in (
                ("client", caller.sent, called.received),
                ("server", called.sent, caller.received),
            ):
                passed = b"".join(p.data for p in tap._recording.passages if p.sender == sender)
                assert len(passed) > len(LONG)
                assert bytes(sent) == passed == bytes(received)
            counts = tap.counts()
            assert (counts.client.heads, counts.client.frames, counts.server.frames) == (1, 3, 3)
            assert counts.client.head_bytes == conversation[0].bytes
            assert counts.client.frame_bytes == sum(row.bytes for row in conversation.sent_by("client")[1:])

    run(talk())


def test_two_runs_show_the_same_although_everything_random_differs() -> None:
    views: set[tuple[str, str, str]] = set()

    async def talk() -> None:
        listener = listening()
        async with websockets_server(listener), Tap(listener.getsockname()[1]) as tap:
            await CLIENTS["websockets"](spy_for_client(), tap.port)
            await tap.closed()
            conversation = tap.conversation()
            views.add((repr(conversation), conversation._repr_html_(), repr(tap.counts())))

    for _ in range(2):
        run(talk())
    assert len(views) == 1


# -- what the rows say --------------------------------------------------------------------------------------


def test_rows_stand_in_the_order_of_their_last_bytes() -> None:
    text = encode_frame(Frame(Opcode.TEXT, b"Hello"), bytes(4))
    recording = recorded(
        ("client", ask()),
        ("server", agree()),
        ("client", text[:3]),
        ("server", b"\x89\x00"),
        ("client", text[3:]),
    )
    conversation = read(recording)
    assert [row.what for row in conversation] == ["GET /chat", "101 Switching Protocols", "PING", "TEXT"]
    assert [row.time for row in conversation] == [0.0, 1000.0, 3000.0, 4000.0]


def test_what_is_not_whole_is_the_last_row_and_says_so() -> None:
    row = read(recorded(("client", ask()), ("server", agree()), ("server", b"\x81\x05He")))[-1]
    assert row.dissection is not None
    assert not row.dissection.complete
    assert "3 more bytes needed" in row.meaning


def test_compressed_messages_are_called_compressed_on_both_sides() -> None:
    data = bytes.fromhex("c107f248cdc9c90700")
    offer = ask(Sec_WebSocket_Extensions="permessage-deflate")
    passages = (
        ("client", offer),
        ("server", agree("permessage-deflate")),
        ("server", data),
        ("client", data),
    )
    for row in read(recorded(*passages))[2:]:
        assert "compressed" in row.meaning
        assert "RSV1" not in (row.error or "")


def test_an_offer_that_was_not_taken_compresses_nothing() -> None:
    offer = ask(Sec_WebSocket_Extensions="permessage-deflate")
    row = read(recorded(("client", offer), ("server", agree()), ("client", b"\xc1\x80\x00\x00\x00\x00")))[-1]
    assert "RSV1 is set" in (row.error or "")


def test_a_refused_client_may_ask_again() -> None:
    refusal = b"HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 2\r\n\r\nno"
    recording = recorded(("client", ask()), ("server", refusal), ("client", ask("/b")), ("server", agree()))
    whats = [row.what for row in read(recording)]
    assert whats == ["GET /chat", "426 Upgrade Required", "body", "GET /b", "101 Switching Protocols"]
    assert counted(Reader(recording)).requests == 2


def test_tcp_and_times_are_shown_only_when_asked_for() -> None:
    recording = recorded(("client", ask()))
    recording.add(1, "client", "FIN", now=2.5)
    recording.add(1, None, "cut", now=3.0)
    assert [row.what for row in read(recording)] == ["GET /chat", "cut"]
    assert [row.what for row in read(recording, tcp=True)] == ["GET /chat", "FIN", "cut"]
    assert "2500" not in repr(read(recording, tcp=True))
    shown = read(recording, tcp=True, times=True)
    for view in (repr(shown), shown._repr_html_()):
        assert "2500.0" in view
        assert "never" in view


def test_several_connections_are_numbered() -> None:
    recording = recorded(("client", ask()))
    recording.add(2, "client", "bytes", ask(), now=5.0)
    assert [row.connection for row in read(recording)] == [1, 2]
    assert "connection" in repr(read(recording)).split("\n")[0]
    assert "connection" not in repr(read(recorded(("client", ask())))).split("\n")[0]


def test_a_long_conversation_is_shown_with_its_middle_left_out() -> None:
    frames = b"".join(encode_frame(Frame(Opcode.TEXT, b"%d" % number)) for number in range(1000))
    conversation = read(recorded(("client", ask()), ("server", agree() + frames)))
    assert len(conversation) == 1002
    for view in (repr(conversation), conversation._repr_html_()):
        assert "802 rows left out" in view
        assert "999" in view
    assert repr(conversation[1:2]).count("\n") == 2


def test_what_came_off_the_wire_is_escaped() -> None:
    frame = encode_frame(Frame(Opcode.TEXT, b"<script>alert(1)</script>"))
    assert "<script" not in read(recorded(("client", ask()), ("server", agree() + frame)))._repr_html_()


def test_nothing_at_all() -> None:
    assert repr(Conversation([])) == "nothing has passed yet"
    assert "nothing" in Conversation([])._repr_html_()


@given(
    st.lists(st.tuples(st.sampled_from(["client", "server"]), st.binary(min_size=1, max_size=60)), max_size=8)
)
def test_any_bytes_give_rows_that_account_for_every_byte(passages: list[tuple[str, bytes]]) -> None:
    conversation = read(recorded(*passages))
    assert sum(row.bytes for row in conversation) == sum(len(data) for _, data in passages)
    assert repr(conversation)
    assert conversation._repr_html_()


# -- credentials --------------------------------------------------------------------------------------------

SECRET = "s3cr3t-Value.1"


@pytest.mark.parametrize(
    "head",
    [
        f"GET /chat HTTP/1.1\r\nCookie: a={SECRET}; b={SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\ncOOKIE:a={SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nCookie : a={SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nCookie: a=b;\r\n c={SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\nCookie: {SECRET}\n\n",
        f"GET /chat HTTP/1.1\r\nAuthorization: Bearer {SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nProxy-Authorization: Basic {SECRET}\r\n\r\n",
        f"GET /chat?token={SECRET} HTTP/1.1\r\n\r\n",
        f"GET /chat?a=b&access_token={SECRET}&c=d HTTP/1.1\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nReferer: http://127.0.0.1/lab?Token={SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nCookie: {SECRET}",
        f"not HTTP at all\r\nCookie: {SECRET}\r\n\r\n",
        f"HTTP/1.1 200 OK\r\nSet-Cookie: a={SECRET}\r\nContent-Length: 0\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nX-Api-Key: {SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nX-XSRFToken: {SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\n{PROOF}: {SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nSec-WebSocket-Protocol: chat, bearer, {SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nSec-WebSocket-Protocol: Bearer,,{SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nSec-WebSocket-Protocol: bearer\r\nsec-websocket-protocol: {SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nSec-WebSocket-Protocol: bearer,\r\n {SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nSec-WebSocket-Protocol: bearer {SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nSec-WebSocket-Protocol: bearer.{SECRET}\r\n\r\n",
        f"GET /chat HTTP/1.1\r\nSec-WebSocket-Protocol: a, base64url.bearer.x.k8s.io.{SECRET}, b\r\n\r\n",
        f"HTTP/1.1 101 OK\r\nSec-WebSocket-Protocol: base64url.bearer.{SECRET}\r\n\r\n",
    ],
)
def test_credentials_are_never_shown(head: str) -> None:
    assert SECRET.encode() not in redact(head.encode())
    conversation = read(
        recorded(("server" if head.startswith("HTTP") else "client", head.encode())), times=True
    )
    (row,) = conversation
    assert row.bytes == len(head)
    assert row.dissection is not None
    views = [repr(conversation), conversation._repr_html_(), repr(row), repr(row.dissection)]
    views += [
        row.dissection._repr_html_(),
        row.dissection.figure().alt,
        "\n".join(map(repr, row.dissection.fields)),
    ]
    assert any("(hidden" in field.value for field in row.dissection.fields)
    for view in views:
        assert SECRET not in view


def test_a_head_without_credentials_stays_as_it_is() -> None:
    offered = ["chat", "base64.binary.k8s.io", "bear"]
    head = Request("/chat?room=tokens", build_request("h", key=KEY, subprotocols=offered).headers).encode()
    assert redact(head) == head


def test_of_a_credential_its_length_is_shown_and_what_stands_around_it() -> None:
    head = b"Cookie: a=b; c=d\r\nSec-WebSocket-Protocol: chat, bearer, %b\r\nX-Api-Key: 1\r\n" % (b"x" * 32)
    assert redact(b"GET / HTTP/1.1\r\n" + head).decode().split("\r\n")[1:] == [
        "Cookie: (hidden, 8 characters)",
        "Sec-WebSocket-Protocol: chat, bearer, (hidden, 32 characters)",
        "X-Api-Key: (hidden, 1 character)",
        "",
    ]


def test_a_handshake_with_a_hidden_credential_has_no_error() -> None:
    request = build_request("h", key=KEY, subprotocols=["bearer", SECRET]).encode()
    (row,) = read(recorded(("client", request)))
    assert row.error is None
    assert row.bytes == len(request)


def test_credentials_are_shown_to_who_asks_for_them() -> None:
    head = f"GET /chat?token={SECRET} HTTP/1.1\r\nCookie: {SECRET}\r\n\r\n".encode()
    conversation = Reader(recorded(("client", head)), secrets=True).conversation()
    assert f"token={SECRET}" in repr(conversation)
    assert repr(conversation[0].dissection).count(SECRET) > 1


def test_the_usual_view_shows_no_key_and_no_port() -> None:
    view = repr(read(recorded(("client", ask()), ("server", agree()))))
    assert not re.search(rf"{KEY}|8765|Accept", view)


def test_freezing_is_one_row_whatever_number_of_connections() -> None:
    recording = recorded(("client", ask()))
    recording.add(0, None, "freeze", now=1.0)
    recording.add(0, "server", "thaw", now=2.0)
    _, freeze, thaw = read(recording)
    assert (freeze.what, freeze.connection, thaw.meaning) == (
        "freeze",
        0,
        "what the server sends passes again",
    )
    assert "connection" not in repr(read(recording)).split("\n")[0]
    assert repr(freeze).startswith("network")
