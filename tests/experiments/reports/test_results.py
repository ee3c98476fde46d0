import pytest

from emojax.experiments.table4 import transfer_report


def test_a_seed_twice_is_refused(seeded, tmp_path, finished):
    seeded["shared"].append(finished(tmp_path / "again", {"x": 1}, seed=2))
    with pytest.raises(ValueError, match=r"corpus x with seed 2 is in .*give each corpus once"):
        transfer_report(seeded)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda w, _: w.pop("shared"), "give two or more"),
        (
            lambda w, _: (w["shared"][0] / "results.json").unlink(),
            "holds no results; finished are .*scratch_x",
        ),
        (lambda w, _: (w["shared"][0] / "predictions.csv").unlink(), "no predictions.csv"),
        (lambda w, rewrite: rewrite(w["shared"][0], part="devel"), "of the devel part"),
        (
            lambda w, _: (w["shared"][0] / "results.json").write_text("[1]"),
            "not what evaluate.py writes",
        ),
        (lambda w, rewrite: rewrite(w["shared"][0], versions=7), "not what evaluate.py writes"),
        (
            lambda w, _: (w["shared"][0] / "results.json").write_text(
                '{"config": {}, "corpora": {}}'
            ),
            "lacks command",
        ),
        (lambda w, _: w["scratch"].extend(w["shared"]), "give each corpus once"),
    ],
)
def test_unusable_runs_are_one_clear_error(workdirs, spoil, message, rewrite):
    spoil(workdirs, rewrite)
    with pytest.raises(ValueError, match=message):
        transfer_report(workdirs)
