"""A fresh state: subtrees of one shape, so that one program serves all corpora."""

import jax
import numpy as np
import optax
import pytest

from emojax.models.adapter_resnet import AdapterResNet
from emojax.training import train_state
from emojax.training.train_state import init_state
from emojax.training.transfer import sgd


def shapes(tree):
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree)


def test_corpora_have_one_shape_and_heads_of_their_own(beginning):
    _, state = beginning
    tones, levels = state.corpora.values()
    assert shapes(tones) == shapes(levels)
    assert (tones.params["head_logits"]["kernel"] != levels.params["head_logits"]["kernel"]).all()


def test_a_fresh_corpus_adds_nothing_to_the_trunk(beginning):
    _, state = beginning
    for corpus in state.corpora.values():
        adapters = [own["adapter"] for own in corpus.params.values() if "adapter" in own]
        assert len(adapters) == 7  # one beside each convolution
        assert not any(adapter.any() for adapter in adapters)
        assert all(
            (norm["mean"] == 0).all() and (norm["variance"] == 1).all()
            for norm in corpus.stats.values()
        )


@pytest.mark.parametrize("shared_attention", [True, False])
def test_the_attention_and_its_optimizer_are_where_the_settings_say(shared_attention, monkeypatch):
    monkeypatch.setattr(
        train_state, "_UNOPTIMISED", {}
    )  # shapes are asked for: nothing is compiled
    model, weights = AdapterResNet(classes=2, width=4, depth=1), {"a": np.ones(2, np.float32)}
    optimizers = (sgd(0.9, 1e-6),) * 2

    def fresh(key):
        return init_state(model, weights, {"a": 2}, optimizers, key, shared_attention)

    state = jax.eval_shape(fresh, jax.random.key(0))
    assert ("attention" in state.shared.params) == shared_attention
    assert ("attention" in state.corpora["a"].params) != shared_attention
    for part in (state.shared, state.corpora["a"]):
        assert shapes(optax.tree_utils.tree_get(part.opt_state, "trace")) == shapes(part.params)
