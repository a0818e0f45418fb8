"""The page of lesson 10 without its rules: those are a script in the lesson."""

from pathlib import Path

__all__ = ["page"]


def page(script: str) -> dict[str, str]:
    """Return the files of the page for `serve_page("feed.html", …)`, with the script that connects it."""
    own = (Path(__file__).with_name(name) for name in ("feed.html", "show.js"))
    return {"feed.js": script} | {each.name: each.read_text(encoding="utf-8") for each in own}
