"""The chat that lesson 07 builds: its cells with the tag `chat`. Pictures and tests run no other."""

from types import SimpleNamespace
from typing import Any

from tools.course import LESSONS
from tools.lesson_cells import run_cells, source_of

__all__ = ["LAST_LINE", "chat_cells", "source"]

LAST_LINE = "asyncio.run(main())"  # what a reader adds
NOTEBOOK = LESSONS / "07-chat.ipynb"


def source() -> str:
    """Return the chat as one file, without the line that starts it."""
    return source_of(NOTEBOOK, "chat")


def chat_cells(**names: Any) -> SimpleNamespace:
    """Run the cells, and return what they define.

    Args:
        names: replace what the cells import, such as the module ``time``.
    """
    namespace = run_cells(NOTEBOOK, "chat")
    namespace.update(names)
    return SimpleNamespace(**namespace)
