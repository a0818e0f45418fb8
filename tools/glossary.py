"""Link each term that a lesson defines to the glossary, and each row of the glossary to the lesson.

A lesson defines a term where it writes it in bold. `notebooks/glossary.md` ends with a table that has a row
for each term: the term, its meaning and its section are written by hand. The anchor, the order, and the place
where a lesson defines the term first are computed.
"""

import re
from collections.abc import Iterator, Sequence

from tools.course import Lesson

RULE = "|---|---|---|---|\n"  # between the head of the table and its rows
# Code is matched first, so that nothing is found in it.
CODE = r"^(?P<fence>```|~~~).*?^(?P=fence)[ \t]*$|(?P<ticks>`+)[^`].*?(?P=ticks)"
BOLD = r"\[\*\*(?P<linked>[^*]+)\*\*\]\(glossary\.md#[^)]*\)|\*\*(?P<bold>[^*]+)\*\*"
HEADING = r"^#+ +(?P<heading>.+?) *$"
PART = re.compile(f"{HEADING}|{CODE}|{BOLD}", re.MULTILINE | re.DOTALL)


def key(term: str) -> str:
    """Return what the forms of a term have in common: "Frames" and "frame" are one."""
    text = " ".join(term.split()).lower()
    return f"{text[:-3]}y" if text.endswith("ies") else text.removesuffix("s")


def fragment(term: str) -> str:
    """Return the fragment of a term in the glossary, which GitHub and JupyterLab find in the same way."""
    return re.sub(r"[^a-z0-9]+", "-", term.lower())


def anchor(heading: str) -> str:
    """Return the fragment by which JupyterLab links to a heading of a notebook. It wants it unquoted."""
    return re.sub(r"[`*_]", "", heading).replace(" ", "-")


def bold(sources: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each phrase in bold, linked or not, with the heading that it stands under."""
    heading = ""
    for part in (part for source in sources for part in PART.finditer(source)):
        heading = part["heading"] or heading
        if phrase := part["linked"] or part["bold"]:
            yield phrase, heading


def link(source: str, terms: Sequence[str]) -> str:
    """Return a text whose terms in bold, and no other words, are linked to the glossary."""
    fragments = {key(term): fragment(term) for term in terms}

    def linked(part: re.Match[str]) -> str:
        phrase = part["linked"] or part["bold"]
        if not phrase:
            return part[0]
        found = fragments.get(key(phrase))
        return f"[**{phrase}**](glossary.md#{found})" if found else f"**{phrase}**"

    return PART.sub(linked, source)


def places(course: Sequence[Lesson]) -> dict[str, str]:
    """Return for the key of each phrase in bold a link to the section of a lesson that has it first."""
    found: dict[str, str] = {}
    for lesson in course:
        for phrase, heading in bold([cell.source for cell in lesson.prose]):
            text = f"[{lesson.number} · {heading}]({lesson.path.name}#{anchor(heading)})"
            found.setdefault(key(phrase), text)
    return found


def rows(text: str) -> list[list[str]]:
    """Return the rows of the table: term, meaning, section, and where it is defined."""
    table = text.partition(RULE)[2].splitlines()
    return [re.sub("<a .*?</a>", "", row).strip("| ").split(" | ") for row in table]


def terms(text: str) -> list[str]:
    """Return the terms of the glossary, as it writes them."""
    return [row[0] for row in rows(text)]


def renewed(text: str, course: Sequence[Lesson]) -> str:
    """Return the text of the glossary with its rows in order and with their links."""
    found = places(course)
    lines = []
    for term, meaning, section, *_ in sorted(rows(text), key=lambda row: row[0].casefold()):
        where = found.get(key(term), "no lesson")
        lines.append(f'| {term} | <a id="{fragment(term)}"></a>{meaning} | {section} | {where} |\n')
    return text.partition(RULE)[0] + RULE + "".join(lines)
