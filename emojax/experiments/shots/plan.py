"""Plan of the experiment: each system on each fold of each corpus, for all numbers of clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from emojax.baselines.feature_sets import NAMES
from emojax.corpora.affect import parse_mapping
from emojax.corpora.aggregate import EMOTION
from emojax.data.prepared import PreparedCorpus, find_corpora
from emojax.experiments.launch.changes import (
    in_path,
    parse_row,
    refuse_ignored,
    refuse_unknown,
)
from emojax.experiments.launch.job import Job
from emojax.experiments.launch.launch import count_tested
from emojax.experiments.launch.plan import SCRATCH, open_feature_sets
from emojax.experiments.launch.spec import Spec, in_name
from emojax.experiments.shots.run import Task
from emojax.experiments.shots.scoring import place_of
from emojax.experiments.shots.systems import NORMS, ZERO
from emojax.experiments.zero_shot.plan import digest
from emojax.experiments.zero_shot.questions import (
    Learnt,
    common_words,
    refuse_learnt,
    strangers,
    what_learnt,
)
from emojax.pretrained import find, read_manifest

ADAPT = "adapt"
_NETWORKS = (SCRATCH, ADAPT)
SYSTEMS = (*_NETWORKS, *NAMES)
USUAL = (SCRATCH, ADAPT, "egemaps", "compare")


def setting_of(system: str, shots: str) -> str:
    """Return the setting of a system with this number of clips per label.

    >>> setting_of("adapt", "5")
    'adapt: 5'
    """
    return f"{system}: {shots}"


def shots_jobs(
    spec: Spec, settings: Sequence[str], shots: Sequence[str], folds: int
) -> Iterator[Job]:
    """Yield a job for each system, corpus, fold and seed; it prepares the corpora.

    Args:
      spec: what a person asks for, with a base.
      settings: some of ``SYSTEMS``, with changes (:mod:`emojax.experiments.launch.changes`) or
        without; or none for the usual ones.
      shots: numbers of clips per label, from :func:`emojax.experiments.shots.drawing.parse_shots`.
      folds: K of ``fold:I/K``.

    Raises:
      ValueError: there is no base, it learnt from one of the corpora or heard one of their
        speakers, or a corpus cannot be prepared or divided.
    """
    chosen = list(dict.fromkeys(settings or USUAL))
    refuse_unknown(chosen, SYSTEMS, _NETWORKS)
    parse_mapping(spec.label_words)
    if not spec.base:
        raise ValueError(
            "give the trained model that is adapted: --base=RUN (or the name of a published one), "
            "one that did not learn from these corpora"
        )
    open_feature_sets(spec, chosen)  # what is missing is named now
    tested = count_tested(spec, f"fold:{folds}")
    corpora = find_corpora(list(spec.corpora), Path(spec.data_dir).expanduser())
    manifest = read_manifest(spec.base)
    _refuse_base(spec, corpora, what_learnt(find(spec.base), manifest))
    numbers = {
        name: [*_without_labels(name, one, manifest, spec), *shots] for name, one in corpora.items()
    }
    for seed in spec.seeds:
        for name in corpora:
            for fold in range(1, tested[name] + 1):
                for system in chosen:
                    own = numbers[name] if system == ADAPT else shots
                    partition = f"fold:{fold}/{folds}"
                    yield _job(spec, system, name, partition, seed, own, manifest)


def _refuse_base(spec: Spec, corpora: Mapping[str, PreparedCorpus], learnt: Learnt) -> None:
    """Refuse a base that learnt from what would be tested."""
    for name, corpus in corpora.items():
        refuse_learnt(name, corpus, learnt, find(spec.base))
        if not strangers(name, corpus, learnt).all():
            raise ValueError(
                f"{spec.base} heard speakers of corpus {name} in another corpus, so they are not "
                "unseen; give another corpus, or another base"
            )


def _without_labels(
    name: str, corpus: PreparedCorpus, manifest: Mapping, spec: Spec
) -> Sequence[str]:
    """Return the answers without labelled clips; none without two common words."""
    labels = [clip.label for clip in corpus.clips]
    words = set(common_words(labels, name, spec.label_words))
    known = words & set(manifest["corpora"].get(EMOTION, ()))
    return (ZERO, NORMS) if len(known) > 1 else ()


def _job(
    spec: Spec,
    system: str,
    corpus: str,
    partition: str,
    seed: int,
    shots: Sequence[str],
    manifest: Mapping,
) -> Job:
    """The job of one system on one fold."""
    kind, _ = parse_row(system)
    base_name = f"_{digest(manifest)}" if kind == ADAPT else ""
    name = f"shots/{in_path(system)}{base_name}/{corpus}{in_name(partition)}_seed{seed}"
    folder = spec.out / "runs" / name
    own = {ADAPT: (spec.tune_config, spec.base, spec.label_words), SCRATCH: (spec.scratch_config,)}
    config, base, words, *_ = (*own.get(kind, ()), "", "", "")
    data_dir = Path(spec.data_dir)
    task = Task(
        system, corpus, partition, seed, tuple(shots), config, base, words, data_dir, folder
    )
    refuse_ignored(system, task.settings())
    given = {**vars(task), "shots": "|".join(shots)}
    command = ["-m", "emojax.experiments.shots", *(f"--{k}={v}" for k, v in given.items())]
    results = {folder / place_of(one): setting_of(system, one) for one in shots}
    return Job(name, folder, [command], results, task.settings(), [corpus])
