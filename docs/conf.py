"""The settings of the reading edition. `make site` builds it; `tools/site.py` prepares what Sphinx reads."""

project = html_title = "WebSocket from the bytes up"
extensions = ["myst_nb"]
html_theme = "furo"  # fetches nothing, has a dark side, and fits a phone
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_favicon = "icon.svg"
html_show_sourcelink = html_copy_source = False
html_show_copyright = html_show_sphinx = False

nb_execution_mode = "off"  # the stored outputs are the tested ones
nb_merge_streams = True
nb_code_prompt_show = nb_code_prompt_hide = "Code"  # unless a cell says what it folds
myst_heading_anchors = 4
myst_heading_slug_func = "tools.glossary.anchor"  # links to headings as JupyterLab has them
suppress_warnings = ["myst.xref_missing"]  # the anchors in the glossary's table; the tests follow each link
