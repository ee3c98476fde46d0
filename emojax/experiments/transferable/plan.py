"""Plan of Tables 2 to 5: pre-trained networks, their tuning on each corpus, and SVMs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from emojax.baselines.adaptive_svm import open_solver
from emojax.baselines.feature_sets import open_features
from emojax.experiments.launch.job import Job
from emojax.experiments.launch.plan import together
from emojax.experiments.launch.spec import Spec, in_name, read_config_file
from emojax.experiments.transferable.approaches import (
    ABLATED,
    ADAPTIVE_SVM,
    APPROACHES,
    CNN,
    CNN_LSTM,
    DOMAIN,
    SCENARIOS,
    SVM_IS,
    TARGET_ONLY,
    TRANSFERS,
    without,
)

# Table → corpora that it needs; Table 4 leaves one out and transfers from another.
_FEWEST_CORPORA = {"1": 1, "2": 2, "3": 2, "4": 3, "5": 2}
NETWORK = "cnn_lstm"
FEATURES = "is10"


def transferable_jobs(
    spec: Spec, tables: Collection[str], partition: str, folds: int, tested: Mapping[str, int]
) -> list[Job]:
    """Return the jobs of some tables, each once and after its base.

    Args:
      spec: what a person asks for; its corpora have the six emotions, or most of them.
      tables: some of "1" to "5"; the first needs no job.
      partition: ``fold`` for groups of speakers, or ``random`` for recordings.
      folds: how many parts each corpus is divided into.
      tested: corpus → how many of the folds have a test part.

    Raises:
      ValueError: there are too few corpora.
    """
    _refuse_few(spec, tables)
    jobs: dict[str, Job] = {}
    for table in sorted(tables):
        for seed in spec.seeds:
            for number in range(1, folds + 1):
                targets = [name for name in spec.corpora if number <= tested[name]]
                fold = _Fold(spec, f"{partition}:{number}/{folds}", seed, targets)
                for job in _JOBS[table](fold) if targets else ():
                    # A base that a table shows is scored, wherever else it is needed.
                    if job.results or job.name not in jobs:
                        jobs[job.name] = job
    return list(jobs.values())


def _refuse_few(spec: Spec, tables: Collection[str]) -> None:
    needed = max(_FEWEST_CORPORA[table] for table in tables)
    if len(spec.corpora) < needed:
        there = [table for table, fewest in _FEWEST_CORPORA.items() if fewest <= len(spec.corpora)]
        raise ValueError(
            f"{', '.join(spec.corpora) or 'no corpus'}: too few to transfer from one to another; "
            f"give {needed} or more, or --tables={','.join(there) or '1'}"
        )


def check_request(spec: Spec, tables: Sequence[str]) -> None:
    """Raise a ValueError for unknown tables, a config of another network or missing software."""
    unknown = [table for table in tables if table not in _JOBS]
    if unknown or not tables:
        raise ValueError(f"--tables={','.join(tables)}; choose of {', '.join(_JOBS)}")
    network = read_config_file(spec.config).network.network
    if network != NETWORK:
        raise ValueError(
            f"--config={spec.config} is of the network {network}; the approaches freeze layers of "
            f"{NETWORK}: give configs/cnn_lstm.py, or one like it"
        )
    if {*tables} & {"2", "5"}:
        open_features(FEATURES)
    if "5" in tables:
        open_solver()


def describe(jobs: Sequence[Job]) -> str:
    """Return how many runs there are, and how long their training is."""
    networks = [job.config for job in jobs if job.is_network]
    rounds = sum(one["rounds_per_phase"] * len(one["learning_rates"]) for one in networks)
    return (
        f"{len(networks)} networks of {rounds:,} rounds in all, at a round a second "
        f"{rounds / 3600:.1f} h; {len(jobs) - len(networks)} SVMs"
    )


@dataclasses.dataclass(frozen=True)
class _Fold:
    """Jobs of one fold of all corpora with one seed.

    Attributes:
      spec: what a person asks for.
      partition: scheme of the fold, as for ``train.py``.
      seed: seed of the fold and of the networks.
      targets: corpora that the fold tests.
    """

    spec: Spec
    partition: str
    seed: int
    targets: Sequence[str]

    def others(self, *names: str) -> list[str]:
        """Return all corpora but these, in an order that does not depend on the command line."""
        return sorted({*self.spec.corpora} - {*names})

    def base(self, corpora: Sequence[str], setting: str = "") -> Job:
        """Return a network that learns from some corpora, scored if a setting is given."""
        states = {"best": setting} if setting else {}
        return self._network(self._name("base", corpora), corpora, states)

    def cnn(self, corpora: Sequence[str], setting: str) -> Job:
        """Return a network without an LSTM that learns from some corpora."""
        changes = {"recurrence": "none"}
        return self._network(self._name("cnn", corpora), corpora, {"best": setting}, **changes)

    def tuned(self, transfer: str, base: Job, target: str, setting: str) -> Job:
        """Return a base that is tuned on the target and scored there."""
        approach = transfer.partition("-")[2]
        layers = APPROACHES[approach]
        changes: dict[str, Any] = {"transfer": "finetune"}
        changes |= {"frozen_layers": layers.frozen, "new_layers": layers.new}
        if not layers.tunes:
            changes["rounds_per_phase"] = 1
        name = f"{self._name(approach, base.corpora)}_to_{target}"
        return self._network(name, [target], {"best": setting}, base, **changes)

    def svm(self, setting: str, kind: str, corpora: Sequence[str], target: str = "") -> Job:
        """Return an SVM of some corpora, scored on these, or adapted to the target."""
        name = self._name(kind, corpora) + (target and f"_to_{target}")
        folder, learnt = self.spec.out / "runs" / name, [*corpora, *filter(None, [target])]
        what: dict[str, Any] = {"target": target, "label_words": self.spec.words_for(learnt)}
        what |= {"partition": self.partition, "seed": self.seed}
        places = {"corpora": ",".join(corpora), "data_dir": self.spec.data_dir, "out": folder}
        flags = [f"--{key}={value}" for key, value in (what | places).items()]
        command = ["-m", "emojax.experiments.transferable", *flags]
        settings = {"features": FEATURES, "domains": DOMAIN, **what}
        return Job(name, folder, [command], {folder: setting}, settings, learnt)

    def _network(
        self,
        name: str,
        corpora: Sequence[str],
        states: Mapping[str, str],
        base: Job | str = "",
        **changes: Any,
    ) -> Job:
        # Devel chooses among the approaches, so no network may learn from it.
        changes |= {"adapters": False, "refit": False, "domains": DOMAIN}
        changes |= {"label_words": self.spec.words_for(corpora)}
        changes |= {"partition": self.partition, "seed": self.seed}
        own = {name: self.spec.corpora[name] for name in corpora}
        return self.spec.network(name, self.spec.config, own, states, base, **changes)

    def _name(self, kind: str, corpora: Sequence[str]) -> str:
        """Name a job by what it learns from, so that one more corpus changes no other name."""
        learnt = corpora[0] if len(corpora) == 1 else together(corpora)
        return f"transferable/{kind}/{learnt}{in_name(self.partition)}_seed{self.seed}"


def _table_1(fold: _Fold) -> Iterator[Job]:
    yield from ()


def _table_2(fold: _Fold) -> Iterator[Job]:
    every = fold.others()
    yield fold.svm(SVM_IS, "svm", every)
    yield fold.cnn(every, CNN)
    yield fold.base(every, CNN_LSTM)


def _table_3(fold: _Fold) -> Iterator[Job]:
    for target in fold.targets:
        yield fold.base([target], TARGET_ONLY)
    yield from _transfers(fold, TRANSFERS)


def _transfers(fold: _Fold, transfers: Sequence[str], left_out: str = "") -> Iterator[Job]:
    """Yield the bases of some transfers and their tuning on each target but the one left out."""
    for target in fold.targets:
        if target == left_out:
            continue
        for scenario, with_target in SCENARIOS.items():
            unheard = [left_out] if with_target else [left_out, target]
            base = fold.base(fold.others(*unheard))
            yield base
            for transfer in transfers:
                if transfer.startswith(scenario):
                    setting = without(transfer, left_out) if left_out else transfer
                    yield fold.tuned(transfer, base, target, setting)


def _table_4(fold: _Fold) -> Iterator[Job]:
    yield from _transfers(fold, ABLATED)
    for source in fold.spec.corpora:
        yield from _transfers(fold, ABLATED, source)


def _table_5(fold: _Fold) -> Iterator[Job]:
    yield from _table_3(fold)
    for target in fold.targets:
        yield fold.svm(ADAPTIVE_SVM, "adaptive_svm", fold.others(target), target)


_JOBS: dict[str, Callable[[_Fold], Iterator[Job]]] = {
    "1": _table_1,
    "2": _table_2,
    "3": _table_3,
    "4": _table_4,
    "5": _table_5,
}
