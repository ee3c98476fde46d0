"""How much arithmetic the network is."""

from __future__ import annotations

import functools
from typing import cast

import jax
import jax.numpy as jnp

from emojax.models.adapter_resnet import AdapterResNet


def forward_flops(model: AdapterResNet, frames: int, mels: int) -> float:
    """Floating-point operations of one clip's forward pass, as XLA counts them; nothing is run.

    The network's own, whatever the form it is computed in: adapters are folded, convolutions are
    plain, and taps on the padding around them do not count.  A training step is three times as
    much: the gradient of a product is two.

    Args:
      model: the network.
      frames: of the clip.
      mels: mel channels.

    Raises:
      RuntimeError: ``JAX_PLATFORMS`` leaves the CPU out, on which the operations are counted.

    >>> forward_flops(AdapterResNet(classes=7), frames=157, mels=64) > 1e9
    True
    """
    model = model.clone(fast_conv=False, fold_adapters=True)
    apply = functools.partial(model.apply, train=False)
    shape = jax.ShapeDtypeStruct
    # Accelerators count what they have compiled only, and leave out what their own libraries do.
    with jax.default_device(jax.local_devices(backend="cpu")[0]):
        inputs = (
            shape((1, frames, mels), jnp.float32),
            shape((1,), jnp.int32),
            shape((model.classes,), bool),
        )
        init = functools.partial(model.init, train=False)
        variables = jax.eval_shape(init, jax.random.key(0), *inputs)
        cost = jax.jit(apply).lower(variables, *inputs).cost_analysis()
    return cast(dict[str, float], cost)["flops"]
