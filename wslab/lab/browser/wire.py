"""The wire of a tap in the browser, live: each row appears as it passes, and the tap can be played with.

A small server sends the rows to `pages/wire.html`. It has a separate port: on the tap's port its messages
would pass the tap, and show themselves. A client that reaches it sees everything and may cut, so a connection
must come from its own page (RFC 6455 §10.2; a missing Origin is refused too) and show the token in its
address.

It sends at most ten messages a second, and only when something has happened; of a flood, the newest rows. The
view ends with the tap, and when the same tap is shown again. `pages/README.md` has the messages of page and
server.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import secrets
import socket
from collections import deque
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from wslab.lab.browser.serve import serve_page
from wslab.lab.views.palette import LEGEND
from wslab.lab.wire.conversation import Row, legend_of
from wslab.lab.wire.tap import Tap

__all__ = ["LiveWire", "live_wire"]

PAUSE = 0.1  # seconds between two messages
SHOWN = 200  # rows in one message, and in the page
KEPT = 2000  # rows whose fields can still be asked for
VIEWERS = 8  # pages at once
DELAY = 0.2  # seconds that the button adds
MAX_FIELDS, MAX_BYTES = 80, 64  # of one row, that are shown
_running: dict[Tap, LiveWire] = {}
_page = serve_page("wire.html")
_logger = logging.getLogger("wslab.lab.wire")
_logger.addHandler(logging.NullHandler())  # a stranger's handshake is no output of a cell


def live_wire(tap: Tap) -> LiveWire:
    """Begin to show a tap, in place of an earlier view of it; it ends with the tap.

    Raises:
        RuntimeError: the tap does not listen, or no event loop runs.
    """
    _ = tap.port  # says what to do when the tap does not listen
    if old := _running.pop(tap, None):
        old.end()
    wire = _running[tap] = LiveWire(tap)
    return wire


class LiveWire:
    """One view of a tap: a listening socket and a task, both gone when the tap has stopped."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._token = secrets.token_urlsafe(16)
        # Bound at once, because the address is needed now; the browser waits until the task accepts.
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._rows: deque[tuple[int, Row]] = deque(maxlen=KEPT)
        self._viewers: set[_Viewer] = set()
        self._reason = "stopped"
        self._task = asyncio.get_running_loop().create_task(self._run(), name="live wire")
        self._task.add_done_callback(self._forget)

    @property
    def path(self) -> str:
        """What follows the port in the address of the page."""
        return f"wire.html?{self._token}"

    def end(self) -> None:
        """End the view, because another one takes its place."""
        self._reason = "replaced"
        self._task.cancel()

    def _forget(self, _: asyncio.Task[None]) -> None:
        self._socket.close()  # the task may have been cancelled before it began
        if _running.get(self._tap) is self:
            del _running[self._tap]

    async def _run(self) -> None:
        options: dict[str, Any] = {"compression": None, "max_size": 1024, "logger": _logger}
        async with serve(self._talk, sock=self._socket, process_request=self._judge, **options):
            try:
                number = 0
                async for row in self._tap.rows():
                    number += 1
                    self._rows.append((number, row))
                    for viewer in self._viewers:
                        viewer.note(number, row)
            finally:
                for viewer in self._viewers:
                    viewer.closing = asyncio.ensure_future(viewer.websocket.close(1000, self._reason))

    def _judge(self, connection: ServerConnection, request: Any) -> Any:
        """Serve the page; refuse a handshake that does not come from it."""
        if "Upgrade" in request.headers:
            knows = hmac.compare_digest(request.path.encode(), f"/wire?{self._token}".encode())
            if not knows or not request.headers.get_all("Origin"):
                return connection.respond(403, "This wire is for its own page only.\n")
        return _page(connection, request)

    async def _talk(self, websocket: ServerConnection) -> None:
        """Send one page what passes, and do what it asks."""
        if len(self._viewers) >= VIEWERS:
            await websocket.close(1013, "too many views of this wire")
            return
        viewer = _Viewer(self._tap, websocket)
        for number, row in self._rows:
            viewer.note(number, row)
        self._viewers.add(viewer)
        telling = asyncio.create_task(viewer.tell())
        try:
            async for message in websocket:
                if asked := _asked(message):
                    await self._do(websocket, asked)
        except ConnectionClosed:
            pass  # the page is gone
        finally:
            telling.cancel()
            self._viewers.discard(viewer)

    async def _do(self, websocket: ServerConnection, asked: dict[str, Any]) -> None:
        tap = self._tap
        acts = {"freeze": tap.freeze, "thaw": tap.thaw, "cut": tap.cut}
        if asked.get("do") == "delay":
            tap.delay = 0.0 if tap.delay else DELAY
        elif act := acts.get(str(asked.get("do"))):
            act()
        for number, row in self._rows:
            if number == asked.get("show"):
                await websocket.send(json.dumps({"piece": _piece(row)}))


class _Viewer:
    """One page that is open, with the rows that it has not been sent yet."""

    def __init__(self, tap: Tap, websocket: ServerConnection) -> None:
        self._tap, self.websocket = tap, websocket
        self._rows: deque[tuple[int, Row]] = deque(maxlen=SHOWN)
        self._left_out = 0
        self._state: dict[str, Any] = {}
        self.closing: asyncio.Future[None] | None = None

    def note(self, number: int, row: Row) -> None:
        """Keep a row for the next message; of a flood, the newest are enough."""
        self._left_out += len(self._rows) == SHOWN
        self._rows.append((number, row))

    async def tell(self) -> None:
        """Send what is new, ten times a second at most."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                if said := self._news():
                    await self.websocket.send(json.dumps(said))
                await asyncio.sleep(PAUSE)

    def _news(self) -> dict[str, Any]:
        said: dict[str, Any] = {}
        if self._rows:
            said = {"rows": [_row(number, row) for number, row in self._rows], "left_out": self._left_out}
            self._rows.clear()
            self._left_out = 0
        tap = self._tap
        state = {"frozen": tap.frozen, "delay": round(1000 * tap.delay), "full": tap.full}
        if state != self._state:
            said["state"] = self._state = state
        return said


def _asked(message: str | bytes) -> dict[str, Any]:
    """Return what a page asks for; nothing for anything that is not one of its messages."""
    with contextlib.suppress(ValueError, RecursionError):
        asked = json.loads(message)
        return asked if isinstance(asked, dict) else {}
    return {}


def _row(number: int, row: Row) -> dict[str, Any]:
    return {
        "id": number,
        "sender": None if row.kind == "tap" else row.sender,
        "field": "body" if row.kind == "body" else LEGEND[legend_of(row)].field,  # whose colour it has
        "what": row.what[:80],
        "meaning": row.meaning[:200],
        "bytes": row.bytes,
        "time": round(row.time / 1000, 3),
        "wrong": row.error is not None,
    }


def _piece(row: Row) -> dict[str, Any]:
    """Return the fields of a row as `framemap.js` takes them."""
    piece = row.dissection
    fields = piece.fields if piece else ()
    names = ("name", "bit", "bits", "value", "meaning", "section", "error")
    return {
        "title": f"{row.what[:80]}: {row.meaning[:200]}",
        "error": (row.error or "")[:500],
        "frame": row.kind == "frame",
        "bytes": piece.data[:MAX_BYTES].hex() if piece else "",
        "fields": [{name: getattr(field, name) for name in names} for field in fields[:MAX_FIELDS]],
        "left_out": max(0, len(fields) - MAX_FIELDS),
    }
