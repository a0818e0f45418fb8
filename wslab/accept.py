"""The key of an opening handshake and the accept key that answers it (RFC 6455 §1.3, §4.1, §4.2.2).

This module knows how a client makes a Sec-WebSocket-Key and how a server answers it. Which headers they are
in, and which end must check which, is left to ``handshake``.
"""

from __future__ import annotations

import binascii
import os

__all__ = ["GUID", "accept_digest", "accept_key", "generate_key", "is_valid_key"]

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # the same in every handshake (§1.3)


def generate_key(random: bytes | None = None) -> str:
    """Make a Sec-WebSocket-Key: 16 random bytes in base64 (§4.1).

    Args:
        random: the 16 bytes; by default, drawn from the operating system.

    Raises:
        ValueError: ``random`` is not 16 bytes.

    >>> generate_key(b"the sample nonce")
    'dGhlIHNhbXBsZSBub25jZQ=='
    """
    random = os.urandom(16) if random is None else random
    if len(random) != 16:
        raise ValueError(f"a key is made of 16 bytes, these are {len(random)}")
    return binascii.b2a_base64(random, newline=False).decode()


def is_valid_key(key: str) -> bool:
    """Return whether a Sec-WebSocket-Key decodes to 16 bytes (§4.2.1, point 5).

    >>> is_valid_key("dGhlIHNhbXBsZSBub25jZQ=="), is_valid_key("too short")
    (True, False)
    """
    try:
        return len(binascii.a2b_base64(key, strict_mode=True)) == 16
    except ValueError:
        return False


def accept_digest(key: str) -> bytes:
    """Return the 20 bytes of SHA-1 over the key's characters and the GUID (§4.2.2, point 5.4).

    >>> accept_digest("dGhlIHNhbXBsZSBub25jZQ==").hex()
    'b37a4f2cc0624f1690f64606cf385945b2bec4ea'
    """
    import hashlib  # takes longer to load than the rest of this module, and is needed only here

    return hashlib.sha1((key + GUID).encode("latin-1"), usedforsecurity=False).digest()


def accept_key(key: str) -> str:
    """Compute the Sec-WebSocket-Accept that answers a Sec-WebSocket-Key (§4.2.2).

    Args:
        key: the value of the header, without space around it. Its characters count: it is not decoded.

    >>> accept_key("dGhlIHNhbXBsZSBub25jZQ==")
    's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    """
    return binascii.b2a_base64(accept_digest(key), newline=False).decode()
