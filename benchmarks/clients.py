"""The clients of the echo and the broadcast: bare sockets that know the bytes of one frame.

They have a process of their own, so that a server under measurement has its interpreter to itself: two
threads of one process take turns, and each turn costs the server processor time that is not its own. What the
clients cost is not measured. The process takes one order a line, and answers each with a line in the end.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys

from tools.course import ROOT
from wslab import Frame, Opcode, encode_frame

__all__ = ["REQUEST", "Clients"]

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Clients:
    """Connections to one server, in another process.

    Args:
        port: of the server, on 127.0.0.1.
        connections: how many.
    """

    def __init__(self, port: int, connections: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.clients", str(port), str(connections)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=ROOT,
        )
        self._wait()

    def echo(self, rounds: int, size: int, in_flight: int) -> None:
        """Send messages of so many bytes on each connection, and read what comes back, round by round."""
        self._order(f"echo {rounds} {size} {in_flight}")

    def read(self, size: int) -> None:
        """Read so many bytes from each connection."""
        self._order(f"read {size}")

    def open(self, number: int) -> None:
        """Open so many more connections and close them, one after the other."""
        self._order(f"open {number}")

    def flood(self) -> None:
        """Begin to send empty messages, as fast as they are taken, without end."""
        self._order("flood")

    def kill(self) -> None:
        """End the process at once, in the midst of a flood too."""
        self._process.kill()
        self._process.communicate()

    def close(self) -> None:
        self._process.communicate()

    def _order(self, order: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(order + "\n")
        self._wait()

    def _wait(self) -> None:
        assert self._process.stdout
        if self._process.stdout.readline() != "done\n":
            raise SystemExit("the clients of the benchmark have failed")


CLOSE = encode_frame(Frame(Opcode.CLOSE, b"\x03\xe8"), bytes(4))
EMPTY = encode_frame(Frame(Opcode.BINARY, b""), bytes(4))


def _connect(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.sendall(REQUEST)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _receive(client, 4096)
    return client


def _receive(client: socket.socket, most: int) -> bytes:
    data = client.recv(most)
    if not data:
        raise SystemExit("the server has closed a connection of the benchmark")
    return data


def _read(client: socket.socket, size: int) -> None:
    while size:
        size -= len(_receive(client, min(size, 2**18)))


def _echo(clients: list[socket.socket], rounds: int, size: int, in_flight: int) -> None:
    data = encode_frame(Frame(Opcode.BINARY, os.urandom(size)), os.urandom(4)) * in_flight
    answer = len(encode_frame(Frame(Opcode.BINARY, bytes(size)))) * in_flight
    for _ in range(rounds):
        for client in clients:
            client.sendall(data)
        for client in clients:
            _read(client, answer)


def _open(port: int, number: int) -> None:
    for _ in range(number):
        with _connect(port) as client:
            client.sendall(CLOSE)
            while client.recv(4096):
                pass


def _flood(client: socket.socket) -> None:
    """Send until this process is killed, and read what comes back."""
    print("done", flush=True)
    client.setblocking(False)
    data, sent = memoryview(EMPTY * 10_000), 0
    while True:
        readable, writable, _ = select.select([client], [client], [])
        if readable:
            _receive(client, 2**18)
        if writable:
            sent = (sent + client.send(data[sent:])) % len(data)


def main() -> None:
    port, connections = map(int, sys.argv[1:])
    clients = [_connect(port) for _ in range(connections)]
    print("done", flush=True)
    for line in sys.stdin:
        order, *numbers = line.split()
        if order == "echo":
            _echo(clients, *map(int, numbers))
        elif order == "open":
            _open(port, int(numbers[0]))
        elif order == "flood":
            _flood(clients[0])
        else:
            for client in clients:
                _read(client, int(numbers[0]))
        print("done", flush=True)


if __name__ == "__main__":
    main()
