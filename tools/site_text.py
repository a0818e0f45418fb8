"""Link what a text of the course names, for the reading edition: terms, sections of RFCs, its own files."""

import re
from pathlib import Path
from typing import Any

from tools.course import LESSONS, README, ROOT
from tools.glossary import CODE, fragment, rows
from wslab.lab.kernel.binder import repository

DOCS = ROOT / "docs"
PAGES = {  # beside the lessons
    DOCS / "index.md": "index.md",
    DOCS / "teach.md": "teach.md",
    ROOT / "README.zh-CN.md": "zh.md",
    README: "index.md",
}
RFC = "https://www.rfc-editor.org/rfc/rfc{}.html"
# A section is one of the RFC named before it in the same sentence or brackets, otherwise of RFC 6455.
NAMED = r"RFC (?P<rfc>\d{3,5})(?: §(?P<of>[\d.]*\d))?|§(?P<section>[\d.]*\d)"
END = r"(?P<end>[.)](?=\s)|\n\n|\n *-|\|)"
MARKDOWN = re.compile(rf"{CODE}|^#.*?$|\[[^\]]*\]\([^)]*\)|<[^>\n]*>|{NAMED}|{END}", re.MULTILINE | re.DOTALL)
HTML = re.compile(rf"<(?P<tag>a|code|style|svg)\b.*?</(?P=tag)>|{NAMED}|(?P<end><[^>]*>)", re.DOTALL)
SOURCE = re.compile(r"\s\(\[source\]\([^)]*\)\)")
TERM = re.compile(r"\]\(glossary\.md#([^)\s]+)\)")
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<path>(?!\w+:|#|<)[^)\s#]+)(?P<rest>[^)]*)\)")


def sections(text: str, pattern: re.Pattern[str] = MARKDOWN) -> str:
    """Return a text of a lesson, in Markdown or HTML, in which each RFC and section leads to its address.

    >>> sections("Frames (§5.2), not `§5.2`.")
    'Frames ([§5.2](https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2)), not `§5.2`.'
    """
    rfc = "6455"

    def linked(found: re.Match[str]) -> str:
        nonlocal rfc
        rfc = found["rfc"] or ("6455" if found["end"] else rfc)
        section = found["of"] or found["section"]
        if not (found["rfc"] or section):
            return found[0]
        address = RFC.format(rfc) + (f"#section-{section}" if section else "")
        return f'<a href="{address}">{found[0]}</a>' if pattern is HTML else f"[{found[0]}]({address})"

    return pattern.sub(linked, text)


def preview(title: str, sentence: str) -> dict[str, Any]:
    """Return as settings of MyST what a chat or a search shows of a link to a page."""
    plain = re.sub(r"[`*]", "", sentence)
    return {"html_meta": {"description": plain, "property=og:title": title, "property=og:description": plain}}


def meanings(glossary: str) -> dict[str, str]:
    """Return for the fragment of each term of the glossary what it means, as the title of a link."""
    markup = re.compile(r"[`*\\]|\[|\]\([^)]*\)")
    known = {fragment(term): markup.sub("", meaning) for term, meaning, *_ in rows(glossary)}
    return {term: meaning.replace('"', "″") for term, meaning in known.items()}


def titled(text: str, known: dict[str, str]) -> str:
    """Return a text in Markdown whose links to the glossary say what the term means."""
    return TERM.sub(lambda found: f'](glossary.md#{found[1]} "{known.get(found[1], "")}")', text)


def local(text: str, folder: Path) -> str:
    """Return a text in Markdown, written for a folder of the course, whose links to files work in the site.

    A lesson or a page leads to its page, any other file to the repository. If that has no address, the file
    leads nowhere, and "(source)" is left out.
    """

    def linked(found: re.Match[str]) -> str:
        file = (folder / found["path"]).resolve()
        if not file.is_relative_to(ROOT) or not file.exists():
            return found[0]  # code that looks like a link
        if file.parent == LESSONS or file in PAGES:
            return f"[{found['text']}]({PAGES.get(file, file.name)}{found['rest']})"
        where = f"blob/HEAD/{file.relative_to(ROOT).as_posix()}{found['rest']}"
        return f"[{found['text']}]({repository()}/{where})" if repository() else found["text"]

    return LINK.sub(linked, text if repository() else SOURCE.sub("", text))
