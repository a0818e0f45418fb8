"""What crosses the wire: the tap, what it records, and the views of it."""
