"""The table of close codes in lesson 04 agrees with what `wslab` sends, for every code (§7.4)."""

from __future__ import annotations

import re

from tools.course import lessons
from wslab.close import is_valid_close_code

ROW = re.compile(r"^\| (\d+)(?:–(\d+))? \|.*\| (.+?) \|.*\|$", re.MULTILINE)


def test_the_table_says_of_every_code_whether_it_may_be_sent() -> None:
    (lesson,) = (each for each in lessons() if each.number == "04")
    rows = [row for cell in lesson.prose for row in ROW.findall(cell.source)]
    sendable: dict[int, bool] = {}
    for first, last, sender in rows:
        for code in range(int(first), int(last or first) + 1):
            assert code not in sendable, f"{code} is in two rows"
            sendable[code] = not sender.startswith("nobody")
    assert sorted(sendable) == list(range(5000))
    assert {code for code in sendable if sendable[code]} == {*filter(is_valid_close_code, range(5000))}
