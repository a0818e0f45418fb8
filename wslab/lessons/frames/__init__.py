"""Lesson 03: frames to read and to refuse, and an attack that masking prevents."""

from wslab.lessons.frames.exercises import ZOO

__all__ = ["ZOO"]
