"""Adaptation to clips in memory: the training of a run, without a corpus on the disk."""

import jax
import numpy as np
import pytest

from emojax.data.partitioned import open_corpora
from emojax.training import loop
from emojax.training.adapting import adapt, adaptation_config


def test_clips_in_memory_are_learnt_from_as_by_a_run_to_the_bit(
    tiny_run, tiny_paths, tmp_path, monkeypatch
):
    monkeypatch.setattr(loop, "fits", lambda _: False)  # programs of another feed round otherwise
    config = adaptation_config(tiny_run, "levels", "adapters", rounds=2, seed=1)
    paths = {"new": tiny_paths["tones"]}
    theirs = loop.train(config, tmp_path, paths).corpora["new"]
    corpus = open_corpora(paths, **vars(config.data))["new"]
    ours = adapt(config, corpus.labels, corpus.load("train"))
    assert jax.tree.all(jax.tree.map(np.array_equal, ours, theirs))


def test_only_what_leaves_the_trunk_as_it_is_can_be_trained(tiny_run):
    with pytest.raises(ValueError, match=r"transfer='finetune'; give one of 'adapters'"):
        adaptation_config(tiny_run, "", "finetune", rounds=1, seed=0)
