"""Frames to fields (RFC 6455 §5): every bit named, and every rule that a frame breaks, with its section.

`FrameWalk` reads one frame after the other and remembers what the next one depends on: whether a fragmented
message is open (§5.4), whether it is compressed (RFC 7692 §6), how its text goes on (§8.1), whether a Close
was sent (§5.5.1). Unlike `wslab.decoder`, which must refuse, it goes on after an error, because the
bytes still have a meaning.

A frame whose bytes are not all here is described as far as it goes. Nothing of the announced size is
allocated. The fields that need no memory are read by `frame_fields`, the handshake by `dissect_http`.
"""

from __future__ import annotations

import codecs

from wslab.frames import Frame, Opcode
from wslab.lab.dissector.dissection import Dissection, Draft, count, hexed, quoted
from wslab.lab.dissector.frame_fields import add_close, add_key, add_length, missing_bytes
from wslab.masking import apply_mask

__all__ = ["FrameWalk"]

_PAYLOAD_SECTION = {
    Opcode.CONTINUATION: "§5.4",
    Opcode.CLOSE: "§5.5.1",
    Opcode.PING: "§5.5.2",
    Opcode.PONG: "§5.5.3",
}
_DATA = (Opcode.TEXT, Opcode.BINARY)
_KNOWN = frozenset(Opcode)


class FrameWalk:
    """Dissect the frames that one side sends, one after the other.

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
        self._closed = False
        self._utf8 = codecs.getincrementaldecoder("utf-8")()

    def take(self, stream: bytes, start: int) -> Dissection:
        """Dissect the frame that starts at an offset of the stream.

        Args:
            stream: all bytes of one side.
            start: the offset in bytes; at least one byte must be there.
        """
        draft = Draft(stream, start)
        fin, opcode = self._first_byte(draft)
        missing, note = missing_bytes(stream, start)
        masked, length = add_length(draft, control=opcode >= 8, sender=self._sender)
        key = add_key(draft) if masked else None
        readable = draft.rest(length) if key or not masked else b""
        payload = apply_mask(readable, key) if key else readable
        if opcode is Opcode.CLOSE and not missing:
            meaning = add_close(draft, payload)
        else:
            meaning = self._payload(draft, fin, opcode, payload, note)
        name = opcode.name if isinstance(opcode, Opcode) else f"opcode {opcode:X}"
        frame = None
        if not missing:
            self._remember(fin, opcode)
            frame = _frame(stream[start], opcode, payload)
        return draft.finish("frame", name, meaning, complete=not missing, frame=frame)

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
        """Say what is wrong with a frame of this opcode at this point of the stream (§5.4, §5.5.1)."""
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
        """Add the payload data and return what the frame says; the note tells what is missing."""
        kind = self._message if opcode == Opcode.CONTINUATION else opcode
        error = None
        if kind in _DATA and self._compressed:
            shown = f"compressed {hexed(payload)}"
        elif kind == Opcode.TEXT:
            shown = quoted(payload)
            error = self._utf8_error(opcode, payload, last=fin and not note)
        elif opcode in (Opcode.PING, Opcode.PONG) and payload.isascii():
            shown = quoted(payload)
        else:
            shown = hexed(payload) or "no bytes"
        if payload:
            meaning = count(len(payload)) + (
                ", shown unmasked" if draft.fields[-1].name == "masking-key" else ""
            )
            meaning += f"; {note}" if note else ""
            section = _PAYLOAD_SECTION.get(Opcode(opcode), "§5.6") if opcode in _KNOWN else "§5.2"
            draft.add("payload data", 8 * len(payload), shown, meaning, section, error)
        elif error:
            draft.errors.append(error)
        if note:
            return f"{_says(fin, opcode, shown, payload)}; {note}" if payload else note
        return _says(fin, opcode, shown, payload)

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
