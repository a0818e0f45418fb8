"""Autobahn's cases against both ends, strictly: sections 1 to 7, 9 and 10 (12 and 13: test_compression)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

import wslab
from tests.support.aio import echo, judge, results, run, uri
from wslab import ConnectionClosed

PROTOCOL = [f"{section}.*" for section in (1, 2, 3, 4, 5, 6, 7, 10)]
LIMITS = ["9.*"]  # messages of up to 16 MiB, and thousands of them
COUNTS = {"protocol": 247, "limits": 54}
OPTIONS: dict[str, Any] = {"max_size": 2**25, "ping_interval": None}
SECTIONS = pytest.mark.parametrize(
    ("cases", "name", "at_once"), [(PROTOCOL, "protocol", 16), (LIMITS, "limits", 2)], ids=COUNTS.keys()
)


@SECTIONS
def test_as_server(kosoku: Any, cases: list[str], name: str, at_once: int) -> None:
    async def test() -> None:
        async with wslab.serve(echo, **OPTIONS) as server:
            running = kosoku.run_fuzzingclient(uri(server), cases, concurrency=at_once)
            judge(await results(kosoku, running), COUNTS[name])

    run(test(), seconds=300)


@SECTIONS
def test_as_client(kosoku: Any, cases: list[str], name: str, at_once: int) -> None:
    async def test() -> None:
        async with kosoku.run_fuzzingserver(cases, port=0) as fuzzer:
            turns = asyncio.Semaphore(at_once)

            async def talk(path: str) -> str:
                heard = ""
                with contextlib.suppress(ConnectionClosed):
                    async with turns, wslab.connect(f"ws://127.0.0.1:{fuzzer.port}/{path}", **OPTIONS) as ws:
                        async for message in ws:
                            if path == "getCaseCount":
                                heard = str(message)
                            else:
                                await ws.send(message)
                return heard

            count = int(await talk("getCaseCount"))
            await asyncio.gather(*(talk(f"runCase?case={case}&agent=wslab") for case in range(1, count + 1)))
            await talk("updateReports?agent=wslab")
            judge(await results(kosoku, fuzzer.get_result()), COUNTS[name])

    run(test(), seconds=300)
