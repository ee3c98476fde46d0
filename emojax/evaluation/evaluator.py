"""Score a trained run on the test part, which training never reads."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path

import tqdm

from emojax.config import DataConfig, read_section
from emojax.corpora.listing import prepared
from emojax.data.batches import centre
from emojax.data.partitioned import PATHS_FILE, open_corpora, read_paths
from emojax.data.partitioned_corpus import PartitionedCorpus
from emojax.evaluation.by_sex import with_sexes
from emojax.evaluation.calibration_error import calibration_result
from emojax.evaluation.metrics import score
from emojax.evaluation.number_files import numbers_of
from emojax.evaluation.number_scores import score_numbers
from emojax.evaluation.score_files import prediction_rows
from emojax.evaluation.scores import Result, Scored, devel_score, write_scores
from emojax.inference.calibration import Calibration, read_calibrations, tempered
from emojax.inference.network import Forward, Network, load_networks, make_forward
from emojax.inference.predict import WINDOW_SAMPLES, predict_clips
from emojax.manifests import check_same
from emojax.versions import commit, versions

PARTS = ("test", "devel")
STATES = ("best", "latest")
# Normalisation of every network's input; a baseline's result states its own.
NORMALISATION = "input standardised per utterance, no speaker normalisation"


def evaluate(
    workdir: str | Path,
    part: str = "test",
    crop: bool = False,
    command: str = "",
    state: str = "best",
    data_dir: str | Path | None = None,
) -> list[Result]:
    """Score a state of a run on each corpus that has the part, and write the results.

    Writes ``results.json``, ``predictions.csv`` and ``confusion.png``; for domains of numbers
    ``numbers.csv`` and ``scatter.png`` instead of the last two. Results of the latest state go
    into the folder ``latest``, and those of the devel part into a folder ``devel``. The best
    state's probabilities are calibrated, which changes no label.

    Args:
      workdir: work directory of a trained run.
      part: ``"test"`` or ``"devel"``.
      crop: use only the middle 5 s of a longer utterance, as the paper does, instead of averaging
        windows over all of it.
      command: command line, recorded in ``results.json``.
      state: ``"best"`` by devel UAR, or ``"latest"``, the end of training (the final epoch of
        Table 3).
      data_dir: folder of the prepared corpora, if they moved since training.

    Raises:
      ValueError: the folder holds no trained run, no corpus has the part, or the corpora changed
        since training.
    """
    for what, given, choices in (("part", part, PARTS), ("state", state, STATES)):
        if given not in choices:
            raise ValueError(f"{what}={given!r}; choose one of {', '.join(choices)}")
    workdir = Path(workdir).expanduser()
    run = load_networks(workdir, state=state)
    manifest, networks, forward = run.manifest, run.networks, make_forward(run.model)
    corpora = open_trained_on(workdir, manifest, Path(data_dir).expanduser() if data_dir else None)
    calibrations = read_calibrations(workdir) if state == "best" else {}
    scorer = _Scorer(manifest, forward, networks, corpora, crop, calibrations)
    if state == "latest":  # the manifest has only the best state's
        devel = [name for name in networks if len(corpora[name].partition.parts["devel"])]
        manifest["devel_uar"] = {
            name: devel_score(scorer.score(name, "devel")[0]) for name in devel
        }
    scored = _having(corpora, part)
    done = [scorer.score(name, part) for name in tqdm.tqdm(scored, unit="corpus", disable=None)]
    folder = workdir / ("" if state == "best" else state) / ("" if part == "test" else part)
    folder.mkdir(parents=True, exist_ok=True)
    return write_scores(done, folder, provenance(manifest, part, crop, command, state))


def _having(corpora: Mapping[str, PartitionedCorpus], part: str) -> list[str]:
    """Return the corpora that have the part; print the others, and refuse if none has it."""
    without = [name for name, corpus in corpora.items() if not len(corpus.partition.parts[part])]
    if len(without) == len(corpora):
        corpora[without[0]].partition.clips_of(part, ", ".join(without))
    if without:
        tqdm.tqdm.write(f"no clips for {part}, not scored: {', '.join(without)}", file=sys.stderr)
    return [name for name in corpora if name not in without]


def open_trained_on(
    workdir: Path, manifest: Mapping, data_dir: Path | None = None
) -> dict[str, PartitionedCorpus]:
    """Open the corpora of a run; they must be unchanged, or train and test could overlap.

    Args:
      workdir: work directory of the run.
      manifest: manifest of the run.
      data_dir: folder of the prepared corpora, if they moved since training.

    Raises:
      ValueError: the corpora are not where the run says, or they changed since training.
    """
    paths = read_paths(workdir)
    if data_dir:
        moved = prepared(data_dir)
        paths = {name: moved.get(name, data_dir / name) for name in paths}
    lost = [f"{name} in {path}" for name, path in paths.items() if not path.is_dir()]
    if lost:
        raise ValueError(
            f"{workdir / PATHS_FILE} names prepared corpora that are not there: {', '.join(lost)}; "
            "if they moved, give their new folder: --data_dir=DIR"
        )
    corpora = open_corpora(paths, **vars(read_section(DataConfig, manifest["config"])))
    now = {name: corpus.identity() for name, corpus in corpora.items()}
    check_same({"partitions": manifest["partitions"]}, {"partitions": now}, workdir)
    return corpora


@dataclasses.dataclass(frozen=True)
class _Scorer:
    """Networks of a run and the corpora to score them on."""

    manifest: Mapping
    forward: Forward
    networks: Mapping[str, Network]
    corpora: Mapping[str, PartitionedCorpus]
    crop: bool
    calibrations: Mapping[str, Calibration]

    def score(self, name: str, part: str) -> Scored:
        """Predict one part of a corpus with its network, and score the predictions."""
        corpus, labels = self.corpora[name], self.manifest["corpora"][name]
        recordings = corpus.load(part)
        samples = [
            centre(clip, WINDOW_SAMPLES) if self.crop else clip for clip in recordings.samples
        ]
        padded, _ = predict_clips(self.forward, self.networks[name], samples)
        clips = [corpus.clips[i] for i in corpus.partition.parts[part]]
        speakers = [clip.speaker for clip in clips]
        protocol = f"{corpus.partition.protocol}; {NORMALISATION}"
        if corpus.numbers is not None:
            truth = corpus.numbers[corpus.partition.parts[part]]
            scores = score_numbers(name, protocol, labels, truth, padded, speakers)
            return scores, numbers_of(scores, [clip.file for clip in clips], speakers)
        own = padded[:, : len(labels)]
        predicted = own.argmax(axis=1)
        known = self.calibrations.get(name)
        temperature = known.temperature if known else 1.0
        probabilities = tempered(own, temperature)
        truth = recordings.labels
        rows = prediction_rows(name, clips, labels, truth, predicted, probabilities)
        result = score(name, protocol, labels, truth, predicted, speakers)
        result = with_sexes(result, corpus.sources, truth, predicted, speakers)
        calibration = calibration_result(probabilities, own, truth, temperature)
        return dataclasses.replace(result, calibration=calibration), rows


def provenance(
    manifest: Mapping,
    part: str = "test",
    crop: bool = False,
    command: str = "",
    state: str = "best",
) -> dict:
    """Return how results came about, for ``results.json``; arguments as in :func:`evaluate`."""
    return {
        "command": command,
        "commit": commit(),
        "part": part,
        "state": state,
        "utterance": "middle 5 s" if crop else "whole, windows of 5 s averaged",
        "step": manifest["best_step" if state == "best" else "step"],
        "devel_uar": manifest["devel_uar"],
        "config": manifest["config"],
        "versions": versions("jax", "jaxlib", "flax", "numpy") | {"emojax": manifest["emojax"]},
    }
