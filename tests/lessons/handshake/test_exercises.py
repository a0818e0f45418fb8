"""The material of the questions of lesson 02, and what their verdicts show."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence

import pytest
import websockets

from wslab.handshake import accept_key, judge_request
from wslab.http import RequestReader, Response, ResponseReader
from wslab.lessons import check
from wslab.lessons.handshake import KEYS, REQUESTS

ORIGINS = [None, "https://chat.example"]


def test_the_keys_are_what_the_question_says() -> None:
    def my_judgement(key: str) -> bool:
        try:
            data = base64.b64decode(key, validate=True)
        except ValueError:
            return False
        return len(data) == 16 and base64.b64encode(data).decode() == key

    assert check("spot-the-key", {name: my_judgement(key) for name, key in KEYS.items()})
    assert base64.b64decode(KEYS["B"]) == bytes(range(1, 17))  # the example of §4.1


def status_of_wslab(data: bytes) -> int:
    request = RequestReader().feed(data)
    assert request is not None
    return (request if isinstance(request, Response) else judge_request(request, origins=ORIGINS)).status


async def statuses_of_websockets() -> dict[str, int]:
    async def handler(connection: websockets.ServerConnection) -> None:
        await connection.wait_closed()

    statuses = {}
    async with websockets.serve(handler, "127.0.0.1", 0, origins=ORIGINS) as server:  # type: ignore[arg-type]
        port = server.sockets[0].getsockname()[1]
        for name, data in REQUESTS.items():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            async with asyncio.timeout(5):
                response = ResponseReader().feed(await reader.readuntil(b"\r\n\r\n"))
            assert response is not None
            statuses[name] = response.status
            writer.close()
    return statuses


def test_both_servers_answer_the_requests_as_the_question_says() -> None:
    ours = {name: status_of_wslab(data) for name, data in REQUESTS.items()}
    assert len(set(ours.values())) == 6
    assert check("status-for", ours)
    assert asyncio.run(statuses_of_websockets()) == ours


def test_a_call_shows_the_response_that_it_judges() -> None:
    def my_fault(key: str, offered: Sequence[str], response: Response) -> str:
        if response.status != 101 or "Connection" not in response.headers:
            return "status"
        return "ok" if response.headers.get("Upgrade", "").lower() == "websocket" else "Upgrade"  # type: ignore[union-attr]

    assert "[], <101, no Connection>)" in check("judge-response", my_fault).sentences[0]


@pytest.mark.parametrize("name", ["accept-key", "switch-protocols"])
def test_nothing_of_the_course_is_accepted_as_the_learners(name: str) -> None:
    borrowed = {"accept-key": accept_key, "switch-protocols": judge_request}[name]
    assert "the course's own function" in check(name, borrowed).sentences[0]


@pytest.mark.parametrize(("name", "shown"), [("answer-request", "<GET /chat,"), ("judge-response", "<403,")])
def test_a_call_shows_a_head_in_its_own_words(name: str, shown: str) -> None:
    assert shown in repr(check(name, lambda *call: None, record=False))
