"""Lesson 05: echo servers to judge."""
