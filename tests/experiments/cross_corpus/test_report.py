import pytest
import sklearn

from emojax.experiments.reports.report import write_report


def test_every_dimension_has_a_matrix_and_the_page_its_facts(opened, extracted, tmp_path, run):
    files = {
        path.name: path
        for path in write_report(run(opened, tmp_path, "a+v"), tmp_path / "out", "<cmd>")
    }
    names = ("cross_corpus_arousal_egemaps", "cross_corpus_valence_egemaps")
    assert set(files) == {f"{name}.{end}" for name in names for end in ("csv", "tex", "png")} | {
        "cross_corpus_details.csv",
        "cross_corpus_details.tex",
        "cross_corpus.html",
    }
    page = files["cross_corpus.html"].read_text("utf-8")
    assert "levels equally frequent in each part" in page
    assert "&lt;cmd&gt;" in page
    assert f"scikit-learn {sklearn.__version__}" in page
    assert "levels has nothing that is positive" in page


def test_runs_that_do_not_go_together_are_refused(
    tiny_config, opened, tiny_paths, workdir, tmp_path, run, untrained, label_words
):
    with pytest.raises(ValueError, match="are both trained on tones; name them apart"):
        run(opened, tmp_path, features=(), alone=[workdir, workdir])
    other = tmp_path / "other"
    other.mkdir()
    settings = {"domains": "arousal", "label_words": label_words, "seed": 1}
    untrained(tiny_config, {"levels": tiny_paths["levels"]}, other, **settings)
    with pytest.raises(ValueError, match=r"divided their corpora differently .*seed 1"):
        run(opened, tmp_path, features=(), alone=[workdir, other])
    with pytest.raises(ValueError, match="can be tested on valence"):
        run(opened, tmp_path, "valence", features=(), alone=[workdir])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"features": ()}, "nothing to test; give --features=egemaps, --workdirs="),
        ({"features": ("mfcc",)}, "mfcc.; choose one of egemaps, compare"),
        (
            {"words": "high=anger"},
            "tones: low, middle.*--label_words .experiments., as in 'loud=neutral,",
        ),
        ({"words": "high=rage"}, "label_words: 'high=rage'"),
        ({"egemaps": []}, "runs named 'egemaps'"),
        ({"../x": []}, "runs named '../x', which is to be part of a file's name"),
    ],
)
def test_bad_input_is_one_clear_error(settings, message, opened, extracted, tmp_path, run):
    with pytest.raises(ValueError, match=message):
        run(opened, tmp_path, **settings)
    assert not extracted
    assert not list(tmp_path.iterdir())
