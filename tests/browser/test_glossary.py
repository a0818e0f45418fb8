"""The glossary in JupyterLab: a term of a lesson leads to its row, and the row back to the lesson."""

import shutil
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Lesson
from tests.support.jupyter_process import JupyterProcess
from tools.course import GLOSSARY

pytestmark = pytest.mark.browser
TERMS = {"task group": "Push and receive at once", "drift": "Two ways to tick once a second"}


def test_a_term_leads_to_its_row_and_back(lesson: Callable[..., Lesson], jupyter: JupyterProcess) -> None:
    opened = lesson("06")
    shutil.copy(GLOSSARY, next(jupyter.folder.glob("06*")))
    for term, heading in TERMS.items():
        opened.panel.get_by_role("link", name=term, exact=True).click()
        cell = opened.page.locator(".jp-MarkdownViewer td").get_by_text(term, exact=True)
        expect(cell).to_be_in_viewport()
        row = cell.locator("xpath=ancestor::tr")
        row.get_by_role("link", name=heading).click()
        expect(opened.panel.get_by_role("heading", name=heading)).to_be_in_viewport()
