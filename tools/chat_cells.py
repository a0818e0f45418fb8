"""The chat that lesson 07 builds, taken from its cells: those with the tag `chat`, one after the other.

Pictures and tests run this chat, and no other. So do readers who copy the cells into a file of their own.
"""

from types import SimpleNamespace
from typing import Any

from tools.course import LESSONS, Lesson

__all__ = ["LAST_LINE", "chat_cells", "source"]

LAST_LINE = "asyncio.run(main())"  # what a reader adds
NOTEBOOK = LESSONS / "07-chat.ipynb"


def source() -> str:
    """Return the chat as one file, without the line that starts it."""
    cells = [cell.source for cell in Lesson(NOTEBOOK).code if "chat" in cell.tags]
    return "\n\n\n".join(cells) + "\n"


def chat_cells(**names: Any) -> SimpleNamespace:
    """Run the cells, and return what they define.

    Args:
        names: replace what the cells import, such as the module ``time``.
    """
    namespace: dict[str, Any] = {"__name__": "chat"}
    exec(compile(source(), NOTEBOOK.name, "exec"), namespace)
    namespace.update(names)
    return SimpleNamespace(**namespace)
