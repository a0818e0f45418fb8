"""The pages as they are served, by `websockets` and by `wslab`, and as documents."""

import asyncio
import contextlib
import html.parser
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve as websockets_serve

import wslab
from wslab.lab.browser.passage import PREFIX_VARIABLE, PROOF, proof
from wslab.lab.browser.serve import HEADERS, PAGES, TYPES, serve_page

NAMES = [
    "chat.html",
    "clock.html",
    "console.html",
    "echo.html",
    "endings.html",
    "scale.html",
    "workbench.html",
]
FILES = sorted(path.name for path in PAGES.iterdir() if path.suffix in TYPES)
SERVERS = ["websockets", "wslab"]


@contextlib.asynccontextmanager
async def serving(implementation: str, page: str, own: dict[str, str] | None = None) -> AsyncIterator[int]:
    """Serve an echo and its pages with one of the two; give the port."""
    pages = serve_page(page, own)

    async def echo(connection: Any) -> None:
        async for message in connection:
            await connection.send(message)

    async with asyncio.timeout(20):
        if implementation == "wslab":
            async with wslab.serve(echo, process_request=pages) as server:
                yield server.port
        else:
            async with websockets_serve(echo, "127.0.0.1", 0, process_request=pages) as listening:
                yield listening.sockets[0].getsockname()[1]


async def get(port: int, target: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Send one request as it is written here; return status, headers and body, read to the end of stream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    status, *lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    assert len(fields) == len(lines), "no header field stands twice"
    return int(status.split()[1]), fields, body


@pytest.mark.parametrize("implementation", SERVERS)
def test_every_file_is_served_as_what_it_is(implementation: str) -> None:
    async def main() -> None:
        async with serving(implementation, "echo.html") as port:
            for name in FILES:
                status, fields, body = await get(port, f"/{name}?token=x")
                assert (status, body) == (200, (PAGES / name).read_bytes())
                assert fields["Content-Type"] == TYPES[name[name.rindex(".") :]] + "; charset=utf-8"
                assert fields["Content-Length"] == str(len(body))
                assert set(HEADERS) <= set(fields.items())

    assert set(NAMES) < set(FILES)
    asyncio.run(main())


@pytest.mark.parametrize("implementation", SERVERS)
@pytest.mark.parametrize("name", NAMES)
def test_the_page_that_was_named_is_at_the_root(implementation: str, name: str) -> None:
    async def main() -> None:
        async with serving(implementation, name) as port:
            for target in ("/", "/?name=Ada", f"/{name}"):
                assert (await get(port, target))[2] == (PAGES / name).read_bytes()

    asyncio.run(main())


@pytest.mark.parametrize("implementation", SERVERS)
def test_nothing_else_is_served(implementation: str) -> None:
    targets = ["/README.md", "/site.py", "/../site.py", "/%2e%2e/site.py", "/pages/echo.html", "//echo.html"]

    async def main() -> None:
        async with serving(implementation, "echo.html") as port:
            for target in targets:
                status, _, body = await get(port, target)
                assert (status, body.split(b".")[0]) == (404, b"Nothing is served here")
            assert (await get(port, "/echo.html", "POST"))[0] >= 400

    asyncio.run(main())


@pytest.mark.parametrize("implementation", SERVERS)
def test_files_of_a_lesson_are_served_with_the_same_policy(implementation: str) -> None:
    own = {"mine.html": "<p>Grüße</p>", "mine.js": "1", "mine.css": "p { color: red }"}

    async def main() -> None:
        async with serving(implementation, "mine.html", own) as port:
            for name, text in own.items():
                status, fields, body = await get(port, f"/{name}?x")
                assert (status, body.decode()) == (200, text)
                assert fields["Content-Type"] == TYPES[name[name.rindex(".") :]] + "; charset=utf-8"
                assert set(HEADERS) <= set(fields.items())
            assert (await get(port, "/"))[2].decode() == own["mine.html"]
            assert (await get(port, "/shared.js"))[0] == 200  # a page of one's own may use the course's
            own["mine.js"] = "2"
            assert (await get(port, "/mine.js"))[2] == b"2"
            del own["mine.css"]
            assert (await get(port, "/mine.css"))[0] == 404

    asyncio.run(main())


def test_a_file_of_a_lesson_has_a_plain_name_and_replaces_none_of_the_course() -> None:
    for name in ("shared.js", "../mine.js", "a/b.html", "mine.svg", "Mine.html", "mine.html\n", ""):
        with pytest.raises(ValueError, match="called like"):
            serve_page("mine.html", {"mine.html": "", name: ""})
    with pytest.raises(ValueError, match=r"no page 'mine\.js'"):
        serve_page("mine.js", {"mine.js": ""})


@pytest.mark.parametrize("implementation", SERVERS)
def test_a_handshake_is_left_to_the_server(implementation: str) -> None:
    async def main() -> None:
        async with serving(implementation, "echo.html") as port:
            for path in ("/", "/echo.html", "/nothing"):
                async with connect(f"ws://127.0.0.1:{port}{path}") as client:
                    await client.send("Hello")
                    assert await client.recv() == "Hello"

    asyncio.run(main())


@pytest.mark.parametrize("implementation", SERVERS)
def test_no_page_of_a_stranger_gets_in(implementation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = "/user/x/wslab/drawn/"

    async def status(port: int, host: str, *origins: str, shown: str = "") -> bytes:
        fields = [f"{PROOF}: {shown}"] if shown else []
        fields += [f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        fields += [
            "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
            *(f"Origin: {origin}" for origin in origins),
        ]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write("\r\n".join(["GET / HTTP/1.1", *fields, "", ""]).encode())
        line = await reader.readline()
        writer.close()
        return line.split()[1]

    async def main() -> None:
        async with serving(implementation, "echo.html") as port:
            own = f"127.0.0.1:{port}"
            for host, origins in (
                (own, []),  # a program
                (own, [f"http://{own}"]),
                (f"localhost:{port}", [f"http://LOCALHOST:{port}"]),
                (f"[::1]:{port}", [f"http://[::1]:{port}"]),
                ("127.0.0.1", ["https://127.0.0.1"]),  # a Jupyter server with TLS, on port 443
            ):
                assert await status(port, host, *origins) == b"101", (host, origins)
            for host, origins in (
                (own, ["http://evil.example"]),
                (own, ["null"]),
                (own, [""]),
                (own, [f"http://127.0.0.1:{port + 1}"]),  # another server of this machine
                (own, [f"http://{own}.evil.example"]),
                (own, [f"http://{own}", "http://evil.example"]),
                (f"evil.example:{port}", [f"http://evil.example:{port}"]),  # a name that leads here
                ("evil.example", ["http://evil.example"]),
                (f"127.0.0.1.evil.example:{port}", [f"http://127.0.0.1.evil.example:{port}"]),
                ("evil.example:127.0.0.1", ["http://evil.example:127.0.0.1"]),
            ):
                assert await status(port, host, *origins) in (b"403", b"400"), (host, origins)
            for tunnel in ("", prefix):
                monkeypatch.setenv(PREFIX_VARIABLE, tunnel)
                for shown, expected in (
                    ("", b"403"),
                    (proof(""), b"403"),
                    (proof("/user/x/wslab/another/"), b"403"),
                    (proof(prefix), b"101" if tunnel else b"403"),
                ):
                    came = await status(port, "hub.example", "https://hub.example", shown=shown)
                    assert came == expected, (tunnel, shown)
                assert await status(port, own, "http://evil.example", shown=proof(prefix)) == b"403"

    asyncio.run(main())


# -- the pages as documents ---------------------------------------------------------------------------------


class Tags(html.parser.HTMLParser):
    """All start tags with their attributes, and the labels that stand around each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.unlabelled: list[str] = []
        self.in_label = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.in_label = self.in_label or tag == "label"
        if tag in ("input", "select", "textarea") and not self.in_label:
            self.unlabelled.append(str(attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self.in_label = False


@pytest.mark.parametrize("name", NAMES)
def test_a_page_needs_nothing_that_its_policy_forbids(name: str) -> None:
    tags = Tags((PAGES / name).read_text("utf-8"))
    for tag, attributes in tags.found:
        assert tag != "style"
        assert "style" not in attributes
        assert not [key for key in attributes if key.startswith("on")]
        if tag == "script":
            assert attributes["src"] in FILES
        if tag == "link":
            assert attributes["href"] in [*FILES, "data:,"]
    assert tags.unlabelled == []
    assert ("html", {"lang": "en"}) in tags.found


@pytest.mark.parametrize("name", NAMES)
def test_a_script_finds_every_element_that_it_asks_for(name: str) -> None:
    script = (PAGES / name.replace(".html", ".js")).read_text("utf-8")
    ids = [
        attributes["id"]
        for _, attributes in Tags((PAGES / name).read_text("utf-8")).found
        if "id" in attributes
    ]
    asked = set(re.findall(r'byId\("(\w+)"\)', script))
    assert asked <= set(ids)
    assert asked
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".js")])
def test_a_script_never_makes_markup_of_text(name: str) -> None:
    script = (PAGES / name).read_text("utf-8")
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("):
        assert forbidden not in script


def test_the_scripts_together_can_be_read_in_one_sitting() -> None:
    lines = [len((PAGES / name).read_text("utf-8").splitlines()) for name in FILES if name.endswith(".js")]
    assert len(lines) > 5
    assert sum(lines) < 1500
