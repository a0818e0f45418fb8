"""The address of a server that a judge starts, for exercises whose answer is a client.

An ``Address`` is a plain string to the learner's code. Its repr names no port, because ports differ from run
to run and the feedback of a check is stored in the notebook.
"""

__all__ = ["Address"]


class Address(str):
    """Hold a URI that shows itself without its port.

    >>> Address("ws://127.0.0.1:8765/chat")
    'ws://127.0.0.1:…/chat'
    >>> Address("http://127.0.0.1:8765")
    'http://127.0.0.1:…'
    >>> Address("ws://127.0.0.1:8765") + "/chat"
    'ws://127.0.0.1:8765/chat'
    """

    __slots__ = ()

    def __repr__(self) -> str:
        scheme, _, rest = self.partition("://")
        before, _, path = rest.partition("/")
        host = before.rpartition(":")[0]
        return repr(f"{scheme}://{host}:…" + (f"/{path}" if path else ""))
