"""The server of lesson 12, as its cells have it, outside Jupyter: it conforms, shuts down, is bounded."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

import wslab
from tools.course import LESSONS
from tools.lesson_cells import run_cells
from wslab.frames import Frame, Opcode, encode_frame
from wslab.handshake import build_request, generate_key
from wslab.lessons.build.conformance import conformance
from wslab.lessons.build.own_cases import run_own_cases
from wslab.lessons.build.parts import PARTS

NOTEBOOK = LESSONS / "12-build-your-own.ipynb"
ANSWERS = ("read", "write", "close", "next_beat", "send", "shutdown")


@pytest.fixture(scope="module", params=["the course's", "yours"])
def cells(request: pytest.FixtureRequest) -> SimpleNamespace:
    """Run the imports and the cells of the server, the exercises unsolved and solved."""
    given = {f"my_{name}": None for name in ANSWERS}
    if request.param == "yours":
        solved = run_cells(NOTEBOOK, "setup", "solution")
        given = {f"my_{name}": solved[f"solution_{name}"] for name in ANSWERS}
    found = SimpleNamespace(**run_cells(NOTEBOOK, "setup", "server", **given))
    assert list(PARTS.values()) == [request.param] * len(ANSWERS)
    return found


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario within a bound, and see that it leaves no task behind."""

    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scenario()
            await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})

    asyncio.run(bounded())


async def bare(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection that answers nothing by itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(build_request("127.0.0.1", key=generate_key()).encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    return reader, writer


async def until(condition: Callable[[], Any]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def test_it_passes_every_case_of_autobahn(cells: SimpleNamespace) -> None:
    pytest.importorskip("kosoku")

    async def scenario() -> None:
        async with cells.MyServer(cells.echo, most=500, max_size=2**24) as server:
            proof = await conformance(server.port)
        assert proof, [case.number for case in proof.cases if not (case.passed and case.clean)]
        assert len(proof.cases) == 247

    run(scenario)


def test_it_passes_every_case_of_the_course(cells: SimpleNamespace) -> None:
    async def scenario() -> None:
        async with cells.MyServer(cells.echo) as server:
            found = await run_own_cases(server.port)
        assert found
        assert [case for case in found if not (case.passed and case.clean)] == []

    run(scenario)


def test_without_autobahn_the_cases_of_the_course_tell_the_stages_apart(
    cells: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wslab.lessons.build.conformance.find_spec", lambda name: None)

    async def scenario() -> None:
        async with cells.listening(cells.serving(cells.Sending, cells.echo)) as port:
            reading = await conformance(port)
        assert {case.number for case in reading.failed} == {"2.1", "2.2"}
        assert not any(case.clean for case in reading.cases if case.section == "1")
        async with cells.listening(cells.send_frames_back) as port:
            frames = await conformance(port)
        assert {case.section for case in frames.failed} == {"2", "5", "6", "7"}
        assert frames.wire("5.6")
        assert "pip install kosoku" in repr(frames.figure("A claim"))

    run(scenario)


def test_a_shutdown_tells_every_client_and_waits_for_none_that_is_deaf(cells: SimpleNamespace) -> None:
    async def scenario() -> None:
        async with cells.MyServer(cells.echo) as server:
            clients = [await wslab.connect(f"ws://127.0.0.1:{server.port}/") for _ in range(3)]
            reader, deaf = await bare(server.port)
            await until(lambda: len(server.open) == 4)
        for client in clients:
            await client.wait_closed()
        assert [client.close_code for client in clients] == [1001, 1001, 1001]
        with suppress(ConnectionError):
            assert await reader.read() == bytes.fromhex("88 02 03 e9")
        assert not server.open
        assert not server.tasks
        deaf.close()

    run(scenario)


def test_a_shutdown_ends_a_handler_that_never_returns_and_a_handshake_under_way(
    cells: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    handled = []

    async def stuck(ws: Any) -> None:
        handled.append(ws)
        await asyncio.sleep(3600)

    async def scenario() -> None:
        async with cells.MyServer(stuck) as server:
            client = await wslab.connect(f"ws://127.0.0.1:{server.port}/")
            reader, silent = await asyncio.open_connection("127.0.0.1", server.port)
            await until(lambda: len(server.tasks) == 2 and handled)
        await client.wait_closed()
        assert client.close_code == 1001
        assert await reader.read() == b""
        assert not server.tasks
        silent.close()

    run(scenario)
    assert caplog.records == []


def test_a_handshake_that_ends_during_the_shutdown_is_refused(cells: SimpleNamespace) -> None:
    async def scenario() -> None:
        async with cells.MyServer(cells.echo) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            await until(lambda: server.tasks)
            leaving = asyncio.create_task(server.__aexit__())
            await asyncio.sleep(0)
            writer.write(build_request("127.0.0.1", key=generate_key()).encode())
            assert (await reader.read()).startswith(b"HTTP/1.1 503")
            await leaving
        writer.close()

    run(scenario)


def test_a_handler_that_raises_ends_its_own_connection_and_is_in_the_log(
    cells: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(ws: Any) -> None:
        async for message in ws:
            if message == "break":
                raise ZeroDivisionError
            await ws.send(message)

    async def scenario() -> None:
        async with cells.MyServer(broken) as server:
            uri = f"ws://127.0.0.1:{server.port}/"
            async with wslab.connect(uri) as one, wslab.connect(uri) as other:
                await one.send("break")
                await one.wait_closed()
                assert one.close_code == 1011
                await other.send("Hello")
                assert await other.recv() == "Hello"

    with caplog.at_level(logging.ERROR):
        run(scenario)
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]


def test_a_client_that_leaves_is_not_an_error(
    cells: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    async def push(ws: Any) -> None:
        while True:
            await ws.send("tick")
            await asyncio.sleep(0)

    async def scenario() -> None:
        async with cells.MyServer(push) as server:
            async with wslab.connect(f"ws://127.0.0.1:{server.port}/") as client:
                assert await client.recv() == "tick"
            _, lost = await bare(server.port)
            lost.transport.abort()
            await until(lambda: not server.open)

    with caplog.at_level(logging.WARNING):
        run(scenario)
    assert caplog.records == []


def test_a_close_without_an_answer_drops_what_the_peer_never_read(cells: SimpleNamespace) -> None:
    waiting = []

    async def pour(ws: Any) -> None:
        size = ws.writer.transport.get_write_buffer_size
        while size() < 2**20:
            ws.connection.send_binary(bytes(65536))
            ws.flush()
        waiting.append(size())
        await ws.close(1000, timeout=0.1)
        waiting.append(size())

    async def scenario() -> None:
        async with cells.MyServer(pour) as server:
            _, deaf = await bare(server.port)
            await until(lambda: not server.tasks and waiting)
            deaf.transport.abort()

    run(scenario)
    assert waiting[0] > waiting[1] == 0


def test_a_peer_that_says_goodbye_and_reads_nothing_is_dropped(cells: SimpleNamespace) -> None:
    waiting, taken = [], asyncio.Event()

    async def pour(ws: Any) -> None:
        size = ws.writer.transport.get_write_buffer_size
        while size() < 2**20:
            ws.connection.send_binary(bytes(65536))
            ws.flush()
        taken.set()
        assert [message async for message in ws] == []
        await ws.close(1000, timeout=0.1)
        waiting.append(size())
        await ws.close()  # a second time is no harm

    async def scenario() -> None:
        async with cells.MyServer(pour) as server:
            _, deaf = await bare(server.port)
            await taken.wait()
            deaf.write(bytes.fromhex("88 80 00 00 00 00"))
            await until(lambda: not server.tasks)
            deaf.transport.abort()

    run(scenario)
    assert waiting == [0]


def test_connections_that_ask_for_nothing_are_bounded(cells: SimpleNamespace) -> None:
    async def scenario() -> None:
        async with cells.MyServer(cells.echo, most=2, open_timeout=10) as server:
            silent = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(5)]
            reader, writer = silent.pop()
            assert await reader.read() == b""
            assert len(server.tasks) == 4
            for _, each in (*silent, (reader, writer)):
                each.close()
            await until(lambda: not server.tasks)
            async with wslab.connect(f"ws://127.0.0.1:{server.port}/") as client:
                await client.send("Hello")
                assert await client.recv() == "Hello"

    run(scenario)


def test_the_heartbeat_does_not_ping_after_a_close(cells: SimpleNamespace) -> None:
    faults = []

    async def close_slowly(ws: Any) -> None:
        watching = asyncio.create_task(ws.watch(0.05, 5))
        await ws.close(1000, timeout=0.3)
        faults.append(watching.exception())

    async def scenario() -> None:
        async with cells.MyServer(close_slowly) as server:
            reader, deaf = await bare(server.port)
            assert await reader.read() == bytes.fromhex("88 02 03 e8")
            deaf.close()

    run(scenario)
    assert faults == [None]


def test_a_peer_that_sends_faster_than_the_handler_takes_has_to_wait(cells: SimpleNamespace) -> None:
    taking, seen = asyncio.Event(), []

    async def slow(ws: Any) -> None:
        await taking.wait()
        seen.append(len(ws.messages))
        async for message in ws:
            seen.append(message)

    frames = encode_frame(Frame(Opcode.BINARY, bytes(4096)), bytes(4)) * 20

    async def scenario() -> None:
        async with cells.MyServer(slow) as server:
            _, writer = await bare(server.port)
            for _ in range(1000):
                writer.write(frames)
            await until(lambda: next(iter(server.open)).messages if server.open else False)
            [ws] = server.open
            before = -1
            while before != len(ws.messages):
                before = len(ws.messages)
                await asyncio.sleep(0.05)
            taking.set()
            await until(lambda: len(seen) == 20_001)
            writer.transport.abort()
        assert seen[0] < 100

    run(scenario)
