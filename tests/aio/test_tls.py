"""Connections over TLS: certificates, handshakes that fail or never come, good-byes."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from pathlib import Path
from typing import Any, cast

import pytest

import wslab
from tests.support.aio import (
    UPGRADE,
    echo,
    nothing_escapes,
    run,
    tls_context,
    until_closed,
    wire,
)
from wslab import (
    ServerConnection,
)
from wslab.lessons.heartbeat.server_thread import server_thread


def test_tls(certificate: Path) -> None:
    async def test() -> None:
        ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ours.load_cert_chain(certificate)
        theirs = ssl.create_default_context(cafile=certificate)
        async with wslab.serve(echo, ssl=ours) as server:
            secure = f"wss://127.0.0.1:{server.port}"
            async with wslab.connect(secure, ssl=theirs) as ws:
                await ws.send("x" * 100_000)
                assert await ws.recv() == "x" * 100_000
            assert ws.close_code == 1000
            assert ws.remote_address == ("127.0.0.1", server.port)  # also when TLS has ended
            with pytest.raises(ssl.SSLCertVerificationError):
                await wslab.connect(secure)

    run(test())


def test_tls_handshake_that_never_comes(certificate: Any) -> None:
    async def test() -> None:
        ours = tls_context(certificate)
        serving = wslab.serve(echo, ssl=ours, open_timeout=0.3, close_timeout=0.2)
        async with nothing_escapes(), serving as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"\x16\x03")
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()

    run(test())


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x02\x01\x00"])
def test_tls_handshake_that_fails(certificate: Any, data: bytes) -> None:
    """The event loop tells a connection of some of these failures, and not of others."""

    async def test() -> None:
        async with nothing_escapes(), wslab.serve(echo, ssl=tls_context(certificate)) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(data)
            writer.write_eof()
            async with asyncio.timeout(5):
                await reader.read()
                while server.accepted:
                    await asyncio.sleep(0)
            writer.close()

    run(test())


def test_client_that_does_not_trust_the_certificate(certificate: Any) -> None:
    async def test() -> None:
        async with nothing_escapes(), wslab.serve(echo, ssl=tls_context(certificate)) as server:
            with pytest.raises(ssl.SSLCertVerificationError):
                await wslab.connect(f"wss://127.0.0.1:{server.port}")
            async with asyncio.timeout(5):
                while server.accepted:
                    await asyncio.sleep(0)

    run(test())


@pytest.mark.parametrize("data", [b"", b"\x16\x03", b"GET / HTTP/1.1\r\n\r\n"])
def test_shutdown_during_the_handshake_of_tls(certificate: Any, data: bytes) -> None:
    async def test() -> None:
        async with nothing_escapes(), wslab.serve(echo, ssl=tls_context(certificate)) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(data)
            while not server.accepted:
                await asyncio.sleep(0)
            server.close()
            async with asyncio.timeout(5):  # open_timeout and close_timeout are 10
                await server.wait_closed()
                with contextlib.suppress(ConnectionError):
                    await reader.read()
            assert not server.accepted
            writer.close()

    run(test())


def test_request_in_the_flight_that_ends_the_handshake_of_tls(certificate: Any) -> None:
    async def test() -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        trusting = ssl.create_default_context(cafile=certificate)
        client = trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")
        serving = wslab.serve(echo, ssl=tls_context(certificate))
        async with asyncio.timeout(5), nothing_escapes(), serving as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                try:
                    client.do_handshake()
                    if not answer:
                        client.write(UPGRADE + b"\r\n")
                        answer = b" "
                    answer += client.read()
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    incoming.write(await reader.read(2**16))
            assert answer.startswith(b" HTTP/1.1 101 ")
            writer.close()

    run(test())


def test_tls_peer_that_says_good_bye_and_never_reads(certificate: Any) -> None:
    """A transport of TLS that is closed twice cannot be aborted: it would stay for ever."""

    async def test() -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        trusting = ssl.create_default_context(cafile=certificate)
        client = trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")

        async def flood(ws: ServerConnection) -> None:
            while True:
                await ws.send(bytes(2**16))

        serving = wslab.serve(flood, ssl=tls_context(certificate), close_timeout=0.2, ping_interval=None)
        async with serving as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            while not server.connections:
                try:
                    client.do_handshake()
                    client.write(UPGRADE + b"\r\n")
                    writer.write(outgoing.read())
                    await asyncio.sleep(0.01)
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    incoming.write(await reader.read(2**16))
            (ws,) = server.connections
            cast(asyncio.Transport, writer.transport).pause_reading()
            while not ws._congested:
                await asyncio.sleep(0.01)
            client.write(wire(0x88, b"\x03\xe8"))
            with contextlib.suppress(ssl.SSLError):
                client.unwrap()
            writer.write(outgoing.read())  # a Close, and the good-bye of TLS
            await ws.wait_closed()
            writer.transport.abort()

    run(test(), seconds=10)


def test_tls_peer_that_sends_on_hears_why_it_was_failed(certificate: Any) -> None:
    """TLS on asyncio has no half-closed connection: ended at once, it would be reset by what still comes."""

    async def test() -> None:
        theirs = ssl.create_default_context(cafile=certificate)
        ours = tls_context(certificate)
        async with server_thread(wslab.serve, until_closed, ssl=ours, max_size=1000) as port:
            ws = await wslab.connect(f"wss://127.0.0.1:{port}", ssl=theirs)
            await ws.send(bytes(2000))
            time.sleep(0.1)  # this client is busy, and does not know yet
            for _ in range(3):
                await ws.send(bytes(2000))
                time.sleep(0.05)
            await ws.wait_closed()
            assert ws.close_code == 1009

    run(test())


def test_tls_peer_that_closes_is_not_kept_waiting(certificate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only one that was failed may go on sending, and has a moment to read why."""
    monkeypatch.setattr("wslab.aio.link.LINGER", 60.0)

    async def test() -> None:
        theirs = ssl.create_default_context(cafile=certificate)
        async with wslab.serve(echo, ssl=tls_context(certificate)) as server:
            async with wslab.connect(f"wss://127.0.0.1:{server.port}", ssl=theirs) as ws:
                await ws.send("x")
            assert ws.close_code == 1000

    run(test(), seconds=5)
