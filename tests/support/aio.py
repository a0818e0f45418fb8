"""What tests of connections share: a bounded run, servers to talk to, bytes to send, and what to look for."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal

import wslab
from wslab import (
    Connection,
    Failure,
    ServerConnection,
)

Test = Callable[[], Awaitable[None]]


class Assertions(logging.Handler):
    """Collect the assertions that failed in handlers: a server only logs what its handlers raise."""

    def __init__(self) -> None:
        super().__init__()
        self.failed: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and isinstance(record.exc_info[1], AssertionError):
            self.failed.append(record.exc_info[1])


def run(test: Awaitable[None], seconds: float = 30) -> None:
    """Run a test within a time that no correct run needs, and check that it leaves no task behind.

    An assertion that fails in a handler fails the test.
    """

    async def within_bounds() -> None:
        async with asyncio.timeout(seconds):
            await test
        assert len(asyncio.all_tasks()) == 1

    assertions = Assertions()
    logging.getLogger("wslab").addHandler(assertions)
    try:
        asyncio.run(within_bounds())
    finally:
        logging.getLogger("wslab").removeHandler(assertions)
    for failed in assertions.failed:
        raise failed


async def echo(ws: ServerConnection) -> None:
    async for message in ws:
        await ws.send(message)


async def until_closed(ws: ServerConnection) -> None:
    await ws.wait_closed()


def uri(server: wslab.Server, path: str = "/") -> str:
    return f"ws://127.0.0.1:{server.port}{path}"


async def raw(server: wslab.Server, data: bytes) -> bytes:
    """Send bytes over TCP, and return everything that comes back until TCP ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


SIDES: list[Literal["client", "server"]] = ["client", "server"]


MASK = bytes(4)  # masking with it changes nothing


def wire(first: int, payload: bytes = b"", *, masked: bool = True) -> bytes:
    """Put a short frame together, whether it is allowed or not."""
    assert len(payload) < 126
    return bytes((first, (0x80 if masked else 0) | len(payload))) + (MASK if masked else b"") + payload


def failure(connection: Connection, data: bytes) -> Failure | None:
    events = connection.receive_data(data)
    return events[-1] if events and isinstance(events[-1], Failure) else None


def peak_of(connection: Connection, start: bytes, repeated: bytes, times: int) -> int:
    connection.receive_data(start)
    tracemalloc.start()
    try:
        for _ in range(times):
            connection.receive_data(repeated)
            connection.data_to_send()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@contextlib.asynccontextmanager
async def answering(data: bytes) -> AsyncIterator[str]:
    """Listen, answer every request with these bytes, and then fall silent; the caller gets the URI."""
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            request = await reader.readuntil(b"\r\n\r\n")
            key = request.partition(b"Sec-WebSocket-Key: ")[2][:24].decode()
            writer.write(data.replace(b"ACCEPT", wslab.accept_key(key).encode()))
            while await reader.read(2**16):
                pass
        writer.close()
        ended.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await ended.wait()
        await asyncio.sleep(0)


REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n"


@contextlib.asynccontextmanager
async def nothing_escapes() -> AsyncIterator[None]:
    """Check that no exception reaches the event loop, or is found when what is left is thrown away."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    yield
    gc.collect()
    await asyncio.sleep(0)
    assert not found


def tls_context(path: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def timers() -> int:
    loop: Any = asyncio.get_running_loop()
    return sum(not timer.cancelled() for timer in loop._scheduled)


async def opened(server: wslab.Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(UPGRADE + b"\r\n")
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def assert_alive(ws: wslab.ClientConnection) -> None:
    await ws.send("still here")
    assert await ws.recv() == "still here"


async def results(kosoku: Any, running: Awaitable[list[Any]]) -> list[Any]:
    """Return the results of Autobahn's cases, whether all are passed or not."""
    try:
        return await running
    except kosoku.FailureError as failed:
        return list(failed.results)


def judge(cases: list[Any], fewest: int) -> None:
    """Check that at least so many cases were run, and that all are passed strictly and closed cleanly."""
    assert len(cases) >= fewest
    verdicts = [(case.case_id, case.behavior.value, case.behavior_close.value, case.result) for case in cases]
    good = ("OK", "INFORMATIONAL")
    assert [verdict for verdict in verdicts if verdict[1] not in good or verdict[2] not in good] == []
