"""Use a trained run: probabilities and embeddings of a file or of samples.

``emojax.load`` is all that most people need::

    import emojax
    model = emojax.load("runs/multi_corpus", corpus="emodb")
    print(model.predict("call.wav"))
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from emojax.audio import log_mel as front_end
from emojax.audio.reading import SAMPLE_RATE_HZ, BadAudio, check_audible, read_audio, to_mono_16khz
from emojax.files import printable
from emojax.training.predict import Network, load_networks, predict_clips
from emojax.training.steps import Forward

Audio = str | os.PathLike | np.ndarray


class Model:
    """One corpus's network, ready to use; :func:`load` makes it.

    Attributes:
      corpus: the corpus whose adapters and head these are.
      labels: its label set.
    """

    def __init__(self, corpus: str, labels: Iterable[str], forward: Forward, network: Network) -> None:
        self.corpus = corpus
        self.labels = tuple(labels)
        self._forward, self._network = forward, network

    def predict(self, audio: Audio, sample_rate_hz: int | None = None) -> dict[str, float]:
        """Probability of each label.

        Args:
          audio: path of a wav, flac, ogg, opus or mp3 file, or samples ``[n]`` or ``[n, channels]``
            (float in −1..1, or integer PCM).
          sample_rate_hz: of the samples; not for a path.

        Raises:
          ValueError: says what was given, what is allowed and how to mend it.
        """
        return self._probabilities([_samples(audio, sample_rate_hz)])[0]

    def predict_many(self, audios: Iterable[Audio | tuple[np.ndarray, int]]) -> list[dict[str, float]]:
        """:meth:`predict` for many, in batches; samples come as pairs ``(samples, sample_rate_hz)``."""
        pairs = [audio if isinstance(audio, tuple) else (audio, None) for audio in audios]
        clips = [_samples(audio, sample_rate_hz) for audio, sample_rate_hz in pairs]
        return self._probabilities(clips) if clips else []

    def embed(self, audio: Audio, sample_rate_hz: int | None = None) -> np.ndarray:
        """The utterance's embedding under this corpus's adapters: float32 ``[8 · width]``, 256 by default.

        Arguments and errors as :meth:`predict`.
        """
        _, embeddings = predict_clips(self._forward, self._network, [_samples(audio, sample_rate_hz)])
        return embeddings[0]

    def _probabilities(self, clips: list[np.ndarray]) -> list[dict[str, float]]:
        probabilities, _ = predict_clips(self._forward, self._network, clips)
        return [dict(zip(self.labels, map(float, row), strict=False)) for row in probabilities]


def load(workdir: str | os.PathLike, corpus: str) -> Model:
    """Load the best network of a run, for one of its corpora.

    Reads the shared subtree and that corpus's subtree only.

    Args:
      workdir: of the run that ``train.py`` made.
      corpus: whose labels, adapters and norms to use.

    Raises:
      ValueError: nothing is trained there, or the corpus is not in it; the message has the choices.
    """
    manifest, forward, networks = load_networks(Path(workdir), [corpus])
    return Model(corpus, manifest["corpora"][corpus], forward, networks[corpus])


def log_mel(samples: np.ndarray, sample_rate_hz: int = SAMPLE_RATE_HZ) -> np.ndarray:
    """The front-end's log-mel frames of a recording, float32 ``[frames, 64]``.

    Natural logarithm of the mel power spectrogram: window 512, hop 256, at 16 kHz, as
    :func:`emojax.audio.log_mel.log_mel`.

    Args:
      samples: ``[n]`` or ``[n, channels]``, float in −1..1 or integer PCM.
      sample_rate_hz: their rate; anything but 16 kHz is resampled.

    Raises:
      ValueError: says what was given, what is allowed and how to mend it.

    >>> log_mel(np.zeros(16_000, np.float32)).shape
    (63, 64)
    """
    return np.asarray(front_end.log_mel(jnp.asarray(to_mono_16khz(samples, sample_rate_hz))))


def _samples(audio: Audio, sample_rate_hz: int | None) -> np.ndarray:
    """Float32 ``[n]`` at 16 kHz of a path or of samples."""
    if isinstance(audio, (str, os.PathLike)):
        if sample_rate_hz is not None:
            raise ValueError(
                f"sample_rate_hz={sample_rate_hz} beside the path '{_name(audio)}'; "
                "leave it out, a file knows its own rate"
            )
        try:
            return read_audio(audio)
        except BadAudio as error:
            raise ValueError(f"{_name(audio)}: {error}") from error
    if sample_rate_hz is None:
        raise ValueError(
            f"got {type(audio).__name__} without sample_rate_hz; give a path, or samples and their rate: "
            "predict(samples, sample_rate_hz)"
        )
    mono = to_mono_16khz(audio, sample_rate_hz)
    check_audible(mono, SAMPLE_RATE_HZ)
    return mono


def _name(path: str | os.PathLike) -> str:
    return printable(os.fsdecode(path))
