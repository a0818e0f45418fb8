"""The opening handshake: an HTTP request, its answer and the two judgements (RFC 6455 §1.3, §4, §9.1, §11.3).

This module knows what a client asks for, what a server must find in the request, and what a client must find
in the answer. The keys are left to ``accept``, reading and writing the lines of a head to ``http``, and
everything after the handshake to ``frames`` and ``connection``. A request or a response goes in whole, a
response or a verdict comes out.

The accept key proves that the server read this request and speaks WebSocket. It is a SHA-1 digest in base64,
not encryption, and it authenticates nobody (§1.3, §10.8).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wslab.accept import GUID, accept_digest, accept_key, generate_key, is_valid_key
from wslab.http import TOKEN, HandshakeError, Headers, Request, RequestReader, Response, ResponseReader, match

TYPE_CHECKING = False  # wslab/__init__.py says why it is not imported
if TYPE_CHECKING:
    from typing import Literal

    from wslab.deflate import Deflate

__all__ = [
    "GUID",
    "HandshakeError",
    "Headers",
    "Request",
    "RequestReader",
    "Response",
    "ResponseReader",
    "accept_digest",
    "accept_key",
    "build_request",
    "generate_key",
    "is_valid_key",
    "judge_request",
    "judge_response",
    "origin_form",
]

VERSION = "13"  # the only version of the protocol in use (§4.1)

_PARAMETER = rf'{TOKEN}(?:[ \t]*=[ \t]*(?:{TOKEN}|"{TOKEN}"))?'
_EXTENSION = rf"{TOKEN}(?:[ \t]*;[ \t]*{_PARAMETER})*"  # §9.1
# A name, an IPv4 address or an IPv6 address in brackets, and perhaps a port (RFC 9110 §7.2, RFC 3986 §3.2.2).
_HOST = r"(?:\[[-0-9A-Za-z:.%~_]+\]|[-0-9A-Za-z._~%!$&'()*+,;=]*)(?::[0-9]*)?"
_PATH = r"/[!\x22$-~]*"  # path and query, no fragment (§3)
_ABSOLUTE = rf"(?i:https?)://(?=[^/?:])({_HOST})((?:{_PATH}|\?[!\x22$-~]*)?)"  # RFC 9112 §3.2.2


# -- the client's request (§4.1) ----------------------------------------------------------------------------


def build_request(
    host: str,
    path: str = "/",
    *,
    key: str,
    subprotocols: Sequence[str] | None = None,
    origin: str | None = None,
    additional_headers: Iterable[tuple[str, str]] = (),
    compression: Deflate | None = None,
) -> Request:
    """Build the request that opens a WebSocket connection (§4.1).

    Args:
        host: host, and port unless it is the default, as in "example.com:8080".
        path: path and query.
        key: from :func:`generate_key`.
        subprotocols: names to offer, the preferred first.
        origin: the value of the Origin header, which only browsers must send.
        additional_headers: further pairs of name and value, in this order.
        compression: the parameters of permessage-deflate to offer (RFC 7692 §5.1).

    Raises:
        ValueError: a value that cannot be sent, a subprotocol that is not a token or is named twice, or an
            additional header that the handshake writes itself.
        TypeError: the subprotocols are one string instead of a list.

    >>> request = build_request("example.com", "/chat", key=generate_key())
    >>> list(request.headers)
    ['Host', 'Upgrade', 'Connection', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version']
    """
    if not match(_PATH, path):
        problem = "does not begin with /, or has a fragment (#), a space or a character that is not ASCII"
        raise ValueError(f"path {path!r} {problem}")
    if not match(_HOST, host):
        raise ValueError(f"{host!r} cannot be sent in header Host")
    fields = [
        ("Host", host),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", key),
        ("Sec-WebSocket-Version", VERSION),
    ]
    if origin is not None:
        fields.append(("Origin", origin))
    if subprotocols:
        fields.append(("Sec-WebSocket-Protocol", ", ".join(check_subprotocols(subprotocols))))
    if compression is not None:
        fields.append(("Sec-WebSocket-Extensions", compression.offer()))
    more = list(additional_headers)
    _check_additional(more, {name.lower() for name, _ in fields})
    return Request(path, Headers([*fields, *more]))


# The headers that the handshake writes itself, and where their values come from.
_OURS = {
    "host": "the host is given by the URI",
    "upgrade": "it is always websocket",
    "connection": "it is always Upgrade",
    "sec-websocket-key": "each connection has a new one",
    "sec-websocket-version": f"it is always {VERSION}",
    "sec-websocket-protocol": "use the argument subprotocols",
    "origin": "use the argument origin",
}


def _check_additional(fields: Iterable[tuple[str, str]], written: set[str]) -> None:
    for name, _ in fields:
        if name.lower() in written.union(_OURS):
            instead = _OURS.get(name.lower(), "the argument compression says it")
            raise ValueError(f"additional_headers has {name}, which the handshake writes itself: {instead}")


def check_subprotocols(names: Sequence[str]) -> Sequence[str]:
    """Return the names if they may be offered: different tokens (§4.1, point 10).

    Raises:
        TypeError: one string instead of a list of names.
        ValueError: a name that is not a token, or one that is there twice.

    >>> check_subprotocols(["chat", "superchat"])
    ['chat', 'superchat']
    """
    if isinstance(names, str):
        raise TypeError(f"subprotocols is the string {names!r}; give a list of names: [{names!r}]")
    for name in names:
        if not match(TOKEN, name):
            raise ValueError(f"subprotocol {name!r} is not a token")
    if len(set(names)) != len(names):
        raise ValueError("a subprotocol is named twice")
    return names


def check_origins(origins: Sequence[str | None]) -> Sequence[str | None]:
    """Return the origins if they are a list: in a string, ``in`` would also find parts of it (§10.2).

    Raises:
        TypeError: one string instead of a list of origins.

    >>> check_origins(["https://example.com", None])
    ['https://example.com', None]
    """
    if isinstance(origins, str):
        raise TypeError(f"origins is the string {origins!r}; give a list: [{origins!r}]")
    return origins


# -- the server's judgement (§4.2.1, §4.2.2) ----------------------------------------------------------------


def judge_request(
    request: Request,
    *,
    subprotocols: Sequence[str] | None = None,
    origins: Sequence[str | None] | None = None,
    compression: Deflate | None = None,
) -> Response:
    """Judge a request as a server must: answer 101, or refuse and say why in one sentence (§4.2).

    Args:
        request: the whole request, from a :class:`RequestReader`.
        subprotocols: the names that the server speaks, the preferred first; it chooses among those offered.
        origins: the Origins to accept, with None in the list for requests without one. Without a list, any
            Origin is accepted (§10.2).
        compression: the server's own parameters of permessage-deflate; None declines every offer.

    Returns:
        101 with the accept key, or 400, 403, 405, 426 or 505.

    Raises:
        TypeError: the subprotocols or the origins are one string instead of a list.
        ValueError: a subprotocol that is not a token, or one that is there twice.

    >>> key = "dGhlIHNhbXBsZSBub25jZQ=="
    >>> judge_request(build_request("example.com", key=key)).headers["Sec-WebSocket-Accept"]
    's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    >>> judge_request(Request("/", Headers([("Host", "example.com")]))).status
    426
    """
    check_subprotocols(subprotocols or ())
    check_origins(origins or ())
    try:
        _check_http(request)
        _check_upgrade(request.headers)
        key = _single(request.headers, "Sec-WebSocket-Key")
        if not is_valid_key(key):
            raise HandshakeError("Sec-WebSocket-Key is not 16 bytes in base64 (§4.2.1)", 400)
        _check_version(request.headers)
        _check_origin(request.headers, origins)
        offers = _extensions(request.headers)
        chosen = _choose_subprotocol(request.headers, subprotocols or ())
    except HandshakeError as error:
        status = error.status or 400
        return Response.text(status, f"{error}\n", _help(status, request.headers))
    fields = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", accept_key(key)),
    ]
    if chosen is not None:
        fields.append(("Sec-WebSocket-Protocol", chosen))
    if compression is not None and (answer := compression.answer(offers)):
        fields.append(("Sec-WebSocket-Extensions", answer))
    return Response(101, "Switching Protocols", Headers(fields))


def _help(status: int, headers: Headers) -> list[tuple[str, str]]:
    """Return the headers that a refusal must have (RFC 9110 §15.5.6, §15.5.22; RFC 6455 §4.4)."""
    version = ("Sec-WebSocket-Version", VERSION)
    if status == 405:
        return [("Allow", "GET")]
    if status == 426:
        return [("Upgrade", "websocket"), ("Connection", "Upgrade"), version]
    return [version] if len(headers.get_all("Sec-WebSocket-Version")) > 1 else []


def origin_form(request: Request) -> Request:
    """Return a request whose target is a whole http URI with path and query alone, the authority as Host.

    A request whose target or Host :func:`judge_request` will refuse is returned as it is (RFC 9112 §3.2.2).

    >>> request = origin_form(Request("http://example.com/chat?room=1", Headers([("Host", "other.example")])))
    >>> request.path, request.headers["Host"]
    ('/chat?room=1', 'example.com')
    """
    absolute, hosts = match(_ABSOLUTE, request.path), request.headers.get_all("Host")
    if not absolute or len(hosts) != 1 or not match(_HOST, hosts[0]):
        return request
    authority, path = absolute.groups()
    fields = [
        (name, authority if name.lower() == "host" else value) for name, value in request.headers.items()
    ]
    return request._replace(path=path if path.startswith("/") else f"/{path}", headers=Headers(fields))


def _check_http(request: Request) -> None:
    if not _is_http_1_1(request.version):
        raise HandshakeError(f"{request.version} cannot be upgraded: use HTTP/1.1 (§4.2.1)", 505)
    if request.method != "GET":
        raise HandshakeError(f"the method is {request.method}, not GET (§4.2.1)", 405)
    if not match(_PATH, request.path) and not match(_ABSOLUTE, request.path):
        raise HandshakeError("the request target is neither a path nor an http URI (§4.2.1)", 400)
    if not match(_HOST, _single(request.headers, "Host")):
        raise HandshakeError("header Host is not a host and a port (RFC 9112 §3.2)", 400)
    if "Transfer-Encoding" in request.headers or request.headers.get("Content-Length", "0") != "0":
        raise HandshakeError("the request has a body; frames begin right after the head (§4.1)", 400)


def _check_upgrade(headers: Headers) -> None:
    if "Upgrade" not in headers:
        raise HandshakeError("this is a WebSocket endpoint: header Upgrade is missing (§4.2.1)", 426)
    if "websocket" not in _lowered(headers, "Upgrade"):
        raise HandshakeError("header Upgrade does not name websocket (§4.2.1)", 426)
    if "upgrade" not in _lowered(headers, "Connection"):
        raise HandshakeError("header Connection does not name Upgrade (§4.2.1)", 400)


def _check_version(headers: Headers) -> None:
    if "Sec-WebSocket-Version" not in headers:
        raise HandshakeError("header Sec-WebSocket-Version is missing: this server speaks 13 (§4.2.2)", 426)
    if (version := _single(headers, "Sec-WebSocket-Version")) != VERSION:
        raise HandshakeError(f"Sec-WebSocket-Version is {version[:20]!r}, this server speaks 13 (§4.4)", 426)


def _check_origin(headers: Headers, origins: Sequence[str | None] | None) -> None:
    found = headers.get_all("Origin")
    if len(found) > 1:
        raise HandshakeError("header Origin is there more than once (RFC 6454 §7.3)", 400)
    if origins is not None and (found[0] if found else None) not in origins:
        raise HandshakeError("this Origin is not let in (§4.2.2)", 403)


def _extensions(headers: Headers, status: int = 400) -> list[str]:
    """Return the extensions that a head names, if they are well-formed (§9.1)."""
    named = _elements(headers, "Sec-WebSocket-Extensions")
    if not all(match(_EXTENSION, extension) for extension in named):
        raise HandshakeError("Sec-WebSocket-Extensions is malformed (§9.1)", status)
    return named


def _choose_subprotocol(headers: Headers, supported: Sequence[str]) -> str | None:
    offered = _elements(headers, "Sec-WebSocket-Protocol")
    if len(set(offered)) != len(offered) or not all(match(TOKEN, name) for name in offered):
        raise HandshakeError("Sec-WebSocket-Protocol is no list of different tokens (§4.1)", 400)
    return next((name for name in supported if name in offered), None)


# -- the client's judgement (§4.1) --------------------------------------------------------------------------


def judge_response(
    response: Response,
    key: str,
    *,
    subprotocols: Sequence[str] | None = None,
    compression: Deflate | None = None,
) -> str | None:
    """Judge a response as a client must, and return the subprotocol that the server chose (§4.1).

    Args:
        response: the head of the response, from a :class:`ResponseReader`.
        key: the Sec-WebSocket-Key that was sent.
        subprotocols: the names that were offered.
        compression: the parameters of permessage-deflate that were offered.

    Returns:
        The chosen subprotocol, or None.

    Raises:
        HandshakeError: the server refused (with ``status``), or its 101 breaks a rule (``status`` is 101).

    >>> key = "dGhlIHNhbXBsZSBub25jZQ=="
    >>> judge_response(judge_request(build_request("example.com", key=key)), key)
    >>> judge_response(Response(101, "Switching Protocols", Headers([])), key)
    Traceback (most recent call last):
    wslab.http.HandshakeError: header Upgrade is missing (§4.1)
    """
    headers = response.headers
    if response.status != 101:
        answer = f"{response.status} {response.reason[:80]}".rstrip()
        raise HandshakeError(f"the server answered {answer}", response.status)
    if not _is_http_1_1(response.version):
        raise HandshakeError(f"{response.version} cannot switch protocols, only 1.1 can (RFC 9110 §7.8)", 101)
    if _single(headers, "Upgrade", "§4.1", 101).lower() != "websocket":
        raise HandshakeError("header Upgrade is not websocket (§4.1)", 101)
    if "upgrade" not in _lowered(headers, "Connection"):
        raise HandshakeError("header Connection does not name Upgrade (§4.1)", 101)
    if _single(headers, "Sec-WebSocket-Accept", "§4.1", 101) != accept_key(key):
        raise HandshakeError("Sec-WebSocket-Accept does not answer the key that was sent (§4.1)", 101)
    agreed_compression(response, compression, "client")
    if "Sec-WebSocket-Protocol" not in headers:
        return None
    chosen = _single(headers, "Sec-WebSocket-Protocol", "§4.1", 101)
    if chosen not in (subprotocols or ()):
        raise HandshakeError(f"subprotocol {chosen[:40]!r} was not offered (§4.1)", 101)
    return chosen


def agreed_compression(
    response: Response, compression: Deflate | None, side: Literal["client", "server"]
) -> Deflate | None:
    """Return the parameters of compression that a response sets for both ends; None without compression.

    Raises:
        HandshakeError: it names another extension, or goes beyond what was offered (§4.1; RFC 7692 §5.1, §7).
    """
    named = _extensions(response.headers, 101)
    if not named:
        return None
    if compression is None or len(named) > 1:
        raise HandshakeError("the server uses an extension that was not offered (§4.1)", 101)
    return compression.agree(named[0], side)


def _is_http_1_1(version: str) -> bool:
    """Return whether this version of HTTP/1 knows Upgrade: every one from 1.1 on (RFC 9110 §7.8)."""
    return version.startswith("HTTP/1.") and version != "HTTP/1.0"


# -- header fields ------------------------------------------------------------------------------------------


def _single(headers: Headers, name: str, section: str = "§4.2.1", status: int = 400) -> str:
    """Return the value of a field that must occur exactly once; raise HandshakeError if it does not."""
    values = headers.get_all(name)
    if not values:
        raise HandshakeError(f"header {name} is missing ({section})", status)
    if len(values) > 1:
        raise HandshakeError(f"header {name} is there {len(values)} times ({section})", status)
    return values[0]


def _elements(headers: Headers, name: str) -> list[str]:
    """Split the values of a header at their commas, and skip empty elements (RFC 9110 §5.6.1)."""
    if name not in headers:
        return []
    elements = [part.strip(" \t") for part in headers[name].split(",")]
    return [element for element in elements if element] or [""]


def _lowered(headers: Headers, name: str) -> list[str]:
    return [element.lower() for element in _elements(headers, name)]
