"""How a picture is shown: with its words, wherever it is looked at.

Jupyter stores the picture as ``image/png`` and the words as ``text/plain``: a comparison of outputs
compares the words and never the pixels. JupyterLab 4 draws ``image/png`` without an ``alt`` attribute
whatever the metadata say; the words therefore follow the picture as a short HTML disclosure, which every
front end puts into the page. The words begin with a blank line, because JupyterLab writes the first line of
a folded output beside its dots.
"""

import base64
from abc import ABC, abstractmethod
from html import escape
from typing import Any

__all__ = ["Picture"]


class Picture(ABC):
    """A picture together with its alternative text.

    Args:
        alt: what the picture shows, in words, for readers who do not see it.

    Raises:
        ValueError: the alternative text is empty.
    """

    def __init__(self, alt: str) -> None:
        if not alt.strip():
            raise ValueError("a figure needs an alternative text: say in words what it shows")
        self.alt = alt

    @abstractmethod
    def png(self) -> bytes:
        """Return the picture; the same picture makes the same bytes every time."""

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """Its width and height in CSS pixels."""

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
        width, height = self.size
        data = {"image/png": base64.b64encode(self.png()).decode("ascii"), "text/plain": f" \n{self.alt}"}
        return data, {"image/png": {"alt": self.alt, "width": width, "height": height}}

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        data, metadata = self._repr_mimebundle_()
        publish_display_data(data, metadata)  # type: ignore[no-untyped-call]
        publish_display_data({"text/html": _in_words(self.alt)})  # type: ignore[no-untyped-call]


def _in_words(alt: str) -> str:
    words = escape(alt).replace("\n", "<br>")
    return f'<details style="font-size:85%"><summary>This figure in words</summary><p>{words}</p></details>'
