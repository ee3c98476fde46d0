"""Feature sets by name; each is opened before any work starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np

from emojax.baselines.deepspectrum import BACKBONES, FORMAT, open_deepspectrum
from emojax.baselines.features import FEATURE_SETS, functionals, opensmile_version
from emojax.data.prepared import PreparedCorpus

NAMES = (*FEATURE_SETS, *BACKBONES)


@dataclasses.dataclass(frozen=True)
class FeatureSet:
    """Feature set whose software and weights are present.

    Attributes:
      name: one of ``NAMES``.
      description: short text for every table.
      versions: versions of everything that the features depend on, besides the recordings.
      read: corpus, folder of cached features → features of every clip, float32 ``[N, D]``, in the
        order of the corpus's table.
    """

    name: str
    description: str
    versions: Mapping[str, str]
    read: Callable[[PreparedCorpus, str | Path], np.ndarray]


def open_features(name: str, vgg16_weights: str | None = None) -> FeatureSet:
    """Find the software and the weights that a feature set needs.

    Args:
      name: one of ``NAMES``.
      vgg16_weights: as in :func:`~emojax.baselines.deepspectrum.open_deepspectrum`.

    Raises:
      ValueError: the name is unknown, or software or weights are missing; the message says how to
        get them.
    """
    if name not in NAMES:
        raise ValueError(f"features {name!r}; choose one of {', '.join(NAMES)}")
    if name in FEATURE_SETS:
        versions = {"opensmile": opensmile_version()}
        return FeatureSet(
            name,
            FEATURE_SETS[name],
            versions,
            lambda corpus, folder: functionals(corpus, name, folder),
        )
    extractor = open_deepspectrum(name, vgg16_weights)
    versions = {"jax": version("jax"), "mel_plot": str(FORMAT), "weights_sha256": extractor.sha256}
    return FeatureSet(name, str(extractor), versions, extractor.features)
