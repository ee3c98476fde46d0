import json

import pytest

import emojax
from emojax.evaluation.comparison import predictions_of
from emojax.experiments.zero_shot.scoring import score_unseen


def test_every_clip_of_an_unseen_corpus_is_answered_by_the_common_head(
    of_tones, opened, words, tmp_path
):
    levels = opened["levels"]
    found = score_unseen(of_tones, "levels", levels, tmp_path, words, "typed")
    assert list(found) == ["trained", "adapted"]
    for answer, results in found.items():
        assert [(one.corpus, one.n, one.speakers) for one in results] == [
            ("levels", len(levels.clips), 5),
            ("levels (four)", len(levels.clips), 5),
        ]
        noted = json.loads((tmp_path / answer / "results.json").read_text("utf-8"))
        assert (noted["part"], noted["command"]) == ("test", "typed")
        assert noted["corpora"]["levels"]["uar"] == results[0].uar
        rows = predictions_of(tmp_path / answer)["levels"]
        assert list(rows) == [clip.file for clip in levels.clips]
    model = emojax.load(of_tones, corpus="emotion")
    assert model.labels == ("anger", "happiness", "sadness")
    clip = levels.clips[0]
    (record,) = levels.records([0])
    answer = model.predict(record["audio"], 16_000)
    both = answer["anger"] + answer["sadness"]
    row = predictions_of(tmp_path / "trained")["levels"][clip.file]
    assert row.label == {"loud": "anger", "soft": "sadness"}[clip.label]
    assert row.probabilities == pytest.approx(
        {name: answer[name] / both for name in ("anger", "sadness")}, abs=1e-4
    )
    (first, second) = (predictions_of(tmp_path / one)["levels"] for one in found)
    assert first != second
    assert "norms re-estimated on its 30 recordings, without labels" in found["adapted"][0].protocol


def test_a_model_without_the_common_head_is_refused(tiny_run, opened, words, tmp_path):
    with pytest.raises(ValueError, match=r"no head 'emotion', only .*domains=corpora\+emotion"):
        score_unseen(tiny_run, "levels", opened["levels"], tmp_path / "out", words, "")
    assert not (tmp_path / "out").exists()


def test_a_corpus_that_was_learnt_from_is_refused(of_tones, opened, words, tmp_path):
    with pytest.raises(ValueError, match=r"learnt from corpus tones, so it is not unseen"):
        score_unseen(of_tones, "tones", opened["tones"], tmp_path / "out", words, "")
    assert not (tmp_path / "out").exists()
