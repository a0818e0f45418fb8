"""The exercises of lesson 04: how a connection ended, latency, two heartbeats (RFC 6455 §5.5.2, §5.5.3, §7).

The judges of the last three watch the learner's coroutine at one end of a connection, through a tap that
delays what passes, or freezes once the peer has shown that it is alive. They wait for what passes the tap.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from wslab.lab.exercises.answer import one_line
from wslab.lab.exercises.kinds import NOTHING_YET, Fault, Function, Watched, compare
from wslab.lab.exercises.peers import PATIENCE
from wslab.lab.wire.tap import Tap
from wslab.lessons.heartbeat.frozen import Package, beat, end, freeze_after, noting_time_sleep, through_tap

__all__ = ["EXERCISES"]

Rows = list[tuple[str, str]]


async def _stay(ws: Any) -> None:
    await ws.wait_closed()


def _on(package: Package, fault: Fault) -> Fault:
    more = "" if fault.idle else f" This was a connection of {package}."
    return replace(fault, sentence=fault.sentence + more)


# -- how a connection ended ---------------------------------------------------------------------------------

ORDERLY = (1000, 1001, 1005)
FAILURES = (1002, 1003, 1007, 1008, 1009, 1011)
# A cable is pulled, a connection reset, a server killed; a Close is not answered, or does not arrive.
LOSSES: list[Rows] = [[], [("server", "RST")], [("server", "FIN"), ("client", "FIN")]]
LOSSES += [[("client", "CLOSE"), ("client", "FIN")], [("server", "CLOSE")]]


def _closed(first: str, tcp: str = "server") -> Rows:
    """Return what a tap sees when one end closes first and one ends TCP first."""
    other = {"client": "server", "server": "client"}
    return [(first, "CLOSE"), (other[first], "CLOSE"), (tcp, "FIN"), (other[tcp], "FIN")]


def _ending(rows: Rows, code: int, *, tells: str = "CLOSE", orderly: tuple[int, ...] = ORDERLY) -> str:
    if code == 1006:
        return "lost"
    return next(f"closed by {who}" for who, what in rows if what == tells) if code in orderly else "failed"


def _another(source: random.Random) -> tuple[Rows, int]:
    if source.random() < 0.2:
        return source.choice(LOSSES), 1006
    sides = ("client", "server")
    return _closed(source.choice(sides), source.choice(sides)), source.choice(ORDERLY * 2 + FAILURES)


CLASSIFY_ENDING = Function(
    name="classify-ending",
    title="Say how a connection ended",
    section="RFC 6455 §7.1.2 to §7.1.5 and §7.4.1",
    asks="my_ending(rows, code)",
    right=_ending,
    calls=[
        *[(_closed("client"), 1000), (_closed("server"), 1001), *((rows, 1006) for rows in LOSSES)],
        *[(_closed("server"), 1011), (_closed("server"), 1002), (_closed("client"), 1005)],
    ],
    drawn=_another,
    mistakes={
        "Both ends send a Close. The first one in the rows says which end closed.": (
            lambda rows, code: _ending([("client", "CLOSE")] if ("client", "CLOSE") in rows else rows, code)
        ),
        "1006 says that no Close was received, whatever else the rows show.": (
            lambda rows, code: "failed" if code == 1006 else _ending(rows, code)
        ),
        "1011 reports a failure. Orderly are only 1000, 1001 and 1005.": (
            lambda rows, code: _ending(rows, code, orderly=(*ORDERLY, *FAILURES))
        ),
        "1002 is a protocol error. Orderly are only 1000, 1001 and 1005.": (
            lambda rows, code: _ending(rows, code, orderly=(*ORDERLY, *FAILURES[:-1]))
        ),
        "Look for the first CLOSE. The second answers it, and the server ends TCP first anyway (§7.1.1).": (
            lambda rows, code: _ending(rows, code, tells="FIN")
        ),
        "1005 says that the Close had no code. Such an ending is orderly (§7.1.5).": (
            lambda rows, code: _ending(rows, code, orderly=(1000, 1001))
        ),
        "A Close in the rows is not enough. It may be unanswered (1006) or report a failure (1011).": (
            lambda rows, code: next((f"closed by {who}" for who, what in rows if what == "CLOSE"), "lost")
        ),
        "A FIN without a Close is a loss: the system sends it for a program that was killed.": (
            lambda rows, code: next((f"closed by {who}" for who, what in rows if what != "RST"), "lost")
        ),
    },
    hints=(
        "Look at the code first. The exercise names the three that are orderly.",
        "1006 is a loss. 1000, 1001 and 1005 are orderly; then the first CLOSE says who closed.",
        'return "closed by " + next(sender for sender, what in rows if what == "CLOSE")',
    ),
    why="After a lost connection, a client reconnects after a random delay (§7.2.3). Do the same after 1001.",
)

# -- latency ------------------------------------------------------------------------------------------------

SHORTEST = 0.02  # seconds one way
# Seconds one way, for each ping: the median is neither the first, the last, the quickest nor the mean, and
# the medians of the two connections are so far apart that no number is near both.
DELAYS: dict[Package, tuple[float, ...]] = {
    "websockets": (0.03, 0.06, 0.25, SHORTEST, 0.10),
    "wslab": (0.2, 0.15, SHORTEST),
}
MARGIN = 0.01  # seconds by which a latency may be nearer to another value than the median
NEAR = 0.08  # seconds by which it may differ from what the tap saw


async def _judge_latency(answer: Any) -> Fault | None:
    for package, delays in DELAYS.items():
        async with through_tap(_stay, package, delay=SHORTEST) as (tap, ws):
            fault = await _measure(answer, tap, ws, delays)
        if fault:
            return _on(package, fault)
    return None


async def _measure(answer: Any, tap: Tap, ws: Any, delays: Sequence[float]) -> Fault | None:
    """Have the answer measure a connection, and compare with what the tap has seen of it."""
    changing = asyncio.ensure_future(_change_the_delay(tap, delays))
    work = asyncio.ensure_future(answer(ws, len(delays)))
    ended, _ = await end(work, 2 * PATIENCE)
    changing.cancel()
    given = work.result() if ended else None
    try:
        await (await ws.ping())  # when its pong is here, all that was sent before has passed the tap
    except Exception:
        return Fault("closed the connection. Only measure it.")
    rows = [row for row in tap.conversation() if row.kind == "frame"]
    pings = [row for row in rows if row.what == "PING"][:-1]
    if any(row.what in ("TEXT", "BINARY") for row in rows):
        return Fault("sent data messages. A ping needs no help from the handler of the peer.")
    if len(pings) > len(delays):
        return Fault(f"sent more than {len(delays)} pings. Send as many as count says.")
    if not ended:
        return Fault("did not end. It awaits something that never happens, or a loop never ends.")
    pongs = [row.arrived for row in rows if row.what == "PONG"]
    seen = [(pong - ping.time) / 1000 for ping, pong in zip(pings, pongs, strict=False) if pong is not None]
    return _wrong_latency(given, len(pings), seen, len(delays))


async def _change_the_delay(tap: Tap, delays: Sequence[float]) -> None:
    """Give each ping its own delay, once the pong before has passed."""
    for passed, delay in enumerate(delays):
        if passed:
            await tap.seen("PONG", "server", count=passed, timeout=3 * PATIENCE)
        tap.delay = delay


def _wrong_latency(given: Any, pings: int, seen: list[float], count: int) -> Fault | None:
    """Return what is wrong with a latency, given the number of pings and the latencies that the tap saw."""
    if given is None and not pings:
        return NOTHING_YET
    rows = (("returned", one_line(given)),) if pings else ()
    if pings < count:
        return Fault(f"sent {pings or 'no'} ping{'s' * (pings != 1)} where count is {count}.", rows)
    if isinstance(given, (list, tuple)):
        return Fault("returned several values. Return their median.", rows)
    if not isinstance(given, (int, float)) or isinstance(given, bool):
        return Fault("did not return a number of seconds.", rows)
    if given < 2 * SHORTEST:
        return Fault("returned less than there and back takes: the time to send, not until the pong.", rows)
    if given >= 1000 * 2 * SHORTEST:
        return Fault("returned milliseconds. Return seconds.", rows)
    values = {"mean": statistics.mean(seen), "slowest": max(seen), "quickest": min(seen)}
    values |= {"first": seen[0], "last": seen[-1], "sum": sum(seen)}
    name, value = min(values.items(), key=lambda each: abs(given - each[1]))
    off = abs(given - statistics.median(seen))
    if abs(given - value) + MARGIN < off:
        return Fault(f"returned the {name} of the latencies. The median is the middle value, sorted.", rows)
    if not off <= NEAR:  # of NaN, too
        return Fault("returned another value than the median of the latencies.", rows)
    return None


LATENCY = Watched(
    name="latency",
    title="Report the latency of a connection",
    section="RFC 6455 §5.5.2",
    asks="my_latency(ws, count)",
    judge=_judge_latency,
    hints=(
        "The text in front of the exercise says what the first await waits for, and what the second.",
        "await (await ws.ping()) is one latency with both packages. Collect count of them in a list.",
        "return statistics.median([await (await ws.ping()) for _ in range(count)])",
    ),
    why="The median is the usual latency. One late pong says little about a connection.",
    bound=9.0,
)

# -- a heartbeat of pings -----------------------------------------------------------------------------------

INTERVAL = 0.05  # seconds from beat to beat
TIMEOUT = 0.4  # seconds of silence until the learner gives up
# Beats until the network freezes, or a few more: they do not fit into the timeout.
BEATS: dict[Package, int] = {"wslab": 12, "websockets": 9}
# Last, a pause that is longer than the timeout, as many a server has: the timeout is for the pong alone.
LONG = 0.45  # seconds
BOUND = 10.0  # seconds for all rounds
ROUNDS: list[tuple[Package, float, int]] = [(package, INTERVAL, beats) for package, beats in BEATS.items()]
ROUNDS += [("wslab", LONG, 2)]  # two, because the first pause may be after the first pong


CLOSED = "closed the frozen connection and waited for an answer that cannot arrive. Only return."


async def _judge_heartbeat(answer: Any) -> Fault | None:
    for package, interval, beats in ROUNDS:
        if fault := await _watch(answer, package, interval, beats + random.randrange(2)):
            return _on(package, fault)
    return None


def _most(beats: int) -> int:
    """Return in how many intervals so many pongs must have arrived."""
    return beats * 5 // 2


async def _watch(answer: Any, package: Package, interval: float, beats: int) -> Fault | None:
    async with through_tap(_stay, package) as (tap, ws):
        with noting_time_sleep() as slept:
            work = asyncio.ensure_future(answer(ws, interval, TIMEOUT))
            passing = tap.seen("PONG", count=beats, timeout=BOUND)
            went_on = await freeze_after(tap, work, passing, beat(interval, _most(beats)))
            seen = tap.conversation()
            ended, late = await end(work, interval + TIMEOUT)
        after = [] if ended else await _sent_since(len(seen), tap, ws)
    pongs = [row.time / 1000 for row in seen if row.what == "PONG"]
    if ended and isinstance(work.exception(), TimeoutError):
        when = "when a pong was late. Catch it and return how many came."
        early = "while the peer answered. Limit each pong, not the whole loop or the pause."
        return Fault(f"raised TimeoutError {when if went_on else early}")
    given = work.result() if ended else None
    if given is None and ended and not any(row.what == "PING" for row in seen):
        return NOTHING_YET
    sentence = _wrong_while_alive(seen, pongs, beats, interval, went_on=went_on)
    if not sentence and slept:
        sentence = "called time.sleep, which stops the whole program. Use await asyncio.sleep instead."
    if not sentence and not ended:
        sentence = _why_it_goes_on(after)
    if not sentence and late:
        sentence = "ended too late after the network froze. The limit of each pong is the timeout."
    if not sentence and given == len(pongs) + 1:
        sentence = "counted one too many. Count a ping when its pong has arrived."
    rows = (("returned", one_line(given)),) if ended else ()
    return Fault(sentence, rows) if sentence else compare(given, len(pongs))


async def _sent_since(number: int, tap: Tap, ws: Any) -> list[str]:
    """Thaw the network, and return what was sent into it after so many rows."""
    tap.thaw()
    with contextlib.suppress(Exception):  # it may be closed
        async with asyncio.timeout(PATIENCE):
            await (await ws.ping())
    return [row.what for row in tap.conversation()[number:] if row.sender == "client"]


def _wrong_while_alive(rows: Any, pongs: list[float], beats: int, interval: float, *, went_on: bool) -> str:
    """Say what is wrong with a heartbeat while the peer is alive; pongs are times in seconds."""
    if not went_on and interval > TIMEOUT:
        return "ended while it slept. The timeout is for the pong alone, and the interval may be longer."
    if any(row.what in ("TEXT", "BINARY") for row in rows):
        return "sent data messages. A heartbeat of pings does not disturb the handler."
    if not any(row.what == "PING" for row in rows):
        return "sent no ping."
    came = f"{len(pongs) or 'no'} pong{'s' * (len(pongs) != 1)}"
    if not went_on:
        return f"ended after {came}, but the peer was alive and answered."
    if len(pongs) < beats:
        return f"had {came} in {_most(beats)} intervals. Ping more often: every interval seconds."
    if pongs[-1] - pongs[0] < (len(pongs) - 1) * interval * 0.9:  # a sleep is never too short
        return "pinged too often. Sleep for the interval before each ping."
    return ""


def _why_it_goes_on(after: list[str]) -> str:
    """Say why a heartbeat does not end in a frozen network, given what was sent into it."""
    if "CLOSE" in after:
        return CLOSED
    if after.count("PING") > 2:  # one of the answer, and one to see all of them pass
        return (
            "took pings for answered that were sent into a frozen network. In websockets, "
            "await ws.ping() only sends. Await what it returned, within the limit."
        )
    return (
        "went on although the network was frozen. Put a time limit around all that waits for a pong, and "
        "return after it. In wslab, it is await ws.ping() that waits."
    )


HEARTBEAT = Watched(
    name="heartbeat",
    title="Write the task that keeps watch with pings",
    section="RFC 6455 §5.5.2 and §5.5.3",
    asks="my_heartbeat(ws, interval, timeout)",
    judge=_judge_heartbeat,
    hints=(
        "Loop: sleep for the interval, ping, count. The trap above shows which await needs the limit.",
        "async with asyncio.timeout(timeout): around both awaits of await (await ws.ping()).",
        "Count after the pong. except TimeoutError: return the number of pongs.",
    ),
    why="websockets runs such a task for each connection, wslab two timers, unless ping_interval is None.",
    bound=BOUND,
)

# -- a heartbeat of data messages ---------------------------------------------------------------------------

WEATHER = ("rain", "sun", "snow", "fog", "hail", "wind")


async def _tell(ws: Any, news: list[Any]) -> None:
    await ws.send(news[0])
    for _ in range(BEATS["wslab"]):
        await ws.send("beat")
        await asyncio.sleep(INTERVAL)
    for each in news[1:]:
        await ws.send(each)
    await ws.wait_closed()


async def _judge_app_heartbeat(answer: Any) -> Fault | None:
    news = [*random.sample(WEATHER, 2), "beats of the sea", bytes([random.randrange(256)])]
    async with through_tap(lambda ws: _tell(ws, news)) as (tap, ws):
        work = asyncio.ensure_future(answer(ws, TIMEOUT))
        went_on = await freeze_after(tap, work, tap.seen("BINARY", "server"))
        before = len(tap.conversation())
        ended, late = await end(work, TIMEOUT)
        after = [] if ended else await _sent_since(before, tap, ws)
    if "CLOSE" in after:
        return Fault(CLOSED)
    if not ended:
        return Fault(
            "went on although nothing arrived. Put a time limit around each recv, and return after it."
        )
    if isinstance(work.exception(), TimeoutError):
        return Fault("raised TimeoutError when nothing arrived. Catch it and return the list.")
    given = work.result()
    if given is not None and not went_on:
        return Fault(
            "ended while beats arrived. Count the limit from the last message: only silence ends it."
        )
    if isinstance(given, list) and "beat" in given:
        return Fault("kept the beats, which are not news.", (("returned", one_line(given)),))
    if fault := compare(given, news):
        return fault
    return Fault("ended too late. The limit of each recv is the timeout.") if late else None


APP_HEARTBEAT = Watched(
    name="app-heartbeat",
    title="Listen to an application heartbeat",
    section="RFC 6455 §5.5.2 and §5.6",
    asks="my_listen(ws, timeout)",
    judge=_judge_app_heartbeat,
    hints=(
        "Every message is a sign of life. Put the time limit around each await ws.recv().",
        'In a loop: receive within the limit, keep what is not "beat".',
        "except TimeoutError: return the list.",
    ),
    why="JavaScript in a browser cannot ping and does not see pings. This is the heartbeat that it can have.",
    bound=8.0,
)

EXERCISES = (CLASSIFY_ENDING, LATENCY, HEARTBEAT, APP_HEARTBEAT)
