"""The instruments of the course: what shows, measures or asks. Nothing in the protocol imports it."""

import importlib
from typing import TYPE_CHECKING, Any

# A function named like its module is bound at once: loaded later, the module would take its place here.
from wslab.lab.dissect import dissect as dissect
from wslab.lab.doctor import doctor as doctor

if TYPE_CHECKING:
    from wslab.lab.browser import show as show
    from wslab.lab.exercises import check as check
    from wslab.lab.exercises import hint as hint
    from wslab.lab.exercises import progress as progress
    from wslab.lab.site import serve_page as serve_page
    from wslab.lab.steps import accept_steps as accept_steps
    from wslab.lab.steps import encode_steps as encode_steps
    from wslab.lab.tap import Tap as Tap

_HOMES = {
    "Tap": "tap",
    "accept_steps": "steps",
    "check": "exercises",
    "encode_steps": "steps",
    "hint": "exercises",
    "progress": "exercises",
    "serve_page": "site",
    "show": "browser",
}
__all__ = sorted([*_HOMES, "dissect", "doctor"])


def __getattr__(name: str) -> Any:
    """Load an instrument when it is first asked for: a lesson that draws nothing never loads matplotlib."""
    if name not in _HOMES:
        raise AttributeError(f"wslab.lab has no instrument called {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f"wslab.lab.{_HOMES[name]}"), name)
