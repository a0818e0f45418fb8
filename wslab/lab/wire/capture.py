"""Write a recording as a capture file that Wireshark and tshark open and dissect as WebSocket.

A tap sees bytes, not packets. So the packets around them are made up, as they could have been: SYN, SYN and
ACK, ACK at the opening; segments of at most 1,460 bytes, each answered by an ACK; FIN or RST at the end;
sequence numbers and checksums as they must be (RFC 9293 §3, RFC 1071). The bytes and the times are those
recorded.

The client is 192.0.2.1, the server 192.0.2.2, port 80: addresses for documentation (RFC 5737), which nobody
mistakes for real ones, and the port at which Wireshark expects HTTP. The format is the classic pcap with
nanoseconds, packets beginning with IPv4. What passed after the recording was full is missing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from wslab.lab.dissector.stream import Sender
from wslab.lab.wire.recording import OTHER, Passage, Recording

__all__ = ["packets", "save"]

ADDRESSES = {"client": bytes([192, 0, 2, 1]), "server": bytes([192, 0, 2, 2])}
SERVER_PORT = 80
SEGMENT = 1460  # bytes in one packet: 1,500 of Ethernet, less 20 for IPv4 and 20 for TCP
NANOSECONDS = 0xA1B2_3C4D  # the magic number of a pcap whose times are in nanoseconds
LINKTYPE_RAW = 101  # packets begin with the IP header

FIN, SYN, RST, PSH, ACK = 0b00001, 0b00010, 0b00100, 0b01000, 0b10000
# Maximum segment size 1,460; a window scale of 7 lets the window of 65,535 stand for 8 MiB (RFC 7323 §2).
OPTIONS = struct.pack("!BBHBBBB", 2, 4, SEGMENT, 3, 3, 7, 1)


def save(recording: Recording, path: str | PathLike[str]) -> None:
    """Write what a tap has recorded so far to a file; an old one is replaced."""
    with Path(path).open("wb") as file:
        file.write(struct.pack("!IHHiIII", NANOSECONDS, 2, 4, 0, 0, 2**16 - 1, LINKTYPE_RAW))
        for time, packet in packets(recording):
            seconds, nanoseconds = divmod(round(1e9 * (recording.wall_time + time)), 10**9)
            file.write(struct.pack("!IIII", seconds, nanoseconds, len(packet), len(packet)) + packet)


def packets(recording: Recording) -> Iterator[tuple[float, bytes]]:
    """Yield the packets of a recording, each with its time in seconds since the first thing recorded."""
    connections: dict[int, _Packets] = {}
    for passage in recording.passages:
        connection = connections.setdefault(passage.connection, _Packets(passage.connection))
        for packet in connection.packets(passage):
            yield passage.time, packet


class _Packets:
    """The packets of one connection, with its sequence numbers."""

    def __init__(self, number: int) -> None:
        self._ports = {"client": 49152 + number % 16384, "server": SERVER_PORT}
        self._next = {"client": 1000, "server": 2000}  # the next sequence number of each side

    def packets(self, passage: Passage) -> Iterator[bytes]:
        """Yield the packets of one passage."""
        sender = passage.sender
        if passage.event == "open":
            yield self._packet("client", SYN)
            yield self._packet("server", SYN | ACK)
            yield self._packet("client", ACK)
        elif passage.event in ("refused", "unreachable"):
            yield self._packet("server", RST | ACK)
        elif passage.event == "cut":
            yield self._packet("server", RST | ACK)
            yield self._packet("client", RST | ACK)
        elif sender is None:
            return  # the network froze or thawed: no packet shows that
        elif passage.event == "RST":
            yield self._packet(sender, RST | ACK)
        elif passage.event == "FIN":
            yield self._packet(sender, FIN | ACK)
            yield self._packet(OTHER[sender], ACK)
        elif passage.event == "bytes":
            for at in range(0, len(passage.data), SEGMENT):
                yield self._packet(sender, PSH | ACK, passage.data[at : at + SEGMENT])
            yield self._packet(OTHER[sender], ACK)

    def _packet(self, sender: Sender, flags: int, data: bytes = b"") -> bytes:
        receiver = OTHER[sender]
        options = OPTIONS if flags & SYN else b""
        acknowledged = self._next[receiver] if flags & ACK else 0
        ports = self._ports[sender], self._ports[receiver]
        offset = (20 + len(options)) // 4 << 4
        start = struct.pack("!HHIIBBH", *ports, self._next[sender], acknowledged, offset, flags, 65535)
        rest = struct.pack("!H", 0) + options + data  # no urgent pointer
        addresses = ADDRESSES[sender] + ADDRESSES[receiver]
        length = len(start) + 2 + len(rest)
        pseudo = addresses + struct.pack("!BBH", 0, 6, length)  # RFC 9293 §3.1
        segment = start + _checksum(pseudo + start + rest) + rest
        # One sequence number for each byte, and one for SYN and for FIN (RFC 9293 §3.4).
        self._next[sender] = (self._next[sender] + len(data) + bool(flags & (SYN | FIN))) % 2**32
        ip = struct.pack("!BBHHHBB", 0x45, 0, 20 + length, 0, 0x4000, 64, 6)  # IPv4, "don't fragment", TCP
        return ip + _checksum(ip + addresses) + addresses + segment


def _checksum(data: bytes) -> bytes:
    """Return the Internet checksum: the one's complement sum of 16-bit words, inverted (RFC 1071).

    >>> _checksum(bytes.fromhex("0001f203f4f5f6f7")).hex()
    '220d'
    """
    # A number modulo 0xFFFF is the sum of its 16-bit digits with the carries added, as 9 is for decimal
    # digits.
    padded = data + bytes(len(data) % 2)
    return struct.pack("!H", 0xFFFF - int.from_bytes(padded, "big") % 0xFFFF)
