"""The exercises of lesson 09: the compressor, the limit, an answer to an offer, a guess, a decision."""

import random
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wslab.deflate import BITS, FLAGS, TAIL
from wslab.lab.exercises.answer import one_line
from wslab.lab.exercises.kinds import Fault, Function, Value
from wslab.lessons.compression import right
from wslab.lessons.compression.measure import traced

__all__ = ["EXERCISES"]

ENOUGH = 2**20  # a limit that no message here reaches
NOISE = random.Random(9).randbytes(5000)  # what is not compressed: it is in the result as it is


def _sender(*before: bytes) -> Any:
    """Return a compressor that has sent some messages."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -12, 5)
    for message in before:
        right.squeeze(compressor, message)
    return compressor


def _received(limit: int, message: bytes, *before: bytes) -> tuple[Any, bytes, int]:
    """Return a decompressor that has received some messages, the payload of the next one, and a limit."""
    compressor, decompressor = _sender(), zlib.decompressobj(-12)
    for each in before:
        decompressor.decompress(right.squeeze(compressor, each) + TAIL)
    return decompressor, right.squeeze(compressor, message), limit


def _words(source: random.Random) -> bytes:
    return b" ".join(source.choices([b"Hello", b"Ada", b"and", b"Bob", b"again"], k=source.randrange(1, 12)))


def _whole(compressor: Any, message: bytes, mode: int = zlib.Z_SYNC_FLUSH) -> Any:
    return compressor.compress(message) + compressor.flush(mode)


class _Remembering(Function):
    """A function that is compared, and whose compressor must know the message after the next time."""

    def judge(self, answer: Any) -> Fault | None:
        if fault := super().judge(answer):
            return fault
        sender, theirs = _sender(), _sender()
        for message in (b"Hello", b"Hello"):
            given, expected = answer(sender, message), right.squeeze(theirs, message)
        rows = (("returned", one_line(given)), ("expected", one_line(expected)))
        advice = "Z_FULL_FLUSH makes it forget, and a copy leaves it as it was. Use neither."
        wrong = "compressed the same message again, and the compressor did not remember it."
        return None if given == expected else Fault(wrong, rows, advice=advice)


SQUEEZE = _Remembering(
    name="squeeze",
    title="Compress a message",
    asks="my_squeeze(compressor, message)",
    right=right.squeeze,
    calls=[
        (_sender(), b"Hello"),
        (_sender(b"Hello"), b"Hello"),
        (_sender(), b""),
        (_sender(b"Hello"), b""),
        (_sender(), NOISE[:400] + TAIL + NOISE[400:]),
    ],
    drawn=lambda source: (_sender(_words(source), _words(source)), _words(source)),
    section="RFC 7692 §7.2.1",
    mistakes={
        "The last four bytes, 00 00 ff ff, are not sent. Cut them off.": _whole,
        "You took away five bytes, as rstrip does. Cut off four.": lambda c, m: _whole(c, m)[:-5],
        "Cut the four bytes off the end only. The same four bytes can be inside.": (
            lambda c, m: _whole(c, m).replace(TAIL, b"")
        ),
        "This is what flush returned. Append it to what compress returned.": (
            lambda c, m: (c.compress(m), c.flush(zlib.Z_SYNC_FLUSH))[1][:-4]
        ),
        "Nothing came out: compress keeps what it has until it is flushed.": lambda c, m: c.compress(m),
        "Z_FINISH ends the stream, and the next message could not follow. Use Z_SYNC_FLUSH.": (
            lambda c, m: _whole(c, m, zlib.Z_FINISH)
        ),
        "This compressor is new. Use the one that you are given: it remembers.": (
            lambda c, m: right.squeeze(_sender(), m)
        ),
        "zlib.compress adds a header and a checksum. Use the compressor.": lambda c, m: zlib.compress(m),
    },
    hints=(
        "The cell above does it, all but the last four bytes.",
        "Join what compressor.compress(message) and compressor.flush(zlib.Z_SYNC_FLUSH) return.",
        "Python slices from the end: data[:-4].",
    ),
    why="With RSV1 in the first byte of its frame, this is all that permessage-deflate sends.",
)


@dataclass(frozen=True, kw_only=True)
class _Bounded(Function):
    """A function that is compared, must read one message after the other, and is bounded in its memory."""

    def judge(self, answer: Any) -> Fault | None:
        if fault := super().judge(answer) or self._next_message(answer):
            return fault
        bomb = right.squeeze(_sender(), bytes(2**23))
        _, most = traced(lambda: answer(zlib.decompressobj(-12), bomb, 1000))
        rows = (("memory taken", f"over {most // 2**20} MiB"), ("limit", "1000 bytes"))
        return Fault("refused, but made the whole message first.", rows) if most > 2**22 else None

    def _next_message(self, answer: Any) -> Fault | None:
        """Have it read two messages with one decompressor."""
        sender, decompressor = _sender(), zlib.decompressobj(-12)
        for message in (b"Hello", b"Hello again"):
            payload, given = right.squeeze(sender, message), None
            with suppress(zlib.error):
                given = answer(decompressor, payload, ENOUGH)
        rows = (("returned", one_line(given)), ("expected", one_line(message)))
        advice = "Put back the four bytes that the sender left out. The next message needs them."
        wrong = "could not read the message after this one."
        return None if given == message else Fault(wrong, rows, advice=advice)


def _drawn_payload(source: random.Random) -> tuple[Any, bytes, int]:
    message = _words(source)
    return _received(len(message) + source.choice([-1, 0, 1, 50]), message, _words(source))


INFLATE = _Bounded(
    name="inflate",
    title="Decompress a message, but not beyond a limit",
    asks="my_inflate(decompressor, payload, limit)",
    right=right.inflate,
    calls=[
        _received(100, b"Hello"),
        _received(100, b"Hello", b"Hello"),
        _received(100, b""),
        *(_received(limit, b"Hello") for limit in (6, 5, 4)),
        _received(1000, bytes(5000)),
    ],
    drawn=_drawn_payload,
    section="RFC 7692 §7.2.2",
    mistakes={
        "Half a message is not a message. Ask for one byte more than the limit, and count.": (
            lambda d, p, limit: d.decompress(p + TAIL, limit)
        ),
        "A message as long as the limit is allowed.": (
            lambda d, p, limit: m if len(m := right.inflate(d, p, ENOUGH) or b"") < limit else None
        ),
        "Return None for a message longer than the limit.": lambda d, p, limit: right.inflate(d, p, ENOUGH),
        "The limit is for the message that comes out, not for the payload.": (
            lambda d, p, limit: right.inflate(d, p, ENOUGH) if len(p) <= limit else None
        ),
    },
    hints=(
        "Put back the four bytes that the sender left out: payload + bytes.fromhex('0000ffff').",
        "decompressor.decompress(data, most) makes at most so many bytes. How do you notice more?",
        "Ask for limit + 1 bytes. If you get so many, return None.",
    ),
    why="A server refuses such a message with 1009 before it has taken memory.",
)


def _drawn_offer(source: random.Random) -> tuple[right.Parameters]:
    windows = str(source.randrange(8, 16)), source.choice([None, str(source.randrange(9, 16))])
    values = dict(zip(FLAGS + BITS, (None, None, *windows), strict=True))
    return ({name: value for name, value in values.items() if source.random() < 0.5},)


def _answer_with(parameters: right.Parameters, **more: str | None) -> right.Parameters:
    answerable = {name: value for name, value in parameters.items() if name != "level" and value != "8"}
    return (right.answer_offer(answerable) or {}) | more


def _without(parameters: right.Parameters, words: str) -> right.Parameters | None:
    return {name: value for name, value in _answer_with(parameters).items() if words not in name}


ANSWER = Function(
    name="answer-offer",
    title="Answer an offer",
    asks="my_answer(parameters)",
    right=right.answer_offer,
    calls=[
        ({"client_max_window_bits": None},),
        ({},),
        ({"client_max_window_bits": "10"},),
        ({"server_max_window_bits": "10"},),
        ({"server_max_window_bits": "15"},),
        ({"server_no_context_takeover": None, "client_no_context_takeover": None},),
        ({"level": "9"},),
        ({"server_max_window_bits": "8"},),
    ],
    drawn=_drawn_offer,
    keeps=True,
    section="RFC 7692 §7 and §7.1",
    mistakes={
        "This offer is declined: return None.": _answer_with,
        "client_max_window_bits is answered only to a client that offers it.": (
            lambda p: _answer_with(p, client_max_window_bits=p.get("client_max_window_bits") or "12")
        ),
        "Answer with the smaller window: the one offered, or the 12 of this server.": (
            lambda p: _answer_with(p, server_max_window_bits=p.get("server_max_window_bits") or "12")
        ),
        "This server limits its own window always, and says so.": lambda p: _without(p, "server_max"),
        "Repeat the parameters without a value that are offered.": lambda p: _without(p, "takeover"),
        "Values are texts: '12'.": lambda p: {n: v and int(v) for n, v in _answer_with(p).items()},
    },
    hints=(
        "Decline first: a name that is not one of the four, or '8' for server_max_window_bits.",
        "Then copy the parameters that have no_context_takeover in their names, and add the windows.",
        "min(12, int(value)) is the smaller window. A client that gives no value could use 15.",
    ),
    why="From now on both ends know all they need, without a header in any message.",
)


class _Overheard:
    """A server that someone listens to: how many bytes its answer to a text takes on the wire."""

    def __init__(self, secret: str) -> None:
        self._server = _sender(f"Welcome, Ada. {secret}".encode())  # the secret is in zlib's window only

    def __call__(self, text: str) -> int:
        return 2 + len(right.squeeze(self._server.copy(), f"Nothing found for {text}".encode()))

    def __repr__(self) -> str:
        return "overheard"


def _drawn_secret(source: random.Random) -> tuple[Any, str, int]:
    digits = "".join(source.choices("0123456789", k=source.randrange(3, 6)))
    return _Overheard(f"pin={digits}"), "pin=", len(digits)


GUESS = Function(
    name="guess-secret",
    title="Guess a secret from lengths",
    asks="my_secret(overheard, start, count)",
    right=right.secret,
    calls=[(_Overheard("token=48151623"), "token=", 8), (_Overheard("pin=0042"), "pin=", 4)],
    drawn=_drawn_secret,
    section="RFC 7692 §8",
    mistakes={
        "Return the digits alone, without the start.": lambda o, s, n: s + right.secret(o, s, n),
        "This is the first digit. Go on with what you know.": lambda o, s, n: right.secret(o, s, 1),
        "You asked about the first digit each time. Ask with the digits that you know in front.": (
            lambda o, s, n: right.secret(o, s, 1) * n
        ),
        "The right digit makes the answer shorter, not longer.": (
            lambda o, s, n: right.secret(lambda text: -o(text), s, n)
        ),
    },
    hints=(
        "Guess one digit at a time. Of ten possible texts, which one takes the fewest bytes?",
        "min(candidates, key=overheard) is the candidate with the fewest bytes.",
        "known = min((known + digit for digit in '0123456789'), key=overheard), once for each digit.",
    ),
    why="Nothing was decrypted: TLS hides what is sent, and not how much.",
)

_CHAT, _JPEG, _DOCUMENT = "chat for 200 people", "JPEG photos", "a 20 KB document an hour, 50,000 clients"
_NOTICE, _TOKEN = "a 100-byte notice a day, 50,000 clients", "a token beside the user's search text"
DECIDE = Value(
    name="choose-compression",
    title="Choose a setting for each service",
    right={_CHAT: "takeover", _JPEG: "off", _DOCUMENT: "no takeover", _NOTICE: "off", _TOKEN: "off"},
    look_at={
        _CHAT: "Look at chat in the first figure, and multiply 200 by the memory of 12 bits.",
        _JPEG: "They are compressed already. Look at random in the first figure.",
        _DOCUMENT: "Look at documents in the first figure: which settings suffice? Which holds less?",
        _NOTICE: "Look at chat in the first figure, and multiply 50,000 by the memory of 12 bits.",
        _TOKEN: "Look at the section on the guessed secret.",
    },
    mistakes={
        "Takeover holds 50,000 windows, and a long document repeats itself anyway.": {_DOCUMENT: "takeover"},
        "One message holds both, the secret and the guess: that is enough.": {_TOKEN: "no takeover"},
    },
    noun="service",
    choices=("off", "takeover", "no takeover"),
    section="RFC 7692 §7.1.1, §8",
    hints=(
        "Short messages become small only with takeover, and takeover takes memory for each connection.",
        "A long message repeats itself, so it needs no takeover.",
        "Never compress a secret together with a text that someone else chooses.",
    ),
    why="Compression trades bytes for memory, for time and, with secrets, for safety.",
)

EXERCISES = (SQUEEZE, INFLATE, ANSWER, GUESS, DECIDE)
