"""Scores of a system after each number of labelled clips, in a folder for each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from emojax.corpora.partitions import Partition
from emojax.data.prepared import PreparedCorpus
from emojax.evaluation.by_sex import with_sexes
from emojax.evaluation.evaluator import NORMALISATION
from emojax.evaluation.metrics import score
from emojax.evaluation.score_files import prediction_rows, write_predictions, write_results
from emojax.experiments.shots.systems import Answers

RESULTS = "results.json"


def place_of(shots: str) -> str:
    """Return the name of the folder of a number of clips a label.

    >>> place_of("20"), place_of("0, norms")
    ('shots_20', 'shots_0_norms')
    """
    return f"shots_{shots.replace(', ', '_')}"


def write_answers(
    corpus: PreparedCorpus,
    name: str,
    folds: Mapping[str, Partition],
    answers: Answers,
    out: Path,
    provenance: Mapping,
) -> None:
    """Score the answers as they come, and write what ``evaluate.py`` writes.

    Args:
      corpus: the corpus.
      name: its name.
      folds: number of clips a label → the fold, whose test part is answered.
      answers: the answers.
      out: folder with a folder for each number of clips.
      provenance: entries of the results, as JSON types.
    """
    for shots, probabilities in answers:
        fold = folds[shots]
        test = [corpus.clips[i] for i in fold.parts["test"]]
        labels = corpus.spec.labels
        predicted = probabilities.argmax(axis=1)
        truth = np.array([labels.index(clip.label) for clip in test])
        rows = prediction_rows(name, test, labels, truth, predicted, probabilities)
        speakers = [clip.speaker for clip in test]
        protocol = f"{fold.protocol}; {NORMALISATION}"
        result = score(name, protocol, labels, truth, predicted, speakers)
        result = with_sexes(result, [corpus], truth, predicted, speakers)
        folder = out / place_of(shots)
        folder.mkdir(parents=True, exist_ok=True)
        write_predictions(rows, folder / "predictions.csv")
        given = {"learnt_clips": len(fold.parts["train"]), "step": None}
        write_results([result], folder, {**provenance, **given})
        print(f"{name}, {shots}: UAR {100 * result.uar:.1f}", flush=True)
