import jax
import jax.numpy as jnp
import librosa
import numpy as np
import pytest

from emojax.audio.log_mel import TRANSFORMS, frame_count, log_mel, standardise
from emojax.audio.reading import read_audio


def librosa_log_mel(samples):
    mel = librosa.feature.melspectrogram(y=samples, sr=16_000, n_fft=512, hop_length=256, n_mels=64)
    return np.log(np.maximum(mel, 1e-10)).T


def test_equals_librosa_on_noise_and_silence():
    samples = np.random.default_rng(0).normal(0, 0.1, 20_001).astype(np.float32)
    samples[8_000:12_000] = 0
    np.testing.assert_allclose(log_mel(jnp.asarray(samples)), librosa_log_mel(samples), atol=1e-4)


@pytest.mark.parametrize("corpus", ["emodb", "casia", "ased"])
def test_equals_librosa_on_real_clips(corpora_dir, corpus):
    for path in sorted((corpora_dir / corpus).rglob("*.wav"))[::200]:
        samples = read_audio(path)
        np.testing.assert_allclose(
            log_mel(jnp.asarray(samples)), librosa_log_mel(samples), atol=1e-4
        )


@pytest.mark.parametrize("length", [1, 255, 256, 4_000, 16_000])
def test_padding_adds_frames_and_changes_none(length):
    samples = np.random.default_rng(1).normal(0, 0.1, length).astype(np.float32)
    alone = log_mel(jnp.asarray(samples))
    padded = log_mel(jnp.pad(jnp.asarray(samples), (0, 5_000)))
    assert len(alone) == frame_count(length)
    np.testing.assert_allclose(padded[: len(alone)], alone, atol=1e-5)


def test_standardise_knows_one_utterance_only():
    # EmoNet took its reference over the whole batch: a loud neighbour changed a quiet clip.
    random = np.random.default_rng(2)
    quiet, loud = random.normal(0, 0.001, (1, 8_000)), random.normal(0, 0.9, (1, 8_000))
    frames = jnp.array([frame_count(8_000)] * 2)
    alone = standardise(log_mel(jnp.asarray(quiet)), frames[:1])
    together = standardise(log_mel(jnp.concatenate([quiet, loud])), frames)
    np.testing.assert_allclose(together[0], alone[0], atol=1e-5)


def test_standardise_leaves_padding_out():
    mel = log_mel(jnp.asarray(np.random.default_rng(3).normal(0, 0.1, (1, 16_000))))
    frames = jnp.array([20])
    standardised = standardise(mel, frames)
    valid = np.asarray(standardised[0, :20])
    assert abs(valid.mean()) < 1e-4
    assert abs(valid.std() - 1) < 1e-2
    assert not np.asarray(standardised[0, 20:]).any()


def test_level_of_a_recording_does_not_matter():
    samples = jnp.asarray(np.random.default_rng(4).normal(0, 0.05, (1, 16_000)))
    frames = jnp.array([frame_count(16_000)])
    np.testing.assert_allclose(
        standardise(log_mel(samples), frames), standardise(log_mel(8 * samples), frames), atol=1e-3
    )


def test_a_filler_row_is_zero():
    assert not np.asarray(standardise(log_mel(jnp.zeros((1, 16_000))), jnp.array([0]))).any()


@pytest.mark.filterwarnings("error")
def test_clips_side_by_side_are_in_float64_too():
    fading = np.random.default_rng(0).normal(0, 0.1, (2, 8_000)) * np.geomspace(1, 1e-4, 8_000)
    clips = jnp.asarray(fading, jnp.float32)
    alone = jnp.stack([jax.jit(log_mel)(clip) for clip in clips])
    np.testing.assert_allclose(jax.jit(jax.vmap(log_mel))(clips), alone, atol=2e-7)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_every_transform_gives_the_mels_above_the_floor(transform):
    """A quiet sound beside a loud one, 70 dB below it."""
    time_s = np.arange(16_000) / 16_000
    loud, quiet = (np.sin(2 * np.pi * pitch_hz * time_s) for pitch_hz in (440, 5_000))
    samples = jnp.asarray(0.5 * loud + 0.5 * 10 ** (-70 / 20) * quiet, jnp.float32)[None]
    frames = jnp.array([frame_count(16_000)])
    exact, ours = (
        standardise(log_mel(samples, transform=how), frames) for how in ("f64", transform)
    )
    np.testing.assert_allclose(ours, exact, rtol=0, atol=2e-4)
