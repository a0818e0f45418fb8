"""Close codes: why a connection ends, and the payload of a Close (RFC 6455 §5.5.1, §7.1.5, §7.4).

This module knows which close codes exist, which may be sent, and how code and reason are written into the
payload of a Close. The frame around the payload is left to ``frames``, when to close to ``connection``.
:class:`ProtocolError` is here because it is a close code with an explanation: every fault of a peer ends in
a Close.
"""

from __future__ import annotations

import struct
from enum import IntEnum

TYPE_CHECKING = False  # wslab/__init__.py says why it is not imported
if TYPE_CHECKING:
    from wslab.frames import Frame

__all__ = [
    "CloseCode",
    "ProtocolError",
    "decode_close",
    "encode_close",
    "is_valid_close_code",
]

MAX_REASON = 123  # bytes: a control frame's 125 less the 2 of the close code (§5.5)


class CloseCode(IntEnum):
    """The reasons why a connection ends (§7.4.1, and the IANA registry of §11.7 for 1012 to 1014).

    1005, 1006 and 1015 are never sent: an endpoint reports them to its own application.

    >>> CloseCode(1000).name
    'NORMAL_CLOSURE'
    """

    NORMAL_CLOSURE = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_STATUS_RCVD = 1005
    ABNORMAL_CLOSURE = 1006
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014
    TLS_HANDSHAKE = 1015


_NEVER_SENT = {CloseCode.NO_STATUS_RCVD, CloseCode.ABNORMAL_CLOSURE, CloseCode.TLS_HANDSHAKE}
_SENDABLE = {int(code) for code in CloseCode} - _NEVER_SENT


class ProtocolError(Exception):
    """A fault of the peer, and the close code to fail the connection with (§7.1.7).

    Args:
        code: the close code to send.
        message: a fragment that says what was wrong and the value that was seen.

    Attributes:
        code: the close code to send.
        frames: frames that were whole before the error, in the same call of :meth:`FrameDecoder.feed`.

    >>> error = ProtocolError(CloseCode.PROTOCOL_ERROR, "opcode 3 is reserved")
    >>> error.code, str(error)
    (<CloseCode.PROTOCOL_ERROR: 1002>, 'opcode 3 is reserved')
    """

    def __init__(self, code: CloseCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.frames: list[Frame] = []


def is_valid_close_code(code: int) -> bool:
    """Return whether a close code may be sent in a Close (§7.4.1, §7.4.2).

    >>> [code for code in (999, 1000, 1004, 1005, 1006, 2999, 3000, 4999) if is_valid_close_code(code)]
    [1000, 3000, 4999]
    """
    return code in _SENDABLE or 3000 <= code <= 4999


def encode_close(code: int | None, reason: str = "") -> bytes:
    """Encode the payload of a Close: nothing, or a close code and a reason (§5.5.1).

    Args:
        code: the close code, or None for a Close without payload.
        reason: at most 123 bytes in UTF-8.

    Raises:
        ValueError: a code that may not be sent; a reason that is too long, comes without a code, or cannot be
            encoded in UTF-8.

    >>> encode_close(1000, "bye").hex(" ")
    '03 e8 62 79 65'
    """
    if code is None:
        if reason:
            raise ValueError("a close reason needs a close code")
        return b""
    if not is_valid_close_code(code):
        raise ValueError(f"close code {int(code)} may not be sent")
    encoded = reason.encode()
    if len(encoded) > MAX_REASON:
        raise ValueError(f"close reason is {len(encoded)} bytes in UTF-8, limit {MAX_REASON}")
    return struct.pack("!H", code) + encoded


def decode_close(payload: bytes) -> tuple[int, str]:
    """Decode the payload of a Close into close code and reason; an empty payload means 1005 (§7.1.5).

    Args:
        payload: 0 to 125 bytes, unmasked.

    Raises:
        ProtocolError: 1002 for a single byte or a code that may not be sent; 1007 for a reason not in UTF-8.

    >>> decode_close(bytes.fromhex("03e8627965"))
    (1000, 'bye')
    >>> decode_close(b"")
    (1005, '')
    """
    if not payload:
        return int(CloseCode.NO_STATUS_RCVD), ""
    if len(payload) == 1:
        raise ProtocolError(CloseCode.PROTOCOL_ERROR, "close payload is 1 byte, a close code takes 2")
    code = int.from_bytes(payload[:2], "big")
    if not is_valid_close_code(code):
        raise ProtocolError(CloseCode.PROTOCOL_ERROR, f"close code {code} may not be sent")
    try:
        return code, payload[2:].decode()
    except UnicodeDecodeError as error:
        raise ProtocolError(CloseCode.INVALID_DATA, f"close reason is not UTF-8: {error.reason}") from None
