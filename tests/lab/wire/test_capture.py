"""A saved capture is one that tshark reads without complaint, with the same handshake and the same frames."""

from __future__ import annotations

import asyncio
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from tests.support.peers import CLIENTS, LONG, SERVERS, listening, spy_for_client
from wslab.frames import Frame, Opcode, encode_frame
from wslab.lab.wire import capture
from wslab.lab.wire.conversation import Row
from wslab.lab.wire.recording import Recording
from wslab.lab.wire.tap import Tap

HEADS = (
    b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
)
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def recorded(end: str = "FIN") -> Recording:
    recording = Recording(limit=2**20)
    recording.add(1, "client", "open", now=10.0)
    for sender, data in (("client", HEADS[0]), ("server", HEADS[1])):
        recording.add(1, sender, "bytes", data, now=10.25)  # type: ignore[arg-type]
    hello = encode_frame(Frame(Opcode.TEXT, b"Hello"), b"abcd")
    recording.add(1, "client", "bytes", hello[:4], now=10.5)
    recording.add(1, "client", "bytes", hello[4:], now=10.75)
    recording.add(1, None, "freeze", now=10.8)
    recording.add(1, "server", "bytes", encode_frame(Frame(Opcode.BINARY, LONG)), now=11.0)
    recording.add(1, "server", end, now=11.5)
    if end == "FIN":
        recording.add(1, "client", end, now=11.5)
    return recording


def tshark(path: Path, *fields: str, show: str = "websocket") -> list[list[str]]:
    arguments = ["tshark", "-r", str(path), "-Y", show, "-T", "fields"]
    for preference in ("tcp.check_checksum:TRUE", "ip.check_checksum:TRUE"):
        arguments += ["-o", preference]
    for name in fields:
        arguments += ["-e", name]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_the_file_is_a_pcap_with_the_recorded_times(tmp_path: Path) -> None:
    recording = recorded()
    capture.save(recording, tmp_path / "a.pcap")
    data = (tmp_path / "a.pcap").read_bytes()
    assert struct.unpack("!IHHiIII", data[:24]) == (0xA1B23C4D, 2, 4, 0, 0, 65535, 101)
    at, times = 24, []
    while at < len(data):
        seconds, nanoseconds, kept, size = struct.unpack("!IIII", data[at : at + 16])
        assert kept == size <= 1500
        assert data[at + 16] == 0x45
        times.append(seconds + nanoseconds / 1e9 - recording.wall_time)
        at += 16 + size
    assert times == sorted(times)
    assert times[0] == pytest.approx(0, abs=1e-5)
    assert times[-1] == pytest.approx(1.5, abs=1e-5)


def test_joined_segments_are_the_bytes_of_the_recording() -> None:
    streams = {b"\xc0\x00\x02\x01": b"", b"\xc0\x00\x02\x02": b""}
    for _, packet in capture.packets(recorded()):
        streams[packet[12:16]] += packet[20 + (packet[32] >> 4) * 4 :]
    hello = encode_frame(Frame(Opcode.TEXT, b"Hello"), b"abcd")
    assert streams[b"\xc0\x00\x02\x01"] == HEADS[0] + hello
    assert streams[b"\xc0\x00\x02\x02"] == HEADS[1] + encode_frame(Frame(Opcode.BINARY, LONG))


def test_checksums_verify() -> None:
    packets = [packet for _, packet in capture.packets(recorded())]
    assert len(packets) > 50
    for packet in packets:
        pseudo = packet[12:20] + struct.pack("!BBH", 0, 6, len(packet) - 20)
        for summed in (packet[:20], pseudo + packet[20:] + bytes(len(packet) % 2)):
            total = sum(struct.unpack(f"!{len(summed) // 2}H", summed))
            assert (total & 0xFFFF) + (total >> 16) == 0xFFFF


@needs_tshark
@pytest.mark.parametrize("end", ["FIN", "RST", "cut"])
def test_tshark_finds_nothing_wrong(end: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    if end == "cut":
        recording = recorded("FIN")
        recording.passages[-2:] = []
        recording.add(1, None, "cut", now=11.5)
    else:
        recording = recorded(end)
    capture.save(recording, path)
    assert tshark(path, "frame.number", show="tcp")
    warnings = tshark(path, "_ws.expert.message", show="_ws.expert.severity >= 6291456")
    assert [warning for warning in warnings if warning != ["Connection reset (RST)"]] == []
    assert len(warnings) == {"FIN": 0, "RST": 1, "cut": 2}[end]
    assert tshark(path, "frame.number", show="tcp.analysis.flags || _ws.malformed") == []


@needs_tshark
@pytest.mark.parametrize("peer", CLIENTS)
def test_tshark_finds_the_same_handshake_and_frames(peer: str, tmp_path: Path) -> None:
    path = tmp_path / "conversation.pcap"
    rows: list[Row] = []

    async def talk() -> None:
        listener = listening()
        async with asyncio.timeout(30), SERVERS[peer](listener), Tap(listener.getsockname()[1]) as tap:
            await CLIENTS[peer](spy_for_client(), tap.port)
            await tap.closed()
            tap.save(path)
            rows.extend(tap.conversation())

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(talk())
    heads = tshark(path, "http.request.uri", "http.response.code", "http.sec_websocket_key", show="http")
    assert [head[:2] for head in heads] == [["/chat", ""], ["", "101"]]
    dissections = [row.dissection for row in rows if row.dissection is not None]
    key = next(field.value for field in dissections[0].fields if field.value.endswith("=="))
    assert heads[0][2] in ("", key)  # older versions of tshark do not name this field
    frames = [piece.frame for piece in dissections if piece.frame is not None]
    found = tshark(path, "websocket.opcode", "websocket.mask", "ip.src")
    assert [int(opcode) for opcode, _, _ in found] == [frame.opcode for frame in frames]
    senders = [row.sender for row in rows if row.kind == "frame"]
    assert ["client" if address == "192.0.2.1" else "server" for _, _, address in found] == senders
    assert [mask in ("1", "True") for _, mask, _ in found] == [sender == "client" for sender in senders]
