"""The table of close codes in lesson 04 agrees with what `wslab` sends, for every code (§7.4)."""

from __future__ import annotations

import re

from tools.course import lessons
from wslab.close import is_valid_close_code

CODES = re.compile(r"(?:[|;]) (\d{4})(?:–(\d{4}))? ([^|;]+)")


def test_the_table_says_of_every_code_whether_it_may_be_sent() -> None:
    (lesson,) = (each for each in lessons() if each.number == "04")
    (table,) = (cell.source for cell in lesson.prose if cell.raw["id"] == "04-all-codes")
    sendable: dict[int, bool] = {}
    for first, last, meaning in CODES.findall(table):
        for code in range(int(first), int(last or first) + 1):
            assert code not in sendable, f"{code} is there twice"
            sendable[code] = "(reported)" not in meaning
    assert [code for code, sent in sendable.items() if not sent] == [1005, 1006, 1015]
    assert {code for code, sent in sendable.items() if sent} == {*filter(is_valid_close_code, range(5000))}
