"""The repository of a copy of the course, and its link to Binder."""

import subprocess
from pathlib import Path

import pytest

from wslab.lab.kernel.binder import binder, repository
from wslab.lab.kernel.doctor import Diagnosis, Finding

HOME = "https://github.com/ada/websocket-course"
LINK = "https://mybinder.org/v2/gh/ada/websocket-course/HEAD?urlpath=lab/tree/notebooks/00-start-here.ipynb"


def copy(folder: Path, remote: str) -> Path:
    """Return a folder that is a copy of the course with this remote."""
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "00-start-here.ipynb").touch()
    subprocess.run(["git", "init", "-q", folder], check=True)
    if remote:
        subprocess.run(["git", "-C", folder, "remote", "add", "origin", remote], check=True)
    return folder


@pytest.mark.parametrize(
    "remote",
    [
        HOME,
        f"{HOME}.git",
        f"{HOME}/",
        "git@github.com:ada/websocket-course.git",
        "ssh://git@github.com/ada/websocket-course.git",
        "https://ada:secret@github.com/ada/websocket-course.git",
    ],
)
def test_the_repository_is_read_from_the_remote_without_a_secret(tmp_path: Path, remote: str) -> None:
    assert repository(copy(tmp_path, remote)) == HOME
    assert binder(HOME) == LINK


@pytest.mark.parametrize("remote", ["", "/srv/course.git", "https://git.example.org/ada/course", "x@y:z"])
def test_a_copy_without_a_public_remote_has_no_address(tmp_path: Path, remote: str) -> None:
    assert repository(copy(tmp_path, remote)) == ""


def test_the_package_without_the_course_has_no_address(tmp_path: Path) -> None:
    folder = copy(tmp_path, HOME)
    (folder / "notebooks" / "00-start-here.ipynb").unlink()
    assert repository(folder) == ""


def test_without_git_there_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copy(tmp_path, HOME)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert repository(folder) == ""


def test_a_machine_with_a_problem_is_told_of_binder() -> None:
    good, bad = Finding("ok", "Figures can be drawn."), Finding("problem", "No figures.", "Install them.")
    assert LINK not in repr(Diagnosis((good,), binder=LINK)), "a stored report is the same in every copy"
    for report in (Diagnosis((bad,), binder=LINK), Diagnosis((good,), details=True, binder=LINK)):
        assert LINK in repr(report)
        assert LINK in report._repr_html_()
    assert "Binder" not in repr(Diagnosis((bad,)))
