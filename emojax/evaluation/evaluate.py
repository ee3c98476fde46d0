"""Score a trained run on the test part, which nothing before this has read."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tqdm

from emojax.checkpoints import check_same
from emojax.data.batches import centre
from emojax.data.prepared import Recordings
from emojax.evaluation.figures import confusion_figure
from emojax.evaluation.metrics import CorpusResult, score
from emojax.evaluation.report import Prediction, commit, write_predictions, write_results
from emojax.training.corpora import PartitionedCorpus, open_corpora
from emojax.training.predict import WINDOW_SAMPLES, load_networks, predict_clips
from emojax.training.run import PLACES_FILE

PARTS = ("test", "devel")


def evaluate(
    workdir: str | Path, part: str = "test", crop: bool = False, command: str = ""
) -> list[CorpusResult]:
    """Score the run's best state on every corpus, and write what was found beside it.

    Writes ``results.json``, ``predictions.csv`` and ``confusion.png`` into the work directory, or into its
    folder ``devel`` for that part.

    Args:
      workdir: of a trained run.
      part: ``"test"`` or ``"devel"``.
      crop: only the middle 5 s of a longer utterance, as the paper, instead of averaged windows of all of it.
      command: how this was called, for the record.

    Raises:
      ValueError: nothing is trained there, or the corpora are not those that were trained on.
    """
    if part not in PARTS:
        raise ValueError(f"part={part!r}; choose one of {', '.join(PARTS)}")
    workdir = Path(workdir)
    manifest, forward, networks = load_networks(workdir)
    corpora = open_trained_on(workdir, manifest)
    results, predictions = [], []
    for name, network in tqdm.tqdm(networks.items(), unit="corpus", disable=None):
        recordings = corpora[name].load(part)
        clips = [centre(clip, WINDOW_SAMPLES) if crop else clip for clip in recordings.samples]
        probabilities, _ = predict_clips(forward, network, clips)
        labels = manifest["corpora"][name]
        result, rows = _judge(name, corpora[name], part, labels, recordings, probabilities[:, : len(labels)])
        results.append(result)
        predictions += rows
    folder = workdir if part == "test" else workdir / part
    folder.mkdir(exist_ok=True)
    write_predictions(predictions, folder / "predictions.csv")
    confusion_figure(results, folder / "confusion.png")
    write_results(results, folder, _provenance(manifest, part, crop, command))
    return results


def open_trained_on(workdir: Path, manifest: Mapping) -> dict[str, PartitionedCorpus]:
    """The run's corpora, which must be what it was trained on: otherwise train and test could overlap.

    Raises:
      ValueError: the folder does not say where they lie, or they have changed.
    """
    try:
        paths = {
            name: Path(path) for name, path in json.loads((workdir / PLACES_FILE).read_text("utf-8")).items()
        }
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(
            f"{workdir} does not say where its corpora lie ({error}); run train.py again"
        ) from error
    config = manifest["config"]
    settings = (config[name] for name in ("partition", "seed", "aggregate", "label_words"))
    corpora = open_corpora(paths, *settings)
    now = {name: corpus.identity() for name, corpus in corpora.items()}
    check_same({"partitions": manifest["partitions"]}, {"partitions": now}, workdir)
    return corpora


def _judge(
    name: str,
    corpus: PartitionedCorpus,
    part: str,
    labels: list[str],
    recordings: Recordings,
    probabilities: np.ndarray,
) -> tuple[CorpusResult, list[Prediction]]:
    clips = [corpus.clips[i] for i in corpus.partition.parts[part]]
    predicted = probabilities.argmax(axis=1)
    rows = [
        Prediction(
            name,
            clip.file,
            clip.speaker,
            clip.label,
            labels[best],
            dict(zip(labels, map(float, row), strict=True)),
        )
        for clip, best, row in zip(clips, predicted, probabilities, strict=True)
    ]
    speakers = [clip.speaker for clip in clips]
    result = score(name, corpus.partition.protocol, labels, recordings.labels, predicted, speakers)
    return result, rows


def _provenance(manifest: Mapping, part: str, crop: bool, command: str) -> dict:
    return {
        "command": command,
        "commit": commit(),
        "part": part,
        "utterance": "middle 5 s" if crop else "whole, windows of 5 s averaged",
        "step": manifest["step"],
        "devel_uar": manifest["devel_uar"],
        "config": manifest["config"],
        "versions": {name: version(name) for name in ("jax", "jaxlib", "flax", "numpy")}
        | {"emojax": manifest["emojax"], "python": platform.python_version()},
    }
