"""One system on one fold of one corpus, for all numbers of labelled clips."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emojax.baselines.feature_sets import NAMES, open_features
from emojax.config import PATH_KEYS, Config
from emojax.corpora.partitions import Partition, make_partition
from emojax.data.prepared import PreparedCorpus, find_corpora
from emojax.experiments.launch.changes import parse_row
from emojax.experiments.launch.spec import read_config_file
from emojax.experiments.shots.drawing import EVERY, drawn
from emojax.experiments.shots.scoring import RESULTS, place_of, write_answers
from emojax.experiments.shots.systems import (
    NORMS,
    ZERO,
    Answers,
    network_answers,
    svm_answers,
    zero_shot_answers,
)
from emojax.pretrained import find
from emojax.training.adapting import in_memory
from emojax.versions import commit, versions


@dataclasses.dataclass(frozen=True)
class Task:
    """What one process does: a system on a fold.

    Attributes:
      system: name of a feature set, whose SVM it is; else a network, with changes of its settings
        (:mod:`emojax.experiments.launch.changes`) or without.
      corpus: name of the corpus.
      partition: ``fold:I/K``.
      seed: of the fold, of the choice of clips and of the network.
      shots: numbers of clips per label.
      config: config file of a network.
      base: trained model from which a network starts, or empty.
      label_words: meaning of the corpus's labels, for the head of common emotions.
      data_dir: folder of the prepared corpora.
      out: folder with a folder for each number of clips.
    """

    system: str
    corpus: str
    partition: str
    seed: int
    shots: tuple[str, ...]
    config: str
    base: str
    label_words: str
    data_dir: Path
    out: Path

    def settings(self) -> dict[str, Any]:
        """Return all settings that identify the results, as JSON types."""
        known = {"system": self.system, "partition": self.partition, "seed": self.seed}
        if self.system in NAMES:
            return {**known, "features": self.system, "classifier": "rbf"}
        flat = self.training().flat()
        kept = {key: value for key, value in flat.items() if key not in {*PATH_KEYS, "base"}}
        return {**kept, **known, "label_words": self.label_words}

    def training(self) -> Config:
        """Return the settings of the network, which learns from clips in memory."""
        _, changes = parse_row(self.system)
        config = read_config_file(self.config)
        return in_memory(config.replace(base=self.base, seed=self.seed, **changes))


def run(task: Task, command: str) -> None:
    """Train and score the system for each number of clips that has no results yet.

    Raises:
      ValueError: the corpus is not prepared or cannot be divided, or there is no such base.
    """
    wanted = [one for one in task.shots if not (task.out / place_of(one) / RESULTS).is_file()]
    if not wanted:
        return
    (corpus,) = find_corpora([task.corpus], task.data_dir).values()
    fold = make_partition(corpus.spec, corpus.clips, task.partition, task.seed)
    folds = {one: _drawn(fold, corpus, one, task.seed) for one in wanted}
    answers = _answers(task, corpus, folds)
    said: Mapping[str, Any] = {
        "command": command,
        "commit": commit(),
        "part": "test",
        "utterance": "whole",
        "state": "latest",
        "devel_uar": {},
        "config": task.settings(),
        "versions": versions("jax", "numpy", "scikit-learn"),
    }
    write_answers(corpus, task.corpus, folds, answers, task.out, said)


def _drawn(fold: Partition, corpus: PreparedCorpus, shots: str, seed: int) -> Partition:
    """The fold with its training part; without labels, the recordings of all training speakers."""
    if shots not in (ZERO, NORMS):
        return drawn(fold, corpus.clips, shots, seed)
    norms = "of the training speakers' recordings, without labels" if shots == NORMS else "its own"
    own = drawn(fold, corpus.clips, EVERY, seed)
    return Partition(f"{fold.protocol}; nothing is learnt; norms {norms}", own.parts)


def _answers(task: Task, corpus: PreparedCorpus, folds: Mapping[str, Partition]) -> Answers:
    """Yield the answers of the system to what is wanted, those without labels first."""
    if task.system in NAMES:
        features = open_features(task.system)
        yield from svm_answers(corpus, folds, features, task.data_dir / "features")
        return
    without = {one: fold for one, fold in folds.items() if one in (ZERO, NORMS)}
    labelled = {one: fold for one, fold in folds.items() if one not in without}
    if without:
        model = find(task.base)
        yield from zero_shot_answers(corpus, task.corpus, without, model, task.label_words)
    if labelled:
        yield from network_answers(corpus, labelled, task.training())
