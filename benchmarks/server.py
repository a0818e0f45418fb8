"""A server in a process of its own, for what is measured of a whole process: its memory, and its attention.

    python -m benchmarks.server wslab

It prints its port and then answers each line on its standard input with a number: the memory that it takes,
in KiB. It ends with its input.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.course import ROOT

__all__ = ["ServerProcess"]

STATM = Path("/proc/self/statm")  # Linux says there, in pages, what a process takes now


class ServerProcess:
    """An echo server of one of the packages; close() ends it."""

    def __init__(self, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what the packages say of clients that are killed
            text=True,
            bufsize=1,
            cwd=ROOT,
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())

    def memory(self) -> float:
        """Return the memory that it takes, in KiB."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("memory\n")
        return float(self._process.stdout.readline())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def memory() -> float:
    """Return the memory that this process takes, in KiB, once what nobody needs is gone."""
    import resource

    gc.collect()
    return int(STATM.read_text().split()[1]) * resource.getpagesize() / 1024


async def main() -> None:
    from benchmarks.network import SERVINGS

    room: set[Any] = set()
    async with SERVINGS[sys.argv[1]](room) as port:
        print(port, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(memory(), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
