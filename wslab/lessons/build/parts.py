"""The parts of the server in lesson 12: yours where they are right, the course's until then."""

from __future__ import annotations

from typing import Any

from wslab.lessons import check

__all__ = ["PARTS", "use"]

PARTS: dict[str, str] = {}  # whose each part is, in the order in which the server took them


def use(exercise: str, mine: Any, ours: Any) -> Any:
    """Return the learner's function if it is right, else the course's; print whose each part is.

    Args:
        exercise: its name.
        mine: the learner's answer, which may be a stub.
        ours: the function of the course.
    """
    verdict = check(exercise, mine, record=False)
    PARTS[ours.__name__] = "yours" if verdict else "the course's"
    for part, whose in PARTS.items():
        print(f"{part:14} {whose}")
    return mine if verdict else ours
