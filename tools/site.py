"""Build the reading edition, the course as a site that needs nothing installed: `make site`.

It is made of the notebooks as they are stored: no kernel, no network. The sources of its pages are prepared
in `build/site/`, where only what has changed is written again. Sphinx makes `_site/` of them, with the
settings in `docs/conf.py`.
"""

import io
import json
import re
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path

from PIL import Image

from tools.chinese import CHINESE
from tools.course import GLOSSARY, README, ROOT, lessons
from tools.course_map import course_map, outline
from tools.site_lesson import lesson_page
from tools.site_text import DOCS, PAGES, local, meanings, preview, sections
from wslab.lab.browser.serve import PAGES as SERVED
from wslab.lab.kernel.binder import binder, repository

OUT, BUILD = ROOT / "_site", ROOT / "build" / "site"
WORKBENCH = "workbench.html"
TRY = f"""## Try a frame

Change a bit, a byte or the text, and see what a receiver reads. It also has
<a href="{WORKBENCH}">a tab of its own</a>.

<iframe class="workbench" src="{WORKBENCH}" title="The frame workbench" loading="lazy"></iframe>
"""
PICTURE = re.compile(r"\]\(\.\./docs/([\w.-]+\.png)\)")  # in a lesson
FILM = re.compile(r"!\[([^\]]+)\]\((docs/[\w.-]+)\)")  # both READMEs begin with it


def film() -> tuple[Path, str]:
    """Return the picture that the README begins with, and its words."""
    found = FILM.search(README.read_text(encoding="utf-8"))
    assert found, "the README has no picture"
    return ROOT / found[2], found[1]


def still(picture: Path) -> bytes:
    """Return the first frame of a film, for a reader who wants nothing to move."""
    file = io.BytesIO()
    with Image.open(picture) as frames:
        frames.save(file, "PNG", save_all=False)
    return file.getvalue()


def run() -> str:
    """Return in Markdown how the course is opened, with the addresses of its repository if it has one."""
    home = repository()
    first = f"[Open it on Binder]({binder(home)}) with nothing installed, or run it" if home else "Run it"
    clone = [f"git clone {home}", f"cd {home.rpartition('/')[2]}"] if home else []
    commands = "\n".join([*clone, "make lab"])
    where = "" if home else " in a copy of the course"
    return f"{first} on your own machine with Python 3.11, 3.12 or 3.13{where}:\n\n```sh\n{commands}\n```\n"


def shown(words: str) -> str:
    """Return the film as HTML, with its words; its first frame for a reader who wants nothing to move."""
    frozen = '<source media="(prefers-reduced-motion: reduce)" srcset="film-still.png">'
    return f'<picture>{frozen}<img class="film" src="film.png" alt="{escape(words)}"></picture>'


def previewed(text: str) -> str:
    """Return a page with its heading and its first sentence as what is shown of a link to it."""
    heading, opening, *_ = text.split("\n\n")
    sentence = " ".join(opening.split()).partition(". ")[0].rstrip(".")
    return f"---\nmyst: {json.dumps(preview(heading.removeprefix('# '), f'{sentence}.'))}\n---\n\n{text}"


def page(file: Path) -> str:
    """Return the source of a page, with all that is computed from the course in the place of its comments."""
    computed = {
        "film": shown(film()[1]),
        "map": course_map(lessons()),
        "outline": outline(lessons()),
        "run": run(),
        "workbench": TRY if (SERVED / WORKBENCH).exists() else "",
    }
    text = local(file.read_text(encoding="utf-8"), file.parent)
    text = FILM.sub(lambda picture: shown(picture[1]), text)
    text = f'<div lang="zh-CN">\n\n{text}\n\n</div>\n' if file == CHINESE else previewed(text)
    for name, made in computed.items():
        text = text.replace(f"<!-- {name} -->", made)
    return text


def served(name: str) -> list[str]:
    """Return the names of the files that a page of the course is made of, itself the first."""
    text = (SERVED / name).read_text(encoding="utf-8")
    return [name, *re.findall(r'(?:src|href)="([\w.-]+\.(?:js|css))"', text)]


def sources() -> dict[str, bytes]:
    """Return the name and the content of each file that Sphinx is given."""
    glossary = GLOSSARY.read_text(encoding="utf-8")
    texts = {each.path.name: lesson_page(each, meanings(glossary)) for each in lessons()}
    texts[GLOSSARY.name] = sections(glossary)
    texts |= {name: page(file) for file, name in PAGES.items() if file != README}
    files = {f"pages/{name}": PICTURE.sub(r"](\1)", text).encode() for name, text in texts.items()}
    pictures = {name for text in texts.values() for name in PICTURE.findall(text)}
    files |= {f"pages/{name}": (DOCS / name).read_bytes() for name in pictures}
    files |= {"extra/film.png": film()[0].read_bytes(), "extra/film-still.png": still(film()[0])}
    if (SERVED / WORKBENCH).exists():
        files |= {f"extra/{name}": (SERVED / name).read_bytes() for name in served(WORKBENCH)}
    return files


def prepare(folder: Path) -> None:
    """Write the sources into a folder; leave alone what is as it was, so that its page is not made again."""
    wanted = {folder / name: content for name, content in sources().items()}
    for file in [*folder.glob("pages/*"), *folder.glob("extra/*")]:
        if file not in wanted:
            file.unlink()
            shutil.rmtree(folder / "html", ignore_errors=True)  # or its page would stay
    for file, content in wanted.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_bytes() != content:
            file.write_bytes(content)


def build(folder: Path, out: Path) -> int:
    """Build the site in a folder, where the next build goes on; copy it out; return Sphinx's exit code."""
    prepare(folder)
    options = ["-q", "-W", "--keep-going", "-j", "auto", "-c", DOCS, "-d", folder / "doctrees"]
    command = [sys.executable, "-m", "sphinx", *options, f"-Dhtml_extra_path={folder / 'extra'}"]
    failed = subprocess.call([*map(str, command), str(folder / "pages"), str(folder / "html")], cwd=ROOT)
    if not failed:
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(folder / "html", out)
    return failed


def main() -> int:
    """Build the site and say where it is."""
    failed = build(BUILD, OUT)
    if not failed:
        print(f"The reading edition is built. Open {(OUT / 'index.html').as_uri()}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
