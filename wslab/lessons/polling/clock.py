"""The clock that the contestants of lesson 01 want to know: it jumps ahead at irregular moments.

It shows eight characters, so that every update has the same size whatever carries it. The moments of its
changes are drawn from a seed: they look irregular, and are the same in every run.

How a handler waits for the next change, and how it misses none, is the subject of the lesson and in its
cells. Who learned what, and when, is in ``race``.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable
from itertools import accumulate
from typing import Self

__all__ = ["Clock"]

START = 10 * 3600  # seconds of the day


class Clock:
    """A clock that jumps one second ahead whenever it is told to, or at given moments.

    Args:
        moments: when it changes by itself, in seconds after ``run`` began.

    Attributes:
        changed: an event that is set at the next change. The change after that has an event of its own.
        times: when each change happened, by ``time.perf_counter``.
        late: how late a change was on average, in seconds, because the machine was busy.
        numbers: each text that it has shown, to how many changes there were then.

    >>> clock = Clock()
    >>> clock.change()
    >>> clock.text, clock.number
    ('10:00:01', 1)
    """

    def __init__(self, moments: Iterable[float] = ()) -> None:
        self.moments = tuple(sorted(moments))
        self.times: list[float] = []
        self.numbers = {self.text: 0}
        self.late = 0.0
        self.changed = asyncio.Event()

    @classmethod
    def irregular(cls, count: int, gap: float, seed: int) -> Self:
        """Return a clock that changes ``count`` times, ``gap`` seconds apart on average.

        Args:
            count: the number of changes.
            gap: the mean distance of two changes, in seconds; a distance is from 0.2 to 1.8 times that.
            seed: the same seed gives the same moments, on every machine.

        >>> Clock.irregular(3, 0.1, seed=1).moments == Clock.irregular(3, 0.1, seed=1).moments
        True
        """
        source = random.Random(seed)
        return cls(accumulate(gap * source.uniform(0.2, 1.8) for _ in range(count)))

    def __repr__(self) -> str:
        return f"<Clock: shows {self.text}, changes {len(self.moments)} times by itself>"

    @property
    def number(self) -> int:
        """How many changes there were."""
        return len(self.times)

    @property
    def text(self) -> str:
        """What the clock shows, in eight characters."""
        return self.reading(self.number)

    @staticmethod
    def reading(number: int) -> str:
        """Return what the clock shows after so many changes.

        >>> Clock.reading(61)
        '10:01:01'
        """
        seconds = (START + number) % 86400
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"

    def change(self) -> None:
        """Jump one second ahead, and wake everyone who waits for it."""
        self.times.append(time.perf_counter())
        self.numbers[self.text] = self.number
        self.changed.set()
        self.changed = asyncio.Event()

    async def run(self) -> None:
        """Change at each of the moments, counted from now."""
        start = time.perf_counter()
        for moment in self.moments:
            await asyncio.sleep(start + moment - time.perf_counter())
            self.change()
            self.late += (self.times[-1] - start - moment) / len(self.moments)
