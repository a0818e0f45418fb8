"""The client: connect, make the opening handshake, judge the answer (RFC 6455 §3, §4.1).

This module knows WebSocket URIs and the life of a client's connection until it is open. Judging the response
is left to ``handshake``, the connection after it to ``websocket``. It follows no redirect, uses no proxy and
takes no credentials from the URI. When more bytes of the head are needed, it waits for at most
``open_timeout``.
"""

from __future__ import annotations

import asyncio
import ssl as tls
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Literal

from wslab.aio.link import LOGGER, Logger, Settings
from wslab.aio.reconnect import LAST_CEILING, STABLE_TIME, full_jitter, may_come_back, may_try_again
from wslab.aio.websocket import WebSocket
from wslab.close import CloseCode
from wslab.deflate import Deflate, compression_settings
from wslab.handshake import build_request, generate_key, judge_response
from wslab.http import HandshakeError, Request, Response, ResponseReader

__all__ = ["ClientConnection", "connect"]

MAX_BODY = 1024  # bytes of a refusal's body that are read for its first line
BODY_TIME = 0.5  # seconds to wait for them


class ClientConnection(WebSocket):
    """The client's end of a connection. :func:`connect` makes it."""

    def __init__(
        self, request: Request, key: str, subprotocols: Sequence[str] | None, settings: Settings
    ) -> None:
        super().__init__("client", settings)
        self.request: Request = request
        self._key = key
        self._subprotocols = subprotocols
        self._reader = ResponseReader()
        self._refusal: Response | None = None  # while its body is being read
        self.opened: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._transport.write(self.request.encode())

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self.opened.done():
            if self._refusal:
                self._report_refusal(self._refusal)
            else:
                self._fail_opening(HandshakeError("the server ended TCP before it had answered"))
                self.opened.exception()  # marks it as seen, since a cancelled connect() does not await it

    def write_frame(self, frame: bytes, message: str | bytes) -> None:
        """Write a message that was encoded for many, in a frame with a masking-key of its own (§5.3)."""
        if self._may_send:
            self._queue(message)
            self._flush()

    def _receive_head(self, data: bytes) -> None:
        if self.opened.done():
            return  # connect() was cancelled, and is about to end TCP
        try:
            if self._refusal is None:
                response = self._reader.feed(data)
                while response and 100 <= response.status < 200 and response.status != 101:
                    # An interim response, such as 103: the final one follows (RFC 9110 §15.2).
                    data, self._reader = self._reader.rest, ResponseReader()
                    response = self._reader.feed(data)
                if response is None:
                    return
                if response.status == 101:
                    self.subprotocol = judge_response(
                        response,
                        self._key,
                        subprotocols=self._subprotocols,
                        compression=self._settings.compression,
                    )
                    self.response = response
                    self._open(self._reader.rest)
                    self.opened.set_result(None)
                    return
                self._refusal, data = response._replace(body=b""), self._reader.rest
                if self._timer:
                    self._timer.cancel()
                # The part of the body that has arrived by then has to do: connection_lost() reports it.
                self._timer = self._loop.call_later(BODY_TIME, self._transport.abort)
            self._receive_body(self._refusal, data)
        except HandshakeError as error:
            self._fail_opening(error)

    def _receive_body(self, refusal: Response, data: bytes) -> None:
        """Collect the body of a refusal until its end is known, or it is long enough to be quoted."""
        self._refusal = refusal._replace(body=refusal.body + data)
        length = refusal.headers.get("Content-Length") or ""
        known = length.isdecimal() and len(length) < 10 and "Transfer-Encoding" not in refusal.headers
        # A body without a simple length is not quoted: it may be chunked, or never end.
        if len(self._refusal.body) >= (min(MAX_BODY, int(length)) if known else 0):
            self._report_refusal(self._refusal if known else refusal)

    def _report_refusal(self, response: Response) -> None:
        """Let connect() raise that the server refused, with the first line of its answer."""
        try:
            judge_response(response, self._key)
        except HandshakeError as error:
            line = response.body[:MAX_BODY].decode("utf-8", "replace").strip().partition("\n")[0].strip()
            text = f"{error}: {line}" if line else str(error)
            printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
            self._fail_opening(HandshakeError(printable, error.status), str(error))

    def _fail_opening(self, error: HandshakeError, sentence: str = "") -> None:
        """Let connect() raise the error. Log ``sentence`` instead if the error quotes a body."""
        self._logger.info("%s: no connection: %s", self._address, sentence or error)
        self.opened.set_exception(error)
        self._transport.abort()


class connect:
    """Connect to a server: ``async with connect(uri) as ws``, or ``ws = await connect(uri)``.

    ``async with`` closes the connection with 1000, or with 1011 if its body raises.

    ``async for ws in connect(uri)`` comes back by itself: each turn of the loop has a new connection, after a
    wait. A turn that ends, by ``continue`` or at its last line, closes its connection with 1000; ``break``
    leaves the loop. It raises where coming back cannot help: a refusal below 500 other than 408, 425 and 429,
    a certificate that is not trusted, a connection that one end closed because it found fault with the other
    (1002, 1003, 1007 to 1010).

    Args:
        uri: ws:// or wss:// with host, and port unless it is 80 or 443 (§3).
        subprotocols: names to offer, the preferred first (§4.1, point 10).
        origin: the value of the Origin header, which only browsers must send.
        additional_headers: further header fields, as pairs of name and value or as a mapping.
        max_size, ping_interval, ping_timeout, close_timeout: as in :func:`wslab.serve`.
        open_timeout: seconds to wait until the connection is open; None for no limit.
        ssl: a context for wss://; by default one that checks the server's certificate.
        compression: "deflate" or a :class:`wslab.Deflate` to offer compression of messages (RFC 7692).
        logger: as in :func:`wslab.serve`.
        reconnect_delays: called for the seconds to wait before each new try of ``async for``, and again
            after a connection has lasted 5 seconds; when they run out, each wait is 60 seconds. By default
            each is a random part of a ceiling that doubles from 0.5 to 60 seconds (§7.2.3).

    Raises:
        ValueError: the URI is not a WebSocket URI, or another argument is wrong.
        TypeError: the subprotocols are one string instead of a list.
        HandshakeError: the server refused (``status`` and the first line of its answer say why), or its
            answer breaks a rule.
        OSError: TCP or TLS could not connect.
        TimeoutError: the connection was not open within ``open_timeout``.

    >>> async def echo(ws):
    ...     await ws.send(await ws.recv())
    >>> async def main():
    ...     async with wslab.serve(echo) as server:
    ...         async with connect(f"ws://127.0.0.1:{server.port}") as ws:
    ...             await ws.send("Hello")
    ...             return await ws.recv()
    >>> import wslab
    >>> asyncio.run(main())
    'Hello'
    """

    def __init__(
        self,
        uri: str,
        *,
        subprotocols: Sequence[str] | None = None,
        origin: str | None = None,
        additional_headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        max_size: int | None = 2**20,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        open_timeout: float | None = 10,
        ssl: tls.SSLContext | None = None,
        compression: Deflate | Literal["deflate"] | None = None,
        logger: Logger | None = None,
        reconnect_delays: Callable[[], Iterator[float]] = full_jitter,
    ) -> None:
        self._reconnect_delays = reconnect_delays
        self._secure, self._host, self._port, host_field, path = parse_uri(uri)
        if ssl and not self._secure:
            raise ValueError("an ssl context goes with wss://, not with ws://")
        self._ssl = ssl
        times = ping_interval, ping_timeout, close_timeout, open_timeout
        wanted = compression_settings(compression, "client")
        self._settings = Settings(max_size, *times, wanted, logger or LOGGER)
        self._subprotocols = subprotocols
        fields = additional_headers.items() if isinstance(additional_headers, Mapping) else additional_headers
        self._build = partial(
            build_request,
            host_field,
            path,
            subprotocols=subprotocols,
            origin=origin,
            additional_headers=tuple(fields or ()),
            compression=self._settings.compression,
        )
        self._build(key=generate_key())  # so that wrong arguments raise at once

    async def __aenter__(self) -> ClientConnection:
        ssl = (self._ssl or tls.create_default_context()) if self._secure else None
        key = generate_key()  # a new one for each connection (§4.1)
        request = self._build(key=key)
        async with asyncio.timeout(self._settings.open_timeout):
            _, self._ws = await asyncio.get_running_loop().create_connection(
                lambda: ClientConnection(request, key, self._subprotocols, self._settings),
                self._host,
                self._port,
                ssl=ssl,
            )
            try:
                await self._ws.opened
            except asyncio.CancelledError:
                self._ws.abort()
                raise
        return self._ws

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._ws.close(CloseCode.INTERNAL_ERROR if kind else CloseCode.NORMAL_CLOSURE)

    def __await__(self) -> Generator[None, None, ClientConnection]:
        return self.__aenter__().__await__()

    async def __aiter__(self) -> AsyncIterator[ClientConnection]:
        now, logger = asyncio.get_running_loop().time, self._settings.logger
        delays = self._reconnect_delays()
        while True:
            try:
                ws = await self.__aenter__()
            except Exception as error:
                if not may_try_again(error):
                    raise
                ended = str(error) or type(error).__name__
            else:
                opened = now()
                try:
                    yield ws
                finally:
                    await ws.close()
                if now() - opened >= STABLE_TIME:
                    delays = self._reconnect_delays()
                ended = self._reason_to_come_back(ws)
            delay = next(delays, LAST_CEILING)
            logger.info("%s: another try in %.1f s: %s", self._host, delay, ended)
            await asyncio.sleep(delay)

    def _reason_to_come_back(self, ws: ClientConnection) -> str:
        """Return how a connection ended, or raise it if another one would end in the same way."""
        ending = ws._ending()
        if may_come_back(ws.failure.code if ws.failure else ws.close_code):
            return str(ending)
        raise ending


def parse_uri(uri: str) -> tuple[bool, str, int, str, str]:
    """Take a WebSocket URI apart (§3): secure, host, port, the Host field, path and query.

    Raises:
        ValueError: it is not one, it has a fragment, or it holds credentials.

    >>> parse_uri("ws://example.com:8080/chat?room=1")
    (False, 'example.com', 8080, 'example.com:8080', '/chat?room=1')
    >>> parse_uri("wss://[::1]")
    (True, '::1', 443, '[::1]', '/')
    """
    from urllib.parse import urlsplit  # slow to import, and servers need none

    parts = urlsplit(uri)
    if parts.scheme not in ("ws", "wss"):
        raise ValueError(f"scheme is {parts.scheme!r}, neither 'ws' nor 'wss'")
    if not parts.hostname:
        raise ValueError("the URI names no host")
    if "#" in uri:
        raise ValueError("a WebSocket URI has no fragment (#)")
    if parts.username is not None:
        raise ValueError("the URI holds credentials; send them in a header or a message")
    secure = parts.scheme == "wss"
    default = 443 if secure else 80
    port = default if parts.port is None else parts.port
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    field = host if port == default else f"{host}:{port}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return secure, parts.hostname, port, field, path
