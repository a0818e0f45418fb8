"""The attack of RFC 6455 §10.3 on an imitated proxy works where the masking-key is known, and only there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wslab.lessons.frames import naive_proxy
from wslab.lessons.frames.naive_proxy import (
    ATTACKERS_SCRIPT,
    BANKS_SCRIPT,
    LIMIT,
    Attack,
    NaiveProxy,
    attack,
    listen,
)
from wslab.masking import apply_mask

HIDDEN = b"\r\nGET /login.js HTTP/1.1\r\nHost: bank.example\r\n\r\n"
KEY = bytes.fromhex("37fa213d")


def run(payload: bytes, key: bytes) -> Attack:
    return asyncio.run(attack(payload, key))


def test_a_predicted_key_poisons_the_store() -> None:
    result = run(apply_mask(HIDDEN, KEY), KEY)
    assert result.visitor_got == ATTACKERS_SCRIPT
    assert [sighting.connection for sighting in result.seen] == [1, 1, 1, 2]
    assert result.seen[1].bytes == 2 + 4 + 2  # frame header, masking-key, CRLF
    assert result.seen[2].done.startswith(
        "asks attacker.example: 200; stores the answer as http://bank.example"
    )
    assert result.seen[3].done == "answers from its store"


@settings(max_examples=10)
@given(st.binary(min_size=4, max_size=4).filter(lambda key: key != KEY))
def test_any_other_key_keeps_the_store_clean(key: bytes) -> None:
    result = run(apply_mask(HIDDEN, KEY), key)
    assert result.visitor_got == BANKS_SCRIPT
    assert [sighting.taken_for for sighting in result.seen][1] == "nothing that it can read"
    assert result.seen[1].bytes == 2 + 4 + len(HIDDEN)


def test_a_frame_without_mask_would_be_no_better_than_a_predicted_key() -> None:
    assert run(HIDDEN, bytes(4)).visitor_got == ATTACKERS_SCRIPT  # masked with zeros: the bytes as they are


def test_an_ordinary_message_does_no_harm() -> None:
    assert run(b"Hello", KEY).visitor_got == BANKS_SCRIPT


def test_shows_itself_in_words_and_as_a_table_the_same_every_time() -> None:
    first, second = (run(apply_mask(HIDDEN, KEY), KEY) for _ in range(2))
    assert repr(first) == repr(second)
    assert first._repr_html_() == second._repr_html_()
    assert "attacker's page" in repr(first)
    assert "asks attacker.example" in first._repr_html_()
    assert ATTACKERS_SCRIPT.replace("'", "&#x27;") in first._repr_html_()


# -- the proxy alone ----------------------------------------------------------------------------------------


@asynccontextmanager
async def proxied(servers: dict[str, int]) -> AsyncIterator[tuple[NaiveProxy, int]]:
    proxy = NaiveProxy(servers)
    async with asyncio.timeout(5), listen(proxy.serve) as port:
        yield proxy, port


async def ask(port: int, *pieces: bytes) -> bytes:
    """Send bytes in pieces and give all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


def test_a_request_may_arrive_byte_by_byte() -> None:
    async def scene() -> None:
        async with proxied({}) as (proxy, port):
            head = b"GET /a HTTP/1.1\r\nHost: nobody.example\r\n\r\n"
            assert b" 502 " in await ask(port, *(head[i : i + 1] for i in range(len(head))))
            assert [sighting.bytes for sighting in proxy.seen] == [len(head)]

    asyncio.run(scene())


def test_two_requests_in_one_read_are_two_requests() -> None:
    async def scene() -> None:
        async with proxied({}) as (proxy, port):
            await ask(port, b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n")
            assert [s.taken_for for s in proxy.seen] == [
                "a request for http://x/a",
                "a request for http://x/b",
            ]

    asyncio.run(scene())


def test_what_is_no_request_is_kept_up_to_a_limit_only() -> None:
    async def scene() -> None:
        async with proxied({}) as (proxy, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(bytes(3 * LIMIT))
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()
            assert sum(sighting.bytes for sighting in proxy.seen) <= 2 * LIMIT

    asyncio.run(scene())


def test_the_store_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naive_proxy, "STORED", 0)
    result = run(apply_mask(HIDDEN, KEY), KEY)
    assert result.visitor_got == BANKS_SCRIPT


def test_a_connection_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naive_proxy, "BOUND", 0.05)

    async def scene() -> None:
        async with proxied({}) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()

    asyncio.run(scene())
