"""Lesson 07: a room, its bots, and what a slow member costs."""
