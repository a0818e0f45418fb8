"""Put pages of a lesson's server in the notebook.

A browser finds a port of this machine through the tunnel, if the Jupyter server that started this kernel has
one, else at 127.0.0.1. A page that builds the address of its WebSocket from `location` works in both places.

The frames are a widget, because Jupyter does not store what a widget holds: what stays in the notebook is a
constant sentence without port and address, the same in every run (see `save_hook`). Paths are escaped: they
cannot become markup. The frames are not sandboxed: the Origin of a sandboxed page is `null`, which the tunnel
refuses (RFC 6455, §10.2).
"""

from __future__ import annotations

import os
from html import escape
from typing import TYPE_CHECKING

from ipywidgets import HTML

from wslab.lab.browser.passage import PREFIX_VARIABLE
from wslab.lab.browser.save_hook import LINKS, PAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wslab.lab.wire.tap import Tap

__all__ = ["Pages", "page_address", "show"]

HUB = "JUPYTERHUB_SERVICE_PREFIX"  # is in the environment of every kernel on a hub, Binder's included
ON_A_HUB = "This kernel is not on your browser's machine, so your browser cannot open its ports directly."


class Pages(HTML):  # type: ignore[misc]
    """Pages in frames. The plain-text form is for readers without a kernel."""

    def __repr__(self) -> str:
        return PAGES


class Links(Pages):
    """Links to pages at their own ports."""

    def __repr__(self) -> str:
        return LINKS


def page_address(port: int, path: str = "") -> str:
    """Return the address at which the learner's browser finds `path` on `port`.

    Raises TypeError if the port is not an int or the path not a str, ValueError if the port is not in
    1024–65535 (the range of the tunnel) or the path is a whole address.

    >>> page_address(8765, "chat.html").endswith("8765/chat.html")
    True
    """
    if not isinstance(port, int) or isinstance(port, bool):
        raise TypeError(f"port must be an int, such as server.port, got {port!r}")
    if not isinstance(path, str):
        raise TypeError(f"path must be a str, such as 'chat.html', got {path!r}")
    if not 1024 <= port <= 65535:
        raise ValueError(f"port {port} is not in 1024–65535, where the servers of the lessons listen")
    if "://" in path.partition("?")[0]:
        raise ValueError(f"path must be what follows the port, such as 'chat.html', got {path!r}")
    prefix = os.environ.get(PREFIX_VARIABLE)
    return (f"{prefix}{port}/" if prefix else f"http://127.0.0.1:{port}/") + path.removeprefix("/")


def show(
    port: int | None = None,
    path: str = "",
    *more: str,
    wire: Tap | None = None,
    height: int | None = None,
    direct: bool = False,
) -> Pages:
    """Return the page at `path` of the server on `port`, and `more` next to it, for the notebook to show.

    With ``wire``, what crosses that tap is next to them, live: each row as it passes, its fields when it is
    clicked or moved to with the arrow keys, and buttons that freeze, thaw, delay and cut, also while a cell
    awaits. `show(wire=tap)` shows the wire alone. It ends with the tap.

    With ``direct``, there are only links, which go to the port itself and not through the tunnel. There each
    port has its own origin, different from Jupyter's. That needs a browser on this machine; on a hub, a
    sentence takes the place of the links.

    `height` is in pixels: 360, or 480 with a wire. Each page has a link that opens it in a new browser tab.
    Let the call be the last expression of its cell. Raises what `page_address` raises, TypeError if neither
    a port nor a tap is given or ``direct`` has a wire or a height, RuntimeError if the tap does not listen.

    >>> show(8765, "chat.html?name=Ada", "chat.html?name=Bob")
    Run this cell in JupyterLab to see the page here.
    """
    if port is None and (wire is None or path):
        raise TypeError("show needs the port of a server, such as server.port, or a tap: show(wire=tap)")
    if direct:
        if port is None or wire is not None or height is not None:
            raise TypeError("show(port, direct=True) makes links, which have neither a wire nor a height")
        return Links(links(port, (path, *more)))
    height = height or (480 if wire else 360)
    places = [] if port is None else [(page_address(port, each), each) for each in (path, *more)]
    if wire is not None:
        from wslab.lab.browser.wire import live_wire  # a page without a wire needs no server of ours

        live = live_wire(wire)
        places.append((page_address(live.port, live.path), "what crosses the wire"))
    least = 360 if wire else 300
    frames = [frame(address, name, height, least) for address, name in places]
    return Pages(f'<div style="display: flex; flex-wrap: wrap; gap: 8px">{"".join(frames)}</div>')


def links(port: int, paths: Sequence[str]) -> str:
    """Build a link to each page at the port itself, which a browser on this machine can open."""
    for path in paths:
        page_address(port, path)  # says what is wrong with either
    if os.environ.get(HUB):
        return f"<p>{ON_A_HUB}</p>"
    made = []
    for path in paths:
        address = f"http://127.0.0.1:{port}/{path.removeprefix('/')}"
        made.append(
            f'<p><a href="{escape(address)}" target="_blank" rel="noreferrer" '
            f'style="text-decoration: underline">Open {escape(path or "the first page")} in a tab</a></p>'
        )
    return "".join(made)


def frame(address: str, name: str, height: int, least: int) -> str:
    """Build one frame, at least so many pixels wide where there is room, and its link."""
    src, title = escape(address), escape(f"Page of this lesson: {name or 'the first page'}")
    style = f"display: block; width: 100%; height: {height:d}px; border: 1px solid rgba(128,128,128,.4)"
    return (
        f'<div style="flex: 1 1 {least:d}px; min-width: 0">'
        f'<iframe src="{src}" title="{title}" referrerpolicy="no-referrer" style="{style}"></iframe>'
        f'<a href="{src}" target="_blank" rel="noreferrer" style="text-decoration: underline">'
        "Open this page in a new tab</a></div>"
    )
