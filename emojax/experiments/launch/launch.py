"""Run a plan: prepare the corpora, run unfinished jobs and collect failures."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emojax.baselines.pipeline import check_speakers
from emojax.config import DataConfig
from emojax.corpora.folds import make_folds
from emojax.corpora.listing import prepared
from emojax.corpora.partitions import ALL
from emojax.corpora.spec import read_clips
from emojax.data.partitioned import open_corpora
from emojax.data.partitioned_corpus import PartitionedCorpus
from emojax.data.prepared import PreparedCorpus, find_corpora, open_corpus
from emojax.experiments.corpus_arguments import prepare
from emojax.experiments.launch.job import Job, scored
from emojax.experiments.launch.scheduler import execute, make_engine
from emojax.experiments.launch.spec import Spec

# Settings that decide the part and the level of each clip.
_DIVISION = tuple(field.name for field in dataclasses.fields(DataConfig))


def carry_out(
    jobs: Sequence[Job], spec: Spec, engine: str
) -> tuple[dict[str, list[Path]], dict[str, str]]:
    """Run the jobs that are not finished.

    Args:
      jobs: jobs of a plan.
      spec: specification that the plan was made from.
      engine: text for :func:`emojax.experiments.launch.scheduler.make_engine`.

    Returns:
      Setting → folders of its results; name of each failed job → reason.

    Raises:
      ValueError: a folder holds a run with other settings or on other data, or the corpora cannot
        be prepared; then no job is run.
    """
    ready = make_engine(engine, spec.out / "runs" / "jobs")
    for job in jobs:
        job.check_folder()  # checks settings now, before long preparing, and data after it
    prepare({**spec.corpora, **spec.bases}.values(), spec.source_dir, spec.data_dir)
    jobs = _with_partitions(jobs, spec)
    for job in jobs:
        job.check_folder()
    todo = [job for job in jobs if not job.is_finished()]
    print(f"{len(jobs)} runs, {len(jobs) - len(todo)} of them finished before", flush=True)
    failed = execute(todo, ready) if todo else {}
    return scored(jobs), failed


def _with_partitions(jobs: Sequence[Job], spec: Spec) -> list[Job]:
    """Return the jobs with the partitions of their corpora.

    Corpora that cannot be divided or normalised, and labels without levels, are refused before the
    first run.
    """
    here = prepared(Path(spec.data_dir).expanduser())
    normalised = {
        name for job in jobs if job.config.get("speaker_normalisation") for name in job.corpora
    }
    check_speakers({name: read_clips(here[name] / "clips.csv") for name in sorted(normalised)})

    @functools.cache
    def partitions(names: tuple[str, ...], **division: Any) -> dict[str, dict[str, str]]:
        opened = open_corpora({name: here[name] for name in names}, **division)
        return {name: corpus.identity() for name, corpus in opened.items()}

    @functools.cache
    def folds(name: str, **division: Any) -> dict[str, str]:
        return _folds_identity(open_corpus(here[name]), **division)

    def known(job: Job) -> Job:
        # The config of an SVM has no settings of levels.
        division = {name: job.config[name] for name in _DIVISION if name in job.config}
        if job.is_network or "domains" in division or division["partition"] == ALL:
            found = partitions(tuple(job.corpora), **division)
        else:
            found = {name: folds(name, **division) for name in job.corpora}
        return dataclasses.replace(job, partitions=found, after=[known(base) for base in job.after])

    return [known(job) for job in jobs]


def _folds_identity(corpus: PreparedCorpus, partition: str, seed: int) -> dict[str, str]:
    """The identity of an SVM's data: of a single partition, the same as a network's."""
    found = make_folds(corpus.spec, corpus.clips, partition, seed)
    alike = (
        PartitionedCorpus(corpus.spec.labels, corpus.clips, one, [corpus])
        for one in found.partitions
    )
    digests = [one.identity()["digest"] for one in alike]
    return {"protocol": found.protocol, "digest": " ".join(digests)}


def count_tested(spec: Spec, scheme: str) -> dict[str, int]:
    """Prepare the corpora, and count the folds of each that have a test part.

    Args:
      spec: what a person asks for.
      scheme: ``fold:K`` or ``random:K``.

    Raises:
      ValueError: a corpus cannot be prepared or divided.
    """
    prepare(spec.corpora.values(), spec.source_dir, spec.data_dir)
    return count_folds(find_corpora(list(spec.corpora), Path(spec.data_dir).expanduser()), scheme)


def count_folds(corpora: Mapping[str, PreparedCorpus], scheme: str) -> dict[str, int]:
    """Count the folds of each corpus that have a test part, whose number depends on no seed."""
    return {
        name: len(make_folds(one.spec, one.clips, scheme, seed=0).partitions)
        for name, one in corpora.items()
    }
