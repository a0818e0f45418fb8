"""What a beginner writes in lessons 00 and 05: what the check says to it, and how soon.

The typical mistakes of each exercise are with its declaration, and ``test_exercises`` tries them. Here is
what is wrong in a more general way: loops, coroutines, what comes from the answer before.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.asyncio.client import connect

from wslab.lab.exercises.served import PATIENCE
from wslab.lessons import check, course
from wslab.lessons.echo.exercises import ARRIVALS

ASYNCHRONOUS = [each for number in ("00", "05") for each in course()[number] if each.asynchronous]


@pytest.mark.parametrize("exercise", ASYNCHRONOUS, ids=lambda each: each.name)
def test_a_loop_that_awaits_is_not_given_the_whole_bound(exercise: Any) -> None:
    async def turning(*args: Any) -> None:
        while True:
            await asyncio.sleep(0)

    verdict = check(exercise.name, turning)
    assert verdict.state == "wrong"
    assert "did not end within" not in repr(verdict)  # the sentence for who used up the bound
    assert f"{PATIENCE:g} seconds" in repr(verdict)


@pytest.mark.parametrize("exercise", ASYNCHRONOUS, ids=lambda each: each.name)
def test_a_plain_function_and_an_exception_are_named(exercise: Any) -> None:
    async def raising(*args: Any) -> None:
        raise ValueError("no idea")

    assert "write async def" in repr(check(exercise.name, lambda *args: None))
    text = repr(check(exercise.name, raising))
    assert "raises an exception." in text
    assert 'raise ValueError("no idea")' in text


def test_a_forgotten_await_is_named_with_the_wait_that_it_causes() -> None:
    async def my_ask(uri: str, question: str) -> Any:
        async with connect(uri) as websocket:
            websocket.send(question)  # type: ignore[unused-coroutine]  # the mistake
            return await websocket.recv()

    text = repr(check("ask", my_ask))
    assert "the server has no question" in text
    assert f"send(…) (line {my_ask.__code__.co_firstlineno + 2}) gives a coroutine" in text


def test_a_coroutine_without_the_attribute_is_not_laid_to_the_next_answer() -> None:
    """The exception keeps the object that lacks the attribute."""

    async def forgets(websocket: Any) -> None:
        while True:
            message = websocket.recv()
            await websocket.send(message.upper())

    async def texts_only(websocket: Any) -> None:
        async for message in websocket:
            if isinstance(message, str):
                await websocket.send(message.upper())

    first, second = repr(check("shout", forgets)), repr(check("shout", texts_only))
    assert "An await is missing." in first
    assert "recv(…)" in first
    assert "does not answer a binary message" in second
    assert "recv(…)" not in second


def test_a_coroutine_as_a_text_shows_no_address() -> None:
    async def my_ask(uri: str, question: str) -> str:
        async with connect(uri) as websocket:
            await websocket.send(question)
            return str(websocket.recv())

    text = repr(check("ask", my_ask))
    assert "'<coroutine object Connection.recv>'" in text
    assert "recv(…)" in text


def test_a_kind_that_is_none_of_the_three_is_told_which_there_are() -> None:
    text = repr(check("what-arrives", ARRIVALS | {"text frame": "str"}))
    assert "Only 'string', 'Blob' and 'ArrayBuffer' are possible." in text
    assert "Only" not in repr(check("what-arrives", ARRIVALS | {"text frame": "Blob"}))
    assert "no spaces around it" in repr(check("what-arrives", ARRIVALS | {"text frame": "string "}))
