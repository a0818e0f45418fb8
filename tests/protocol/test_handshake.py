"""The opening handshake against the RFC's own example, and every header broken in turn, on both sides."""

from typing import Any

import pytest

from wslab.deflate import Deflate
from wslab.handshake import (
    HandshakeError,
    Headers,
    Request,
    RequestReader,
    Response,
    ResponseReader,
    accept_key,
    build_request,
    judge_request,
    judge_response,
    origin_form,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="

RFC_REQUEST = (  # §1.3
    b"GET /chat HTTP/1.1\r\n"
    b"Host: server.example.com\r\n"
    b"Upgrade: websocket\r\n"
    b"Connection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Origin: http://example.com\r\n"
    b"Sec-WebSocket-Protocol: chat, superchat\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
    b"\r\n"
)
RFC_RESPONSE = (
    b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: websocket\r\n"
    b"Connection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    b"Sec-WebSocket-Protocol: chat\r\n"
    b"\r\n"
)


def changed(headers: Headers, name: str, value: str | None) -> Headers:
    """Give a header another value, or take it away."""
    kept = [(field, old) for field, old in headers.items() if field != name]
    return Headers(kept if value is None else [*kept, (name, value)])


def sentence(response: Response) -> str:
    return response.body.decode()


class TestClient:
    def test_request_of_the_rfc(self) -> None:
        request = build_request(
            "server.example.com",
            "/chat",
            key=KEY,
            origin="http://example.com",
            subprotocols=["chat", "superchat"],
            additional_headers=[("X-A", "b")],
        )
        assert sorted(request.encode().split(b"\r\n")) == sorted([*RFC_REQUEST.split(b"\r\n"), b"X-A: b"])

    def test_faults_of_the_caller(self) -> None:
        with pytest.raises(TypeError, match=r"give a list of names: \['chat'\]"):
            build_request("h", key=KEY, subprotocols="chat")
        with pytest.raises(ValueError, match="'a b' is not a token"):
            build_request("h", key=KEY, subprotocols=["a b"])
        with pytest.raises(ValueError, match="named twice"):
            build_request("h", key=KEY, subprotocols=["a", "a"])
        with pytest.raises(ValueError, match="does not begin with /"):
            build_request("h", "chat", key=KEY)
        with pytest.raises(ValueError, match="fragment"):
            build_request("h", "/chat#top", key=KEY)

    @pytest.mark.parametrize(
        ("name", "argument"),
        [
            ("Host", "URI"),
            ("upgrade", "always websocket"),
            ("Connection", "always Upgrade"),
            ("Sec-WebSocket-Key", "a new one"),
            ("Sec-WebSocket-Version", "always 13"),
            ("SEC-WEBSOCKET-PROTOCOL", "argument subprotocols"),
            ("Origin", "argument origin"),
        ],
    )
    def test_a_header_that_the_handshake_writes_itself_is_no_additional_one(
        self, name: str, argument: str
    ) -> None:
        with pytest.raises(ValueError, match=f"additional_headers has {name}, .*{argument}"):
            build_request("h", key=KEY, additional_headers=iter([("X-A", "b"), (name, "x")]))

    def test_an_offer_of_its_own_beside_compression(self) -> None:
        offer = [("Sec-WebSocket-Extensions", "x-other")]
        assert "x-other" in str(build_request("h", key=KEY, additional_headers=offer).headers)
        with pytest.raises(ValueError, match="the argument compression says it"):
            build_request("h", key=KEY, additional_headers=offer, compression=Deflate())

    @pytest.mark.parametrize("path", ["/a b", "/ü", "/a\r\nX: y", "/\x7f", "/a\tb"])
    def test_path_that_cannot_be_written(self, path: str) -> None:
        with pytest.raises(ValueError, match="space or a character that is not ASCII"):
            build_request("h", path, key=KEY)

    @pytest.mark.parametrize(
        "host", ["h\r\nX: y", "a b", "bücher.example", "h/x", "user@h", "h:80:80", "::1"]
    )
    def test_host_that_cannot_be_written(self, host: str) -> None:
        with pytest.raises(ValueError, match="header Host"):
            build_request(host, key=KEY)


class TestServer:
    """§4.2.1 and §4.2.2."""

    def test_response_of_the_rfc(self) -> None:
        request = RequestReader().feed(RFC_REQUEST)
        assert isinstance(request, Request)
        assert judge_request(request, subprotocols=["chat"]).encode() == RFC_RESPONSE

    @pytest.mark.parametrize(
        ("name", "value", "status", "words"),
        [
            ("Host", None, 400, "header Host is missing"),
            ("Host", "a b", 400, "Host is not a host and a port"),
            ("Host", "a/b", 400, "Host is not a host and a port"),
            ("Host", "user@a", 400, "Host is not a host and a port"),
            ("Host", "a:b", 400, "Host is not a host and a port"),
            ("Host", "[::1", 400, "Host is not a host and a port"),
            ("Host", "\xff", 400, "Host is not a host and a port"),
            ("Upgrade", None, 426, "header Upgrade is missing"),
            ("Upgrade", "h2c", 426, "does not name websocket"),
            ("Connection", None, 400, "does not name Upgrade"),
            ("Connection", "keep-alive", 400, "does not name Upgrade"),
            ("Sec-WebSocket-Key", None, 400, "header Sec-WebSocket-Key is missing"),
            ("Sec-WebSocket-Key", "", 400, "not 16 bytes in base64"),
            ("Sec-WebSocket-Key", "c2hvcnQ=", 400, "not 16 bytes in base64"),
            ("Sec-WebSocket-Key", KEY.rstrip("="), 400, "not 16 bytes in base64"),
            ("Sec-WebSocket-Version", None, 426, "header Sec-WebSocket-Version is missing"),
            ("Sec-WebSocket-Version", "8", 426, "this server speaks 13"),
            ("Sec-WebSocket-Version", "013", 426, "this server speaks 13"),
            ("Sec-WebSocket-Protocol", "chat, chat", 400, "no list of different tokens"),
            ("Sec-WebSocket-Protocol", "a b", 400, "no list of different tokens"),
            ("Sec-WebSocket-Protocol", ",", 400, "no list of different tokens"),
        ],
    )
    def test_each_header_broken(self, name: str, value: str | None, status: int, words: str) -> None:
        request = RequestReader().feed(RFC_REQUEST)
        assert isinstance(request, Request)
        response = judge_request(request._replace(headers=changed(request.headers, name, value)))
        assert response.status == status
        assert words in sentence(response)
        assert "close" in response.headers["Connection"]
        if status == 426:
            assert response.headers["Sec-WebSocket-Version"] == "13"
            assert response.headers["Upgrade"] == "websocket"
            assert "Upgrade" in response.headers["Connection"]

    @pytest.mark.parametrize(
        ("part", "value", "status"),
        [
            ("version", "HTTP/1.0", 505),
            ("version", "HTTP/2.0", 505),
            ("method", "POST", 405),
            ("method", "get", 405),
            ("path", "chat", 400),
            ("path", "*", 400),
            ("path", "/#top", 400),
            ("path", "ws://h/chat", 400),
            ("path", "http://", 400),
            ("path", "http:///chat", 400),
            ("path", "http://:80/chat", 400),
            ("path", "http://user@h/", 400),
            ("path", "http://h/#top", 400),
            ("path", "http://h h/", 400),
        ],
    )
    def test_request_line(self, part: str, value: str, status: int) -> None:
        request = build_request("h", key=KEY)
        request = Request(**{**request._asdict(), part: value})
        assert judge_request(request).status == status

    def test_method_not_allowed_says_which_is(self) -> None:
        request = build_request("h", key=KEY)._replace(method="POST")
        assert judge_request(request).headers["Allow"] == "GET"

    @pytest.mark.parametrize("path", ["/", "/?a=1", "//", "http://h/chat", "HTTPS://h:1/", "http://[::1]?a"])
    def test_targets_that_are_fine(self, path: str) -> None:
        assert judge_request(build_request("h", key=KEY)._replace(path=path)).status == 101

    @pytest.mark.parametrize(
        "host", ["h", "h:80", "127.0.0.1:8080", "[::1]:80", "[::1]", "a_b.example.", "h:", ""]
    )
    def test_hosts_that_are_fine(self, host: str) -> None:
        assert judge_request(build_request(host, key=KEY)).status == 101

    @pytest.mark.parametrize(
        ("lists", "words"),
        [
            ({"subprotocols": "chat"}, r"give a list of names: \['chat'\]"),
            ({"origins": "http://good.example"}, r"give a list: \['http://good.example'\]"),
        ],
    )
    def test_string_where_a_list_belongs(self, lists: dict[str, Any], words: str) -> None:
        """Else "http://good" would be let in where "http://good.example" was meant."""
        with pytest.raises(TypeError, match=words):
            judge_request(build_request("h", key=KEY, origin="http://good"), **lists)

    @pytest.mark.parametrize("name", ["Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Origin"])
    def test_header_that_is_there_twice(self, name: str) -> None:
        request = build_request("h", key=KEY, origin="http://h")
        request.headers[name] = "x"
        response = judge_request(request)
        assert response.status == 400
        assert name in sentence(response)

    @pytest.mark.parametrize("versions", [[], ["8"], ["13, 8"], ["13", "13"], ["8", "13"]])
    def test_each_refusal_for_the_sake_of_the_version_names_13(self, versions: list[str]) -> None:
        """§4.2.2 and §4.4."""
        request = build_request("h", key=KEY)
        del request.headers["Sec-WebSocket-Version"]
        for version in versions:
            request.headers["Sec-WebSocket-Version"] = version
        response = judge_request(request)
        assert response.status == (400 if len(versions) > 1 else 426)
        assert response.headers.get_all("Sec-WebSocket-Version") == ["13"]

    @pytest.mark.parametrize("field", [("Content-Length", "5"), ("Transfer-Encoding", "chunked")])
    def test_body(self, field: tuple[str, str]) -> None:
        assert judge_request(build_request("h", key=KEY, additional_headers=[field])).status == 400

    @pytest.mark.parametrize(
        ("name", "value"), [("Upgrade", "WebSocket"), ("Connection", "keep-alive, UPGRADE")]
    )
    def test_values_without_case_in_a_list(self, name: str, value: str) -> None:
        request = build_request("h", key=KEY)
        assert judge_request(request._replace(headers=changed(request.headers, name, value))).status == 101

    @pytest.mark.parametrize(
        ("origins", "origin", "status"),
        [
            (None, "http://evil.example", 101),
            (None, None, 101),
            (["http://good.example"], "http://good.example", 101),
            (["http://good.example"], "http://evil.example", 403),
            (["http://good.example"], "http://good.example.evil.example", 403),
            (["http://good.example"], None, 403),
            (["http://good.example", None], None, 101),
            ([], "http://good.example", 403),
        ],
    )
    def test_origin(self, origins: list[str | None] | None, origin: str | None, status: int) -> None:
        """§10.2: only a browser tells the truth here."""
        assert judge_request(build_request("h", key=KEY, origin=origin), origins=origins).status == status

    @pytest.mark.parametrize(
        ("offered", "supported", "chosen"),
        [
            (["a", "b"], ["b", "a"], "b"),
            (["a", "b"], ["c"], None),
            (["a"], None, None),
            (None, ["a"], None),
            (["A"], ["a"], None),
        ],
    )
    def test_subprotocol(
        self, offered: list[str] | None, supported: list[str] | None, chosen: str | None
    ) -> None:
        response = judge_request(build_request("h", key=KEY, subprotocols=offered), subprotocols=supported)
        assert (response.status, response.headers.get("Sec-WebSocket-Protocol")) == (101, chosen)

    def test_subprotocols_offered_in_several_fields(self) -> None:
        request = build_request("h", key=KEY, subprotocols=["a"])
        request.headers["Sec-WebSocket-Protocol"] = "b"
        assert judge_request(request, subprotocols=["b"]).headers["Sec-WebSocket-Protocol"] == "b"

    @pytest.mark.parametrize(
        ("offer", "status"),
        [
            ("permessage-deflate; client_max_window_bits", 101),
            ('permessage-deflate; server_max_window_bits="10", x-other;a=b', 101),
            ("permessage-deflate;", 400),
            ("a b", 400),
            ("a; b=", 400),
            ('a; b="c d"', 400),
            ("", 400),
        ],
    )
    def test_extensions_are_declined_or_malformed(self, offer: str, status: int) -> None:
        """§9.1."""
        request = build_request("h", key=KEY, additional_headers=[("Sec-WebSocket-Extensions", offer)])
        response = judge_request(request)
        assert response.status == status
        assert "Sec-WebSocket-Extensions" not in response.headers


class TestAbsoluteTarget:
    """RFC 9112 §3.2.2: proxies send it, and a server must understand it."""

    @pytest.mark.parametrize(
        ("target", "host", "path"),
        [
            ("http://h", "h", "/"),
            ("http://h/", "h", "/"),
            ("HTTPS://h:81/a/b?c=d", "h:81", "/a/b?c=d"),
            ("http://[::1]:80?x=http://y/", "[::1]:80", "/?x=http://y/"),
            ("http://h//other.example/", "h", "//other.example/"),
        ],
    )
    def test_is_reduced_to_path_and_query(self, target: str, host: str, path: str) -> None:
        request = origin_form(build_request("received", key=KEY, origin="http://h")._replace(path=target))
        assert (request.path, request.headers.get_all("Host")) == (path, [host])
        assert list(request.headers) == list(build_request("h", key=KEY, origin="http://h").headers)
        assert judge_request(request).status == 101

    @pytest.mark.parametrize("hosts", [[], ["h", "h"], ["a b"]])
    def test_excuses_no_wrong_host(self, hosts: list[str]) -> None:
        request = build_request("x", key=KEY)._replace(path="http://h/")
        del request.headers["Host"]
        for host in hosts:
            request.headers["Host"] = host
        assert origin_form(request) == request
        assert judge_request(request).status == 400

    @pytest.mark.parametrize("path", ["/a", "//h/a", "*", "http://", "http://user@h/", "/http://h/"])
    def test_other_targets_stay_as_they_are(self, path: str) -> None:
        request = build_request("x", key=KEY)._replace(path=path)
        assert origin_form(request) is request


class TestClientJudgement:
    """§4.1."""

    def response(self, name: str = "", value: str | None = None) -> Response:
        answer = judge_request(build_request("h", key=KEY, subprotocols=["chat"]), subprotocols=["chat"])
        return answer._replace(headers=changed(answer.headers, name, value))

    def test_fine(self) -> None:
        assert judge_response(self.response(), KEY, subprotocols=["chat"]) == "chat"
        assert judge_response(self.response("Sec-WebSocket-Protocol"), KEY, subprotocols=["chat"]) is None
        assert judge_response(self.response("Upgrade", "WEBSOCKET"), KEY, subprotocols=["chat"]) == "chat"

    @pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/2.0", "HTTP/0.9"])
    def test_version_that_knows_no_upgrade(self, version: str) -> None:
        reader = ResponseReader()
        response = reader.feed(self.response().encode().replace(b"HTTP/1.1", version.encode()))
        assert response
        with pytest.raises(HandshakeError, match=f"{version} cannot switch protocols") as caught:
            judge_response(response, KEY, subprotocols=["chat"])
        assert caught.value.status == 101

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("Upgrade", None, "Upgrade is missing"),
            ("Upgrade", "h2c", "Upgrade is not websocket"),
            ("Connection", None, "does not name Upgrade"),
            ("Connection", "close", "does not name Upgrade"),
            ("Sec-WebSocket-Accept", None, "Accept is missing"),
            ("Sec-WebSocket-Accept", accept_key("another"), "does not answer the key"),
            ("Sec-WebSocket-Accept", accept_key(KEY).lower(), "does not answer the key"),
            ("Sec-WebSocket-Protocol", "superchat", "'superchat' was not offered"),
            ("Sec-WebSocket-Protocol", "chat, chat", "was not offered"),
        ],
    )
    def test_each_header_broken(self, name: str, value: str | None, words: str) -> None:
        with pytest.raises(HandshakeError, match=words) as caught:
            judge_response(self.response(name, value), KEY, subprotocols=["chat"])
        assert caught.value.status == 101

    @pytest.mark.parametrize(
        ("field", "words"),
        [
            (("Sec-WebSocket-Extensions", "permessage-deflate"), "an extension that was not offered"),
            (("Sec-WebSocket-Extensions", "a b"), "Extensions is malformed"),
            (("Sec-WebSocket-Protocol", "chat"), "Protocol is there 2 times"),
            (("Sec-WebSocket-Accept", "x"), "Accept is there 2 times"),
            (("Upgrade", "websocket"), "Upgrade is there 2 times"),
        ],
    )
    def test_what_must_not_be_there(self, field: tuple[str, str], words: str) -> None:
        response = self.response()
        response = response._replace(headers=Headers([*response.headers.items(), field]))
        with pytest.raises(HandshakeError, match=words) as caught:
            judge_response(response, KEY, subprotocols=["chat"])
        assert caught.value.status == 101

    def test_a_refusal_keeps_its_status(self) -> None:
        with pytest.raises(HandshakeError, match="the server answered 403 Forbidden") as caught:
            judge_response(Response.text(403, "no"), KEY)
        assert caught.value.status == 403
