"""Arithmetic cost of the network."""

from __future__ import annotations

import functools
from typing import cast

import jax
import jax.numpy as jnp

from emojax.models.speech_network import SpeechNetwork


def forward_flops(model: SpeechNetwork, samples: int) -> float:
    """Count the floating-point operations of one clip's forward pass by XLA, without running it.

    The front-end is not counted. The count does not depend on the form of computation: adapters are
    folded, convolutions are plain, and products with their zero padding do not count. A training
    step costs three times as much, since the gradient of a product is two products.

    Args:
      model: the network.
      samples: length of the clip.

    Raises:
      RuntimeError: ``JAX_PLATFORMS`` excludes the CPU, which is needed for counting.

    >>> from emojax.models.adapter_resnet import AdapterResNet
    >>> forward_flops(AdapterResNet(classes=7), samples=40_000) > 1e9
    True
    """
    model = model.plain()
    apply = functools.partial(model.apply, train=False)
    shape = jax.ShapeDtypeStruct
    # On accelerators XLA does not count the operations of libraries.
    with jax.default_device(jax.local_devices(backend="cpu")[0]):
        clip = shape((1, samples), jnp.float32), shape((1,), jnp.int32)
        inputs = *jax.eval_shape(model.inputs, *clip), shape((model.classes,), bool)
        init = functools.partial(model.init, train=False)
        variables = jax.eval_shape(init, jax.random.key(0), *inputs)
        cost = jax.jit(apply).lower(variables, *inputs).cost_analysis()
    return cast(dict[str, float], cost)["flops"]
