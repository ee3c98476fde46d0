import dataclasses

import numpy as np
import pytest

from emojax.corpora.folds import make_folds
from emojax.corpora.spec import Clip, CorpusSpec

SPEC = CorpusSpec("demo", ("angry", "calm"))
CLIPS = [
    Clip(f"{speaker}/{label}{take}.wav", label, speaker, "", 1.0, "", f"{speaker}{label}{take}")
    for speaker in "abcdef"
    for label in SPEC.labels
    for take in range(3)
]


@pytest.mark.parametrize(
    "scheme", ["loso", "fold:3", "fold:6", "fold:7", "fold:999999999", "random:5"]
)
def test_every_clip_is_tested_once(scheme):
    tested = [partition.parts["test"] for partition in make_folds(SPEC, CLIPS, scheme).partitions]
    assert sorted(np.concatenate(tested)) == list(range(len(CLIPS)))


def test_a_partition_without_test_cannot_be_scored():
    clips = [
        dataclasses.replace(clip, split="devel" if clip.speaker == "a" else "train")
        for clip in CLIPS
    ]
    with pytest.raises(ValueError, match="corpus demo: no clips for test"):
        make_folds(SPEC, clips)


def test_speakers_who_share_a_recording_are_left_out_together():
    clips = [dataclasses.replace(CLIPS[0], speaker="b", file="b/copy.wav"), *CLIPS]
    folds = make_folds(SPEC, clips, "loso")
    assert folds.protocol == "speaker-independent: leave one speaker out, 5 folds pooled"
    assert {clips[i].speaker for i in folds.partitions[0].parts["test"]} == {"a", "b"}


def test_published_folds_are_named():
    spec = dataclasses.replace(SPEC, folds=(("a", "b"), ("c", "d"), ("e", "f")))
    assert (
        make_folds(spec, CLIPS, "fold:3").protocol
        == "speaker-independent: 3 published folds pooled"
    )
    more = make_folds(spec, CLIPS, "fold:6").protocol
    assert more == "speaker-independent: 3 published folds pooled"
    seeded = make_folds(SPEC, CLIPS, "fold:6", seed=4).protocol
    assert seeded == "speaker-independent: 6 folds pooled, stratified by label, seed 4"


def test_two_speakers_are_two_folds_that_say_where_devel_is_from():
    clips = [clip for clip in CLIPS if clip.speaker in "ab"]
    folds = make_folds(SPEC, clips, "fold:6")
    assert len(folds.partitions) == 2
    assert folds.protocol.endswith(
        "2 folds pooled, stratified by label, seed 0, devel cut from train by recording"
    )


def test_one_partition_is_as_it_was():
    folds = make_folds(SPEC, CLIPS, "loso:c")
    (partition,) = folds.partitions
    assert folds.protocol == partition.protocol


@pytest.mark.filterwarnings("ignore:corpus demo")
@pytest.mark.parametrize(
    "scheme", ["fold:2", "fold:0", "fold:1", "fold:x", "losos", "loso", "random:2", "random:37"]
)
def test_what_the_corpus_does_not_allow_says_what_is_allowed(scheme):
    clips = (
        [dataclasses.replace(clip, speaker="") for clip in CLIPS[:6]] if scheme == "loso" else CLIPS
    )
    with pytest.raises(ValueError, match="allowed"):
        make_folds(SPEC, clips, scheme)


def test_random_folds_say_that_they_are_speaker_dependent():
    folds = make_folds(SPEC, CLIPS, "random:5", seed=4)
    assert folds.protocol == (
        "speaker-dependent: 5 random folds by recording pooled, stratified by label, seed 4"
    )
    for partition in folds.partitions:
        assert partition.protocol.startswith("speaker-dependent: random fold ")
        learnt = {CLIPS[i].speaker for i in partition.parts["train"]}
        assert learnt & {CLIPS[i].speaker for i in partition.parts["test"]}
