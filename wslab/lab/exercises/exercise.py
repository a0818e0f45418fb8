"""The old kind of exercise, for lessons that are not ported yet."""

from wslab.lab.exercises.old.exercise import Case, Exercise, Fault, Mistake, compare, equals, returns, same

__all__ = ["Case", "Exercise", "Fault", "Mistake", "compare", "equals", "returns", "same"]
