"""What a message of Python means where coroutines are new to the reader.

A forgotten ``await`` is seen as an attribute that is missing, a forgotten ``async`` as a protocol that is not
supported. The messages are those of Python 3.11 to 3.13.
"""

from __future__ import annotations

import re

__all__ = ["remark"]

_REMARKS = (
    (
        r"'(connect|serve)' object has no attribute",
        "{0}(…) is not a connection yet. Write async with {0}(…) as …, or await it.",
    ),
    (
        r"'_BaseRequestContextManager' object",
        "Write async with session.get(…) as response, and indent the rest.",
    ),
    (r"object does not support the context manager protocol", "Write async with instead of with."),
    (r"'(?:Client|Server)Connection' object is not iterable", "Write async for instead of for."),
    (
        r"object (?:method|function|builtin_function_or_method) can't be used in 'await'|a coroutine was"
        r" expected, got <(?:function|bound method)|(?:not|concat) '?(?:builtin_function_or_method|method)",
        "The parentheses of the call are missing.",
    ),
    (r"object \w+ can't be used in 'await' expression", "This is not asynchronous. Leave out the await."),
    (r"'coroutine'|'_asyncio\.Future'|<coroutine object|<Future ", "An await is missing."),
)


def remark(message: str) -> str:
    """Return what to write instead; an empty text for a message that says it already.

    Args:
        message: type and text of an exception.

    >>> remark("AttributeError: 'coroutine' object has no attribute 'upper'")
    'An await is missing.'
    >>> remark("ValueError: no idea")
    ''
    """
    for pattern, sentence in _REMARKS:
        if found := re.search(pattern, message):
            return sentence.format(*found.groups())
    return ""
