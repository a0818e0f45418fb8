"""What theory says of a race before it is run: requests, octets for an update, mean staleness.

- Who asks at an interval learns a change, on average, half an interval after it, and the network's delay
  later. With one request on its way at a time, no interval is shorter than a round trip.
- Who asks and is kept waiting (long polling) learns a change after the delay, if its question is at the
  server already; else the change waits for the question, which takes a round trip after the last answer.
- Who is told learns a change after the delay.

What an update weighs is not predicted but taken from ``cost``. Nothing is measured here. What the machine
itself takes is neglected; a measurement is therefore compared with a tolerance, which is stated here.
"""

from __future__ import annotations

from dataclasses import dataclass

from wslab.lab.cost import Cost
from wslab.lab.lane import Way

__all__ = ["Prediction", "predict"]

SHARE = 0.25  # of the predicted value by which a measured one may be off,
SLACK = 0.030  # and for a time so many seconds more: what a busy machine takes


@dataclass(frozen=True, slots=True)
class Prediction:
    """Hold what is expected of one client: requests, octets for an update, mean staleness in seconds.

    >>> Prediction(40, 250.0, 0.05).holds(41, 256.2, 0.061)
    True
    """

    requests: float
    octets: float
    staleness: float

    def holds(self, requests: float, octets: float, staleness: float) -> bool:
        """Tell whether measured values are within the tolerance.

        A request more or less is always allowed: where the race ends in the last interval is chance.
        """
        return (
            abs(requests - self.requests) <= SHARE * self.requests + 1
            and abs(octets - self.octets) <= SHARE * self.octets
            and abs(staleness - self.staleness) <= SHARE * self.staleness + SLACK
        )


def predict(way: Way, cost: Cost, moments: tuple[float, ...], delay: float, seconds: float) -> Prediction:
    """Predict what one client of a way will need.

    Args:
        way: what will run.
        cost: of one update.
        moments: when the clock will change, in seconds.
        delay: what the network adds one way, in seconds.
        seconds: how long the octets are counted.
    """
    if way.interval is not None:
        interval = max(way.interval, 2 * delay)
        requests = seconds / interval
        return Prediction(requests, requests * cost.update / len(moments), interval / 2 + delay)
    if cost.request:
        answers, mean = _kept_waiting(moments, delay)
        return Prediction(answers, answers * cost.update / len(moments), mean)
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
