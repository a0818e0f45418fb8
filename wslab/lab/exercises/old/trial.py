"""A trial: a judge with the learner's code in it, run within a bound.

The work runs in a thread of its own, the caller waits for it. So a loop that never ends cannot take the
kernel with it, no trace function is touched (coverage and debuggers go on), and the event loop of the kernel
is not entered: a judge that is a coroutine function gets a fresh loop in that thread, where it starts
whatever server it needs. What the code prints appears in the cell.

When the bound is over, an exception is raised inside the thread, at its next bytecode. Code that waits in C
(``time.sleep``, a socket) does not notice; it is left behind in its daemon thread, and the outcome says so.
Code that holds the loop of its thread and never awaits is not given the whole bound: a pulse in that loop
tells whether it still turns. A trial during which the machine stood still, such as a laptop that slept, says
nothing, since all its timers were due at once: it is made again. This module knows nothing of exercises.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import inspect
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Outcome", "run"]

GRACE = 1.0  # seconds that the thread gets to end once it was told to
LOOK = 0.1  # seconds between two looks at the pulse of the loop
PAUSE = 0.3  # seconds between two looks, from which on the machine has stood still
TRIALS = 3  # at most, while the machine stands still
STALL = 10  # looks in a row without a pulse: the loop is held; looks are counted, because machines pause


class _ExpiredError(BaseException):
    """End the work: not an Exception, so that ``except Exception`` in a loop does not catch it."""


@dataclass(frozen=True)
class Outcome:
    """Hold how the work ended: with a value, with an error, or not within its bound.

    Args:
        value: what it returned.
        error: what it raised.
        expired: whether the bound was over, or the loop was held.
        held: whether the loop could not turn, because something in it did not await.
        stopped: whether it really ended; False means that a thread is left behind.
    """

    value: Any = None
    error: BaseException | None = None
    expired: bool = False
    held: bool = False
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
        end, pause = time.monotonic() + GRACE, LOOK
        with _unheard_in_destructors():
            while not self.done.is_set() and time.monotonic() < end:
                with self._lock:
                    if not self._finished:
                        _raise_in(self.ident, _ExpiredError)
                self.done.wait(pause)
                pause *= 2  # what it does on its way out takes time, and is not to be hit again and again
        return self.done.is_set()


@contextlib.contextmanager
def _unheard_in_destructors() -> Iterator[None]:
    """Keep Python from printing that a call to stop came while an object was being destroyed."""
    hook = sys.unraisablehook

    def ignore(unraisable: Any) -> None:
        if unraisable.exc_type is not _ExpiredError:
            hook(unraisable)

    sys.unraisablehook = ignore
    try:
        yield
    finally:
        sys.unraisablehook = hook


def _raise_in(ident: int | None, error: type[BaseException] | None) -> None:
    """Have a thread raise at its next bytecode, or take back what it was to raise."""
    thing = ctypes.py_object(error) if error else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident or 0), thing)


class _Loop:
    """Run a judge that is a coroutine function in a loop with a pulse that is seen from outside."""

    def __init__(self, judge: Callable[[Any], Any], bound: float, unheard: list[BaseException]) -> None:
        self._judge, self._bound, self._unheard = judge, bound, unheard
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[Any] | None = None
        self._pulse = 0
        self._ended = False
        self.paused = False  # whether the machine stood still meanwhile

    def work(self, answer: Any) -> Outcome:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            self._loop.set_exception_handler(self._hear)
            return runner.run(self._await(answer))

    def is_held(self, done: threading.Event) -> bool:
        """Wait for the end of the work; return early, with True, when the loop does not turn any more."""
        looks, before, over = 0, -1, False
        looked = time.monotonic()
        end = looked + self._bound + GRACE  # the loop ends its own waiting at the bound
        while not over and looked < end:
            over, last = done.wait(LOOK), looked
            looked = time.monotonic()
            self.paused = self.paused or looked - last > PAUSE
            looks = looks + 1 if self._pulse == before and not self._ended else 0
            before = self._pulse
            if looks == STALL:
                return True
        return False

    def cancel(self) -> None:
        """Have the judge end as soon as the loop turns again."""
        if self._loop and self._main:
            with contextlib.suppress(RuntimeError):  # it has ended just now
                self._loop.call_soon_threadsafe(self._main.cancel)

    async def _await(self, answer: Any) -> Outcome:
        self._main = asyncio.current_task()
        beat = asyncio.create_task(self._beat())
        try:
            async with asyncio.timeout(self._bound) as scope:
                return Outcome(await self._judge(answer))
        except TimeoutError as error:
            return Outcome(expired=True) if scope.expired() else Outcome(error=error)
        finally:
            self._ended = True
            beat.cancel()

    async def _beat(self) -> None:
        while True:
            self._pulse += 1
            await asyncio.sleep(LOOK / 4)

    def _hear(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Keep the exception of a task that nobody awaited, instead of having it logged."""
        if isinstance(error := context.get("exception"), Exception) and context.get("future"):
            self._unheard.append(error)


def run(
    judge: Callable[[Any], Any], answer: Any, bound: float, unheard: list[BaseException] | None = None
) -> Outcome:
    """Call a judge with an answer, and await it when it is a coroutine function, for a bounded time.

    Args:
        judge: a function or a coroutine function.
        answer: its argument.
        bound: in seconds.
        unheard: gets the exceptions of tasks that nobody awaited.

    Raises:
        KeyboardInterrupt: the learner interrupted the kernel; the work is stopped first.

    >>> run(len, "abc", bound=1).value
    3
    """
    if not inspect.iscoroutinefunction(judge):
        worker = _Worker(lambda: Outcome(judge(answer)))
        _wait(worker, lambda: worker.done.wait(bound))
        return worker.outcome if worker.stop() else Outcome(expired=True, stopped=False)
    unheard = [] if unheard is None else unheard
    for _ in range(TRIALS):
        unheard.clear()
        loop = _Loop(judge, bound, unheard)
        outcome = _run_loop(loop, answer)
        if not (loop.paused and outcome.stopped):
            break
    return outcome


def _run_loop(loop: _Loop, answer: Any) -> Outcome:
    worker = _Worker(lambda: loop.work(answer))
    held = _wait(worker, lambda: loop.is_held(worker.done))
    if held:
        loop.cancel()
    stopped = worker.stop()
    return worker.outcome if stopped and not held else Outcome(expired=True, held=held, stopped=stopped)


def _wait(worker: _Worker, wait: Callable[[], bool]) -> bool:
    """Start a worker and wait; stop it first when the learner interrupts the kernel."""
    try:
        worker.start()
        return wait()
    except KeyboardInterrupt:
        worker.stop()
        raise
