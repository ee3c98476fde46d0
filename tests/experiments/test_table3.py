import pytest

from emojax.experiments.reports.report import write_report
from emojax.experiments.table3 import baseline_report


def test_table_3_puts_baselines_side_by_side(workdirs, tmp_path):
    report = baseline_report(
        {"svm": workdirs["scratch"], "resnet": workdirs["shared"]}, missing="svm/z_seed0: <b>"
    )
    assert report.pieces[0].name == "table_3"
    assert report.pieces[0].shown()[0] == ("x", "50.0", "50.0", "50.0", "75.0", "90.0")
    assert report.pieces[1].figure.axes[0].images[0].get_array()[0].tolist() == pytest.approx(
        [0, 0, 25, 40]
    )
    page = write_report(report, tmp_path / "out", "")[-1].read_text("utf-8")
    assert "<b>Missing</b> svm/z_seed0: &lt;b&gt;</p>" in page
