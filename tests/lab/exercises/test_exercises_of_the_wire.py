"""The exercises of lessons 02 and 03: answers that look right, and what the learner reads about each.

Every function here is one that somebody typed into a cell of the lesson. What no typical mistake of the
exercise can show (``test_exercises`` tries those) stands here: answers that were right by luck, answers whose
fault is easily named wrongly, and right ones of another make.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from wslab.frames import Frame, Opcode, encode_frame, encode_length
from wslab.handshake import accept_digest, accept_key
from wslab.http import Response
from wslab.lessons import check
from wslab.masking import apply_mask

SITE = "https://chat.example"
LINES = (
    "GET PATH HTTP/1.1",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: KEY",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Host: HOST",
)


def request(*lines: str, end: str = "\r\n") -> Callable[..., bytes]:
    """Make an answer to write-request that fills in host, path and key."""

    def my_request(host: str, path: str, key: str) -> bytes:
        head = end.join(lines).replace("HOST", host).replace("PATH", path).replace("KEY", key)
        return (head + 2 * end).encode()

    return my_request


# -- the opening handshake ----------------------------------------------------------------------------------


def test_the_lines_of_a_request_may_come_in_any_order() -> None:
    assert check("write-request", request(*LINES))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (request(*LINES, end="\n"), "Lines end in two characters"),
        (request(*LINES, end="\r\n\r\n"), "The head ends at its first empty line."),
        (lambda *call: request(*LINES)(*call)[:-2], "one more makes the empty line"),
        (request(LINES[0].replace("PATH", "{path}"), *LINES[1:]), "the f before the quotes is missing"),
        (request(*LINES[:3], *LINES[4:]), "for the next machine only"),
    ],
)
def test_a_request_is_explained_whatever_the_order_of_its_lines(answer: Any, sentence: str) -> None:
    assert sentence in repr(check("write-request", answer))


def test_only_a_text_is_to_be_encoded() -> None:
    assert "encode the text" in repr(check("write-request", lambda host, path, key: path))
    for value in ([b"GET"], Response(200, "OK", [])):  # type: ignore[arg-type]
        verdict = repr(check("write-request", lambda host, path, key, value=value: value))
        assert "not bytes." in verdict
        assert "encode" not in verdict


def test_bytes_are_to_be_decoded_only_where_that_gives_the_text() -> None:
    assert "decode them" in repr(check("accept-key", lambda key: accept_key(key).encode()))
    digest = repr(check("accept-key", accept_digest))
    assert "decode them" not in digest
    assert "encode them in base64" in digest


def test_a_text_that_differs_in_space_or_capitals_says_so() -> None:
    assert "with white space around it" in repr(check("accept-key", lambda key: accept_key(key) + "\n"))
    assert "but for its capitals" in repr(check("judge-response", lambda key, offered, response: "Status"))


def test_a_hash_is_shown_without_its_address() -> None:
    verdict = repr(check("accept-key", lambda key: hashlib.sha1(key.encode())))
    assert "not str" in verdict
    assert "0x" not in verdict


@pytest.mark.parametrize(
    ("allows", "of"),
    [
        (lambda origin: origin in SITE, "https://chat'"),
        (lambda origin: bool(re.match("https://chat.example$", origin)), "https://chat-example'"),
        (lambda origin: origin.startswith(SITE), "https://chat.example.evil.example'"),
        (lambda origin: origin.removesuffix(":8443") == SITE, "https://chat.example:8443'"),
        (lambda origin: origin.replace("http:", "https:") == SITE, "'http://chat.example'"),
    ],
)
def test_an_origin_is_compared_whole(allows: Callable[[str], bool], of: str) -> None:
    verdict = check("allow-origin", allows)
    assert verdict.state == "wrong"
    assert of in verdict.sentences[0]
    assert len(verdict.sentences) == 2


def test_subprotocols_are_compared_whole_and_no_list_is_changed() -> None:
    def part(offered: list[str], supported: list[str]) -> str | None:
        return next((name for name in supported if name in ",".join(offered)), None)

    def last(offered: list[str], supported: list[str]) -> str | None:
        chosen = None
        for name in supported:
            chosen = name if name in offered else chosen
        return chosen

    def spoil(offered: list[str], supported: list[str]) -> str | None:
        while supported and supported[0] not in offered:
            supported.pop(0)
        return supported[0] if supported else None

    assert "only a part of superchat" in repr(check("choose-subprotocol", part))
    assert "the last of your own names" in repr(check("choose-subprotocol", last))
    verdict = repr(check("choose-subprotocol", spoil))
    assert "gives the right value, but changes what it is given." in verdict
    assert "left behind  [['soap', 'wamp', 'stomp'], ['wamp', 'soap', 'stomp']]" in verdict


def fault(key: str, offered: Sequence[str], response: Response) -> str:
    """Judge a response as the exercise asks."""
    get = response.headers.get
    if response.status != 101:
        return "status"
    if (get("Upgrade") or "").lower() != "websocket":
        return "Upgrade"
    if "upgrade" not in (get("Connection") or "").lower().replace(",", " ").split():
        return "Connection"
    if get("Sec-WebSocket-Accept") != accept_key(key):
        return "Sec-WebSocket-Accept"
    return "ok" if get("Sec-WebSocket-Protocol") in (None, *offered) else "Sec-WebSocket-Protocol"


def test_a_response_is_judged_in_order_and_with_what_was_offered() -> None:
    def chosen(key: str, offered: Sequence[str], response: Response) -> str:
        protocol = response.headers.get("Sec-WebSocket-Protocol")
        found = fault(key, [*offered, protocol or ""], response)
        return "Sec-WebSocket-Protocol" if found == "ok" and offered and protocol not in offered else found

    def accept_first(key: str, offered: Sequence[str], response: Response) -> str:
        found = response.headers.get("Sec-WebSocket-Accept")
        return fault(key, offered, response) if found == accept_key(key) else "Sec-WebSocket-Accept"

    def trusting(key: str, offered: Sequence[str], response: Response) -> str:
        return fault(key, offered or ["soap"], response)

    assert check("judge-response", fault)
    assert "need not choose" in repr(check("judge-response", chosen))
    assert "Only 101" in repr(check("judge-response", accept_first))
    assert "only if it was offered" in repr(check("judge-response", trusting))


def test_a_call_shows_the_response_that_it_judges() -> None:
    def my_fault(key: str, offered: Sequence[str], response: Response) -> str:
        return fault(key, offered, response) if "Connection" in response.headers else "status"

    assert "[], <101, no Connection>)" in check("judge-response", my_fault).sentences[0]


# -- frames -------------------------------------------------------------------------------------------------


def test_a_right_number_of_another_type_is_told_its_type_alone() -> None:
    verdict = check("first-byte", lambda fin, opcode: float(fin * 128 + opcode))
    assert verdict.sentences == ("my_first_byte(True, 1) gives a value of type float, not int.",)


def test_letters_are_no_bytes() -> None:
    verdict = repr(check("apply-mask", lambda data, key: "".join(map(chr, apply_mask(data, key)))))
    assert "encode it" not in verdict
    assert "chr makes letters" in verdict

    def my_encode_length(length: int, masked: bool) -> bytes:
        return encode_length(length, masked) if length > 125 else chr(length | masked << 7).encode()

    assert "bytes([n]) makes the byte n" in repr(check("encode-length", my_encode_length))


def test_a_generator_is_told_from_a_function_with_yield() -> None:
    def with_yield(data: bytes, key: bytes) -> Iterator[int]:
        yield from apply_mask(data, key)

    expression = repr(check("apply-mask", lambda data, key: (byte for byte in data)))
    assert "put bytes(...)" in expression
    assert "yield" not in expression
    assert "return instead of yield" in repr(check("apply-mask", with_yield))


@pytest.mark.parametrize("last", [126, 127])
def test_a_frame_is_encoded_at_the_boundaries_of_its_length(last: int) -> None:
    def my_encode_frame(opcode: int, payload: bytes, key: bytes | None) -> bytes:
        size, mask = len(payload), 0x80 if key else 0
        length = bytes((mask | size,)) if size <= last else encode_length(size, key is not None)
        return bytes((0x80 | opcode,)) + length + (key + apply_mask(payload, key) if key else payload)

    assert check("encode-frame", my_encode_frame).state == "wrong"


def test_none_from_a_function_that_returns_is_a_wrong_value() -> None:
    def too_late(buffer: bytes) -> Any:
        end = 2 + (buffer[1] & 0x7F) if len(buffer) > 1 else 2
        if len(buffer) <= end:
            return None
        return Frame(Opcode(buffer[0] & 15), buffer[2:end]), end

    verdict = check("take-frame", too_late)
    assert verdict.state == "wrong"
    assert "it must come out now" in repr(verdict)
    assert check("take-frame", lambda buffer: None).state == "not yet"


def test_frames_are_shown_without_their_reserved_bits() -> None:
    assert "rsv" not in repr(check("take-frame", lambda buffer: (Frame(Opcode.TEXT, buffer), 7)))


def test_a_text_that_is_repaired_is_not_said_to_be_decoded_in_pieces() -> None:
    whole = repr(check("utf8-cut", lambda payloads: b"".join(payloads).decode(errors="replace")))
    assert "repair nothing" in whole
    assert "alone" not in whole
    ignored = repr(check("utf8-cut", lambda payloads: b"".join(payloads).decode(errors="ignore")))
    assert "leave nothing out" in ignored


def test_a_message_has_at_least_one_frame() -> None:
    def my_text(payloads: list[bytes]) -> str | None:
        whole = payloads[0]
        for payload in payloads[1:]:
            whole += payload
        try:
            return whole.decode()
        except UnicodeDecodeError:
            return None

    assert check("utf8-cut", my_text)


def test_the_zoo_and_the_header_may_be_worked_out_in_any_way() -> None:
    frame = encode_frame(Frame(Opcode.BINARY, bytes(300), fin=False), bytes.fromhex("37fa213d"))
    reading = {
        "fin": 0,
        "opcode": Opcode.BINARY,
        "masked": 1,
        "length": 0x012C,
        "payload_at": len(frame) - 300,
    }
    assert check("read-a-frame", reading)
    wrong = repr(check("spot-the-key", dict.fromkeys("ABCDEF", "yes")))
    assert "Write True or False, without quotes." in wrong
