"""What only a Jupyter server and its kernels know: the address of the tunnel, and a proof of it.

The address has a segment that is drawn again whenever Jupyter starts, and that the kernels inherit in their
environment. So only they can build the address of a page. The tunnel in turn shows a server, in a separate
header, that a request came through it. A page of a stranger can neither write that header nor compute it, and
a program that reads it cannot compute the address from it.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Iterable

__all__ = ["PREFIX_VARIABLE", "PROOF", "draw_prefix", "is_proved", "proof"]

PREFIX_VARIABLE = "WSLAB_PREFIX"  # is the prefix in every kernel that a Jupyter server with a tunnel starts
PROOF = "WSLab-Tunnel"  # the header


def draw_prefix(base_url: str) -> str:
    """Draw the prefix of all addresses of a tunnel, and hand it to the kernels that will be started.

    >>> import unittest.mock
    >>> with unittest.mock.patch.dict(os.environ):
    ...     prefix = draw_prefix("/user/x/")
    >>> prefix.startswith("/user/x/wslab/"), len(prefix)
    (True, 37)
    """
    prefix = os.environ[PREFIX_VARIABLE] = f"{base_url}wslab/{secrets.token_urlsafe(16)}/"
    return prefix


def proof(prefix: str) -> str:
    """Compute what the tunnel shows to a server: 32 hexadecimal digits.

    >>> proof("/wslab/one/") == proof("/wslab/other/")
    False
    """
    return hmac.digest(prefix.encode(), PROOF.encode(), "sha256").hex()[:32]


def is_proved(shown: Iterable[str]) -> bool:
    """Return whether the values of the header prove that a request came through the tunnel of this kernel.

    >>> is_proved([])
    False
    """
    expected = proof(os.environ.get(PREFIX_VARIABLE) or secrets.token_hex()).encode()
    return any(hmac.compare_digest(value.encode(), expected) for value in shown)
