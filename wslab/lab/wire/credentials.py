"""What no view of the wire shows: the credentials in a head of HTTP.

A value is replaced by its length. The bytes in the recording stay as they are, and a capture has them.
"""

from __future__ import annotations

import re

__all__ = ["redact"]

_NAMES = rb"(?:proxy-)?authorization|(?:set-)?cookie2?|x-api-key|x-xsrftoken|x-csrf-?token|wslab-tunnel"
_VALUE = rb"([^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*)"  # and the lines that continue it
_FIELD = re.compile(rb"^([ \t]*(?:" + _NAMES + rb")[ \t]*:[ \t]*)" + _VALUE, re.IGNORECASE | re.MULTILINE)
_QUERY = re.compile(rb"([?&;][\w.-]*token=)[^&;#\s]+", re.IGNORECASE)
_SUBPROTOCOLS = re.compile(rb"^([ \t]*sec-websocket-protocol[ \t]*:)" + _VALUE, re.IGNORECASE | re.MULTILINE)
_BEARER = re.compile(rb"(\s*)(base64url\.(?=bearer\.)|bearer)(.*)", re.IGNORECASE | re.DOTALL)


def redact(data: bytes) -> bytes:
    r"""Replace the credentials in an HTTP head: cookies, keys, tokens in a query or among the subprotocols.

    >>> redact(b"GET /chat?token=abc HTTP/1.1\r\nCookie: a=b\r\n\r\n")
    b'GET /chat?token=(hidden) HTTP/1.1\r\nCookie: (hidden, 3 characters)\r\n\r\n'
    >>> redact(b"GET / HTTP/1.1\r\nSec-WebSocket-Protocol: chat, bearer, abc\r\n\r\n")
    b'GET / HTTP/1.1\r\nSec-WebSocket-Protocol: chat, bearer, (hidden, 3 characters)\r\n\r\n'
    """
    data = _FIELD.sub(lambda field: field[1] + _hidden(field[2]), data)
    followed = False  # by a credential: a bearer in one field may belong to the next one

    def hide(field: re.Match[bytes]) -> bytes:
        nonlocal followed
        names = field[2].split(b",")
        for at, name in enumerate(names):
            if followed:
                names[at] = b" " + _hidden(name) if name.strip() else name
            elif bearer := _BEARER.fullmatch(name):
                followed = bearer[2].lower() == b"bearer"
                rest = bearer[3]
                names[at] = b"".join(bearer.groups()[:2]) + (_hidden(rest) if rest.strip() else rest)
        return field[1] + b",".join(names)

    return _QUERY.sub(rb"\1(hidden)", _SUBPROTOCOLS.sub(hide, data))


def _hidden(value: bytes) -> bytes:
    size = len(value.strip())
    return b"(hidden, %d character%s)" % (size, b"" if size == 1 else b"s")
