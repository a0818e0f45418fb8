"""The doctor: what it finds on a healthy machine, and what it says to do where something is missing."""

from __future__ import annotations

import asyncio
import re
import sys
import urllib.request
from importlib import metadata
from pathlib import Path

import pytest

from wslab.lab.kernel.doctor import Diagnosis, Finding, doctor

# The package has a function of this name, so the module is reached by its full name.
MODULE = "wslab.lab.kernel.doctor"


async def _in_a_loop(details: bool = False) -> Diagnosis:
    return doctor(details)


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.getproxies", dict)


def line_about(report: Diagnosis, word: str) -> Finding:
    found = [line for line in report.lines if word in line.what]
    assert len(found) == 1, f"{word!r}: {report!r}"
    return found[0]


@pytest.mark.usefixtures("no_proxy")
def test_a_healthy_machine_is_ready() -> None:
    report = asyncio.run(_in_a_loop())
    assert report, repr(report)
    assert len(report.lines) >= 8
    assert [line.state for line in report.lines] == ["ok"] * len(report.lines)
    assert repr(report).endswith("This machine is ready for the course.")


@pytest.mark.usefixtures("no_proxy")
def test_the_stored_view_names_no_version_path_or_port() -> None:
    report = asyncio.run(_in_a_loop())
    for view in (repr(report), report._repr_html_()):
        assert not re.search(r"\d+\.\d+\.\d", view.replace("127.0.0.1", "")), view
        assert sys.prefix not in view
        assert "/lib/" not in view


@pytest.mark.usefixtures("no_proxy")
def test_details_name_versions() -> None:
    report = asyncio.run(_in_a_loop(details=True))
    assert metadata.version("websockets") in repr(report)
    assert metadata.version("websockets") in report._repr_html_()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "importlib.metadata.requires", lambda name: ["no-such-package>=1", "websockets>=9000"]
    )
    line = line_about(doctor(), "package of the course")
    assert line.state == "problem"
    assert "no-such-package is missing" in line.remedy
    assert ">=9000 is needed" in line.remedy
    assert "pip install" in line.remedy


def test_what_only_tests_need_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "importlib.metadata.requires", lambda name: ["websockets>=17", 'no-such-package; extra == "test"']
    )
    assert line_about(doctor(), "package of the course").state == "ok"


def test_an_unsupported_python_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.python_version", lambda: "3.8.1")
    line = line_about(doctor(), "Python is")
    assert line.state == "problem"
    assert "3.11" in line.remedy


@pytest.mark.usefixtures("no_proxy")
def test_outside_a_notebook_there_is_a_note() -> None:
    report = doctor()
    assert line_about(report, "event loop").state == "note"
    assert report, "a note is no problem"


@pytest.mark.parametrize(("no_proxy_value", "state"), [("", "problem"), ("127.0.0.1,localhost", "ok")])
def test_a_proxy_needs_an_exception_for_loopback(
    monkeypatch: pytest.MonkeyPatch, no_proxy_value: str, state: str
) -> None:
    proxies = {"https": "http://proxy.example:3128", "no": no_proxy_value}
    monkeypatch.setattr("urllib.request.getproxies", lambda: proxies)
    monkeypatch.setattr(
        "urllib.request.proxy_bypass",
        lambda host: urllib.request.proxy_bypass_environment(host, proxies),  # type: ignore[attr-defined]
    )
    line = line_about(doctor(), "proxy")
    assert line.state == state
    assert "proxy.example" not in repr(doctor(details=True)), "a proxy's address can hold a password"


def test_loopback_that_is_blocked_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError("blocked")

    monkeypatch.setattr("socket.create_server", refuse)
    assert line_about(doctor(), "TCP").state == "problem"


@pytest.mark.usefixtures("no_proxy")
def test_a_folder_that_lessons_cannot_be_saved_in_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("pathlib.Path.cwd", lambda: tmp_path / "nowhere")
    report = doctor()
    line = line_about(report, "This folder")
    assert line.state == "note"
    assert "copy the course to a folder of your own" in line.remedy
    assert report, "lessons run there"


def test_a_tunnel_that_is_not_switched_on_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("jupyter_core.paths.jupyter_config_path", lambda: [str(tmp_path)])
    folder = tmp_path / "jupyter_server_config.d"
    folder.mkdir()
    (folder / "broken.json").write_text("{", encoding="utf-8")
    assert line_about(doctor(), "tunnel").state == "problem"
    text = '{"ServerApp": {"jpserver_extensions": {"wslab.lab.browser.tunnel": true}}}'
    (folder / "wslab.json").write_text(text, encoding="utf-8")
    assert line_about(doctor(), "tunnel").state == "ok"


def test_a_check_that_fails_is_a_problem_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def _broken_thing() -> Finding:
        raise ImportError("no module named <thing>")

    monkeypatch.setattr(sys.modules[MODULE], "CHECKS", (_broken_thing,))
    report = doctor(details=True)
    assert not report
    assert "The check of broken thing could not be made." in repr(report)
    assert "&lt;thing&gt;" in report._repr_html_()
    assert repr(report).endswith("1 problem to solve first.")
