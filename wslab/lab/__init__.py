"""The instruments of the course: they show, measure or disturb. The protocol imports none of them.

Each room has a name that says what is in it: ``views`` how things look, ``dissector`` bytes to fields,
``wire`` what crosses it, ``browser`` pages in a real browser, ``kernel`` this machine, ``exercises`` how an
answer is judged.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wslab.lab.browser.serve import serve_page as serve_page
    from wslab.lab.browser.show import show as show
    from wslab.lab.dissector.stream import dissect as dissect
    from wslab.lab.kernel.doctor import doctor as doctor
    from wslab.lab.steps import accept_steps as accept_steps
    from wslab.lab.steps import encode_steps as encode_steps
    from wslab.lab.wire.tap import Tap as Tap

_HOMES = {
    "Tap": "wire.tap",
    "accept_steps": "steps",
    "dissect": "dissector.stream",
    "doctor": "kernel.doctor",
    "encode_steps": "steps",
    "serve_page": "browser.serve",
    "show": "browser.show",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Load an instrument when it is first used: a lesson that draws nothing never loads matplotlib."""
    if name not in _HOMES:
        raise AttributeError(f"wslab.lab has no instrument called {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f"wslab.lab.{_HOMES[name]}"), name)
