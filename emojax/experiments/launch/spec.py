"""A request of a person, and the jobs it is made of."""

from __future__ import annotations

import dataclasses
import runpy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emojax.baselines.feature_sets import FeatureSet
from emojax.config import PATH_KEYS, Config, read_config
from emojax.experiments.corpus_arguments import join_items
from emojax.experiments.launch.job import Job
from emojax.training.transfer import NETWORK


@dataclasses.dataclass(frozen=True)
class Spec:
    """Corpora, seeds and settings that a person asks for.

    Attributes:
      corpora: name → as ``train.py`` takes it, ``NAME`` or ``NAME=PATH``.
      bases: the same, of corpora whose networks single-task transfer begins at.
      out: all runs lie in its folder ``runs``.
      seeds: a run of each.
      source_dir: of the publishers' folders.
      data_dir: of the prepared corpora.
      config: file of the settings of shared training.
      scratch_config: of a single corpus's training.
      tune_config: of the tuning of adapters, norms and heads on a trained network.
      label_words: of aggregated corpora, as ``train.py`` takes them.
      vgg16_weights: file of VGG16's weights, if a person names one.
      speaker_normalisation: whether SVMs standardise the features of each speaker first.
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
    label_words: str = ""
    vgg16_weights: str | None = None
    speaker_normalisation: bool = False

    def network(
        self,
        name: str,
        config_file: str,
        corpora: Mapping[str, str],
        states: Mapping[str, str],
        base: Job | None = None,
        **changes: Any,
    ) -> Job:
        """A network that is trained and scored.

        Args:
          name: of the job.
          config_file: its settings.
          corpora: that it is trained on.
          states: state that is scored → setting that it counts for, or empty.
          base: the run that it begins at.
          changes: settings that are not those of the file.
        """
        folder = self.out / "runs" / name
        changes |= {"base": str(base.folder)} if base else {}
        config = read_config_file(config_file).replace(**changes)
        if base:  # as train.py does: its parameters fit no other network
            adapters = config.network.adapters or base.config["adapters"]
            config = config.replace(**{key: base.config[key] for key in NETWORK}, adapters=adapters)
        places = {"corpora": join_items(corpora.values())}
        places |= {"source_dir": self.source_dir, "data_dir": self.data_dir}
        flags = [f"--config.{key}={value}" for key, value in (places | changes).items()]
        train = ("train.py", f"--config={config_file}", f"--workdir={folder}", *flags)
        score = [("evaluate.py", f"--workdir={folder}", f"--state={state}") for state in states]
        results = {
            folder / ("" if state == "best" else state): setting
            for state, setting in states.items()
        }
        # It is the same run wherever its corpora and its base lie.
        settings = {
            key: value for key, value in config.flat().items() if key not in {*PATH_KEYS, "base"}
        }
        after = [base] if base else []
        return Job(
            name, folder, (train, *score), results, settings, list(corpora), after, is_network=True
        )

    def svm(self, features: FeatureSet, corpus: str, seed: int, partition: str = "") -> Job:
        """A feature set and an SVM on one corpus, by default on the partition of the networks."""
        name = f"{features.name}/{corpus}{in_name(partition)}_seed{seed}"
        folder = self.out / "runs" / name
        places = f"--source_dir={self.source_dir}", f"--data_dir={self.data_dir}", f"--out={folder}"
        # The same clips as the network's, so that they can be compared.
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
        # Weights are what is in the file, wherever it lies.
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
    """Seeds as a person types them.

    >>> parse_seeds(["0", " 2", "0"])
    [0, 2]
    """
    texts = list(dict.fromkeys(map(str.strip, items)))
    if not texts or not all(text.isdecimal() for text in texts):
        raise ValueError(f"--seeds={','.join(texts)}; give whole numbers, as in --seeds=0,1,2")
    return [int(text) for text in texts]


def read_config_file(path: str) -> Config:
    """The settings of a config file, ``FILE.py`` or ``FILE.py:ARGUMENT``; a ValueError if it is none."""
    file, _, argument = path.partition(":")
    try:
        settings = runpy.run_path(file)["get_config"](*filter(None, [argument]))
    except (OSError, KeyError, SyntaxError, ImportError) as error:
        there = ", ".join(map(str, sorted(Path("configs").glob("[!_]*.py")))) or "none here"
        raise ValueError(f"{path} is no config file ({error!r}); there are {there}") from error
    return read_config(settings.to_dict())
