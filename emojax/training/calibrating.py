"""Calibration of the best state at the end of training, on the train and devel parts."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tqdm
from scipy.optimize import minimize_scalar

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.checkpoints import read_manifest
from emojax.config import Config, NetworkConfig, read_section
from emojax.data.partitioned_corpus import StoredRecordings
from emojax.inference.calibration import (
    CALIBRATION_FILE,
    Calibration,
    level_db,
    read_calibrations,
    tempered,
    write_calibrations,
)
from emojax.inference.network import Forward
from emojax.inference.predict import WINDOW_SAMPLES, aggregate, predict_clips, run_forward
from emojax.manifests import check_same
from emojax.multihost import is_first, on_any_process
from emojax.training.train_state import EmoState
from emojax.training.validation import Devel, network_of

MOST_CLIPS = 256  # of a corpus's training part, for the statistics of its embeddings
_AXES = 16
_TEMPERATURES = (0.25, 20.0)
# Quantile of the lengths and of the levels that counts as the shortest and the quietest.
_EXTREME = 0.01
# An embedding is unusual if its distance exceeds 1.4 times the 98 % quantile of other speakers.
# Speech of another channel has a smaller distance, noise and music a larger one.
_USUAL, _MARGIN = 0.98, 1.4


def read_reference(config: Config, names: Sequence[str]) -> dict[str, Calibration]:
    """Read the calibrations of the run ``calibrated_by``; empty without such a run.

    Raises:
      ValueError: that run has another network, or no calibration of one of the corpora.
    """
    if not config.calibration.calibrated_by:
        return {}
    workdir = Path(config.calibration.calibrated_by).expanduser()
    theirs = read_section(NetworkConfig, read_manifest(workdir)["config"])
    check_same({"config": vars(theirs)}, {"config": vars(config.network)}, workdir)
    found = read_calibrations(workdir)
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(
            f"calibrated_by={workdir}: it has no calibration of {', '.join(missing)}; give a run "
            f"that was trained to the end on all of {', '.join(names)}"
        )
    return found


def calibrate(
    workdir: Path,
    forward: Forward,
    best: EmoState,
    train: Mapping[str, StoredRecordings],
    devel: Mapping[str, Devel],
    windows: Mapping[str, int],
    reference: Mapping[str, Calibration],
) -> None:
    """Calibrate a finished run's answers for each corpus, and write the calibrations, once.

    Args:
      workdir: the run's folder.
      forward: its forward pass.
      best: its best state.
      train: corpus → its training part.
      devel: corpus → its devel part; corpora may be missing.
      windows: corpus → longest crop in training, in samples.
      reference: corpus → calibration of a run of the same network with a devel part; it replaces
        the devel part of this run.
    """
    if on_any_process(is_first() and (workdir / CALIBRATION_FILE).exists()):
        return
    found = {}
    for name, part in tqdm.tqdm(train.items(), "calibration", unit="corpus", disable=None):
        network = network_of(best.shared.params, best.corpora[name])
        clips = part.take(spread_rows(part, MOST_CLIPS))
        _, embeddings = predict_clips(forward, network, clips)
        levels = [level_db(clip) for clip in clips]
        longest = min(windows[name], WINDOW_SAMPLES)  # longest input of the network
        shortest = min(float(np.quantile(part.lengths, _EXTREME)), longest) / SAMPLE_RATE_HZ
        own = describe(embeddings, shortest, float(np.quantile(levels, _EXTREME)))
        if reference:
            own = like(own, reference[name])
        elif name in devel:
            heard = devel[name].windows
            answers, far = aggregate(run_forward(forward, network, heard), heard)
            rows, labels = devel[name].rows, devel[name].labels
            own = fit(own, answers[rows], far[rows], None if part.corpus.units else labels)
        found[name] = own
    if is_first():
        write_calibrations(workdir, found)


def describe(embeddings: np.ndarray, shortest_s: float, quietest_db: float) -> Calibration:
    """Describe training recordings by the mean and covariance of their embeddings ``[N, D]``."""
    from sklearn.decomposition import PCA  # takes a second to import

    axes = min(_AXES, min(embeddings.shape) // 2)
    with np.errstate(invalid="ignore"):  # its ratio of variances is 0 / 0 for equal embeddings
        pca = PCA(axes, svd_solver="full").fit(embeddings.astype(np.float64))
    least = max(1e-6 * float(pca.explained_variance_.sum()), 1e-12)
    found = Calibration(
        temperature=1.0,
        shortest_s=shortest_s,
        quietest_db=quietest_db,
        mean=pca.mean_,
        axes=pca.components_,
        variances=np.maximum(pca.explained_variance_, least),
        rest_variance=max(float(pca.noise_variance_), least),
        farthest=1.0,
        devel_to_train=1.0,
    )
    usual = float(np.quantile(found.distance(embeddings), _USUAL))
    return dataclasses.replace(found, farthest=max(_MARGIN * usual, least))


def fit(
    own: Calibration, probabilities: np.ndarray, embeddings: np.ndarray, labels: np.ndarray | None
) -> Calibration:
    """Fit the temperature and the farthest distance to the answers for a devel part.

    Args:
      own: the result of :func:`describe`.
      probabilities: ``[N, K]``, not calibrated.
      embeddings: ``[N, D]``.
      labels: int ``[N]``; None if the answers are numbers, which have no temperature.
    """
    usual = float(np.quantile(own.distance(embeddings), _USUAL))
    ratio = max(usual * _MARGIN / own.farthest, 1e-6)
    temperature = 1.0 if labels is None else fit_temperature(probabilities, labels)
    return dataclasses.replace(
        own, temperature=temperature, farthest=own.farthest * ratio, devel_to_train=ratio
    )


def like(own: Calibration, other: Calibration) -> Calibration:
    """Take the temperature and the ratio ``devel_to_train`` of another run's calibration."""
    return dataclasses.replace(
        own,
        temperature=other.temperature,
        farthest=own.farthest * other.devel_to_train,
        devel_to_train=other.devel_to_train,
    )


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the T from 0.25 to 20 with the least negative log likelihood of the labels.

    Args:
      probabilities: of utterances, ``[N, K]``.
      labels: int ``[N]``.

    >>> sure = np.array([[0.99, 0.01]] * 4)
    >>> round(fit_temperature(sure, np.array([0, 0, 0, 1])), 1)  # right in 3 of 4: 0.75
    4.2
    """
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        return -float(np.log(tempered(probabilities, np.exp(log_temperature))[rows, labels]).mean())

    bounds = tuple(np.log(_TEMPERATURES))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def spread_rows(part: StoredRecordings, most: int, seed: int = 0) -> np.ndarray:
    """Choose at most so many clips of a part, spread evenly over its labels and speakers."""
    order = np.random.default_rng(seed).permutation(len(part.indices))
    taken: Counter[tuple[str, str]] = Counter()
    rank = np.zeros(len(order), np.int64)
    for place, row in enumerate(order):
        clip = part.corpus.clips[part.indices[row]]
        rank[place] = taken[clip.label, clip.speaker]
        taken[clip.label, clip.speaker] += 1
    return np.sort(order[np.argsort(rank, kind="stable")[:most]])
