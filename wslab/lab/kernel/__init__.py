"""This machine and its kernel: what is missing, and what to do about it."""
