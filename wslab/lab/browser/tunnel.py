"""A tunnel from the Jupyter server's origin to a port on 127.0.0.1: how a browser reaches a lesson's server.

    GET <prefix><port>/<path>                 a plain GET, or a WebSocket opening handshake (RFC 6455 §4)

It reads HTTP heads and leaves frames alone. Jupyter authenticates the request, the head is sent on without
credentials, and once the lesson's server has answered 101 the two TCP streams are joined: close codes, pings,
subprotocols, abnormal ends and backpressure reach the browser as that server made them. When more bytes are
needed, it waits for them, holding at most a chunk or two in each direction.

This is security-relevant code. It admits a user whom Jupyter lets execute code, on a page of this very origin
(§10.2), at an address that only the kernels of this Jupyter server can build (see `passage`). It admits GET,
to a port from 1024 on that is not Jupyter's own, but no script of a service worker, which would stay. It
sends on the headers in FORWARDED, so a credential that nobody thought of stays here. It passes back all
headers but those in LASTING, which a browser keeps for Jupyter's whole origin, longer than the lesson lasts.
It drops bytes after a request that was not upgraded: they may be the browser's next request to Jupyter.

A page that came through is not restrained: it speaks as Jupyter's origin, with the rights of the user who is
logged in, terminals included. So it has to be as trusted as the kernel. Any program can listen on a port,
even one of another user. The address keeps its pages out: only a kernel of this user can make the browser ask
for them, and a lesson shows only the ports of its own servers.

Jupyter loads this module when it starts, so it also registers what `save_hook` does with a saved lesson.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from jupyter_server._tz import utcnow
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import ensure_async
from tornado import web
from tornado.httputil import HTTPServerRequest
from tornado.iostream import IOStream, StreamClosedError

from wslab.lab.browser.passage import PROOF, draw_prefix, proof
from wslab.lab.browser.save_hook import leave_out_views

__all__ = ["TunnelHandler"]

CHUNK = 65536  # bytes read at once, and about the longest response head
CONNECT_TIMEOUT = 5  # seconds; on loopback, only a server that does not accept is this slow
ANSWER_TIMEOUT = 300  # seconds until the response head has arrived; a long poll waits 30
LINGER = 5  # seconds that one side may go on after the other has ended

FORWARDED = re.compile(
    r"host|origin|user-agent|accept(-encoding|-language)?|cache-control|pragma"
    r"|sec-websocket-(key|version|protocol|extensions)"
)
LASTING = re.compile(
    rb"set-cookie2?|clear-site-data|service-worker-allowed|strict-transport-security|alt-svc|nel|report-to"
    rb"|accept-ch|set-login|sec(ure)?-session-registration|use-as-dictionary"
    rb"|www-authenticate"  # the browser would ask for a password in Jupyter's name, and send it to Jupyter
)
HERE_ONLY = re.compile(rb"connection|keep-alive|" + LASTING.pattern)
FIELD = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+:[^\r\0]*")  # RFC 9112 §5
SECRET_ARGUMENTS = frozenset({"token", "_xsrf"})
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])[ \r\n]")
END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
SENTENCES = {
    403: "This address is only for pages of this Jupyter server, for a user who is logged in here, and for no"
    " service worker.",
    404: "The tunnel leads to ports 1024 to 65535, and not to Jupyter's own.",
    405: "The tunnel knows only GET.",
    502: "Nothing on this port answers HTTP. Run the cell that starts the server, then load this page again.",
}


class TunnelHandler(JupyterHandler):
    """A request that is admitted, and joined to the lesson's server."""

    SUPPORTED_METHODS = ("GET",)  # tornado answers 405 to the others
    _asking: asyncio.Task[tuple[bytes, bytes]] | None = None

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuse with 403 a user who is not logged in or may not execute code, and pages of other origins."""
        await super().prepare(_redirect_to_login=False)
        user = self.current_user
        if user is None or self.is_foreign() or is_service_worker(self.request):
            raise web.HTTPError(403)
        if not await ensure_async(self.authorizer.is_authorized(self, user, "execute", "kernels")):
            raise web.HTTPError(403)

    def is_foreign(self) -> bool:
        """Return whether a page of another origin may have sent this. Neither a token nor "*" excuses it."""
        headers = self.request.headers
        if headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            return True  # the only hint on a plain GET, where browsers send no Origin
        origin, host = headers.get("Origin"), self.request.host.lower()
        if origin is None:  # in a handshake, only a program leaves it out: the token itself must be shown
            return is_upgrade(self.request) and not self.token_authenticated
        # Either scheme: behind a proxy that ends TLS the server does not know its own. "null" is foreign. An
        # origin that Jupyter was told by name to trust is trusted here too.
        named = self.allow_origin if self.allow_origin != "*" else None
        return origin.lower() not in (f"http://{host}", f"https://{host}") and (not origin or origin != named)

    async def get(self, port: str) -> None:
        """Ask the server on `port` (decimal digits), pass its answer on, and join the two streams."""
        number = int(port)
        if not 1024 <= number <= 65535 or number == self.settings["serverapp"].port:
            raise web.HTTPError(404)
        # The raw path: what tornado captures is percent-decoded, and could hold the end of a line.
        prefix = self.settings["wslab_prefix"]
        head = request_head(self.request, self.request.path.removeprefix(prefix + port), proof(prefix))
        with socket.socket() as back:
            back.setblocking(False)
            self._asking = asyncio.ensure_future(ask(back, number, head))
            try:
                answer, opened = final_answer(*await self._asking, is_upgrade(self.request))
            except asyncio.CancelledError:
                return  # on_connection_close: nobody is left to answer
            except (OSError, ValueError) as error:
                raise web.HTTPError(502) from error
            await join(self.detach(), back, answer, opened, self.touch)

    def on_connection_close(self) -> None:
        """Stop waiting for an answer when the browser has gone."""
        if self._asking is not None:
            self._asking.cancel()

    def touch(self) -> None:
        """Report activity, so that an idle culler does not end a live lesson."""
        self.settings["last_activity_times"]["wslab"] = utcnow()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with a constant sentence: nothing of the request is echoed."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        if status_code == 405:
            self.set_header("Allow", "GET")
        self.finish(SENTENCES.get(status_code, "The tunnel could not pass this request on.") + "\n")


def is_service_worker(request: HTTPServerRequest) -> bool:
    """Return whether a browser asks for a script that is to answer its requests from then on."""
    headers = request.headers
    return "Service-Worker" in headers or headers.get("Sec-Fetch-Dest", "").lower() == "serviceworker"


def is_upgrade(request: HTTPServerRequest) -> bool:
    """Return whether the request asks for WebSocket (§4.2.1): two lists, without regard to case."""
    lists = (request.headers.get(name, "").lower().split(",") for name in ("Connection", "Upgrade"))
    options, protocols = ([item.strip() for item in items] for items in lists)
    return "upgrade" in options and "websocket" in protocols


def request_head(request: HTTPServerRequest, target: str, proved: str) -> bytes:
    """Build the head for the lesson's server. Its hop-by-hop headers are our own (RFC 9110 §7.6.1)."""
    query = "&".join(a for a in request.query.split("&") if argument_name(a) not in SECRET_ARGUMENTS)
    lines = [f"GET {target}{'?' if query else ''}{query} HTTP/1.1"]
    for name, value in request.headers.get_all():
        if FORWARDED.fullmatch(name.lower()):
            lines.append(f"{name.replace('Websocket', 'WebSocket')}: {value}")  # tornado changes the case
    lines.append(f"{PROOF}: {proved}")
    lines += ["Upgrade: websocket", "Connection: Upgrade"] if is_upgrade(request) else ["Connection: close"]
    if any(CONTROL.search(line) for line in lines):
        raise web.HTTPError(400)
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def argument_name(argument: str) -> str:
    """Decode the name in one `name=value` of a query, as Jupyter does: `%74oken` is a token too."""
    return unquote_plus(argument.partition("=")[0]).strip().lower()


async def ask(back: socket.socket, port: int, head: bytes) -> tuple[bytes, bytes]:
    """Connect, send the request head, return the response head and the bytes that came right after it.

    Raises OSError if nothing listens, TimeoutError if the head does not arrive in time, ValueError if what
    arrives ends, or is longer than about CHUNK bytes, without the end of a head.
    """
    loop, data, searched = asyncio.get_running_loop(), b"", 0
    async with asyncio.timeout(CONNECT_TIMEOUT):
        await loop.sock_connect(back, ("127.0.0.1", port))
    # Tornado does not notice that a browser has gone if it sent bytes after its request: the limit ends that.
    async with asyncio.timeout(ANSWER_TIMEOUT):
        await loop.sock_sendall(back, head)
        while not (end := END_OF_HEAD.search(data, searched)):
            more = await loop.sock_recv(back, CHUNK)
            if not more or len(data) > CHUNK:
                raise ValueError("not an HTTP response")
            searched = max(0, len(data) - 3)  # not all of it again for each byte of a server that drips
            data += more
    return data[: end.end()], data[end.end() :]


def final_answer(head: bytes, rest: bytes, upgrade: bool) -> tuple[bytes, bool]:
    """Return the bytes for the browser, and whether they open a WebSocket.

    A 101 is passed on as it is, but for what is LASTING. Any other answer has to end the connection: it is
    joined to the lesson's server, and the browser's next request is not for that. Raises ValueError for what
    is not HTTP, an interim response, an unasked-for 101, and a line that a browser may read otherwise.
    """
    status = STATUS_LINE.match(head)
    opened = status is not None and status[1] == b"101" and upgrade
    if not status or (status[1] < b"200" and not opened):
        raise ValueError("not a final HTTP response")
    first, *fields = re.split(rb"\r?\n", head.rstrip(b"\r\n"))
    if re.search(rb"[\r\0]", first) or not all(map(FIELD.fullmatch, fields)):
        raise ValueError("not a header field")
    dropped = LASTING if opened else HERE_ONLY
    lines = [first, *(field for field in fields if not dropped.fullmatch(field_name(field)))]
    return b"\r\n".join([*lines, *([] if opened else [b"Connection: close"]), b"", rest]), opened


def field_name(field: bytes) -> bytes:
    return field.partition(b":")[0].lower()


async def join(
    front: IOStream, back: socket.socket, answer: bytes, opened: bool, touch: Callable[[], None]
) -> None:
    """Pass bytes both ways until both sides have ended, or one did so LINGER seconds ago; end all then."""
    front.set_nodelay(True)
    back.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    down = asyncio.ensure_future(to_browser(back, front, answer, touch))
    up = asyncio.ensure_future(to_server(front, back, opened, touch))
    try:
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({up, down}, timeout=LINGER)
    finally:
        up.cancel()
        down.cancel()
        await asyncio.gather(up, down, return_exceptions=True)
        front.close()


async def to_server(front: IOStream, back: socket.socket, opened: bool, touch: Callable[[], None]) -> None:
    """Pass on what the browser sends, then its end of stream. Awaiting each write lets backpressure pass."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(StreamClosedError):
        while True:
            data = await front.read_bytes(CHUNK, partial=True)
            touch()
            try:
                if opened:
                    await loop.sock_sendall(back, data)
            except OSError:
                opened = False  # Read on: closing with unread input would reset, and lose the close code.
            await asyncio.sleep(0)  # two fast peers must not keep Jupyter from its other work
    with contextlib.suppress(OSError):
        back.shutdown(socket.SHUT_WR)


async def to_browser(back: socket.socket, front: IOStream, data: bytes, touch: Callable[[], None]) -> None:
    """Pass on `data` and what the lesson's server sends, then its end of stream; if it aborts, end both."""
    loop = asyncio.get_running_loop()
    try:
        while data:
            with contextlib.suppress(StreamClosedError):  # Read on here too: a server keeps its last input.
                await front.write(data)
                touch()
            await asyncio.sleep(0)
            data = await loop.sock_recv(back, CHUNK)
        if not front.closed():
            # TCP's end of stream, under TLS too: SSLSocket.shutdown() would also end the decryption of input.
            socket.socket.shutdown(front.socket, socket.SHUT_WR)
    except OSError:
        front.close()


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "wslab.lab.browser.tunnel"}]


def _load_jupyter_server_extension(app: ServerApp) -> None:
    prefix = app.web_app.settings["wslab_prefix"] = draw_prefix(app.web_app.settings["base_url"])
    app.web_app.add_handlers(".*", [(re.escape(prefix) + r"([0-9]{1,5})/.*", TunnelHandler)])  # type: ignore[no-untyped-call]
    app.contents_manager.register_pre_save_hook(leave_out_views)  # type: ignore[no-untyped-call]
    app.log.info("wslab tunnel is open to this user's kernels")
