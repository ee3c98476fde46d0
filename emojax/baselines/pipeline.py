"""Score a baseline on the test parts of prepared corpora."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import tqdm

from emojax.baselines.feature_sets import FeatureSet
from emojax.baselines.svm import CLASSIFIERS, Answer, per_speaker
from emojax.baselines.svr import NumbersAnswer, linear_svr
from emojax.corpora.folds import Folds, make_folds
from emojax.corpora.groups import speaker_groups
from emojax.corpora.partitions import Partition
from emojax.corpora.spec import Clip
from emojax.data.label_columns import with_columns
from emojax.data.partitioned_corpus import PartitionedCorpus
from emojax.data.prepared import PreparedCorpus, open_corpus
from emojax.evaluation.metrics import CorpusResult, score
from emojax.evaluation.number_files import PredictedNumber, numbers_of
from emojax.evaluation.number_scores import NumbersResult, score_numbers
from emojax.evaluation.score_files import Prediction, prediction_rows
from emojax.evaluation.scores import Result, Scored, write_scores
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
    columns: str = "",
) -> list[Result]:
    """Train and score the baseline on every corpus; the folds of a corpus get one score.

    Writes the files of :func:`emojax.evaluation.scores.write_scores`.

    Args:
      baseline: features and classifier.
      paths: corpus → folder of the prepared corpus.
      cache_dir: folder of cached features.
      out: folder of the results; made if missing.
      command: command line, recorded in ``results.json``.
      columns: further columns to learn, the text for
        :func:`emojax.corpora.columns.parse_columns`; an SVR answers with numbers.

    Raises:
      ValueError: a folder is no prepared corpus, or a corpus does not allow the partition or the
        normalisation, or a column cannot be learnt; raised before any feature is extracted.
    """
    corpora = {name: open_corpus(path) for name, path in paths.items()}
    if baseline.speaker_normalisation:
        check_speakers({name: corpus.clips for name, corpus in corpora.items()})
    folds = {
        name: make_folds(corpus.spec, corpus.clips, baseline.partition, baseline.seed)
        for name, corpus in corpora.items()
    }
    domains = _domains(corpora, folds, columns)
    if baseline.classifier != "linear" and any(one.units for one, _ in domains.values()):
        raise ValueError(
            f"classifier={baseline.classifier!r} answers with labels; numbers have a linear SVR: "
            "--classifier=linear"
        )
    done: list[Scored] = []
    chosen: dict[str, list[Answer] | list[NumbersAnswer]] = {}
    for name, (domain, own) in domains.items():
        features = _features(baseline, domain.sources[0], cache_dir)
        if domain.numbers is None:
            answers = _answers(baseline, domain, features, own)
            done.append(judge(name, domain.labels, domain.clips, own, answers, str(baseline)))
            chosen[name] = answers
        else:
            numbers = [
                linear_svr(features, domain.numbers, partition.parts)
                for partition in _shown(own, name, "SVR")
            ]
            done.append(_judge_numbers(name, domain, own, numbers, str(baseline)))
            chosen[name] = numbers
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    return write_scores(done, out, _provenance(baseline, chosen, command, columns))


def _domains(
    corpora: Mapping[str, PreparedCorpus], folds: Mapping[str, Folds], columns: str
) -> dict[str, tuple[PartitionedCorpus, Folds]]:
    """Return each corpus, or each domain of its columns, with its folds."""
    divided: list[dict[str, PartitionedCorpus]] = []
    for number in range(max(len(one.partitions) for one in folds.values())):
        # A corpus with fewer folds has its last one again.
        own = {
            name: PartitionedCorpus(
                corpus.spec.labels, corpus.clips, _at(folds[name], number), [corpus]
            )
            for name, corpus in corpora.items()
        }
        divided.append(with_columns(own, columns))
    domains = {}
    for name, domain in divided[0].items():
        whole = folds[domain.sources[0].spec.name]
        note = domain.partition.protocol.removeprefix(whole.partitions[0].protocol)
        own_folds = [one[name].partition for one in divided[: len(whole.partitions)]]
        domains[name] = domain, Folds(f"{whole.protocol}{note}", own_folds)
    return domains


def _at(folds: Folds, number: int) -> Partition:
    return folds.partitions[min(number, len(folds.partitions) - 1)]


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


def _features(baseline: Baseline, corpus: PreparedCorpus, cache_dir: str | Path) -> np.ndarray:
    features = baseline.features.read(corpus, cache_dir)
    if not baseline.speaker_normalisation:
        return features
    return per_speaker(features, [clip.speaker for clip in corpus.clips])


def _shown(folds: Folds, name: str, what: str) -> Iterable[Partition]:
    return tqdm.tqdm(folds.partitions, f"{name} {what}", unit="fold", disable=None)


def _answers(
    baseline: Baseline, corpus: PartitionedCorpus, features: np.ndarray, folds: Folds
) -> list[Answer]:
    """Return the classifier's answer for the test part of each fold."""
    place = {label: number for number, label in enumerate(corpus.labels)}
    labels = np.array([place.get(clip.label, 0) for clip in corpus.clips])  # of no part: any
    groups = speaker_groups(corpus.clips)
    classify = CLASSIFIERS[baseline.classifier]
    parts = _shown(folds, corpus.sources[0].spec.name, baseline.classifier)
    return [classify(features, labels, partition.parts, groups) for partition in parts]


def _judge_numbers(
    name: str,
    domain: PartitionedCorpus,
    folds: Folds,
    answers: Sequence[NumbersAnswer],
    what: str,
) -> tuple[NumbersResult, list[PredictedNumber]]:
    """Score all folds of a domain of numbers together, in the order of the table."""
    tested, order = _tested(folds)
    predicted = np.concatenate([answer.predicted for answer in answers])[order]
    clips = [domain.clips[i] for i in tested]
    speakers = [clip.speaker for clip in clips]
    assert domain.numbers is not None
    truth, protocol = domain.numbers[tested], f"{folds.protocol}; {what.replace('SVM', 'SVR')}"
    result = score_numbers(name, protocol, domain.labels, truth, predicted, speakers)
    return result, numbers_of(result, [clip.file for clip in clips], speakers)


def _tested(folds: Folds) -> tuple[np.ndarray, np.ndarray]:
    """Return the tested rows of the table, ascending, and their places among those of all folds."""
    tested = np.concatenate([partition.parts["test"] for partition in folds.partitions])
    order = np.argsort(tested)
    return tested[order], order


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
    tested, order = _tested(folds)
    tested_clips = [clips[i] for i in tested]
    predicted = np.concatenate([answer.predicted for answer in answers])[order]
    probabilities = np.concatenate([answer.probabilities for answer in answers])[order]
    truth = np.array([labels.index(clip.label) for clip in tested_clips])
    rows = prediction_rows(name, tested_clips, labels, truth, predicted, probabilities)
    protocol = f"{folds.protocol}; {what}"
    speakers = [clip.speaker for clip in tested_clips]
    return score(name, protocol, labels, truth, predicted, speakers), rows


def _provenance(
    baseline: Baseline,
    answers: Mapping[str, list[Answer] | list[NumbersAnswer]],
    command: str,
    columns: str,
) -> dict:
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
        "config": {
            **vars(baseline),
            "features": baseline.features.name,
            **({"columns": columns} if columns else {}),
        },
        "features": baseline.features.description,
        "versions": {**versions("scikit-learn", "numpy"), **baseline.features.versions},
    }
