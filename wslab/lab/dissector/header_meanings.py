"""What the header fields of a handshake mean, and what is wrong with their values (RFC 6455 §4, §11.3).

One function answers for one field; it knows the fields of the opening handshake, and those of HTTP that say
where a body ends (RFC 9112 §6). All others are "other HTTP field". It does not judge whether a handshake as
a whole is right: that is `wslab.handshake`. It takes whole values, so it never waits for bytes.
"""

from __future__ import annotations

import base64
import binascii

from wslab.handshake import VERSION, is_valid_key

__all__ = ["meaning_of"]

_BOTH = {
    "host": ("host and port that the client means", "RFC 9110 §7.2"),
    "origin": ("the origin of the page that asks", "§10.2"),
    "content-length": ("bytes in the body", "RFC 9112 §6.2"),
    "transfer-encoding": ("how the body is framed", "RFC 9112 §6.1"),
    "content-type": ("what the body is", "RFC 9110 §8.3"),
}
_REQUEST = {
    "upgrade": ("asks to change the protocol", "§4.1"),
    "sec-websocket-key": ("16 random bytes in base64", "§4.1"),
    "sec-websocket-version": ("version of the protocol", "§4.1"),
    "sec-websocket-protocol": ("subprotocols offered, the preferred first", "§4.1"),
    "sec-websocket-extensions": ("extensions offered", "§9.1"),
}
_RESPONSE = {
    "upgrade": ("the protocol from here on", "§4.2.2"),
    "sec-websocket-accept": ("SHA-1 of key and GUID, in base64", "§4.2.2"),
    "sec-websocket-version": ("versions that the server speaks", "§4.4"),
    "sec-websocket-protocol": ("the subprotocol chosen", "§4.2.2"),
    "sec-websocket-extensions": ("extensions in use", "§9.1"),
}


def meaning_of(name: str, value: str, *, request: bool) -> tuple[str, str, str | None]:
    """Return the meaning of a header field, its section, and what is wrong with its value, or None.

    Args:
        name: the name as it was sent; compared without case.
        value: the value without the space around it.
        request: whether it stands in a request or in a response.

    >>> meaning_of("Upgrade", "websocket", request=True)
    ('asks to change the protocol', '§4.1', None)
    >>> meaning_of("sec-websocket-key", "abc", request=True)[2]
    'Sec-WebSocket-Key is not 16 bytes in base64 (§4.1)'
    """
    lowered = name.lower()
    if lowered == "connection":
        return _connection(value), "RFC 9110 §7.6.1", None
    table = {**_BOTH, **(_REQUEST if request else _RESPONSE)}
    meaning, section = table.get(lowered, ("other HTTP field", "RFC 9110 §5"))
    return meaning, section, _error(lowered, value, request)


def _connection(value: str) -> str:
    options = {option.strip().lower() for option in value.split(",")}
    if "upgrade" in options:
        return "Upgrade concerns this connection"
    if "close" in options:
        return "the connection ends after this answer"
    return "the connection is used again" if "keep-alive" in options else "options of this connection"


def _error(lowered: str, value: str, request: bool) -> str | None:
    if request and lowered == "sec-websocket-key" and not is_valid_key(value):
        return "Sec-WebSocket-Key is not 16 bytes in base64 (§4.1)"
    if request and lowered == "sec-websocket-version" and value != VERSION:
        return f"Sec-WebSocket-Version is not {VERSION} (§4.1)"
    if not request and lowered == "sec-websocket-accept" and not _is_digest(value):
        return "Sec-WebSocket-Accept is not 20 bytes in base64 (§4.2.2)"
    return None


def _is_digest(value: str) -> bool:
    try:
        return len(base64.b64decode(value.encode("latin-1"), validate=True)) == 20
    except (binascii.Error, UnicodeEncodeError):
        return False
