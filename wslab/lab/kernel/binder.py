"""Where a copy of the course is published: its repository, and the link that opens it on Binder.

Both are computed from the remote that git knows as ``origin``, so no address is kept in the course. A copy
without a public remote has neither.
"""

import re
import subprocess
from pathlib import Path

__all__ = ["binder", "repository"]

_ROOT = Path(__file__).resolve().parents[3]
_FIRST = "notebooks/00-start-here.ipynb"
_GITHUB = re.compile(r"(?:https://|ssh://|git@)(?:[^/@]+@)?github\.com[:/]+([\w.-]+)/([\w.-]+?)(?:\.git)?/?")


def repository(folder: Path = _ROOT) -> str:
    """Return the address of the course in a folder on GitHub; nothing if this copy has none."""
    if not (folder / _FIRST).exists():  # the package alone: the remote would be someone else's
        return ""
    command = ["git", "config", "--get", "remote.origin.url"]
    try:
        answer = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # no git here
    found = _GITHUB.fullmatch(answer.stdout.decode(errors="replace").strip())
    return f"https://github.com/{found[1]}/{found[2]}" if found else ""


def binder(repository: str) -> str:
    """Return the link that opens the course on Binder, given the address of its repository on GitHub.

    >>> binder("https://github.com/OWNER/NAME")
    'https://mybinder.org/v2/gh/OWNER/NAME/HEAD?urlpath=lab/tree/notebooks/00-start-here.ipynb'
    """
    return f"{repository.replace('https://github.com', 'https://mybinder.org/v2/gh')}/HEAD?urlpath=lab/tree/{_FIRST}"
