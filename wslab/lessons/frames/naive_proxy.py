"""A naive caching proxy, imitated, and the attack on it that masking prevents (RFC 6455 §10.3).

The proxy stands between visitors and servers. It reads HTTP requests and knows nothing of ``Upgrade``: behind
a 101 it goes on to look for requests, line by line, and skips what it cannot read. Each request goes to the
server that the connection was opened to; the answer is stored under the host that the *request* names. That
is the fault: who chooses the bytes on the wire chooses whose page is replaced. Proxies that did this were
found on the Internet while the protocol was being written; this is no product, only their reasoning.

``attack`` plays every part on 127.0.0.1 and in this process: the proxy, a bank and an attacker, each with a
server, the attacker's page, and another visitor of the same proxy. Nothing here speaks to any other machine.
What is kept is bounded (`LIMIT`, `STORED`), and so is the time of each connection (`BOUND`). While bytes of
a request are missing, the proxy waits for them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from wslab.frames import Frame, Opcode, encode_frame
from wslab.handshake import build_request, generate_key, judge_request, judge_response
from wslab.http import Headers, Request, RequestReader, Response, ResponseReader
from wslab.lab.views.table import Table

__all__ = ["ATTACKERS_SCRIPT", "BANKS_SCRIPT", "Attack", "NaiveProxy", "Sighting", "attack", "listen"]

BANKS_SCRIPT = "// the bank's own login script"
ATTACKERS_SCRIPT = "// the attacker's script: sends the password elsewhere"
LIMIT = 2**16  # bytes that are kept of one head, one body, or of what is not a request yet
STORED = 100  # answers that the proxy keeps
BOUND = 5.0  # seconds that a connection may take

_REQUEST = re.compile(rb"^GET (/\S*) HTTP/1\.1\r\n(?:[^\r\n]+\r\n)*\r\n", re.MULTILINE)
_HOST = re.compile(rb"^Host:[ \t]*([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_LENGTH = re.compile(rb"^Content-Length:[ \t]*([0-9]{1,6})\r", re.MULTILINE | re.IGNORECASE)

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Sighting(NamedTuple):
    """Hold what the proxy saw on a connection, how many bytes it took, and what it made of them."""

    connection: int
    bytes: int
    taken_for: str
    done: str


class NaiveProxy:
    """Answer requests from the store, or from the server that the connection was opened to.

    Args:
        servers: the port on 127.0.0.1 for each host name.

    Attributes:
        seen: what was seen, in order.
        stored: the answers by URL.
    """

    def __init__(self, servers: Mapping[str, int]) -> None:
        self.seen: list[Sighting] = []
        self.stored: dict[str, bytes] = {}
        self._servers = servers
        self._connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the client ends it: the handler for `listen`."""
        self._connections += 1
        visit = _Visit(self, self._connections, self._servers)
        buffer = b""
        try:
            while len(buffer) <= LIMIT and (data := await reader.read(LIMIT)):
                buffer += data
                while request := _REQUEST.search(buffer):
                    visit.skip(request.start())
                    buffer = buffer[request.end() :]
                    writer.write(await visit.answer(request[0], request[1].decode("latin-1")))
            visit.skip(len(buffer))
        finally:
            visit.end()


class _Visit:
    """One connection of a client, and the connection to a server that belongs to it."""

    def __init__(self, proxy: NaiveProxy, number: int, servers: Mapping[str, int]) -> None:
        self._proxy = proxy
        self._number = number
        self._servers = servers
        self._site = ""
        self._upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def skip(self, size: int) -> None:
        """Note bytes that are no request."""
        if size:
            self._note(size, "nothing that it can read", "skips it")

    async def answer(self, head: bytes, path: str) -> bytes:
        """Give the answer to a request, and store it under the URL that the request names."""
        host = found[1].decode("latin-1") if (found := _HOST.search(head)) else ""
        url = f"http://{host}{path}"
        if url in self._proxy.stored:
            self._note(len(head), f"a request for {url}", "answers from its store")
            return self._proxy.stored[url]
        if self._upstream is None:  # the first request tells where this connection leads, for good
            if host not in self._servers:
                self._note(len(head), f"a request for {url}", "knows no such host: 502")
                return Response.text(502, "no such host\n").encode()
            self._site = host
            self._upstream = await asyncio.open_connection("127.0.0.1", self._servers[host], limit=LIMIT)
        reader, writer = self._upstream
        writer.write(head)
        status, answer = await _read_answer(reader)
        keep = status == 200 and len(self._proxy.stored) < STORED
        if keep:
            self._proxy.stored[url] = answer
        stored = f"; stores the answer as {url}" if keep else ""
        self._note(len(head), f"a request for {url}", f"asks {self._site}: {status}{stored}")
        return answer

    def end(self) -> None:
        """Close the connection to the server."""
        if self._upstream:
            self._upstream[1].close()

    def _note(self, size: int, taken_for: str, done: str) -> None:
        self._proxy.seen.append(Sighting(self._number, size, taken_for, done))


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    body = await reader.readexactly(min(int(length[1]), LIMIT)) if length else b""
    return int(head.split(b" ")[1]), head + body


# -- the parts of the play ----------------------------------------------------------------------------------


@asynccontextmanager
async def listen(handler: Handler) -> AsyncIterator[int]:
    """Listen on 127.0.0.1 with a handler for each connection; give the port, and wait for all at the end."""
    running: set[asyncio.Task[None] | None] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(task := asyncio.current_task())
        try:
            async with asyncio.timeout(BOUND):
                await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the other end went away, took too long, or sent too much: this connection is over
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

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = RequestReader().feed(await reader.readuntil(b"\r\n\r\n"))
            if isinstance(request, Request):
                upgrade = "Upgrade" in request.headers
                writer.write((judge_request(request) if upgrade else _script(script)).encode())

    return serve


def _script(script: str) -> Response:
    body = script.encode()
    fields = [("Content-Type", "text/javascript"), ("Content-Length", str(len(body)))]
    return Response(200, "OK", Headers([*fields, ("Cache-Control", "max-age=31536000")]), body)


async def _page(port: int, frame: bytes) -> None:
    """Be the attacker's page: open a WebSocket connection through the proxy, and send one frame."""
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
    """Be another visitor of the same proxy: ask for the bank's script, and give what came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LIMIT)
    try:
        writer.write(b"GET /login.js HTTP/1.1\r\nHost: bank.example\r\n\r\n")
        _, answer = await _read_answer(reader)
        return answer.partition(b"\r\n\r\n")[2].decode()
    finally:
        writer.close()


@dataclass(frozen=True, slots=True, repr=False)
class Attack:
    """Hold how an attack went; shows itself as a table of what the proxy saw.

    Args:
        seen: what the proxy saw; connection 1 is the attacker's page, connection 2 the other visitor.
        visitor_got: the script that the other visitor was given under the bank's URL.
    """

    seen: tuple[Sighting, ...]
    visitor_got: str

    def _table(self) -> Table:
        who = {1: "attacker's page", 2: "another visitor"}
        rows = [(who[s.connection], str(s.bytes), s.taken_for, s.done) for s in self.seen]
        got = f"The other visitor asked for http://bank.example/login.js and got: {self.visitor_got}"
        return Table(("sent by", "bytes", "the proxy takes it for", "and"), rows, got)

    def __repr__(self) -> str:
        return repr(self._table())

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()


async def attack(payload: bytes, masking_key: bytes) -> Attack:
    """Let a page send a payload through a new naive proxy, then let another visitor ask for a bank's script.

    Args:
        payload: what the page gave to ``send``, in bytes.
        masking_key: the 4 bytes with which the browser masks it.

    Raises:
        TimeoutError: this machine was too slow.

    >>> asyncio.run(attack(b"Hello", bytes(4))).visitor_got
    "// the bank's own login script"
    """
    frame = encode_frame(Frame(Opcode.BINARY, payload), masking_key)
    bank, attacker = _site(BANKS_SCRIPT), _site(ATTACKERS_SCRIPT)
    async with asyncio.timeout(BOUND), listen(bank) as bank_port, listen(attacker) as attacker_port:
        proxy = NaiveProxy({"bank.example": bank_port, "attacker.example": attacker_port})
        async with listen(proxy.serve) as port:
            await _page(port, frame)
            script = await _visitor(port)
            return Attack(tuple(proxy.seen), script)
