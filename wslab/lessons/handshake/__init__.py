"""Lesson 02: requests and keys, whole and broken."""

from wslab.lessons.handshake.exercises import KEYS, REQUESTS

__all__ = ["KEYS", "REQUESTS"]
