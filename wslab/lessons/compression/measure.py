"""The memory that something takes, as Python itself counts it: zlib asks Python for all of its own."""

import tracemalloc
from collections.abc import Callable

__all__ = ["traced"]


def traced(run: Callable[[], object]) -> tuple[int, int]:
    """Return the memory that a function leaves behind, and the most that it took, in bytes."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
