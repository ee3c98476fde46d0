"""Two subtrees are one network."""

import functools

import jax
import jax.numpy as jnp
import pytest

from emojax.models.adapter_resnet import AdapterResNet
from emojax.models.subtrees import join, split


@pytest.mark.parametrize("shared_attention", [True, False])
def test_join_undoes_split(shared_attention):
    model = AdapterResNet(classes=5, width=4, depth=2)
    inputs = jnp.zeros((1, 8, 64)), jnp.array([8]), jnp.ones(5, bool)
    params = jax.eval_shape(functools.partial(model.init, train=False), jax.random.key(0), *inputs)[
        "params"
    ]
    shared, corpus = split(params, shared_attention)
    assert ("attention" in shared) == shared_attention
    assert jax.tree.structure(join(shared, corpus)) == jax.tree.structure(params)
    assert jax.tree.all(jax.tree.map(lambda a, b: a is b, join(shared, corpus), params))
