import base64
import dataclasses
import io
import json
import re

import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from emojax.experiments.reports.report import Picture, Report, write_report
from emojax.experiments.reports.table import Table

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def report():
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([0, 1])
    table = Table("numbers", "Numbers", {"a": "d"}, [(1,)])
    return Report(
        "demo",
        HOSTILE,
        HOSTILE,
        "seed 7",
        "none",
        "the best",
        [table, Picture("line", HOSTILE, figure)],
    )


def test_every_piece_has_its_files_and_the_page_holds_them_all(report, tmp_path):
    written = write_report(report, tmp_path / "new" / "folder", "python -m demo")
    assert [path.name for path in written] == [
        "numbers.csv",
        "numbers.tex",
        "line.png",
        "demo.html",
    ]
    assert sorted(path.name for path in written[0].parent.iterdir()) == sorted(
        p.name for p in written
    )
    page = written[-1].read_text("utf-8")
    (picture,) = re.findall(r'src="data:image/png;base64,([^"]*)"', page)
    assert base64.b64decode(picture) == written[2].read_bytes()
    assert imread(io.BytesIO(base64.b64decode(picture))).std() > 0
    for text in ("seed 7", "the best", "python -m demo", "jax ", "Normalisation"):
        assert text in page
    assert "Versions of the runs" not in page  # there are none


def test_scores_are_there_for_programs(report, tmp_path):
    scores = {"shared": {"emodb": {"uar": 0.5}}}
    written = write_report(dataclasses.replace(report, scores=scores), tmp_path, "typed")
    assert written[-2].name == "demo.json"
    assert json.loads(written[-2].read_text()) == {"command": "typed", "settings": scores}


def test_the_page_loads_nothing_and_runs_nothing(report, tmp_path):
    page = write_report(report, tmp_path, HOSTILE)[-1].read_text("utf-8")
    assert "<img src=x" not in page
    assert not re.search(r"https?://|<script|<link|url\(", page)
    assert "default-src 'none'" in page


def test_a_page_that_cannot_be_written_leaves_nothing(report, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "emojax.files.os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full"))
    )
    with pytest.raises(OSError, match="disk full"):
        write_report(report, tmp_path, "")
    assert list(tmp_path.iterdir()) == []
