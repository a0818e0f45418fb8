"""The pages of lesson 08: a bank, a page of a stranger, and one that asks for wss.

They are served with the policy of every page of the course, except that the stranger's may open connections
to the ports that the lesson names: that is what a page of the web may do. Who may connect is left to the
server that they connect to; here, unlike in `serve_page`, nobody is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from wslab.lab.browser.serve import serve_page

__all__ = ["open_pages"]

POLICY, OWN_ONLY = "Content-Security-Policy", "connect-src 'self'"
FILES = {
    path.name: path.read_text(encoding="utf-8")
    for path in sorted(Path(__file__).with_name("pages").iterdir())
    if path.suffix in (".html", ".js")
}


def open_pages(name: str, reaches: Sequence[int] = ()) -> Callable[[Any, Any], Any]:
    """Return a `process_request` that serves the page `name` at `/`, and leaves every handshake alone.

    Args:
        name: "bank.html", "foreign.html" or "wss.html".
        reaches: the ports of 127.0.0.1 that the page may connect to besides its own; looked at in each
            request.

    >>> open_pages("bank.html").__name__
    'process_request'
    """
    pages = serve_page(name, FILES)

    def process_request(connection: Any, request: Any) -> Any:
        if "Upgrade" in request.headers:
            return None
        response = pages(connection, request)
        if response is not None and reaches and POLICY in response.headers:
            more = (f" {scheme}://127.0.0.1:{port}" for port in reaches for scheme in ("http", "ws", "wss"))
            policy = response.headers.get(POLICY).replace(OWN_ONLY, OWN_ONLY + "".join(more))
            del response.headers[POLICY]
            response.headers[POLICY] = policy
        return response

    return process_request
