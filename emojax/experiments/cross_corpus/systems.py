"""Systems that learn levels of affect on some corpora: SVMs and finished runs."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import jax
import numpy as np

from emojax.baselines.features import FEATURE_SETS, opensmile_version
from emojax.baselines.svm import linear
from emojax.corpora.aggregate import split_domains
from emojax.corpora.spec import Clip
from emojax.data.partitioned import named_after
from emojax.data.partitioned_corpus import PartitionedCorpus
from emojax.data.prepared import load_recordings
from emojax.evaluation.evaluator import open_trained_on
from emojax.inference.network import Network, load_networks, make_forward
from emojax.inference.predict import predict_clips
from emojax.pretrained import read_manifest
from emojax.versions import versions

# Parts that a system learns from: it is fitted on train and selected on devel.
LEARNT = ("train", "devel")
Levels = Mapping[str, PartitionedCorpus]
# Corpus → indices of its tested clips.
TestClips = Mapping[str, np.ndarray]
# Corpus, the predicted levels of its tested clips, and the system's UAR on devel.
Predicted = Iterator[tuple[str, np.ndarray, float | None]]


@dataclasses.dataclass(frozen=True)
class System:
    """Trained system: a row of a cross-corpus matrix.

    Attributes:
      name: name of the row.
      corpora: names of the corpora that it was trained on.
      learnt_from: clips that it was fitted on or selected on.
      identity: everything that its predictions depend on besides the clips, as plain JSON types.
      predict: clips → predicted levels; may take long.
    """

    name: str
    corpora: tuple[str, ...]
    learnt_from: tuple[Clip, ...]
    identity: Mapping[str, str]
    predict: Callable[[TestClips], Predicted]


def levels_of(corpus: PartitionedCorpus, indices: np.ndarray) -> np.ndarray:
    """Return the true level of each clip, int64[N]."""
    return np.array([corpus.labels.index(corpus.clips[index].label) for index in indices], np.int64)


def svms(features: str, corpora: Levels, read: Callable[[str], np.ndarray]) -> list[System]:
    """Return a linear SVM for each corpus whose train and devel parts have clips.

    Args:
      features: one of ``FEATURE_SETS``.
      corpora: corpora under the levels of one dimension.
      read: corpus → features of all its clips, float32 ``[N, D]``.
    """
    software = {**versions("scikit-learn", "numpy"), "opensmile": opensmile_version()}
    return [
        System(
            name,
            (name,),
            tuple(corpus.clips[i] for part in LEARNT for i in corpus.partition.parts[part]),
            {**software, "features": FEATURE_SETS[features], "corpus": corpus.identity()["digest"]},
            functools.partial(_svm_predict, name, corpora, read),
        )
        for name, corpus in corpora.items()
        if all(len(corpus.partition.parts[part]) for part in LEARNT)
    ]


def _svm_predict(
    own: str, corpora: Levels, read: Callable[[str], np.ndarray], clips: TestClips
) -> Predicted:
    """Fit one SVM for all clips: scaled and fitted on its own corpus, C chosen on devel."""
    learnt = [(own, corpora[own].partition.parts[part]) for part in LEARNT]
    pieces = [*learnt, *clips.items()]
    features = np.concatenate([read(name)[indices] for name, indices in pieces])
    levels = np.concatenate([levels_of(corpora[name], indices) for name, indices in pieces])
    ends = np.cumsum([len(indices) for _, indices in pieces])
    train, devel, *tested = np.split(np.arange(len(levels)), ends[:-1])
    answer = linear(
        features, levels, {"train": train, "devel": devel, "test": np.concatenate(tested)}
    )
    predicted = np.split(answer.predicted, np.cumsum([len(places) for places in tested])[:-1])
    yield from ((name, some, answer.devel_uar) for name, some in zip(clips, predicted, strict=True))


@dataclasses.dataclass(frozen=True)
class Run:
    """Finished run on aggregated corpora.

    Attributes:
      workdir: work directory of the run.
      manifest: manifest of its best checkpoint.
      corpora: names of the corpora that it and its base were trained on.
      learnt_from: clips of their train and devel parts.
    """

    workdir: Path
    manifest: Mapping
    corpora: tuple[str, ...]
    learnt_from: tuple[Clip, ...]

    @property
    def name(self) -> str:
        """Name of the corpus if there is only one, else of the run."""
        return self.corpora[0] if len(self.corpora) == 1 else self.workdir.name

    @property
    def division(self) -> tuple[str, int]:
        """Scheme and seed by which its corpora were divided."""
        return self.manifest["config"]["partition"], self.manifest["config"]["seed"]


def open_run(workdir: Path) -> Run:
    """Open a run that was trained on levels of affect.

    Raises:
      ValueError: the folder holds no trained run, its labels are no levels, or its corpora changed.
    """
    manifest = read_manifest(workdir)
    if split_domains(manifest["config"]["domains"])[0]:
        raise ValueError(
            f"{workdir} was trained on {', '.join(manifest['corpora'])} and their own labels; "
            "only a run with --config.domains=arousal (or valence, or a+v) "
            "can be tested on other corpora"
        )
    learnt_from = tuple(learnt_clips(workdir, manifest))
    names = dict.fromkeys(clip.file.partition("/")[0] for clip in learnt_from)
    return Run(workdir, manifest, tuple(names), learnt_from)


def check_levels(
    run: Run, domains: Mapping[str, Levels], corpora: Collection[str], label_words: str
) -> None:
    """Raise a ValueError where a clip has another level in a run than in the test."""
    own_words = run.manifest["config"]["label_words"]
    if own_words == label_words:
        return
    for dimension, trained_on in open_trained_on(run.workdir, run.manifest).items():
        levels = domains.get(dimension, {})
        level = {clip.file: clip.label for corpus in levels.values() for clip in corpus.clips}
        for clip in trained_on.clips if levels else ():
            if clip.file.partition("/")[0] in corpora and level.get(clip.file) != clip.label:
                raise ValueError(
                    f"{run.workdir} was trained with label_words={own_words!r}, "
                    f"by which the {dimension} of {clip.file} is {clip.label}; "
                    f"by label_words={label_words!r} it is "
                    f"{level.get(clip.file, 'left out')}; give the same words, or another run"
                )


def learnt_clips(workdir: Path, manifest: Mapping) -> Iterator[Clip]:
    """Yield the clips that a run and its bases learnt from; files and speakers begin with CORPUS/.

    Raises:
      ValueError: the corpora of a run are not where it says, or changed.
    """
    for name, corpus in open_trained_on(workdir, manifest).items():
        for index in itertools.chain.from_iterable(corpus.partition.parts[part] for part in LEARNT):
            clip = corpus.clips[index]
            own_labels = split_domains(manifest["config"]["domains"])[0]
            yield named_after(name, clip) if own_labels else clip
    base = manifest["config"]["base"]
    if base:
        yield from learnt_clips(Path(base), read_manifest(base))


def network_system(run: Run, dimension: str, corpora: Levels) -> System:
    """Return a system that tests a run's head of a dimension on the corpora under its levels."""
    loaded = load_networks(run.workdir, [dimension])
    forward, own = make_forward(loaded.model), loaded.networks[dimension]

    def predict(clips: TestClips) -> Predicted:
        for name, indices in clips.items():
            samples = load_recordings(corpora[name].sources[0], indices).samples
            probabilities, _ = predict_clips(forward, own, samples)
            predicted = probabilities[:, : len(corpora[name].labels)].argmax(axis=1)
            yield name, predicted, run.manifest["devel_uar"].get(dimension)

    identity = {
        "network": _digest(own),
        "settings": json.dumps(run.manifest["config"], sort_keys=True),
        **versions("jax"),
    }
    return System(run.name, run.corpora, run.learnt_from, identity, predict)


def _digest(network: Network) -> str:
    """Return a digest of the parameters; the settings describe the structure."""
    trees = network.shared, network.corpus, network.stats, network.class_mask
    digest = hashlib.blake2b(digest_size=16)
    for leaf in jax.tree.leaves(trees):
        digest.update(np.asarray(leaf).tobytes())
    return digest.hexdigest()
