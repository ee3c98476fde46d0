import dataclasses
from pathlib import Path

import numpy as np
import pytest

from emojax.checkpoints import read_manifest
from emojax.corpora.spec import Clip, CorpusSpec
from emojax.data.prepared import PreparedCorpus
from emojax.experiments.zero_shot.questions import (
    Learnt,
    questions,
    refuse_learnt,
    strangers,
    what_learnt,
)

HEAD = ("anger", "boredom", "happiness", "sadness")
LABELS = ("angry", "joyful", "bored", "tired")


@pytest.fixture
def corpus():
    """A clip of each label by each of three speakers."""
    clips = [
        Clip(f"{who}/{label}.wav", label, who, "", 1.0, "", who + label)
        for who in "abc"
        for label in LABELS
    ]
    return PreparedCorpus(CorpusSpec("calls", LABELS), clips, Path("nowhere"))


def everybody(corpus):
    return np.ones(len(corpus.clips), bool)


def test_a_corpus_is_asked_for_its_own_common_words_and_for_the_four(corpus):
    own, four = questions("calls", corpus, everybody(corpus), HEAD)
    assert (own.name, own.words) == ("calls", ("anger", "boredom", "happiness"))
    assert (four.name, four.words) == ("calls (four)", ("anger", "happiness"))
    for question, labels in ((own, LABELS[:3]), (four, LABELS[:2])):
        meant = dict(zip(LABELS, ("anger", "happiness", "boredom"), strict=False))
        asked = [corpus.clips[i].label for i in question.indices]
        assert asked == [clip.label for clip in corpus.clips if clip.label in labels]
        assert [question.words[i] for i in question.truth] == [meant[label] for label in asked]


def test_words_for_labels_can_be_given_for_one_corpus(corpus):
    given = "calls/tired=sadness,other/tired=anger"
    own, four = questions("calls", corpus, everybody(corpus), HEAD, given)
    assert own.words == ("anger", "boredom", "happiness", "sadness")
    assert four.words == ("anger", "happiness", "sadness")


def test_a_word_that_the_model_lacks_is_not_asked_for(corpus):
    (own,) = questions("calls", corpus, everybody(corpus), ("anger", "boredom", "sadness"))
    assert own.words == ("anger", "boredom")
    assert len(own.indices) == 6


def test_a_corpus_with_one_word_is_refused(corpus):
    with pytest.raises(ValueError, match=r"^corpus calls: of its 12 clips, 12 .* --label_words"):
        questions("calls", corpus, everybody(corpus), ("anger", "sadness"))
    with pytest.raises(ValueError, match=r"12 clips, 0 are by speakers .* and these have none of"):
        questions("calls", corpus, ~everybody(corpus), HEAD)


def test_speakers_of_a_recording_that_was_learnt_from_are_not_asked_about(corpus):
    known = [Clip("mine/x.wav", "x", "mine/z", "", 1.0, "", "aangry")]
    known += [Clip("mine/y.wav", "x", "mine/b", "", 1.0, "", "else")]  # only the name is b's
    unheard = strangers("calls", corpus, Learnt({"mine"}, set(), tuple(known)))
    assert {clip.speaker for clip, new in zip(corpus.clips, unheard, strict=True) if not new} == {
        "a"
    }
    own, _ = questions("calls", corpus, unheard, HEAD)
    assert {corpus.clips[i].speaker for i in own.indices} == {"b", "c"}


def test_what_a_run_and_its_base_learnt_from_is_known(of_tones):
    manifest = read_manifest(of_tones)
    learnt = what_learnt(of_tones, manifest)
    assert learnt.names == {"tones"}
    assert {clip.file.partition("/")[0] for clip in learnt.clips} == {"tones", "emotion"}
    base = {"partitions": {"levels": {"digest": "1"}}, "config": manifest["config"]}
    later = what_learnt(of_tones, {**manifest, "base": base})
    assert later.names == {"tones", "levels"}
    assert "1" in later.digests


def test_a_corpus_that_was_learnt_from_is_refused_under_any_name(of_tones, opened, tmp_path):
    manifest = read_manifest(of_tones)
    published = what_learnt(tmp_path, manifest)  # it does not say where its corpora lie
    assert published == dataclasses.replace(what_learnt(of_tones, manifest), clips=())
    for name in ("tones", "mine"):
        with pytest.raises(ValueError, match=f"learnt from corpus {name}, .*learnt from tones: gi"):
            refuse_learnt(name, opened["tones"], published, tmp_path)
    refuse_learnt("levels", opened["levels"], published, tmp_path)


def test_a_model_that_names_no_corpus_is_refused(tmp_path):
    manifest = {"partitions": {"emotion": {"digest": "1"}}, "config": {}}
    with pytest.raises(ValueError, match=r"does not say which corpora it learnt from"):
        what_learnt(tmp_path, manifest)
