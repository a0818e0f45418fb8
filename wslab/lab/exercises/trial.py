"""A trial: a judge with the learner's code in it, run within a bound.

The work runs in a thread, and the caller waits. So a loop that never ends cannot take the kernel with it, and
a judge that is a coroutine function gets an event loop that turns while the kernel's is blocked. When the
bound is over, an exception is raised in the thread at its next bytecode. Code that waits in C (a socket,
``time.sleep``) does not notice and keeps running. Time is counted in looks, which do not pass while the
machine is suspended or too busy. What a coroutine did around that pause says nothing about it, because all
its timers were due at once: it is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import gc
import inspect
import re
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Outcome", "run"]

GRACE = 1.0  # seconds that the thread gets to end once it was told to
LOOK = 0.1  # seconds between two looks
PAUSE = 0.3  # seconds by which a look may be late; from then on the machine has stood still
STALL = 10  # looks in a row during which the loop does not turn: something in it does not await
TRIALS = 3  # at most, while the machine pauses
ENOUGH = 100  # warnings of coroutines that nobody awaited, from which on no more are heard
_FORGOTTEN = re.compile(r"coroutine '(?:.*\.)?(\w+)' was never awaited")


class _StopError(BaseException):
    """The end of the work; not an Exception, so that ``except Exception`` in a loop does not catch it."""


@dataclass
class Outcome:
    """How the work ended: with a value, with an error, or not within its bound."""

    value: Any = None  # what the judge returned
    error: BaseException | None = None  # what it raised
    expired: bool = False  # whether the bound was over, or the loop was held
    held: bool = False  # whether the loop did not turn, because something in it did not await
    stopped: bool = True  # whether the work really ended; False means that its thread still runs
    forgotten: dict[str, tuple[str, int]] = field(default_factory=dict)  # coroutines: file and line of each
    unheard: list[BaseException] = field(default_factory=list)  # exceptions of tasks that nobody awaited


def run(judge: Callable[[Any], Any], answer: Any, bound: float) -> Outcome:
    """Call a judge with an answer, and await it when it is a coroutine function, for ``bound`` seconds.

    Raises:
        KeyboardInterrupt: the learner interrupted the kernel; the work is stopped first.

    >>> run(len, "abc", bound=1).value
    3
    """
    for _ in range(TRIALS):
        forgotten: dict[str, tuple[str, int]] = {}
        with _heard(forgotten):
            work = _Work(judge, answer, bound)
            outcome = work.outcome_of()
            if inspect.iscoroutinefunction(judge) or outcome.error:
                _throw_away(outcome.error)
        outcome.forgotten, outcome.unheard = forgotten, work.unheard
        right = outcome.value is None and outcome.error is None and not outcome.expired
        if right or not (work.paused and outcome.stopped):
            break
    return outcome


class _Work(threading.Thread):
    def __init__(self, judge: Callable[[Any], Any], answer: Any, bound: float) -> None:
        super().__init__(name="wslab-exercise", daemon=True)
        self._judge, self._answer, self._bound = judge, answer, bound
        self._awaits = inspect.iscoroutinefunction(judge)
        self._context = contextvars.copy_context()  # the kernel finds the cell to print to in it
        self._lock, self._finished = threading.Lock(), False
        # Not join(): when an interrupt of the kernel ends it, Python 3.11 holds a running thread for ended.
        self._done = threading.Event()
        self._outcome = Outcome(expired=True)
        self._loop: asyncio.AbstractEventLoop | None = None  # while it is to turn
        self._turns = 0
        self.unheard: list[BaseException] = []
        self.paused = False

    def run(self) -> None:
        try:
            outcome = self._context.run(self._try)
            with self._lock:
                self._finished = True
                self._raise(None)  # a call to stop that came too late must not hit the thread's end
                self._outcome = outcome
        except _StopError:
            pass
        finally:
            self._done.set()

    def _try(self) -> Outcome:
        try:
            if not self._awaits:
                return Outcome(self._judge(self._answer))
            with asyncio.Runner() as runner:
                runner.get_loop().set_exception_handler(self._hear)
                return runner.run(self._await())
        except _StopError:
            return Outcome(expired=True)
        except BaseException as error:  # SystemExit and KeyboardInterrupt of the learner's code too
            return Outcome(error=error)

    async def _await(self) -> Outcome:
        self._loop = asyncio.get_running_loop()
        scope = asyncio.timeout(self._bound)
        try:
            async with scope:
                return Outcome(await self._judge(self._answer))
        except TimeoutError as error:
            return Outcome(expired=True) if scope.expired() else Outcome(error=error)
        finally:
            self._loop = None

    def _hear(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Keep the exception of a task that nobody awaited, instead of having it logged."""
        if isinstance(error := context.get("exception"), Exception) and context.get("future"):
            self.unheard.append(error)

    def _turn(self) -> None:
        self._turns += 1

    def outcome_of(self) -> Outcome:
        """Do the work, and return how it ended; stop it first when the learner interrupts the kernel."""
        held = False
        try:
            self.start()
            held = self._watch()
        finally:
            stopped = self._stop()
        return self._outcome if stopped and not held else Outcome(expired=True, held=held, stopped=stopped)

    def _watch(self) -> bool:
        """Wait for the end or the bound; return early, with True, when the loop does not turn any more."""
        silent, turns = 0, -1
        more = GRACE if self._awaits else 0  # a loop ends its own waiting at the bound
        for _ in range(round((self._bound + more) / LOOK)):
            looked = time.monotonic()
            over = self._done.wait(LOOK)
            self.paused |= time.monotonic() - looked > LOOK + PAUSE
            loop = self._loop
            silent = silent + 1 if loop and self._turns == turns else 0
            if over or silent == STALL:
                return not over
            turns = self._turns
            with contextlib.suppress(RuntimeError):  # it has ended just now
                if loop:
                    loop.call_soon_threadsafe(self._turn)
        return False

    def _stop(self) -> bool:
        """Raise inside the thread until it ends, for as long as the grace lasts; return whether it did."""
        end, pause = time.monotonic() + GRACE, LOOK
        hook, sys.unraisablehook = sys.unraisablehook, _silent_for_stops(sys.unraisablehook)
        while not self._done.is_set() and time.monotonic() < end:
            with self._lock:
                if not self._finished:
                    self._raise(_StopError)
            self._done.wait(pause)
            pause *= 2  # what it does on its way out takes time, and is not to be hit again and again
        sys.unraisablehook = hook
        return self._done.is_set()

    def _raise(self, error: type[BaseException] | None) -> None:
        """Have the thread raise at its next bytecode, or take back what it was to raise."""
        thing = ctypes.py_object(error) if error else None
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident or 0), thing)


def _silent_for_stops(hook: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Keep Python from printing that a call to stop came while an object was being destroyed."""
    return lambda unraisable: None if unraisable.exc_type is _StopError else hook(unraisable)


@contextlib.contextmanager
def _heard(forgotten: dict[str, tuple[str, int]]) -> Iterator[None]:
    """Note the warnings of coroutines that nobody awaited; others are shown as they would have been."""
    seen = 0

    def note(message: Any, category: Any, filename: str, lineno: int, *to: Any, **named: Any) -> None:
        nonlocal seen
        if match := _FORGOTTEN.match(str(message)):
            forgotten.setdefault(match[1], (filename, lineno))
            seen += 1
            if seen == ENOUGH:  # a loop can lose a million, and each warning takes its time
                warnings.simplefilter("ignore", RuntimeWarning)
        else:
            show(message, category, filename, lineno, *to, **named)

    with warnings.catch_warnings():
        warnings.filterwarnings("always", "coroutine .* was never awaited", RuntimeWarning)
        show, warnings.showwarning = warnings.showwarning, note
        yield


def _throw_away(error: BaseException | None) -> None:
    """Throw away at once what nobody needs any more, because only then Python warns of it."""
    if error:
        traceback.clear_frames(error.__traceback__)
    if isinstance(error, AttributeError):
        error.obj = None  # it keeps the object that lacks the attribute, which may be a coroutine
    gc.collect()
