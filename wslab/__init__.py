"""WebSocket from the bytes up: the package that the course builds."""
