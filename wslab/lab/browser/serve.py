"""The pages that a lesson's server sends to a browser, on the port of its sockets.

It serves the files in `pages/` and those that a lesson brings as texts, with the header fields that keep a
page to itself; `pages/README.md` says what each page and its server say to each other. A handshake from a
page of a stranger is refused (RFC 6455 §10.2). Whether any other is accepted (§4.2.2) is left to the server:
the request passes untouched. One function serves `websockets` and `wslab` alike: a response is built in the
class that the connection itself responds with.

A page may load its own script and style and open connections to its own origin, no more, and no script can
turn a text into markup. Two kinds of pages may frame it: those of its own origin, which is Jupyter's for a
page that came through the tunnel, and notebooks on this machine that reach the port without the tunnel.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wslab.lab.browser.passage import PROOF, is_proved

__all__ = ["serve_page"]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
PORT = re.compile(r":[0-9]+\Z")
PAGES = Path(__file__).with_name("pages")
OWN = re.compile(r"[a-z0-9-]+\.(html|js|css)")  # names of files that a lesson brings
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none';"
    " frame-ancestors 'self' http://127.0.0.1:* http://localhost:* vscode-webview: vscode-file:"
)
HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),  # the next lesson may have another page on this port
)


def serve_page(name: str, own: Mapping[str, str] | None = None) -> Callable[[Any, Any], Any]:
    """Return a `process_request` that serves the page `name` at `/`, and each page at its own name.

    `own` has the lesson's own files, name to text, such as a page that the learner writes. Each request reads
    it again, so a text that has changed is served when the page is reloaded. The policy is the same.

    A request for anything else is answered with 404 and a sentence, a handshake of another site's page with
    403; every other handshake is left to the server. A page is this server's own when the Origin of its
    handshake is the host that it was sent to, and that host is this machine, or the request came through the
    tunnel of this kernel. A client that sends no Origin is not a page, and passes.

    Raises ValueError if there is no such page, or if a file of the lesson is not a page, script or style.

    >>> serve_page("echo.html").__name__
    'process_request'
    >>> serve_page("mine.html", {"mine.html": "<h1>Mine</h1>"}).__name__
    'process_request'
    >>> serve_page("index.html")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: there is no page 'index.html', only chat.html, clock.html, ...
    """
    files = {path.name: path for path in PAGES.iterdir() if path.suffix in TYPES}
    own = own or {}
    if strange := [each for each in own if not OWN.fullmatch(each) or each in files]:
        raise ValueError(f"a file of your own is called like 'mine.html' or 'mine.js', not {strange[0]!r}")
    pages = sorted(each for each in (*files, *own) if each.endswith(".html"))
    if name not in pages:
        raise ValueError(f"there is no page {name!r}, only {', '.join(pages)}")

    def process_request(connection: Any, request: Any) -> Any:
        if "Upgrade" in request.headers and is_stranger(request.headers):
            return connection.respond(403, "This server is open to its own pages and to programs only.\n")
        if request.method != "GET" or "Upgrade" in request.headers:
            return None
        neutral = connection.respond(404, "Nothing is served here. The page of this server is at /.\n")
        wanted = request.path.partition("?")[0].removeprefix("/") or name
        if wanted not in files and wanted not in own:
            return neutral
        body = files[wanted].read_bytes() if wanted in files else own[wanted].encode()
        fields = [
            ("Content-Type", f"{TYPES[Path(wanted).suffix]}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
            *HEADERS,
        ]
        return type(neutral)(200, "OK", type(neutral.headers)(fields), body)

    return process_request


def is_stranger(headers: Any) -> bool:
    """Return whether a handshake comes from a page that is not one of this server's own (§10.2).

    A page always sends an Origin; its host must be the one that the request was sent to. Either scheme will
    do, because the server does not know whether TLS ends in front of it; the `null` of a sandboxed page will
    not. That the two are alike is not enough: a stranger's name may lead here too (DNS rebinding). So the
    host must be this machine, or the request must show what only the tunnel knows: a tunnel may be reached
    under names that no list can hold.
    """
    origins, hosts = ([value.lower() for value in headers.get_all(name)] for name in ("Origin", "Host"))
    if not origins:
        return False
    if len(hosts) != 1 or origins not in ([f"http://{hosts[0]}"], [f"https://{hosts[0]}"]):
        return True
    return PORT.sub("", hosts[0]) not in LOOPBACK and not is_proved(headers.get_all(PROOF))
