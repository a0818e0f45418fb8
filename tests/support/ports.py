"""Ports that no other socket is given: for kernels, and for a server that has to have a port of before.

`jupyter_client` draws a free port, closes it, and starts the kernel, which binds it a second later; its issue
487 tells of this race. A server that asks for port 0 in that second, as those of the course do, may be given
the same port. The kernel ends then and starts again, and where the port was to be its iopub, JupyterLab says
"Connecting" for more than a minute. Here ports are drawn from below those that a system gives out by itself,
which begin at 32768 on Linux and at 49152 elsewhere.

To import this module is enough: conftest.py does so, and a Jupyter server has it as its configuration.
"""

import itertools
import os
import socket
from collections.abc import Iterator

from jupyter_client.connect import LocalPortCache

__all__ = ["PORTS", "draw"]

PORTS = range(10_000, 32_000)
# Processes that were started together have ids near each other. The factor is the golden section of the count
# of ports: it puts near ids far apart, also the multiples of 4 that Windows gives.
start = os.getpid() * 13_597 % len(PORTS)
places: Iterator[int] = itertools.cycle([*PORTS[start:], *PORTS[:start]])


def draw(ip: str = "127.0.0.1") -> int:
    """Draw a port on which nothing listens at the address `ip`, and not one that was drawn here of late."""
    for port in places:
        with socket.socket() as probe:
            try:
                probe.bind((ip, port))
            except OSError:
                continue
            return port
    raise AssertionError("a cycle has no end")


def for_a_kernel(self: LocalPortCache, ip: str) -> int:
    return draw(ip)


LocalPortCache.find_available_port = for_a_kernel  # type: ignore[method-assign]
