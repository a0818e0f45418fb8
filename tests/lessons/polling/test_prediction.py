"""What theory says, case by case, with numbers that can be checked by hand."""

import pytest

from tests.lessons.polling.ways import HELD, PUSHED, STREAMED, polling
from wslab.lessons.polling.costs import Cost
from wslab.lessons.polling.prediction import Prediction, predict
from wslab.lessons.polling.ways import Way

ASKS, TELLS = Cost(100, 100, 40, 0, 0), Cost(0, 0, 0, 10, 300)


def test_polling_is_half_an_interval_and_a_delay_late() -> None:
    found = predict(polling(0.2), ASKS, (1.0, 2.0), delay=0.04, seconds=4)
    assert (found.requests, found.bytes, found.staleness) == pytest.approx((20, 20 * 240 / 2, 0.14))


def test_no_interval_is_shorter_than_a_round_trip() -> None:
    found = predict(polling(0.01), ASKS, (1.0,), delay=0.04, seconds=4)
    assert (found.requests, found.staleness) == pytest.approx((50, 0.08))


@pytest.mark.parametrize("way", [STREAMED, PUSHED], ids=repr)
def test_who_is_told_is_a_delay_late(way: Way) -> None:
    assert predict(way, TELLS, (1.0, 2.0), delay=0.04, seconds=4) == Prediction(0, 10, 0.04)


def test_long_polling_is_a_delay_late_when_its_question_is_there() -> None:
    assert predict(HELD, ASKS, (1.0, 2.0), delay=0.04, seconds=4) == Prediction(2, 240, 0.04, 2.0)


def test_long_polling_makes_a_change_wait_that_comes_too_early() -> None:
    # Answered at 1.0; the next question is there at 1.08 and brings what happened at 1.02 and at 1.05.
    found = predict(HELD, ASKS, (1.0, 1.02, 1.05), delay=0.04, seconds=4)
    assert (found.requests, found.bytes) == (2, 160)
    assert found.staleness == pytest.approx(0.04 + (0 + 0.06 + 0.03) / 3)


def test_the_tolerance_is_what_the_lesson_says() -> None:
    expected = Prediction(100, 200, 0.1)
    assert expected.holds(126, 250, 0.155)
    assert expected.holds(74, 150, 0.046)
    assert not expected.holds(127, 200, 0.1)
    assert not expected.holds(100, 251, 0.1)
    assert not expected.holds(100, 200, 0.156)


def test_a_late_machine_is_allowed_its_lateness_in_time_and_in_requests() -> None:
    asks, is_told = Prediction(100, 200, 0.1, period=0.04), Prediction(0, 10, 0.04)
    assert asks.holds(38, 76, 0.19, late=0.01), "a period of 40 ms takes 80"
    assert not asks.holds(35, 76, 0.19, late=0.01)
    assert not asks.holds(100, 200, 0.2, late=0.01)
    assert is_told.holds(0, 10, 0.119, late=0.01)
    assert not is_told.holds(0, 7, 0.04, late=0.01), "lateness is no excuse for bytes that nobody asked for"
