"""A table shows the same cells in text and in HTML, and lets nothing through as markup."""

from wslab.lab.views.palette import FIELDS
from wslab.lab.views.table import WIDTH, Cell, Column, Line, Table


def test_text_is_aligned_with_headings_at_the_bottom() -> None:
    table = Table(("way", "bytes\nan update"), [("polling", "1,090"), ("WebSocket", "10")])
    assert repr(table).splitlines() == [
        "               bytes",
        "way        an update",
        "---------  ---------",
        "polling        1,090",
        "WebSocket         10",
    ]


def test_html_escapes_and_breaks_lines() -> None:
    html = Table(("a\nb",), [("<b>&</b>",)], "1 < 2")._repr_html_()
    assert "</table>1 &lt; 2</div>" in html
    assert repr(Table(("a",), [("b",)], "a note")).endswith("\nb\na note")
    assert "a<br>b" in html
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in html
    assert "color:inherit" in html


def test_a_cell_has_its_colour_and_a_row_says_what_is_wrong_with_it() -> None:
    table = Table(("field", "value"), [Line((Cell("FIN", FIELDS["FIN"]), "1"), "a <b> fault"), ("MASK", "0")])
    assert repr(table).splitlines()[2:] == ["FIN        1", "  wrong: a <b> fault", "MASK       0"]
    html = table._repr_html_()
    assert f"{FIELDS['FIN'].css}" in html
    assert 'colspan="2"' in html
    assert "wrong: a &lt;b&gt; fault" in html


def test_numbers_stand_to_the_right_and_words_do_not() -> None:
    rows = [("Ada", "1,090 ms", "7"), ("1", "–", "x")]
    table = Table(("name", "late", "mixed"), rows)
    assert repr(table).splitlines()[2:] == ["Ada   1,090 ms  7", "1            –  x"]
    assert table._repr_html_().count("text-align:right") == 3
    forced = Table((Column("late", number=False),), [("1",)])
    assert "text-align:right" not in forced._repr_html_()


def test_headings_name_their_columns_for_screen_readers() -> None:
    assert Table(("a", "b"), [("1", "2")])._repr_html_().count('<th scope="col"') == 2


def test_long_texts_go_on_below_and_no_line_is_too_wide() -> None:
    table = Table(("a", Column("b", 12), "c"), [("x " * 90, "y" * 30, "z " * 40)])
    lines = repr(table).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert repr(table).count("x") == 90
    assert repr(table).count("y") == 30


def test_the_first_line_of_the_html_is_blank() -> None:
    """JupyterLab writes the first line of a folded output beside its dots."""
    assert Table(("a",), [("secret",)])._repr_html_().split("\n")[0] == " "
