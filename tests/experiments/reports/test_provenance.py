import emojax
from emojax.experiments.reports.report import write_report
from emojax.experiments.table3 import baseline_report
from emojax.experiments.table4 import transfer_report


def test_the_page_tells_versions_of_the_runs_from_its_own(workdirs, tmp_path, rewrite):
    rewrite(workdirs["scratch"][0], versions={"jax": "0.9 <b>"})
    page = write_report(transfer_report(workdirs), tmp_path / "out", "")[-1].read_text("utf-8")
    assert (
        "<dt>Versions of the runs</dt><dd>scratch: jax 0.9 &lt;b&gt;; scratch, shared: not noted. "
        in page
    )
    assert f"<dt>Versions of this page</dt><dd>emojax {emojax.__version__}" in page


def test_a_setting_that_normalises_speakers_is_named(workdirs, rewrite):
    rewrite(workdirs["shared"][0], config={"seed": 3, "speaker_normalisation": True})
    assert "Per speaker: shared." in transfer_report(workdirs).normalisation


def test_what_svms_standardise_over_is_said_where_there_are_svms(workdirs, rewrite):
    assert "SVM" not in transfer_report(workdirs).normalisation
    rewrite(workdirs["scratch"][0], config={"seed": 3, "classifier": "linear"})
    assert " SVMs (scratch): each feature over train. " in transfer_report(workdirs).normalisation
    rewrite(workdirs["shared"][0], config={"seed": 3, "classifier": "rbf"})
    assert (
        " SVMs (shared): each feature over train and devel. "
        in baseline_report(workdirs).normalisation
    )


def test_the_runs_table_has_what_matters_of_a_network_where_it_is_noted(workdirs, rewrite, rows_of):
    noted = {"seed": 3, "width": 32, "learning_rates": [0.1, 0.01], "rounds_per_phase": 2500}
    rewrite(workdirs["shared"][0], config=noted)
    columns = "width", "learning rates", "rounds a phase"
    rows = [
        [row[column] for column in columns] for row in rows_of(transfer_report(workdirs).pieces[-1])
    ]
    assert rows == [[""] * 3, [""] * 3, ["32", "0.1, 0.01", "2500"]]


def test_every_title_says_where_a_score_is_speaker_dependent(tmp_path, finished):
    folders = {
        name: [finished(tmp_path / name, {"x": 30}, protocol=f"speaker-{kind}: one of 5")]
        for name, kind in (("scratch", "independent"), ("shared", "dependent"))
    }
    report = transfer_report(folders)
    titles = [report.title, *(piece.caption for piece in report.pieces[:-1])]
    assert all(title.endswith(" (speaker-dependent)") for title in titles)
    report = transfer_report({"scratch": folders["scratch"], "again": folders["scratch"]})
    assert "speaker-dependent" not in "".join([report.title, *(p.caption for p in report.pieces)])
