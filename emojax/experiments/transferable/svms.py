"""SVMs under the six emotions: one of all corpora, and one adapted to a target."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import ParameterGrid, PredefinedSplit, cross_val_predict
from sklearn.svm import SVC

from emojax.baselines.adaptive_svm import AdaptiveSVC
from emojax.baselines.feature_sets import FeatureSet, open_features
from emojax.baselines.pipeline import judge
from emojax.baselines.svm import Answer, inner_folds, rbf_cv, standardise
from emojax.corpora.affect import without_corpora
from emojax.corpora.aggregate import EMOTION
from emojax.corpora.folds import Folds
from emojax.corpora.groups import speaker_groups
from emojax.data.partitioned import open_corpora
from emojax.data.partitioned_corpus import PartitionedCorpus
from emojax.evaluation.figures import confusion_figure
from emojax.evaluation.metrics import CorpusResult, unweighted_recall
from emojax.evaluation.score_files import write_predictions, write_results
from emojax.experiments.transferable.approaches import DOMAIN
from emojax.experiments.transferable.plan import FEATURES
from emojax.versions import commit, versions

# Of the correction: C, and gamma as a multiple of 1 / D; of pairs that are as good, the first.
_COMPLEXITIES = (0.1, 1.0, 10.0)
_GAMMAS = (0.01, 0.1, 1.0)


def score_svm(
    sources: Mapping[str, Path],
    target: Mapping[str, Path],
    cache_dir: Path,
    out: Path,
    command: str = "",
    **division: Any,
) -> CorpusResult:
    """Score one SVM of all sources on these, or its adaptation to the target on that.

    Writes ``results.json``, ``predictions.csv`` and ``confusion.png``.

    Args:
      sources: corpus → folder of the prepared corpus.
      target: the same of the target; empty for an SVM without adaptation.
      cache_dir: folder of cached features.
      out: folder of the results.
      command: command line, for the results.
      division: ``partition``, ``seed`` and ``label_words`` of
        :func:`emojax.data.partitioned.open_corpora`.

    Raises:
      ValueError: as there, or software is missing.
    """
    features = open_features(FEATURES)
    learnt = _Features(sources, target, features, cache_dir, division)
    if target:
        tested = _Features(target, sources, features, cache_dir, division)
        domain, answer = tested.domain, adapt(learnt, tested)
        what = f"adaptive SVM of {features.description}, learnt from {', '.join(sources)} first"
    else:
        domain, answer = learnt.domain, learnt.fit(standardise(learnt.raw, learnt.seen))
        what = f"RBF SVM of {features.description}, one for all corpora"
    folds = Folds(domain.partition.protocol, [domain.partition])
    result, rows = judge(EMOTION, domain.labels, domain.clips, folds, [answer], what)
    out.mkdir(parents=True, exist_ok=True)
    write_predictions(rows, out / "predictions.csv")
    confusion_figure([result], out / "confusion.png")
    config = {**division, "domains": DOMAIN, "features": FEATURES}
    write_results([result], out, _provenance(config, answer, features, command))
    return result


class _Features:
    """Features of the clips of some corpora under the six emotions.

    Attributes:
      domain: the corpora, joined and divided as for a network.
      raw: features of every clip, float ``[N, D]``.
      labels: int ``[N]``; clips of other labels are in no part.
      seen: indices of train and devel.
      groups: speaker of each clip, int ``[N]``.
    """

    def __init__(
        self,
        paths: Mapping[str, Path],
        others: Collection[str],
        features: FeatureSet,
        cache_dir: Path,
        division: Mapping[str, Any],
    ) -> None:
        words = without_corpora(division["label_words"], others)
        how = {**division, "label_words": words, "domains": DOMAIN}
        self.domain: PartitionedCorpus = open_corpora(paths, **how)[EMOTION]
        self.raw = np.concatenate([features.read(one, cache_dir) for one in self.domain.sources])
        names = [clip.label for clip in self.domain.clips]
        self.labels = np.array([self.domain.labels.index(label) for label in names])
        self.words = np.array(names)
        parts = self.domain.partition.parts
        self.seen = np.concatenate([parts["train"], parts["devel"]])
        self.groups = speaker_groups(self.domain.clips)

    def fit(self, scaled: np.ndarray) -> Answer:
        """Answer for test by an SVM whose C and gamma do best in inner folds."""
        return rbf_cv(scaled, self.labels, self.domain.partition.parts, self.groups)

    def scaled(self) -> np.ndarray:
        """Standardise the features over the train and devel clips of their own corpus."""
        scaled = np.empty_like(self.raw)
        source = self.domain.source_of(np.arange(len(self.raw)))
        for number in np.unique(source):
            seen = self.seen[source[self.seen] == number]
            scaled[source == number] = standardise(self.raw, seen)[source == number]
        return scaled


def adapt(sources: _Features, target: _Features) -> Answer:
    """Answer for the target's test by its adaptive SVM, without probabilities.

    C and gamma of the source do best in inner folds over the speakers of the sources; those of the
    correction over the speakers of the target.
    """
    scaled, own, seen = sources.scaled(), target.scaled(), target.seen
    chosen = sources.fit(scaled)
    source = SVC(C=chosen.complexity, gamma=chosen.gamma, decision_function_shape="ovo")
    source.fit(scaled[sources.seen], sources.words[sources.seen])
    folds = inner_folds(target.labels[seen], target.groups[seen])
    svm = fit_adapted(source, own[seen], target.words[seen], folds)
    found = svm.predict(own[target.domain.partition.parts["test"]])
    predicted = np.array([target.domain.labels.index(word) for word in found])
    return Answer(predicted, svm.C, None, np.zeros((len(predicted), 0)), svm.gamma)


def fit_adapted(source: SVC, X: np.ndarray, y: np.ndarray, folds: np.ndarray) -> AdaptiveSVC:
    """Fit the correction of a source whose C and gamma have the best UAR over some folds.

    Args:
      source: fitted source.
      X: float ``[N, D]``, features of the target.
      y: ``[N]``, labels.
      folds: int ``[N]``, the fold of each clip.
    """

    def uar(given: Mapping[str, float]) -> float:
        svm, split = AdaptiveSVC(source, **given), PredefinedSplit(folds)
        return unweighted_recall(y, cross_val_predict(svm, X, y, cv=split))

    gammas = [gamma / X.shape[1] for gamma in _GAMMAS]
    best = max(ParameterGrid({"C": _COMPLEXITIES, "gamma": gammas}), key=uar)
    return AdaptiveSVC(source, **best).fit(X, y)


def _provenance(
    config: Mapping[str, Any], answer: Answer, features: FeatureSet, command: str
) -> dict:
    """Return the provenance with the keys of a trained run's."""
    return {
        "command": command,
        "commit": commit(),
        "part": "test",
        "utterance": "whole",
        "step": None,
        "devel_uar": {EMOTION: None},
        "complexity": answer.complexity,
        "gamma": answer.gamma,
        "config": config,
        "features": features.description,
        "versions": {**versions("scikit-learn", "numpy"), **features.versions},
    }
