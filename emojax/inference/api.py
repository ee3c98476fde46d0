"""Prediction with a trained run: probabilities and embeddings of a file or of samples.

Most users need only ``emojax.load``::

    import emojax
    model = emojax.load("runs/multi_corpus", corpus="emodb")
    print(model.predict("call.wav"))
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from emojax.audio import log_mel as front_end
from emojax.audio.reading import SAMPLE_RATE_HZ, TooLong, read_blocks, to_mono_16khz
from emojax.data.batches import split_clip, split_stream
from emojax.files import printable
from emojax.inference.adaptation import adapt_norms
from emojax.inference.answer import Answer, Numbers
from emojax.inference.calibration import Calibration, level_db, read_calibrations, tempered
from emojax.inference.network import Network, choose_corpus, load_networks, make_forward
from emojax.inference.predict import WINDOW_SAMPLES, predict_clips
from emojax.inference.recordings import (
    FILES,
    Audio,
    Recording,
    as_pairs,
    content,
    in_words,
    on_disk,
    random_windows,
    read_samples,
    readable,
)
from emojax.inference.stream import Stream
from emojax.models.speech_network import SpeechNetwork
from emojax.pretrained import find

_WINDOWS_AT_ONCE = 4  # of a long recording; more windows would need more than a gigabyte


class _Heard(NamedTuple):
    """Outputs of the network for N recordings, and their length and level.

    ``answers`` are probabilities, f32 ``[N, K]``, or numbers in their units; ``embeddings`` are f32
    ``[N, D]``; ``traits`` are length in s and level in dB, ``[N, 2]``.
    """

    answers: np.ndarray
    embeddings: np.ndarray
    traits: np.ndarray


class BadRecordingsError(ValueError):
    """Error for recordings that cannot be used; it has the results of all other recordings.

    Attributes:
      errors: index in the list → error of that recording.
      results: the results of all others, None at these indices.
    """

    def __init__(self, errors: dict[int, ValueError], results: list) -> None:
        super().__init__(in_words(errors, len(results)))
        self.errors, self.results = errors, results


class Model:
    """Trained network of one corpus; :func:`load` makes it.

    A model can be copied, pickled, and used from several threads.

    Attributes:
      corpus: the corpus whose adapters and head are used.
      labels: the label set of the corpus; for a domain of numbers, the columns.
    """

    def __init__(
        self,
        corpus: str,
        labels: Iterable[str],
        model: SpeechNetwork,
        network: Network,
        calibration: Calibration | None = None,
    ) -> None:
        if calibration and len(calibration.mean) != model.embedding_size:
            raise ValueError(
                f"the calibration is of embeddings of {len(calibration.mean)} numbers, but this "
                f"network's have {model.embedding_size}; copy the run anew"
            )
        self.corpus = corpus
        self.labels = tuple(labels)
        self._model, self._network, self._calibration = model, network, calibration
        self._forward, self._process = make_forward(model), os.getpid()

    def __reduce__(self):
        network = jax.device_get(self._network)
        return Model, (self.corpus, self.labels, self._model, network, self._calibration)

    @property
    def embedding_size(self) -> int:
        """Length of an embedding: ``8 · width``, or twice that with ``attention_deviation``."""
        return self._model.embedding_size

    def refuse_numbers(self, what: str) -> None:
        """Raise a ValueError if the model answers with numbers; ``what`` can only show labels."""
        if self._network.units is not None:
            raise ValueError(
                f"{self.corpus} answers with numbers ({', '.join(map(printable, self.labels))}), "
                f"but {what} shows labels; choose a corpus with labels, or use "
                "emojax.load(...).predict or `emojax predict`"
            )

    def predict(
        self,
        audio: Audio,
        sample_rate_hz: float | None = None,
        labels: Iterable[str] | None = None,
    ) -> Answer:
        """Return the probability of each label: a dict with arousal, valence and a warning.

        A model of a domain of numbers returns :class:`emojax.inference.answer.Numbers`: column →
        number, in the units of the training table.

        Args:
          audio: path of a wav, flac, ogg, opus or mp3 file, the bytes of one, an open binary file,
            or samples ``[n]`` or ``[n, channels]`` (float in −1..1, or integer PCM).
          sample_rate_hz: sample rate of the samples; not for a file.
          labels: the labels to choose from, or the columns of numbers to return; all labels of the
            corpus if not given.

        Raises:
          ValueError: the audio or a label is wrong; the message has the allowed values.
        """
        chosen = self._chosen(labels)
        return self._answers(self._hear_one(audio, sample_rate_hz), chosen)[0]

    def predict_many(
        self,
        audios: Iterable[Recording],
        *,
        labels: Iterable[str] | None = None,
        return_errors: bool = False,
    ) -> list:
        """Predict many recordings in batches.

        Args:
          audios: files as for :meth:`predict`, or pairs ``(samples, sample_rate_hz)``.
          labels: as in :meth:`predict`.
          return_errors: return a ValueError in the place of a recording that cannot be used.

        Raises:
          BadRecordingsError: some recordings cannot be used; it has the results of the others.
        """
        chosen = self._chosen(labels)
        return self._many(audios, lambda heard: self._answers(heard, chosen), return_errors)

    def predict_windows(self, windows: Sequence[np.ndarray]) -> list[Answer]:
        """Predict windows of recordings that :mod:`emojax.audio` has read; nothing is checked.

        Args:
          windows: float32 ``[n]`` at 16 kHz. Windows of one length need few compiled programs.
        """
        return self._answers(self._hear(list(windows)), self.labels)

    def embed(self, audio: Audio, sample_rate_hz: float | None = None) -> np.ndarray:
        """Return the utterance's embedding, float32 ``[embedding_size]``.

        It depends on this corpus's adapters. Arguments and errors are those of :meth:`predict`.
        """
        return self._hear_one(audio, sample_rate_hz).embeddings[0]

    def embed_many(self, audios: Iterable[Recording], *, return_errors: bool = False) -> list:
        """Embed many recordings in batches; arguments and errors as of :meth:`predict_many`."""
        return self._many(audios, lambda heard: list(heard.embeddings), return_errors)

    def stream(self, sample_rate_hz: float) -> Stream:
        """Return a stream, which takes the samples of a live recording and answers every second."""
        return Stream(self, sample_rate_hz)

    def adapt_norms(self, audios: Iterable[Recording], *, skip_errors: bool = False) -> Model:
        """Return a model whose norms have the statistics of recordings without labels.

        The recordings should be a random sample of those to predict, with the same room and
        microphone. Their order hardly matters.

        Args:
          audios: at least 16 recordings as for :meth:`predict_many`, better some hundreds.
          skip_errors: leave recordings out that cannot be used.

        Raises:
          ValueError: there are too few, or some cannot be used; the message names them.
        """
        self._refuse_fork()
        windows = random_windows(as_pairs(audios), skip_errors)
        network = adapt_norms(self._model, self._network, windows)
        own = self._calibration
        # The distances of embeddings are calibrated for the norms of training only.
        calibration = own and dataclasses.replace(own, farthest=math.inf)
        return Model(self.corpus, self.labels, self._model, network, calibration)

    def fingerprint(self) -> str:
        """Return a digest of the corpus, the labels and all parameters."""
        own = self._calibration and self._calibration.to_json()
        units = (self._network.units,) if self._network.units else ()
        digest = hashlib.sha256(repr((self.corpus, self.labels, own, *units)).encode())
        for leaf in jax.tree.leaves(jax.device_get(self._network)):
            digest.update(leaf.tobytes())
        return digest.hexdigest()

    def _many(
        self, audios: Iterable[Recording], results_of: Callable[[_Heard], list], return_errors: bool
    ) -> list:
        """Return the result of each recording, or raise a BadRecordingsError at the end."""
        pairs = as_pairs(audios)
        results: list = [None] * len(pairs)
        errors: dict[int, ValueError] = {}
        for places, clips in readable(pairs, errors):
            for place, result in zip(places, results_of(self._hear(clips)), strict=True):
                results[place] = result
        for place in [place for place, error in errors.items() if isinstance(error, TooLong)]:
            if isinstance(pairs[place][0], FILES):
                results[place] = results_of(self._hear_one(pairs[place][0], None))[0]
                del errors[place]
        if errors and not return_errors:
            raise BadRecordingsError(errors, results)
        return [errors.get(place, result) for place, result in enumerate(results)]

    def _hear_one(self, audio: Audio, sample_rate_hz: float | None) -> _Heard:
        """Run the network on a recording of any length."""
        if hasattr(audio, "read"):
            audio = content(audio)
        try:
            samples = read_samples(audio, sample_rate_hz)
        except TooLong:
            with on_disk(audio) as path:
                return self._hear_windows(split_stream(read_blocks(path), WINDOW_SAMPLES))
        if len(samples) > _WINDOWS_AT_ONCE * WINDOW_SAMPLES:
            return self._hear_windows(iter(split_clip(samples, WINDOW_SAMPLES)))
        return self._hear([samples])

    def _hear_windows(self, windows: Iterator[np.ndarray]) -> _Heard:
        """Average over windows, a batch of windows at once."""
        totals, count = [np.zeros(1)] * len(_Heard._fields), 0
        while some := list(itertools.islice(windows, _WINDOWS_AT_ONCE)):
            totals = [
                total + own.sum(axis=0, keepdims=True, dtype=np.float64)
                for total, own in zip(totals, self._hear(some), strict=True)
            ]
            count += len(some)
        return _Heard(*((total / count).astype(np.float32) for total in totals))

    def _hear(self, clips: list[np.ndarray]) -> _Heard:
        """Run the network on clips."""
        self._refuse_fork()
        traits = np.array([(len(clip) / SAMPLE_RATE_HZ, level_db(clip)) for clip in clips])
        return _Heard(*predict_clips(self._forward, self._network, clips), traits)

    def _refuse_fork(self) -> None:
        if os.getpid() != self._process:
            raise RuntimeError(
                "this model was loaded before the process forked, which JAX does not survive; load "
                'it in each process, or start them by multiprocessing.get_context("spawn")'
            )

    def _chosen(self, labels: Iterable[str] | None) -> tuple[str, ...]:
        """Return the labels to choose from, or raise a ValueError that lists the choices."""
        if labels is None:
            return self.labels
        is_list = isinstance(labels, Iterable) and not isinstance(labels, str)
        chosen = tuple(labels) if is_list else ()
        known = chosen and all(label in self.labels for label in chosen)
        if not known or len(set(chosen)) < len(chosen):
            given = printable(repr(list(chosen) if is_list else labels))
            raise ValueError(
                f"labels={given}; give a list with one or more of "
                f"{', '.join(map(printable, self.labels))}, each of them once"
            )
        return chosen

    def _answers(self, heard: _Heard, labels: Sequence[str]) -> list[Answer]:
        """Make the answers: calibrated probabilities of some labels, or numbers, with warnings."""
        own = self._calibration
        columns = [self.labels.index(label) for label in labels]
        kind: type[Answer] = Numbers
        answers = heard.answers[:, columns]
        if self._network.units is None:
            kind, answers = Answer, tempered(answers, own.temperature if own else 1.0)
        return [
            kind(
                zip(labels, map(float, row), strict=True),
                own.warning(embedding, *map(float, traits)) if own else "",
                embedding,
            )
            for row, embedding, traits in zip(answers, heard.embeddings, heard.traits, strict=True)
        ]


def load(name_or_path: str | os.PathLike, corpus: str | None = None) -> Model:
    """Load the best network of a trained model, for one of its corpora.

    Only the shared subtree and that corpus's subtree are read.

    Args:
      name_or_path: name of a model of the package, such as ``"emojax-small"``; folder of a run or
        of a published model; or ``"hf:OWNER/NAME"`` for a model on the Hugging Face hub. For a
        folder with the name of a model of the package, give ``"./emojax-small"``.
      corpus: the corpus whose labels, adapters and norms to use. If not given: ``emotion``, the
        emotions that corpora share, if the model has it, or the only corpus.

    Raises:
      ValueError: there is no such trained model, it is damaged, or the corpus is unknown or not
        given; the message has the choices.
    """
    corpus = choose_corpus(name_or_path, corpus)
    loaded = load_networks(name_or_path, [corpus])
    labels, network = loaded.manifest["corpora"][corpus], loaded.networks[corpus]
    calibrations = read_calibrations(find(name_or_path), loaded.manifest)
    return Model(corpus, labels, loaded.model, network, calibrations.get(corpus))


def log_mel(samples: np.ndarray, sample_rate_hz: float = SAMPLE_RATE_HZ) -> np.ndarray:
    """Compute the front-end's log-mel frames of a recording, float32 ``[frames, 64]``.

    This is the natural logarithm of the mel power spectrogram, with window 512 and hop 256 at
    16 kHz: :func:`emojax.audio.log_mel.log_mel`.

    Args:
      samples: ``[n]`` or ``[n, channels]``, float in −1..1 or integer PCM.
      sample_rate_hz: sample rate; other rates than 16 kHz are resampled.

    Raises:
      ValueError: a wrong rate, shape, dtype or value; the message has the allowed ones.

    >>> log_mel(np.zeros(16_000, np.float32)).shape
    (63, 64)
    """
    return np.asarray(front_end.log_mel(jnp.asarray(to_mono_16khz(samples, sample_rate_hz))))
