"""One colour for each field, the same in every table, figure and widget of the course.

A field of a frame (RFC 6455 §5.2) or of an HTTP message (RFC 9112 §2.1) has one background and one ink.
The hues are light tints of the Okabe–Ito set, which readers with any of the common colour-vision deficiencies
tell apart; fields that belong together (MASK and masking-key, close code and close reason) share a hue.
Every view that uses a colour also writes the name of the field: colour never carries meaning alone.

A coloured cell always sets both its background and its ink, so that it reads the same on a light and a dark
page. What crosses the wire has four entries in every legend, each with a background for tables and an ink
for arrows.

A figure is a stored picture that does not know on which page it is shown. No one ink has a contrast of 4.5
both on white and on JupyterLab's dark page, so a figure brings its ground: `GROUND` is white on a white page
and a dimmed card on a dark one. Inks of text have 4.5 on both, lines and areas 3.
"""

from typing import NamedTuple

__all__ = [
    "CLIENT",
    "ERROR",
    "FIELDS",
    "GRID",
    "GROUND",
    "INK",
    "LEGEND",
    "PALE",
    "PAPER",
    "SERVER",
    "Colour",
    "Entry",
]


class Colour(NamedTuple):
    """A background and the ink that is readable on it, both as ``#RRGGBB``.

    >>> Colour("#FFFFFF", "#1A1A1A").css
    'background:#FFFFFF;color:#1A1A1A'
    """

    background: str
    ink: str

    @property
    def css(self) -> str:
        """The two declarations of an inline style that make a cell of this colour."""
        return f"background:{self.background};color:{self.ink}"


INK = "#1A1A1A"
PAPER = "#FFFFFF"
GROUND = "#FFFFFFB3"
"""What a figure stands on: white that lets 30 % of the page through."""
GRID = "#00000022"
PALE = "#555555"
"""The ink of what stands back: a way not taken, a bound."""

FIELDS: dict[str, Colour] = {
    "FIN": Colour("#F5EB7A", INK),
    "RSV1": Colour("#E4E4E4", INK),
    "RSV2": Colour("#D2D2D2", INK),
    "RSV3": Colour("#C0C0C0", INK),
    "opcode": Colour("#F2B544", INK),
    "MASK": Colour("#EE8F63", INK),
    "payload length": Colour("#A9DAF8", INK),
    "extended payload length": Colour("#6FB1DE", INK),
    "masking-key": Colour("#FBE0D2", INK),
    "payload data": Colour("#6CC9A8", INK),
    "close code": Colour("#DD9BBF", INK),
    "close reason": Colour("#F2D4E4", INK),
    "start line": Colour("#C9C2F2", INK),
    "header name": Colour("#9FD8DC", INK),
    "header value": Colour("#E2F3F4", INK),
    "blank line": Colour("#DCD3BE", INK),
    "chunk size": Colour("#D9B38C", INK),
    "body": Colour("#CBE7AE", INK),
    "unread": Colour("#F0F0F0", INK),
}
"""Field name to colour; the names are those that the dissector gives to its fields."""

ERROR = Colour("#9B1C1C", PAPER)
CLIENT = Colour("#005A8F", PAPER)
SERVER = Colour("#A24100", PAPER)


class Entry(NamedTuple):
    """How rows of one entry are drawn: as which field in a table, if any; ink and line style of the arrow."""

    field: str
    ink: str
    line: str

    @property
    def colour(self) -> Colour | None:
        """The colour in a table, or None."""
        return FIELDS.get(self.field)


# The inks are darker tones of the fields' hues, none of them near those of client and server.
LEGEND = {
    "HTTP": Entry("start line", "#3D2F9E", "dashed"),
    "data frame": Entry("payload data", "#00543B", "solid"),
    "control frame": Entry("close code", "#85156A", "dotted"),
    "TCP and network": Entry("", "#2A2A2A", "dash-dot"),
}
"""What crosses the wire, by the name in a legend."""
