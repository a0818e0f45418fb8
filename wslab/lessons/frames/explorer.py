"""The frame explorer: type a text, choose opcode, FIN and masking, and see every bit of the frame change.

The controls are ipywidgets; what they make goes through ``wslab.frames``, and the bytes that come out are
described by ``dissect``, in the same colours as everywhere. A frame that no endpoint may send (RFC 6455 §5.5)
is shown all the same, with a sentence that says why. A text is encoded in UTF-8 (§5.6); for a CLOSE it is the
reason behind close code 1000 (§5.5.1); a CONTINUATION is shown as one that follows a first fragment (§5.4).

Where no kernel runs, the stored output is the HTML view of the frame that the explorer began with. A frame is
made whole here, so nothing waits for bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import Any

import ipywidgets

from wslab.frames import Frame, Opcode, encode_frame, encode_length, first_byte
from wslab.lab.browser.save_hook import EXPLORER
from wslab.lab.dissector.stream import Dissection, dissect
from wslab.lab.views.palette import ERROR, FIELDS
from wslab.masking import apply_mask

__all__ = ["KEY", "FrameExplorer", "describe"]

KEY = bytes.fromhex("37fa213d")  # the masking-key of the examples in §5.7

_BEGINNING = bytes.fromhex("0100")  # an empty first fragment of a text, for a CONTINUATION to follow
_STATIC = "Run this cell to see the controls. This is the frame that they begin with."


def describe(frame: Frame, masking_key: bytes | None) -> tuple[Dissection, str]:
    """Encode and dissect a frame, also one that may not be sent.

    Args:
        frame: the frame.
        masking_key: 4 bytes, or None for a frame without mask.

    Returns:
        The fields, and a sentence about what is wrong, empty if nothing is.

    >>> piece, problem = describe(Frame(Opcode.PING, b"hi", fin=False), None)
    >>> piece.data.hex(" "), problem
    ('09 02 68 69', 'No endpoint may send this frame: control frame PING is fragmented (§5.5).')
    """
    payload, masked = frame.payload, masking_key is not None
    head = bytes((first_byte(frame),)) + encode_length(len(payload), masked)
    data = head + (masking_key + apply_mask(payload, masking_key) if masking_key else payload)
    problem = ""
    try:
        encode_frame(frame, masking_key)
    except ValueError as error:
        problem = f"No endpoint may send this frame: {error} (§5.5)."
    before = _BEGINNING if frame.opcode is Opcode.CONTINUATION else b""
    piece = dissect(before + data, start="frame")[-1]
    return replace(piece, start=0), problem


class FrameExplorer:
    """Show the controls, and the frame that they make.

    Args:
        text: the text to begin with.
        draw_key: gives the 4 bytes of the next masking-key when the button is pressed.

    Attributes:
        masking_key: the key that the mask control uses, 4 bytes.

    >>> explorer = FrameExplorer("Hello")
    >>> explorer.data.hex(" ")
    '81 85 37 fa 21 3d 7f 9f 4d 51 58'
    >>> explorer.mask.value = False
    >>> explorer.data.hex(" ")
    '81 05 48 65 6c 6c 6f'
    """

    def __init__(self, text: str = "Hello", *, draw_key: Callable[[], bytes] = lambda: os.urandom(4)) -> None:
        self.masking_key = KEY
        self._draw_key = draw_key
        self.text = ipywidgets.Text(text, description="text", continuous_update=True)
        names = [(f"{opcode.name} ({opcode:X})", opcode) for opcode in Opcode]
        self.opcode = ipywidgets.Dropdown(options=names, value=Opcode.TEXT, description="opcode")
        self.fin = ipywidgets.Checkbox(True, description="FIN", indent=False)
        self.mask = ipywidgets.Checkbox(True, description="MASK", indent=False)
        self.new_key = ipywidgets.Button(description="new key", tooltip="draw another masking-key")
        self._notes = ipywidgets.HTML()
        self._view = ipywidgets.HTML(layout=ipywidgets.Layout(width="100%", overflow="auto"))  # scrolls
        for control in (self.fin, self.mask, self.new_key):
            control.layout.width = "auto"
            control.layout.margin = "2px 12px"
        for control in (self.text, self.opcode, self.fin, self.mask):
            control.observe(self._update, names="value")
        self.new_key.on_click(self._change_key)
        row = ipywidgets.Layout(flex_flow="row wrap", align_items="center")
        controls = ipywidgets.Box([self.text, self.opcode, self.fin, self.mask, self.new_key], layout=row)
        self._box = ipywidgets.VBox([controls, self._notes, self._view])
        self._update()
        self._beginning = self.shown

    @property
    def frame(self) -> Frame:
        """The frame that the controls make."""
        payload = self.text.value.encode("utf-8", "replace")  # half a surrogate pair has no UTF-8
        if self.opcode.value is Opcode.CLOSE:
            payload = (1000).to_bytes(2, "big") + payload
        return Frame(self.opcode.value, payload, fin=self.fin.value)

    @property
    def data(self) -> bytes:
        """The bytes of the frame, whether it may be sent or not."""
        return self._describe()[0].data

    @property
    def shown(self) -> str:
        """The HTML that stands below the controls."""
        return f"{self._notes.value}{self._view.value}"

    def _describe(self) -> tuple[Dissection, str]:
        return describe(self.frame, self.masking_key if self.mask.value else None)

    def _change_key(self, _: Any) -> None:
        self.masking_key = self._draw_key()
        self._update()

    def _update(self, _: Any = None) -> None:
        piece, problem = self._describe()
        self.new_key.disabled = not self.mask.value
        self._notes.value = self._explain(piece, problem)
        self._view.value = piece._repr_html_()

    def _explain(self, piece: Dissection, problem: str) -> str:
        """Write what stands between the controls and the bits: key, sizes, and what is wrong."""
        chip = "padding:1px 7px;font-family:monospace"
        if self.mask.value:
            key = f'<span style="{FIELDS["masking-key"].css};{chip}">{self.masking_key.hex(" ")}</span>'
            said = [f"masking-key {key}: masked, as a client must (§5.1)."]
        else:
            said = ["Not masked, as a server must (§5.1)."]
        size = len(self.frame.payload)
        said.append(f"{len(piece.data) - size} bytes of header, {size} of payload data.")
        if self.opcode.value is Opcode.CLOSE:
            said.append("The text is the reason behind close code 1000.")
        if problem:
            said.append(f'<br><span style="{ERROR.css};padding:1px 7px">{escape(problem)}</span>')
        return f'<p style="margin:4px 0;color:inherit;line-height:1.6">{" ".join(said)}</p>'

    def __repr__(self) -> str:
        return EXPLORER

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = dict(self._box._repr_mimebundle_())
        static = f'<p style="margin:4px 0;font-size:85%">{_STATIC}</p>'
        return bundle | {"text/plain": repr(self), "text/html": self._beginning + static}
