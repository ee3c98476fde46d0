"""Functionals of openSMILE for prepared recordings, extracted once and cached on disk."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import warnings
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.baselines.cache import kept_features
from emojax.data.batches import INT16_SCALE
from emojax.data.prepared import PreparedCorpus, load_recordings

# Name on the command line → openSMILE's name.
FEATURE_SETS = {"egemaps": "eGeMAPSv02", "compare": "ComParE_2016", "is10": "IS10"}
# Clips per batch; limits the audio in memory and the loss when a run stops.
_CLIPS_AHEAD = 64


def functionals(corpus: PreparedCorpus, feature_set: str, cache_dir: str | Path) -> np.ndarray:
    """Return the functionals of every clip, float32 ``[N, D]``, in the order of the corpus's table.

    They are cached on disk by recording, feature set and openSMILE's version; only missing ones are
    extracted, so a stopped extraction resumes. Clips too short for openSMILE become rows of NaN.

    Args:
      corpus: prepared corpus.
      feature_set: ``"egemaps"`` (eGeMAPS v02, D = 88), ``"compare"`` (ComParE 2016, D = 6373) or
        ``"is10"`` (the Interspeech 2010 Paralinguistic Challenge's, D = 1582).
      cache_dir: folder of cached features; made if missing.

    Raises:
      ValueError: the feature set is unknown, openSMILE is missing, or the corpus's table has a clip
        without a valid digest.
    """
    if feature_set not in FEATURE_SETS:
        raise ValueError(f"features {feature_set!r}; choose one of {', '.join(FEATURE_SETS)}")
    folder = Path(cache_dir) / f"opensmile-{opensmile_version()}" / FEATURE_SETS[feature_set]
    return kept_features(
        corpus, folder, lambda indices: _extracted(corpus, feature_set, indices), feature_set
    )


def opensmile_version() -> str:
    """Return the version of the installed openSMILE; a ValueError says how to install it."""
    try:
        return version("opensmile")
    except PackageNotFoundError:
        raise ValueError('openSMILE is not installed; pip install "emojax[baselines]"') from None


def _extracted(
    corpus: PreparedCorpus, feature_set: str, indices: list[int]
) -> Generator[np.ndarray, None, None]:
    """Yield the features of the clips at the indices, computed in one process per core."""
    # No fork, since array_record's threads may hold locks.  Only the parent reacts to Ctrl-C.
    pool = ProcessPoolExecutor(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        multiprocessing.get_context("spawn"),
        signal.signal,
        (signal.SIGINT, signal.SIG_IGN),
    )
    try:
        for start in range(0, len(indices), _CLIPS_AHEAD):
            some = indices[start : start + _CLIPS_AHEAD]
            samples = load_recordings(corpus, np.array(some)).samples
            yield from pool.map(functools.partial(_extract, FEATURE_SETS[feature_set]), samples)
    finally:
        pool.shutdown(cancel_futures=True)


def _extract(feature_set: str, samples: np.ndarray) -> np.ndarray:
    """Return the functionals float32 [D] of samples int16 [n]; NaN where openSMILE finds none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        features = _smile(feature_set)(samples / np.float32(INT16_SCALE), SAMPLE_RATE_HZ)
    return np.where(np.isfinite(features), features, np.nan).ravel()


@functools.cache
def _smile(feature_set: str):
    import opensmile

    return opensmile.Smile(opensmile.FeatureSet[feature_set], opensmile.FeatureLevel.Functionals)
