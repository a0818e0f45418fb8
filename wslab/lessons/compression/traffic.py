"""Messages such as servers send, to be compressed: chat, quotes, whole documents, and noise.

They are made up, and the same in every run. What a compressor saves depends on them: measure your own.
"""

import json
import random

__all__ = ["chat", "documents", "noise", "quotes"]

_WORDS = """the a to and of is in it you that he was for on are with as his they at be this from have or by
one had not but what all were when we there can an your which their said if do will each about how up out them
then she many some so these would other into has more two like him see time could no make than first been"""


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _lines(draw: random.Random, count: int) -> list[dict[str, object]]:
    return [
        {"type": "message", "id": number, "room": "lobby", "from": draw.choice(["Ada", "Bob", "Cleo", "Dan"])}
        | {"at": 1_790_000_000_000 + 4600 * number + draw.randrange(4000)}
        | {"text": " ".join(draw.choices(_WORDS.split(), k=draw.randrange(3, 18)))}
        for number in range(count)
    ]


def chat(count: int) -> list[bytes]:
    """Return lines of a chat, as JSON of about 128 bytes each."""
    return [_json(line) for line in _lines(random.Random(7), count)]


def quotes(count: int) -> list[bytes]:
    """Return quotes of shares, as JSON of about 94 bytes each."""
    draw, made = random.Random(7), []
    prices = {symbol: draw.uniform(50, 900) for symbol in ("ACME", "GLOBEX", "INITECH", "HOOLI", "STARK")}
    for number in range(count):
        symbol = draw.choice(list(prices))
        price = prices[symbol] = prices[symbol] * (1 + draw.gauss(0, 0.0004))
        quote = {"symbol": symbol, "price": round(price, 2), "bid": round(price - 0.01, 2)}
        quote |= {"ask": round(price + 0.01, 2), "volume": draw.randrange(1, 5000)}
        made.append(_json(quote | {"time": 1_790_000_000_000 + 20 * number}))
    return made


def documents(count: int) -> list[bytes]:
    """Return documents of 150 lines of chat each, about 19 KB."""
    draw = random.Random(7)
    return [_json(_lines(draw, 150)) for _ in range(count)]


def noise(count: int) -> list[bytes]:
    """Return messages of 120 random bytes each, like data that are compressed or encrypted already."""
    draw = random.Random(7)
    return [draw.randbytes(120) for _ in range(count)]
