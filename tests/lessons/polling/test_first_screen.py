"""What lesson 01 quotes on its first screen is what its cells print, to the letter."""

import re

from tools.course import lessons


def test_the_quoted_output_is_the_stored_one() -> None:
    [lesson] = [each for each in lessons() if each.number == "01"]
    [quoted] = re.findall(r"^```text\n(.*?)^```", lesson.opening, re.MULTILINE | re.DOTALL)
    stored = {line for cell in lesson.code for text in cell.texts for line in text.splitlines()}
    assert len(quoted.splitlines()) == 2
    assert set(quoted.splitlines()) <= stored
