"""The server: listen, answer opening handshakes, run a handler for each connection (RFC 6455 §4.2).

This module knows the life of a server and of its side of a connection: read the head of a request, let
``process_request`` answer it with a page, else upgrade it and call the handler; finally shut down. Judging
a request is left to ``handshake``, the connection after it to ``websocket``. When more bytes of a head are
needed, it waits for at most ``open_timeout``.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import socket
import ssl as tls
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from typing import Any, Literal

from wslab.aio.closed import ConnectionClosed
from wslab.aio.link import LOGGER, READ, Logger, Settings
from wslab.aio.websocket import WebSocket
from wslab.close import CloseCode, encode_close
from wslab.deflate import Deflate, compression_settings
from wslab.handshake import agreed_compression, check_origins, check_subprotocols, judge_request, origin_form
from wslab.http import Headers, Request, RequestReader, Response

__all__ = ["Server", "ServerConnection", "serve"]

CLEAN_UP_TIME = 1.0  # seconds for handlers that were cancelled

Handler = Callable[["ServerConnection"], Awaitable[None]]
ProcessRequest = Callable[["ServerConnection", Request], Response | Awaitable[Response | None] | None]


class ServerConnection(WebSocket):
    """The server's end of a connection, which a handler is called with. :func:`serve` makes it."""

    def __init__(self, server: Server) -> None:
        super().__init__("server", server.settings)
        self._server = server
        self._answering: asyncio.Task[None] | None = None  # while its request is being answered
        self._reader = RequestReader()

    def respond(self, status: int, text: str) -> Response:
        """Build a plain-text response, for ``process_request`` to return.

        Args:
            status: the HTTP status code, as a number or an :class:`http.HTTPStatus`.
            text: the body, which is sent in UTF-8.
        """
        return Response.text(int(status), text)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._server.accepted.add(self)
        if self._server.ssl:
            self._server.start_task(self._start_tls(self._server.ssl))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._closed.done():
            return  # after a failed TLS handshake, _start_tls() calls this, and some event loops do too
        super().connection_lost(exc)
        if self._answering:
            self._answering.cancel()
        self._server.accepted.discard(self)
        self._server.connections.discard(self)

    async def _start_tls(self, context: tls.SSLContext) -> None:
        """Put TLS under this connection. The event loop would do so, but then no shutdown could end it."""
        secured = None
        try:
            if not self._transport.is_closing():
                never = math.inf  # the timer of open_timeout is set already
                secured = await self._loop.start_tls(
                    self._transport, self, context, server_side=True, ssl_handshake_timeout=never
                )
        except OSError as problem:
            self._logger.debug("%s: no TLS: %s", self._address, problem)
        if secured:
            self._transport = secured
        else:
            self.connection_lost(None)

    def _receive_head(self, data: bytes) -> None:
        if self._answering:  # read on to notice when the client leaves, though frames may arrive already
            self._reader.rest += data
            if len(self._reader.rest) > READ:
                self._transport.pause_reading()
            return
        if self.request or self.response or self._server.is_closing or self._transport.is_closing():
            return  # bytes after a request that was refused, or too late
        if self._server.ssl and not self._transport.get_extra_info("sslcontext"):
            self._loop.call_soon(self._receive_head, data)  # after _start_tls(), which is due to go on
            return
        request = self._reader.feed(data)
        if isinstance(request, Response):
            self._log_refusal(request, _sentence(request))
            self._refuse(request)
        elif request:
            self.request = origin_form(request)
            self._answering = self._server.start_task(self._run(self.request))

    def eof_received(self) -> bool | None:
        """Let a client that has asked for a page, and sends no more, still receive it."""
        if self._answering and self.request and "Upgrade" not in self.request.headers:
            self._peer_ended = True
            return self._transport.can_write_eof()
        return super().eof_received()

    async def _run(self, request: Request) -> None:
        """Answer a request; if that opens a connection, call the handler, then close."""
        response = await self._answer(request)
        self._answering = None
        if self._transport.is_closing():
            return
        self._transport.resume_reading()
        if response.status != 101:
            self._refuse(response)
            return
        self.response = response
        self.subprotocol = response.headers.get("Sec-WebSocket-Protocol")
        self._transport.write(response.encode())
        self._server.connections.add(self)
        self._open(self._reader.rest)
        code = CloseCode.INTERNAL_ERROR
        try:
            await self._server.handler(self)
            code = CloseCode.NORMAL_CLOSURE
        except ConnectionClosed as closed:  # this connection, or another one that the handler uses
            self._logger.debug("%s: handler ended with a connection: %r", self._address, closed)
        except asyncio.CancelledError:
            if _is_cancelled():
                self._start_closing(code)
                raise  # the server shuts down, or the application has cancelled the handler
            self._logger.exception("%s: handler was cancelled from within, closing with 1011", self._address)
        except Exception:
            self._logger.exception("%s: handler failed, closing with 1011", self._address)
        await self.close(code)

    async def _answer(self, request: Request) -> Response:
        server = self._server
        try:
            response = server.process_request(self, request) if server.process_request else None
            if inspect.isawaitable(response):
                response = await response
            if response is not None and not isinstance(response, Response):
                raise TypeError(f"process_request returned a {type(response).__name__}, not a Response")
            if response is not None:
                response.encode()  # raises here, not later, if it cannot be written; so does the next line
                agreed_compression(response, server.settings.compression, "server")
        except (Exception, asyncio.CancelledError):
            if _is_cancelled():
                raise  # the server shuts down, or the client has left
            self._logger.exception("%s: process_request failed, answering with 500", self._address)
            response = Response.text(500, "the server failed to answer this request\n")
        if response is not None:
            if response.status >= 400 or "Upgrade" in request.headers:
                self._log_refusal(response, f"process_request answered {response.reason}")
            return response
        response = judge_request(
            request,
            subprotocols=server.subprotocols,
            origins=server.origins,
            compression=server.settings.compression,
        )
        if response.status != 101:
            self._log_refusal(response, _sentence(response))
        return response

    def _log_refusal(self, response: Response, sentence: str) -> None:
        self._logger.info("%s: refused with %d: %s", self._address, response.status, sentence)

    def _refuse(self, response: Response) -> None:
        """Answer without opening a connection, and end TCP (§4.2.2)."""
        self.response = response
        from email.utils import formatdate  # slow to import, and few servers refuse or serve pages

        needed = {
            "Date": formatdate(usegmt=True),  # RFC 9110 §6.6.1
            "Content-Length": str(len(response.body)),
            "Connection": "close",
        }
        missing = [(name, value) for name, value in needed.items() if name not in response.headers]
        fields = [*response.headers.items(), *missing]
        if response.status == 204:  # RFC 9110 §8.6
            fields = [(name, value) for name, value in fields if name.lower() != "content-length"]
        asked_for_head = self.request is not None and self.request.method == "HEAD"
        has_none = asked_for_head or response.status in (204, 304)  # RFC 9110 §6.4.1
        body = b"" if has_none else response.body
        self._transport.write(response._replace(headers=Headers(fields), body=body).encode())
        self._half_close()


class Server:
    """A server that listens: ``async with serve(...) as server``, or ``server = await serve(...)``.

    Attributes:
        connections: those that are open or closing. Iterate over a copy if you await in between.
    """

    def __init__(
        self,
        handler: Handler,
        host: str | Sequence[str] | None,
        port: int,
        settings: Settings,
        subprotocols: Sequence[str] | None,
        origins: Sequence[str | None] | None,
        process_request: ProcessRequest | None,
        ssl: tls.SSLContext | None,
    ) -> None:
        self.handler = handler
        self.logger = settings.logger
        self.settings = settings
        self.subprotocols = subprotocols
        self.origins = origins
        self.process_request = process_request
        self.connections: set[ServerConnection] = set()
        self.accepted: set[ServerConnection] = set()  # these, and those in their opening handshake
        self.ssl = ssl
        self._address = (host or None, port)
        self._listener: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()
        self._shutdown: asyncio.Task[None] | None = None

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The sockets that listen."""
        return tuple(self._listener.sockets)

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return self._port

    @property
    def is_closing(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._shutdown is not None

    async def __aenter__(self) -> Server:
        host, port = self._address
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: ServerConnection(self), host, port)
        self._port = int(self.sockets[0].getsockname()[1])
        if len({listening.getsockname()[1] for listening in self.sockets}) > 1:
            # A name such as "localhost" stands for several addresses: the same port on each.
            self._listener.close()
            self._listener = await loop.create_server(lambda: ServerConnection(self), host, self._port)
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()
        await self.wait_closed()

    def __await__(self) -> Generator[None, None, Server]:
        return self.__aenter__().__await__()

    async def serve_forever(self) -> None:
        """Wait until the server is closed or the task is cancelled, then shut down."""
        try:
            await self._listener.serve_forever()
        except asyncio.CancelledError:
            if _is_cancelled():
                raise  # else close() was called
        finally:
            await self.__aexit__()

    def start_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task of one connection, which the shutdown waits for."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def close(self, code: int = CloseCode.GOING_AWAY, reason: str = "") -> None:
        """Stop listening, and close every connection. Wait for the end with :meth:`wait_closed`.

        Args:
            code: the close code to send to every client.
            reason: the reason to send with it, at most 123 bytes in UTF-8.

        Raises:
            ValueError: a code that may not be sent, such as 1005, 1006 or 1015; a reason over 123 bytes.
        """
        encode_close(code, reason)
        if self._shutdown is None:
            self._listener.close()
            self._shutdown = asyncio.ensure_future(self._close_connections(code, reason))

    async def wait_closed(self) -> None:
        """Wait until the server is closed, and every connection and handler has ended.

        A handler that still runs ``close_timeout`` seconds after :meth:`close` is cancelled, and has one more
        second to clean up.
        """
        if self._shutdown is None:
            await self._listener.wait_closed()
        if self._shutdown:
            await asyncio.shield(self._shutdown)

    async def _close_connections(self, code: int, reason: str) -> None:
        waiting: list[Awaitable[object]] = [ws.close(code, reason) for ws in list(self.accepted)]
        waiting += self._tasks
        if not waiting:
            return
        closing = [asyncio.ensure_future(awaitable) for awaitable in waiting]
        await asyncio.wait(closing, timeout=self.settings.close_timeout)
        for task in closing:
            task.cancel()  # a handler that did not notice
        for ws in list(self.accepted):
            ws.abort()
        _, stubborn = await asyncio.wait(closing, timeout=CLEAN_UP_TIME)
        if stubborn:
            self.logger.error("%d handlers still run, a second after they were cancelled", len(stubborn))

    def __repr__(self) -> str:
        return f"<Server with {len(self.connections)} connections>"


def serve(
    handler: Handler,
    host: str | Sequence[str] | None = "127.0.0.1",
    port: int = 0,
    *,
    subprotocols: Sequence[str] | None = None,
    origins: Sequence[str | None] | None = None,
    process_request: ProcessRequest | None = None,
    max_size: int | None = 2**20,
    ping_interval: float | None = 20,
    ping_timeout: float | None = 20,
    close_timeout: float | None = 10,
    open_timeout: float | None = 10,
    ssl: tls.SSLContext | None = None,
    compression: Deflate | Literal["deflate"] | None = None,
    logger: Logger | None = None,
) -> Server:
    """Serve WebSocket connections, each with a call of the handler.

    Args:
        handler: called with the connection; when it returns, the connection is closed with 1000; when it
            raises, with 1011.
        host: the address or name to listen on, or several; None for all addresses.
        port: the port; 0 for a free one, see ``server.port``.
        subprotocols: the names that the server speaks, the preferred first (§1.9).
        origins: the Origins to accept, with None in the list for "no Origin"; others get 403. Without a list,
            any Origin is accepted (§10.2).
        process_request: called with connection and request, may be async; a Response that it returns is the
            answer, such as a page; after None the opening handshake goes on.
        max_size: the longest message accepted, in bytes; a longer one is refused from its header (1009). None
            for no limit.
        ping_interval: seconds from one pong to the next ping; None for no heartbeat.
        ping_timeout: seconds to wait for a pong before the connection is failed with 1011; None for no
            limit.
        close_timeout: seconds to wait for the peer when closing; None for no limit.
        open_timeout: seconds that an opening handshake may take, process_request included, which is cancelled
            then, and as soon as the client has left; None for no limit.
        ssl: a context with a certificate, to serve wss:// instead of ws://.
        compression: "deflate" or a :class:`wslab.Deflate` to accept offers to compress messages (RFC 7692);
            None to decline them.
        logger: by default the one named "wslab". It gets a line at INFO for each handshake that is refused
            and each connection that is failed, with the address of the client; openings and closings at
            DEBUG, what the application raises at ERROR.

    Raises:
        ValueError: compression is none of these, or asks for a window that zlib does not have; a subprotocol
            is not a token, or is named twice.
        TypeError: subprotocols or origins is one string instead of a list.
        OSError: the server cannot listen on the address; raised when it is entered or awaited.

    >>> async def echo(ws):
    ...     async for message in ws:
    ...         await ws.send(message)
    >>> async def main():
    ...     async with serve(echo) as server:
    ...         return server.port > 0
    >>> asyncio.run(main())
    True
    """
    if subprotocols is not None:
        check_subprotocols(subprotocols)
    if origins is not None:
        check_origins(origins)
    times = ping_interval, ping_timeout, close_timeout, open_timeout
    settings = Settings(max_size, *times, compression_settings(compression, "server"), logger or LOGGER)
    return Server(handler, host, port, settings, subprotocols, origins, process_request, ssl)


def _sentence(refusal: Response) -> str:
    """Return why a request was refused here, in a sentence that quotes nothing that may be a credential."""
    return refusal.body.decode().strip()


def _is_cancelled() -> bool:
    """Return whether this task was cancelled: awaiting a future that was cancelled raises the same error."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
