import pytest

import emojax
from emojax.evaluation.evaluator import evaluate
from emojax.experiments.cross_corpus import systems as systems_module
from emojax.experiments.cross_corpus.systems import open_run


def test_a_run_is_tested_by_its_head_and_once(opened, workdir, tmp_path, monkeypatch, run, rows_of):
    first = run(opened, tmp_path, "a+v", features=(), alone=[workdir])
    table = first.pieces[0]
    assert [row[0] for row in table.shown()] == ["chance", "tones", "mean elsewhere"]
    (own,) = evaluate(workdir)
    assert table.rows[1][1].value == pytest.approx(100 * own.uar)
    assert [piece.name for piece in first.pieces] == [
        *["cross_corpus_arousal_alone"] * 2,
        "cross_corpus_details",
        "runs",
    ]
    (ran,) = rows_of(first.pieces[-1])
    assert (ran["width"], ran["rounds a phase"], ran["emojax"]) == ("4", "4", emojax.__version__)
    monkeypatch.setattr(systems_module, "predict_clips", None)
    assert run(opened, tmp_path, features=(), alone=[workdir]).pieces[0] == table


def test_what_a_base_run_learnt_from_counts(
    tiny_config, opened, tiny_paths, workdir, tmp_path, untrained
):
    manifest = open_run(workdir).manifest
    folder = tmp_path / "base"
    folder.mkdir()
    untrained(tiny_config, {"levels": tiny_paths["levels"]}, folder)
    later = {**manifest, "config": {**manifest["config"], "base": str(folder)}}
    learnt = list(systems_module.learnt_clips(workdir, later))
    for corpus in ("tones", "levels"):
        own = [clip for clip in learnt if clip.file.startswith(f"{corpus}/")]
        assert 0 < len(own) < len(opened[corpus].clips)
        assert all(clip.speaker.startswith(f"{corpus}/") for clip in own)
    with pytest.raises(ValueError, match=r"their own labels; only a run with --config\.domains"):
        open_run(folder)


@pytest.mark.parametrize(
    ("changed", "now"),
    [
        ({"middle=happiness": "middle=rest"}, "is low"),
        (
            {"middle=happiness": "middle=rest", "high=anger": "tones/high=rest,high=anger"},
            "is left out",
        ),
    ],
)
def test_a_run_that_learnt_other_levels_is_refused(
    opened, workdir, tmp_path, changed, now, run, label_words
):
    words = label_words
    for old, new in changed.items():
        words = words.replace(old, new)
    with pytest.raises(
        ValueError, match=f"arousal of tones/.* is high; .*{now}.*give the same words"
    ):
        run(opened, tmp_path, words=words, features=(), alone=[workdir])
    assert not list(tmp_path.iterdir())


def test_other_words_for_other_corpora_are_no_other_levels(
    opened, workdir, tmp_path, run, label_words
):
    words = f"levels/low=fear,levels/high=rest,{label_words}"
    assert run(opened, tmp_path, words=words, features=(), alone=[workdir]).pieces
