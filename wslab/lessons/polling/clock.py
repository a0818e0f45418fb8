"""A clock that jumps ahead at irregular moments: what the contestants of a race want to know.

What the clock shows is a text of eight bytes, so that every update has the same size whatever carries it. It
begins at 10:00:00, and each change adds one second. The moments of the changes are drawn from a seed: they
look irregular, and are the same in every run.

``other_than`` is for a handler that answers once, ``readings`` for one that goes on telling. Neither loses a
change: readings are counted, not sampled, so a reader that was busy still gets each of them, in order. The
clock notes when each change happened, not when it was planned; a busy machine is late, and nobody can know a
change before it is there. How a reading travels is left to ``lane``, who learned it when to ``race``.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Iterable
from typing import Self

__all__ = ["Clock"]

START = 10 * 3600  # seconds of the day


class Clock:
    """Show a time that changes when it is told to, or at given moments.

    Args:
        moments: when it changes by itself, in seconds after ``run`` began.

    Attributes:
        number: how many changes there were.
        waiting: how many handlers wait for the next one.

    >>> clock = Clock()
    >>> clock.change()
    >>> clock.text, clock.number
    ('10:00:01', 1)
    """

    def __init__(self, moments: Iterable[float] = ()) -> None:
        self.moments = tuple(sorted(moments))
        self.waiting = 0
        self._times: list[float] = []
        self._changed = asyncio.Event()
        self._came = asyncio.Event()

    @classmethod
    def irregular(cls, count: int, gap: float, seed: int) -> Self:
        """Make a clock that changes ``count`` times, ``gap`` seconds apart on average.

        Args:
            count: the number of changes.
            gap: the mean distance of two changes, in seconds; a distance is between a fifth of it and nine
                fifths.
            seed: the same seed gives the same moments, on every machine.

        >>> Clock.irregular(3, 0.1, seed=1).moments == Clock.irregular(3, 0.1, seed=1).moments
        True
        """
        numbers = random.Random(seed)
        moment, moments = 0.0, []
        for _ in range(count):
            moment += gap * numbers.uniform(0.2, 1.8)
            moments.append(moment)
        return cls(moments)

    def __repr__(self) -> str:
        return f"<Clock: shows {self.text}, changes {len(self.moments)} times by itself>"

    @property
    def number(self) -> int:
        """How many changes there were."""
        return len(self._times)

    @property
    def text(self) -> str:
        """What the clock shows, in eight characters."""
        return self.reading(self.number)

    @property
    def times(self) -> tuple[float, ...]:
        """When each change happened, by ``time.perf_counter``, in seconds."""
        return tuple(self._times)

    @staticmethod
    def reading(number: int) -> str:
        """Write what the clock shows after so many changes.

        >>> Clock.reading(61)
        '10:01:01'
        """
        seconds = (START + number) % 86400
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"

    @staticmethod
    def number_of(text: str) -> int:
        """Tell after how many changes the clock shows this.

        Raises:
            ValueError: it never shows this.

        >>> Clock.number_of("10:01:01")
        61
        """
        hours, minutes, seconds = (int(part) for part in text.split(":"))
        number = (hours * 3600 + minutes * 60 + seconds - START) % 86400
        if Clock.reading(number) != text:
            raise ValueError(f"the clock never shows {text!r}")
        return number

    def change(self) -> None:
        """Jump one second ahead, now."""
        self._times.append(time.perf_counter())
        self._changed.set()
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Change at each of the moments, counted from now."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for moment in self.moments:
            await asyncio.sleep(start + moment - loop.time())
            self.change()

    async def other_than(self, text: str, hold: float = 30.0) -> str:
        """Return what the clock shows as soon as it is something else than ``text``.

        Args:
            text: what the asker knows already.
            hold: how long to wait for a change, in seconds; then what the clock shows is returned all the
                same.
        """
        if self.text == text:
            # Nothing new for so long: the asker hears that the server is still there, and asks again.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(hold):
                    await self._next()
        return self.text

    async def readings(self) -> AsyncIterator[str]:
        """Give what the clock shows now, and then every change."""
        number = self.number
        while True:
            yield self.reading(number)
            if number == self.number:
                await self._next()
            number += 1

    async def crowded(self, count: int) -> None:
        """Wait until so many handlers wait for the next change at the same time."""
        while self.waiting < count:
            self._came.clear()
            await self._came.wait()

    async def _next(self) -> None:
        self.waiting += 1
        self._came.set()
        try:
            await self._changed.wait()
        finally:
            self.waiting -= 1
