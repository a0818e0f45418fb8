"""tools/bootstrap.py: what a newcomer is told when something is missing; nothing is installed twice."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import bootstrap


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what decides about an installation, and an environment that looks complete."""
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / ".venv").mkdir()
    python = tmp_path / ".venv" / "python"
    python.touch()
    monkeypatch.setattr(bootstrap, "ROOT", str(tmp_path))
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", str(python))
    monkeypatch.setattr(bootstrap, "STAMP", str(tmp_path / ".venv" / "stamp"))
    monkeypatch.setattr(bootstrap, "LOCK", str(tmp_path / ".venv.lock"))
    return tmp_path


def complete(course: Path) -> None:
    """Leave the stamp of a complete installation."""
    (course / ".venv" / "stamp").write_text(bootstrap.wanted(), encoding="utf-8")


def change(name: str) -> Callable[[Path], object]:
    """Return what changes a file of the course."""
    return lambda course: (course / name).write_text("other", encoding="utf-8")


def test_a_complete_environment_is_not_touched(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "make_venv", lambda python: pytest.fail("installed again"))
    complete(course)
    bootstrap.install()


@pytest.mark.parametrize(
    "harm",
    [
        change("requirements.txt"),
        change("pyproject.toml"),
        lambda course: (course / ".venv" / "python").unlink(),
        lambda course: (course / ".venv" / "stamp").unlink(),
    ],
    ids=["other versions", "other packages", "no Python", "interrupted"],
)
def test_anything_else_is_installed_again(
    course: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], object]
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "make_venv", lambda python: (course / ".venv" / "python").touch())
    monkeypatch.setattr(bootstrap, "run", lambda command, what: commands.append(command))
    complete(course)
    harm(course)
    bootstrap.install()
    assert [command[-3:] for command in commands] == [
        ["--disable-pip-version-check", "-r", "requirements.txt"],
        ["--no-deps", "-e", "."],
    ]
    assert bootstrap.stamp() == bootstrap.wanted()


def test_an_installation_that_fails_leaves_no_stamp(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: list[str], what: str) -> None:
        sys.exit("no network")

    monkeypatch.setattr(bootstrap, "make_venv", lambda python: None)
    monkeypatch.setattr(bootstrap, "run", fail)
    complete(course)
    change("requirements.txt")(course)
    with pytest.raises(SystemExit, match="no network"):
        bootstrap.install()
    assert bootstrap.stamp() == ""


def test_two_installations_take_turns(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = bootstrap.begin_alone()
    monkeypatch.setattr("time.sleep", lambda seconds: first.close())
    with bootstrap.begin_alone():
        assert first.closed
    assert capsys.readouterr().out == "Another command is installing the course here: waiting for its end.\n"


def test_the_second_of_two_installations_finds_it_done(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def others_end() -> nullcontext[None]:
        complete(course)
        return nullcontext()

    monkeypatch.setattr(bootstrap, "begin_alone", others_end)
    monkeypatch.setattr(bootstrap, "make_venv", lambda python: pytest.fail("installed again"))
    bootstrap.install()


def test_a_folder_that_cannot_be_written_to_is_named(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "LOCK", str(course / "nowhere" / ".venv.lock"))
    with pytest.raises(SystemExit, match="cannot be written to: copy the course to a folder of your own"):
        bootstrap.begin_alone()


@pytest.mark.parametrize(("version", "fault"), [((3, 9), "3.9 is too old"), ((3, 14), "3.14 is too new")])
def test_a_python_that_does_not_fit_is_named(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], fault: str
) -> None:
    monkeypatch.setattr(bootstrap, "sys", SimpleNamespace(version_info=version, exit=sys.exit))
    monkeypatch.setattr("shutil.which", lambda command: None)
    with pytest.raises(SystemExit, match=f"{fault}: the course needs Python 3.11, 3.12 or 3.13"):
        bootstrap.find_python()


def test_a_python_without_ensurepip_is_named_with_the_remedy(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "succeeds", lambda python, script: False)
    with pytest.raises(SystemExit, match="sudo apt install python3-venv"):
        bootstrap.make_venv("python3")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("ERROR: No matching distribution found (from versions: none)", "No connection to the package index"),
        ("ERROR: [Errno 28] No space left on device", "The disk is full"),
        ("error: subprocess-exited-with-error", "for the reason above"),
    ],
)
def test_a_failed_command_is_explained(line: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = f"import sys; print('noise'); print({line!r}); sys.exit(1)"
    with pytest.raises(SystemExit, match=sentence):
        bootstrap.run([sys.executable, "-c", script], "Trying")
    shown = capsys.readouterr().out
    assert line in shown
    assert "noise" not in shown
