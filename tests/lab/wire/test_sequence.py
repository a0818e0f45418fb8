"""The sequence diagram says in words what it draws, and its labels stand clear of each other."""

from __future__ import annotations

import itertools

import pytest
from matplotlib.colors import to_rgba

from wslab.frames import Frame, Opcode, encode_frame
from wslab.lab.dissector.stream import dissect
from wslab.lab.views.figure import Figure
from wslab.lab.views.palette import GRID, LEGEND
from wslab.lab.wire.conversation import Conversation, Row, caption
from wslab.lab.wire.sequence import DASHES, MAX_ROWS, draw_conversation


def row(time: float, sender: str, kind: str, what: str, meaning: str = "", **more: object) -> Row:
    arrived = more.get("arrived", time + 20)
    return Row(time, arrived, int(str(more.get("connection", 1))), sender, kind, 9, what, meaning)  # type: ignore[arg-type]


def talk(count: int = 3, *, times: bool = False) -> Conversation:
    rows = [
        row(0, "client", "head", "GET /chat", "asks to upgrade to WebSocket"),
        row(21, "server", "head", "101 Switching Protocols"),
        *(row(40 + n / 10, "client", "frame", "TEXT", '"' + "W" * 90 + '"') for n in range(count)),
        row(70, "server", "frame", "PING", arrived=None),
        Row(71, None, 0, None, "tap", 0, "freeze", "nothing passes any more; neither side is told"),
    ]
    return Conversation(rows, times=times)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.figure.axes[0].texts]


@pytest.mark.parametrize("count", [3, 8, 60])
@pytest.mark.parametrize("times", [False, True])
def test_labels_do_not_overlap_and_stay_on_the_sheet(count: int, times: bool) -> None:
    figure = draw_conversation(talk(count, times=times)).figure
    extents = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(extents) > 6
    for one, other in itertools.combinations(extents, 2):
        assert not one.overlaps(other)
    sheet = figure.bbox
    assert all(extent.x0 >= 0 and extent.x1 <= sheet.width for extent in extents)
    assert all(extent.y0 >= 0 and extent.y1 <= sheet.height for extent in extents)


def test_the_alternative_text_is_the_conversation_without_times() -> None:
    expected = [
        "Sequence diagram, client on the left, server on the right.",
        "client to server: GET /chat",
        "server to client: 101 Switching Protocols",
        "client to server: TEXT",
        "server to client: PING",
        "network: freeze: nothing passes any more; neither side is told",
    ]
    for times in (False, True):
        lines = draw_conversation(talk(1, times=times)).alt.split("\n")
        assert len(lines) == len(expected)
        assert all(line.startswith(words) for line, words in zip(lines, expected, strict=True))


def test_equal_distances_give_the_same_picture_whatever_the_times() -> None:
    later = Conversation(
        Row(
            7 * r.time + 3,
            r.arrived and 8 * r.arrived + 3,
            r.connection,
            r.sender,
            r.kind,
            r.bytes,
            r.what,
            r.meaning,
        )
        for r in talk()
    )
    assert draw_conversation(talk()).png() == draw_conversation(later).png()


def test_the_middle_of_a_long_conversation_is_left_out() -> None:
    for times in (False, True):
        figure = draw_conversation(talk(100, times=times))
        left_out = 104 - MAX_ROWS
        assert f"({left_out} rows left out)" in figure.alt
        assert f"… {left_out} rows left out" in texts(figure)
        assert figure.alt.count("\n") == MAX_ROWS + 1


def test_entries_differ_in_line_style_and_not_only_in_colour() -> None:
    assert (
        len({entry.ink for entry in LEGEND.values()})
        == len({DASHES[entry.line] for entry in LEGEND.values()})
        == 4
    )
    figure = draw_conversation(talk())
    for entry in LEGEND.values():
        assert [line for line in figure.figure.axes[0].lines if line.get_color() == entry.ink]
    assert set(LEGEND) <= set(texts(figure))


def test_what_never_arrived_ends_in_a_cross() -> None:
    crosses = [line for line in draw_conversation(talk()).figure.axes[0].lines if line.get_marker() == "x"]
    assert len(crosses) == 1


def test_several_connections_are_numbered() -> None:
    two = Conversation([row(0, "client", "head", "GET /a"), row(1, "client", "head", "GET /b", connection=2)])
    assert "connection 2, client to server: GET /b" in draw_conversation(two).alt
    assert "(2) GET /b" in texts(draw_conversation(two))


@pytest.mark.parametrize("times", [False, True])
def test_a_conversation_that_has_not_begun(times: bool) -> None:
    assert "Nothing has passed yet" in draw_conversation(Conversation([], times=times)).alt


# -- the axis of time ---------------------------------------------------------------------------------------


def drawn(*rows: Row) -> Figure:
    return draw_conversation(Conversation(rows, times=True))


def happened(time: float, what: str) -> Row:
    return Row(time, None, 0, None, "tap", 0, what, "the network")


def test_the_axis_begins_at_zero_or_near_a_late_beginning() -> None:
    early = texts(drawn(row(3, "client", "frame", "TEXT"), row(900, "server", "frame", "TEXT")))
    assert "0 ms" in early
    late = texts(drawn(row(9000, "client", "frame", "TEXT"), row(9900, "server", "frame", "TEXT")))
    assert "0 s" not in late
    assert "9 s" in late


def test_a_freeze_is_shaded_and_what_was_sent_into_it_is_drawn() -> None:
    sent = row(300, "client", "frame", "TEXT", '"Are you there?"', arrived=None)
    figure = drawn(row(0, "client", "frame", "TEXT"), happened(200, "freeze"), sent, happened(800, "thaw"))
    assert "frozen" in texts(figure)
    assert 'TEXT "Are you there?"' in texts(figure)
    assert {"freeze", "thaw"} <= set(texts(figure))
    [shade] = [patch for patch in figure.figure.axes[0].patches if patch.get_facecolor() == to_rgba(GRID)]
    crosses = [line for line in figure.figure.axes[0].lines if line.get_marker() == "x"]
    assert len(crosses) == 1
    assert shade.get_extents().height > 100


def test_a_freeze_that_never_ends_is_shaded_to_the_end() -> None:
    figure = drawn(happened(0, "freeze"), row(50, "client", "frame", "PING", arrived=None))
    assert "frozen" in texts(figure)


def test_the_random_payload_of_a_heartbeat_is_not_shown() -> None:
    written = {b"abcd": "PING", b"\x00\xffabc": "PING", b"": "PING", b"Hello": 'PING "Hello"'}
    for payload, expected in written.items():
        (piece,) = dissect(encode_frame(Frame(Opcode.PING, payload)), start="frame")
        ping = Row(0.0, 1.0, 1, "server", "frame", 2, piece.what, piece.meaning, None, piece)
        assert caption(ping) == expected
