import pytest

from emojax.experiments.reports.report import write_report
from emojax.experiments.table4 import transfer_report


def test_table_4_is_what_the_runs_scored(workdirs):
    table = transfer_report(workdirs).pieces[0]
    assert table.shown() == [
        ("x", "50.0", "50.0", "50.0", "75.0", "90.0+"),
        ("y", "50.0", "50.0", "75.0", "75.0", "72.5"),
        ("z", "50.0", "", "", "75.0", "25.0"),
        ("mean of 2", "50.0", "50.0", "62.5", "75.0", "81.2"),
    ]


def test_worse_is_marked_too_and_the_first_setting_is_the_reference(workdirs):
    turned = dict(reversed(workdirs.items()))
    assert transfer_report(turned).pieces[0].shown()[1][-1] == "50.0−"


def test_details_hold_differences_and_p_values(workdirs, rows_of):
    rows = {
        (row["setting"], row["corpus"]): row for row in rows_of(transfer_report(workdirs).pieces[2])
    }
    x = rows["shared", "x"]
    assert float(x["test above first"]) == pytest.approx(40)
    assert float(x["from"]) < 40 < float(x["to"])
    assert float(x["mid-p"]) < float(x["exact p"]) < 0.05
    assert float(x["mid-p"]) <= float(x["mid-p by Holm"]) < 0.05
    assert float(rows["shared", "y"]["test above first"]) == pytest.approx(-2.5)
    assert rows["shared", "z"]["exact p"] == rows["scratch", "x"]["test above first"] == ""
    assert ("scratch", "z") not in rows


def test_only_the_corpora_asked_for_in_their_order(workdirs):
    table = transfer_report(workdirs, ["y", "x", "y"]).pieces[0]
    assert [row[0] for row in table.shown()] == ["y", "x", "mean of 2"]


def test_the_page_says_how_it_came_about(workdirs, tmp_path):
    files = {
        path.name: path for path in write_report(transfer_report(workdirs), tmp_path / "out", "")
    }
    tables = ("table_4", "table_4_details", "runs")
    assert set(files) == {f"{t}.{end}" for t in tables for end in ("csv", "tex")} | {
        "figure_7.png",
        "transfer.html",
    }
    page = files["transfer.html"].read_text("utf-8")
    assert "<dd>x, y, z: test on two</dd>" in page
    assert "Per speaker: none." in page
    assert "<dt>Seeds</dt><dd>3;" in page
    assert "python &lt;evaluate&gt;" in page


def test_adapters_on_a_single_base_are_shown_beside_heads(workdirs, tmp_path, finished):
    workdirs["from x"] = [finished(tmp_path / "adapters", {"x": 30, "y": 20})]
    workdirs["from x, head"] = [finished(tmp_path / "head", {"x": 20, "y": 24})]
    picture = transfer_report(workdirs).pieces[2]
    assert picture.name == "figure_7a"
    array = picture.figure.axes[0].images[0].get_array()
    assert array[:, 1].tolist()[:2] == pytest.approx([25, -10])
