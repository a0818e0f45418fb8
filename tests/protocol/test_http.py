"""Heads of HTTP messages: any cut gives the same verdict, what is malformed is refused, memory is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wslab
from tests.support.aio import (
    UPGRADE,
    echo,
    raw,
    run,
)
from tests.support.strategies import cut
from wslab import ServerConnection
from wslab.http import HandshakeError, Headers, Request, RequestReader, Response, ResponseReader

HEAD = b"GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\nX-A:one \t\r\nx-a: two\r\nEmpty:\r\n\r\n"


def refusal(data: bytes) -> Response:
    answer = RequestReader().feed(data)
    assert isinstance(answer, Response)
    return answer


class TestHeaders:
    def test_names_without_case_and_repeated_fields(self) -> None:
        headers = Headers([("Accept", "a"), ("Host", "h"), ("ACCEPT", "b")])
        assert headers["accept"] == "a, b"
        assert headers.get_all("Accept") == ["a", "b"]
        assert headers.get("Origin", "none") == "none"
        assert ("host" in headers, "origin" in headers, 3 in headers) == (True, False, False)
        assert (list(headers), len(headers)) == (["Accept", "Host", "ACCEPT"], 3)
        assert headers == Headers(headers.items())
        with pytest.raises(KeyError):
            headers["Origin"]

    @pytest.mark.parametrize("name", ["", "A B", "A:", "Ä", "A\r\n"])
    def test_name_that_cannot_be_written(self, name: str) -> None:
        with pytest.raises(ValueError, match="is not a token"):
            Headers([(name, "x")])

    @pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\0b", " a", "a\t", "€"])
    def test_value_that_cannot_be_written(self, value: str) -> None:
        with pytest.raises(ValueError, match="value of header Authorization") as caught:
            Headers([("Authorization", value)])
        assert repr(value) not in str(caught.value)
        assert "Cookie" not in str(caught.value)


class TestRequestReader:
    def test_a_request(self) -> None:
        reader = RequestReader()
        request = reader.feed(HEAD + b"\x81\x80")
        assert isinstance(request, Request)
        assert (request.method, request.path, request.version) == ("GET", "/chat?room=1", "HTTP/1.1")
        assert request.headers.items() == [
            ("Host", "example.com"),
            ("X-A", "one"),
            ("x-a", "two"),
            ("Empty", ""),
        ]
        assert reader.rest == b"\x81\x80"

    def test_round_trip(self) -> None:
        request = Request("/", Headers([("Host", "h"), ("Name", "ü")]))
        assert RequestReader().feed(request.encode()) == request

    @pytest.mark.parametrize(
        "head",
        [
            b"GET /?token=SECRET HTTP/1.1 \r\n",
            b"GET /SECRET HTTP/1.1 \r\n",
            b"GET/?token=SECRET HTTP/1.1\r\n",
            b"Authorization: SECRET\r\n",
            b"GET / HTTP/1.1\r\nAuthorization : SECRET\r\n",
            b"GET / HTTP/1.1\r\nAuthorization SECRET\r\n",
            b"GET / HTTP/1.1\r\nAuthorization: Bearer\r\n SECRET\r\n",
            b"GET / HTTP/1.1\r\nAuthorization: SECRET\0\r\n",
        ],
    )
    def test_what_may_be_a_credential_is_not_quoted(self, head: bytes) -> None:
        """The sentence stands in a log."""
        assert b"SECRET" not in refusal(head).encode()

    def test_a_wrong_line_is_named_by_its_number(self) -> None:
        assert refusal(b"GET / HTTP/1.1\r\nHost: a\r\nHost b\r\n").body.startswith(b"line 3 of the head")

    def test_one_empty_line_before_it_is_ignored(self) -> None:
        assert isinstance(RequestReader().feed(b"\r\n" + HEAD), Request)
        assert refusal(b"\r\n\r\n" + HEAD).status == 400

    @given(st.data())
    def test_any_split(self, data: st.DataObject) -> None:
        reader = RequestReader()
        answers = [answer for piece in data.draw(cut(HEAD)) if (answer := reader.feed(piece))]
        assert answers == [RequestReader().feed(HEAD)]

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"\x16\x03\x01\x02\x00", "TLS handshake"),
            (b"\x00", "byte 00 begins no HTTP request"),
            (b"\x81\x85", "byte 81 begins no HTTP request"),
            (b"hello\r\n", "no request line"),
            (b"GET  / HTTP/1.1\r\n", "no request line"),
            (b"GET / HTTP/1.1 \r\n", "no request line"),
            (b"GET /a b HTTP/1.1\r\n", "no request line"),
            (b"GET / http/1.1\r\n", "no request line"),
            (b"GET / HTTP/1.1\n", "CR LF"),
            (b"GET / HTTP/1.1\r\nHost: a\n\r\n", "CR LF"),
            (b"GET / HTTP/1.1\r\nHost: a\rb\r\n", "CR LF"),
            (b"GET / HTTP/1.1\r\nHost : a\r\n", "not a header field"),
            (b"GET / HTTP/1.1\r\nHost\r\n", "not a header field"),
            (b"GET / HTTP/1.1\r\n: a\r\n", "not a header field"),
            (b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n", "not a header field"),
            (b"GET / HTTP/1.1\r\nHost: a\x00\r\n", "not allowed"),
            (b"GET / HTTP/1.1\r\nHost: a\x7f\r\n", "not allowed"),
        ],
    )
    def test_what_is_refused_at_once(self, data: bytes, words: str) -> None:
        answer = refusal(data)
        assert answer.status == 400
        assert words in answer.body.decode()
        assert answer.headers["Connection"] == "close"
        assert answer.headers["Content-Length"] == str(len(answer.body))

    def test_limits(self) -> None:
        lines = [b"GET / HTTP/1.1\r\n"] + [b"A: b\r\n"] * 100
        assert isinstance(RequestReader().feed(b"".join(lines) + b"\r\n"), Request)
        assert refusal(b"".join(lines) + b"A: b\r\n").status == 431
        assert refusal(b"GET /" + b"a" * 65536).status == 431
        assert refusal(b"GET / HTTP/1.1\r\nA: " + b"a" * 65536).status == 431
        fits = 65536 - len(b"GET / HTTP/1.1\r\nA: \r\n\r\n")
        assert isinstance(RequestReader().feed(b"GET / HTTP/1.1\r\nA: " + b"a" * fits + b"\r\n\r\n"), Request)
        assert refusal(b"GET / HTTP/1.1\r\nA: " + b"a" * (fits + 1) + b"\r\n\r\n").status == 431

    def test_a_refusal_stands(self) -> None:
        reader = RequestReader()
        first = reader.feed(b"nonsense\r\n")
        assert isinstance(first, Response)
        assert reader.feed(HEAD) is first

    @given(st.binary(max_size=400), st.data())
    def test_never_raises_and_judges_alike_however_cut(self, raw: bytes, data: st.DataObject) -> None:
        whole = RequestReader().feed(raw)
        reader = RequestReader()
        answers = [answer for piece in data.draw(cut(raw)) if (answer := reader.feed(piece))]
        assert (answers[0] if answers else None) == whole


class TestResponseReader:
    def test_a_response(self) -> None:
        reader = ResponseReader()
        assert reader.feed(b"HTTP/1.1 101 Switching") is None
        response = reader.feed(b" Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x00")
        assert response == Response(101, "Switching Protocols", Headers([("Upgrade", "websocket")]))
        assert reader.rest == b"\x81\x00"

    @pytest.mark.parametrize("line", ["HTTP/1.1 200 ", "HTTP/1.1 200"])
    def test_without_reason(self, line: str) -> None:
        response = ResponseReader().feed(f"{line}\r\n\r\n".encode())
        assert response
        assert (response.status, response.reason) == (200, "")

    @pytest.mark.parametrize(
        "data", [b"SSH-2.0-server\r\n", b"HTTP/1.1 20 OK\r\n", b"HTTP/1.1 200 OK\n\n", b"x" * 65537]
    )
    def test_malformed(self, data: bytes) -> None:
        with pytest.raises(HandshakeError):
            ResponseReader().feed(data)

    def test_round_trip(self) -> None:
        response = Response.text(405, "use GET\n", [("Allow", "GET")])
        reader = ResponseReader()
        assert reader.feed(response.encode()) == response._replace(body=b"")
        assert reader.rest == b"use GET\n" == response.body


def test_what_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="request line"):
        Request("/a b", Headers()).encode()
    with pytest.raises(ValueError, match="request line"):
        Request("/", Headers(), method="GET /x HTTP/1.1\r\nA: b\r\n").encode()
    for version in ("HTTP/1.1\r\nA: b", "HTTP/\u0661.1"):
        with pytest.raises(ValueError, match="request line"):
            Request("/", Headers(), version=version).encode()
    with pytest.raises(ValueError, match="status line"):
        Response(200, "OK\r\nA: b", Headers()).encode()
    with pytest.raises(ValueError, match="status line"):
        Response(42, "OK", Headers()).encode()


# -- opening handshakes over TCP ----------------------------------------------------------------------------

SMUGGLED = b"GET /secret HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        UPGRADE + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
        UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        UPGRADE + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + SMUGGLED,
        UPGRADE + b"X: a\r\n folded\r\n\r\n",
        UPGRADE + b"X: a\0b\r\n\r\n",
        UPGRADE + b"X : a\r\n\r\n",
        UPGRADE + b"X: a\rSec-WebSocket-Protocol: b\r\n\r\n",
        UPGRADE + b"X: a\n\r\n",
        UPGRADE + b"Host: y\r\n\r\n",
        UPGRADE.replace(b"Host: x", b"Host: x y") + b"\r\n",
        UPGRADE.replace(b"GET", b"get") + b"\r\n",
        UPGRADE.replace(b"GET /", b"GET  /") + b"\r\n",
        UPGRADE.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n",
        UPGRADE.replace(b"13\r", b"13, 8\r") + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_request_that_is_not_what_it_seems(head: bytes) -> None:
    """It gets one refusal, TCP ends, and nothing behind the head is read as another request."""

    async def test() -> None:
        asked = []

        def look(ws: ServerConnection, request: wslab.Request) -> None:
            asked.append(request.path)

        async with wslab.serve(echo, process_request=look) as server:
            answer = await raw(server, head)
            assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505"))
            assert answer.count(b"\r\nContent-Length: ") == 1
            assert "/secret" not in asked
            assert server.connections == set()

    run(test())
