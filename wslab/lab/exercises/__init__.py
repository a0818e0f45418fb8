"""Exercises that answer back: ``check("accept-key", my_accept_key)``, ``hint("accept-key")``, ``progress()``.

``engine`` runs a check, ``exercise`` says how a question is written down, ``lessonNN`` holds the questions of
a lesson, ``trial`` bounds what the learner's code may do, ``answer`` watches it, ``data`` finds the first
byte that differs, ``verdict`` is what the learner reads. Nothing waits for more bytes: an answer is judged
whole.
"""

from wslab.lab.exercises.engine import check, exercises, hint, progress

__all__ = ["check", "exercises", "hint", "progress"]
