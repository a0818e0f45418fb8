"""The stage for an attack that masking prevents: a bank, an attacker and their visitors (RFC 6455 §10.3).

The proxy itself, which takes for a request whatever looks like one, is in the lesson; ``attack`` gets it as a
function. Everything else is here, on 127.0.0.1 and in this process: two web servers, the attacker's page and
another visitor of the same proxy. What is kept is bounded (`LIMIT`), and so is the time (`BOUND`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
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

_HOST = re.compile(rb"^Host:[ \t]*([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_LENGTH = re.compile(rb"^Content-Length:[ \t]*([0-9]{1,6})\r", re.MULTILINE | re.IGNORECASE)

Row = tuple[str, str]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Ask = Callable[[bytes], Awaitable[bytes]]
Store = dict[str, bytes]
Proxy = Callable[[bytes, Store, Ask], Awaitable[tuple[bytes, bytes]]]


class _Visit:
    """One connection of a client to the proxy, and the connection to a server that belongs to it."""

    def __init__(self, proxy: Proxy, store: Store, servers: dict[str, int], seen: list[Row]) -> None:
        self._proxy, self._store, self._servers, self._seen = proxy, store, servers, seen
        self._upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._who, self._site = "another visitor" if seen else "attacker's page", ""
        self._data, self._read = b"", 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Give the proxy what the client sends, until the client ends."""
        buffer = b""
        try:
            while len(buffer) <= LIMIT and (data := await reader.read(LIMIT)):
                known, asked = set(self._store), len(self._seen)
                self._data, self._read = buffer + data, 0
                answers, buffer = await self._proxy(self._data, self._store, self._ask)
                writer.write(answers)
                for url in set(self._store) - known:
                    self._seen.append(("the proxy", f"stores the answer as {url}"))
                if answers and len(self._seen) == asked:
                    self._seen.append((self._who, "a request, answered from the store"))
            self._skip(len(buffer))
        finally:
            if self._upstream:
                self._upstream[1].close()

    def _skip(self, size: int) -> None:
        if size:
            self._seen.append((self._who, f"{size} bytes that the proxy cannot read"))

    async def _ask(self, head: bytes) -> bytes:
        """Pass a request on to the server that this connection was opened to."""
        host = found[1].decode("latin-1") if (found := _HOST.search(head)) else ""
        self._skip((at := self._data.find(head)) - self._read)
        self._read = at + len(head)
        if self._upstream is None:  # the first request says where this connection leads, for good
            if host not in self._servers:
                return Response.text(502, "no such host\n").encode()
            self._site = host
            self._upstream = await asyncio.open_connection("127.0.0.1", self._servers[host], limit=LIMIT)
        reader, writer = self._upstream
        writer.write(head)
        status, answer = await _read_answer(reader)
        path = head.split(b" ")[1].decode("latin-1")
        self._seen.append((self._who, f"a request for http://{host}{path}, passed to {self._site}: {status}"))
        return answer


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    body = await reader.readexactly(min(int(length[1]), LIMIT)) if length else b""
    return int(head.split(b" ")[1]), head + body


@asynccontextmanager
async def _listen(make: Callable[[], Handler]) -> AsyncIterator[int]:
    """Listen on 127.0.0.1 with a handler for each connection; yield the port, and wait for all at the end."""
    running: set[asyncio.Task[None] | None] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(task := asyncio.current_task())
        try:
            async with asyncio.timeout(BOUND):
                await make()(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client went away, took too long, or sent too much: this connection is over
        finally:
            writer.close()
            running.discard(task)

    server = await asyncio.start_server(run, "127.0.0.1", 0, limit=LIMIT)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        if waiting := [task for task in running if task]:
            await asyncio.wait(waiting)


def _site(script: str) -> Handler:
    """Make a web server that upgrades when it is asked to, and answers all else with a script."""
    body = script.encode()
    fields = [("Content-Type", "text/javascript"), ("Content-Length", str(len(body)))]
    answer = Response(200, "OK", Headers([*fields, ("Cache-Control", "max-age=31536000")]), body)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = RequestReader().feed(await reader.readuntil(b"\r\n\r\n"))
            if isinstance(request, Request):
                writer.write((judge_request(request) if "Upgrade" in request.headers else answer).encode())

    return serve


async def _page(port: int, frame: bytes) -> None:
    """Do what the attacker's page does: open a WebSocket through the proxy, and send one frame."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LIMIT)
    try:
        key = generate_key()
        writer.write(build_request("attacker.example", "/socket", key=key).encode())
        response = ResponseReader().feed(await reader.readuntil(b"\r\n\r\n"))
        judge_response(response or Response.text(502, "no answer\n"), key)
        writer.write(frame)
        writer.write_eof()
        while await reader.read(LIMIT):  # until the proxy has seen all of it
            pass
    finally:
        writer.close()


async def _visitor(port: int) -> str:
    """Ask for the bank's script, as another visitor of the same proxy does; return what came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LIMIT)
    try:
        writer.write(b"GET /login.js HTTP/1.1\r\nHost: bank.example\r\n\r\n")
        _, answer = await _read_answer(reader)
        return answer.partition(b"\r\n\r\n")[2].decode()
    finally:
        writer.close()


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
    async with (
        asyncio.timeout(BOUND),
        _listen(lambda: bank) as bank_port,
        _listen(lambda: attacker) as attacker_port,
    ):
        servers = {"bank.example": bank_port, "attacker.example": attacker_port}
        async with _listen(lambda: _Visit(proxy, store, servers, seen).serve) as port:
            await _page(port, frame)
            script = await _visitor(port)
            return Attack(tuple(seen), script)
