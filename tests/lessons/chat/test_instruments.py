"""The load, the bots and the figures of lesson 07, with handlers that are known."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import websockets

from tests.lessons.chat.test_chat import opened, run, serving
from wslab.lessons.chat.bots import Talk, talk
from wslab.lessons.chat.latency import draw_loads, draw_talks
from wslab.lessons.chat.load import COUNT, Load, under_load
from wslab.lessons.chat.people import stranger

Handler = Callable[[Any], Awaitable[None]]


def naive() -> Handler:
    clients = set()

    async def naive(websocket: Any) -> None:
        clients.add(websocket)
        try:
            async for message in websocket:
                for client in clients:
                    await client.send(message)
        finally:
            clients.discard(websocket)

    return naive


def test_the_naive_way_is_held_up_and_fails() -> None:
    async def scenario() -> None:
        held = await under_load(naive())
        assert not held.all_heard
        assert 0 < max(held.heard.values()) < COUNT
        assert len(held.latencies) == 3 * COUNT
        assert not held.errors
        assert not held.dropped
        failed = await under_load(naive(), latecomer=True)
        assert [type(error) for error in failed.errors] == [RuntimeError]
        assert repr(failed).endswith("A handler failed: RuntimeError: Set changed size during iteration")

    run(scenario)


def test_broadcast_holds_up_no_one_and_fills_the_memory() -> None:
    async def scenario() -> None:
        clients = set()

        async def handler(websocket: Any) -> None:
            clients.add(websocket)
            try:
                async for message in websocket:
                    websockets.broadcast(clients, message)
            finally:
                clients.discard(websocket)

        load = await under_load(handler)
        assert load.all_heard
        assert load.waiting > 1_000_000
        assert not load.dropped

    run(scenario)


def test_bots_hear_everything_in_their_rooms() -> None:
    async def scenario() -> None:
        async with serving(opened("websockets").chat, "websockets") as port:
            heard = await talk(port, bots=20, rooms=2, lines=10)
            assert repr(heard) == "20 bots in 2 rooms: 100 of 100 deliveries"
            assert heard.others == 2 * (10 * 9 // 2)
            assert 0 < heard.percentile(50) <= heard.percentile(95) <= heard.percentile(100)

    run(scenario)


def test_two_hundred_bots_never_fill_the_queue_of_one_member() -> None:
    # The first of them gets 199 times joined, then 30 lines, and may be slow to read them.
    assert opened("websockets").Member(None).queue.maxsize > 199 + 30


def test_a_stranger_is_shown_what_came_back() -> None:
    async def fails(websocket: Any) -> None:
        await websocket.recv()
        await websocket.send('{"type": "welcome"}')
        if await websocket.recv() == "boom":
            raise ValueError
        await websocket.send('{"type": "error", "code": "no", "sentence": "No."}')

    assert asyncio.run(stranger(fails, "boom", "other")) == [
        ("closed", "close code 1011"),
        ("no", "No."),
    ]


def test_figures_say_in_words_what_they_compare_and_no_measured_value() -> None:
    loads = [Load(name, latencies=[(0.1, 0.001), (0.2, 0.5)], waiting=1000) for name in ("one", "two")]
    talks = [Talk(20, rooms, 10, [1.0, 2.0, 30.0]) for rooms in (1, 2)]
    for figure in (draw_loads(*loads), draw_talks(*talks)):
        assert figure.png().startswith(b"\x89PNG")
    assert "Compared: one, two." in repr(draw_loads(*loads))
    assert "20 bots, rooms: 2" in repr(draw_talks(*talks))
