"""The exercises: what the engine makes of anything a learner may write, and what the questions rest on."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import sys
import threading
import time
import unittest.mock
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.frames import CloseCode
from websockets.protocol import Protocol, Side

from wslab import lessons
from wslab.close import ProtocolError, decode_close
from wslab.decoder import FrameDecoder
from wslab.frames import Opcode
from wslab.handshake import RequestReader, Response, judge_request
from wslab.lab.exercises.exercise import Exercise, Fault, Mistake
from wslab.lab.exercises.old import trial
from wslab.lab.exercises.old.bytes_ import first_difference
from wslab.lab.exercises.verdict import Verdict
from wslab.lessons import check, exercises
from wslab.lessons.frames.stream_exercises import ZOO
from wslab.lessons.handshake import KEYS, REQUESTS

RFC_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
RFC_ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

ALL = [exercise for exercise in exercises().values() if isinstance(exercise, Exercise)]
MISTAKES = [
    pytest.param(each, mistake, id=f"{each.name}-{number}")
    for each in ALL
    for number, mistake in enumerate(each.mistakes)
]


@pytest.fixture(autouse=True)
def _fresh_kernel() -> Iterator[None]:
    """Forget what was checked, as a new kernel does."""
    lessons._states.clear()
    lessons._hints.clear()
    yield
    lessons._states.clear()
    lessons._hints.clear()


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Exercise]:
    """Return a function that adds an exercise to the course for one test."""

    def add(judge: Callable[[Any], Any], asks: str = "my_answer(n)", bound: float = 2.0) -> Exercise:
        exercise = Exercise(
            "trial", "99", "Try", judge, "RFC 6455 §1", ("Think.",), (), asks=asks, bound=bound
        )
        monkeypatch.setattr(lessons, "exercises", lambda: {"trial": exercise})
        return exercise

    return add


# -- the declarations ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", ALL, ids=lambda each: each.name)
def test_an_exercise_is_declared_whole(exercise: Exercise) -> None:
    assert exercise.name == exercise.name.lower().replace("_", "-")
    assert exercise.lesson.isdigit()
    assert len(exercise.lesson) == 2
    assert 2 <= len(exercise.hints) <= 3
    assert len(exercise.mistakes) >= 2
    assert exercise.section
    assert exercise.asks == "" or exercise.asks.startswith("my_")
    if not exercise.asynchronous:  # there, a mistake names what its judge must say
        assert all(mistake.sentence.endswith((".", "?")) for mistake in exercise.mistakes)


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES)
def test_a_typical_mistake_gets_its_sentence(exercise: Exercise, mistake: Mistake) -> None:
    verdict = check(exercise.name, mistake.answer)
    assert verdict.state == "wrong"
    assert mistake.sentence in repr(verdict)
    assert exercise.section in repr(verdict) or exercise.asynchronous


def test_there_are_mistakes_to_try() -> None:
    assert len(MISTAKES) >= 2 * len(ALL) > 0


@pytest.mark.parametrize("exercise", ALL, ids=lambda each: each.name)
def test_no_answer_of_any_type_breaks_a_check(exercise: Exercise) -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError("no repr")

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("no comparison")

        __hash__ = None  # type: ignore[assignment]

    answers: list[Any] = [None, ..., 5, "x", b"", b"x", {}, {"A": ...}, [], (..., 1), object(), Hostile()]
    answers += [lambda *args, value=value: value for value in answers]
    answers += [lambda: 1, len, int, print, Hostile, dict.fromkeys(KEYS, Hostile())]
    for answer in answers:
        verdict = check(exercise.name, answer)
        assert verdict.state in ("wrong", "not yet")
        assert "check itself failed" not in repr(verdict)
        assert verdict._repr_html_()


@pytest.mark.parametrize("exercise", [each for each in ALL if each.asks], ids=lambda each: each.name)
def test_an_empty_function_is_not_yet(exercise: Exercise) -> None:
    def stub(*args: Any) -> None: ...

    async def async_stub(*args: Any) -> None: ...

    assert check(exercise.name, async_stub if exercise.asynchronous else stub).state == "not yet"


# -- what a learner may write -------------------------------------------------------------------------------


def test_right() -> None:
    from wslab import handshake

    verdict = check("accept-key", handshake.accept_key)
    assert verdict
    assert repr(verdict).startswith("✓ right: accept-key\n  It proves")


def test_an_exception_shows_the_line_of_the_learner_and_no_stack() -> None:
    def helper(key: str) -> int:
        return int(key)  # the line

    def my_accept_key(key: str) -> int:
        return helper(key)

    verdict = check("accept-key", my_accept_key)
    assert not verdict
    text = repr(verdict)
    assert f"my_accept_key('{RFC_KEY}') raises an exception." in text
    assert "ValueError: invalid literal for int()" in text
    assert "return int(key)  # the line" in text
    assert f"line {helper.__code__.co_firstlineno + 1} " in text
    assert "Traceback" not in text
    assert "engine.py" not in text


def test_exit_and_interrupt_in_the_code_are_feedback() -> None:
    def leave(key: str) -> str:
        sys.exit(3)

    def interrupt(key: str) -> str:
        raise KeyboardInterrupt

    assert "use return" in repr(check("accept-key", leave))
    assert "KeyboardInterrupt" in repr(check("accept-key", interrupt))


def test_a_stub_that_raises_is_not_yet() -> None:
    def my_accept_key(key: str) -> str:
        raise NotImplementedError

    assert check("accept-key", my_accept_key).state == "not yet"


def test_what_the_code_prints_comes_through(capsys: pytest.CaptureFixture[str]) -> None:
    check("accept-key", print)
    assert capsys.readouterr().out == f"{RFC_KEY}\n"


def test_a_value_where_a_function_is_asked() -> None:
    assert 'without parentheses: check("accept-key", my_accept_key)' in repr(check("accept-key", RFC_ACCEPT))


def test_a_function_where_a_value_is_asked() -> None:
    assert "A value is asked here" in repr(check("read-a-frame", dict))


def test_too_few_parameters_name_the_call() -> None:
    assert "asks for my_accept_key(key)" in repr(check("accept-key", lambda: RFC_ACCEPT))


def test_coroutines_are_named_and_closed() -> None:
    async def my_accept_key(key: str) -> str:
        return key

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "write def" in repr(check("accept-key", my_accept_key))
        assert "without parentheses" in repr(check("accept-key", my_accept_key(RFC_KEY)))
        assert "put await in front" in repr(check("read-a-frame", my_accept_key(RFC_KEY)))
        assert "not async def" in repr(check("accept-key", lambda key: my_accept_key(key)))


def test_a_generator_is_named() -> None:
    def my_accept_key(key: str) -> Iterator[str]:
        yield key

    assert "return instead of yield" in repr(check("accept-key", my_accept_key))


def test_entries_that_are_still_open_are_named() -> None:
    verdict = check("read-a-frame", {"fin": False, "opcode": ..., "masked": ..., "length": 1})
    assert verdict.state == "not yet"
    assert "Still open: opcode, masked." in repr(verdict)


def test_str_for_bytes_is_named() -> None:
    assert "encode it" in repr(check("encode-length", lambda length, masked: "\x05"))


def no_work_goes_on() -> bool:
    """Return whether every thread of a trial has ended; a thread that was told to needs a moment."""
    for thread in threading.enumerate():
        if thread.name == "wslab-exercise":
            thread.join(5)
    return not any(thread.name == "wslab-exercise" for thread in threading.enumerate())


# -- bounds -------------------------------------------------------------------------------------------------


def test_a_loop_that_never_ends_is_stopped(declare: Callable[..., Exercise]) -> None:
    declare(lambda answer: answer(1), bound=0.1)

    def my_loop(n: int) -> None:
        while True:
            n += 1

    trace = sys.gettrace()
    verdict = check("trial", my_loop)
    assert "my_loop(1) did not end within 0.1 seconds and was stopped." in repr(verdict)
    assert sys.gettrace() is trace
    assert no_work_goes_on()


@pytest.mark.skipif(sys.platform == "win32", reason="no signal can be sent to this process alone")
def test_an_interrupt_of_the_kernel_stops_the_work_and_passes(declare: Callable[..., Exercise]) -> None:
    declare(lambda answer: answer(1), bound=30)

    def my_loop(n: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        while True:
            n += 1

    with pytest.raises(KeyboardInterrupt):
        check("trial", my_loop)
    assert no_work_goes_on()


def test_code_that_cannot_be_stopped_is_left_behind(declare: Callable[..., Exercise]) -> None:
    declare(lambda answer: answer(1), bound=0.1)
    release = threading.Event()

    def my_wait(n: int) -> None:
        while not release.is_set():
            try:
                time.sleep(0.01)
            except BaseException:
                continue

    try:
        assert "goes on in the background" in repr(check("trial", my_wait))
    finally:
        release.set()


async def _judge_async(answer: Any) -> Fault | None:
    return None if await answer(1) == 2 else Fault("gives the wrong value.")


def test_a_coroutine_function_is_checked_inside_a_running_loop(declare: Callable[..., Exercise]) -> None:
    declare(_judge_async)

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
        verdicts = [
            check("trial", each)
            for each in (my_answer, wrong, nothing, fails, lambda n: n, my_answer(1), forgets)
        ]
        await asyncio.sleep(0)  # the loop of the kernel is as it was
        return verdicts

    verdicts = asyncio.run(cell())
    assert [verdict.state for verdict in verdicts] == [
        "right",
        "wrong",
        "not yet",
        "wrong",
        "wrong",
        "wrong",
        "wrong",
    ]
    assert "return n / 0" in repr(verdicts[3])
    assert "write async def" in repr(verdicts[4])
    assert "Pass the function itself" in repr(verdicts[5])
    assert "put await in front of the call" in repr(verdicts[6])


def _answer_of(name: str) -> Any:
    return next(each.mistakes[0].answer for each in ALL if each.name == name)


def test_an_entry_that_is_right_but_for_its_quotes_or_capitals_says_so() -> None:
    statuses = dict.fromkeys(REQUESTS, "101")
    assert "without quotes: it is of type int" in repr(check("status-for", statuses))
    arrivals = dict.fromkeys(_answer_of("what-arrives"), "String")
    assert "with the capitals of the question" in repr(check("what-arrives", arrivals))


def test_a_value_of_the_wrong_type_is_told_the_name_of_the_right_one() -> None:
    assert "type bytes, not Frame" in repr(check("answer-a-frame", lambda frame: frame.payload))


def test_awaiting_what_never_happens_is_ended(declare: Callable[..., Exercise]) -> None:
    declare(_judge_async, bound=0.1)

    async def my_answer(n: int) -> None:
        await asyncio.Event().wait()

    async def busy(n: int) -> None:
        while True:
            n += 1

    assert "never happens" in repr(check("trial", my_answer))
    assert "was stopped" in repr(check("trial", busy))


def test_code_that_lets_nothing_else_run_is_stopped_before_its_bound(
    declare: Callable[..., Exercise],
) -> None:
    declare(_judge_async, bound=60)

    async def my_answer(n: int) -> None:
        await asyncio.sleep(0)
        while True:
            n += 1

    before = time.monotonic()
    assert "my_answer(1) lets nothing else run, and was stopped." in repr(check("trial", my_answer))
    assert time.monotonic() - before < 60
    assert no_work_goes_on()


def test_a_trial_is_made_again_when_the_machine_has_stood_still(declare: Callable[..., Exercise]) -> None:
    """All timers of the trial were due at once then, and it says nothing about the answer."""
    calls: list[int] = []

    class Sleepy(threading.Event):
        """Be late once, as a machine that was put to sleep is."""

        def wait(self, timeout: float | None = None) -> bool:
            if len(calls) < 2:
                time.sleep(trial.PAUSE + 0.1)
            return super().wait(timeout)

    async def judge(answer: Any) -> Fault | None:
        calls.append(await answer(1))
        return Fault("is judged while the machine stands still.") if len(calls) < 2 else None

    async def my_answer(n: int) -> int:
        return n

    declare(judge)
    with unittest.mock.patch.object(threading, "Event", Sleepy):
        assert check("trial", my_answer).state == "right"
    assert len(calls) == 2


def test_a_coroutine_that_nobody_awaits_is_named(declare: Callable[..., Exercise]) -> None:
    declare(_judge_async)

    async def my_answer(n: int) -> int:
        asyncio.sleep(0)  # type: ignore[unused-coroutine]  # the line
        return n

    def put(n: int) -> int:
        asyncio.Queue[int]().put(n)  # type: ignore[unused-coroutine]  # the other line
        return n

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        awaited = repr(check("trial", my_answer))
        declare(lambda answer: None if answer(1) == 2 else Fault("gives the wrong value."))
        plain = repr(check("trial", put))
    assert f"sleep(…) (line {my_answer.__code__.co_firstlineno + 1}) gives a coroutine" in awaited
    assert f"put(…) (line {put.__code__.co_firstlineno + 1}) gives a coroutine" in plain


def test_a_coroutine_is_not_laid_to_the_next_answer(declare: Callable[..., Exercise]) -> None:
    declare(_judge_async)

    async def fails(n: int) -> int:
        kept = asyncio.sleep(0)
        return len(kept)  # type: ignore[arg-type]

    async def wrong(n: int) -> int:
        return n

    first, second = repr(check("trial", fails)), repr(check("trial", wrong))
    assert "An await is missing." in first
    assert "sleep(…)" in first
    assert "sleep(…)" not in second


def test_many_coroutines_that_nobody_awaits_are_named_once(declare: Callable[..., Exercise]) -> None:
    declare(_judge_async)

    async def my_answer(n: int) -> int:
        for _ in range(1000):
            asyncio.sleep(0)  # type: ignore[unused-coroutine]
        return n

    assert repr(check("trial", my_answer)).count("sleep(…)") == 1


def test_other_warnings_of_the_code_are_shown(declare: Callable[..., Exercise]) -> None:
    declare(lambda answer: answer(1))
    with pytest.warns(UserWarning, match="mind the gap"):
        check("trial", lambda n: warnings.warn("mind the gap", stacklevel=1))


def test_an_exception_in_a_task_that_nobody_awaits_is_shown(
    declare: Callable[..., Exercise], caplog: pytest.LogCaptureFixture
) -> None:
    declare(_judge_async)

    async def fail() -> float:
        return 1 / 0  # the line

    async def my_answer(n: int) -> int:
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        del task
        return n

    text = repr(check("trial", my_answer))
    assert "raised in a task  ZeroDivisionError: division by zero" in text
    assert "return 1 / 0  # the line" in text
    assert not caplog.records


def test_an_answer_may_change_what_it_is_given() -> None:
    def spoil(quotes: list[Any]) -> list[Any]:
        quotes.clear()
        return quotes

    assert not check("latest-of-each", spoil)
    assert check("latest-of-each", lambda quotes: list(dict(quotes).items()))


def test_a_number_is_wrong_by_its_value() -> None:
    assert "gives the wrong value" in repr(check("next-tick", lambda start, period, now: 7))
    assert "type bool, not float" in repr(check("next-tick", lambda start, period, now: True))


def test_an_exception_in_a_task_group_shows_the_line_that_raised_it() -> None:
    async def push() -> None:
        raise LookupError("no tick")  # the line

    async def my_handler(websocket: Any) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(push())

    text = repr(check("push-and-receive", my_handler))
    assert "LookupError: no tick" in text
    assert "# the line" in text


def test_a_timeout_of_the_learner_is_an_exception_of_theirs(declare: Callable[..., Exercise]) -> None:
    declare(_judge_async)

    async def my_answer(n: int) -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    assert "TimeoutError" in repr(check("trial", my_answer))


def test_a_fault_of_a_judge_is_said_to_be_ours(declare: Callable[..., Exercise]) -> None:
    declare(lambda answer: [][0])
    assert "fault of the course" in repr(check("trial", lambda n: n))


def test_views_escape_what_the_learner_wrote() -> None:
    verdict = check("accept-key", lambda key: "<script>alert(1)</script>")
    assert "<script>" in repr(verdict)
    assert "<script>" not in verdict._repr_html_()
    assert "✗ wrong" in verdict._repr_html_()


# -- bytes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected", "field"),
    [
        ("0105", "8105", "byte 0, FIN (§5.2)"),
        ("8205", "8105", "byte 0, opcode (§5.2)"),
        ("810548656c6c6f", "818537fa213d7f9f4d5158", "byte 1, MASK"),
        ("817e0005", "8105", "byte 1, payload length (§5.2)"),
        ("827e0001", "827e0100", "byte 2, extended payload length (§5.2)"),
        ("818537fa213d48656c6c6f", "818537fa213d7f9f4d5158", "byte 6, payload data"),
        ("8105", "810548656c6c6f", "byte 2, payload data"),
    ],
)
def test_the_first_difference_names_its_field(given: str, expected: str, field: str) -> None:
    assert first_difference(bytes.fromhex(given), bytes.fromhex(expected), b"").startswith(field)


def test_surplus_bytes_are_counted() -> None:
    assert first_difference(b"abcd", b"ab") == "2 too many, from byte 2 on: 63 64"


def test_a_wrong_byte_is_named_in_the_verdict() -> None:
    from wslab.frames import encode_length

    verdict = check(
        "encode-length",
        lambda n, masked: b"\x7f" + n.to_bytes(8, "big") if n > 99 else encode_length(n, masked),
    )
    assert "byte 0, payload length (§5.2): given 0x7f, expected 0x7d" in repr(verdict)


# -- the material of the questions --------------------------------------------------------------------------


def test_the_keys_are_what_the_question_says() -> None:
    def my_judgement(key: str) -> bool:
        try:
            data = base64.b64decode(key, validate=True)
        except ValueError:
            return False
        return len(data) == 16 and base64.b64encode(data).decode() == key

    assert check("spot-the-key", {name: my_judgement(key) for name, key in KEYS.items()})
    assert base64.b64decode(KEYS["B"]) == bytes(range(1, 17))  # the example of §4.1


def test_the_requests_are_answered_as_the_question_says() -> None:
    statuses = {}
    for name, data in REQUESTS.items():
        request = RequestReader().feed(data)
        assert request is not None
        origins = [None, "https://chat.example"]
        answer = request if isinstance(request, Response) else judge_request(request, origins=origins)
        statuses[name] = answer.status
    assert len(set(statuses.values())) == 6
    assert check("status-for", statuses)


def code_of_wslab(data: bytes) -> int:
    decoder = FrameDecoder(masked=True)
    try:
        for frame in decoder.feed(data):
            if frame.opcode is Opcode.CLOSE:
                decode_close(frame.payload)
            if frame.opcode is Opcode.TEXT:
                frame.payload.decode()
    except ProtocolError as error:
        return int(error.code)
    except UnicodeDecodeError:
        return 1007
    return 0


def code_of_websockets(data: bytes) -> int:
    server = Protocol(Side.SERVER, max_size=2**20)
    server.receive_data(data)
    text = next((frame for frame in server.events_received() if frame.opcode == 1), None)  # type: ignore[union-attr]
    if text is not None:
        try:
            text.data.decode()  # type: ignore[union-attr]
        except UnicodeDecodeError:
            return int(CloseCode.INVALID_DATA)
    return int(server.close_sent.code) if server.close_sent and server.parser_exc else 0


def test_the_zoo_gets_the_codes_of_two_implementations() -> None:
    assert len(ZOO) >= 8
    for judge in (code_of_wslab, code_of_websockets):
        verdict = check("find-the-fault", {name: judge(data) for name, data in ZOO.items()})
        assert verdict, repr(verdict)
