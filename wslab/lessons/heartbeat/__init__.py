"""Lesson 04: how long a lost peer goes unnoticed."""
