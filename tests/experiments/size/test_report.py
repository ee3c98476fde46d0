import csv

import pytest

from emojax.experiments.parameter_count import count
from emojax.experiments.reports.report import write_report
from emojax.experiments.size.plan import size_jobs
from emojax.experiments.size.report import size_report
from emojax.models.adapter_resnet import AdapterResNet


@pytest.fixture
def workdirs(spec, scored):
    return scored(size_jobs(spec, [8, 16], [1, 2], 3))


def test_a_row_for_each_size_with_cost_time_and_score(workdirs, opened, tmp_path):
    report = size_report(workdirs, opened)
    write_report(report, tmp_path / "page", "")
    with open(tmp_path / "page" / "size.csv", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert [(row["width"], row["depth"]) for row in rows] == [
        *(("8", "1"), ("8", "2"), ("16", "1"), ("16", "2"))
    ]
    shared, own = count(AdapterResNet(classes=3, width=16, depth=1))
    third = rows[2]
    assert (int(third["shared"]), int(third["own, each"])) == (shared, own)
    assert int(third["one shared network"]) == shared + 2 * own
    assert {row["training s"] for row in rows} == {"4.5"}  # 4 steps of 1 s and 2 of a quarter
    for row, uar in zip(rows, [200 / 3, 200 / 3, 100, 100], strict=True):
        scores = [float(row[name]) for name in ("tones UAR", "levels UAR", "mean", "low", "high")]
        assert scores == pytest.approx([uar] * 5)  # the same for each speaker
    assert {path.suffix for path in (tmp_path / "page").glob("size.*")} == {
        *(".csv", ".tex", ".png", ".html")
    }
    assert report.missing == ""


def test_the_picture_has_a_point_with_an_interval_for_each_size(workdirs, opened):
    _, picture, *_ = size_report(workdirs, opened).pieces
    (ax,) = picture.figure.axes
    assert ax.get_xscale() == "log"
    curves = ax.containers
    assert [curve.get_label() for curve in curves] == ["depth 1", "depth 2"]
    assert [[*curve.lines[0].get_ydata()] for curve in curves] == [
        pytest.approx([200 / 3, 100])
    ] * 2
    assert all(curve.has_yerr for curve in curves)
    assert [text.get_text() for text in ax.texts] == ["8", "16"] * 2


def test_a_size_that_lacks_a_fold_is_named_and_not_shown(workdirs, opened):
    workdirs["width 16, depth 1"].pop()
    report = size_report(workdirs, opened, "size/x: broken")
    assert len(report.pieces[0].rows) == 3
    assert report.missing.startswith("size/x: broken; width 16, depth 1, tones, seed 0: ")
