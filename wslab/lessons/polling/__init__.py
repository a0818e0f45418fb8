"""Lesson 01: four ways to learn of a change, raced."""
