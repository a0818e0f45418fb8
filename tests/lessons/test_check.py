"""`check`, `hint` and `progress` over the whole course, and what is kept between kernels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from wslab import lessons
from wslab.lab.exercises.kinds import Value
from wslab.lessons import Exercise, check, course, done, exercises, hint, progress

READING = {"fin": False, "opcode": 2, "masked": True, "length": 300, "payload_at": 8}


@pytest.fixture(autouse=True)
def _fresh_kernel() -> Iterator[None]:
    """Forget what was checked, as a new kernel does."""
    lessons._states.clear()
    lessons._hints.clear()
    yield
    lessons._states.clear()
    lessons._hints.clear()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let a person look, whose progress is kept in a file of this test."""
    monkeypatch.setenv("WSLAB_PROGRESS", str(tmp_path / "new" / "progress.jsonl"))
    monkeypatch.setattr(done, "is_live", lambda: True)
    return tmp_path / "new" / "progress.jsonl"


@pytest.mark.parametrize("exercise", exercises().values(), ids=lambda each: each.name)
def test_an_exercise_is_declared_whole(exercise: Exercise) -> None:
    assert exercise.name == exercise.name.lower().replace("_", "-")
    assert 2 <= len(exercise.hints) <= 3
    assert exercise.section
    assert exercise.title[0].isupper()
    assert exercise.why.endswith(".")
    assert exercise.asks == "" if isinstance(exercise, Value) else exercise.asks.startswith("my_")
    assert all(sentence.endswith((".", "?")) for sentence in getattr(exercise, "mistakes", ()))


def test_an_unknown_name_gets_the_near_ones() -> None:
    verdict = check("acept_key", None)
    assert verdict.state == "unknown"
    assert "Did you mean 'accept-key'" in repr(verdict)
    assert "Did you mean 'accept-key'" in repr(hint("Accept-Keys"))
    assert "The name comes first" in repr(check(len, "accept-key"))  # type: ignore[arg-type]


def test_hints_grow_and_end_at_the_solution() -> None:
    total = len(exercises()["accept-key"].hints) + 1
    hints = [hint("accept-key") for _ in range(total + 1)]
    assert [each.number for each in hints] == [*range(1, total + 1), total]
    assert "solution" in hints[-1].sentence
    assert repr(hints[0]).startswith(f"→ hint 1 of {total}: Compute the accept key\n")
    assert len({each.sentence for each in hints}) == total


def test_progress_has_all_lessons_and_titles_of_what_is_begun() -> None:
    check("read-a-frame", READING)
    check("read-a-frame", None)  # right once is right
    check("first-byte", lambda fin, opcode: fin)
    check("accept-key", lambda key: key, record=False)
    text = str(progress())
    assert re.search(r"^03 frames +●○{8}  1 of 9$", text, re.MULTILINE)
    assert "  ✓ Read the head of a frame by eye" in text
    assert "  ✗ Put FIN and the opcode into the first byte" in text
    assert "Compute the accept key" not in text
    assert text.endswith(f"1 of {len(exercises())} exercises are right.")
    assert [line.split()[0] for line in text.splitlines() if line[:2].isdigit()] == [*course()]


def test_a_file_never_holds_what_a_learner_has_done() -> None:
    check("read-a-frame", READING)
    assert progress()._repr_mimebundle_() == {"text/plain": repr(progress())}
    assert "Run this cell in JupyterLab" in repr(progress())


def test_a_second_kernel_knows_what_is_right_and_can_forget_it(kept: Path) -> None:
    check("read-a-frame", READING)
    check("read-a-frame", READING)
    lessons._states.clear()
    assert len(kept.read_text().splitlines()) == 1
    assert set(json.loads(kept.read_text())) == {"right", "on"}
    assert "✓ Read the head" in progress()._repr_mimebundle_()["text/html"]
    assert "1 of" not in str(progress(forget=True)).replace("1 of 1", "")
    assert not kept.exists()


def test_lines_that_are_not_ours_are_skipped_and_a_folder_may_be_read_only(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.parent.mkdir()
    kept.write_text('{"right": "first-byte"}\n{"ri\n7\n\x00\n{"right": "no-such-exercise"}\n')
    assert done.remembered() >= {"first-byte"}
    assert "✓ Put FIN and the opcode" in str(progress())
    monkeypatch.setenv("WSLAB_PROGRESS", str(kept / "not-a-folder" / "file"))
    assert check("read-a-frame", READING)


def test_nothing_is_read_or_written_where_nobody_looks(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(done, "is_live", lambda: False)
    check("read-a-frame", READING)
    progress(forget=True)
    assert not kept.exists()
