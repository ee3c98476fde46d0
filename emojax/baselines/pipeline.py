"""Score a baseline on the test parts of prepared corpora."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import tqdm

from emojax.baselines.feature_sets import FeatureSet
from emojax.baselines.svm import CLASSIFIERS, Answer, per_speaker
from emojax.corpora.folds import Folds, make_folds
from emojax.corpora.groups import speaker_groups
from emojax.corpora.spec import Clip
from emojax.data.prepared import PreparedCorpus, open_corpus
from emojax.evaluation.figures import confusion_figure
from emojax.evaluation.metrics import CorpusResult, score
from emojax.evaluation.score_files import Prediction, write_predictions, write_results
from emojax.versions import commit, versions


@dataclasses.dataclass(frozen=True)
class Baseline:
    """Features and the classifier that is trained on them.

    Attributes:
      features: feature set from :func:`~emojax.baselines.feature_sets.open_features`.
      classifier: one of ``CLASSIFIERS``.
      partition: scheme for :func:`~emojax.corpora.folds.make_folds`.
      seed: seed of partitions that are not published.
      speaker_normalisation: standardise each speaker's features first; this uses all clips of the
        tested speakers, but not their labels.

    Raises:
      ValueError: the classifier is unknown.
    """

    features: FeatureSet
    classifier: str = "linear"
    partition: str = "default"
    seed: int = 0
    speaker_normalisation: bool = False

    def __post_init__(self) -> None:
        if self.classifier not in CLASSIFIERS:
            raise ValueError(
                f"classifier={self.classifier!r}; choose one of {', '.join(CLASSIFIERS)}"
            )

    def __str__(self) -> str:
        normalised = "with" if self.speaker_normalisation else "no"
        return (
            f"{self.features.description}, {self.classifier} SVM, "
            f"{normalised} speaker normalisation"
        )


def evaluate(
    baseline: Baseline,
    paths: Mapping[str, Path],
    cache_dir: str | Path,
    out: str | Path,
    command: str = "",
) -> list[CorpusResult]:
    """Train and score the baseline on every corpus; the folds of a corpus get one score.

    Writes ``results.json``, ``predictions.csv`` and ``confusion.png``.

    Args:
      baseline: features and classifier.
      paths: corpus → folder of the prepared corpus.
      cache_dir: folder of cached features.
      out: folder of the results; made if missing.
      command: command line, recorded in ``results.json``.

    Raises:
      ValueError: a folder is no prepared corpus, or a corpus does not allow the partition or the
        normalisation; raised before any feature is extracted.
    """
    corpora = {name: open_corpus(path) for name, path in paths.items()}
    if baseline.speaker_normalisation:
        check_speakers({name: corpus.clips for name, corpus in corpora.items()})
    folds = {
        name: make_folds(corpus.spec, corpus.clips, baseline.partition, baseline.seed)
        for name, corpus in corpora.items()
    }
    results, predictions, chosen = [], [], {}
    for name, corpus in corpora.items():
        answers = _answers(baseline, corpus, folds[name], cache_dir)
        result, rows = judge(
            name, corpus.spec.labels, corpus.clips, folds[name], answers, str(baseline)
        )
        results.append(result)
        predictions += rows
        chosen[name] = answers
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    write_predictions(predictions, out / "predictions.csv")
    confusion_figure(results, out / "confusion.png")
    write_results(results, out, _provenance(baseline, chosen, command))
    return results


def check_speakers(clips: Mapping[str, Iterable[Clip]]) -> None:
    """Raise a ValueError that names the corpora in which a clip has no speaker.

    >>> check_speakers({"demo": [Clip("a.wav", "anger", "03", "German", 1.0, "", "")]})
    """
    without = [name for name, some in clips.items() if not all(clip.speaker for clip in some)]
    if without:
        raise ValueError(
            "speaker normalisation needs the speaker of every clip, "
            f"which {', '.join(without)} does not name; switch it off, leave such corpora out, "
            "or name the speakers in a CSV (file,label,speaker)"
        )


def _answers(
    baseline: Baseline, corpus: PreparedCorpus, folds: Folds, cache_dir: str | Path
) -> list[Answer]:
    """Return the classifier's answer for the test part of each fold."""
    features = baseline.features.read(corpus, cache_dir)
    if baseline.speaker_normalisation:
        features = per_speaker(features, [clip.speaker for clip in corpus.clips])
    labels = np.array([corpus.spec.labels.index(clip.label) for clip in corpus.clips])
    groups = speaker_groups(corpus.clips)
    bar = tqdm.tqdm(
        folds.partitions, f"{corpus.spec.name} {baseline.classifier}", unit="fold", disable=None
    )
    classify = CLASSIFIERS[baseline.classifier]
    return [classify(features, labels, partition.parts, groups) for partition in bar]


def judge(
    name: str,
    labels: Sequence[str],
    clips: Sequence[Clip],
    folds: Folds,
    answers: Sequence[Answer],
    what: str,
) -> tuple[CorpusResult, list[Prediction]]:
    """Score all folds of a corpus together.

    Args:
      name: name of the corpus.
      labels: its label set.
      clips: its table.
      folds: the partitions of the table.
      answers: the classifier's answer for the test part of each.
      what: features and classifier, for the protocol.

    Returns:
      The result, and the predictions in the order of the table.
    """
    tested = np.concatenate([partition.parts["test"] for partition in folds.partitions])
    order = np.argsort(tested)
    tested_clips = [clips[i] for i in tested[order]]
    predicted = np.concatenate([answer.predicted for answer in answers])[order]
    probabilities = np.concatenate([answer.probabilities for answer in answers])[order]
    rows = [
        Prediction(
            name,
            clip.file,
            clip.speaker,
            clip.label,
            labels[best],
            # A last label that no clip has is in no array.
            dict(zip(labels, map(float, row), strict=False)),
        )
        for clip, best, row in zip(tested_clips, predicted, probabilities, strict=True)
    ]
    truth = np.array([labels.index(clip.label) for clip in tested_clips])
    protocol = f"{folds.protocol}; {what}"
    speakers = [clip.speaker for clip in tested_clips]
    return score(name, protocol, labels, truth, predicted, speakers), rows


def _provenance(baseline: Baseline, answers: Mapping[str, list[Answer]], command: str) -> dict:
    """Return the provenance with the keys of a trained run's; devel UAR is the mean over folds."""
    devel = {
        name: [a.devel_uar for a in some if a.devel_uar is not None]
        for name, some in answers.items()
    }
    return {
        "command": command,
        "commit": commit(),
        "part": "test",
        "utterance": "whole",
        "step": None,
        "devel_uar": {name: float(np.mean(uars)) if uars else None for name, uars in devel.items()},
        "complexity": {
            name: [answer.complexity for answer in some] for name, some in answers.items()
        },
        "gamma": {name: [answer.gamma for answer in some] for name, some in answers.items()},
        "config": {**vars(baseline), "features": baseline.features.name},
        "features": baseline.features.description,
        "versions": {**versions("scikit-learn", "numpy"), **baseline.features.versions},
    }
