"""Norms that are re-estimated on recordings without labels."""

import functools

import jax
import numpy as np
import pytest
import soundfile

from emojax.data.batches import make_batch, waveforms
from emojax.inference import adaptation
from emojax.models.layers import MaskedBatchNorm
from emojax.models.subtrees import join


@pytest.fixture(scope="session")
def recordings(tiny_sources):
    return sorted((tiny_sources / "levels").glob("*.wav"))


def clips(count, seed=0):
    random = np.random.default_rng(seed)
    lengths = random.integers(3_000, 16_000, count)
    return [random.normal(0, 0.1, n).astype(np.float32) for n in lengths]


def first_norm_of(model, windows):
    """Mean and variance of what the first norm receives, over all frames of all windows."""
    network = model._network
    batch = make_batch(windows, np.zeros(len(windows), np.int32))
    mel, frames = model._model.inputs(waveforms(batch), batch.length)
    variables = {"params": join(network.shared, network.corpus), "stats": network.stats}
    apply = functools.partial(
        *(model._model.apply, variables),
        train=False,
        mutable="intermediates",
        capture_intermediates=lambda module, _: module.name == "conv",
    )
    _, seen = jax.jit(apply)(mel, frames, network.class_mask)
    x = np.asarray(seen["intermediates"]["conv"]["__call__"][0], np.float64)
    factor, _ = MaskedBatchNorm(x.shape[-1]).apply(stored_of(network, "norm"), method="stored")
    rows = [row[:n].reshape(-1, x.shape[-1]) for row, n in zip(x, frames, strict=True)]
    values = np.concatenate(rows)
    return values.mean(axis=0) / factor, values.var(axis=0) / factor**2


def stored_of(network, name):
    return {"params": network.corpus[name], "stats": network.stats[name]}


def test_statistics_are_those_of_all_recordings(model):
    windows = clips(70)  # two batches
    network = adaptation.adapt_norms(model._model, model._network, windows)
    mean, variance = first_norm_of(model, windows)
    np.testing.assert_allclose(network.stats["norm"]["mean"], mean, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(network.stats["norm"]["variance"], variance, rtol=1e-3)


def test_every_norm_is_estimated_and_nothing_else_changes(model):
    network = adaptation.adapt_norms(model._model, model._network, clips(20))
    before, after = model._network.stats, network.stats
    assert jax.tree.structure(before) == jax.tree.structure(after)
    for name, norm in before.items():
        assert not np.allclose(norm["mean"], after[name]["mean"], atol=1e-6), name
        assert not np.allclose(norm["variance"], after[name]["variance"], atol=1e-6), name
    assert network.shared is model._network.shared
    assert network.corpus is model._network.corpus


def test_on_one_batch_it_normalises_as_training_does(model):
    network, still = model._network, model._model.clone(dropout=0.0)
    some = clips(16)
    batch = make_batch(some, np.zeros(16, np.int32), 64)
    variables = {"params": join(network.shared, network.corpus), "stats": network.stats}
    apply = functools.partial(still.apply, variables, train=True, mutable="stats")
    trained, _ = jax.jit(apply)(*still.inputs(waveforms(batch), batch.length), network.class_mask)
    adapted = adaptation.adapt_norms(model._model, network, some)
    answer = model._forward(
        adapted.shared, adapted.corpus, adapted.stats, adapted.class_mask, batch
    )
    np.testing.assert_allclose(answer.logits[:16], trained.logits[:16], rtol=2e-3, atol=2e-3)


def test_a_model_that_hears_them_answers_otherwise_and_stays_as_it_was(model, recordings):
    before = model.predict(recordings[0])
    adapted = model.adapt_norms(recordings)
    assert (adapted.corpus, adapted.labels) == (model.corpus, model.labels)
    assert adapted.predict(recordings[0]) != pytest.approx(before, abs=1e-3)
    assert model.predict(recordings[0]) == before
    assert model.adapt_norms(recordings).predict(recordings[0]) == adapted.predict(recordings[0])


def test_samples_and_files_are_the_same_recordings(model, recordings):
    samples = [soundfile.read(path) for path in recordings]
    by_file, by_samples = (
        model.adapt_norms(some).predict(recordings[0]) for some in (recordings, samples)
    )
    assert by_samples == pytest.approx(by_file, abs=1e-5)


def test_a_long_recording_counts_as_its_pieces(model):
    long = np.random.default_rng(0).normal(0, 0.1, 16_000 * 5 * 16).astype(np.float32)
    assert model.adapt_norms([(long, 16_000)]).labels == model.labels
    with pytest.raises(ValueError, match=r"^15 recordings, counted in pieces of 5 s, are too few"):
        model.adapt_norms([(long[: 16_000 * 5 * 15], 16_000)])


def test_too_few_recordings_are_refused_with_their_number(model, recordings):
    with pytest.raises(ValueError, match=r"^15 recordings, .* give at least 16, better some hund"):
        model.adapt_norms(recordings[:15])
    with pytest.raises(ValueError, match=r"^no recordings; give at least 16"):
        model.adapt_norms([])


def test_recordings_that_cannot_be_used_are_all_named(model, recordings, tmp_path):
    (bad := tmp_path / "bad.wav").write_text("no audio")
    with pytest.raises(ValueError, match=r"2 of \d+ recordings .*number 0: .*bad.*number 3: "):
        model.adapt_norms([bad, *recordings[:2], np.zeros(16_000), *recordings])
    skipped = model.adapt_norms([*recordings, bad], skip_errors=True)
    answers = [one.predict(recordings[0]) for one in (skipped, model.adapt_norms(recordings))]
    assert answers[0] == pytest.approx(answers[1], abs=0.05)
    with pytest.raises(ValueError, match=r"got one str; give a list of recordings"):
        model.adapt_norms(str(bad))
