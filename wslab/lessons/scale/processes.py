"""Processes that end with the kernel, even when that is killed: each has a keeper that waits on a pipe.

The keeper is a tiny Python process between the kernel and the process that does the work. It starts the
command, says its process id, and reads a pipe that only the kernel can write to. When the kernel ends, in
whatever way, the system closes the pipe, and the keeper ends the command. `Workers` runs a program, the one
that the lesson builds, several times in this way.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import sys
import tempfile
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["START", "Kept", "Workers", "script"]

_KEEPER = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
print(child.pid, flush=True)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the kernel reads is the child's, and ends with it
try:
    sys.stdin.buffer.read()
finally:
    child.kill()
    child.wait()
"""
START = 20.0  # seconds that a process may take until it says something


class Kept:
    """A process with its keeper.

    Args:
        command: the program and its arguments.
    """

    def __init__(self, *command: str) -> None:
        self._command = command
        self.pid = 0

    async def start(self) -> None:
        """Start keeper and process; the process writes to the standard output that `line` reads."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - stop() closes it
        self._keeper = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _KEEPER, *self._command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # so that interrupting the kernel interrupts the cell alone
        )
        self.pid = int(await self.line())

    async def line(self) -> str:
        """Return the next line that the process prints.

        Raises:
            RuntimeError: it has ended, or says nothing for 20 seconds; with the last line of its traceback.
        """
        assert self._keeper.stdout
        try:
            line = await asyncio.wait_for(self._keeper.stdout.readline(), START)
        except TimeoutError:
            line = b""
        if not line:
            self._errors.seek(0)
            why = self._errors.read().decode(errors="replace").strip().rpartition("\n")[2]
            raise RuntimeError(f"the process did not start: {why or 'it printed nothing'}")
        return line.decode().strip()

    def kill(self) -> None:
        """End the process at once, as `kill -9` does; its keeper stays."""
        os.kill(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    async def stop(self) -> None:
        """End process and keeper, and wait until both are gone."""
        if self.pid:
            assert self._keeper.stdin
            self._keeper.stdin.close()
            await self._keeper.wait()
            self._errors.close()
            self.pid = 0


def script(*parts: str | Callable[..., Any]) -> str:
    """Join the parts of a program: a text is taken as it is, of a function its source as the cell has it.

    >>> print(script("import sys", "print(sys.argv)"))
    import sys
    <BLANKLINE>
    print(sys.argv)
    <BLANKLINE>
    """
    texts = [part if isinstance(part, str) else inspect.getsource(part) for part in parts]
    return "\n\n".join(textwrap.dedent(text).strip() for text in texts) + "\n"


class Workers:
    """The same program as several processes, each on a port that it chooses and prints in its first line.

    Args:
        program: the text of the program.
        arguments: what each process gets, such as the port of the log.
        count: how many processes.

    Use it as ``async with Workers(program, count=2) as workers:``; `ports` are where they listen.
    """

    def __init__(self, program: str, arguments: Sequence[object] = (), *, count: int) -> None:
        command = (sys.executable, "-c", program, *map(str, arguments))
        self.processes = [Kept(*command) for _ in range(count)]
        self.ports: list[int] = []

    async def __aenter__(self) -> Workers:
        try:
            await asyncio.gather(*(each.start() for each in self.processes))
            self.ports = [int(await each.line()) for each in self.processes]
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(each.stop() for each in self.processes))

    def kill(self, number: int) -> None:
        """Kill one of the processes with -9: it does nothing more, and says good-bye to nobody."""
        self.processes[number].kill()
