"""Domains of the columns of a table, and what cannot be one."""

import numpy as np
import pytest

from emojax.corpora.partitions import Partition
from emojax.corpora.spec import Clip, CorpusSpec
from emojax.data.label_columns import with_columns
from emojax.data.partitioned_corpus import PartitionedCorpus

PARTS = {"train": np.arange(12), "devel": np.arange(12, 18), "test": np.arange(18, 24)}


class Source:
    """A prepared corpus of which nothing is read but its columns."""

    path = "somewhere"
    spec = CorpusSpec("calls", ())

    def __init__(self, columns):
        self.columns = {
            f"{row}.wav": {name: texts[row] for name, texts in columns.items()} for row in range(24)
        }
        self.clips = [None] * 24


def corpus(labels=("a", "b"), **columns):
    clips = [
        Clip(f"{row}.wav", labels[row % 2] if labels else "", str(row % 4), "", 1.0, "", str(row))
        for row in range(24)
    ]
    return {"calls": PartitionedCorpus(labels, clips, Partition("p", PARTS), [Source(columns)])}


LEVELS = [f"{row / 10 + 1}" for row in range(24)]
WORDS = ["calm", "wild"] * 12


def test_columns_are_domains_with_one_partition():
    gaps = ["", *WORDS[1:]]
    found = with_columns(corpus(level=LEVELS, mood=gaps), "calls:mood,calls:level,calls:label")
    assert {name: one.labels for name, one in found.items()} == {
        "calls-mood": ("calm", "wild"),
        "calls-level": ("level",),
        "calls": ("a", "b"),
    }
    mood, level, label = found.values()
    assert mood.partition.parts["train"].tolist() == list(range(1, 12))
    assert "without a value and left out: 1 of 24 clips" in mood.partition.protocol
    assert mood.stored("train").labels.tolist() == [1, 0] * 5 + [1]
    assert mood.stored("train").keys == level.stored("train").keys[1:]
    assert mood.identity()["whole"] == level.identity()["whole"] == label.identity()["digest"]
    numbers = level.stored("train").numbers
    np.testing.assert_allclose([numbers.mean(), numbers.std()], [0, 1], atol=1e-6)
    np.testing.assert_allclose(level.units.mean, np.arange(12).mean() / 10 + 1)


def test_several_columns_of_numbers_are_one_domain_of_the_clips_that_have_them_all():
    found = with_columns(corpus(x=LEVELS, y=[*LEVELS[:-1], ""]), "calls:x+y")
    (own,) = found.values()
    assert own.labels == ("x", "y")
    assert own.stored("train").numbers.shape == (12, 2)
    assert own.partition.parts["test"].tolist() == list(range(18, 23))


def test_a_corpus_without_labels_has_columns_only():
    labelless = corpus((), level=LEVELS)
    assert list(with_columns(labelless, "calls:level")) == ["calls-level"]
    with pytest.raises(
        ValueError, match=r"calls has no labels.*--config.columns=calls:COLUMN.*level"
    ):
        with_columns(labelless, "")


@pytest.mark.parametrize(
    ("column", "asked", "message"),
    [
        (LEVELS, "calls:pitch", "there is no column 'pitch'; there are level"),
        (LEVELS, "others:level", "no corpus others with a head of its own; there are calls"),
        (["much", *LEVELS[1:]], "calls:level", "'much' of 0.wav in column level is no number"),
        (["nan", *LEVELS[1:]], "calls:level", "'nan' of 0.wav in column level is no number"),
        (["inf", *LEVELS[1:]], "calls:level", "'inf' of 0.wav in column level is no number"),
        ([*LEVELS[:14], "-1.79e308", *LEVELS[15:]], "calls:level", "'-1.79e308' of 14.wav .*-1e"),
        (["2"] * 24, "calls:level", "all clips of train have 2 in column level"),
        ([*LEVELS[:4], *[""] * 8, *LEVELS[12:]], "calls:level", "4 clips with numbers in train"),
        ([*LEVELS[:12], "1", *[""] * 11], "calls:level", "1 clips with numbers in devel"),
        ([""] * 24, "calls:level", "no clip of train has a value"),
        (["?", *WORDS[1:]], "calls:level", "looks like no word"),
        (["Wild", *WORDS[1:]], "calls:level", "differ by case only"),
        (["a"] * 24, "calls:level", "1 different words"),
        ([*WORDS[:20], *["new"] * 4], "calls:level", "not in train: new"),
    ],
)
def test_what_cannot_be_learnt_is_refused(column, asked, message):
    with pytest.raises(ValueError, match=message):
        with_columns(corpus(level=column), asked)
