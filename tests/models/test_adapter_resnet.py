import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import traverse_util

from emojax.models.adapter_resnet import AdapterResNet
from emojax.models.subtrees import split

SMALL = AdapterResNet(classes=5, width=4, depth=2)
forward = jax.jit(functools.partial(SMALL.apply, train=False))


def init(model):
    @jax.jit
    def init(key):
        return model.init(
            key,
            *model.inputs(jnp.zeros((1, 2_000)), jnp.array([2_000])),
            jnp.ones(model.classes, bool),
            train=False,
        )

    return init(jax.random.key(0))


def randomised(model):
    """Adapters begin at zero and norms at one; at random, no mistake in them can hide."""
    random = np.random.default_rng(1)
    shapes = jax.eval_shape(lambda: init(model))
    return jax.tree.map(
        lambda leaf: np.abs(random.normal(0, 0.2, leaf.shape)).astype(np.float32), shapes
    )


def mel_of(frames, padded, seed=0):
    mel = np.random.default_rng(seed).normal(0, 1, (1, padded, 64)).astype(np.float32)
    mel[:, frames:] = 0
    return jnp.asarray(mel)


def test_parameter_counts_of_the_paper():
    shared, corpus = split(jax.eval_shape(lambda: init(AdapterResNet(classes=7)))["params"])
    count = {
        "shared convs": sum(
            leaf.size
            for path, leaf in traverse_util.flatten_dict(shared).items()
            if "conv" in path[0]
        ),
        "adapters": sum(
            leaf.size
            for path, leaf in traverse_util.flatten_dict(corpus).items()
            if path[-1] == "adapter"
        ),
    }
    assert count == {"shared convs": 2_709_792, "adapters": 301_088}


def test_without_adapters_only_they_are_missing():
    def flat(model):
        return traverse_util.flatten_dict(jax.eval_shape(lambda: init(model))["params"])

    missing = set(flat(SMALL)) - set(flat(SMALL.clone(adapters=False)))
    assert missing == {path for path in flat(SMALL) if path[-1] == "adapter"}


@pytest.mark.parametrize("frames", [1, 7, 8, 33, 40])
@pytest.mark.parametrize("padded", [41, 64, 90])
def test_padding_and_neighbours_never_change_an_answer(frames, padded):
    variables = randomised(SMALL)
    mask = jnp.array([True] * 4 + [False])
    alone = forward(variables, mel_of(frames, frames), jnp.array([frames]), mask)
    batch = jnp.concatenate(
        [mel_of(padded, padded, seed=1), mel_of(frames, padded), jnp.zeros((1, padded, 64))]
    )
    batch = batch.at[1, :frames].set(mel_of(frames, frames)[0])
    output = forward(variables, batch, jnp.array([padded, frames, 0]), mask)
    np.testing.assert_allclose(output.embedding[1], alone.embedding[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(output.logits[1, :4], alone.logits[0, :4], rtol=1e-4, atol=1e-4)
    assert np.isfinite(output.embedding).all()


HEARING = SMALL.clone(pitch_channels=True)


def heard(samples, padded):
    """Inputs of a voice of some samples: one with pitch, and padded."""
    phase = 2 * np.pi * np.cumsum(150 + 50 * np.sin(np.arange(samples) / 2_000)) / 16_000
    audio = 0.1 * (np.sin(phase) + np.sin(2 * phase) + np.sin(3 * phase))
    audio = np.pad(audio.astype(np.float32), (0, padded - samples))
    return HEARING.inputs(jnp.array(audio)[None], jnp.array([samples]))


def test_padding_never_changes_an_answer_of_a_network_that_hears_pitch():
    variables, apply = randomised(HEARING), jax.jit(functools.partial(HEARING.apply, train=False))
    alone, padded = (
        apply(variables, *heard(9_000, samples), jnp.ones(5, bool)) for samples in (9_000, 14_000)
    )
    np.testing.assert_allclose(padded.embedding, alone.embedding, rtol=1e-3, atol=1e-3)


def test_pitch_is_an_input_of_the_first_convolution_only():
    variables, (columns, frames) = randomised(HEARING), heard(9_000, 9_000)
    deaf = jax.tree.map(lambda leaf: leaf, variables)
    for name in ("kernel", "adapter"):
        whole = variables["params"]["conv"][name]
        variables["params"]["conv"][name] = whole * np.array([1, 0, 0])[:, None]
        deaf["params"]["conv"][name] = whole[..., :1, :]
    shapes = jax.eval_shape(lambda: init(SMALL))
    assert jax.tree.map(jnp.shape, deaf) == jax.tree.map(jnp.shape, shapes)
    apply = jax.jit(functools.partial(HEARING.apply, train=False))
    ours = apply(variables, columns, frames, jnp.ones(5, bool))
    theirs = forward(deaf, columns[..., :64], frames, jnp.ones(5, bool))
    np.testing.assert_allclose(ours.embedding, theirs.embedding, rtol=1e-3, atol=1e-4)


def test_silence_changes_no_answer_of_a_network_that_cuts_it_off():
    model = SMALL.clone(trim_db=25.0)
    variables, apply = randomised(model), jax.jit(functools.partial(model.apply, train=False))
    audio = np.random.default_rng(0).normal(size=9 * 1024).astype(np.float32)

    def embedding(hops):
        silent = np.pad(audio, (hops * 256, 20_000 - hops * 256))[None]
        inputs = model.inputs(jnp.array(silent), jnp.array([silent.size]))
        return apply(variables, *inputs, jnp.ones(5, bool)).embedding

    np.testing.assert_allclose(embedding(20), embedding(50), rtol=1e-4, atol=1e-4)


def test_a_training_crop_is_one_of_the_two_windows_that_are_read():
    model = SMALL.clone(trim_db=25.0)
    audio = jnp.array(np.random.default_rng(0).normal(size=(2, 2 * 16_000)))
    features, length = model.features(audio, jnp.array([2 * 16_000, 0]))
    mel, frames = model.augment(features, length, jax.random.key(0))
    assert mel.shape == (2, 63, 64)
    assert frames.tolist() == [63, 0]


def test_padding_never_changes_a_deviation():
    model = SMALL.clone(attention_deviation=True)
    variables, apply = randomised(model), jax.jit(functools.partial(model.apply, train=False))
    mel = mel_of(33, 33)
    alone, padded = (
        apply(variables, mel, jnp.array([33]), jnp.ones(5, bool)).embedding
        for mel in (mel, jnp.pad(mel, ((0, 0), (0, 31), (0, 0))))
    )
    assert alone.shape == (1, 16 * SMALL.width)
    np.testing.assert_allclose(padded, alone, rtol=1e-4, atol=1e-4)


def test_training_statistics_leave_padding_and_filler_rows_out():
    variables = randomised(SMALL)

    @jax.jit
    def stats_of(mel, frames):
        _, updated = SMALL.apply(
            variables,
            mel,
            frames,
            jnp.ones(5, bool),
            train=True,
            rngs={"dropout": jax.random.key(0)},
            mutable=["stats"],
        )
        return updated["stats"]

    mel = jnp.concatenate([mel_of(40, 40, seed) for seed in range(3)])
    padded = jnp.pad(mel, ((0, 2), (0, 23), (0, 0)))
    plain, with_padding = (
        stats_of(mel, jnp.array([40] * 3)),
        stats_of(padded, jnp.array([40, 40, 40, 0, 0])),
    )
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4), plain, with_padding
    )


def test_padded_classes_have_no_probability():
    mask = jnp.array([True, True, False, False, False])
    logits = forward(randomised(SMALL), mel_of(40, 40), jnp.array([40]), mask).logits
    assert np.asarray(jax.nn.softmax(logits))[0, 2:].tolist() == [0, 0, 0]


def test_folded_adapters_are_the_same_function():
    variables = randomised(SMALL)
    arguments = (mel_of(40, 40), jnp.array([40]), jnp.ones(5, bool))
    folded = forward(variables, *arguments)
    unfolded = SMALL.clone(fold_adapters=False)
    two_convs = jax.jit(functools.partial(unfolded.apply, train=False))(variables, *arguments)
    np.testing.assert_allclose(folded.logits, two_convs.logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("how", [{}, {"frozen_kernels": True}, {"adapters": False}])
@pytest.mark.parametrize("train", [False, True])
def test_a_shortcut_pooled_by_its_convolution_is_the_same_network(how, train):
    """In float64, where no norm makes an error of rounding large."""
    plain = SMALL.clone(dropout=0.0, depth=1, **how)
    variables, frames = randomised(plain), np.array([41, 23])
    plain = plain.clone(compute_dtype=jnp.float64)
    mel = np.concatenate([mel_of(41, 41), mel_of(23, 41, seed=1)])

    @functools.partial(jax.jit, static_argnums=0)
    def answer(model, variables, mel):
        def embedding(params):
            output, _ = model.apply(
                {**variables, "params": params},
                *(mel, frames, jnp.ones(5, bool)),
                train=train,
                mutable=["stats"],
            )
            return output.embedding

        y, pullback = jax.vjp(embedding, variables["params"])
        return y, pullback(jnp.sin(jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape))

    with jax.enable_x64(True):
        inputs = jax.tree.map(np.float64, (variables, mel))
        ours, theirs = (answer(plain.clone(conv_shortcut=new), *inputs) for new in (True, False))
    largest = max(np.abs(leaf).max() for leaf in jax.tree.leaves(theirs))
    equal = functools.partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-12 * largest)
    jax.tree.map(equal, ours, theirs)
