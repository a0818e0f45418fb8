"""The pages that a lesson's server gives to a browser, on the port of its sockets.

It knows the files in `pages/`, and the header fields that keep a page to itself; `pages/README.md` says what
each page and its server say to each other. A handshake that comes from a page of a stranger is refused
(RFC 6455 §10.2); whether any other is accepted (§4.2.2) is left to the server, and the request passes
untouched. One function serves `websockets` and `wslab` alike: a response is built in the class that the
connection itself responds with.

A page may load its own script and style and open connections to its own origin, no more; and no script can
turn a text into markup. It may stand in a frame of its own origin, which behind the tunnel is Jupyter's, and
of the notebooks on this machine that reach the port without the tunnel. Requests have no body, so more bytes
are never needed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["serve_page"]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
PAGES = Path(__file__).with_name("pages")
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none';"
    " frame-ancestors 'self' http://127.0.0.1:* http://localhost:* vscode-webview: vscode-file:"
)
FIELDS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),  # the next lesson may have another page on this port
)


def serve_page(name: str) -> Callable[[Any, Any], Any]:
    """Return a `process_request` that serves the page `name` at `/`, and each page at its own name.

    A request for anything else is answered with 404 and a sentence, a handshake of another site's page with
    403; every other handshake is left to the server.
    Raises ValueError if there is no such page.

    >>> serve_page("echo.html").__name__
    'process_request'
    >>> serve_page("index.html")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: there is no page 'index.html', only chat.html, clock.html, ...
    """
    files = {f"/{path.name}": path for path in PAGES.iterdir() if path.suffix in KINDS}
    if f"/{name}" not in files or not name.endswith(".html"):
        pages = sorted(path.name for path in files.values() if path.suffix == ".html")
        raise ValueError(f"there is no page {name!r}, only {', '.join(pages)}")
    files["/"] = files[f"/{name}"]

    def process_request(connection: Any, request: Any) -> Any:
        if "Upgrade" in request.headers and is_stranger(request.headers, connection.transport):
            return connection.respond(403, "This server is open to its own pages and to programs only.\n")
        if request.method != "GET" or "Upgrade" in request.headers:
            return None
        neutral = connection.respond(404, "Nothing is served here. The page of this server is at /.\n")
        file = files.get(request.path.partition("?")[0])
        if file is None:
            return neutral
        body = file.read_bytes()
        fields = [
            ("Content-Type", f"{KINDS[file.suffix]}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
            *FIELDS,
        ]
        return type(neutral)(200, "OK", type(neutral.headers)(fields), body)

    return process_request


def is_stranger(headers: Any, transport: Any) -> bool:
    """Return whether a handshake comes from a page that is not one of this server's own (§10.2).

    Only browsers send an Origin; its host has to be the one that was asked for. Either scheme will do, for
    the server does not know whether TLS ends in front of it; the `null` of a sandboxed page will not. A
    request that names this very port came without the tunnel, so its host has to be this machine: a
    stranger's name may lead here too (DNS rebinding).
    """
    origins, hosts = ([value.lower() for value in headers.get_all(name)] for name in ("Origin", "Host"))
    if not origins:
        return False
    if len(hosts) != 1 or origins not in ([f"http://{hosts[0]}"], [f"https://{hosts[0]}"]):
        return True
    name, _, port = hosts[0].rpartition(":")
    return port == str(transport.get_extra_info("sockname")[1]) and name not in LOOPBACK
