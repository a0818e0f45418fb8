"""Examples written for ``websockets`` run on both packages, with clients of both: only the import differs."""

from __future__ import annotations

import asyncio
import json
from types import ModuleType
from typing import Any

import pytest
import websockets
import websockets.asyncio.server

import wslab

PACKAGES = {"wslab": wslab, "websockets": websockets}
both_servers = pytest.mark.parametrize("served", PACKAGES)
both_clients = pytest.mark.parametrize("connected", PACKAGES)


def run(test: Any) -> None:
    async def within_bounds() -> None:
        async with asyncio.timeout(30):
            await test

    asyncio.run(within_bounds())


def broadcast_of(package: ModuleType) -> Any:
    return wslab.broadcast if package is wslab else websockets.asyncio.server.broadcast


def uri(server: Any, path: str = "/") -> str:
    return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}{path}"


@both_clients
@both_servers
class TestExamples:
    def test_echo(self, served: str, connected: str) -> None:
        async def echo(ws: Any) -> None:
            async for message in ws:
                await ws.send(message)

        async def test() -> None:
            async with PACKAGES[served].serve(echo, "127.0.0.1", 0, compression=None) as server:
                async with PACKAGES[connected].connect(uri(server)) as ws:
                    for message in ("Hello", b"\0\1", "µ" * 70000):
                        await ws.send(message)
                        assert await ws.recv() == message
                    waiter = await ws.ping()
                    assert 0 < await waiter < 30
                assert ws.close_code == 1000

        run(test())

    def test_clock(self, served: str, connected: str) -> None:
        async def clock(ws: Any) -> None:
            ticks = 0
            try:
                while True:
                    await ws.send(f"tick {ticks}")
                    ticks += 1
                    await asyncio.sleep(0.001)
            except PACKAGES[served].ConnectionClosed as closed:
                ended.append(closed)

        ended: list[Any] = []

        async def test() -> None:
            async with PACKAGES[served].serve(clock, "127.0.0.1", 0) as server:
                async with PACKAGES[connected].connect(uri(server)) as ws:
                    assert [await ws.recv() for _ in range(3)] == ["tick 0", "tick 1", "tick 2"]
                while not ended:
                    await asyncio.sleep(0.001)

        run(test())
        assert len(ended) == 1

    def test_chat(self, served: str, connected: str) -> None:
        package = PACKAGES[served]
        room: set[Any] = set()

        async def chat(ws: Any) -> None:
            name = json.loads(await ws.recv())["join"]
            room.add(ws)
            try:
                broadcast_of(package)(room, json.dumps({"joined": name, "path": ws.request.path}))
                async for message in ws:
                    broadcast_of(package)(room, json.dumps({"from": name, "say": json.loads(message)["say"]}))
            finally:
                room.discard(ws)
                broadcast_of(package)(room, json.dumps({"left": name}))

        async def test() -> None:
            connect = PACKAGES[connected].connect
            async with (
                package.serve(chat, "127.0.0.1", 0) as server,
                connect(uri(server, "/room")) as ann,
            ):
                await ann.send(json.dumps({"join": "Ann"}))
                assert json.loads(await ann.recv()) == {"joined": "Ann", "path": "/room"}
                async with connect(uri(server, "/room")) as bob:
                    await bob.send(json.dumps({"join": "Bob"}))
                    assert json.loads(await ann.recv()) == {"joined": "Bob", "path": "/room"}
                    await bob.send(json.dumps({"say": "hi"}))
                    assert json.loads(await ann.recv()) == {"from": "Bob", "say": "hi"}
                    assert "joined" in json.loads(await bob.recv())
                    assert json.loads(await bob.recv()) == {"from": "Bob", "say": "hi"}
                assert json.loads(await ann.recv()) == {"left": "Bob"}

        run(test())
        assert room == set()

    def test_broadcast(self, served: str, connected: str) -> None:
        package = PACKAGES[served]
        clients: set[Any] = set()

        async def register(ws: Any) -> None:
            clients.add(ws)
            try:
                await ws.wait_closed()
            finally:
                clients.remove(ws)

        async def test() -> None:
            async with package.serve(register, "127.0.0.1", 0) as server:
                listeners = [await PACKAGES[connected].connect(uri(server)) for _ in range(5)]
                while len(clients) < 5:
                    await asyncio.sleep(0.001)
                for number in range(10):
                    broadcast_of(package)(clients, str(number))
                for ws in listeners:
                    assert [await ws.recv() for _ in range(10)] == [str(number) for number in range(10)]
                    await ws.close()

        run(test())

    def test_giving_up_a_client(self, served: str, connected: str) -> None:
        async def give_up(ws: Any) -> None:
            assert ws.transport.get_write_buffer_size() == 0
            ws.transport.abort()

        async def test() -> None:
            async with PACKAGES[served].serve(give_up, "127.0.0.1", 0) as server:
                async with PACKAGES[connected].connect(uri(server)) as ws:
                    await ws.wait_closed()
                assert ws.close_code == 1006

        run(test())

    def test_sending_after_a_close(self, served: str, connected: str) -> None:
        """The sender hears how the connection ended, not that it had not ended yet."""
        package = PACKAGES[served]
        endings: list[Any] = []

        async def tick(ws: Any) -> None:
            try:
                while True:
                    await ws.send("tick")
                    await asyncio.sleep(0)
            except package.ConnectionClosedOK as closed:
                endings.append(closed)

        async def handler(ws: Any) -> None:
            ticker = asyncio.create_task(tick(ws))
            await ws.recv()
            await ws.close(1001)
            await ticker

        async def test() -> None:
            async with package.serve(handler, "127.0.0.1", 0) as server:
                async with PACKAGES[connected].connect(uri(server)) as ws:
                    await ws.send("close, please")
                    async for _ in ws:
                        pass
                assert ws.close_code == 1001

        run(test())
        assert len(endings) == 1

    def test_serving_for_ever(self, served: str, connected: str) -> None:
        async def test() -> None:
            async with (
                PACKAGES[served].serve(lambda ws: ws.wait_closed(), "127.0.0.1", 0) as server,
                PACKAGES[connected].connect(uri(server)) as ws,
            ):
                asyncio.get_running_loop().call_later(0.01, server.close)
                await server.serve_forever()
                await ws.wait_closed()
                assert ws.close_code == 1001

        run(test())

    def test_client_that_fails(self, served: str, connected: str) -> None:
        codes = []

        async def handler(ws: Any) -> None:
            await ws.wait_closed()
            codes.append(ws.close_code)

        async def test() -> None:
            async with PACKAGES[served].serve(handler, "127.0.0.1", 0) as server:
                with pytest.raises(ZeroDivisionError):
                    async with PACKAGES[connected].connect(uri(server)):
                        raise ZeroDivisionError
                while not codes:
                    await asyncio.sleep(0.001)

        run(test())
        assert codes == [1011]

    def test_broadcast_of_clients(self, served: str, connected: str) -> None:
        heard: list[Any] = []

        async def handler(ws: Any) -> None:
            heard.extend([message async for message in ws])

        async def test() -> None:
            async with PACKAGES[served].serve(handler, "127.0.0.1", 0) as server:
                upstreams = [await PACKAGES[connected].connect(uri(server)) for _ in range(2)]
                for message in ("news", b"\0\1"):
                    broadcast_of(PACKAGES[connected])(upstreams, message)
                for ws in upstreams:
                    await ws.close()
                broadcast_of(PACKAGES[connected])(upstreams, "too late")
                while len(heard) < 4:
                    await asyncio.sleep(0.001)

        run(test())
        assert heard == ["news", b"\0\1"] * 2

    def test_page_and_endings(self, served: str, connected: str) -> None:
        package = PACKAGES[served]

        def health(connection: Any, request: Any) -> Any:
            if request.path != "/health":
                return None
            response = connection.respond(200, "fine\n")
            response.headers["X-Served-By"] = "a test"
            del response.headers["Content-Type"]
            response.headers["Content-Type"] = "text/plain"
            return response

        async def say_why(ws: Any) -> None:
            await ws.close(4000 + int(await ws.recv()), "why")

        async def test() -> None:
            async with package.serve(say_why, "127.0.0.1", 0, process_request=health) as server:
                reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
                assert (head.count(b"\r\nX-Served-By: a test"), body) == (1, b"fine\n")
                assert head.count(b"Content-Type") == head.count(b"\r\nContent-Type: text/plain") == 1
                writer.close()
                async with PACKAGES[connected].connect(uri(server)) as ws:
                    await ws.send("7")
                    with pytest.raises(PACKAGES[connected].ConnectionClosed):
                        await ws.recv()
                    assert (ws.close_code, ws.close_reason) == (4007, "why")

        run(test())
