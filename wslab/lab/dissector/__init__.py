"""Bytes to fields: bits, bytes, value, meaning, section."""
