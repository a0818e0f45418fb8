"""The engine of the lessons that are not ported yet; it goes with the last of them."""
