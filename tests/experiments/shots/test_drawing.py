import numpy as np
import pytest

from emojax.corpora.partitions import make_partition
from emojax.corpora.spec import Clip, CorpusSpec
from emojax.experiments.shots.drawing import drawn, parse_shots


@pytest.fixture
def clips():
    rows = [(who, label, i) for who in "abcdef" for label in ("high", "low") for i in range(4)]
    return [Clip(f"{r}", r[1], r[0], "", 1.0, "", digest=str(r)) for r in rows[:-3]]


def test_fewer_clips_are_among_more_and_every_speaker_comes_before_one_comes_twice(clips):
    fold = make_partition(CorpusSpec("demo", ("high", "low")), clips, "fold:1/3")
    few, more, all_ = (drawn(fold, clips, shots, seed=0) for shots in ("1", "6", "all"))
    assert {*few.parts["train"]} < {*more.parts["train"]} < {*all_.parts["train"]}
    assert np.array_equal(all_.parts["train"], fold.refitted().parts["train"])
    for one in (few, more, all_):
        assert np.array_equal(one.parts["test"], fold.parts["test"])
        assert not len(one.parts["devel"])
    heard = {clips[i].speaker for i in all_.parts["train"]}
    assert heard.isdisjoint({clips[i].speaker for i in fold.parts["test"]})
    for label in ("high", "low"):
        spoken = [clips[i].speaker for i in more.parts["train"] if clips[i].label == label]
        times = [spoken.count(who) for who in heard]
        assert (len(spoken), len(times)) == (6, 4)
        assert max(times) == 2
        assert min(times) == 1
    assert [clips[i].label for i in few.parts["train"]].count("low") == 1
    assert not np.array_equal(drawn(fold, clips, "1", seed=1).parts["train"], few.parts["train"])
    assert "6 labelled clips a label of the training speakers, drawn with seed 0" in more.protocol


@pytest.mark.parametrize("items", [["0"], ["-1"], ["five"], [""]])
def test_numbers_of_clips_are_whole_and_above_0(items):
    with pytest.raises(ValueError, match=r"^--shots=.*as in --shots=1,5,20"):
        parse_shots(items)
