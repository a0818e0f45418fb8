"""What lesson 08 has besides its cells: pages with a policy, a figure in words, a checklist that links."""

from __future__ import annotations

import asyncio
import re
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tools.course import lessons
from wslab import connect, serve
from wslab.lessons.security.figures import latencies
from wslab.lessons.security.pages import FILES, open_pages

POLICY = "Content-Security-Policy"


async def hello(connection: object) -> None:
    await connection.send("hello")  # type: ignore[attr-defined]


async def fields(port: int, path: str) -> tuple[str, str]:
    """Return the body of a page and its policy."""
    answer = await asyncio.to_thread(urlopen, f"http://127.0.0.1:{port}/{path}")
    return answer.read().decode(), answer.headers[POLICY]


def test_pages_reach_the_ports_that_are_named_and_no_others() -> None:
    async def main() -> None:
        async with serve(hello, process_request=open_pages("foreign.html", [8001, 8002])) as server:
            body, policy = await fields(server.port, "")
            assert body == FILES["foreign.html"]
            [reaches] = [each for each in policy.split("; ") if each.startswith("connect-src")]
            assert reaches == "connect-src 'self'" + "".join(
                f" {scheme}://127.0.0.1:{port}" for port in (8001, 8002) for scheme in ("http", "ws", "wss")
            )
            assert "script-src 'self'" in policy
            with pytest.raises(HTTPError, match="404"):
                await fields(server.port, "nothing")
        async with serve(hello, process_request=open_pages("bank.html")) as server:
            assert "connect-src 'self';" in (await fields(server.port, "visit.js"))[1]

    asyncio.run(main())


def test_a_handshake_of_any_page_passes_the_open_door() -> None:
    async def main() -> None:
        async with serve(hello, process_request=open_pages("bank.html")) as server:
            uri = f"ws://127.0.0.1:{server.port}"
            async with connect(uri, origin="https://evil.example") as client:
                assert await client.recv() == "hello"

    asyncio.run(main())


@pytest.mark.parametrize("name", FILES)
def test_no_page_turns_a_text_into_markup_or_asks_another_machine(name: str) -> None:
    assert not re.search(r"innerHTML|insertAdjacent|document\.write|eval\(|https://|//cdn", FILES[name])
    assert not re.search(r"<script(?![^>]* src=)", FILES[name])


def test_the_figure_says_which_run_was_slower() -> None:
    measured = {"quick": [(0.0, 90.0), (0.1, 1.0), (0.2, 1.2)], "slow": [(0.0, 80.0), (0.4, 120.0)]}
    figure = latencies("A claim", measured)
    assert figure.alt.startswith("A claim. x: seconds")
    assert figure.alt.endswith("The highest median: slow.")
    assert figure.png().startswith(b"\x89PNG")


def test_every_line_of_the_checklist_leads_to_the_place_that_shows_why() -> None:
    [lesson] = [each for each in lessons() if each.number == "08"]
    [cell] = [each for each in lesson.prose if "| must be true | why |" in each.source]
    lines = re.findall(r"^\| (?!must|:--)(.+) \| (.+) \|$", cell.source, re.MULTILINE)
    assert len(lines) >= 10
    assert all("](" in why for _, why in lines)
