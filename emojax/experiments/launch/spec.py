"""Specification of an experiment, and jobs made from it."""

from __future__ import annotations

import dataclasses
import runpy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emojax.baselines.feature_sets import FeatureSet
from emojax.config import PATH_KEYS, Config, read_config
from emojax.corpora.affect import without_corpora
from emojax.experiments.corpus_arguments import join_items
from emojax.experiments.launch.job import Job
from emojax.training.transfer import NETWORK, base_of, with_network_of_base


@dataclasses.dataclass(frozen=True)
class Spec:
    """Corpora, seeds and settings of an experiment.

    Attributes:
      corpora: name → item as for ``train.py``, ``NAME`` or ``NAME=PATH``.
      bases: the same for corpora whose networks are bases of single-task transfer.
      out: output folder; all runs are below its folder ``runs``.
      seeds: seeds; each job runs once for each of them.
      source_dir: folder of the publishers' folders.
      data_dir: folder of the prepared corpora.
      config: config file of shared training.
      scratch_config: config file of a single corpus's training.
      tune_config: config file of tuning adapters, norms and heads on a trained network.
      base: run or published model from which the setting ``adapt`` starts, or empty.
      label_words: ``label_words`` of aggregated corpora, as for ``train.py``.
      vgg16_weights: file of VGG16's weights, or None.
      speaker_normalisation: True where SVMs standardise the features of each speaker first.
    """

    corpora: Mapping[str, str]
    bases: Mapping[str, str]
    out: Path
    seeds: Sequence[int]
    source_dir: str
    data_dir: str
    config: str
    scratch_config: str
    tune_config: str
    base: str = ""
    label_words: str = ""
    vgg16_weights: str | None = None
    speaker_normalisation: bool = False

    def network(
        self,
        name: str,
        config_file: str,
        corpora: Mapping[str, str],
        states: Mapping[str, str],
        base: Job | str = "",
        **changes: Any,
    ) -> Job:
        """Return a job that trains and scores a network.

        Args:
          name: name of the job.
          config_file: config file of the training.
          corpora: corpora to train on.
          states: state to score → setting of its results, or empty.
          base: job whose network it starts from, or a trained model as for ``--config.base``.
          changes: settings that replace those of the file.
        """
        folder = self.out / "runs" / name
        if base:
            changes |= {"base": str(base.folder) if isinstance(base, Job) else base}
        config = read_config_file(config_file).replace(**changes)
        if isinstance(base, Job):  # as in train.py: the base's parameters fit no other network
            adapters = config.network.adapters or base.config["adapters"]
            config = config.replace(**{key: base.config[key] for key in NETWORK}, adapters=adapters)
        else:
            config = with_network_of_base(config)
        places = {"corpora": join_items(corpora.values())}
        places |= {"source_dir": self.source_dir, "data_dir": self.data_dir}
        flags = [f"--config.{key}={value}" for key, value in (places | changes).items()]
        train = ("train.py", f"--config={config_file}", f"--workdir={folder}", *flags)
        score = [("evaluate.py", f"--workdir={folder}", f"--state={state}") for state in states]
        results = {
            folder / ("" if state == "best" else state): setting
            for state, setting in states.items()
        }
        # Paths of the corpora and of the base do not identify a run.
        settings = {
            key: value for key, value in config.flat().items() if key not in {*PATH_KEYS, "base"}
        }
        after = [base] if isinstance(base, Job) else []
        return Job(
            name,
            folder,
            (train, *score),
            results,
            settings,
            list(corpora),
            after,
            is_network=True,
            base={} if after else base_of(config).get("base", {}),
        )

    def words_for(self, corpora: Iterable[str]) -> str:
        """Return the words of labels, without those for other corpora, which training refuses."""
        return without_corpora(self.label_words, self.corpora.keys() - {*corpora})

    def svm(self, features: FeatureSet, corpus: str, seed: int, partition: str = "") -> Job:
        """Return a job that scores an SVM on one corpus, by default on the networks' partition."""
        name = f"{features.name}/{corpus}{in_name(partition)}_seed{seed}"
        folder = self.out / "runs" / name
        places = f"--source_dir={self.source_dir}", f"--data_dir={self.data_dir}", f"--out={folder}"
        # The same test clips as the network's, so that both can be compared.
        partition = partition or read_config_file(self.scratch_config).data.partition
        settings = {"features": features.name, "partition": partition, "seed": seed}
        settings["speaker_normalisation"] = self.speaker_normalisation
        flags = [f"--{key}={value}" for key, value in settings.items()]
        if self.vgg16_weights:
            flags.append(f"--vgg16_weights={self.vgg16_weights}")
        command = (
            "baseline.py",
            f"--corpora={join_items([self.corpora[corpus]])}",
            *flags,
            *places,
        )
        # The content of the weights file identifies a run, its path does not.
        settings["weights_sha256"] = features.versions.get("weights_sha256", "")
        return Job(
            name, folder, [command], {folder / features.name: features.name}, settings, [corpus]
        )


def in_name(partition: str) -> str:
    """A partition as part of the name of a run; nothing for that of the config.

    >>> in_name("fold:1/6"), in_name("fold:6"), in_name("")
    ('_fold1of6', '_fold6', '')
    """
    return partition and f"_{partition.replace(':', '').replace('/', 'of')}"


def parse_seeds(items: Iterable[str]) -> list[int]:
    """Parse the seeds of the command line.

    >>> parse_seeds(["0", " 2", "0"])
    [0, 2]
    """
    texts = list(dict.fromkeys(map(str.strip, items)))
    if not texts or not all(text.isdecimal() for text in texts):
        raise ValueError(f"--seeds={','.join(texts)}; give whole numbers, as in --seeds=0,1,2")
    return [int(text) for text in texts]


def read_config_file(path: str) -> Config:
    """Read a config file, ``FILE.py`` or ``FILE.py:ARGUMENT``; raise a ValueError if it is none."""
    file, _, argument = path.partition(":")
    try:
        settings = runpy.run_path(file)["get_config"](*filter(None, [argument]))
    except (OSError, KeyError, SyntaxError, ImportError) as error:
        there = ", ".join(map(str, sorted(Path("configs").glob("[!_]*.py")))) or "none here"
        raise ValueError(f"{path} is no config file ({error!r}); there are {there}") from error
    config = read_config(settings.to_dict())
    if config.data.columns:
        raise ValueError(
            f"{path}: columns={config.data.columns!r}, but experiments are about labels; train and "
            "score such a run with train.py and evaluate.py"
        )
    return config
