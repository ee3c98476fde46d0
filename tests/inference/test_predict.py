"""A clip's answer is its own: whatever it is batched with, however long it is."""

import numpy as np
import pytest

from emojax.inference.network import Network
from emojax.inference.predict import FULL_BATCHES, WINDOW_SAMPLES, make_windows, predict_clips
from emojax.models.speech_network import Output

NOTHING = Network({}, {}, {}, np.ones(2, bool))


def echo(shared, corpus, stats, class_mask, batch):
    """A network that answers with the first sample of each row, and how long it is."""
    first, length = (np.asarray(of, np.float32) for of in (batch.audio[:, 0], batch.length))
    return Output(np.stack([first, length], axis=1), np.stack([first, -first], axis=1))


def test_the_same_alone_and_in_any_batch(model):
    random = np.random.default_rng(0)
    clips = [
        random.normal(0, 0.1, length).astype(np.float32)
        for length in (3_000, 15_999, 16_000, 50_000, 170_000)
    ]
    alone = [model.predict(clip, 16_000) for clip in clips]
    together = model.predict_many([(clip, 16_000) for clip in clips * 3])
    for single, batched in zip(alone * 3, together, strict=True):
        assert batched == pytest.approx(single, abs=1e-5)
    assert model.predict_many([]) == []


def test_answers_come_in_the_order_of_the_clips():
    lengths = np.random.default_rng(0).integers(1_600, WINDOW_SAMPLES, 100)
    clips = [np.full(length, number, np.int16) for number, length in enumerate(lengths)]
    _, embeddings = predict_clips(echo, NOTHING, clips)
    np.testing.assert_array_equal(embeddings, np.stack([np.arange(100), lengths], axis=1))


def test_a_long_clip_is_the_mean_of_its_windows():
    clip = np.zeros(2 * WINDOW_SAMPLES + 100, np.float32)
    clip[[0, WINDOW_SAMPLES, WINDOW_SAMPLES + 100]] = 1, 2, 3
    short = np.full(1_600, 0.5, np.float32)
    probabilities, embeddings = predict_clips(echo, NOTHING, [clip, short])
    assert embeddings.tolist() == [[2, WINDOW_SAMPLES], [0.5, 1_600]]
    first = [
        np.mean([1 / (1 + np.exp(-2 * logit)) for logit in logits])
        for logits in ((1, 2, 3), (0.5,))
    ]
    np.testing.assert_allclose(
        probabilities, np.stack([first, 1 - np.array(first)], axis=1), rtol=1e-6
    )


@pytest.mark.parametrize("clips", [1, 3, 17, 64, 65, 64 * FULL_BATCHES + 1])
def test_batches_have_few_shapes(clips):
    lengths = np.random.default_rng(clips).integers(1_600, WINDOW_SAMPLES, clips)
    shapes = {
        batch.audio.shape
        for batch in make_windows([np.zeros(n, np.int16) for n in lengths]).batches
    }
    assert {samples for _, samples in shapes} <= {20_000, 40_000, 60_000, 80_000}
    assert {rows for rows, _ in shapes} <= ({1, 4, 16, 64} if clips < 64 * FULL_BATCHES else {64})
