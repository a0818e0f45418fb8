"""The course as a map and as an outline, drawn from the lessons for the front page of the site.

Two programs talk, and a tap is between them: each lesson is at home at one of the three.
"""

from collections.abc import Sequence
from html import escape

from tools.course import Lesson
from wslab.lessons.start.course_map import AT_HOME, DOES


def course_map(course: Sequence[Lesson]) -> str:
    """Return the map as HTML: client, tap and server, and at each the lessons that are at home there."""
    parts = []
    for name, does in DOES.items():
        links = "".join(
            f'<li><a href="{each.name}.html">{escape(each.title)}</a></li>'
            for each in course
            if each.number in AT_HOME[name]
        )
        parts.append(f'<div class="place"><p><b>{name}</b><br>{does}</p><ul>{links}</ul></div>')
    return f'<div class="course-map">{"".join(parts)}</div>'


def outline(course: Sequence[Lesson]) -> str:
    """Return the table of lessons in Markdown, narrow enough for a phone."""
    rows = ["| lesson | what you build and see |", "|---|---|"]
    for each in course:
        rows.append(f"| [{each.title}]({each.path.name})<br>{each.minutes} minutes | {each.promise} |")
    return "\n".join(rows)
