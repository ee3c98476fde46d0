"""Plans of the paper's experiments: the jobs of each."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from emojax.baselines.feature_sets import NAMES, FeatureSet, open_features
from emojax.corpora.aggregate import CORPORA, DOMAINS, EMOTION
from emojax.experiments.launch.changes import refuse_unknown
from emojax.experiments.launch.job import Job
from emojax.experiments.launch.spec import Spec, in_name, read_config_file
from emojax.experiments.table4 import HEAD

SCRATCH = "scratch"
RESNET = "resnet"
# Multi-task setting → domains that its shared network is trained on.
MULTI_TASK = {"all": CORPORA, **{name: name for name in DOMAINS if name != EMOTION}}
BASELINES = (*NAMES, RESNET)
TRANSFERS = (SCRATCH, *MULTI_TASK)


def baseline_jobs(spec: Spec, settings: Sequence[str]) -> Iterator[Job]:
    """Yield the jobs of Table 3: each feature set with an SVM, and the network from scratch.

    Raises:
      ValueError: a setting is unknown, or software or weights that it needs are missing.
    """
    refuse_unknown(settings, BASELINES)
    # By default VGG16 runs only if its weights are given, since they are a large download; the
    # table has no IS10.
    left_out = {"is10", *([] if spec.vgg16_weights else ["deepspectrum_vgg16"])}
    ready = [name for name in BASELINES if name not in left_out]
    chosen = list(dict.fromkeys(settings or ready))
    features = open_feature_sets(spec, chosen)
    for setting in chosen:
        for seed in spec.seeds:
            for corpus in spec.corpora:
                if setting == RESNET:
                    names = f"{RESNET} best", f"{RESNET} final"
                    yield scratch_job(spec, corpus, spec.corpora, seed, *names)
                else:
                    yield spec.svm(features[setting], corpus, seed)


def transfer_jobs(spec: Spec, settings: Sequence[str]) -> list[Job]:
    """Return the jobs of Table 4 and Figure 7 (section 5.2.2), each after its base."""
    refuse_unknown(settings, TRANSFERS)
    _refuse_one(settings, spec)
    jobs: dict[str, Job] = {}
    for seed in spec.seeds:
        for setting in settings or TRANSFERS:
            some: Iterable[Job]
            if setting == SCRATCH:
                some = (
                    scratch_job(spec, name, spec.corpora, seed, SCRATCH) for name in spec.corpora
                )
            else:
                some = _multi_task(spec, setting, seed)
            jobs |= {job.name: job for job in some}
        for base in spec.bases:
            for job in _single_task(spec, base, seed):
                jobs.setdefault(job.name, job)
    return list(jobs.values())


def open_feature_sets(spec: Spec, settings: Iterable[str]) -> dict[str, FeatureSet]:
    """The feature sets among some settings; a ValueError if one needs what is not there."""
    return {name: open_features(name, spec.vgg16_weights) for name in settings if name in NAMES}


def _refuse_one(settings: Sequence[str], spec: Spec) -> None:
    """Refuse fewer than two settings to compare, and configs with different partitions."""
    if len(set(settings)) == 1 and not spec.bases:
        raise ValueError(
            f"--settings={settings[0]} has nothing to be compared with; give two, as in "
            "--settings=scratch,all"
        )
    files = spec.config, spec.scratch_config, spec.tune_config
    partitions = {file: read_config_file(file).data.partition for file in files}
    if len(set(partitions.values())) > 1:
        listed = ", ".join(f"{file}: {partition}" for file, partition in partitions.items())
        raise ValueError(
            f"these configs divide the corpora differently ({listed}); give all the same partition"
        )


def scratch_job(
    spec: Spec,
    corpus: str,
    items: Mapping[str, str],
    seed: int,
    best: str = "",
    latest: str = "",
    folder: str = SCRATCH,
    **changes: Any,
) -> Job:
    """Return the job of a plain network of one corpus, which both tables share."""
    own = {corpus: items[corpus]}
    name = f"{folder}/{corpus}{in_name(changes.get('partition', ''))}_seed{seed}"
    states = {"best": best, "latest": latest}
    changes = {"adapters": False, "seed": seed, **changes}
    return spec.network(name, spec.scratch_config, own, states, **changes)


def shared_job(
    spec: Spec, folder: str, states: Mapping[str, str], seed: int, **changes: Any
) -> Job:
    """A shared network of all corpora."""
    fold = in_name(changes.get("partition", ""))
    name = f"{folder}/shared_{together(spec.corpora)}{fold}_seed{seed}"
    return spec.network(name, spec.config, spec.corpora, states, seed=seed, **changes)


def _multi_task(spec: Spec, setting: str, seed: int) -> Iterator[Job]:
    """Yield a shared network, and the tuning of its adapters and heads for every corpus."""
    changes: dict[str, Any] = {"domains": MULTI_TASK[setting]}
    if changes["domains"] != CORPORA:
        changes["label_words"] = spec.label_words
    shared = shared_job(spec, setting, {"best": ""}, seed, **changes)
    yield shared
    # The corpora of a shared network keep their adapters; on a network of domains they get new ones
    # (section 5.2.2).
    yield _tuned(spec, f"{setting}/tuned", setting, shared, "", seed)


def _single_task(spec: Spec, base: str, seed: int) -> Iterator[Job]:
    """Yield a network of one corpus, and its tuning for every corpus, with and without adapters."""
    trained = scratch_job(spec, base, spec.bases, seed)
    yield trained
    setting = f"from {base}"
    yield _tuned(spec, f"from_{base}/adapters", setting, trained, base, seed)
    rates = read_config_file(spec.tune_config).schedule.learning_rates
    head: dict[str, Any] = {"transfer": "last_layer", "learning_rates": rates[1:] or rates}
    yield _tuned(spec, f"from_{base}/head", setting + HEAD, trained, base, seed, **head)


def together(corpora: Collection[str]) -> str:
    """Return the part of a job's name that identifies its corpora."""
    digest = hashlib.blake2b(",".join(corpora).encode(), digest_size=4).hexdigest()
    return f"{len(corpora)}_corpora_{digest}"  # names may be too long for a path


def _tuned(
    spec: Spec, name: str, setting: str, base: Job, start: str, seed: int, **changes: Any
) -> Job:
    """Return one job for all corpora; those new to the base begin with adapters of ``start``."""
    name = f"{name}_{together(spec.corpora)}_seed{seed}"
    changes = {"transfer": "adapters", "base_corpus": start, "seed": seed, **changes}
    states = {"best": setting}
    return spec.network(name, spec.tune_config, spec.corpora, states, base, **changes)
