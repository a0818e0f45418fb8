"""What an operator reads in the log: one line for each refusal and each failure, and no credential."""

from __future__ import annotations

import asyncio
import logging

import pytest

import wslab
from tests.support.aio import UPGRADE, echo, raw, run, until_closed, uri
from wslab import Frame, Headers, Opcode, Request, Response, ServerConnection, encode_frame

Caplog = pytest.LogCaptureFixture


def lines(caplog: Caplog, level: int = logging.INFO) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


def refuse_all(ws: ServerConnection, request: Request) -> Response:
    return ws.respond(403, f"you sent {request.headers.get('Cookie')}\n")


KEY_LINE = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
SECRETS = b"Authorization: SECRET\r\nCookie: a=SECRET\r\nSec-WebSocket-Protocol: bearer, SECRET\r\n"


@pytest.mark.parametrize(
    ("head", "settings", "words"),
    [
        (b"\x16\x03\x01", {}, "refused with 400: this is a TLS handshake"),
        (b"GET /?token=SECRET\r\n", {}, "refused with 400: the first line is no request line"),
        (UPGRADE + b"Cookie SECRET\r\n", {}, "refused with 400: line 7 of the head is not a header field"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + SECRETS + b"\r\n", {}, "refused with 426: this is a WebSocket"),
        (UPGRADE.replace(KEY_LINE, b"") + SECRETS + b"\r\n", {}, "400: header Sec-WebSocket-Key is missing"),
        (UPGRADE + SECRETS + b"\r\n", {"origins": []}, "refused with 403: this Origin is not let in"),
        (UPGRADE + SECRETS + b"\r\n", {"process_request": refuse_all}, "403: process_request answered Forb"),
        (UPGRADE + SECRETS, {"open_timeout": 0.1}, "refused: the opening handshake took longer than 0.1 s"),
    ],
)
def test_a_refused_handshake_is_one_line(caplog: Caplog, head: bytes, settings: dict, words: str) -> None:  # type: ignore[type-arg]
    async def test() -> None:
        async with wslab.serve(echo, **settings) as server:
            await raw(server, head)

    with caplog.at_level(logging.DEBUG, "wslab"):
        run(test())
    (line,) = lines(caplog)
    assert line.startswith("127.0.0.1:")
    assert words in line
    assert "SECRET" not in caplog.text


def test_a_page_is_no_refusal(caplog: Caplog) -> None:
    def page(ws: ServerConnection, request: Request) -> Response:
        return ws.respond(200, "the page\n")

    async def test() -> None:
        async with wslab.serve(echo, process_request=page) as server:
            await raw(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    with caplog.at_level(logging.INFO, "wslab"):
        run(test())
    assert not caplog.records


@pytest.mark.parametrize(
    ("sent", "settings", "words"),
    [
        (b"\x83\x80abcd", {}, "failed with 1002: opcode 0x3 is reserved"),
        (encode_frame(Frame(Opcode.TEXT, b"\xff"), b"abcd"), {}, "failed with 1007: text is not UTF-8"),
        (
            encode_frame(Frame(Opcode.TEXT, b"long"), b"abcd"),
            {"max_size": 3},
            "failed with 1009: frame payload",
        ),
        (b"", {"ping_interval": 0.05, "ping_timeout": 0.05}, "failed with 1011: no pong within 0.05 s"),
    ],
)
def test_a_failed_connection_is_one_line(caplog: Caplog, sent: bytes, settings: dict, words: str) -> None:  # type: ignore[type-arg]
    async def test() -> None:
        async with wslab.serve(until_closed, **settings) as server:
            await raw(server, UPGRADE + b"\r\n" + sent)

    with caplog.at_level(logging.INFO, "wslab"):
        run(test())
    (line,) = lines(caplog)
    assert line.startswith("127.0.0.1:")
    assert words in line


def test_a_handler_that_fails_is_told_with_the_address(caplog: Caplog) -> None:
    async def fail(ws: ServerConnection) -> None:
        raise ZeroDivisionError

    async def test() -> None:
        async with wslab.serve(fail) as server, wslab.connect(uri(server)) as ws:
            await ws.wait_closed()
            assert ws.close_code == 1011

    with caplog.at_level(logging.INFO, "wslab"):
        run(test())
    (line,) = lines(caplog, logging.ERROR)
    assert line.startswith("127.0.0.1:")
    assert line.endswith("handler failed, closing with 1011")


def test_openings_and_closings_are_for_debugging(caplog: Caplog) -> None:
    """What a peer says cannot forge a line."""

    async def test() -> None:
        async with wslab.serve(until_closed) as server, wslab.connect(uri(server, "/?token=SECRET")) as ws:
            await ws.close(4000, "bye\n127.0.0.1:1: open")

    with caplog.at_level(logging.DEBUG, "wslab"):
        run(test())
    told = lines(caplog, logging.DEBUG)
    assert len([line for line in told if line.endswith(": open")]) == 2
    assert len([line for line in told if r": closed: 4000 'bye\n127.0.0.1:1: open'" in line]) == 1
    assert len([line for line in told if ": closed: 4000 " in line]) == 2
    assert not [line for line in told if "\n" in line or "SECRET" in line]
    assert not lines(caplog)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "no connection: the server ended TCP before it had answered"),
        (b"HTTP/1.0 101 Fine\r\n\r\n", "no connection: HTTP/1.0 cannot switch protocols"),
        (b"HTTP/1.1 401 No\r\nContent-Length: 6\r\n\r\nSECRET", "no connection: the server answered 401 No"),
        (b"GET /?token=SECRET HTTP/1.1\r\n", "no connection: the first line is no status line"),
    ],
)
def test_a_client_tells_of_a_refusal_too(caplog: Caplog, answer: bytes, words: str) -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def test() -> None:
        server = await asyncio.start_server(respond, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(wslab.HandshakeError):
            await wslab.connect(f"ws://127.0.0.1:{port}", additional_headers={"Authorization": "SECRET"})
        server.close()
        await server.wait_closed()

    with caplog.at_level(logging.DEBUG, "wslab"):
        run(test())
    (line,) = lines(caplog)
    assert line.startswith("127.0.0.1:")
    assert words in line
    assert "SECRET" not in caplog.text


def test_each_server_and_client_may_have_its_own_logger(caplog: Caplog) -> None:
    mine, adapter = logging.getLogger("mine"), logging.LoggerAdapter(logging.getLogger("yours"), {})

    async def test() -> None:
        async with wslab.serve(echo, origins=[], logger=mine) as server:
            with pytest.raises(wslab.HandshakeError):
                await wslab.connect(uri(server), logger=adapter)

    with caplog.at_level(logging.INFO):
        run(test())
    assert [record.name for record in caplog.records if record.levelno == logging.INFO] == ["mine", "yours"]


def test_a_reason_of_process_request_is_written_as_it_is(caplog: Caplog) -> None:
    def answer(ws: ServerConnection, request: Request) -> Response:
        return Response(503, "Busy", Headers([]))

    async def test() -> None:
        async with wslab.serve(echo, process_request=answer) as server:
            await raw(server, UPGRADE + b"\r\n")

    with caplog.at_level(logging.INFO, "wslab"):
        run(test())
    assert lines(caplog)[0].endswith("refused with 503: process_request answered Busy")
