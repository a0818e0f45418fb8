"""The settings of the reading edition. `make site` builds it; `tools/site.py` prepares what Sphinx reads."""

from typing import Any

project = html_title = "WebSocket from the bytes up"
extensions = ["myst_nb"]
html_theme = "furo"  # fetches nothing, has a dark side, and fits a phone
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_favicon = "icon.svg"
html_show_sourcelink = html_copy_source = False
html_use_index = html_domain_indices = False
html_show_copyright = html_show_sphinx = False

nb_execution_mode = "off"  # the stored outputs are the tested ones
nb_merge_streams = True
nb_code_prompt_show = nb_code_prompt_hide = "Code"  # unless a cell says what it folds
myst_heading_anchors = 4
myst_heading_slug_func = "tools.glossary.anchor"  # links to headings as JupyterLab has them
suppress_warnings = ["myst.xref_missing"]  # the anchors in the glossary's table; the tests follow each link


def name_folds(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Let what is folded be called by its sentence: myst-nb tells a screen reader the same of every fold."""
    context["body"] = context.get("body", "").replace(' aria-label="Toggle hidden content"', "")


def setup(app: Any) -> None:
    """Connect what Sphinx has no setting for."""
    app.connect("html-page-context", name_folds)
