"""The tunnel, over a real Jupyter server: what crosses it unchanged, what stays behind, who may not pass."""

import asyncio
import contextlib
import functools
import json
import os
import re
import secrets
import shutil
import socket
import ssl
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, ParamSpec

import pytest
from playwright.async_api import async_playwright
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.typing import Origin, Subprotocol

from tests.support.jupyter_process import BASE_URL, JupyterProcess, run_jupyter
from tests.support.ports import draw
from wslab.lab.browser import tunnel
from wslab.lab.browser.passage import PREFIX_VARIABLE, PROOF, draw_prefix, proof

P = ParamSpec("P")
Handler = Callable[[ServerConnection], Awaitable[None]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def network(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test that is a coroutine, and fail it if it waits for ever."""

    @functools.wraps(test)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        async def limited() -> None:
            async with asyncio.timeout(30):
                await test(*args, **kwargs)

        asyncio.run(limited())

    return wrapper


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterProcess]:
    with run_jupyter(tmp_path_factory.mktemp("jupyter")) as server:
        assert server.prefix  # asked of a kernel here: its start is not within the limit of a test
        yield server


@pytest.fixture
def over_tls(tmp_path: Path) -> Iterator[JupyterProcess]:
    """A Jupyter server that serves TLS and trusts every origin."""
    if not shutil.which("openssl"):
        pytest.skip("openssl, which makes the certificate, is not installed")
    with run_jupyter(tmp_path, tls=True, options=["--ServerApp.allow_origin=*"]) as server:
        assert server.prefix
        yield server


@contextlib.asynccontextmanager
async def lesson(handler: Handler, **settings: Any) -> AsyncIterator[int]:
    async with serve(handler, "127.0.0.1", 0, **settings) as server:
        yield next(iter(server.sockets)).getsockname()[1]


@contextlib.asynccontextmanager
async def raw_lesson(handler: RawHandler) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def open_through(jupyter: JupyterProcess, port: int, path: str = "/", **settings: Any) -> connect:
    """Connect as a page of Jupyter's own origin would."""
    settings.setdefault("origin", Origin(jupyter.origin))
    return connect(jupyter.address(port, path), ssl=jupyter.tls, proxy=None, **settings)


async def echo(ws: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for message in ws:
            await ws.send(message)


def head_of(path: str, jupyter: JupyterProcess, *headers: str) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{jupyter.port}",
        f"Authorization: token {jupyter.token}",
    ]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


HANDSHAKE = (
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n\r\n"
)


# What crosses unchanged


@pytest.mark.parametrize("compression", ["deflate", None])
@network
async def test_carries_text_binary_empty_and_long_messages(
    jupyter: JupyterProcess, compression: str | None
) -> None:
    messages: list[str | bytes] = [
        "Grüße, 世界",
        b"\x00\xff" * 10,
        "",
        b"",
        secrets.token_bytes(2**20),
        "x" * 2**20,
    ]
    async with (
        lesson(echo, max_size=2**22, compression=compression) as port,
        open_through(jupyter, port, max_size=2**22, compression=compression) as ws,
    ):
        for message in messages:
            await ws.send(message)
        assert [await ws.recv() for _ in messages] == messages


CODES = [
    (1000, "done"),
    (1001, "going"),
    (1008, "policy"),
    (1011, "oh"),
    (3000, "ünïcode"),
    (4001, "x" * 123),
]


@pytest.mark.parametrize(("code", "reason"), CODES)
@network
async def test_carries_close_codes_of_the_server(jupyter: JupyterProcess, code: int, reason: str) -> None:
    async def handler(ws: ServerConnection) -> None:
        await ws.close(code, reason)

    async with lesson(handler) as port, open_through(jupyter, port) as ws:
        await ws.wait_closed()
        assert ws.protocol.close_rcvd == Close(code, reason)


@pytest.mark.parametrize(("code", "reason"), CODES)
@network
async def test_carries_close_codes_of_the_browser(jupyter: JupyterProcess, code: int, reason: str) -> None:
    seen = asyncio.get_running_loop().create_future()

    async def handler(ws: ServerConnection) -> None:
        await ws.wait_closed()
        seen.set_result((ws.protocol.close_rcvd, ws.protocol.close_rcvd_then_sent))

    async with lesson(handler) as port, open_through(jupyter, port) as ws:
        await ws.close(code, reason)
        assert await seen == (Close(code, reason), True)
        assert ws.protocol.close_rcvd == Close(code, reason)


def browse_over_tls(sock: socket.socket, context: ssl.SSLContext, head: bytes) -> bytes:
    """Send `head`, read to the end of the stream, answer: an SSLSocket could not do the last."""
    incoming, outgoing, got = ssl.MemoryBIO(), ssl.MemoryBIO(), b""
    tls = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    while tls.version() is None:
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        sock.sendall(outgoing.read())
        if tls.version() is None:
            incoming.write(sock.recv(65536))
    tls.write(head)
    sock.sendall(outgoing.read())
    while data := sock.recv(65536):
        incoming.write(data)
    with contextlib.suppress(ssl.SSLWantReadError):
        while True:
            got += tls.read(65536)
    tls.write(b"the answer")
    sock.sendall(outgoing.read())
    return got


async def answer_after_the_end(jupyter: JupyterProcess) -> None:
    """Have a server end its stream after a Close, and the browser answer it then. Its end is half the end."""
    answer = asyncio.get_running_loop().create_future()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCH + Frame(Opcode.CLOSE, Close(1009, "").serialize()).serialize(mask=False))
        writer.write_eof()
        answer.set_result(await reader.read())
        writer.close()

    def browse(head: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", jupyter.port), timeout=20) as sock:
            if jupyter.tls:
                return browse_over_tls(sock, jupyter.tls, head)
            sock.sendall(head)
            got = b"".join(iter(lambda: sock.recv(65536), b""))
            sock.sendall(b"the answer")
            return got

    async with raw_lesson(handler) as port:
        head = head_of(f"{jupyter.prefix}{port}/", jupyter, *HANDSHAKE)
        assert (await asyncio.to_thread(browse, head)).endswith(b"\x88\x02\x03\xf1")
        assert await answer == b"the answer"


@network
async def test_answers_a_close_after_the_server_has_ended_its_stream(jupyter: JupyterProcess) -> None:
    await answer_after_the_end(jupyter)


@network
async def test_a_close_survives_what_the_browser_still_sends(jupyter: JupyterProcess) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCH + b"\x88\x02\x03\xf1")
        writer.close()  # both directions: what comes now is answered with RST

    async with raw_lesson(handler) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
        writer.write(head_of(f"{jupyter.prefix}{port}/", jupyter, *HANDSHAKE))
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(64):
            writer.write(bytes(2**16))
            await writer.drain()
        assert await reader.read() == b"\x88\x02\x03\xf1"
        writer.close()
        await writer.wait_closed()


@network
async def test_shows_the_subprotocol_that_the_server_chose(jupyter: JupyterProcess) -> None:
    offer = [Subprotocol("first"), Subprotocol("second")]
    async with (
        lesson(echo, subprotocols=[Subprotocol("second")]) as port,
        open_through(jupyter, port, subprotocols=offer) as ws,
    ):
        assert ws.subprotocol == "second"


@network
async def test_a_refused_handshake_never_opens(jupyter: JupyterProcess) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(403, "not today\n")

    async with lesson(echo, process_request=refuse) as port:
        with pytest.raises(InvalidStatus) as refused:
            await open_through(jupyter, port)
    assert refused.value.response.status_code == 403
    assert refused.value.response.body == b"not today\n"


def reset(ws: ServerConnection | ClientConnection) -> None:
    """End the TCP connection with RST."""
    sock: socket.socket = ws.transport.get_extra_info("socket")
    sock.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
    )
    ws.transport.abort()


@network
async def test_an_abort_of_the_server_gives_1006(jupyter: JupyterProcess) -> None:
    async def handler(ws: ServerConnection) -> None:
        reset(ws)

    async with lesson(handler) as port, open_through(jupyter, port) as ws:
        await ws.wait_closed()
        assert ws.close_code == 1006


@network
async def test_an_abort_of_the_browser_gives_1006(jupyter: JupyterProcess) -> None:
    seen = asyncio.get_running_loop().create_future()

    async def handler(ws: ServerConnection) -> None:
        await ws.wait_closed()
        seen.set_result(ws.close_code)

    async with lesson(handler) as port, open_through(jupyter, port) as ws:
        reset(ws)
        assert await seen == 1006


@network
async def test_the_last_words_of_the_browser_survive_what_the_server_still_sends(
    jupyter: JupyterProcess,
) -> None:
    heard = asyncio.get_running_loop().create_future()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCH)
        listening = asyncio.ensure_future(reader.read())
        while not listening.done():
            writer.write(bytes(2**16))
            await writer.drain()  # raises if the connection was reset
            await asyncio.sleep(0)
        heard.set_result(await listening)
        writer.close()

    async with raw_lesson(handler) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
        writer.write(head_of(f"{jupyter.prefix}{port}/", jupyter, *HANDSHAKE))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"last words")
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            await drink(reader, TOTAL)
        assert await heard == b"last words"
        writer.close()


TOTAL = 64 * 2**20  # bytes; more than all the socket buffers on the way


async def fill(writer: asyncio.StreamWriter) -> int:
    """Send until nothing has moved for a while; return how much was taken."""
    sent, block = 0, bytes(2**18)
    writer.transport.set_write_buffer_limits(high=0)
    while sent < TOTAL:
        writer.write(block)
        sent += len(block)
        try:
            async with asyncio.timeout(0.5):
                await writer.drain()
        except TimeoutError:
            break
    return sent


async def drink(reader: asyncio.StreamReader, size: int) -> int:
    taken = 0
    while taken < size and (data := await reader.read(2**20)):
        taken += len(data)
    return taken


@pytest.mark.parametrize("sender", ["server", "browser"])
@network
async def test_backpressure_crosses(jupyter: JupyterProcess, sender: str) -> None:
    streams: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCH)
        streams.put_nowait((reader, writer))

    async with raw_lesson(handler) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
        writer.write(head_of(f"{jupyter.prefix}{port}/", jupyter, *HANDSHAKE))
        await reader.readuntil(b"\r\n\r\n")
        server_reader, server_writer = await streams.get()
        source, target = (server_writer, reader) if sender == "server" else (writer, server_reader)
        sent = await fill(source)
        assert sent < TOTAL  # stopped, although the tunnel itself could have held it all
        assert await drink(target, sent) == sent
        writer.close()
        server_writer.close()


@network
async def test_bytes_right_behind_the_request_head_are_not_lost(jupyter: JupyterProcess) -> None:
    async with lesson(echo) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
        frame = Frame(Opcode.TEXT, b"early").serialize(mask=True)
        writer.write(head_of(f"{jupyter.prefix}{port}/", jupyter, *HANDSHAKE) + frame)
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(7) == b"\x81\x05early"
        writer.close()


@network
async def test_a_page_is_streamed_as_it_comes(jupyter: JupyterProcess) -> None:
    more = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await more.wait()
        writer.write(b"data: 2\n\n")
        writer.close()

    async with raw_lesson(handler) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
        writer.write(head_of(f"{jupyter.prefix}{port}/events", jupyter))
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readuntil(b"\n\n") == b"data: 1\n\n"
        more.set()
        assert await reader.read() == b"data: 2\n\n"
        writer.close()


@pytest.mark.parametrize("moment", ["before the answer", "after the answer"])
@network
async def test_nothing_is_left_when_the_browser_goes(jupyter: JupyterProcess, moment: str) -> None:
    waiting, ended = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if moment == "after the answer":
            writer.write(SWITCH)
        waiting.set()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        ended.set()  # and this server never closes its side

    async with raw_lesson(handler) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
        writer.write(head_of(f"{jupyter.prefix}{port}/", jupyter, *HANDSHAKE))
        await waiting.wait()
        writer.close()
        await ended.wait()


# What stays behind


@pytest.mark.parametrize("upgrade", [False, True])
@network
async def test_no_credential_reaches_the_server_of_the_lesson(jupyter: JupyterProcess, upgrade: bool) -> None:
    heads: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    secret = jupyter.token
    headers = [
        f"Cookie: username-127-0-0-1={secret}; _xsrf={secret}",
        f"Cookie: another={secret}",
        f"Proxy-Authorization: Basic {secret}",
        f"X-XSRFToken: {secret}",
        f"X-Forwarded-Access-Token: {secret}",
        f"Referer: http://127.0.0.1:{jupyter.port}{BASE_URL}lab?token={secret}",
        f"Origin: {jupyter.origin}",
        "User-Agent: test",
        f"{PROOF}: forged",
        "TE: trailers",
    ]
    headers += HANDSHAKE if upgrade else ("Connection: keep-alive, Cookie", "Keep-Alive: timeout=5")
    query = f"a=%31&token={secret}&%74o%6Ben={secret}&b&%20token+={secret}&TOKEN={secret}&_xsrf={secret}&c=2"
    async with raw_lesson(handler) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
        writer.write(head_of(f"{jupyter.prefix}{port}/p/%C3%BC?{query}", jupyter, *headers))
        assert (await reader.read()).startswith(b"HTTP/1.1 204 ")
        writer.close()
    [head] = heads
    assert secret.encode() not in head
    line, *fields = head.decode().removesuffix("\r\n\r\n").split("\r\n")
    assert line == "GET /p/%C3%BC?a=%31&b&c=2 HTTP/1.1"
    expected = {f"Host: 127.0.0.1:{jupyter.port}", f"Origin: {jupyter.origin}", "User-Agent: test"}
    expected |= {f"{PROOF}: {proof(jupyter.prefix)}"}
    expected |= {"Connection: Upgrade", *HANDSHAKE[1:]} if upgrade else {"Connection: close"}
    assert set(fields) == expected
    assert len(fields) == len(expected)


@network
async def test_the_next_request_of_the_browser_is_not_for_the_lesson(jupyter: JupyterProcess) -> None:
    got = asyncio.get_running_loop().create_future()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")  # this server ignores Connection: close and promises more
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=9\r\n"
            b"Content-Length: 2\r\n\r\nok"
        )
        got.set_result(await reader.read())
        writer.close()

    async with raw_lesson(handler) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
        writer.write(head_of(f"{jupyter.prefix}{port}/", jupyter))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
        writer.write(head_of(f"{BASE_URL}api/contents", jupyter, "Cookie: secret"))
        writer.write_eof()
        assert await got == b""
        writer.close()


LASTING = (
    b"Set-Cookie: a=b\r\nset-cookie:c=d\r\nSet-Cookie2: e\r\nService-Worker-Allowed: /\r\n"
    b'CLEAR-SITE-DATA: "*"\r\nAlt-Svc: h3=":9"\r\nStrict-Transport-Security: max-age=9\r\nNEL: {}\r\n'
    b'Report-To: {}\r\nAccept-CH: DPR\r\nSet-Login: logged-in\r\nUse-As-Dictionary: match="/*"\r\n'
    b"Sec-Session-Registration: (ES256)\r\nSecure-Session-Registration: (ES256)\r\n"
    b'WWW-Authenticate: Basic realm="Jupyter"\r\n'
)


@pytest.mark.parametrize("upgrade", [False, True])
@network
async def test_nothing_comes_back_that_outlives_the_lesson(jupyter: JupyterProcess, upgrade: bool) -> None:
    answer = SWITCH if upgrade else b"HTTP/1.1 200 OK\r\n\r\n"

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer[:-2] + b"X-A: 1\r\n" + LASTING + b"X-B: 2\r\n\r\nrest")
        writer.close()

    async with raw_lesson(handler) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
        writer.write(head_of(f"{jupyter.prefix}{port}/", jupyter, *(HANDSHAKE if upgrade else ())))
        kept = b"X-A: 1\r\nX-B: 2\r\n" + (b"" if upgrade else b"Connection: close\r\n")
        assert await reader.read() == answer[:-2] + kept + b"\r\nrest"
        writer.close()


@network
async def test_upgrade_is_a_list_of_protocols(jupyter: JupyterProcess) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCH)
        writer.close()

    async with raw_lesson(handler) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
        offer = (HANDSHAKE[0], "Upgrade: h2c, WebSocket", *HANDSHAKE[2:])
        writer.write(head_of(f"{jupyter.prefix}{port}/", jupyter, *offer))
        assert await reader.read() == SWITCH
        writer.close()


@pytest.mark.parametrize("field", ["Service-Worker: script", "Sec-Fetch-Dest: serviceworker"])
@network
async def test_no_service_worker_gets_its_script(jupyter: JupyterProcess, field: str) -> None:
    """It would answer every request of the browser to Jupyter from then on."""
    async with lesson(echo) as port:
        status, _, _ = await asyncio.to_thread(
            jupyter.request, "GET", f"{jupyter.prefix}{port}/worker.js", dict([field.split(": ")])
        )
        assert status == 403


@network
async def test_a_path_cannot_inject_a_header(jupyter: JupyterProcess) -> None:
    heads: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    async with raw_lesson(handler) as port:
        for target in ("/a%20HTTP/1.1%0d%0aCookie:%20x", "/a?b=%0d%0aCookie:%20x"):
            reader, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
            writer.write(head_of(f"{jupyter.prefix}{port}{target}", jupyter))
            assert (await reader.read()).startswith(b"HTTP/1.1 204 ")
            assert heads[-1].startswith(f"GET {target} HTTP/1.1\r\n".encode())
            writer.close()
        for field in ("Accept: a\rCookie: x", "Accept: a\x00b", "Accept: a\x0bb"):
            reader, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
            writer.write(head_of(f"{jupyter.prefix}{port}/", jupyter, field))
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
            writer.close()
    assert len(heads) == 2


# Who may not pass


@network
async def test_refuses_who_shows_no_token(jupyter: JupyterProcess) -> None:
    async with lesson(echo) as port:
        for token in ("wrong", ""):
            status, _, body = await asyncio.to_thread(
                jupyter.request, "GET", f"{jupyter.prefix}{port}/", None, token
            )
            assert (status, body[:12]) == (403, b"This address")
        address = jupyter.address(port).partition("?")[0]
        with pytest.raises(InvalidStatus, match="403"):
            await connect(address, origin=Origin(jupyter.origin), proxy=None)


def login_cookie(jupyter: JupyterProcess) -> str:
    _, headers, _ = jupyter.request("GET", f"{BASE_URL}api/status?token={jupyter.token}", token="")
    return headers["set-cookie"].partition(";")[0]


@network
async def test_only_pages_of_its_own_origin_open_a_socket(jupyter: JupyterProcess) -> None:
    async with lesson(echo) as port:
        cookie = {"Cookie": login_cookie(jupyter)}
        without_token = jupyter.address(port).partition("?")[0]
        for origin in (
            "https://example.org",
            "",
            "null",
            "*",
            f"{jupyter.origin}1",
            f"{jupyter.origin}, null",
        ):
            for address, headers in ((without_token, cookie), (jupyter.address(port), {})):
                with pytest.raises(InvalidStatus, match="403"):
                    await connect(address, origin=Origin(origin), additional_headers=headers, proxy=None)
        async with connect(
            without_token, origin=Origin(jupyter.origin), additional_headers=cookie, proxy=None
        ):
            pass
        async with connect(jupyter.address(port), proxy=None):  # a script, which holds the token itself
            pass
        with pytest.raises(InvalidStatus, match="403"):  # a cookie that comes without an Origin
            await connect(without_token, additional_headers=cookie, proxy=None)


@network
async def test_pages_of_other_sites_cannot_include_what_is_behind_the_tunnel(jupyter: JupyterProcess) -> None:
    async with lesson(echo) as port:
        for site, expected in (("cross-site", 403), ("same-site", 403), ("same-origin", 426), ("none", 426)):
            status, _, _ = await asyncio.to_thread(
                jupyter.request, "GET", f"{jupyter.prefix}{port}/", {"Sec-Fetch-Site": site}
            )
            assert status == expected


@pytest.mark.parametrize("port", ["0", "22", "1023", "65536", "99999", "own"])
def test_refuses_ports_that_are_not_of_lessons(jupyter: JupyterProcess, port: str) -> None:
    number = str(jupyter.port) if port == "own" else port
    status, _, body = jupyter.request("GET", f"{jupyter.prefix}{number}/")
    assert status == 404
    assert body == b"The tunnel leads to ports 1024 to 65535, and not to Jupyter's own.\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_refuses_methods_other_than_get(jupyter: JupyterProcess, method: str) -> None:
    status, headers, body = jupyter.request(method, f"{jupyter.prefix}8765/")
    assert (status, headers["allow"]) == (405, "GET")
    assert body == (b"" if method == "HEAD" else b"The tunnel knows only GET.\n")
    assert jupyter.request(method, f"{jupyter.prefix}8765/", token="")[0] == 405


@network
async def test_a_dead_port_is_told_in_a_sentence(jupyter: JupyterProcess) -> None:
    port = draw()
    path = f"{jupyter.prefix}{port}/%3Cscript%3E"
    status, headers, body = await asyncio.to_thread(jupyter.request, "GET", path)
    assert (status, headers["content-type"]) == (502, "text/plain; charset=utf-8")
    assert body.decode() == (
        "Nothing on this port answers HTTP. Run the cell that starts the server, then load this page again.\n"
    )
    with pytest.raises(InvalidStatus, match="502"):
        await open_through(jupyter, port)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"220 mail ESMTP\r\n\r\n",
        SWITCH,
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"x" * 300_000,
        b"HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: a=b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSet-Cookie : a=b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: b\r\n Set-Cookie: a=b\r\n\r\n",
        b"HTTP/1.1 200 OK\rSet-Cookie: a=b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: b\0Set-Cookie: a=b\r\n\r\n",
    ],
    ids=[
        "nothing",
        "not HTTP",
        "101 unasked",
        "interim",
        "endless head",
        "CR",
        "blank",
        "fold",
        "first",
        "NUL",
    ],
)
@network
async def test_what_is_no_answer_gives_502(jupyter: JupyterProcess, answer: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if len(answer) > 200_000:
            await reader.read()  # waits for the tunnel to give up
        writer.close()

    async with raw_lesson(handler) as port:
        status, _, _ = await asyncio.to_thread(jupyter.request, "GET", f"{jupyter.prefix}{port}/")
        assert status == 502


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n"], ids=["nothing", "half a head"])
@network
async def test_a_server_that_never_answers_is_given_up_on(
    monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    """Else a browser that went away unnoticed would leave two sockets for as long as the server lives."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await reader.read()  # the end of the tunnel's stream
        writer.close()

    monkeypatch.setattr(tunnel, "ANSWER_TIMEOUT", 0.05)
    async with raw_lesson(handler) as port:
        with socket.socket() as back:
            back.setblocking(False)
            with pytest.raises(TimeoutError):
                await tunnel.ask(back, port, b"GET / HTTP/1.1\r\n\r\n")


@pytest.mark.parametrize("end", [b"\r\n\r\n", b"\n\n", b"\r\n\n"])
@network
async def test_a_head_may_arrive_byte_by_byte(end: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-A: 1" + end

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in head:
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        await reader.read()
        writer.close()

    async with raw_lesson(handler) as port:
        with socket.socket() as back:
            back.setblocking(False)
            assert await tunnel.ask(back, port, b"GET / HTTP/1.1\r\n\r\n") == (head, b"")


# As a real browser sees it

PAGE = """<!doctype html><meta charset="utf-8"><title>page of the lesson</title><script>
function converse(path, sayFirst) {
  return new Promise(resolve => {
    const seen = {opened: false};
    const ws = new WebSocket(new URL(path, location.href.replace("http", "ws")), ["first", "second"]);
    ws.onopen = () => { seen.opened = true; seen.protocol = ws.protocol; if (sayFirst) ws.send(sayFirst); };
    ws.onmessage = event => { seen.message = event.data; };
    ws.onclose = event => resolve({...seen, code: event.code, reason: event.reason, clean: event.wasClean});
  });
}
</script>"""


@pytest.mark.browser
@network
async def test_chromium_sees_what_the_server_sent(jupyter: JupyterProcess, chromium: str) -> None:
    requests: list[Request] = []

    async def handler(ws: ServerConnection) -> None:
        assert ws.request
        if ws.request.path == "/abort":
            reset(ws)
        elif ws.request.path == "/close":
            await ws.send(await ws.recv())
            await ws.close(4001, "grüß Gott")

    def pages(connection: ServerConnection, request: Request) -> Response | None:
        requests.append(request)
        if request.path == "/page.html":
            response = connection.respond(200, PAGE)
            response.headers["Content-Type"] = "text/html; charset=utf-8"
            return response
        return connection.respond(403, "") if request.path == "/refuse" else None

    settings: dict[str, Any] = {"process_request": pages, "subprotocols": [Subprotocol("second")]}
    async with lesson(handler, **settings) as port, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        page = await browser.new_page()
        await page.goto(f"{jupyter.origin}{BASE_URL}api/status?token={jupyter.token}")  # logs in
        await page.goto(f"{jupyter.origin}{jupyter.prefix}{port}/page.html")
        assert await page.evaluate("converse('close', 'Hello')") == {
            "opened": True,
            "protocol": "second",
            "message": "Hello",
            "code": 4001,
            "reason": "grüß Gott",
            "clean": True,
        }
        aborted = await page.evaluate("converse('abort')")
        assert aborted == {"opened": True, "protocol": "second", "code": 1006, "reason": "", "clean": False}
        for path in ("refuse", f"../{jupyter.port}/"):
            refused = await page.evaluate(f"converse('{path}')")
            assert refused == {"opened": False, "code": 1006, "reason": "", "clean": False}
        register = (
            "navigator.serviceWorker.register('worker.js').then(() => 'registered', error => error.name)"
        )
        assert await page.evaluate(register) in ("SecurityError", "TypeError")
        await browser.close()
    assert [request.path for request in requests] == ["/page.html", "/close", "/abort", "/refuse"]
    for request in requests:
        assert "Cookie" not in request.headers
        assert jupyter.token not in str(request)


# The Jupyter server around it


@network
async def test_traffic_is_reported_as_activity(jupyter: JupyterProcess) -> None:
    async def last_activity() -> str:
        _, _, body = await asyncio.to_thread(jupyter.request, "GET", f"{BASE_URL}api/status")
        return str(json.loads(body)["last_activity"])

    async with lesson(echo) as port, open_through(jupyter, port) as ws:
        before = await last_activity()
        assert await last_activity() == before  # asking does not count
        await ws.send("still here")
        await ws.recv()
        assert await last_activity() > before


@network
async def test_crosses_a_jupyter_server_that_serves_tls_and_trusts_every_origin(
    over_tls: JupyterProcess,
) -> None:
    async def handler(ws: ServerConnection) -> None:
        await ws.send(await ws.recv())
        await ws.close(4001, "seen")

    message = secrets.token_bytes(2**20)
    async with lesson(handler, max_size=2**22) as port:
        async with open_through(over_tls, port, max_size=2**22) as ws:
            await ws.send(message)
            assert await ws.recv() == message
            await ws.wait_closed()
            assert ws.protocol.close_rcvd == Close(4001, "seen")
        with pytest.raises(InvalidStatus, match="403"):
            await open_through(over_tls, port, origin=Origin("https://example.org"))
    await answer_after_the_end(over_tls)


def test_only_kernels_know_where_the_tunnel_is(jupyter: JupyterProcess) -> None:
    """The segment is new for each start, and the log does not hold it."""
    assert re.fullmatch(re.escape(f"{BASE_URL}wslab/") + "[-_0-9A-Za-z]{22}/", jupyter.prefix)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for guess in ("", "x" * 22 + "/", jupyter.prefix.split("/")[-2].swapcase() + "/"):
            assert jupyter.request("GET", f"{BASE_URL}wslab/{guess}{port}/a")[0] == 404
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_each_start_draws_another_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX_VARIABLE, "/of/the/jupyter/around/this/one/")
    prefixes = {draw_prefix("/") for _ in range(10)}
    assert len(prefixes) == 10
    assert os.environ[PREFIX_VARIABLE] in prefixes


def test_the_log_of_jupyter_names_no_token_and_no_fault(jupyter: JupyterProcess) -> None:
    assert [line for line in jupyter.log if "wslab tunnel is open" in line]
    assert not [line for line in jupyter.log if jupyter.token in line and "wslab" in line]
    assert not [line for line in jupyter.log if re.search("Traceback|Uncaught|Exception", line)]
