"""Lesson 12: how far a server conforms, and what it costs beside others."""

from wslab.lessons.build.conformance import conformance
from wslab.lessons.build.peers import side_by_side

__all__ = ["conformance", "side_by_side"]
