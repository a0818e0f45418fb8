"""Checks whether this kernel can run the course, and says what to do where it cannot.

The course needs a Python that it supports, its packages, TCP on 127.0.0.1 past any proxy, an event loop for
top-level ``await``, figures, a folder that lessons can be saved in, and the tunnel that brings a browser to a
lesson's server. This module repairs nothing and needs no internet. Every line is "ok", "note" (the course
runs, something is slower or missing) or "problem" (a sentence says what to do).

Versions, paths and ports are details, shown on demand. Without them the report of a healthy machine is the
same everywhere, so that a notebook can store it.
"""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import os
import platform
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wslab.lab.kernel.binder import binder, repository

__all__ = ["Diagnosis", "Finding", "doctor"]

if TYPE_CHECKING:
    from packaging.requirements import Requirement

INSTALL = "Run make lab, or pip install -e . in the folder of the course, then restart the kernel."
_LOOKS = {"ok": ("✓", "#009E73"), "note": ("○", "#8A8A8A"), "problem": ("✗", "#D55E00")}


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Args:
        state: "ok", "note" or "problem".
        what: what was found, the same on every machine where it is found.
        remedy: what to do, one sentence; empty when all is well.
        detail: versions and addresses, shown only on demand.
    """

    state: Literal["ok", "note", "problem"]
    what: str
    remedy: str = ""
    detail: str = ""


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """All checks; true when there is no problem.

    >>> Diagnosis((Finding("ok", "Figures can be drawn."),))
    ✓ ok       Figures can be drawn.
    This machine is ready for the course.
    """

    lines: tuple[Finding, ...]
    details: bool = False
    binder: str = ""  # a link to the course on another machine

    def __bool__(self) -> bool:
        return not any(line.state == "problem" for line in self.lines)

    def __repr__(self) -> str:
        texts = []
        for line in self.lines:
            texts.append(f"{_LOOKS[line.state][0]} {line.state:7}  {line.what}")
            texts += [f"{'':11}{extra}" for extra in self._extras(line)]
        return "\n".join([*texts, *self._summary()])

    def _repr_html_(self) -> str:
        cell = "padding:.15em .9em .15em .5em;text-align:left;vertical-align:top;background:none"
        rows = []
        for line in self.lines:
            symbol, colour = _LOOKS[line.state]
            text = "<br>".join(map(escape, [line.what, *self._extras(line)]))
            bar = f"{cell};border-left:5px solid {colour};white-space:nowrap"
            rows.append(
                f'<tr style="background:none"><td style="{bar}">{symbol} {line.state}</td>'
                f'<td style="{cell}">{text}</td></tr>'
            )
        table = f'<table style="color:inherit;border:none;margin:0">{"".join(rows)}</table>'
        summary, *more = self._summary()
        end = f"<div><b>{summary}</b></div>" + "".join(f"<div>{escape(text)}</div>" for text in more)
        return f'<div style="color:inherit;overflow-x:auto">{table}{end}</div>'

    def _extras(self, line: Finding) -> list[str]:
        return [text for text in (line.remedy, line.detail if self.details else "") if text]

    def _summary(self) -> list[str]:
        """Return the result; with a problem or the details, also where else the course runs."""
        problems = sum(line.state == "problem" for line in self.lines)
        said = [f"{problems} problem{'' if problems == 1 else 's'} to solve first."]
        if not problems:
            said = ["This machine is ready for the course."]
        if self.binder and (problems or self.details):
            said.append(f"With nothing installed, the course runs on Binder: {self.binder}")
        return said


def doctor(details: bool = False) -> Diagnosis:
    """Check the set-up of this kernel; a new one needs a second or two, to import the packages.

    Args:
        details: whether versions and addresses are shown too.

    >>> bool(doctor()) in (True, False)
    True
    """
    home = repository()
    return Diagnosis(tuple(map(_run, CHECKS)), details, binder(home) if home else "")


def _run(check: Callable[[], Finding]) -> Finding:
    """Run a check; one that cannot even run, for want of a package, is a problem too."""
    try:
        return check()
    except Exception as error:
        what = f"The check of {check.__name__.strip('_').replace('_', ' ')} could not be made."
        return Finding("problem", what, INSTALL, f"{type(error).__name__}: {error}")


def _python() -> Finding:
    from packaging.specifiers import SpecifierSet

    found = platform.python_version()
    detail = f"{platform.python_implementation()} {found} on {platform.system()}, {sys.executable}"
    what = "Python is a version that the course supports."
    try:
        supported = SpecifierSet(metadata.metadata("wslab")["Requires-Python"] or "")
    except metadata.PackageNotFoundError:
        return Finding("problem", "The package wslab is not installed in this kernel.", INSTALL, detail)
    if found in supported:
        return Finding("ok", what, "", detail)
    remedy = (
        f"The course was tested with Python {supported}: choose a kernel or an environment with one of these."
    )
    return Finding("problem", "Python is not a version that the course supports.", remedy, detail)


def _requirements() -> list[Requirement]:
    """Read from the metadata of wslab what a learner needs, without what only the tests need."""
    from packaging.requirements import Requirement

    try:
        texts = metadata.requires("wslab") or []
    except metadata.PackageNotFoundError:
        return []
    needed = map(Requirement, texts)
    return [each for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]


def _packages() -> Finding:
    requirements = _requirements()
    faults = [fault for fault in map(_fault, requirements) if fault]
    if faults or not requirements:
        remedy = f"{'; '.join(faults)}. {INSTALL}" if faults else INSTALL
        return Finding("problem", "Not every package of the course is here.", remedy)
    detail = ", ".join(f"{each.name} {metadata.version(each.name)}" for each in requirements)
    return Finding("ok", "Every package of the course is here, as new as it was tested with.", "", detail)


def _fault(requirement: Requirement) -> str:
    """Return what is wrong with a package that the course needs; nothing when it is fine."""
    name = requirement.name
    try:
        version = metadata.version(name)
        if name != "jupyterlab":  # it runs in another process: here it is enough that it is installed
            importlib.import_module(name.replace("-", "_"))
    except metadata.PackageNotFoundError:
        return f"{name} is missing"
    except Exception as error:  # a package that is broken can raise anything
        return f"{name} cannot be imported ({type(error).__name__}: {error})"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{name} is {version}, and {requirement.specifier} is needed"


def _extension() -> Finding:
    try:
        importlib.import_module("websockets.speedups")
    except ImportError:
        remedy = "Comparisons of speed with it mean little here; all else is the same."
        return Finding("note", "websockets runs without its C extension.", remedy)
    return Finding("ok", "websockets has its C extension, so comparisons of speed are fair.")


def _loopback() -> Finding:
    remedy = "Allow connections to 127.0.0.1 in the firewall or the sandbox that this kernel runs in."
    try:
        _round_trip(socket.AF_INET, "127.0.0.1")
    except OSError as error:
        return Finding("problem", "TCP on 127.0.0.1 does not work.", remedy, repr(error))
    try:
        _round_trip(socket.AF_INET6, "::1")
        ipv6 = "IPv6 loopback works too; no lesson needs it"
    except OSError:
        ipv6 = "no IPv6 loopback; no lesson needs it"
    return Finding("ok", "TCP on 127.0.0.1 works, on a port that the system chooses.", "", ipv6)


def _round_trip(family: socket.AddressFamily, host: str) -> None:
    """Send a byte there and back.

    Raises:
        OSError: it did not arrive.
    """
    with socket.create_server((host, 0), family=family) as listener:
        listener.settimeout(1)
        with socket.create_connection(listener.getsockname()[:2], timeout=1) as client:
            server, _ = listener.accept()
            with server:
                server.settimeout(1)
                client.sendall(b"?")
                server.sendall(server.recv(1))
                if client.recv(1) != b"?":
                    raise OSError("the byte that was sent did not come back")


def _proxy() -> Finding:
    proxies = {name: value for name, value in urllib.request.getproxies().items() if name != "no"}
    used = [name for name in ("ws", "socks", "https", "http", "all") if name in proxies]
    if used and not urllib.request.proxy_bypass("127.0.0.1:80"):
        remedy = "Add 127.0.0.1 to the exceptions: NO_PROXY=127.0.0.1,localhost before Jupyter is started."
        what = "A proxy is set, and connections to 127.0.0.1 would go through it."
        return Finding("problem", what, remedy, f"set for {', '.join(used)}")
    detail = "a proxy is set, with an exception" if used else ""
    return Finding("ok", "No proxy is in front of 127.0.0.1.", "", detail)


def _event_loop() -> Finding:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        remedy = "Open the lessons in JupyterLab, or anything else with an IPython kernel."
        return Finding("note", "No event loop is running: this is not a cell of a notebook.", remedy)
    return Finding("ok", "An event loop is running, so cells can await.", "", type(loop).__name__)


def _figures() -> Finding:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(1, 1))
        FigureCanvasAgg(figure)
        figure.add_subplot().plot([0, 1])
        figure.savefig(io.BytesIO(), format="png")
    except Exception as error:
        return Finding("problem", "matplotlib draws no figure.", INSTALL, f"{type(error).__name__}: {error}")
    return Finding("ok", "matplotlib draws figures.")


def _folder() -> Finding:
    folder = Path.cwd()
    try:
        with tempfile.TemporaryFile(dir=folder):
            return Finding("ok", "This folder can be written to, so lessons can be saved.", "", str(folder))
    except OSError as error:
        what = "This folder cannot be written to, so lessons cannot be saved."
        remedy = "Lessons run here too; to keep what you write, copy the course to a folder of your own."
        return Finding("note", what, remedy, repr(error))


def _tunnel() -> Finding:
    from jupyter_core.paths import jupyter_config_path

    from wslab.lab.browser.passage import PREFIX_VARIABLE

    folders = (Path(folder, "jupyter_server_config.d") for folder in jupyter_config_path())
    files = (file for folder in folders for file in folder.glob("*.json"))
    if file := next(filter(_enables_tunnel, files), None):
        what = "Jupyter has the tunnel that brings a browser to a lesson."
        running = "switched on" if PREFIX_VARIABLE in os.environ else "not seen"
        return Finding("ok", what, "", f"{running} in this Jupyter, {file}")
    remedy = f"Pages of a lesson may not open in the notebook. {INSTALL}"
    return Finding("problem", "The tunnel for the browser is not switched on.", remedy)


def _enables_tunnel(file: Path) -> bool:
    try:
        extensions = json.loads(file.read_text(encoding="utf-8"))["ServerApp"]["jpserver_extensions"]
        return extensions.get("wslab.lab.browser.tunnel") is True
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # another extension's file, or one that Jupyter cannot read either


CHECKS: tuple[Callable[[], Finding], ...] = (
    _python,
    _packages,
    _extension,
    _event_loop,
    _loopback,
    _proxy,
    _figures,
    _folder,
    _tunnel,
)
"""What is checked, in the order in which a newcomer would mend it."""
