"""One update of each way weighs what its pieces weigh, to the byte, in every run."""

import asyncio

import pytest

from tests.lessons.polling.ways import HELD, PUSHED, STREAMED, answer, poll, polling
from wslab.frames import Frame, Opcode, encode_frame
from wslab.lessons.polling.costs import Cost, Costs, weigh
from wslab.lessons.polling.ways import Way

CHUNK = b"10\r\ndata: 10:00:01\n\n\r\n"
FRAME = encode_frame(Frame(Opcode.TEXT, b"10:00:01"))


def test_weighs_four_ways() -> None:
    async def scenario() -> Costs:
        async with asyncio.timeout(60):
            return await weigh([polling(0.01), HELD, STREAMED, PUSHED])

    costs = asyncio.run(scenario())
    assert list(costs) == ["polling", "long polling", "server-sent events", "WebSocket"]
    assert costs["polling"] == Cost(99, 132, 8, 0, 0)
    assert costs["long polling"].request == costs["polling"].request + len("?known=10:00:07")
    assert costs["server-sent events"] == Cost(0, 0, len(CHUNK), 0, 232)
    assert costs["WebSocket"] == Cost(0, 0, 0, len(FRAME), 318)
    assert costs.of(polling(5)) is costs["polling"]
    with pytest.raises(KeyError):
        costs.of(Way("carrier pigeon", answer, poll))
    assert "one update" in repr(costs)
    assert costs._repr_html_().count("<tr>") == 5
