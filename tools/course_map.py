"""The course as a map and as an outline, drawn from the lessons for the front page of the site.

Two programs talk, and a tap is between them: each lesson is at home at one of the three.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from tools.outline import minutes, promise, title

CLIENT, TAP, SERVER = "Client", "Tap", "Server"
DOES = {
    CLIENT: "asks, masks, comes back",
    TAP: "shows every byte on the wire",
    SERVER: "answers, pushes, scales",
}
# The numbers of the lessons whose code is there. Any other lesson looks at the wire.
AT_HOME = {CLIENT: ("01", "02", "10"), SERVER: ("05", "06", "07", "08", "11", "12")}


def place(path: Path) -> str:
    """Return where a lesson is at home."""
    return next((name for name, numbers in AT_HOME.items() if path.name[:2] in numbers), TAP)


def course_map(course: Sequence[Path]) -> str:
    """Return the map as HTML: client, tap and server, and at each the lessons that are at home there."""
    parts = []
    for name, does in DOES.items():
        links = "".join(
            f'<li><a href="{path.stem}.html">{escape(title(path))}</a></li>'
            for path in course
            if place(path) == name
        )
        parts.append(f'<div class="place"><p><b>{name}</b><br>{does}</p><ul>{links}</ul></div>')
    return f'<div class="course-map">{"".join(parts)}</div>'


def outline(course: Sequence[Path]) -> str:
    """Return the table of lessons in Markdown, narrow enough for a phone."""
    rows = ["| lesson | what you build and see |", "|---|---|"]
    for path in course:
        rows.append(f"| [{title(path)}]({path.name})<br>{minutes(path)} minutes | {promise(path)} |")
    return "\n".join(rows)
