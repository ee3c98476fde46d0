"""Adaptation to clips in memory: the training of a run, without a corpus on the disk."""

import jax
import numpy as np
import pytest

from emojax.data.partitioned import open_corpora
from emojax.training import loop
from emojax.training.adapting import CLIPS, adaptation_config, learn
from emojax.training.averages import averaged


@pytest.mark.parametrize("settings", [{}, {"learning_rates": (0.05, 0.01), "average_decay": 0.9}])
def test_clips_in_memory_are_learnt_from_as_by_a_run_to_the_bit(
    tiny_run, tiny_paths, tmp_path, monkeypatch, settings
):
    monkeypatch.setattr(loop, "fits", lambda _: False)  # programs of another feed round otherwise
    config = adaptation_config(tiny_run, "levels", "finetune", rounds=2, seed=1).replace(**settings)
    paths = {"new": tiny_paths["tones"]}
    theirs = averaged(loop.train(config, tmp_path, paths))
    corpus = open_corpora(paths, **vars(config.data))["new"]
    ours = learn(config, corpus.labels, corpus.load("train"))
    pairs = (ours.shared, theirs.shared), (ours.corpora[CLIPS], theirs.corpora["new"])
    assert all(jax.tree.all(jax.tree.map(np.array_equal, *pair)) for pair in pairs)


def test_an_adaptation_begins_at_its_base(tiny_run):
    with pytest.raises(ValueError, match=r"transfer='scratch'; give one of 'finetune'"):
        adaptation_config(tiny_run, "", "scratch", rounds=1, seed=0)
