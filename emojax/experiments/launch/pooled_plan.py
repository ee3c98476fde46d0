"""Plan of pooled folds: the runs that test every clip of every corpus once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emojax.baselines.feature_sets import NAMES
from emojax.corpora.aggregate import CORPORA, EMOTION
from emojax.experiments.launch.job import Job
from emojax.experiments.launch.launch import count_tested
from emojax.experiments.launch.plan import (
    SCRATCH,
    open_feature_sets,
    refuse_unknown,
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
POOLED = (SCRATCH, *POOLED_SHARED, ADAPT, *NAMES)


def pooled_jobs(spec: Spec, settings: Sequence[str], folds: int) -> Iterator[Job]:
    """The runs of pooled folds; fold I of every corpus is left out of shared run I.

    It prepares the corpora, because they decide how many of the folds test them.

    Args:
      spec: what a person asks for.
      settings: some of ``POOLED``, and fusions of them, which run nothing; or none for the usual
        ones.
      folds: K of ``fold:I/K``.

    Raises:
      ValueError: as :func:`baseline_jobs`, or a corpus cannot be prepared or divided.
    """
    asked = list(dict.fromkeys(settings or _usual(spec)))
    chosen = [setting for setting in asked if AND not in setting]
    refuse_unknown(chosen, POOLED)
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
                yield from _networks(spec, setting, folds, tested, seed)


def _usual(spec: Spec) -> list[str]:
    """Settings where a person names none: those that need no picture network.

    A shared network of a single corpus is one from scratch.
    """
    shared, adapt = [SHARED] * (len(spec.corpora) > 1), [ADAPT] * bool(spec.base)
    return [SCRATCH, *shared, *adapt, "egemaps", "compare"]


def _refuse_base(chosen: Sequence[str], spec: Spec) -> None:
    """Refuse a base that is missing, is not asked for, or learnt from what would be tested."""
    if (ADAPT in chosen) != bool(spec.base):
        raise ValueError(
            f"the setting {ADAPT} begins at the trained model of --base=RUN (or the name of a "
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
    for fold in range(1, folds + 1):
        partition = f"fold:{fold}/{folds}"
        if setting in POOLED_SHARED:
            if fold <= max(tested.values()):
                yield _shared_fold(spec, setting, partition, seed)
            continue
        for corpus in (name for name in spec.corpora if fold <= tested[name]):
            if setting == SCRATCH:
                yield scratch_job(spec, corpus, spec.corpora, seed, SCRATCH, partition=partition)
            else:
                yield _adapted(spec, corpus, partition, seed)


def _shared_fold(spec: Spec, setting: str, partition: str, seed: int) -> Job:
    """A shared network of a fold of all corpora, and of their common emotions if asked for."""
    changes = {"partition": partition}
    if POOLED_SHARED[setting] != CORPORA:
        changes |= {"domains": POOLED_SHARED[setting], "label_words": spec.label_words}
    return shared_job(spec, setting, {"best": setting}, seed, **changes)


def _adapted(spec: Spec, corpus: str, partition: str, seed: int) -> Job:
    """The base, tuned on a fold of one corpus."""
    name = f"{ADAPT}/{corpus}{in_name(partition)}_seed{seed}"
    own, states = {corpus: spec.corpora[corpus]}, {"best": ADAPT}
    how = {"partition": partition, "seed": seed}
    return spec.network(name, spec.tune_config, own, states, spec.base, **how)
