"""What arrived in a trial: deliveries lost, made twice, and out of order, in numbers and as a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, ERROR, INK
from wslab.lab.views.table import Table

__all__ = ["Report", "beside"]


@dataclass(frozen=True, repr=False)
class Report:
    """The outcome of a trial.

    Args:
        name: what was tried.
        sent: the keys of all messages, in the order in which they were said.
        got: for each client the keys that arrived, in the order of arrival.

    >>> Report("example", ["0:1", "1:1", "0:2"], [["0:1", "0:2", "0:2"], ["0:1", "1:1", "0:2"]])
    3 messages to 2 clients: lost 1, twice 1, out of order 0
    """

    name: str
    sent: Sequence[str]
    got: Sequence[Sequence[str]]

    @property
    def missing(self) -> dict[int, list[str]]:
        """The keys that never arrived, for each client that misses any."""
        found = {n: [key for key in self.sent if key not in got] for n, got in enumerate(self.got)}
        return {number: keys for number, keys in found.items() if keys}

    @property
    def lost(self) -> int:
        """How many deliveries never happened."""
        return sum(map(len, self.missing.values()))

    @property
    def twice(self) -> int:
        """How many deliveries happened once too often."""
        return sum(len(got) - len(set(got)) for got in self.got)

    @property
    def unordered(self) -> int:
        """How often a message came before an earlier one of the same sender; repeated ones do not count."""
        found = 0
        for got in self.got:
            newest: Counter[str] = Counter()
            for key in dict.fromkeys(got):
                sender, _, number = key.partition(":")
                found += int(number) < newest[sender]
                newest[sender] = max(newest[sender], int(number))
        return found

    def __repr__(self) -> str:
        counts = f"lost {self.lost}, twice {self.twice}, out of order {self.unordered}"
        return f"{len(self.sent)} messages to {len(self.got)} clients: {counts}"

    def figure(self, title: str) -> Figure:
        """Draw a mark for each delivery: a row for each client, a column for each message.

        Args:
            title: the claim that the picture shows.
        """
        times = np.array([[min(2, got.count(key)) for key in self.sent] for got in self.got])
        with style():
            drawing = canvas(6.4, 3.0)
            axes = drawing.add_subplot(title=title, xlabel="message, in the order sent", ylabel="client")
            for count, name, colour, marker, size in (
                (1, "arrived once", CLIENT.background, "s", 4),
                (0, "lost", ERROR.background, "x", 14),
                (2, "twice", INK, "P", 22),
            ):
                if (times == count).any():
                    y, x = np.nonzero(times == count)
                    axes.scatter(x, y, s=size, c=colour, marker=marker, label=name, linewidths=0.8)
            axes.invert_yaxis()
            drawing.legend(loc="outside lower right", ncols=3)
        words = f"{title}. {len(self.sent)} messages, {len(self.got)} clients."
        if self.missing:
            words += f" Clients {', '.join(map(str, self.missing))} miss messages."
        if repeated := int((times == 2).any(axis=0).sum()):
            words += f" {repeated} messages come twice."
        return Figure(drawing, words)


def beside(*reports: Report) -> Table:
    """Return the reports as the rows of a table."""
    rows = [
        (each.name, *map(str, (len(each.sent) * len(each.got), each.lost, each.twice, each.unordered)))
        for each in reports
    ]
    return Table(("worker", "deliveries due", "lost", "twice", "out of order"), rows)
