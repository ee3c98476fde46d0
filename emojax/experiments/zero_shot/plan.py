"""Plan of the experiment: networks of all corpora but some, and what each says about these."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emojax.corpora.affect import parse_mapping
from emojax.corpora.aggregate import EMOTION
from emojax.corpora.partitions import ALL
from emojax.data.prepared import find_corpora
from emojax.experiments.corpus_arguments import prepare
from emojax.experiments.launch.job import Job
from emojax.experiments.launch.plan import together
from emojax.experiments.launch.spec import Spec
from emojax.experiments.zero_shot.questions import common_words, what_learnt
from emojax.experiments.zero_shot.scoring import ADAPTED, TRAINED, read_emotion

ZERO_SHOT = "zero-shot"
# Behind the name of a setting: its norms are those of the corpus that is asked about.
OWN_NORMS = ", own norms"


def choose_held_out(spec: Spec, named: Sequence[str]) -> tuple[list[str], list[str]]:
    """Prepare the corpora; return those that can be asked about, and those that cannot.

    Args:
      spec: what a person asks for.
      named: names of the corpora to ask about; all, if empty.

    Raises:
      ValueError: a name is none of the corpora, a corpus cannot be prepared, or none can be asked
        about.
    """
    parse_mapping(spec.label_words)
    unknown = [name for name in named if name not in spec.corpora]
    if unknown:
        raise ValueError(
            f"--held_out={', '.join(unknown)}; choose of the corpora {', '.join(spec.corpora)}"
        )
    prepare(spec.corpora.values(), spec.source_dir, spec.data_dir)
    names = list(dict.fromkeys(named or spec.corpora))
    corpora = find_corpora(names, Path(spec.data_dir).expanduser())
    words = {
        name: common_words((clip.label for clip in one.clips), name, spec.label_words)
        for name, one in corpora.items()
    }
    without = [name for name, some in words.items() if len(some) < 2]
    if len(without) == len(names):
        raise ValueError(
            f"the labels of {', '.join(names)} have fewer than two common words each; say what they"
            " mean with --label_words, as in 'cross=anger,fine=neutral', or hold out others"
        )
    return [name for name in names if name not in without], without


def training_jobs(spec: Spec, held_out: Sequence[str], at_once: bool) -> Iterator[Job]:
    """Yield networks of the corpora that are not held out, and the jobs that ask them.

    Args:
      spec: what a person asks for.
      held_out: corpora to ask about, of :func:`choose_held_out`.
      at_once: leave all of them out of one network, not each out of its own.

    Raises:
      ValueError: no corpus is left to learn from.
    """
    groups = [list(held_out)] if at_once else [[name] for name in held_out]
    for seed in spec.seeds:
        for group in groups:
            rest = {name: item for name, item in spec.corpora.items() if name not in group}
            if not rest:
                raise ValueError(
                    f"without {', '.join(group)} no corpus is left to learn from; give more "
                    "--corpora, or fewer --held_out"
                )
            settings: dict[str, Any] = {"domains": f"corpora+{EMOTION}", "partition": ALL}
            settings |= {"label_words": spec.words_for(rest), "seed": seed}
            name = f"zero_shot/shared_{together(rest)}_seed{seed}"
            trained = spec.network(name, spec.config, rest, {}, **settings)
            yield trained
            for corpus in group:
                yield _ask(spec, trained.name, trained.folder, corpus, ZERO_SHOT, [trained])


def reading_jobs(
    spec: Spec, held_out: Sequence[str], workdirs: Mapping[str, Sequence[Path]]
) -> Iterator[Job]:
    """Yield the jobs that ask models that are there about the corpora that they never saw.

    Args:
      spec: what a person asks for.
      held_out: corpora to ask about, of :func:`choose_held_out`.
      workdirs: setting → folders of its models.

    Raises:
      ValueError: a model has no head of common emotions, or all of a setting learnt from a corpus.
    """
    for setting, folders in workdirs.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]+", setting):
            raise ValueError(
                f"--workdirs: a name {setting!r}, which is to be part of a folder's; use letters, "
                "digits, '-' and '_'"
            )
        manifests = {folder: read_emotion(folder) for folder in folders}
        learnt = {folder: what_learnt(folder, one).names for folder, one in manifests.items()}
        for corpus in held_out:
            unseen = [folder for folder in folders if corpus not in learnt[folder]]
            if not unseen:
                heard = sorted(set().union(*learnt.values()))
                raise ValueError(
                    f"{setting} learnt from corpus {corpus}, so it is not unseen; it learnt from "
                    f"{', '.join(heard)}: hold out others (--held_out), or give another model"
                )
            for folder in unseen:
                name = f"zero_shot/{setting}_{digest(manifests[folder])}"
                yield _ask(spec, name, folder, corpus, setting, [])


def _ask(
    spec: Spec, name: str, model: Path, corpus: str, setting: str, after: Sequence[Job]
) -> Job:
    """The job that asks one model about one corpus."""
    name = f"{name}/{corpus}" if not after else f"{name}_{corpus}"
    folder = spec.out / "runs" / name
    given = {"model": model, "corpus": corpus, "data_dir": spec.data_dir, "out": folder}
    given |= {"label_words": spec.label_words}
    command = ["-m", "emojax.experiments.zero_shot", *(f"--{k}={v}" for k, v in given.items())]
    results = {folder / TRAINED: setting, folder / ADAPTED: f"{setting}{OWN_NORMS}"}
    settings = {"partition": ALL, "seed": 0, "label_words": spec.label_words}
    return Job(name, folder, [command], results, settings, [corpus], after)


def digest(manifest: Mapping) -> str:
    """A short digest of what a manifest says; another state of a run has another."""
    content = json.dumps(manifest, sort_keys=True).encode()
    return hashlib.blake2b(content, digest_size=4).hexdigest()
