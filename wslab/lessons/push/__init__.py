"""Lesson 06: drift, leftovers, and a slow reader."""
