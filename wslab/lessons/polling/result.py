"""What was measured of one way in a race: what crossed the wire, and how old its clients' knowledge was.

The bytes are those that passed the tap from the start of the clock to the end of the race; what a way needed
to open its connections before is not among them. Staleness is the time from a change until the client knows
it or a later one. A change that a client never saw, because a later one came first, is missed; its staleness
counts all the same, since so long did the client believe something else.

This module calculates. ``race`` makes the measurements, ``prediction`` says what they should be.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from statistics import fmean, median, quantiles

from wslab.lab.wire.counts import Counts
from wslab.lab.wire.tap import Tap
from wslab.lessons.polling.ways import Way

__all__ = ["Result", "staleness"]

Learned = list[tuple[float, int]]


def staleness(changes: tuple[float, ...], learned: Learned) -> list[float]:
    """Return for each change how long one client did not know of it, in seconds.

    Args:
        changes: when each happened, in seconds.
        learned: when the client learned something, and the number of the change it learned, in order.

    Raises:
        ValueError: the client did not get to know the last change.

    >>> staleness((1.0, 2.0), [(0.5, 0), (2.25, 2)])
    [1.25, 0.25]
    """
    numbers = [number for _, number in learned]
    places = [bisect_left(numbers, number) for number in range(1, len(changes) + 1)]
    if places and places[-1] == len(learned):
        raise ValueError(f"the client does not know the last of {len(changes)} changes")
    return [learned[place][0] - moment for place, moment in zip(places, changes, strict=True)]


@dataclass(frozen=True)
class Result:
    """Hold what was measured of one way.

    Args:
        way: what ran.
        delay: what the network added one way, in seconds.
        seconds: how long the bytes were counted.
        start: when the clock was started, by ``time.perf_counter``.
        changes: when it changed, by ``time.perf_counter``.
        learned: for each client when it learned something, and the number of what it learned.
        before, after: what had passed the tap at the beginning and at the end.
        tap: through which it passed, for those who want to see it again; no longer listening.
        offset: the tap's time when the clock was started, in milliseconds.
    """

    way: Way
    delay: float
    seconds: float
    start: float
    changes: tuple[float, ...]
    learned: list[Learned]
    before: Counts
    after: Counts
    tap: Tap = field(repr=False)
    offset: float

    @property
    def clients(self) -> int:
        """How many clients there were."""
        return len(self.learned)

    @property
    def requests(self) -> int:
        """How many requests the clients sent."""
        return self.after.requests - self.before.requests

    def passed(self, sender: str, what: str) -> int:
        """Return how many bytes, or pieces, of a kind passed.

        Args:
            sender: "client" or "server".
            what: the name of a number of ``SideCounts``, such as "head_bytes" or "frames".
        """
        after, before = (getattr(counts, sender) for counts in (self.after, self.before))
        return int(getattr(after, what) - getattr(before, what))

    @property
    def bytes(self) -> int:
        """How many bytes crossed the wire, in both directions."""
        return self.passed("client", "bytes") + self.passed("server", "bytes")

    @property
    def bytes_per_update(self) -> float:
        """What each client cost for each change, in bytes, whether it learned it or not."""
        return self.bytes / max(1, len(self.changes)) / self.clients

    @property
    def staleness(self) -> list[float]:
        """For each change and each client, how long the client did not know it, in seconds."""
        return [each for learned in self.learned for each in staleness(self.changes, learned)]

    @property
    def mean(self) -> float:
        """The mean staleness, in seconds."""
        return fmean(self.staleness)

    @property
    def median(self) -> float:
        """The median staleness, in seconds."""
        return median(self.staleness)

    @property
    def p95(self) -> float:
        """The staleness that 95 of 100 do not exceed, in seconds."""
        return quantiles(self.staleness, n=20, method="inclusive")[-1]

    @property
    def missed(self) -> int:
        """How many changes were never seen, by all clients together."""
        numbers = range(1, len(self.changes) + 1)
        return sum(len(set(numbers) - {number for _, number in learned}) for learned in self.learned)

    @property
    def asked(self) -> list[float]:
        """When requests were sent, in seconds since the clock was started."""
        rows = self.tap.conversation().sent_by("client")
        return [(row.time - self.offset) / 1000 for row in rows if row.kind == "head"]
