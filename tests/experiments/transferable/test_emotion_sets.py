import dataclasses
from pathlib import Path

import pytest

from emojax.corpora.spec import Clip, CorpusSpec
from emojax.data.prepared import PreparedCorpus
from emojax.experiments.transferable.emotion_sets import choose_corpora, restrict, set_pieces


@pytest.fixture
def corpus():
    labels = ("angry", "joy", "neutral", "high")
    clips = [
        Clip(f"{speaker}/{label}.wav", label, speaker, "", 1.0, "", "")
        for speaker in "ab"
        for label in labels
    ]
    spec = CorpusSpec("mine", labels, language="Italian", style="acted")
    return {"mine": PreparedCorpus(spec, clips, Path("nowhere"))}


def test_clips_of_other_labels_are_left_out_and_counted(corpus, rows_of):
    restricted = restrict(corpus, "mine/high=fear")
    assert [clip.label for clip in restricted["mine"].clips] == ["anger", "happiness", "fear"] * 2
    table, picture = set_pieces(corpus, restricted)
    (row,) = rows_of(table)
    assert (row["language"], row["style"], row["speakers"]) == ("Italian", "acted", "2")
    assert [row[word] for word in ("anger", "fear", "sadness")] == ["2", "2", "0"]
    assert (row["clips"], row["left out"]) == ("6", "2")
    assert (picture.name, len(picture.figure.axes[0].patches)) == ("table_1", 6)


def test_a_corpus_with_few_of_the_emotions_is_left_out_by_name(
    spec, tiny_config, tiny_paths, monkeypatch
):
    monkeypatch.setattr("emojax.experiments.transferable.emotion_sets.prepare", lambda *_: None)
    spec = dataclasses.replace(
        spec,
        corpora={name: name for name in tiny_paths},
        data_dir=tiny_config.paths.data_dir,
        label_words="high=anger,levels/loud=anger",
    )
    monkeypatch.setattr("emojax.experiments.transferable.emotion_sets.FEWEST", 1)
    chosen, corpora, left_out = choose_corpora(spec)
    assert (list(chosen.corpora), list(corpora), left_out) == (
        ["tones", "levels"],
        ["tones", "levels"],
        [],
    )
    chosen, corpora, left_out = choose_corpora(
        dataclasses.replace(spec, label_words="levels/loud=joy,tones/low=neutral")
    )
    assert (list(chosen.corpora), list(corpora)) == (["levels"], ["levels"])
    assert chosen.label_words == "levels/loud=joy"
    (line,) = left_out
    assert line.startswith("tones is left out: it has 0 of anger, disgust, fear, ")
