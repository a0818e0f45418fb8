"""A recording read as rows, while it grows: each piece is dissected once, when its last byte has passed.

A `Reader` feeds each side of each connection to a `Stream` of the dissector, and passes on what one side must
know of the other: HEAD is answered without a body (RFC 9112 §6.3), and frames of a client follow only when
its request for WebSocket is granted (RFC 6455 §4.2.2). The conversation, the counts and the live view all use
it, so they agree on where a piece ends.

Credentials are taken out of a head before it becomes a row, unless they are the subject. Memory is
bounded: after ``KEPT`` rows, pieces are counted and no longer kept.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count

from wslab.lab.dissector.stream import Dissection, Sender, Stream, dissect
from wslab.lab.wire.conversation import Conversation, Row
from wslab.lab.wire.credentials import redact
from wslab.lab.wire.recording import Passage, Recording

__all__ = ["Reader"]

KEPT = 50_000  # rows of one recording: about 100 MiB of short frames
_BOTH_WAYS = {
    "refused": ("refused", "nothing listens on the port behind the tap"),
    "unreachable": ("unreachable", "the tap could not connect to the server"),
    "cut": ("cut", "the tap resets the connection on both sides"),
    "freeze": ("freeze", "nothing passes any more; neither side is told"),
    "thaw": ("thaw", "everything passes again"),
}
_ONE_WAY = {
    "open": ("SYN", "the {} opens TCP"),
    "FIN": ("FIN", "the {} closes its direction of TCP"),
    "RST": ("RST", "the {} resets TCP"),
    "freeze": ("freeze", "what the {} sends does not pass; nobody is told"),
    "thaw": ("thaw", "what the {} sends passes again"),
}


class Reader:
    """The rows of a recording.

    Args:
        recording: what a tap records.
        secrets: whether credentials are shown.

    >>> recording = Recording(limit=1000)
    >>> _ = recording.add(1, "client", "bytes", b"GET /chat HTTP/1.1\\r\\n\\r\\nGET", now=7.0)
    >>> reader = Reader(recording)
    >>> reader.conversation()
    direction        bytes  what       meaning
    ---------------  -----  ---------  -------------------------------------------------------------
    client → server     22  GET /chat  asks; no body
    client → server      3  head       incomplete: the blank line that ends the head has not arrived
    >>> reader.passed["client", "GET"]
    1
    """

    def __init__(self, recording: Recording, *, secrets: bool = False) -> None:
        self.recording = recording
        self._secrets = secrets
        self.rows: list[Row] = []  # of whole pieces and of events, in the order in which they became whole
        self.unkept = 0  # bytes of the pieces after KEPT rows
        self.sizes: Counter[tuple[Sender, str]] = Counter()  # bytes of whole pieces of each kind
        self.whole: Counter[tuple[Sender, str]] = Counter()  # how many they were
        self.passed: Counter[tuple[Sender, str]] = Counter()  # how many of each name, and first word of it
        self._places: list[int] = []  # for each row the number of the passage that holds its last byte
        self._read = 0  # passages
        self._steps: Iterator[bool] = iter(())  # through the passage that is being read, a row at a time
        self._sides: dict[tuple[int, Sender], _Side] = {}

    @property
    def behind(self) -> bool:
        """Whether something has passed that was not read yet."""
        return self._read < len(self.recording.passages)

    @property
    def full(self) -> bool:
        """Whether something has passed that is not kept."""
        return bool(self.unkept) or not self.recording.complete

    def read(self, most: int | None = None) -> None:
        """Read what has passed since.

        Args:
            most: how many rows to read at most; all of them when it is None.
        """
        for _ in count() if most is None else range(most):
            if not self.behind:
                break
            if next(self._steps, None) is None and self.behind:
                self._steps = self._take(self.recording.passages[self._read])

    def conversation(self, *, times: bool = False, tcp: bool = False) -> Conversation:
        """Return what has passed so far; a piece that is not whole is the last row of its side.

        Args:
            times: whether the table shows the times.
            tcp: whether there are rows for what happened to TCP: SYN, FIN, RST.
        """
        self.read()
        self._update()
        placed = sorted([*zip(self._places, self.rows, strict=True), *self.rest()], key=lambda pair: pair[0])
        rows = (row for _, row in placed if tcp or row.kind != "tcp")
        return Conversation(rows, times=times, unkept=self.recording.unkept.total() + self.unkept)

    def rest(self) -> Iterator[tuple[int, Row]]:
        """Yield the rows of what is not whole, each after the number of the passage with its last byte."""
        for side in self._sides.values():
            for piece in side.stream.rest():
                place = side.place(piece, last=True)
                yield place, _piece_row(self.recording.passages[place], piece, self._secrets)

    def _side(self, connection: int, sender: Sender) -> _Side:
        return self._sides.setdefault((connection, sender), _Side(sender))

    def _take(self, passage: Passage) -> Iterator[bool]:
        """Read one passage; stop after each row of it."""
        side = self._side(passage.connection, passage.sender or "client")
        if passage.event == "bytes":
            side.size += len(passage.data)
            side.ends.append((side.size, self._read))
            yield from self._pieces(passage.connection, side, side.stream.feed(passage.data))
        else:
            if passage.event in ("FIN", "RST"):
                yield from self._pieces(passage.connection, side, side.stream.end())
            self._add(self._read, _event_row(passage))
        self._read += 1

    def _pieces(self, connection: int, side: _Side, pieces: Iterable[Dissection]) -> Iterator[bool]:
        for piece in pieces:
            name = "other" if piece.what == "not HTTP" else piece.kind
            self.sizes[side.sender, name] += len(piece.data)
            self.whole[side.sender, name] += 1
            for word in {piece.what, piece.what.partition(" ")[0]}:
                self.passed[side.sender, word] += 1
            place = side.place(piece)
            self._add(place, _piece_row(self.recording.passages[place], piece, self._secrets))
            if piece.kind == "head":
                yield from self._inform_the_other(connection, side)
            yield True

    def _inform_the_other(self, connection: int, side: _Side) -> Iterator[bool]:
        """Note the method that the server's stream answers; pass on whether the client's may send frames."""
        head, client = side.stream.head, self._side(connection, "client")
        if head is None:
            return
        if side is client:
            self._side(connection, "server").stream.methods.append(head.method)
        elif client.stream.undecided and not side.stream.methods and (head.status >= 200 or head.upgrade):
            yield from self._pieces(connection, client, client.stream.decide(head.upgrade, head.extensions))

    def _add(self, place: int, row: Row) -> None:
        if len(self.rows) < KEPT or row.kind == "tap":
            self.rows.append(row)
            self._places.append(place)
        else:
            self.unkept += row.bytes

    def _update(self) -> None:
        """Note when rows were handed on that were still on the way when they were read."""
        passages = self.recording.passages
        for at, (place, row) in enumerate(zip(self._places, self.rows, strict=True)):
            if row.arrived != (arrived := _ms(passages[place].delivered)):
                self.rows[at] = replace(row, arrived=arrived)


class _Side:
    """One side of a connection: its stream, and which passage holds which of its bytes."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.stream = Stream(sender, extensions="" if sender == "client" else None)
        self.size = 0
        self.ends: deque[tuple[int, int]] = deque()  # of passages that hold the next piece: end, and number

    def place(self, piece: Dissection, *, last: bool = False) -> int:
        """Return the number of the passage that holds the last byte of a piece."""
        end = piece.start + len(piece.data)
        if last:  # it will be asked for again
            return self.ends[bisect_left(self.ends, end, key=lambda passage: passage[0])][1]
        while self.ends[0][0] < end:
            self.ends.popleft()
        return self.ends[0][1]


def _piece_row(passage: Passage, piece: Dissection, secrets: bool) -> Row:
    shown = piece if secrets else _without_secrets(piece, passage.sender)
    when = (1000 * passage.time, _ms(passage.delivered), passage.connection, passage.sender)
    return Row(*when, shown.kind, len(piece.data), shown.what, shown.meaning, shown.error, shown)


def _without_secrets(piece: Dissection, sender: Sender | None) -> Dissection:
    cleaned = redact(piece.data) if piece.kind == "head" else piece.data
    if cleaned == piece.data:
        return piece
    shown = dissect(cleaned, sender=sender)[0]
    # What takes the place of a subprotocol is not a token, but that is not the fault of the peer.
    return replace(shown, start=piece.start, error=piece.error and shown.error)


def _event_row(passage: Passage) -> Row:
    """Return the row for something that happened and is not bytes."""
    what, meaning = (_BOTH_WAYS if passage.sender is None else _ONE_WAY)[passage.event]
    kind = "tcp" if passage.event in ("open", "FIN", "RST") else "tap"
    when = (1000 * passage.time, _ms(passage.delivered))
    return Row(*when, passage.connection, passage.sender, kind, 0, what, meaning.format(passage.sender))


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds
