"""What docs/nginx.conf says of itself, and lesson 10 of it, is what nginx does."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import wslab
from tests.conftest import find_program
from tests.support.aio import run
from tests.support.ports import draw
from tools.course import ROOT

CONF = (ROOT / "docs" / "nginx.conf").read_text(encoding="utf-8")
UPGRADE = ("proxy_http_version 1.1;", "proxy_set_header Upgrade", "proxy_set_header Connection")
SECONDS = 10.0  # after which something has gone wrong


@pytest.fixture(scope="module")
def nginx() -> str:
    """Where nginx is: outside of the PATH of a user, as a rule."""
    return find_program("nginx", "/usr/sbin/nginx")


def without(text: str) -> str:
    """Return the configuration without the one line that begins with this text."""
    kept, count = re.subn(rf"^ *{re.escape(text)}.*\n", "", CONF, flags=re.MULTILINE)
    assert count == 1, text
    return kept


class Nginx:
    """A running nginx in front of a server."""

    def __init__(self, port: int, process: asyncio.subprocess.Process) -> None:
        self.uri = f"ws://127.0.0.1:{port}/"
        self.process = process


async def until_it_listens(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            assert process.returncode is None, "nginx ended by itself"
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(program: str, folder: Path, server: wslab.Server, conf: str = CONF) -> AsyncIterator[Nginx]:
    """Run nginx with a configuration whose ports are free ones."""
    port = draw()
    for written, used in (("127.0.0.1:8080", port), ("127.0.0.1:8765", server.port)):
        assert conf.count(written) == 1
        conf = conf.replace(written, f"127.0.0.1:{used}")
    (folder / "nginx.conf").write_text(conf, encoding="utf-8")
    arguments = ("-p", str(folder), "-e", "error.log", "-c", "nginx.conf", "-g", "daemon off;")
    process = await asyncio.create_subprocess_exec(program, *arguments)
    try:
        await until_it_listens(port, process)
        yield Nginx(port, process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


class Echo:
    """A handler that answers, and notes what it is asked with and how its connections end."""

    def __init__(self) -> None:
        self.headers: list[wslab.Headers] = []
        self.codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def __call__(self, ws: wslab.ServerConnection) -> None:
        assert ws.request
        self.headers.append(ws.request.headers)
        with contextlib.suppress(wslab.ConnectionClosed):
            async for message in ws:
                await ws.send(message)
        await ws.wait_closed()
        self.codes.put_nowait(ws.close_code)


async def answers(ws: wslab.ClientConnection) -> bool:
    await ws.send("still there?")
    return await asyncio.wait_for(ws.recv(), SECONDS) == "still there?"


def test_a_connection_passes_with_its_headers_and_its_close(nginx: str, tmp_path: Path) -> None:
    async def test() -> None:
        echo = Echo()
        async with wslab.serve(echo) as server, running(nginx, tmp_path, server) as proxy:
            async with wslab.connect(proxy.uri) as ws:
                assert await answers(ws)
                assert await ws.ping() >= 0
                await ws.close(4001, "enough")
            assert await echo.codes.get() == 4001
            [headers] = echo.headers
            assert headers["Host"] == proxy.uri.split("/")[2]
            assert headers["X-Forwarded-For"] == "127.0.0.1"

    run(test())


@pytest.mark.parametrize("line", UPGRADE)
def test_each_of_the_three_lines_is_needed(nginx: str, tmp_path: Path, line: str) -> None:
    async def test() -> None:
        async with (
            wslab.serve(Echo()) as server,
            running(nginx, tmp_path, server, without(line)) as proxy,
        ):
            with pytest.raises(wslab.HandshakeError) as refused:
                await wslab.connect(proxy.uri)
        assert refused.value.status in (400, 426, 505)

    run(test())


@pytest.mark.parametrize("interval", [None, 0.2])
def test_a_ping_outlives_the_idle_timeout(nginx: str, tmp_path: Path, interval: float | None) -> None:
    async def test() -> None:
        echo, conf = Echo(), CONF.replace("proxy_read_timeout 60s;", "proxy_read_timeout 1s;")
        assert conf != CONF
        async with (
            wslab.serve(echo, ping_interval=interval) as server,
            running(nginx, tmp_path, server, conf) as proxy,
            wslab.connect(proxy.uri, ping_interval=None) as ws,
        ):
            if interval:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(ws.wait_closed(), 3)
                assert await answers(ws)
            else:
                await asyncio.wait_for(ws.wait_closed(), SECONDS)
                assert (ws.close_code, await echo.codes.get()) == (1006, 1006)

    run(test())


async def lines(path: Path, text: str) -> None:
    """Wait until a line with this text is in a file."""
    async with asyncio.timeout(SECONDS):
        while text not in path.read_text(encoding="utf-8"):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", ["SIGHUP", "SIGQUIT"])
def test_a_connection_outlives_a_reload_and_an_orderly_shutdown(
    nginx: str, tmp_path: Path, name: str
) -> None:
    async def test() -> None:
        conf = CONF.replace("error_log error.log;", "error_log error.log notice;")
        async with (
            wslab.serve(Echo()) as server,
            running(nginx, tmp_path, server, conf) as proxy,
            wslab.connect(proxy.uri) as ws,
        ):
            assert await answers(ws)
            proxy.process.send_signal(getattr(signal, name))
            await lines(tmp_path / "error.log", "gracefully shutting down")
            assert await answers(ws)
            assert proxy.process.returncode is None

    run(test())


def test_worker_shutdown_timeout_and_sigterm_cut(nginx: str, tmp_path: Path) -> None:
    async def test() -> None:
        echo, conf = Echo(), CONF.replace("worker_shutdown_timeout 1h;", "worker_shutdown_timeout 1s;")
        assert conf != CONF
        async with wslab.serve(echo) as server, running(nginx, tmp_path, server, conf) as proxy:
            for number in (signal.SIGHUP, signal.SIGTERM):
                async with wslab.connect(proxy.uri) as ws:
                    assert await answers(ws)
                    proxy.process.send_signal(number)
                    await asyncio.wait_for(ws.wait_closed(), SECONDS)
                    assert (ws.close_code, await echo.codes.get()) == (1006, 1006)

    run(test())
