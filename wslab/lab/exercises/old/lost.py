"""What a learner's code loses on its way: coroutines that nobody awaited, and exceptions that nobody saw.

Python tells of both late and elsewhere: of a coroutine by a warning when it is thrown away, of a task that
failed by the exception handler of its loop. Around a trial, ``Lost`` catches the warnings, and ``trial``
hands it the exceptions, so that a verdict can name them beside what is wrong because of them. Warnings of
other kinds are shown as they would have been. This module judges nothing.
"""

from __future__ import annotations

import gc
import re
import traceback
import warnings
from typing import Self, TextIO

from wslab.lab.exercises.old.answer import Answer, describe, line_of_task

__all__ = ["Lost"]

ENOUGH = 100  # warnings of coroutines that nobody awaited, from which on no more are heard
_FORGOTTEN = re.compile(r"coroutine '(?:.*\.)?(\w+)' was never awaited")


class Lost:
    """Collect, as a context manager, what is lost while a learner's code runs.

    Attributes:
        errors: exceptions of tasks that nobody awaited; to be filled by who runs the loop.
    """

    def __init__(self) -> None:
        self.errors: list[BaseException] = []
        self._forgotten: dict[str, tuple[str, int]] = {}  # name to the file and line where it was thrown away
        self._seen = 0
        self._catch = warnings.catch_warnings()

    def __enter__(self) -> Self:
        self._catch.__enter__()
        warnings.filterwarnings("always", "coroutine .* was never awaited", RuntimeWarning)
        self._show, warnings.showwarning = warnings.showwarning, self._note
        return self

    def __exit__(self, *_: object) -> None:
        self._catch.__exit__(None, None, None)

    def _note(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if match := _FORGOTTEN.match(str(message)):
            self._forgotten.setdefault(match[1], (filename, lineno))
            self._seen += 1
            if self._seen == ENOUGH:  # a loop can lose a million, and each warning takes its time
                warnings.simplefilter("ignore", RuntimeWarning)
        else:
            self._show(message, category, filename, lineno, file, line)

    def sweep(self, error: BaseException | None) -> None:
        """Throw away at once what nobody needs any more, because only then Python tells of it.

        Args:
            error: what the code raised: the variables of the lines that it passed through go, too.
        """
        if error:
            traceback.clear_frames(error.__traceback__)
        if isinstance(error, AttributeError):
            error.obj = None  # it keeps the object that lacks the attribute, which may be a coroutine
        gc.collect()

    def sentences(self, answer: Answer) -> tuple[str, ...]:
        """Say which coroutines were never awaited, each once, with its line where that is the learner's."""
        found = []
        for name, (file, line) in self._forgotten.items():
            if file == answer.file or not name.startswith("_"):
                place = f" (line {line})" if file == answer.file else ""
                found.append(f"{name}(…){place} gives a coroutine, and nobody awaits it: so it does nothing.")
        return tuple(found)

    def rows(self, answer: Answer) -> tuple[tuple[str, str], ...]:
        """Show the first exception of a task that nobody awaited: what it is, and the learner's line."""
        if not self.errors:
            return ()
        error = self.errors[0]
        return (("raised in a task", describe(error)), *filter(None, [line_of_task(error, answer)]))
