"""A fusion is both networks over one waveform, and one head."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.models.adapter_resnet import AdapterResNet
from emojax.models.cnn_lstm import CnnLstm
from emojax.models.fusion import Fusion
from emojax.models.subtrees import split

RESNET = {"width": 4, "depth": 1, "head_units": 7, "fast_conv": False}
LSTM = {"conv_features": 4, "lstm_units": 5, "dense_units": 6, "adapter_rank": 2}
SMALL = Fusion(classes=3, **RESNET, **LSTM)
HALVES = (AdapterResNet(classes=3, **RESNET), CnnLstm(classes=3, **LSTM))
LENGTHS = (9_000, 4_001, 500)
CLOSE = {"rtol": 1e-4, "atol": 1e-4}


def outputs_of(model, variables, clips, samples):
    audio = np.zeros((len(clips), samples), np.float32)
    for row, clip in enumerate(clips):
        audio[row, : len(clip)] = clip

    @jax.jit
    def forward(audio, length):
        inputs = model.inputs(audio, length)
        return model.apply(variables, *inputs, jnp.ones(3, bool), train=False)

    return forward(audio, jnp.array([len(clip) for clip in clips]))


def shapes_of(model):
    inputs = jax.eval_shape(model.inputs, jnp.zeros((1, 9_000)), jnp.full(1, 9_000))
    init = lambda *x: model.init(jax.random.key(0), *x, jnp.ones(3, bool), train=False)  # noqa: E731
    return jax.eval_shape(init, *inputs)


@pytest.fixture(scope="module")
def variables():
    """Adapters begin at zero and norms at one; at random, no mistake in them can hide."""
    random, shapes = np.random.default_rng(1), shapes_of(SMALL)
    draw = lambda leaf: random.normal(0, 0.2, leaf.shape).astype(np.float32)  # noqa: E731
    stats = jax.tree.map(lambda leaf: np.abs(draw(leaf)), shapes["stats"])  # variances too
    return {"params": jax.tree.map(draw, shapes["params"]), "stats": stats}


@pytest.fixture(scope="module")
def clips():
    random = np.random.default_rng(0)
    return [random.normal(0.3, 0.2, length).astype(np.float32) for length in LENGTHS]


def test_its_parameters_are_those_of_both_trunks_and_of_one_head():
    shared, own = split(shapes_of(SMALL)["params"])
    theirs = [split(shapes_of(half)["params"]) for half in HALVES]
    assert shared.keys() == theirs[0][0].keys() | theirs[1][0].keys()
    assert own.keys() == theirs[0][1].keys() | theirs[1][1].keys()
    assert own["head_hidden"]["kernel"].shape == (SMALL.embedding_size, 7)


def test_its_embedding_is_those_of_both_networks(variables, clips):
    joined = outputs_of(SMALL, variables, clips, 9_000).embedding
    assert joined.shape == (3, SMALL.embedding_size)
    parts = []
    for half in HALVES:
        own = shapes_of(half)
        # A half's own head is not that of the fusion; its embedding does not depend on it.
        params = {name: variables["params"][name] for name in own["params"] if "head" not in name}
        heads = {name: leaf for name, leaf in own["params"].items() if "head" in name}
        zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), heads)
        stats = {name: variables["stats"][name] for name in own.get("stats", {})}
        given = {"params": params | zeros, "stats": stats}
        parts.append(outputs_of(half, given, clips, 9_000).embedding)
    np.testing.assert_allclose(joined, np.concatenate(parts, axis=1), **CLOSE)


def test_a_clip_is_the_same_alone_and_padded_in_a_batch(variables, clips):
    together = outputs_of(SMALL, variables, [*clips, clips[0][:0]], 12_000)
    assert np.isfinite(together.embedding).all()
    for row, clip in enumerate(clips):
        alone = outputs_of(SMALL, variables, [clip], len(clip))
        np.testing.assert_allclose(together.embedding[row], alone.embedding[0], **CLOSE)
        np.testing.assert_allclose(together.logits[row], alone.logits[0], **CLOSE)


def test_augmentation_changes_the_log_mel_alone(clips):
    features, length = SMALL.features(jnp.asarray(clips[0])[None], jnp.array([9_000]))
    (mel, audio), _ = SMALL.augment(features, length, jax.random.key(0), colour_db=6.0)
    expected = SMALL.standardise(features, length)
    assert np.abs(mel - expected[0]).max() > 0.1
    np.testing.assert_array_equal(audio, expected[1])
