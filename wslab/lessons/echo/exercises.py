"""The exercises of lesson 05, echo servers (RFC 6455 §5.5, §5.6).

Two ask for handlers, these are in ``echo_handlers``. The two here ask for a value and for a plain
function: what a page finds in its events, and the frame that answers a frame.
"""

from __future__ import annotations

from wslab.close import encode_close
from wslab.frames import Frame, Opcode, encode_frame
from wslab.lab.exercises.exercise import Case, Exercise, Mistake, equals, returns
from wslab.lessons.echo.handlers import SHOUT, WHO_IS_THERE

__all__ = ["EXERCISES"]

# -- what arrives in the browser ----------------------------------------------------------------------------

ARRIVALS = {
    "text frame": "string",
    "binary frame, binaryType not set": "Blob",
    'binary frame, binaryType "arraybuffer"': "ArrayBuffer",
    "text, sent back as bytes, binaryType not set": "Blob",
    "JSON of a dictionary in a text frame": "string",
}
_ARRIVAL_REASONS = {
    "text frame": "A text frame is UTF-8, and the browser decodes it.",
    "binary frame, binaryType not set": "The default of binaryType is for large files.",
    'binary frame, binaryType "arraybuffer"': "The page asked for this kind by name.",
    "text, sent back as bytes, binaryType not set": "The opcode decides, not what the bytes mean.",
    "JSON of a dictionary in a text frame": "The browser does not parse JSON; the page calls JSON.parse.",
}

WHAT_ARRIVES = Exercise(
    name="what-arrives",
    lesson="05",
    title="Say what a page finds in event.data",
    judge=equals(ARRIVALS, _ARRIVAL_REASONS, "arrival", choices=("string", "Blob", "ArrayBuffer")),
    section="RFC 6455 §5.6; the WebSocket interface of browsers: binaryType",
    hints=(
        "Only three kinds are possible: a string, a Blob, an ArrayBuffer.",
        "A text frame gives a string whatever is in it. For binary frames binaryType decides.",
    ),
    mistakes=(
        Mistake(
            {**ARRIVALS, "text, sent back as bytes, binaryType not set": "string"},
            "It may be UTF-8: the server sent it with the opcode of a binary message.",
        ),
        Mistake(
            {**ARRIVALS, "JSON of a dictionary in a text frame": "object"},
            "A page that wants an object calls JSON.parse(event.data).",
        ),
        Mistake(
            {**ARRIVALS, "binary frame, binaryType not set": "ArrayBuffer"},
            "An ArrayBuffer must be asked for.",
        ),
    ),
    why="A Blob where a string was meant is the commonest sign of a server that lost the opcode.",
)


# -- the answer to a frame ----------------------------------------------------------------------------------


def _answer(frame: Frame) -> Frame | None:
    if frame.opcode is Opcode.PONG:
        return None
    return Frame(Opcode.PONG, frame.payload) if frame.opcode is Opcode.PING else frame


def _echo_pings(frame: Frame) -> Frame | None:
    return None if frame.opcode is Opcode.PONG else frame


def _empty_pong(frame: Frame) -> Frame | None:
    return Frame(Opcode.PONG) if frame.opcode is Opcode.PING else _echo_pings(frame)


def _answer_pongs(frame: Frame) -> Frame | None:
    return frame if frame.opcode is Opcode.PONG else _answer(frame)


_FRAMES = (
    Frame(Opcode.TEXT, b"Hello"),
    Frame(Opcode.PING, b"7"),
    Frame(Opcode.PONG, b"7"),
    Frame(Opcode.TEXT, b"Hel", fin=False),
    Frame(Opcode.CONTINUATION, b"lo"),
    Frame(Opcode.BINARY, b"\x00\xff"),
    Frame(Opcode.CLOSE, encode_close(1000, "bye")),
    Frame(Opcode.PING, b"other"),
    Frame(Opcode.PING),
    Frame(Opcode.PONG),
    Frame(Opcode.TEXT),
    Frame(Opcode.CONTINUATION, b"l", fin=False),
    Frame(Opcode.BINARY, b"l", fin=False),
    Frame(Opcode.CLOSE),
    Frame(Opcode.CLOSE, encode_close(4001, "going")),
)

ANSWER_A_FRAME = Exercise(
    name="answer-a-frame",
    lesson="05",
    title="Answer a frame as an echo server does",
    asks="my_answer(frame)",
    judge=returns(*(Case((frame,), _answer(frame)) for frame in _FRAMES)),
    section="RFC 6455 §5.5.1 to §5.5.3",
    hints=(
        "Data frames and Close go back as they came. A ping has an answer of its own, a pong has none.",
        "wslab.Frame(wslab.Opcode.PONG, frame.payload) answers a ping: with the same payload (§5.5.3).",
    ),
    mistakes=(
        Mistake(
            _echo_pings, "A ping is answered with a pong, not with a ping: the other side would answer, too."
        ),
        Mistake(_empty_pong, "A pong has the payload of the ping that it answers (§5.5.3)."),
        Mistake(
            lambda frame: _answer(frame._replace(fin=True)),
            "FIN is lost: a fragment goes back as a fragment, with all its fields.",
        ),
        Mistake(_answer_pongs, "A pong is not answered (§5.5.3): two ends that did would never stop."),
        Mistake(
            lambda frame: Frame(frame.opcode) if frame.opcode is Opcode.CLOSE else _answer(frame),
            "The Close lost its payload: the code goes back, too (§5.5.1).",
        ),
        Mistake(
            lambda frame: frame if frame == _FRAMES[0] else None,
            "Only a pong has no answer: a ping gets a pong, a Close a Close, and each fragment goes back.",
        ),
        Mistake(
            lambda frame: Frame(Opcode.PONG, frame.payload),
            "Only a ping is answered with a pong: is frame.opcode compared with wslab.Opcode.PING?",
        ),
        Mistake(encode_frame, "Return the frame: the server encodes it."),
        Mistake(lambda frame: frame.payload, "Return the whole frame, not its payload."),
    ),
    why="These few lines, a handshake and a decoder are an echo server.",
)

EXERCISES = (WHAT_ARRIVES, SHOUT, WHO_IS_THERE, ANSWER_A_FRAME)
