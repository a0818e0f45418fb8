"""What theory says of a race before it is run: requests, bytes for an update, mean staleness.

- Who asks at an interval learns a change, on average, half an interval after it, and the network's delay
  later. With one request on its way at a time, no interval is shorter than a round trip.
- Who asks and is kept waiting (long polling) learns a change after the delay, if its question is at the
  server already; else the change waits for the question, which takes a round trip after the last answer.
- Who is told learns a change after the delay.

What an update weighs is not predicted but taken from ``cost``. Nothing is measured here. What the machine
itself takes is neglected; a measurement is therefore compared with a tolerance, which is stated here. It is
the wider, the later the machine was by its own alarms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from wslab.lessons.polling.costs import Cost
from wslab.lessons.polling.ways import Way

__all__ = ["Prediction", "predict"]

SHARE = 0.25  # of the predicted value by which a measured one may be off,
SLACK = 0.030  # for a time so many seconds more,
TIMES = (
    4  # and so many times what the machine's own alarms were late: a question and its answer take four steps
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """Hold what is expected of one client.

    Args:
        requests: how many it sends.
        size: what an update costs.
        staleness: its mean, in seconds.
        period: the time from one question to the next, in seconds; infinite for who does not ask.

    >>> Prediction(40, 250.0, 0.05, 0.1).holds(41, 256.2, 0.061)
    True
    """

    requests: float
    bytes: float
    staleness: float
    period: float = math.inf

    def holds(self, requests: float, size: float, staleness: float, late: float = 0.0) -> bool:
        """Tell whether measured values are within the tolerance.

        A request more or less is always allowed: where the race ends in the last interval is chance. A late
        machine makes every period longer, and what is known older.

        Args:
            requests, bytes, staleness: what was measured.
            late: how late alarms rang during the race, on average, in seconds.
        """
        slower = 1 + TIMES * late / self.period
        low, high = (1 - SHARE) / slower, 1 + SHARE
        return (
            low * self.requests - 1 <= requests <= high * self.requests + 1
            and low * self.bytes <= size <= high * self.bytes
            and abs(staleness - self.staleness) <= SHARE * self.staleness + SLACK + TIMES * late
        )


def predict(way: Way, cost: Cost, moments: tuple[float, ...], delay: float, seconds: float) -> Prediction:
    """Predict what one client of a way will need.

    Args:
        way: what will run.
        cost: of one update.
        moments: when the clock will change, in seconds.
        delay: what the network adds one way, in seconds.
        seconds: how long the bytes are counted.
    """
    if way.interval is not None:
        interval = max(way.interval, 2 * delay)
        requests = seconds / interval
        return Prediction(requests, requests * cost.update / len(moments), interval / 2 + delay, interval)
    if cost.request:
        answers, mean = _kept_waiting(moments, delay)
        return Prediction(answers, answers * cost.update / len(moments), mean, seconds / answers)
    return Prediction(0, cost.update, delay)


def _kept_waiting(moments: tuple[float, ...], delay: float) -> tuple[int, float]:
    """Return how many answers there are, and the mean staleness."""
    answers, waited, answered, ready = 0, 0.0, -1.0, 0.0
    for moment in moments:
        if moment > answered:  # not told with the answer before
            answered = max(moment, ready)
            ready = answered + 2 * delay
            answers += 1
        waited += answered - moment
    return answers, waited / len(moments) + delay
