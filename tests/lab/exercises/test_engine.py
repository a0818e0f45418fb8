"""What the engine makes of anything that a learner may write; the exercises are made up."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import unittest.mock
import warnings
from collections import namedtuple
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from wslab.lab.exercises import trial
from wslab.lab.exercises.answer import one_line
from wslab.lab.exercises.engine import verdict_on
from wslab.lab.exercises.kinds import NOTHING_YET, Fault, Function, Value, Watched, compare
from wslab.lab.exercises.verdict import Verdict

COMMON: dict[str, Any] = {
    "name": "trial",
    "title": "Try it",
    "section": "RFC 6455 §1",
    "hints": ("Think.", "Look."),
}
DOUBLE = Function(
    **COMMON,
    asks="my_double(n)",
    right=lambda n: 2 * n,
    calls=[(3,), (1,), (0,)],
    drawn=lambda source: (source.randrange(1000),),
    mistakes={
        "You returned the square.": lambda n: n * n,
        "You added three.": lambda n: n + 3,
        "You returned the number.": lambda n: n,
    },
    why="Twice is twice.",
)
READ = Value(
    **COMMON,
    right={"fin": True, "opcode": 2, "kind": "binary"},
    look_at={"fin": "Look at bit 0.", "opcode": "Look at bits 4 to 7.", "kind": "Look at the table."},
    mistakes={"You read the next frame.": {"fin": False, "opcode": 1}, "Opcode 8 is a Close.": {"opcode": 8}},
    noun="field",
    choices=("binary", "text"),
)


async def _next_number(answer: Any) -> Fault | None:
    return compare(await answer(1), 2)


def watched(judged: Callable[[Any], Any] = _next_number, bound: float = 2.0) -> Watched:
    return Watched(**COMMON, asks="my_answer(n)", judge=judged, bound=bound)


def no_work_goes_on() -> bool:
    """Return whether every thread of a trial has ended; a thread that was told to needs a moment."""
    for thread in threading.enumerate():
        if thread.name == "wslab-exercise":
            thread.join(5)
    return not any(thread.name == "wslab-exercise" for thread in threading.enumerate())


# -- a function ---------------------------------------------------------------------------------------------


def test_right_says_why_and_has_the_title() -> None:
    assert repr(verdict_on(DOUBLE, lambda n: n + n)) == "✓ right: Try it\n  Twice is twice."


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda n: n * n, "You returned the square."),
        (lambda n: n, "You returned the number."),
        (lambda n: 7, "my_double(3) returned the wrong value."),
        # right in the first call, where n + 3 is right too: so it explains both calls
        (lambda n: n + 3, "You added three."),
        (lambda n: 6 if n == 3 else n * n, "my_double(1) returned the wrong value."),
        (lambda n: str(2 * n), "my_double(3) returned a value of type str, not int."),
    ],
)
def test_a_mistake_is_named_if_it_explains_the_failing_call_and_those_before(
    answer: Callable[[int], Any], sentence: str
) -> None:
    verdict = verdict_on(DOUBLE, answer)
    assert verdict.state == "wrong"
    assert verdict.sentences[0] == sentence
    assert ("read", "RFC 6455 §1") in verdict.rows


def test_an_answer_that_knows_the_fixed_calls_only_is_refused() -> None:
    table = {3: 6, 1: 2, 0: 0}
    assert verdict_on(DOUBLE, lambda n: table.get(n, 0)).state == "wrong"
    drawn = [Random("trial").randrange(1000)]
    assert repr(verdict_on(DOUBLE, lambda n: table.get(n, 0))).count(f"my_double({drawn[0]})") == 1


def test_none_from_every_call_is_not_yet_and_from_one_is_wrong() -> None:
    stub = verdict_on(DOUBLE, lambda n: None)
    assert stub.state == "not yet"
    assert stub.sentences == ("my_double(3) returned None. Write the function, or add the missing return.",)
    some = verdict_on(DOUBLE, lambda n: None if n == 3 else 2 * n)
    assert (some.state, some.sentences[0]) == ("wrong", "my_double(3) returned None, not int.")


def test_floating_point_and_estimates_are_near_enough() -> None:
    half = Function(**COMMON, asks="my_half(n)", right=lambda n: n / 3, calls=[(1,), (7,)])
    assert verdict_on(half, lambda n: n * (1 / 3))
    assert not verdict_on(half, lambda n: round(n / 3, 2))
    estimate = Function(**COMMON, asks="my_half(n)", right=lambda n: n / 3, calls=[(1,), (7,)], within=0.01)
    assert verdict_on(estimate, lambda n: round(n / 3, 2))


def test_an_answer_may_change_what_it_is_given_unless_it_must_not() -> None:
    def drain(items: list[int]) -> int:
        total = 0
        while items:
            total += items.pop()
        return total

    calls = [([1, 2],), ([5],)]
    assert verdict_on(Function(**COMMON, asks="my_sum(items)", right=sum, calls=calls), drain)
    kept = verdict_on(Function(**COMMON, asks="my_sum(items)", right=sum, calls=calls, keeps=True), drain)
    assert "returned the right value, but changed what it was given." in repr(kept)
    assert "left behind  [[]]" in repr(kept)


def test_the_first_byte_that_differs_is_marked_in_the_colours_of_the_fields() -> None:
    frame = Function(
        **COMMON,
        asks="my_frame()",
        right=lambda: bytes.fromhex("8185 37fa213d 7f9f4d5158"),
        calls=[()],
        before=lambda: b"",
    )
    verdict = verdict_on(frame, lambda: bytes.fromhex("8105 37fa213d 7f9f4d5158"))
    assert verdict.sentences == ("my_frame() returned the wrong bytes.",)
    assert "returned          81 [05] 37 fa" in repr(verdict)
    assert "expected          81 [85] 37 fa" in repr(verdict)
    assert "byte 1, MASK (§5.1): given 0x05, expected 0x85" in repr(verdict)
    assert "background:#FBE0D2" in verdict._repr_html_()  # the masking-key
    assert verdict._repr_html_().count("text-decoration:underline") == 2


# -- a value ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "sentence", "look_at"),
    [
        ({"fin": False, "opcode": 1}, "You read the next frame.", "Look at bit 0."),
        ({"fin": False}, "You read the next frame.", "Look at bit 0."),
        ({"opcode": 1}, "The field 'opcode' is wrong.", "Look at bits 4 to 7."),
        ({"opcode": 8}, "Opcode 8 is a Close.", "Look at bits 4 to 7."),
        ({"fin": "yes"}, "The field 'fin' is wrong.", "Write True or False, without quotes."),
        ({"opcode": "2"}, "The field 'opcode' is wrong.", "without quotes: it is of type int"),
        ({"kind": "Binary "}, "The field 'kind' is wrong.", "with the capitals of the question"),
        ({"kind": "blob"}, "The field 'kind' is wrong.", "Only 'binary' and 'text' are possible."),
    ],
)
def test_the_first_wrong_entry_is_named(changed: dict[str, Any], sentence: str, look_at: str) -> None:
    verdict = verdict_on(READ, {**READ.right, **changed})
    assert verdict.state == "wrong"
    assert verdict.sentences[0] == sentence
    assert look_at in dict(verdict.rows)["look at"]


def test_a_dictionary_has_the_entries_of_the_question() -> None:
    assert verdict_on(READ, dict(READ.right))
    assert "'kind' is missing" in repr(verdict_on(READ, {"fin": 1, "opcode": 2}))
    assert "There is no field 'rsv'" in repr(verdict_on(READ, {**READ.right, "rsv": 0}))
    still = verdict_on(READ, {"fin": ..., "opcode": 2, "kind": None})
    assert (still.state, still.sentences) == ("not yet", ("Still to fill in: fin, kind.",))


# -- what cannot be the answer ------------------------------------------------------------------------------


def test_the_wrong_kind_of_thing_is_named_and_coroutines_are_closed() -> None:
    async def my_double(n: int) -> int:
        return n

    def with_yield(n: int) -> Iterator[int]:
        yield n

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert verdict_on(DOUBLE, None).state == verdict_on(READ, ...).state == "not yet"
        assert 'without parentheses: check("trial", my_double)' in repr(verdict_on(DOUBLE, 2))
        assert "You called the function." in repr(verdict_on(DOUBLE, my_double(1)))
        assert "Put await in front of the call." in repr(verdict_on(READ, my_double(1)))
        assert "Pass a value, not a function." in repr(verdict_on(READ, dict))
        assert "Write def instead of async def" in repr(verdict_on(DOUBLE, my_double))
        assert "Write async def instead of def" in repr(verdict_on(watched(), lambda n: n))
        assert "Write def, not async def." in repr(verdict_on(DOUBLE, lambda n: my_double(n)))
        assert "Write return instead of yield." in repr(verdict_on(DOUBLE, with_yield))
        assert "Put bytes(…), list(…)" in repr(verdict_on(DOUBLE, lambda n: (m for m in (n,))))


def test_no_answer_of_any_type_breaks_it() -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError("no repr")

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("no comparison")

        __hash__ = None  # type: ignore[assignment]

    answers: list[Any] = [None, ..., 5, "x", b"", {}, {"fin": ...}, [], (..., 1), object(), Hostile()]
    answers += [lambda *args, value=value: value for value in answers]
    answers += [lambda: 1, len, int, print, Hostile, dict.fromkeys(READ.right, Hostile())]
    for exercise in (DOUBLE, READ, watched()):
        for answer in answers:
            verdict = verdict_on(exercise, answer)
            assert verdict.state in ("wrong", "not yet")
            assert "check itself failed" not in repr(verdict)
            assert verdict._repr_html_()


def test_of_a_tuple_with_many_names_the_first_are_shown() -> None:
    wide = namedtuple("wide", [f"f{number}" for number in range(300)])  # type: ignore[misc]
    assert one_line(wide(*range(300))).endswith(", f10=10, f11=11, ...)")


def test_what_the_learner_wrote_never_becomes_markup() -> None:
    verdict = verdict_on(DOUBLE, lambda n: "<script>alert(1)</script>")
    assert "<script>" in repr(verdict)
    assert "<script>" not in verdict._repr_html_()


# -- exceptions ---------------------------------------------------------------------------------------------


def test_an_exception_shows_the_line_of_the_learner_and_no_stack() -> None:
    def helper(n: int) -> int:
        return int("x" * n)  # the line

    def my_double(n: int) -> int:
        return helper(n)

    text = repr(verdict_on(DOUBLE, my_double))
    assert "my_double(3) raised an exception." in text
    assert "ValueError: invalid literal for int()" in text
    assert f"line {helper.__code__.co_firstlineno + 1} " in text
    assert 'return int("x" * n)  # the line' in text
    assert "Traceback" not in text
    assert "engine.py" not in text


def test_exit_interrupt_and_a_wrong_signature_are_feedback() -> None:
    def interrupt(n: int) -> int:
        raise KeyboardInterrupt

    def unwritten(n: int) -> int:
        raise NotImplementedError

    assert "Write return to leave a function." in repr(verdict_on(DOUBLE, lambda n: sys.exit(3)))
    assert "KeyboardInterrupt" in repr(verdict_on(DOUBLE, interrupt))
    assert "Write it so that my_double(n) works." in repr(verdict_on(DOUBLE, lambda: 2))
    assert verdict_on(DOUBLE, unwritten).state == "not yet"


def test_a_fault_of_a_judge_is_said_to_be_ours() -> None:
    async def broken(answer: Any) -> None:
        [][0]

    async def my_answer(n: int) -> int:
        return n

    assert "a fault of the course" in repr(verdict_on(watched(broken), my_answer))


def test_what_the_code_prints_and_warns_of_comes_through(capsys: pytest.CaptureFixture[str]) -> None:
    verdict_on(DOUBLE, print)
    assert capsys.readouterr().out.startswith("3\n")
    with pytest.warns(UserWarning, match="mind the gap"):
        verdict_on(DOUBLE, lambda n: warnings.warn("mind the gap", stacklevel=1))


# -- coroutines ---------------------------------------------------------------------------------------------


def test_a_coroutine_function_is_judged_inside_a_running_loop() -> None:
    async def my_answer(n: int) -> int:
        await asyncio.sleep(0)
        return n + 1

    async def wrong(n: int) -> int:
        return n

    async def nothing(n: int) -> None: ...

    async def fails(n: int) -> float:
        await asyncio.sleep(0)
        return n / 0

    async def forgets(n: int) -> Any:
        return my_answer(n)

    async def cell() -> list[Verdict]:
        verdicts = [verdict_on(watched(), each) for each in (my_answer, wrong, nothing, fails, forgets)]
        await asyncio.sleep(0)  # the loop of the kernel is as it was
        return verdicts

    verdicts = asyncio.run(cell())
    assert [verdict.state for verdict in verdicts] == ["right", "wrong", "not yet", "wrong", "wrong"]
    assert "return n / 0" in repr(verdicts[3])
    assert "Put await in front of that call." in repr(verdicts[4])


def test_one_that_does_nothing_is_not_yet() -> None:
    async def idle(answer: Any) -> Fault:
        await answer(1)
        return NOTHING_YET

    async def my_answer(n: int) -> None: ...

    verdict = verdict_on(watched(idle), my_answer)
    assert verdict.state == "not yet"
    assert verdict.sentences == ("my_answer(1) does nothing yet. Write its body.",)


def test_a_coroutine_that_nobody_awaits_is_named_once_and_not_laid_to_the_next_answer() -> None:
    async def my_answer(n: int) -> int:
        for _ in range(1000):
            asyncio.sleep(0)  # type: ignore[unused-coroutine]  # the line
        return n

    async def fails(n: int) -> int:
        kept = asyncio.sleep(0)
        return len(kept)  # type: ignore[arg-type]

    async def wrong(n: int) -> int:
        return n

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        many, first, second = (repr(verdict_on(watched(), each)) for each in (my_answer, fails, wrong))
    place = f"(line {my_answer.__code__.co_firstlineno + 2})"
    assert many.count("sleep(…)") == 1
    assert f"sleep(…) {place} returns a coroutine, and nobody awaits it, so it does nothing." in many
    assert "An await is missing." in first
    assert "sleep(…)" in first
    assert "sleep(…)" not in second


def test_an_exception_in_a_task_that_nobody_awaits_is_shown_and_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> float:
        return 1 / 0  # the line

    async def my_answer(n: int) -> int:
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        del task
        return n + 1

    verdict = verdict_on(watched(), my_answer)
    assert verdict.state == "wrong"
    assert "nobody awaited it" in verdict.sentences[0]
    assert "raised in a task  ZeroDivisionError: division by zero" in repr(verdict)
    assert "return 1 / 0  # the line" in repr(verdict)
    assert not caplog.records


def test_a_timeout_of_the_learner_is_an_exception_of_theirs() -> None:
    async def my_answer(n: int) -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    assert "TimeoutError" in repr(verdict_on(watched(), my_answer))


# -- bounds -------------------------------------------------------------------------------------------------


def test_a_loop_that_never_ends_is_stopped() -> None:
    def my_loop(n: int) -> None:
        while True:
            try:
                n += 1
            except Exception:
                continue

    trace = sys.gettrace()
    verdict = verdict_on(Function(**COMMON, asks="my_loop(n)", right=int, calls=[(1,)], bound=0.1), my_loop)
    assert "my_loop(1) did not end within 0.1 seconds and was stopped." in repr(verdict)
    assert sys.gettrace() is trace
    assert no_work_goes_on()


@pytest.mark.skipif(sys.platform == "win32", reason="no signal can be sent to this process alone")
def test_an_interrupt_of_the_kernel_stops_the_work_and_passes() -> None:
    def my_loop(n: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        while True:
            n += 1

    # As in a kernel, whatever runs the tests: one that runs them side by side has the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            verdict_on(Function(**COMMON, asks="my_loop(n)", right=int, calls=[(1,)], bound=30), my_loop)
    finally:
        signal.signal(signal.SIGINT, before)
    assert no_work_goes_on()


def test_code_that_cannot_be_stopped_is_left_behind() -> None:
    release = threading.Event()

    def my_wait(n: int) -> None:
        while not release.is_set():
            try:
                time.sleep(0.01)
            except BaseException:
                continue

    try:
        left = verdict_on(Function(**COMMON, asks="my_wait(n)", right=int, calls=[(1,)], bound=0.1), my_wait)
        assert "goes on in the background" in repr(left)
    finally:
        release.set()


def test_awaiting_what_never_happens_and_holding_the_loop_are_ended() -> None:
    async def waits(n: int) -> None:
        await asyncio.Event().wait()

    async def holds(n: int) -> None:
        await asyncio.sleep(0)
        while True:
            n += 1

    assert "never happens" in repr(verdict_on(watched(bound=0.1), waits))
    before = time.monotonic()
    assert "holds(1) lets nothing else run, and was stopped." in repr(verdict_on(watched(bound=60), holds))
    assert time.monotonic() - before < 60
    assert no_work_goes_on()


def test_a_trial_is_made_again_when_the_machine_has_stood_still() -> None:
    """All timers of the trial were due at once then, and it says nothing about the answer."""
    calls: list[int] = []

    class Sleepy(threading.Event):
        """An event whose waiting is late once, as on a machine that was put to sleep."""

        def wait(self, timeout: float | None = None) -> bool:
            if len(calls) < 2:
                time.sleep(trial.PAUSE + 0.1)
            return super().wait(timeout)

    async def judged(answer: Any) -> Fault | None:
        calls.append(await answer(1))
        return Fault("is judged while the machine stands still.") if len(calls) < 2 else None

    async def my_answer(n: int) -> int:
        return n

    with unittest.mock.patch.object(threading, "Event", Sleepy):
        assert verdict_on(watched(judged), my_answer).state == "right"
    assert len(calls) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="no process can be stopped and continued there")
def test_a_pause_of_the_whole_machine_never_makes_a_right_answer_wrong() -> None:
    """Here the process itself is stopped for longer than the bound, by a child that wakes it again."""
    child = f"sleep 0.2; kill -STOP {os.getpid()}; sleep 1.5; kill -CONT {os.getpid()}"

    async def my_answer(n: int) -> int:
        await asyncio.sleep(0.6)
        return n + 1

    with subprocess.Popen(["sh", "-c", child]):
        assert verdict_on(watched(bound=1.2), my_answer).state == "right"
