"""Plan of pooled folds: the runs that test every clip of every corpus once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emojax.baselines.feature_sets import NAMES
from emojax.corpora.aggregate import CORPORA, EMOTION
from emojax.experiments.launch.changes import (
    in_path,
    parse_row,
    refuse_ignored,
    refuse_unknown,
)
from emojax.experiments.launch.job import Job
from emojax.experiments.launch.launch import count_tested
from emojax.experiments.launch.plan import (
    SCRATCH,
    open_feature_sets,
    scratch_job,
    shared_job,
)
from emojax.experiments.launch.spec import Spec, in_name, read_config_file
from emojax.experiments.reports.fusion import AND, fused_settings
from emojax.training.transfer import base_of

SHARED = "shared"
SHARED_EMOTION = "shared_emotion"
# Setting of pooled folds → domains of its shared network.
POOLED_SHARED = {SHARED: CORPORA, SHARED_EMOTION: f"{CORPORA}+{EMOTION}"}
ADAPT = "adapt"
_NETWORKS = (SCRATCH, *POOLED_SHARED, ADAPT)
POOLED = (*_NETWORKS, *NAMES)


def pooled_jobs(spec: Spec, settings: Sequence[str], folds: int) -> Iterator[Job]:
    """Yield the runs of pooled folds; shared run I leaves out fold I of every corpus.

    It prepares the corpora, because the number of folds depends on their speakers.

    Args:
      spec: what a person asks for.
      settings: some of ``POOLED``, with changes (:mod:`emojax.experiments.launch.changes`) or
        without, and fusions of them, which run nothing; or none for the usual ones.
      folds: K of ``fold:I/K``.

    Raises:
      ValueError: as :func:`baseline_jobs`, or a corpus cannot be prepared or divided.
    """
    asked = list(dict.fromkeys(settings or _usual(spec)))
    chosen = [setting for setting in asked if AND not in setting]
    refuse_unknown(chosen, POOLED, _NETWORKS)
    fused_settings(asked, chosen)
    _refuse_base(chosen, spec)
    features = open_feature_sets(spec, chosen)
    tested = count_tested(spec, f"fold:{folds}")
    for seed in spec.seeds:
        for setting in chosen:
            if setting in features:
                for corpus in spec.corpora:
                    yield spec.svm(features[setting], corpus, seed, f"fold:{folds}")
            else:
                for job in _networks(spec, setting, folds, tested, seed):
                    refuse_ignored(setting, job.config)
                    yield job


def _usual(spec: Spec) -> list[str]:
    """Settings where a person names none: those that need no picture network.

    A shared network of a single corpus is one from scratch.
    """
    shared, adapt = [SHARED] * (len(spec.corpora) > 1), [ADAPT] * bool(spec.base)
    return [SCRATCH, *shared, *adapt, "egemaps", "compare"]


def _refuse_base(chosen: Sequence[str], spec: Spec) -> None:
    """Refuse a base that is missing, is not asked for, or learnt from what would be tested."""
    if any(parse_row(row)[0] == ADAPT for row in chosen) != bool(spec.base):
        raise ValueError(
            f"the setting {ADAPT} starts from the trained model --base=RUN (or the name of a "
            "published one); give both, or neither"
        )
    ancestor = _base(spec) if spec.base else None
    while ancestor:
        known = [name for name in spec.corpora if name in ancestor["partitions"]]
        if known:
            raise ValueError(
                f"--base={spec.base} learnt from {', '.join(known)}, so from clips that are test "
                "here; give a base that did not, or, if yours is another corpus, another name"
            )
        ancestor = ancestor.get("base")


def _base(spec: Spec) -> Mapping[str, Any]:
    return base_of(read_config_file(spec.tune_config).replace(base=spec.base))["base"]


def _networks(
    spec: Spec, setting: str, folds: int, tested: Mapping[str, int], seed: int
) -> Iterator[Job]:
    """The networks of a setting, a fold after the other."""
    name, changes = parse_row(setting)
    for fold in range(1, folds + 1):
        how = {"partition": f"fold:{fold}/{folds}", **changes}
        if name in POOLED_SHARED:
            if fold <= max(tested.values()):
                yield _shared_fold(spec, setting, POOLED_SHARED[name], seed, **how)
            continue
        for corpus in (one for one in spec.corpora if fold <= tested[one]):
            if name == SCRATCH:
                own = {"folder": in_path(setting), **how}
                yield scratch_job(spec, corpus, spec.corpora, seed, setting, **own)
            else:
                yield _adapted(spec, setting, corpus, seed, **how)


def _shared_fold(spec: Spec, setting: str, domains: str, seed: int, **changes: Any) -> Job:
    """A shared network of a fold of all corpora, and of their common emotions if asked for."""
    if domains != CORPORA:
        changes = {"domains": domains, "label_words": spec.label_words, **changes}
    return shared_job(spec, in_path(setting), {"best": setting}, seed, **changes)


def _adapted(spec: Spec, setting: str, corpus: str, seed: int, **changes: Any) -> Job:
    """The base, tuned on a fold of one corpus."""
    name = f"{in_path(setting)}/{corpus}{in_name(changes['partition'])}_seed{seed}"
    own, states = {corpus: spec.corpora[corpus]}, {"best": setting}
    return spec.network(name, spec.tune_config, own, states, spec.base, seed=seed, **changes)
