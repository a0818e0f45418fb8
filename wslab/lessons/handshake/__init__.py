"""Lesson 02: requests and keys, whole and broken."""
