"""The stage for an attack that masking prevents: a bank, an attacker and their visitors (RFC 6455 §10.3).

The proxy itself, which takes for a request whatever looks like one, is in the lesson; ``attack`` gets it as a
function. Everything else is here, on 127.0.0.1 and in this process: two web servers, the attacker's page and
another visitor of the same proxy. What is kept is bounded (`LIMIT`), and so is the time (`BOUND`).
"""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from wslab.frames import Frame, Opcode, encode_frame
from wslab.handshake import build_request, generate_key, judge_request, judge_response
from wslab.http import Headers, Request, RequestReader, Response, ResponseReader
from wslab.lab.views.table import Table, Tabled

__all__ = ["ATTACKERS_SCRIPT", "BANKS_SCRIPT", "Attack", "attack"]

BANKS_SCRIPT = "// the bank's own login script"
ATTACKERS_SCRIPT = "// the attacker's script: sends the password elsewhere"
LIMIT = 2**16  # bytes that are kept of one head, one body, or of what is not a request yet
BOUND = 5.0  # seconds that the whole attack may take

Row = tuple[str, str]
Handler = Callable[[StreamReader, StreamWriter], Awaitable[None]]
Store = dict[str, bytes]
Proxy = Callable[[bytes, Store, Callable[[bytes], Awaitable[bytes]]], Awaitable[tuple[bytes, bytes]]]


class _Visit:
    """One connection to the proxy, which gets whatever the client sends."""

    def __init__(self, proxy: Proxy, store: Store, servers: dict[str, int], seen: list[Row]) -> None:
        self._proxy, self._store, self._servers, self._seen = proxy, store, servers, seen
        self._who = "another visitor" if seen else "attacker's page"
        self._site = ""  # the one that the first request asked for
        self._upstream: tuple[StreamReader, StreamWriter] | None = None  # its server
        self._unread = b""  # what the proxy has not dealt with when it asks a server

    def _skip(self, size: int) -> None:
        if size:
            self._seen.append((self._who, f"{size} bytes that the proxy cannot read"))

    async def _ask(self, head: bytes) -> bytes:
        """Pass a request on to the server to which the first request of this connection led."""
        skipped, _, self._unread = self._unread.partition(head)
        self._skip(len(skipped))
        request = RequestReader().feed(head)
        assert isinstance(request, Request)
        host = request.headers["Host"]
        self._site = self._site or host
        self._upstream = self._upstream or await _dial(self._servers[self._site])
        self._upstream[1].write(head)
        status, answer = await _read_answer(self._upstream[0])
        passed = f"a request for http://{host}{request.path}, passed to {self._site}: {status}"
        self._seen.append((self._who, passed))
        return answer

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Give the proxy what arrives, until the client ends."""
        buffer = b""
        while len(buffer) <= LIMIT and (data := await reader.read(LIMIT)):
            known, asked, self._unread = set(self._store), len(self._seen), buffer + data
            answers, buffer = await self._proxy(self._unread, self._store, self._ask)
            writer.write(answers)
            stored = set(self._store) - known
            self._seen.extend(("the proxy", f"stores the answer as {url}") for url in stored)
            if answers and len(self._seen) == asked:
                self._seen.append((self._who, "a request, answered from the store"))
        self._skip(len(buffer))
        if self._upstream:
            self._upstream[1].close()


async def _dial(port: int) -> tuple[StreamReader, StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, limit=LIMIT)


async def _read_answer(reader: StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    response = ResponseReader().feed(head)
    assert response is not None
    body = await reader.readexactly(min(int(response.headers.get("Content-Length") or 0), LIMIT))
    return response.status, head + body


@asynccontextmanager
async def _listen(make: Callable[[], Handler]) -> AsyncIterator[int]:
    """Listen on 127.0.0.1 with a handler for each connection; yield the port, and wait for all at the end."""
    running: set[asyncio.Task[None]] = set()

    async def run(reader: StreamReader, writer: StreamWriter) -> None:
        running.add(task := asyncio.ensure_future(make()(reader, writer)))
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await asyncio.wait_for(task, BOUND)
        writer.close()

    server = await asyncio.start_server(run, "127.0.0.1", 0, limit=LIMIT)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await asyncio.gather(*running, return_exceptions=True)


def _site(script: str) -> Handler:
    """Make a web server that upgrades when it is asked to, and answers all else with a script."""
    body = script.encode()
    fields = [("Content-Type", "text/javascript"), ("Content-Length", str(len(body)))]
    answer = Response(200, "OK", Headers([*fields, ("Cache-Control", "max-age=31536000")]), body)

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            request = RequestReader().feed(await reader.readuntil(b"\r\n\r\n"))
            if isinstance(request, Request):
                writer.write((judge_request(request) if "Upgrade" in request.headers else answer).encode())

    return serve


async def _page(port: int, frame: bytes) -> None:
    """Do what the attacker's page does: open a WebSocket through the proxy, and send one frame."""
    reader, writer = await _dial(port)
    key = generate_key()
    writer.write(build_request("attacker.example", "/socket", key=key).encode())
    response = ResponseReader().feed(await reader.readuntil(b"\r\n\r\n"))
    judge_response(response or Response.text(502, "no answer\n"), key)
    writer.write(frame)
    writer.write_eof()
    await reader.read()  # until the proxy has seen all of it
    writer.close()


async def _visitor(port: int) -> str:
    """Ask for the bank's script, as another visitor of the same proxy does; return what came."""
    reader, writer = await _dial(port)
    writer.write(b"GET /login.js HTTP/1.1\r\nHost: bank.example\r\n\r\n")
    _, answer = await _read_answer(reader)
    writer.close()
    return answer.partition(b"\r\n\r\n")[2].decode()


@dataclass(frozen=True, slots=True, repr=False)
class Attack(Tabled):
    """How an attack went: what the proxy saw and did, and what the other visitor got.

    Args:
        seen: who sent something, and what the proxy took it for; in order.
        visitor_got: the script that the other visitor was given under the bank's URL.
    """

    seen: tuple[Row, ...]
    visitor_got: str

    def _table(self) -> Table:
        result = f"The other visitor asked for http://bank.example/login.js and got: {self.visitor_got}"
        return Table(("who", "what the proxy sees and does"), self.seen, note=result)


async def attack(proxy: Proxy, payload: bytes, masking_key: bytes) -> Attack:
    """Let a page send a payload through a new proxy, then let another visitor ask for a bank's script.

    Args:
        proxy: gets the bytes of a connection that are not dealt with, the answers that are stored, and a
            coroutine function that asks the server of this connection; returns answers and what is left.
        payload: what the page gave to ``send``, in bytes.
        masking_key: the 4 bytes with which the browser masks it.

    Raises:
        TimeoutError: this machine was too slow, or the proxy never ends.
    """
    frame = encode_frame(Frame(Opcode.BINARY, payload), masking_key)
    store: Store = {}
    seen: list[Row] = []
    bank, attacker = _site(BANKS_SCRIPT), _site(ATTACKERS_SCRIPT)
    async with asyncio.timeout(BOUND), _listen(lambda: bank) as own, _listen(lambda: attacker) as other:
        servers = {"bank.example": own, "attacker.example": other}
        async with _listen(lambda: _Visit(proxy, store, servers, seen).serve) as port:
            await _page(port, frame)
            script = await _visitor(port)
            return Attack(tuple(seen), script)
