"""What a connection costs besides its messages: memory while it is idle, and time while another one floods.

Each server has a process of its own here. Memory is what the process takes more with 500 connections than
with none, after some have come and gone. The time is that of a good client's echo on the clock, since it
waits for it: beside it another client sends empty frames as fast as they are taken.
"""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Callable, Iterator

from benchmarks import measure
from benchmarks.clients import REQUEST, Clients
from benchmarks.measure import ANY, Row, compare
from benchmarks.network import SERVINGS
from benchmarks.server import STATM, ServerProcess
from wslab import Frame, Opcode, encode_frame

__all__ = ["connection_rows"]

IDLE = 500  # connections
TRIPS = 50  # of the good client, for one measurement
PATIENCE = 2.0  # seconds in which it makes them; after that, those that it has made have to do


def connection_rows() -> Iterator[Row]:
    repeats = min(5, measure.REPEATS)  # each starts a process
    if STATM.exists():
        candidates = {name: _idle(name) for name in SERVINGS}
        yield compare("memory of an idle connection", candidates, ANY, unit="KiB", repeats=repeats)
    floods = {name: _beside_flood(name) for name in SERVINGS}
    yield compare("echo beside a flood of empty messages", floods, ANY, unit="ms", repeats=repeats)


def _idle(name: str) -> Callable[[], float]:
    def run() -> float:
        server = ServerProcess(name)
        clients = Clients(server.port, 20)  # load what is loaded when it is first needed
        clients.open(20)
        before = server.memory()
        idle = Clients(server.port, IDLE)
        after = server.memory()
        for process in (clients, idle, server):
            process.close()
        return (after - before) / IDLE

    return run


def _beside_flood(name: str) -> Callable[[], float]:
    def run() -> float:
        server = ServerProcess(name)
        flooding = Clients(server.port, 1)
        try:
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.sendall(REQUEST)
                while not client.recv(4096).endswith(b"\r\n\r\n"):
                    pass
                flooding.flood()
                trips, end = [_round_trip(client)], time.perf_counter() + PATIENCE
                while len(trips) < TRIPS and time.perf_counter() < end:
                    trips.append(_round_trip(client))
                return statistics.median(trips)
        finally:
            flooding.kill()
            server.close()

    return run


def _round_trip(client: socket.socket) -> float:
    start = time.perf_counter()
    client.sendall(encode_frame(Frame(Opcode.BINARY, bytes(32)), b"abcd"))
    missing = 34
    while missing:
        missing -= len(client.recv(missing))
    return time.perf_counter() - start
