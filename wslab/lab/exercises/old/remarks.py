"""What a message of Python means where coroutines and connections are new to the reader.

Some exceptions of asynchronous code name the symptom and not the slip: a forgotten ``await`` is seen as an
attribute that is missing, a forgotten ``async`` as a protocol that is not supported. This module knows the
commonest of them by their message, as Python 3.11 to 3.13 write it, and says what to write. It is asked with
the type and the message only, and gives nothing when it does not know them.
"""

from __future__ import annotations

import re

__all__ = ["remark"]

_REMARKS = (
    (
        r"'(connect|serve)' object has no attribute",
        "{0}(…) is no connection yet: write async with {0}(…) as …, or await it.",
    ),
    (
        r"'(?:connect|serve|Timeout|TaskGroup)' object does not support the context manager protocol",
        "Write async with instead of with.",
    ),
    (
        r"'(?:Client|Server)Connection' object is not iterable",
        "Write async for instead of for.",
    ),
    (
        r"'async for' requires .* got coroutine",
        "async for takes the connection itself, without a call of recv.",
    ),
    (
        r"object (?:method|function|builtin_function_or_method) can't be used in 'await' expression",
        "The parentheses of the call are missing.",
    ),
    (
        r"a coroutine was expected, got <(?:function|bound method)",
        "The parentheses of the call are missing.",
    ),
    (
        r"(?:not|concat) '?(?:builtin_function_or_method|method)",
        "The parentheses of the call are missing.",
    ),
    (
        r"Strings must be encoded|string argument without an encoding|can't concat str to bytes",
        "This is text where bytes are asked: .encode() makes bytes of it.",
    ),
    (
        r'can only concatenate str \(not "bytes"\)|expected str instance, bytes found',
        'Text and bytes do not mix: join bytes with b"", then .decode() makes text of them.',
    ),
    (
        r"'bytes' object has no attribute 'encode'|'str' object has no attribute 'decode'",
        "It is that already: leave out the call.",
    ),
    (
        r"not '_hashlib\.HASH'",
        ".digest() gives the bytes of a hash.",
    ),
    (
        r"bytes must be in range\(0, 256\)|int too big to convert",
        'bytes([n]) is for one byte; n.to_bytes(2, "big") or (8, "big") writes more.',
    ),
    (
        r"'_BaseRequestContextManager' object",
        "Write async with session.get(…) as response.",
    ),
    (
        r"Session is closed",
        "Indent that line under async with: the session is closed behind it.",
    ),
    (
        r"'set' object has no attribute 'append'",
        "A set has add.",
    ),
    (
        r"'async_generator' object is not iterable",
        "Put square brackets around it: […] is a list, (…) with an await in it is not.",
    ),
    (
        r"data is a dict-like object",
        "A message is text: put json.dumps(…) around it.",
    ),
    (
        r"string indices must be integers",
        "This is still text: json.loads(…) makes a dictionary of it.",
    ),
    (
        r"object \w+ can't be used in 'await' expression",
        "This is not asynchronous: leave out the await.",
    ),
    (
        r"asyncio\.run\(\) cannot be called from a running event loop",
        "The loop runs already: write await instead of asyncio.run.",
    ),
    (
        r"'coroutine'|'_asyncio\.Future'|<coroutine object|<Future ",
        "An await is missing.",
    ),
)


def remark(message: str) -> str:
    """Say what to write instead, or nothing.

    Args:
        message: type and text of an exception.

    >>> remark("AttributeError: 'coroutine' object has no attribute 'upper'")
    'An await is missing.'
    >>> remark("AttributeError: 'connect' object has no attribute 'send'")
    'connect(…) is no connection yet: write async with connect(…) as …, or await it.'
    >>> remark("ValueError: no idea")
    ''
    """
    for pattern, sentence in _REMARKS:
        if found := re.search(pattern, message):
            return sentence.format(*found.groups())
    return ""
