"""Lesson 00: the blocking call that is probed."""
