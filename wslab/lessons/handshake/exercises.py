"""The exercises of lesson 02, the opening handshake (RFC 6455 §1.3, §4, §10.2).

This module knows the questions, their typical wrong answers and their hints, from easy to hard. The right
answers come from ``wslab.handshake`` wherever it has a function for them. The solutions stand in the
notebook. ``KEYS`` is the material of one question. What is asked about whole requests and responses is in
``lesson02_heads``. Nothing here waits for more bytes.
"""

from __future__ import annotations

import base64
import hashlib

from wslab.handshake import GUID, accept_digest, accept_key
from wslab.lab.exercises.exercise import Case, Exercise, Mistake, equals, returns

__all__ = ["COURSE_KEY", "EXERCISES", "KEYS", "RFC_KEY"]

RFC_KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # §1.3
COURSE_KEY = "x3JJHMbDL1EzLkh9GBhXDw=="


def _in_base64(data: bytes) -> str:
    """Give the SHA-1 digest of bytes in base64, for typical mistakes."""
    return base64.b64encode(hashlib.sha1(data).digest()).decode()


ACCEPT_KEY = Exercise(
    name="accept-key",
    lesson="02",
    title="Compute the accept key",
    asks="my_accept_key(key)",
    judge=returns(
        *(Case((key,), accept_key(key)) for key in (RFC_KEY, COURSE_KEY, "AQIDBAUGBwgJCgsMDQ4PEA=="))
    ),
    section="RFC 6455 §4.2.2, point 5.4",
    hints=(
        "The key is not decoded: its 24 characters are put in front of the GUID as they stand.",
        "hashlib.sha1(...) has .digest(), 20 bytes; base64.b64encode takes bytes and gives bytes.",
    ),
    mistakes=(
        Mistake(
            lambda key: hashlib.sha1((key + GUID).encode()).hexdigest(),
            "This is the digest in hexadecimal; the header carries its 20 bytes in base64.",
        ),
        Mistake(
            lambda key: base64.b64encode(
                hashlib.sha1(base64.b64decode(key) + GUID.encode()).digest()
            ).decode(),
            "You decoded the key first; its characters are used as they stand.",
        ),
        Mistake(
            lambda key: base64.b64encode(hashlib.sha1((key + GUID).encode()).hexdigest().encode()).decode(),
            "You encoded the 40 hexadecimal characters; take the 20 bytes of .digest().",
        ),
        Mistake(
            lambda key: _in_base64((key + GUID.lower()).encode()),
            "The GUID is written with capital letters.",
        ),
        Mistake(lambda key: _in_base64((GUID + key).encode()), "The key comes first, the GUID behind it."),
        Mistake(lambda key: _in_base64(key.encode()), "The GUID is missing: it stands behind the key."),
        Mistake(
            lambda key: accept_digest(key), "These are the 20 bytes of the digest; encode them in base64."
        ),
        Mistake(
            lambda key: str(base64.b64encode(accept_digest(key))),
            "str(...) writes b'…' around the bytes: make a text of them with .decode().",
        ),
        Mistake(
            lambda key: base64.b64encode(hashlib.sha256((key + GUID).encode()).digest()).decode(),
            "This is SHA-256; the RFC takes SHA-1, which gives 20 bytes.",
        ),
        Mistake(
            lambda key: base64.urlsafe_b64encode(accept_digest(key)).decode(),
            "This is the alphabet for URLs, with - and _; the header has + and / (RFC 4648 §4).",
        ),
        Mistake(
            lambda key: f"Sec-WebSocket-Accept: {accept_key(key)}",
            "This is the whole header; only its value is asked.",
        ),
        Mistake(
            lambda key: base64.b64encode(accept_digest(key)),
            "A header is text: decode what b64encode gives.",
        ),
    ),
    why="It proves that the server read this very request and speaks WebSocket. It keeps nothing secret.",
)

KEYS = {
    "A": RFC_KEY,
    "B": "AQIDBAUGBwgJCgsMDQ4PEC==",
    "C": COURSE_KEY,
    "D": "c2V2ZW50ZWVuIG9jdGV0cy4=",
    "E": "____________________-w==",
    "F": "////////////////////+w==",
}
"""Six values of Sec-WebSocket-Key; three of them are not what base64 makes of 16 bytes."""

_KEY_REASONS = {
    "A": "It decodes to 16 bytes, and they encode to the same characters.",
    "B": "Decode it and encode the result again. Compare the last character before the padding.",
    "C": "It decodes to 16 bytes, and they encode to the same characters.",
    "D": "How many bytes does it decode to?",
    "E": "Which alphabet is this? Base64 has + and / as its last two characters (RFC 4648 §4).",
    "F": "It looks odd, and decodes to 16 bytes, which encode to the same characters.",
}

SPOT_THE_KEY = Exercise(
    name="spot-the-key",
    lesson="02",
    title="Spot the keys that no client may send",
    judge=equals(
        {"A": True, "B": False, "C": True, "D": False, "E": False, "F": True},
        _KEY_REASONS,
        noun="key",
    ),
    section="RFC 6455 §4.1, point 7; RFC 4648 §3.5 and §4",
    hints=(
        "A key is what base64 makes of 16 bytes: decode each, count, and encode again.",
        "16 bytes are 128 bits, 24 characters carry 132: what must the last 4 bits be? (RFC 4648 §3.5)",
    ),
    mistakes=(
        Mistake(
            {"A": True, "B": True, "C": True, "D": False, "E": False, "F": True},
            "B is an example in RFC 6455 itself: its bytes are right, but they encode to another text.",
        ),
        Mistake(
            {"A": True, "B": False, "C": True, "D": True, "E": False, "F": True},
            "The length in characters is not enough; count the bytes.",
        ),
    ),
    why="§4.1 prints B as an example. Many servers decode it all the same; no base64 encoder writes it.",
)

CHOOSE_SUBPROTOCOL = Exercise(
    name="choose-subprotocol",
    lesson="02",
    title="Choose the subprotocol as a server",
    asks="my_choose_subprotocol(offered, supported)",
    judge=returns(
        Case((["superchat", "chat"], ["chat"]), "chat"),
        Case((["soap", "wamp", "stomp"], ["mqtt", "wamp", "soap", "stomp"]), "wamp"),
        Case((["soap"], ["chat"]), None),
        Case((["chat"], ["Chat"]), None),
        Case((["superchat"], ["chat"]), None),
        Case((["chat"], ["superchat"]), None),
        Case((["chat"], []), None),
        Case(([], ["chat"]), None),
        Case((["a", "b", "c"], ["b", "c", "a"]), "b"),
        Case((["a", "b", "c"], ["c", "a", "b"]), "c"),
        Case((["b", "a"], ["a", "b"]), "a"),
        Case((["chat"], ["chat", "soap"]), "chat"),
        Case((["chat.v2"], ["chat"]), None),
        Case((["chat"], ["chat.v2"]), None),
        keeps=True,
    ),
    section="RFC 6455 §4.2.2, points 4 and 5.5",
    hints=(
        "Go through your own names in order of preference, and stop at the first that the client offered.",
        "No name in common is no fault of the server: it then answers without a subprotocol. Return None.",
    ),
    mistakes=(
        Mistake(
            lambda offered, supported: next((name for name in offered if name in supported), None),
            "This name comes first in the client's order; here the server's own order decides.",
        ),
        Mistake(
            lambda offered, supported: next((name for name in supported[::-1] if name in offered), None),
            "This is the last of your own names that was offered; stop at the first.",
        ),
        Mistake(
            lambda offered, supported: offered[0] if offered else None,
            "This is the client's first choice. The server chooses, and only what it speaks.",
        ),
        Mistake(
            lambda offered, supported: next(
                (name for name in supported if name.lower() in map(str.lower, offered)), None
            ),
            "Capitals count: chat was offered, Chat was not.",
        ),
        Mistake(
            lambda offered, supported: next(
                (n for n in supported if n in offered or any(n in o and n != o.lower() for o in offered)),
                None,
            ),
            "Names are compared whole: chat is only a part of superchat.",
        ),
        Mistake(
            lambda offered, supported: next((name for name in supported if name in offered), ""),
            "None says that none was chosen; an empty name is no legal value (§4.2.2, point 4).",
        ),
        Mistake(
            lambda offered, supported: next(
                (name for name in supported if name in offered), supported[0] if supported else None
            ),
            "A client fails the connection when the server names a subprotocol that it did not offer (§4.1).",
        ),
        Mistake(
            lambda offered, supported: supported[0], "Only a name that the client offered may be chosen."
        ),
    ),
    why="Never answer with a name that was not offered: the client must then fail the connection (§4.1).",
)

SITE = "https://chat.example"

_FOREIGN = {
    "https://evil.example": "Then a page of any site can use your server in the name of its visitor.",
    "https://chat.example.evil.example": "Whoever owns evil.example can give a machine this name.",
    "https://evil.example/?https://chat.example": "It only ends with the origin of your site.",
    "http://chat.example": "The scheme is part of the origin, and this one is not https.",
    "https://chat.example:8443": "The port is part of the origin: another server may listen there.",
    "https://chat": "It is only how the origin of your site begins.",
    "https://chat-example": "In a regular expression a dot stands for any character.",
    "null": "A browser writes null where it does not say which site a page is from.",
    "https://evilchat.example": "Anybody can own a name that only ends like yours.",
    "https://dev.chat.example": "Another machine of your domain is another origin, with pages of its own.",
    "https://www.chat.example": "This is another host: an origin is compared whole.",
    "https://chat.example.attacker.net": "Whoever owns attacker.net can give a machine this name.",
    "https://chat.example@evil.org": "What stands before the @ is a user name; the host is evil.org.",
}
"""Origins that are not that of the site, and what is wrong with letting them in."""

ALLOW_ORIGIN = Exercise(
    name="allow-origin",
    lesson="02",
    title="Let in the pages of your own site only",
    asks="my_allows(origin)",
    judge=returns(
        Case((SITE,), True),
        *(Case((origin,), False) for origin in _FOREIGN),
    ),
    section="RFC 6455 §4.2.2, point 4, and §10.2; RFC 6454 §4",
    hints=(
        "An origin is scheme, host and port. Two origins are the same when all three are (RFC 6454 §5).",
        "A browser writes an origin in one way only: compare the whole text.",
    ),
    mistakes=(
        Mistake(
            lambda origin: origin == SITE + "/",
            "Your own site is refused. An origin has its scheme in front, and no slash behind it.",
        ),
        *(
            Mistake(lambda origin, let_in=let_in: origin in (SITE, let_in), sentence)
            for let_in, sentence in _FOREIGN.items()
        ),
    ),
    why="Only browsers are bound to send a true Origin (§4.1, point 8): it protects their users alone.",
)


EXERCISES = (ACCEPT_KEY, SPOT_THE_KEY, CHOOSE_SUBPROTOCOL, ALLOW_ORIGIN)
