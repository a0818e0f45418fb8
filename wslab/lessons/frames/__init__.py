"""Lesson 03: an attack on a naive proxy, and frames to explore."""
