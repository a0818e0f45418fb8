"""``async for ws in connect(...)``: when it comes back, how long it waits, and when it gives up."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

import wslab
from tests.support.aio import run, uri
from tests.support.ports import draw
from wslab import ConnectionClosed, HandshakeError
from wslab.aio import client
from wslab.aio.reconnect import FATAL_CODES, full_jitter


class Waits:
    """Waits that are noted and short."""

    def __init__(self) -> None:
        self.begun = self.waited = 0

    def __call__(self) -> Iterator[float]:
        self.begun += 1
        while True:
            self.waited += 1
            yield 0.0


async def end(ws: wslab.ServerConnection) -> None:
    """End the connection with the code in the path; with 1006, without a Close."""
    assert ws.request
    code = int(ws.request.path.strip("/"))
    if code == 1006:
        ws.abort()
    else:
        await ws.close(code)


async def wait_for_each(connecting: wslab.connect) -> None:
    """Wait for the end of each connection; nothing but the iteration itself raises."""
    async for ws in connecting:
        await ws.wait_closed()


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, 1012, 1013, 4000])
def test_it_comes_back_after_an_end_that_may_pass(code: int) -> None:
    async def test() -> None:
        waits, seen = Waits(), []
        async with wslab.serve(end) as server:
            async for ws in wslab.connect(f"{uri(server)}{code}", reconnect_delays=waits):
                seen.append(ws)
                await ws.wait_closed()
                if len(seen) == 3:
                    break
        assert [each.close_code for each in seen] == [code] * 3
        assert (waits.begun, waits.waited) == (1, 2)  # no connection has lasted: the waits go on

    run(test())


@pytest.mark.parametrize("code", sorted(FATAL_CODES))
def test_it_raises_an_end_that_would_be_repeated(code: int) -> None:
    async def test() -> None:
        opened = []

        async def count(ws: wslab.ServerConnection) -> None:
            opened.append(ws)
            await end(ws)

        async with wslab.serve(count) as server:
            connecting = wslab.connect(f"{uri(server)}{code}", reconnect_delays=Waits())
            with pytest.raises(ConnectionClosed, match=str(code)):
                await wait_for_each(connecting)
        assert len(opened) == 1

    run(test())


def test_it_raises_an_end_that_this_end_found_fault_with() -> None:
    async def test() -> None:
        async def break_a_rule(ws: wslab.ServerConnection) -> None:
            ws.transport.write(b"\xff\x00")  # all reserved bits are set
            await ws.wait_closed()

        async with wslab.serve(break_a_rule) as server:
            connecting = wslab.connect(uri(server), reconnect_delays=Waits())
            with pytest.raises(ConnectionClosed, match="given up with 1002"):
                await wait_for_each(connecting)

    run(test())


def refusing(status: int, times: int) -> Any:
    """Return a process_request that refuses the first handshakes."""
    asked = itertools.count()
    return lambda ws, request: ws.respond(status, "no\n") if next(asked) < times else None


@pytest.mark.parametrize("status", [503, 500, 429, 408])
def test_a_refusal_that_may_pass_is_tried_again(status: int) -> None:
    async def test() -> None:
        waits = Waits()
        async with wslab.serve(lambda ws: ws.wait_closed(), process_request=refusing(status, 2)) as server:
            async for ws in wslab.connect(uri(server), reconnect_delays=waits):
                assert (waits.waited, ws.close_code) == (2, None)
                break

    run(test())


@pytest.mark.parametrize("status", [401, 403, 404, 200])
def test_a_refusal_that_stays_is_raised(status: int) -> None:
    async def test() -> None:
        waits = Waits()
        async with wslab.serve(end, process_request=refusing(status, 99)) as server:
            with pytest.raises(HandshakeError, match=str(status)):
                [ws async for ws in wslab.connect(uri(server), reconnect_delays=waits)]
        assert waits.waited == 0

    run(test())


def test_it_waits_for_a_server_that_is_not_there_yet() -> None:
    async def test() -> None:
        port = draw()
        waits = Waits()

        async def start_late() -> wslab.Server:
            while waits.waited < 3:
                await asyncio.sleep(0)
            return await wslab.serve(lambda ws: ws.send("here"), port=port)

        starting = asyncio.create_task(start_late())
        async for ws in wslab.connect(f"ws://127.0.0.1:{port}", reconnect_delays=waits):
            assert await ws.recv() == "here"
            break
        server = await starting
        server.close()
        await server.wait_closed()
        assert waits.waited >= 3

    run(test())


def test_it_waits_as_long_as_it_is_told() -> None:
    async def test() -> None:
        clock, ended = asyncio.get_running_loop().time, 0.0
        async with wslab.serve(end) as server:
            connecting = wslab.connect(f"{uri(server)}1012", reconnect_delays=lambda: iter([0.1]))
            async for ws in connecting:
                if ended:
                    assert clock() - ended > 0.09
                    break
                await ws.wait_closed()
                ended = clock()

    run(test())


def test_when_the_waits_run_out_each_is_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LAST_CEILING", 0.0)

    async def test() -> None:
        async with wslab.serve(end) as server:
            turns = 0
            async for ws in wslab.connect(f"{uri(server)}1012", reconnect_delays=lambda: iter([0.0])):
                turns += 1
                await ws.wait_closed()
                if turns == 4:
                    break
        assert turns == 4

    run(test())


def test_the_waits_begin_anew_after_a_connection_that_lasted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "STABLE_TIME", 0.0)

    async def test() -> None:
        waits = Waits()
        async with wslab.serve(end) as server:
            turn = itertools.count()
            async for ws in wslab.connect(f"{uri(server)}1012", reconnect_delays=waits):
                await ws.wait_closed()
                if next(turn) == 2:
                    break
        assert waits.begun == waits.waited == 2  # each wait is the first of its kind

    run(test())


def test_a_turn_that_ends_closes_its_connection_normally() -> None:
    async def test() -> None:
        codes: list[Any] = []

        async def note(ws: wslab.ServerConnection) -> None:
            await ws.wait_closed()
            codes.append(ws.close_code)

        async with wslab.serve(note) as server:
            for how in ("continue", "break"):
                async for _ in wslab.connect(uri(server), reconnect_delays=Waits()):
                    if how == "break" or len(codes):
                        break
            while len(codes) < 3:
                await asyncio.sleep(0.001)
        assert set(codes) == {1000}

    run(test())


def test_waits_are_drawn_below_a_ceiling_that_doubles() -> None:
    ceilings = [min(60, 0.5 * 2**n) for n in range(12)]
    draws = [list(itertools.islice(full_jitter(), 12)) for _ in range(300)]
    for waits in draws:
        assert all(0 <= wait <= ceiling for wait, ceiling in zip(waits, ceilings, strict=True))
    for n, ceiling in enumerate(ceilings):  # the whole interval is used
        column = sorted(waits[n] for waits in draws)
        assert column[0] < 0.1 * ceiling
        assert column[-1] > 0.9 * ceiling
