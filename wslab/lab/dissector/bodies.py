"""Bodies of HTTP/1.1 to fields (RFC 9112 §6, §7.1): so many bytes, chunks, or all until the connection ends.

How a body is framed is known from its head, which `dissect_http` reads. In a chunked body each chunk has
its size, its data and its line ending as fields of their own. A chunk that is wrong ends the reading: what
follows it is kept as one unread field.

A body that is too short is described as far as it goes, and says how many bytes are missing.
"""

from __future__ import annotations

import re

from wslab.lab.dissector.dissection import Dissection, Draft, count, quoted
from wslab.lab.dissector.http import Framing, add_header, ending_error, next_line

__all__ = ["take_body"]


def take_body(stream: bytes, start: int, framing: Framing) -> Dissection:
    r"""Dissect the body that starts at an offset of the stream.

    >>> take_body(b"5\r\nHello\r\n0\r\n\r\n", 0, "chunked").meaning
    '"Hello" in 1 chunk'
    """
    draft = Draft(stream, start)
    if framing == "chunked":
        return _chunks(draft)
    length = framing if isinstance(framing, int) else None
    data, missing = draft.rest(length), draft.missing(length or 0)
    note = "until the connection ends" if length is None else f"Content-Length: {length}"
    section = "RFC 9112 §6.3" if length is None else "RFC 9112 §6.2"
    draft.add("body", 8 * len(data), quoted(data), note, section)
    meaning = quoted(data) + _missing(missing)
    return draft.finish("body", "body", meaning, complete=not missing)


def _missing(size: int) -> str:
    return f"; incomplete: {count(size, 'more byte')} needed" if size else ""


def _chunks(draft: Draft) -> Dissection:
    data: list[bytes] = []
    complete = False
    while not complete and (line := next_line(draft)):
        digits = line.partition(b";")[0].strip(b" \t\r\n")
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", digits):
            error = (
                "the chunk size is not a hexadecimal number (RFC 9112 §7.1)" if line.endswith(b"\n") else None
            )
            draft.add("unread", 8 * len(draft.rest()), quoted(draft.rest()), "", "RFC 9112 §7.1", error)
            break
        size = int(digits, 16)
        draft.add(
            "chunk size", 8 * len(line), digits.decode(), count(size), "RFC 9112 §7.1", ending_error(line)
        )
        if size == 0 and line.endswith(b"\n"):
            complete = _trailers(draft)
            break
        if not _chunk(draft, size, data):
            break
    meaning = f"{quoted(b''.join(data))} in {count(len(data), 'chunk')}"
    meaning += "" if complete or draft.errors else "; incomplete: more chunks follow"
    return draft.finish("body", "body", meaning, complete=complete)


def _chunk(draft: Draft, size: int, data: list[bytes]) -> bool:
    """Add the data of one chunk and its CR LF; tell whether it is whole and the next one can be read."""
    raw, missing = draft.rest(size), draft.missing(size + 2)
    if raw:
        data.append(raw)
        meaning = f"chunk {len(data)}" + _missing(missing)
        draft.add("body", 8 * len(raw), quoted(raw), meaning, "RFC 9112 §7.1")
    end = draft.rest(2)
    if end and not b"\r\n".startswith(end):
        error = "the chunk is longer than its size says (RFC 9112 §7.1)"
        draft.add("unread", 8 * len(draft.rest()), quoted(draft.rest()), "", "RFC 9112 §7.1", error)
        return False
    if end:
        draft.add("blank line", 8 * len(end), "", "the chunk ends", "RFC 9112 §7.1")
    return not missing


def _trailers(draft: Draft) -> bool:
    """Add the lines behind the last chunk; tell whether the blank line that ends the body is there."""
    while line := next_line(draft):
        if line in (b"\r\n", b"\n"):
            draft.add("blank line", 8 * len(line), "", "the body ends", "RFC 9112 §7.1", ending_error(line))
            return True
        add_header(draft, line, request=False)
    return False
