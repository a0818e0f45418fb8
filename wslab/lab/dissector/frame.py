"""Frames to fields (RFC 6455 §5): every bit named, and every rule that a frame breaks, with its section.

`FrameWalk` reads one frame after the other and remembers what the next one depends on: whether a fragmented
message is open (§5.4), what a compressed one refers back to (RFC 7692 §7.2.2), how its text goes on (§8.1),
whether a Close was sent (§5.5.1). Unlike `wslab.decoder`, which must refuse, it goes on after an error,
because the bytes still have a meaning: a length that is not minimal or a masked frame of a server is
described and read on.

A frame whose bytes are not all here is described as far as it goes; the part of a field that has arrived is
marked as incomplete. Nothing of the announced size is allocated.
"""

from __future__ import annotations

import codecs
from copy import copy, deepcopy

from wslab.close import CloseCode, ProtocolError, is_valid_close_code
from wslab.deflate import Inflater
from wslab.frames import Frame, Opcode
from wslab.lab.dissector.dissection import Dissection
from wslab.lab.dissector.draft import Draft
from wslab.lab.views.words import count, hexed, quoted
from wslab.masking import apply_mask

__all__ = ["FrameWalk", "frame_size"]

_PAYLOAD_SECTION = {
    Opcode.CONTINUATION: "§5.4",
    Opcode.CLOSE: "§5.5.1",
    Opcode.PING: "§5.5.2",
    Opcode.PONG: "§5.5.3",
}
_DATA = (Opcode.TEXT, Opcode.BINARY)
_KNOWN = frozenset(Opcode)
_MOST = 2**20  # bytes of a compressed message that are inflated


class FrameWalk:
    """The frames that one side sends, dissected one after the other.

    Args:
        sender: "client" or "server" to check the direction of masking (§5.1), None to leave it unchecked.
        deflate: whether permessage-deflate is in use, so that RSV1 means "compressed" (RFC 7692 §6).

    >>> FrameWalk(None, deflate=False).take(bytes.fromhex("8900"), 0).meaning
    'asks for a Pong'
    """

    def __init__(self, sender: str | None, *, deflate: bool) -> None:
        self._sender = sender
        self._deflate = deflate
        self._message: Opcode | None = None  # TEXT or BINARY while a fragmented message is open
        self._compressed = False
        # The largest window, and a memory, understand every sender; None once they cannot follow any more.
        self._inflater = Inflater(15, True) if deflate else None
        self._left = _MOST  # bytes that may still come out of the message
        self._closed = False
        self._utf8 = codecs.getincrementaldecoder("utf-8")()

    def take(self, stream: bytes, start: int) -> Dissection:
        """Dissect the frame that starts at an offset of the stream, where at least one byte must be."""
        draft = Draft(stream, start)
        fin, opcode = self._first_byte(draft)
        missing, note = _missing_bytes(stream, start)
        masked, length = _add_length(draft, control=opcode >= 8, sender=self._sender)
        key = _add_key(draft) if masked else None
        readable = draft.rest(length) if key or not masked else b""
        payload = apply_mask(readable, key) if key else readable
        if opcode is Opcode.CLOSE and not missing:
            meaning = _add_close(draft, payload)
        else:
            meaning = self._payload(draft, fin, opcode, payload, note)
        name = opcode.name if isinstance(opcode, Opcode) else f"opcode {opcode:X}"
        frame = None
        if not missing:
            self._remember(fin, opcode)
            frame = _frame(stream[start], opcode, payload)
        return draft.finish("frame", name, meaning, complete=not missing, frame=frame)

    def copy(self) -> FrameWalk:
        """Return a walk that is where this one is: what it reads does not move this one."""
        other = copy(self)
        other._utf8, other._inflater = copy(self._utf8), deepcopy(self._inflater)
        return other

    # -- the first byte (§5.2) -----------------------------------------------------------------------------

    def _first_byte(self, draft: Draft) -> tuple[bool, int]:
        first = draft.rest(1)[0]
        fin, number = bool(first & 0b1000_0000), first & 0b0000_1111
        opcode = Opcode(number) if number in _KNOWN else number
        error = "a control frame must not be fragmented (§5.5)" if opcode >= 8 and not fin else None
        draft.add("FIN", 1, str(int(fin)), self._fin_meaning(opcode, fin), "§5.2", error)
        self._add_rsv1(draft, opcode, bool(first & 0b0100_0000))
        _add_reserved(draft, "RSV2", bool(first & 0b0010_0000))
        _add_reserved(draft, "RSV3", bool(first & 0b0001_0000))
        known = isinstance(opcode, Opcode)
        error = self._order_error(opcode) if known else f"opcode {number:X} is reserved (§5.2)"
        meaning = opcode.name if isinstance(opcode, Opcode) else "reserved"
        draft.add("opcode", 4, f"{number:X}", meaning, "§5.2", error)
        return fin, opcode

    def _fin_meaning(self, opcode: int, fin: bool) -> str:
        if not fin:
            return "more fragments follow"
        if opcode >= 8:
            return "a control frame is always whole"
        return "the last fragment of the message" if opcode == Opcode.CONTINUATION else "the whole message"

    def _add_rsv1(self, draft: Draft, opcode: int, is_set: bool) -> None:
        if not self._deflate:
            _add_reserved(draft, "RSV1", is_set)
            return
        error = None
        if opcode in _DATA:
            self._compressed = is_set
            meaning = "the message is compressed" if is_set else "the message is not compressed"
        else:
            meaning = "belongs to the first frame of a message"
            error = "RSV1 is set on a frame that starts no data message (RFC 7692 §6.1)" if is_set else None
        draft.add("RSV1", 1, str(int(is_set)), meaning, "RFC 7692 §6", error)

    def _order_error(self, opcode: int) -> str | None:
        """Return what is wrong with a frame of this opcode at this point of the stream (§5.4, §5.5.1)."""
        if self._closed:
            return "no frame may follow a Close (§5.5.1)"
        if opcode == Opcode.CONTINUATION and self._message is None:
            return "there is no message to continue (§5.4)"
        if opcode in _DATA and self._message is not None:
            return f"the {self._message.name} message before is not finished (§5.4)"
        return None

    def _remember(self, fin: bool, opcode: int) -> None:
        if opcode == Opcode.CLOSE:
            self._closed = True
        elif opcode in _DATA:
            self._message = None if fin else Opcode(opcode)
        elif opcode == Opcode.CONTINUATION and fin:
            self._message = None

    # -- the payload (§5.5, §5.6) ---------------------------------------------------------------------------

    def _payload(self, draft: Draft, fin: bool, opcode: int, payload: bytes, note: str) -> str:
        """Add the payload data and return what the frame says; the note says what is missing."""
        message = self._message if opcode == Opcode.CONTINUATION else opcode
        error = None
        size = count(len(payload))
        if message in _DATA and self._compressed:
            shown, size, error = self._inflate(opcode, message, payload, fin and not note, whole=not note)
        elif message == Opcode.TEXT:
            shown = quoted(payload)
            error = self._utf8_error(opcode, payload, last=fin and not note)
        elif opcode in (Opcode.PING, Opcode.PONG) and payload.isascii():
            shown = quoted(payload)
        else:
            shown = hexed(payload) or "no bytes"
        if payload:
            meaning = size + (", shown unmasked" if draft.fields[-1].name == "masking-key" else "")
            meaning += f"; {note}" if note else ""
            section = _PAYLOAD_SECTION.get(Opcode(opcode), "§5.6") if opcode in _KNOWN else "§5.2"
            draft.add("payload data", 8 * len(payload), shown, meaning, section, error)
        elif error:
            draft.errors.append(error)
        said = [_says(fin, opcode, shown, payload)] if payload or not note else []
        return "; ".join([*said, note] if note else said)

    def _inflate(
        self, opcode: int, message: int | None, payload: bytes, last: bool, *, whole: bool
    ) -> tuple[str, str, str | None]:
        """Return what a frame of a compressed message says, its sizes, and what is wrong with it."""
        packed, size = f"compressed {hexed(payload)}", count(len(payload))
        if not whole or self._inflater is None:
            return packed, size, None
        self._left = _MOST if opcode in _DATA else self._left
        try:
            data = self._inflater.inflate(payload, last, self._left)
        except ProtocolError as error:
            self._inflater = None
            return packed, size, f"the {error} (RFC 7692 §7.2.2)"
        self._left -= len(data)
        if self._left < 0:
            self._inflater = None
            return packed, f"{size}, inflated to over {count(_MOST)}", None
        text = message == Opcode.TEXT
        wrong = self._utf8_error(opcode, data, last=last) if text else None
        shown = quoted(data) if text else hexed(data) or "no bytes"
        return f"{shown}, compressed", f"{size}, inflated to {len(data)}", wrong

    def _utf8_error(self, opcode: int, payload: bytes, *, last: bool) -> str | None:
        if opcode == Opcode.TEXT:
            self._utf8.reset()
        try:
            self._utf8.decode(payload, last)
        except UnicodeDecodeError as error:
            self._utf8.reset()
            return f"the text is not UTF-8: {error.reason} (§8.1)"
        return None


def _add_reserved(draft: Draft, name: str, is_set: bool) -> None:
    error = f"{name} is set, but no extension gives it a meaning (§5.2)" if is_set else None
    draft.add(name, 1, str(int(is_set)), "reserved for extensions", "§5.2", error)


def _says(fin: bool, opcode: int, shown: str, payload: bytes) -> str:
    if opcode == Opcode.PING:
        return f"asks for a Pong with {shown}" if payload else "asks for a Pong"
    if opcode == Opcode.PONG:
        return f"sign of life with {shown}" if payload else "sign of life"
    if opcode == Opcode.CONTINUATION:
        return f"last fragment {shown}" if fin else f"fragment {shown}"
    return f"first fragment {shown}" if opcode in _DATA and not fin else shown


def _frame(first: int, opcode: int, payload: bytes) -> Frame | None:
    if not isinstance(opcode, Opcode):
        return None
    fin, rsv1, rsv2, rsv3 = (bool(first & bit) for bit in (0x80, 0x40, 0x20, 0x10))
    return Frame(opcode, payload, fin=fin, rsv1=rsv1, rsv2=rsv2, rsv3=rsv3)


# -- lengths, key and Close: what needs no memory of other frames -------------------------------------------


def frame_size(stream: bytes | bytearray, start: int) -> tuple[int, bool]:
    """Return how many bytes the frame at an offset has at least, and whether its header says how many.

    >>> frame_size(bytes.fromhex("8105 4865"), 0), frame_size(bytes.fromhex("817e"), 0)
    ((7, True), (4, False))
    """
    have = len(stream) - start
    if have < 2:
        return 2, False
    masked, length = bool(stream[start + 1] & 0b1000_0000), stream[start + 1] & 0b0111_1111
    extended = {126: 2, 127: 8}.get(length, 0)
    header = 2 + extended + (4 if masked else 0)
    if have < 2 + extended:
        return header, False
    if extended:
        length = int.from_bytes(stream[start + 2 : start + 2 + extended], "big")
    return header + length, True


def _missing_bytes(stream: bytes | bytearray, start: int) -> tuple[int, str]:
    """Return how many bytes the frame at an offset still needs, as far as its header says, and say so.

    >>> _missing_bytes(bytes.fromhex("8105 4865"), 0)
    (3, 'incomplete: 3 more bytes needed')
    >>> _missing_bytes(bytes.fromhex("817e"), 0)
    (2, 'incomplete: at least 2 more bytes needed')
    >>> _missing_bytes(bytes.fromhex("8900"), 0)
    (0, '')
    """
    needed, known = frame_size(stream, start)
    missing = max(0, needed - (len(stream) - start))
    at_least = "" if known else "at least "
    return missing, f"incomplete: {at_least}{count(missing, 'more byte')} needed" if missing else ""


def _add_length(draft: Draft, *, control: bool, sender: str | None) -> tuple[bool, int]:
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
    if sender == "client":
        return None if masked else "a client must mask its frames (§5.1)"
    return "a server must not mask its frames (§5.1)" if sender == "server" and masked else None


def _add_extended(draft: Draft, size: int) -> int:
    data = draft.rest(size)
    if draft.missing(size):
        if data:
            draft.add("extended payload length", 8 * len(data), data.hex(" "), "incomplete", "§5.2")
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


def _add_key(draft: Draft) -> bytes | None:
    """Add the masking-key (§5.3); return it, or None while bytes of it are missing."""
    data = draft.rest(4)
    if draft.missing(4):
        if data:
            draft.add("masking-key", 8 * len(data), data.hex(" "), "incomplete", "§5.3")
        return None
    draft.add("masking-key", 32, data.hex(" "), "byte i of the payload XOR byte i mod 4 of the key", "§5.3")
    return data


def _add_close(draft: Draft, payload: bytes) -> str:
    """Add close code and reason of a whole, unmasked payload; return what the Close says (§5.5.1, §7.4)."""
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
