"""The old name of a part of ``peers``, for lessons that are not ported yet."""

from wslab.lab.exercises.peers import Address

__all__ = ["Address"]
