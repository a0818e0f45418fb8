"""A trial: a judge with the learner's code in it, run within a bound.

The work runs in a thread of its own, the caller waits for it. So a loop that never ends cannot take the
kernel with it, no trace function is touched (coverage and debuggers go on), and the event loop of the kernel
is not entered: a judge that is a coroutine function gets a fresh loop in that thread, where it starts
whatever server it needs. What the code prints appears in the cell.

When the bound is over, an exception is raised inside the thread, at its next bytecode. Code that waits in C
(``time.sleep``, a socket) does not notice; it is left behind in its daemon thread, and the outcome says so.
This module knows nothing of exercises.
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import inspect
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Outcome", "run"]

GRACE = 1.0  # seconds that the thread gets to end once it was told to


class _ExpiredError(BaseException):
    """End the work: not an Exception, so that ``except Exception`` in a loop does not catch it."""


@dataclass(frozen=True)
class Outcome:
    """Hold how the work ended: with a value, with an error, or not within its bound.

    Args:
        value: what it returned.
        error: what it raised.
        expired: whether the bound was over.
        stopped: whether it really ended; False means that a thread is left behind.
    """

    value: Any = None
    error: BaseException | None = None
    expired: bool = False
    stopped: bool = True


class _Worker(threading.Thread):
    def __init__(self, work: Callable[[], Outcome]) -> None:
        super().__init__(name="wslab-exercise", daemon=True)
        self._work = work
        self._context = contextvars.copy_context()  # the kernel finds the cell to print to in it
        self._lock = threading.Lock()
        self._finished = False
        # Not join(): when an interrupt of the kernel ends it, Python 3.11 holds a running thread for ended.
        self.done = threading.Event()
        self.outcome = Outcome(expired=True)

    def run(self) -> None:
        try:
            outcome = self._context.run(self._try)
            with self._lock:
                self._finished = True
                _raise_in(self.ident, None)  # a call to stop that came too late must not hit the thread's end
                self.outcome = outcome
        except _ExpiredError:
            pass
        finally:
            self.done.set()

    def _try(self) -> Outcome:
        try:
            return self._work()
        except _ExpiredError:
            return Outcome(expired=True)
        except BaseException as error:  # SystemExit and KeyboardInterrupt of the learner's code too
            return Outcome(error=error)

    def stop(self) -> bool:
        """Raise inside the thread until it ends, for as long as the grace lasts; tell whether it did."""
        end = time.monotonic() + GRACE
        while not self.done.is_set() and time.monotonic() < end:
            with self._lock:
                if not self._finished:
                    _raise_in(self.ident, _ExpiredError)
            self.done.wait(0.1)
        return self.done.is_set()


def _raise_in(ident: int | None, error: type[BaseException] | None) -> None:
    """Have a thread raise at its next bytecode, or take back what it was to raise."""
    thing = ctypes.py_object(error) if error else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident or 0), thing)


async def _await_within(judge: Callable[[Any], Any], answer: Any, bound: float) -> Outcome:
    try:
        async with asyncio.timeout(bound) as scope:
            return Outcome(await judge(answer))
    except TimeoutError as error:
        return Outcome(expired=True) if scope.expired() else Outcome(error=error)


def run(judge: Callable[[Any], Any], answer: Any, bound: float) -> Outcome:
    """Call a judge with an answer, and await it when it is a coroutine function, for a bounded time.

    Args:
        judge: a function or a coroutine function.
        answer: its argument.
        bound: in seconds.

    Raises:
        KeyboardInterrupt: the learner interrupted the kernel; the work is stopped first.

    >>> run(len, "abc", bound=1).value
    3
    """

    def work() -> Outcome:
        if inspect.iscoroutinefunction(judge):
            with asyncio.Runner() as runner:
                return runner.run(_await_within(judge, answer, bound))
        return Outcome(judge(answer))

    worker = _Worker(work)
    try:
        worker.start()
        # A loop ends its own waiting at the bound; only code that never awaits needs to be stopped.
        worker.done.wait(bound + (GRACE if inspect.iscoroutinefunction(judge) else 0))
    except KeyboardInterrupt:
        worker.stop()
        raise
    stopped = worker.stop()
    return worker.outcome if stopped else Outcome(expired=True, stopped=False)
