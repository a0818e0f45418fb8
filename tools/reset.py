"""Bring a lesson back as it was, and keep the learner's own beside it: `make reset LESSON=05`.

The lesson comes from the last commit of the course's repository. What the learner has written stays in
`05-echo.mine.ipynb`, which git ignores; a later one is numbered. `LESSON=all` does so with every lesson that
was changed, after which `git pull` finds nothing in its way.
"""

import subprocess
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from tools.course import ROOT, Lesson, lessons

__all__ = ["main", "reset"]


def stored(path: Path) -> bytes:
    """Return a lesson as the last commit has it.

    Raises:
        SystemExit: there is no repository, or the lesson is not in it.
    """
    name = path.relative_to(ROOT).as_posix()
    try:
        answer = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=ROOT, capture_output=True, check=False)
    except FileNotFoundError:
        raise SystemExit("git is not installed: take the lesson from a fresh copy of the course.") from None
    if answer.returncode:
        raise SystemExit(f"{name} is not in a git repository: take it from a fresh copy of the course.")
    return answer.stdout


def free(path: Path) -> Path:
    """Return the name under which the learner's lesson is kept: one that no file has."""
    names = (f"{path.stem}.mine{number if number > 1 else ''}.ipynb" for number in count(1))
    return next(each for each in map(path.with_name, names) if not each.exists())


def reset(lesson: Lesson) -> str:
    """Bring one lesson back; return a sentence on what was done."""
    before, now = stored(lesson.path), lesson.path.read_bytes()
    if before.replace(b"\r\n", b"\n") == now.replace(b"\r\n", b"\n"):
        return f"{lesson.path.name} is as it was: nothing to do."
    mine = free(lesson.path)
    mine.write_bytes(now)
    lesson.path.write_bytes(before)
    return f"{lesson.path.name} is as it was. Yours is kept in {mine.name}."


def main(names: Sequence[str]) -> int:
    """Reset the lesson whose number is given, or `all`; return 1 if there is no such lesson."""
    wanted = names[0] if names else ""
    number = f"{wanted.partition('-')[0]:0>2}" if wanted else ""
    found = [lesson for lesson in lessons() if wanted == "all" or lesson.number == number]
    if not found:
        numbers = ", ".join(lesson.number for lesson in lessons())
        print(f"Which lesson? make reset LESSON=05, for example, or LESSON=all. There are {numbers}.")
        return 1
    done = [reset(lesson) for lesson in found]
    print(*done, sep="\n")
    if any("Yours" in sentence for sentence in done):
        print("Close a lesson that is open in JupyterLab, and open it again.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
