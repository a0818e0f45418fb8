"""The fields of one frame that need no memory of other frames (RFC 6455 §5.1 to §5.3, §5.5.1).

These functions read the lengths, the masking-key and the payload of a Close from a `Draft` and add the
fields with their values, their meaning and what is wrong with them. They refuse nothing: a length that is
not minimal or a masked frame of a server is described and read on. What depends on earlier frames
(fragments, compression, UTF-8 of a message) is left to `dissect_frames`.

When bytes are missing, the part of a field that has arrived is added and marked as incomplete.
"""

from __future__ import annotations

from wslab.close import CloseCode, is_valid_close_code
from wslab.lab.dissector.dissection import Draft, count, quoted

__all__ = ["add_close", "add_key", "add_length", "missing_bytes"]

_PARTIAL = "incomplete"


def missing_bytes(stream: bytes, start: int) -> tuple[int, str]:
    """Say how many bytes the frame at an offset still needs, as far as its header tells.

    >>> missing_bytes(bytes.fromhex("8105 4865"), 0)
    (3, 'incomplete: 3 more bytes needed')
    >>> missing_bytes(bytes.fromhex("817e"), 0)
    (2, 'incomplete: at least 2 more bytes needed')
    >>> missing_bytes(bytes.fromhex("8900"), 0)
    (0, '')
    """
    have = len(stream) - start
    known, needed = False, 2
    if have >= 2:
        masked, length = bool(stream[start + 1] & 0b1000_0000), stream[start + 1] & 0b0111_1111
        size = {126: 2, 127: 8}.get(length, 0)
        needed += size + (4 if masked else 0)
        known = have >= 2 + size
        if known:
            needed += int.from_bytes(stream[start + 2 : start + 2 + size], "big") if size else length
    missing = max(0, needed - have)
    at_least = "" if known else "at least "
    return missing, f"incomplete: {at_least}{count(missing, 'more byte')} needed" if missing else ""


def add_length(draft: Draft, *, control: bool, sender: str | None) -> tuple[bool, int]:
    """Add MASK, payload length and its extension (§5.1, §5.2); return whether masked, and the length.

    The length is 0 while the bytes that hold it are missing.
    """
    if draft.missing(1):
        return False, 0
    second = draft.rest(1)[0]
    masked, length = bool(second & 0b1000_0000), second & 0b0111_1111
    meaning = "a masking-key follows" if masked else "not masked"
    draft.add("MASK", 1, str(int(masked)), meaning, "§5.1", _direction_error(masked, sender))
    error = "a control frame has at most 125 bytes of payload (§5.5)" if control and length > 125 else None
    size = {126: 2, 127: 8}.get(length, 0)
    meaning = f"the next {size} bytes hold the length" if size else f"{count(length)} of payload data"
    draft.add("payload length", 7, str(length), meaning, "§5.2", error)
    return masked, _add_extended(draft, size) if size else length


def _direction_error(masked: bool, sender: str | None) -> str | None:
    if sender == "client" and not masked:
        return "a client must mask its frames (§5.1)"
    if sender == "server" and masked:
        return "a server must not mask its frames (§5.1)"
    return None


def _add_extended(draft: Draft, size: int) -> int:
    data = draft.rest(size)
    if draft.missing(size):
        if data:
            draft.add("extended payload length", 8 * len(data), data.hex(" "), _PARTIAL, "§5.2")
        return 0
    length = int.from_bytes(data, "big")
    error = None
    if length >= 2**63:
        error = "the top bit of the 64-bit payload length is set (§5.2)"
    elif length <= (125 if size == 2 else 0xFFFF):
        error = f"payload length {length} is not encoded in the fewest bytes (§5.2)"
    meaning = f"{count(length)} of payload data"
    draft.add("extended payload length", 8 * size, str(length), meaning, "§5.2", error)
    return length


def add_key(draft: Draft) -> bytes | None:
    """Add the masking-key (§5.3); return it, or None while bytes of it are missing."""
    data = draft.rest(4)
    if draft.missing(4):
        if data:
            draft.add("masking-key", 8 * len(data), data.hex(" "), _PARTIAL, "§5.3")
        return None
    draft.add("masking-key", 32, data.hex(" "), "byte i of the payload XOR byte i mod 4 of the key", "§5.3")
    return data


def add_close(draft: Draft, payload: bytes) -> str:
    """Add close code and close reason of a whole payload; return what the Close says (§5.5.1, §7.4).

    Args:
        draft: the frame, read up to its payload.
        payload: the payload data, unmasked.
    """
    if not payload:
        return "close without a code"
    if len(payload) == 1:
        half = "a close payload of 1 byte holds no close code (§5.5.1)"
        draft.add("close code", 8, payload.hex(), "half a close code", "§5.5.1", half)
        return "close with half a code"
    code = int.from_bytes(payload[:2], "big")
    error = None if is_valid_close_code(code) else f"close code {code} must not be sent (§7.4)"
    draft.add("close code", 16, str(code), _code_meaning(code), "§7.4", error)
    if len(payload) == 2:
        return f"close {code}"
    try:
        error = None
        payload[2:].decode()
    except UnicodeDecodeError as fault:
        error = f"the close reason is not UTF-8: {fault.reason} (§5.5.1)"
    reason = quoted(payload[2:])
    draft.add("close reason", 8 * len(payload) - 16, reason, count(len(payload) - 2), "§7.1.6", error)
    return f"close {code} {reason}"


def _code_meaning(code: int) -> str:
    if code in set(CloseCode):
        return CloseCode(code).name
    if 3000 <= code <= 4999:
        return "registered for libraries" if code < 4000 else "for private use"
    return "reserved or undefined"
