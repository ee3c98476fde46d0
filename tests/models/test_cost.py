import functools
import itertools

import jax
import jax.numpy as jnp

from emojax.audio.log_mel import MELS, frame_count
from emojax.models.adapter_resnet import STACKS, AdapterResNet
from emojax.models.cost import forward_flops

SAMPLES = 40_000
FRAMES = int(frame_count(SAMPLES))
NET = AdapterResNet(classes=7, fast_conv=False)
PLAIN = NET.clone(adapters=False)


def taps(length, stride):
    """Count the pairs of an output and a tap that lie on the input, not on its padding."""
    return sum(
        0 <= output + tap < length for output in range(0, length, stride) for tap in (-1, 0, 1)
    )


def flops_by_hand(frames, mels, width=32, depth=2):
    total, channels = 2 * taps(frames, 1) * taps(mels, 1) * width, width
    for stack, block in itertools.product(range(STACKS), range(depth)):
        features = width * 2 ** (stack + 1)
        for inputs, stride in ((channels, 2 - (block > 0)), (features, 1)):
            total += 2 * inputs * features * taps(frames, stride) * taps(mels, stride)
            frames, mels = -(-frames // stride), -(-mels // stride)
        channels = features
    return total


def test_the_operations_are_those_of_the_convolutions():
    convolutions = flops_by_hand(FRAMES, MELS)
    # Beside them: attention, norms, and folding the kernels.
    assert convolutions < forward_flops(NET, SAMPLES) < 1.04 * convolutions
    half = NET.clone(compute_dtype=jnp.bfloat16)
    assert convolutions < forward_flops(half, SAMPLES) < 1.04 * convolutions


def flops(model, train):
    """Of a forward pass over a batch of 64, and of its gradient if it is for training."""
    shape = jax.ShapeDtypeStruct
    inputs = shape((64, FRAMES, MELS), jnp.float32), shape((64,), jnp.int32), shape((7,), bool)
    init = functools.partial(model.init, train=False)
    variables = jax.eval_shape(init, jax.random.key(0), *inputs)

    def loss(params, stats, *inputs):
        rngs = {"dropout": jax.random.key(0)}
        variables = {"params": params, "stats": stats}
        output, stats = model.apply(variables, *inputs, train=train, rngs=rngs, mutable=["stats"])
        return output.logits.sum(), stats

    function = jax.grad(loss, has_aux=True) if train else loss
    program = jax.jit(function).lower(variables["params"], variables["stats"], *inputs)
    return program.cost_analysis()["flops"]


def test_adapters_cost_no_operations():
    assert flops(NET, train=True) <= 1.03 * flops(PLAIN, train=True)
    assert flops(NET, train=False) <= 1.01 * flops(PLAIN, train=False)
    # Beside the convolutions they would cost a ninth.
    assert flops(NET.clone(fold_adapters=False), train=True) > 1.1 * flops(PLAIN, train=True)
