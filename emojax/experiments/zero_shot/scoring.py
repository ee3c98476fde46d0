"""Scores of a model's head of common emotions on a corpus that the model never saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from emojax.corpora.aggregate import EMOTION, split_domains
from emojax.data.batches import split_clip
from emojax.data.prepared import PreparedCorpus, load_recordings
from emojax.evaluation.by_sex import with_sexes
from emojax.evaluation.evaluator import NORMALISATION, provenance
from emojax.evaluation.figures import confusion_figure
from emojax.evaluation.metrics import CorpusResult, score
from emojax.evaluation.score_files import (
    Prediction,
    prediction_rows,
    write_predictions,
    write_results,
)
from emojax.experiments.zero_shot.questions import (
    Question,
    questions,
    refuse_learnt,
    strangers,
    what_learnt,
)
from emojax.inference.adaptation import FEWEST_WINDOWS, adapt_norms, shuffled_windows
from emojax.inference.calibration import tempered
from emojax.inference.network import load_networks, make_forward
from emojax.inference.predict import WINDOW_SAMPLES, predict_clips
from emojax.pretrained import read_manifest

# Folders of the two answers: norms as they were trained, and those of the corpus itself.
TRAINED, ADAPTED = "trained", "adapted"


def score_unseen(
    model: Path, name: str, corpus: PreparedCorpus, out: Path, label_words: str, command: str
) -> dict[str, list[CorpusResult]]:
    """Ask a model about every clip of a corpus, and write what ``evaluate.py`` writes.

    Args:
      model: folder of a run or of a published model with the head ``emotion``.
      name: name of the corpus.
      corpus: the corpus.
      out: folder with a folder for each of the two answers.
      label_words: text for :func:`emojax.corpora.affect.parse_mapping`.
      command: command line, for the results.

    Returns:
      ``TRAINED`` and ``ADAPTED`` → result over all common words of the corpus, and, if it has two
      of them, over the four.

    Raises:
      ValueError: the model has no such head or learnt from the corpus, or there is too little to
        ask.
    """
    manifest = read_emotion(model)
    learnt = what_learnt(model, manifest)
    refuse_learnt(name, corpus, learnt, model)
    unheard = strangers(name, corpus, learnt)
    words = manifest["corpora"][EMOTION]
    asked = questions(name, corpus, unheard, words, label_words)
    clips = load_recordings(corpus, np.arange(len(corpus.clips))).samples
    found = {}
    for answer, probabilities, norms in _answers(model, name, clips):
        scored = [_score(one, corpus, probabilities, words, norms, unheard) for one in asked]
        found[answer] = [result for result, _ in scored]
        rows = [row for _, some in scored for row in some]
        _write(out / answer, found[answer], rows, provenance(manifest, command=command))
    return found


def read_emotion(model: Path) -> dict:
    """Read the manifest of a model that has the head ``emotion``; else raise a ValueError."""
    manifest = read_manifest(model)
    domain = split_domains(manifest["config"].get("domains", ""))[1]
    if domain != EMOTION:  # a person's corpus may be called so too
        raise ValueError(
            f"{model} has no head {EMOTION!r}, only {', '.join(manifest['corpora'])}; train one "
            "with --config.domains=corpora+emotion"
        )
    return manifest


def _answers(
    model: Path, name: str, clips: Sequence[np.ndarray]
) -> Iterator[tuple[str, np.ndarray, str]]:
    """Yield each answer: its name, the probabilities of all clips, and which norms it has."""
    loaded = load_networks(model, [EMOTION])
    forward, network = make_forward(loaded.model), loaded.networks[EMOTION]
    windows = sum(len(split_clip(clip, WINDOW_SAMPLES)) for clip in clips)
    if windows < FEWEST_WINDOWS:
        raise ValueError(
            f"corpus {name} has {windows} pieces of 5 s, too few to estimate norms; give one with "
            f"at least {FEWEST_WINDOWS}"
        )
    yield TRAINED, predict_clips(forward, network, clips)[0], "norms as trained"
    adapted = adapt_norms(loaded.model, network, shuffled_windows(clips))
    norms = f"norms re-estimated on its {len(clips)} recordings, without labels"
    yield ADAPTED, predict_clips(forward, adapted, clips)[0], norms


def _score(
    question: Question,
    corpus: PreparedCorpus,
    probabilities: np.ndarray,
    words: Sequence[str],
    norms: str,
    unheard: np.ndarray,
) -> tuple[CorpusResult, list[Prediction]]:
    """Score the answers to a question, restricted to its words."""
    columns = [words.index(word) for word in question.words]
    own = tempered(probabilities[question.indices][:, columns])
    predicted = own.argmax(axis=1)
    clips = [corpus.clips[i] for i in question.indices]
    rows = prediction_rows(question.name, clips, question.words, question.truth, predicted, own)
    heard = f"; {(~unheard).sum()} clips by speakers it heard left out" if not unheard.all() else ""
    protocol = (
        f"nothing of the corpus was learnt from; {len(clips)} of {len(corpus.clips)} clips have one"
        f" of {', '.join(question.words)}{heard}; {norms}; {NORMALISATION}"
    )
    speakers = [clip.speaker for clip in clips]
    result = score(question.name, protocol, question.words, question.truth, predicted, speakers)
    return with_sexes(result, [corpus], question.truth, predicted, speakers), rows


def _write(
    folder: Path, results: Sequence[CorpusResult], rows: Sequence[Prediction], noted: Mapping
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_predictions(rows, folder / "predictions.csv")
    confusion_figure(results, folder / "confusion.png")
    write_results(results, folder, noted)
