import csv
import io

import pytest

from emojax.experiments.reports.table import Marked, Table

HOSTILE = "<script>alert('x')</script> & \\input{secret} 50 % $x_1$ #~^\n\n\x07end"


@pytest.fixture
def hostile():
    return Table(
        "hostile",
        HOSTILE,
        {"corpus": "", HOSTILE: ".1f"},
        [(HOSTILE, Marked(12.345, "+")), ("b", None)],
        ("mean", -6.5),
        [HOSTILE],
    )


def test_html_holds_no_tag_of_a_stranger(hostile):
    page = hostile.html()
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; ") == 4
    assert "\x07" not in page


def test_latex_holds_no_command_of_a_stranger(hostile):
    text = hostile.latex()
    assert r"\input" not in text.replace(r"\textbackslash{}input\{secret\}", "")
    assert text.count(r"50 \% \$x\_1\$ \#\textasciitilde{}\textasciicircum{} end") == 4
    assert "\n\n" not in text  # a paragraph within a caption is an error


def test_people_see_rounded_numbers_with_marks_and_programs_all_of_them(hostile):
    assert [row[1] for row in hostile.shown()] == ["12.3+", "", "−6.5"]
    rows = list(csv.reader(io.StringIO(hostile.csv())))
    assert [row[1] for row in rows] == [HOSTILE, "12.345", "", "-6.5"]
    assert rows[1][0] == HOSTILE


def test_no_cell_becomes_an_option_of_the_row_before():
    rows = Table("rows", "", {"a": ""}, [("[1em]",), ("*",)]).latex().splitlines()
    assert [row for row in rows if row.endswith(r"\\")] == [r"a \\", r"{[}1em] \\", r"{*} \\"]


def test_latex_knows_what_our_own_headings_hold():
    assert r"$\varepsilon$\_min" in Table("headings", "", {"ε_min": ""}, []).latex()


def test_the_foot_stands_apart(hostile):
    assert "<tfoot><tr><td class=text>mean</td><td class=number>−6.5</td></tr>" in hostile.html()
    *_, rule, foot, bottom, _, _, _ = hostile.latex().splitlines()
    assert (rule, foot, bottom) == (r"\midrule", r"mean & $-$6.5 \\", r"\bottomrule")


def test_a_table_without_rows_is_a_table():
    table = Table("empty", "Nothing", {"a": ""}, [])
    assert table.csv() == "a\n"
    assert "<tbody></tbody>" in table.html()
    assert r"\bottomrule" in table.latex()


def test_a_row_of_another_width_is_refused():
    with pytest.raises(ValueError, match="zip"):
        Table("bad", "", {"a": "", "b": ""}, [("only one",)]).html()
