"""A table shows the same cells in text and in HTML, and lets nothing through as markup."""

from wslab.lab.views.table import Table


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
