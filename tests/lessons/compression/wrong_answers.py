"""Attempts at the exercises of lesson 09."""

from __future__ import annotations

import zlib
from typing import Any

from tests.support.attempts import Right, Wrong
from wslab.lessons.compression import right

TAIL = bytes.fromhex("0000ffff")
SYNC = zlib.Z_SYNC_FLUSH


def forgets_to_flush(compressor: Any, message: bytes) -> Any:
    return compressor.compress(message)


def keeps_the_tail(compressor: Any, message: bytes) -> Any:
    return compressor.compress(message) + compressor.flush(SYNC)


def flush_alone(compressor: Any, message: bytes) -> Any:
    compressor.compress(message)
    return compressor.flush(SYNC)[:-4]


def finishes(compressor: Any, message: bytes) -> Any:
    return compressor.compress(message) + compressor.flush()


def finishes_and_cuts(compressor: Any, message: bytes) -> Any:
    return (compressor.compress(message) + compressor.flush())[:-4]


def strips(compressor: Any, message: bytes) -> Any:
    return keeps_the_tail(compressor, message).rstrip(TAIL)


def cuts_everywhere(compressor: Any, message: bytes) -> Any:
    return keeps_the_tail(compressor, message).replace(TAIL, b"")


def puts_nothing_back(decompressor: Any, payload: bytes, limit: int) -> Any:
    """Wrong from the second message on: the first one comes out without the four bytes too."""
    message = decompressor.decompress(payload, limit + 1)
    return None if len(message) > limit else message


def in_two_steps(compressor: Any, message: bytes) -> Any:
    parts = [compressor.compress(message)]
    parts.append(compressor.flush(SYNC))
    return b"".join(parts)[: -len(TAIL)]


def byte_by_byte(compressor: Any, message: bytes) -> Any:
    """Wrong for an empty message: a second flush in a row gives nothing."""
    data = bytearray()
    for byte in message:
        data += compressor.compress(bytes([byte]))
    data += compressor.flush(SYNC)
    del data[-4:]
    return data


def in_halves(compressor: Any, message: bytes) -> Any:
    half = len(message) // 2
    data = bytearray(compressor.compress(message[:half]))
    data += compressor.compress(message[half:])
    data += compressor.flush(SYNC)
    del data[-4:]
    return data


def without_suffix(compressor: Any, message: bytes) -> Any:
    return keeps_the_tail(compressor, message).removesuffix(TAIL)


def afterwards(decompressor: Any, payload: bytes, limit: int) -> Any:
    message = decompressor.decompress(payload + TAIL)
    return message if len(message) <= limit else None


def unconsumed(decompressor: Any, payload: bytes, limit: int) -> Any:
    """Right although it asks for one byte less: what is left over shows that there was more."""
    message = decompressor.decompress(payload + TAIL, limit + 1)
    if decompressor.unconsumed_tail or len(message) == limit + 1:
        return None
    return message


def in_pieces(decompressor: Any, payload: bytes, limit: int) -> Any:
    message, data = b"", payload + TAIL
    while data and len(message) <= limit:
        message += decompressor.decompress(data, 100)
        data = decompressor.unconsumed_tail
    return message if len(message) <= limit else None


def two_calls(decompressor: Any, payload: bytes, limit: int) -> Any:
    message = decompressor.decompress(payload, limit + 1)
    if len(message) <= limit:
        message += decompressor.decompress(TAIL, limit + 1 - len(message))
    return message if len(message) <= limit else None


def plain_answer(parameters: dict[str, str | None]) -> Any:
    server, client = parameters.get("server_max_window_bits"), parameters.get("client_max_window_bits")
    known = ["server_no_context_takeover", "client_no_context_takeover"]
    windows = ["server_max_window_bits", "client_max_window_bits"]
    if any(name not in known + windows for name in parameters) or server == "8":
        return None
    answer: dict[str, str | None] = {name: None for name in known if name in parameters}
    answer["server_max_window_bits"] = server if server and int(server) < 12 else "12"
    if "client_max_window_bits" in parameters:
        answer["client_max_window_bits"] = client if client in ("8", "9", "10", "11") else "12"
    return answer


def matched_answer(parameters: dict[str, str | None]) -> Any:
    answer: dict[str, str | None] = {"server_max_window_bits": "12"}
    for pair in parameters.items():
        match pair:
            case ["server_max_window_bits", "8"]:
                return None
            case ["server_max_window_bits" | "client_max_window_bits" as name, value]:
                answer[name] = f"{min(12, int(value or 12))}"
            case ["server_no_context_takeover" | "client_no_context_takeover" as name, _]:
                answer[name] = None
            case _:
                return None
    return answer


def too_generous(parameters: dict[str, str | None]) -> Any:
    return right.answer_offer({name: value for name, value in parameters.items() if name != "level"})


def not_asked(parameters: dict[str, str | None]) -> Any:
    answer = right.answer_offer(parameters)
    return answer and answer | {"client_max_window_bits": parameters.get("client_max_window_bits") or "12"}


def silent(parameters: dict[str, str | None]) -> Any:
    answer = right.answer_offer(parameters)
    return answer and {name: value for name, value in answer.items() if name != "server_max_window_bits"}


def numbers(parameters: dict[str, str | None]) -> Any:
    answer = right.answer_offer(parameters)
    return answer and {name: value and int(value) for name, value in answer.items()}


def changes_the_offer(parameters: dict[str, str | None]) -> Any:
    answer = right.answer_offer(parameters)
    parameters.clear()
    return answer


def reads_what_it_holds(overheard: Any, start: str, count: int) -> str:
    """Look for the secret in all that the object holds: there are lengths only."""
    held = [text for text in map(repr, vars(overheard).values()) if start in text]
    return held[0].partition(start)[2][:count] if held else "nothing"


def loop(overheard: Any, start: str, count: int) -> str:
    found = ""
    while len(found) < count:
        lengths = {digit: overheard(start + found + digit) for digit in "0123456789"}
        found += sorted(lengths, key=lengths.__getitem__)[0]
    return found


def nested(overheard: Any, start: str, count: int) -> str:
    if count == 0:
        return ""
    best = min(range(10), key=lambda digit: overheard(f"{start}{digit}"))
    return f"{best}" + nested(overheard, f"{start}{best}", count - 1)


def padded(overheard: Any, start: str, count: int) -> str:
    for _ in range(count):
        start = min(
            (start + digit for digit in "0123456789"),
            key=lambda text: sum(overheard(text + "~" * size) for size in range(4)),
        )
    return start[-count:]


WRONG = [
    Wrong("squeeze", lambda compressor, message: None, state="not yet"),
    Wrong("squeeze", keeps_the_tail, "last four bytes"),
    Wrong("squeeze", forgets_to_flush, "until it is flushed"),
    Wrong("squeeze", flush_alone, "Append it to what compress returned"),
    Wrong("squeeze", finishes, "Z_SYNC_FLUSH"),
    Wrong("squeeze", finishes_and_cuts),
    Wrong("squeeze", byte_by_byte),
    Wrong("squeeze", lambda c, message: right.squeeze(c.copy(), message), "a copy leaves it"),
    Wrong("squeeze", lambda c, m: (c.compress(m) + c.flush(zlib.Z_FULL_FLUSH))[:-4], "Z_FULL_FLUSH makes it"),
    Wrong("squeeze", strips, "rstrip"),
    Wrong("squeeze", lambda compressor, message: zlib.compress(message), "header and a checksum"),
    Wrong(
        "squeeze",
        lambda compressor, message: right.squeeze(zlib.compressobj(6, 8, -12, 5), message),
        "is new",
    ),
    Wrong(
        "squeeze", lambda compressor, message: right.squeeze(compressor, message).hex(), "a str, not bytes"
    ),
    Wrong("squeeze", lambda compressor, message: right.squeeze(compressor, message)[:-1], "five bytes"),
    Wrong("inflate", lambda decompressor, payload, limit: ..., state="not yet"),
    Wrong("inflate", lambda d, p, limit: d.decompress(p + TAIL), "longer than the limit"),
    Wrong("inflate", lambda d, p, limit: d.decompress(p + TAIL, limit), "Half a message"),
    Wrong(
        "inflate", lambda d, p, limit: m if len(m := d.decompress(p + TAIL)) < limit else None, "as long as"
    ),
    Wrong(
        "inflate",
        lambda d, p, limit: None if len(p) > limit else d.decompress(p + TAIL),
        "not for the payload",
    ),
    Wrong("squeeze", cuts_everywhere, "can be inside"),
    Wrong("inflate", puts_nothing_back, "Put back the four bytes"),
    Wrong("inflate", afterwards, "made the whole message first"),
    Wrong("inflate", lambda d, p, limit: zlib.decompress(p + TAIL), "raised"),
    Wrong("inflate", lambda d, p, limit: right.inflate(zlib.decompressobj(-12), p, limit), "raised"),
    Wrong("answer-offer", lambda parameters: None, state="not yet"),
    Wrong("answer-offer", too_generous, "declined"),
    Wrong("answer-offer", not_asked, "only to a client that offers it"),
    Wrong("answer-offer", silent, "says so"),
    Wrong("answer-offer", numbers, "texts"),
    Wrong("answer-offer", lambda parameters: dict(parameters)),
    Wrong("answer-offer", changes_the_offer, "changed what it was given"),
    Wrong(
        "answer-offer", lambda parameters: {"server_max_window_bits": "12", "client_max_window_bits": "12"}
    ),
    Wrong("guess-secret", lambda overheard, start, count: None, state="not yet"),
    Wrong("guess-secret", lambda o, start, count: start + right.secret(o, start, count), "digits alone"),
    Wrong("guess-secret", lambda o, start, count: right.secret(o, start, 1), "the first digit. Go on"),
    Wrong("guess-secret", lambda o, start, count: right.secret(o, start, 1) * count, "in front"),
    Wrong(
        "guess-secret",
        lambda o, start, count: right.secret(lambda t: -o(t), start, count),
        "shorter, not longer",
    ),
    Wrong("guess-secret", lambda o, start, count: int(right.secret(o, start, count)), "type int"),
    Wrong("guess-secret", lambda o, start, count: "48151623"),
]
_RIGHT = {
    "chat for 200 people": "takeover",
    "JPEG photos": "off",
    "a 20 KB document an hour, 50,000 clients": "no takeover",
    "a 100-byte notice a day, 50,000 clients": "off",
    "a token beside the user's search text": "off",
}
WRONG += [
    Wrong("choose-compression", dict.fromkeys(_RIGHT, ...), state="not yet"),
    Wrong("choose-compression", dict.fromkeys(_RIGHT, "takeover"), "JPEG"),
    Wrong("choose-compression", dict.fromkeys(_RIGHT, "off"), "chat"),
    Wrong(
        "choose-compression",
        _RIGHT | {"a 20 KB document an hour, 50,000 clients": "takeover"},
        "50,000 windows",
    ),
    Wrong("choose-compression", _RIGHT | {"a token beside the user's search text": "no takeover"}, "both"),
    Wrong(
        "choose-compression", _RIGHT | {"a 100-byte notice a day, 50,000 clients": "no takeover"}, "notice"
    ),
    Wrong("choose-compression", _RIGHT | {"chat for 200 people": "on"}, "chat"),
]
RIGHT = [
    *(Right("squeeze", answer) for answer in (in_two_steps, in_halves, without_suffix)),
    *(Right("inflate", answer) for answer in (unconsumed, in_pieces, two_calls)),
    *(Right("answer-offer", answer) for answer in (plain_answer, matched_answer, right.answer_offer)),
    *(Right("guess-secret", answer) for answer in (loop, nested, padded)),
    Right("choose-compression", _RIGHT),
]
