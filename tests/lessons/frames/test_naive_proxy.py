"""The attack of RFC 6455 §10.3 on an imitated proxy works where the masking-key is known, and only there."""

import asyncio
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.course import lessons
from wslab.lessons.frames import naive_proxy
from wslab.lessons.frames.naive_proxy import ATTACKERS_SCRIPT, BANKS_SCRIPT, LIMIT, Attack, attack
from wslab.masking import apply_mask

HIDDEN = b"\r\nGET /login.js HTTP/1.1\r\nHost: bank.example\r\n\r\n"
KEY = bytes.fromhex("37fa213d")


def proxy_of_the_lesson() -> Any:
    """Run the cells of lesson 03 that have the vulnerable heart, and return it."""
    [lesson] = [each for each in lessons() if each.number == "03"]
    namespace: dict[str, Any] = {"re": re}
    for cell in lesson.code:
        if cell.source.startswith(("REQUEST =", "async def naive_proxy")):
            exec(cell.source, namespace)
    return namespace["naive_proxy"]


PROXY = proxy_of_the_lesson()


def run(payload: bytes, key: bytes) -> Attack:
    return asyncio.run(attack(PROXY, payload, key))


def test_a_predicted_key_poisons_the_store() -> None:
    result = run(apply_mask(HIDDEN, KEY), KEY)
    assert result.visitor_got == ATTACKERS_SCRIPT
    page, visitor = "attacker's page", "another visitor"
    assert [who for who, _ in result.seen] == [page, "the proxy", page, page, "the proxy", visitor]
    assert result.seen[2][1] == "8 bytes that the proxy cannot read"  # frame header, masking-key, CRLF
    assert result.seen[3][1].endswith("http://bank.example/login.js, passed to attacker.example: 200")
    assert result.seen[5][1] == "a request, answered from the store"


@settings(max_examples=10)
@given(st.binary(min_size=4, max_size=4).filter(lambda key: key != KEY))
def test_any_other_key_keeps_the_store_clean(key: bytes) -> None:
    result = run(apply_mask(HIDDEN, KEY), key)
    assert result.visitor_got == BANKS_SCRIPT
    assert result.seen[2][1] == f"{2 + 4 + len(HIDDEN)} bytes that the proxy cannot read"


def test_a_frame_without_mask_would_be_no_better_than_a_predicted_key() -> None:
    assert run(HIDDEN, bytes(4)).visitor_got == ATTACKERS_SCRIPT  # masked with zeros: the bytes as they are


def test_an_ordinary_message_does_no_harm() -> None:
    assert run(b"Hello", KEY).visitor_got == BANKS_SCRIPT


def test_shows_itself_in_words_and_as_a_table_the_same_every_time() -> None:
    first, second = (run(apply_mask(HIDDEN, KEY), KEY) for _ in range(2))
    assert repr(first) == repr(second)
    assert first._repr_html_() == second._repr_html_()
    assert json.dumps(repr(first)).isascii()
    assert ATTACKERS_SCRIPT in repr(first)


def test_what_is_kept_of_a_connection_is_bounded() -> None:
    assert run(bytes(2 * LIMIT), KEY).visitor_got == BANKS_SCRIPT


def test_a_proxy_that_never_answers_ends_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naive_proxy, "BOUND", 0.2)

    async def silent(buffer: bytes, store: dict[str, bytes], ask: Any) -> tuple[bytes, bytes]:
        await asyncio.Event().wait()
        return b"", b""

    with pytest.raises((TimeoutError, asyncio.IncompleteReadError)):
        asyncio.run(attack(silent, b"Hello", KEY))
