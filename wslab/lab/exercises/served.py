"""The old name of a part of ``peers``, for lessons that are not ported yet."""

from wslab.lab.exercises.peers import PATIENCE, Handler, Served, next_message, served

__all__ = ["PATIENCE", "Handler", "Served", "next_message", "served"]
