"""The old name of a part of ``peers``, for lessons that are not ported yet."""

from wslab.lab.exercises.peers import PATIENCE, end, freeze_after, through_tap

__all__ = ["PATIENCE", "end", "freeze_after", "through_tap"]
