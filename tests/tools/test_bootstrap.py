"""tools/bootstrap.py: what a newcomer is told when something is missing; nothing is installed twice."""

import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tools import bootstrap


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what decides about an installation, and an environment that looks complete."""
    (tmp_path / "requirements.txt").write_text("uv==0.1.0\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("pyproject.toml", encoding="utf-8")
    (tmp_path / ".venv").mkdir()
    python = tmp_path / ".venv" / "python"
    python.touch()
    monkeypatch.setattr(bootstrap, "ROOT", str(tmp_path))
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", str(python))
    monkeypatch.setattr(bootstrap, "STAMP", str(tmp_path / ".venv" / "stamp"))
    monkeypatch.setattr(bootstrap, "LOCK", str(tmp_path / ".venv.lock"))
    return tmp_path


def complete(course: Path, groups: str = "test") -> None:
    """Leave the stamp of a complete installation."""
    (course / ".venv" / "stamp").write_text(f"{bootstrap.wanted()}\n{groups}", encoding="utf-8")


def change(name: str) -> Callable[[Path], object]:
    """Return what changes a file of the course."""
    return lambda course: (course / name).write_text("other", encoding="utf-8")


def test_a_complete_environment_is_not_touched(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "make_venv", lambda python: pytest.fail("installed again"))
    complete(course)
    bootstrap.install("test")
    bootstrap.install()


@pytest.fixture
def commands(course: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What is run instead of being run, with every command succeeding and uv on the PATH."""
    noted: list[list[str]] = []

    def note(command: list[str], what: str, *_: Any, **__: Any) -> None:
        noted.append(command)

    monkeypatch.setattr(bootstrap, "make_venv", lambda python: (course / ".venv" / "python").touch())
    monkeypatch.setattr(bootstrap, "attempt", note)
    monkeypatch.setattr(bootstrap, "index", dict)
    monkeypatch.setattr("shutil.which", lambda name: name)
    return noted


def test_another_group_is_added_to_what_is_there(course: Path, commands: list[list[str]]) -> None:
    complete(course, "site")
    bootstrap.install("test")
    assert commands[0][-4:] == ["-c", "requirements.txt", "-e", ".[site,test]"]
    assert bootstrap.stamp() == (bootstrap.wanted(), ["site", "test"])


def test_uv_is_installed_where_there_is_none(
    course: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    bootstrap.install()
    assert commands[0][1:3] == ["-m", "pip"]
    assert commands[0][-1] == "uv==0.1.0"
    assert all(command[1:4] == ["-m", "uv", "pip"] for command in commands[1:])


def test_pip_installs_what_uv_does_not_get(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[list[str]] = []

    def only_pip(command: list[str], what: str, *_: Any, **__: Any) -> list[str] | None:
        commands.append(command)
        return ["uv: no answer"] if command[0] == "uv" else None

    monkeypatch.setattr(bootstrap, "make_venv", lambda python: None)
    monkeypatch.setattr(bootstrap, "attempt", only_pip)
    monkeypatch.setattr(bootstrap, "index", dict)
    monkeypatch.setattr("shutil.which", lambda name: name)
    bootstrap.install()
    assert [command[0] for command in commands[:2]] == ["uv", bootstrap.VENV_PYTHON]
    told = capsys.readouterr().out
    assert "so pip tries it" in told
    for packages, instead in bootstrap.OPTIONAL:
        assert f"{packages[-1]} is not to be had for this machine: {instead}." in told
    assert bootstrap.stamp() == (bootstrap.wanted(), [])


def test_a_command_without_a_sign_of_life_is_ended() -> None:
    script = "import time; print('Looking', flush=True); time.sleep(60)"
    begin = time.monotonic()
    lines = bootstrap.attempt([sys.executable, "-c", script], "Trying", "Resolved", patience=1.0)
    assert lines == ["Looking"]
    assert time.monotonic() - begin < 30
    script = script.replace("Looking", "Resolved 9 packages").replace("60", "2")
    assert bootstrap.attempt([sys.executable, "-c", script], "Trying", "Resolved", patience=1.0) is None


def test_uv_gets_the_index_of_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "global.index-url='https://index.example/simple'\n:env:.find-links='/wheels'\nglobal.timeout='9'\n"
    answer = SimpleNamespace(stdout=told.encode())
    monkeypatch.setattr("subprocess.run", lambda *_, **__: answer)
    for name in ("UV_DEFAULT_INDEX", "UV_FIND_LINKS", "UV_INDEX_STRATEGY"):
        monkeypatch.delenv(name, raising=False)
    assert bootstrap.index() == {
        "UV_DEFAULT_INDEX": "https://index.example/simple",
        "UV_FIND_LINKS": "/wheels",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.example")
    assert "UV_DEFAULT_INDEX" not in bootstrap.index()


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
    course: Path, commands: list[list[str]], harm: Callable[[Path], object]
) -> None:
    complete(course)
    harm(course)
    bootstrap.install("test")
    assert [command[-1] for command in commands] == [".[test]", bootstrap.OPTIONAL[-1][0][-1]]
    assert bootstrap.stamp() == (bootstrap.wanted(), ["test"])


def test_an_installation_that_fails_leaves_no_stamp(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: list[str], what: str, *_: Any, **__: Any) -> None:
        sys.exit("no network")

    monkeypatch.setattr(bootstrap, "make_venv", lambda python: None)
    monkeypatch.setattr(bootstrap, "attempt", fail)
    monkeypatch.setattr(bootstrap, "index", dict)
    complete(course)
    change("requirements.txt")(course)
    with pytest.raises(SystemExit, match="no network"):
        bootstrap.install()
    assert bootstrap.stamp() == ("", [])


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
