"""tools/reset.py: a lesson as it was, and the learner's own beside it."""

import subprocess
from pathlib import Path

import pytest

from tools import reset as module
from tools.course import Lesson
from tools.reset import free, main, reset


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lesson:
    """A repository with one lesson that was committed."""
    path = tmp_path / "notebooks" / "05-echo.ipynb"
    path.parent.mkdir()
    path.write_text("as it was\n", encoding="utf-8")
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "lessons", lambda: [Lesson(path)])
    return Lesson(path)


def test_the_lesson_comes_back_and_the_learners_stays(course: Lesson) -> None:
    course.path.write_text("solved\n", encoding="utf-8")
    assert reset(course) == "05-echo.ipynb is as it was. Yours is kept in 05-echo.mine.ipynb."
    assert course.path.read_text("utf-8") == "as it was\n"
    mine = course.path.with_name("05-echo.mine.ipynb")
    assert mine.read_text("utf-8") == "solved\n"
    course.path.write_text("solved again\n", encoding="utf-8")
    assert "05-echo.mine2.ipynb" in reset(course)
    assert mine.read_text("utf-8") == "solved\n"


def test_a_lesson_that_is_as_it_was_is_left_alone(course: Lesson) -> None:
    assert reset(course) == "05-echo.ipynb is as it was: nothing to do."
    assert free(course.path).name == "05-echo.mine.ipynb"


def test_a_lesson_is_found_by_its_number(course: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["5"]) == 0
    assert main(["05-echo"]) == 0
    assert main(["11"]) == main(["055"]) == main(["echo"]) == 1
    assert "There are 05." in capsys.readouterr().out


def test_without_a_number_no_lesson_is_touched(course: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Lesson(course.path.rename(course.path.with_name("00-first.ipynb")))
    monkeypatch.setattr(module, "lessons", lambda: [first])
    assert main([]) == main([""]) == 1


def test_a_new_version_can_be_pulled_after_all_lessons_were_reset(course: Lesson, tmp_path: Path) -> None:
    copy = tmp_path.with_name(f"{tmp_path.name}-new")
    subprocess.run(["git", "clone", "-q", str(tmp_path), str(copy)], check=True)
    (copy / "notebooks" / "05-echo.ipynb").write_text("a new version\n", encoding="utf-8")
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, "commit", "-qam", "second"], cwd=copy, check=True)
    course.path.write_text("solved\n", encoding="utf-8")
    pull = ["git", "pull", "-q", "--ff-only", str(copy), "HEAD"]
    assert subprocess.run(pull, cwd=tmp_path, check=False, capture_output=True).returncode  # it is in the way
    assert main(["all"]) == 0
    subprocess.run(pull, cwd=tmp_path, check=True)
    assert course.path.read_text("utf-8") == "a new version\n"
    assert course.path.with_name("05-echo.mine.ipynb").read_text("utf-8") == "solved\n"


def test_without_a_repository_a_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "05-echo.ipynb"
    path.touch()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(SystemExit, match="take it from a fresh copy"):
        reset(Lesson(path))
