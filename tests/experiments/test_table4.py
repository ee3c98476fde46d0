import csv
import io
import json

import pytest
from matplotlib.image import imread

import emojax
from emojax.evaluation.score_files import parse_workdirs
from emojax.experiments.reports.report import write_report
from emojax.experiments.reports.score_grid import read_grid
from emojax.experiments.table3 import baselines
from emojax.experiments.table4 import transfer


@pytest.fixture
def workdirs(tmp_path, finished):
    return {
        "scratch": [
            finished(tmp_path / "scratch_x", {"x": 20}),
            finished(tmp_path / "scratch_y", {"y": 30}),
        ],
        "shared": [finished(tmp_path / "shared", {"y": 29, "x": 36, "z": 10}, devel=0.75)],
    }


def rewrite(folder, **changes):
    path = folder / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def rows_of(table):
    return list(csv.DictReader(io.StringIO(table.csv())))


def test_table_4_is_what_the_runs_scored(workdirs):
    table = transfer(workdirs).pieces[0]
    assert table.shown() == [
        ("x", "50.0", "50.0", "50.0", "75.0", "90.0+"),
        ("y", "50.0", "50.0", "75.0", "75.0", "72.5"),
        ("z", "50.0", "", "", "75.0", "25.0"),
        ("mean of 2", "50.0", "50.0", "62.5", "75.0", "81.2"),
    ]


def test_worse_is_marked_too_and_the_first_setting_is_the_reference(workdirs):
    turned = dict(reversed(workdirs.items()))
    assert transfer(turned).pieces[0].shown()[1][-1] == "50.0−"


def test_details_hold_differences_and_p_values(workdirs):
    rows = {(row["setting"], row["corpus"]): row for row in rows_of(transfer(workdirs).pieces[2])}
    x = rows["shared", "x"]
    assert float(x["test above first"]) == pytest.approx(40)
    assert float(x["from"]) < 40 < float(x["to"])
    assert float(x["mid-p"]) < float(x["exact p"]) < 0.05
    assert float(x["mid-p"]) <= float(x["mid-p by Holm"]) < 0.05
    assert float(rows["shared", "y"]["test above first"]) == pytest.approx(-2.5)
    assert rows["shared", "z"]["exact p"] == rows["scratch", "x"]["test above first"] == ""
    assert ("scratch", "z") not in rows


def test_only_the_corpora_asked_for_in_their_order(workdirs):
    table = transfer(workdirs, ["y", "x", "y"]).pieces[0]
    assert [row[0] for row in table.shown()] == ["y", "x", "mean of 2"]


def test_the_page_says_how_it_came_about(workdirs, tmp_path):
    files = {path.name: path for path in write_report(transfer(workdirs), tmp_path / "out", "")}
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


@pytest.fixture
def seeded(tmp_path, finished):
    """Three seeds of each setting on x: clearly apart, and the second of shared is the best."""
    hits = {"scratch": (20, 22, 24), "shared": (33, 39, 36)}
    return {
        setting: [
            finished(tmp_path / f"{setting}_{seed}", {"x": n}, seed=seed) for seed, n in enumerate(some)
        ]
        for setting, some in hits.items()
    }


def test_seeds_become_mean_and_deviation(seeded):
    report = transfer(seeded)
    assert report.pieces[0].shown()[0] == (
        "x",
        "50.0",
        *("50.0 ± 0.0", "55.0 ± 5.0"),
        *("50.0 ± 0.0", "90.0 ± 7.5+"),
    )
    row = rows_of(report.pieces[2])[1]
    assert (row["seeds"], float(row["deviation test"])) == ("3", pytest.approx(7.5))
    assert float(row["test above first"]) == pytest.approx(35)
    assert 0 <= float(row["ε_min"]) < 0.2
    assert len(report.pieces[3].rows) == 6
    assert report.seeds.startswith("0, 1, 2;")


def test_the_first_seed_that_both_have_is_tested(seeded):
    seeded["scratch"] = seeded["scratch"][1:]
    a, b = read_grid(seeded).paired("shared", "x")
    assert (a.seed, b.seed) == (1, 1)
    one = {name: some[:1] for name, some in seeded.items()}  # another seed may have tested other clips
    assert read_grid(one).paired("shared", "x") is None
    assert read_grid(one).stochastic_order("shared") == {}
    assert {row["mid-p"] for row in rows_of(transfer(one).pieces[2])} == {""}


def test_differences_are_between_runs_of_one_seed(seeded):
    seeded["scratch"] = seeded["scratch"][1:]
    seeded["shared"] = seeded["shared"][:2]
    grid = read_grid(seeded)
    # Seed 1 alone has both: 39 and 22 of 40.
    assert grid.difference("shared", "x", "test") == pytest.approx(42.5)
    assert (
        read_grid({name: some[:1] for name, some in seeded.items()}).difference("shared", "x", "test") is None
    )


def test_a_seed_twice_is_refused(seeded, tmp_path, finished):
    seeded["shared"].append(finished(tmp_path / "again", {"x": 1}, seed=2))
    with pytest.raises(ValueError, match=r"corpus x with seed 2 is in .*give each corpus once"):
        transfer(seeded)


def test_adapters_on_a_single_base_are_shown_beside_heads(workdirs, tmp_path, finished):
    workdirs["from x"] = [finished(tmp_path / "adapters", {"x": 30, "y": 20})]
    workdirs["from x, head"] = [finished(tmp_path / "head", {"x": 20, "y": 24})]
    picture = transfer(workdirs).pieces[2]
    assert picture.name == "figure_7a"
    array = picture.figure.axes[0].images[0].get_array()
    assert array[:, 1].tolist()[:2] == pytest.approx([25, -10])


def ranks_of(tmp_path, finished, hits):
    """The pictures of ranks of settings that have so many hits on each corpus."""
    pytest.importorskip("scikit_posthocs")
    counts = {name: dict(zip("vwxyz", some, strict=False)) for name, some in hits.items()}
    workdirs = {name: [finished(tmp_path / name, some)] for name, some in counts.items()}
    pieces = [*transfer(workdirs).pieces, *baselines(workdirs).pieces]
    return [piece for piece in pieces if piece.name == "ranks"]


def test_settings_are_ranked_over_five_corpora(tmp_path, finished):
    hits = {"alone": (10, 11, 12, 13, 14), "all": (30, 31, 32, 33, 34), "tuned": (29, 35, 36, 37, 38)}
    pictures = ranks_of(tmp_path, finished, hits)
    assert len(pictures) == 2  # of either report
    assert "over 5 corpora (1 is best); Friedman's test p = 0.0150" in pictures[0].caption
    assert imread(io.BytesIO(pictures[0].png())).std() > 0.1
    assert not ranks_of(tmp_path / "few", finished, {name: some[:4] for name, some in hits.items()})
    assert not ranks_of(tmp_path / "two", finished, {name: hits[name] for name in ("alone", "all")})


def test_table_3_puts_baselines_side_by_side(workdirs, tmp_path):
    report = baselines({"svm": workdirs["scratch"], "resnet": workdirs["shared"]}, missing="svm/z_seed0: <b>")
    assert report.pieces[0].name == "table_3"
    assert report.pieces[0].shown()[0] == ("x", "50.0", "50.0", "50.0", "75.0", "90.0")
    assert report.pieces[1].figure.axes[0].images[0].get_array()[0].tolist() == pytest.approx([0, 0, 25, 40])
    page = write_report(report, tmp_path / "out", "")[-1].read_text("utf-8")
    assert "<b>Missing</b> svm/z_seed0: &lt;b&gt;</p>" in page


def test_the_page_tells_versions_of_the_runs_from_its_own(workdirs, tmp_path):
    rewrite(workdirs["scratch"][0], versions={"jax": "0.9 <b>"})
    page = write_report(transfer(workdirs), tmp_path / "out", "")[-1].read_text("utf-8")
    assert "<dt>Versions of the runs</dt><dd>scratch: jax 0.9 &lt;b&gt;; scratch, shared: not noted. " in page
    assert f"<dt>Versions of this page</dt><dd>emojax {emojax.__version__}" in page


def test_a_setting_that_normalises_speakers_is_named(workdirs):
    rewrite(workdirs["shared"][0], config={"seed": 3, "speaker_normalisation": True})
    assert "Per speaker: shared." in transfer(workdirs).normalisation


def test_what_svms_standardise_over_is_said_where_there_are_svms(workdirs):
    assert "SVM" not in transfer(workdirs).normalisation
    rewrite(workdirs["scratch"][0], config={"seed": 3, "classifier": "linear"})
    assert " SVMs (scratch): each feature over train. " in transfer(workdirs).normalisation
    rewrite(workdirs["shared"][0], config={"seed": 3, "classifier": "rbf"})
    assert " SVMs (shared): each feature over train and devel. " in baselines(workdirs).normalisation


def test_the_runs_table_has_what_matters_of_a_network_where_it_is_noted(workdirs):
    noted = {"seed": 3, "width": 32, "learning_rates": [0.1, 0.01], "rounds_per_phase": 2500}
    rewrite(workdirs["shared"][0], config=noted)
    columns = "width", "learning rates", "rounds a phase"
    rows = [[row[column] for column in columns] for row in rows_of(transfer(workdirs).pieces[-1])]
    assert rows == [[""] * 3, [""] * 3, ["32", "0.1, 0.01", "2500"]]


def test_the_heat_map_colours_the_difference(workdirs):
    ax = transfer(workdirs).pieces[1].figure.axes[0]
    values = ax.images[0].get_array()
    assert values[0].tolist() == pytest.approx([0, 0, 25, 40])
    assert {text.get_text() for text in ax.texts} >= {"90.0", "72.5"}


def test_a_system_without_devel_part_can_be_compared(workdirs):
    rewrite(workdirs["scratch"][0], devel_uar={"x": None})
    table = transfer(workdirs).pieces[0].shown()
    assert table[0][2:4] == ("", "50.0")
    assert table[-1][2:4] == ("", "62.5")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda w: w.pop("shared"), "give two or more"),
        (lambda w: (w["shared"][0] / "results.json").unlink(), "holds no results; finished are .*scratch_x"),
        (lambda w: (w["shared"][0] / "predictions.csv").unlink(), "no predictions.csv"),
        (lambda w: rewrite(w["shared"][0], part="devel"), "of the devel part"),
        (lambda w: (w["shared"][0] / "results.json").write_text("[1]"), "not what evaluate.py writes"),
        (lambda w: rewrite(w["shared"][0], versions=7), "not what evaluate.py writes"),
        (
            lambda w: (w["shared"][0] / "results.json").write_text('{"config": {}, "corpora": {}}'),
            "lacks command",
        ),
        (lambda w: w["scratch"].extend(w["shared"]), "give each corpus once"),
    ],
)
def test_unusable_runs_are_one_clear_error(workdirs, spoil, message):
    spoil(workdirs)
    with pytest.raises(ValueError, match=message):
        transfer(workdirs)


def test_a_corpus_in_no_run_is_an_error_with_the_choices(workdirs):
    with pytest.raises(ValueError, match="'nope' is in no run; choose of x, y, z"):
        transfer(workdirs, ["nope"])


def test_runs_of_different_clips_cannot_be_compared(workdirs):
    path = workdirs["shared"][0] / "predictions.csv"
    path.write_text(path.read_text().replace("x,0.wav", "x,other.wav"))
    with pytest.raises(ValueError, match="corpus x"):
        transfer(workdirs)


def test_settings_are_named_and_folders_may_be_patterns(workdirs):
    root = workdirs["shared"][0].parent
    items = [f"a={root}/scratch_*", f"b={root}/shared", f"b={root}/scratch_x"]
    assert parse_workdirs(items) == {
        "a": workdirs["scratch"],
        "b": [root / "shared", root / "scratch_x"],
    }


@pytest.mark.parametrize("item", ["{root}/shared", "=x", "name="])
def test_a_setting_needs_a_name_and_a_folder(workdirs, item):
    with pytest.raises(ValueError, match="names no setting"):
        parse_workdirs([item.format(root=workdirs["shared"][0].parent)])


def test_a_pattern_that_fits_nothing_says_what_is_there(workdirs):
    with pytest.raises(ValueError, match=r"no such folder; finished are .*shared"):
        parse_workdirs([f"a={workdirs['shared'][0].parent}/nothing*"])
