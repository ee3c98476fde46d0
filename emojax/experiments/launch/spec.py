"""What a person asks for, as cells of a plan."""

from __future__ import annotations

import dataclasses
import itertools
import json
import runpy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emojax.baselines.feature_sets import FeatureSet
from emojax.config import PATH_KEYS, Config, read_config
from emojax.corpora.spec import check_name
from emojax.experiments.launch.job import Cell

# A run's folder is the same run wherever it and its base lie.
_PATH_KEYS = {*PATH_KEYS, "base"}


@dataclasses.dataclass(frozen=True)
class Request:
    """What a person asks for.

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
        after: Sequence[Cell] = (),
        **changes: Any,
    ) -> Cell:
        """A network that is trained and scored.

        Args:
          name: of the cell.
          config_file: its settings.
          corpora: that it is trained on.
          states: state that is scored → setting that it counts for, or empty.
          after: runs that it begins at.
          changes: settings that are not those of the file.
        """
        folder = self.out / "runs" / name
        config = read_config_file(config_file).replace(**changes)
        places = {"corpora": ",".join(corpora.values())}
        places |= {"source_dir": self.source_dir, "data_dir": self.data_dir}
        flags = [f"--config.{key}={value}" for key, value in (places | changes).items()]
        train = ("train.py", f"--config={config_file}", f"--workdir={folder}", *flags)
        score = [("evaluate.py", f"--workdir={folder}", f"--state={state}") for state in states]
        results = {folder / ("" if state == "best" else state): setting for state, setting in states.items()}
        settings = {key: value for key, value in config.flat().items() if key not in _PATH_KEYS}
        bases = {cell.name: cell.order for cell in after}
        order = {"corpora": list(corpora), "config": settings, "after": bases}
        data = dict.fromkeys([*corpora, *itertools.chain.from_iterable(cell.data for cell in after)], "")
        return Cell(name, folder, (train, *score), results, _json(order), list(bases), data)

    def svm(self, features: FeatureSet, corpus: str, seed: int) -> Cell:
        """A feature set and an SVM on one corpus."""
        name = f"{features.name}/{corpus}_seed{seed}"
        folder = self.out / "runs" / name
        places = f"--source_dir={self.source_dir}", f"--data_dir={self.data_dir}", f"--out={folder}"
        # The same clips as the network's, so that they can be compared.
        partition = read_config_file(self.scratch_config).data.partition
        what = {"features": features.name, "partition": partition, "seed": seed}
        what["speaker_normalisation"] = self.speaker_normalisation
        flags = [f"--{key}={value}" for key, value in what.items()]
        if self.vgg16_weights:
            flags.append(f"--vgg16_weights={self.vgg16_weights}")
        command = ("baseline.py", f"--corpora={self.corpora[corpus]}", *flags, *places)
        # Weights are what is in the file, wherever it lies.
        what["weights_sha256"] = features.versions.get("weights_sha256", "")
        order = {"corpora": [corpus], "config": what}
        results = {folder / features.name: features.name}
        return Cell(name, folder, [command], results, order, data={corpus: ""})


def _json(value: Mapping) -> Mapping:
    return json.loads(json.dumps(value))


def parse_corpora(items: Iterable[str]) -> dict[str, str]:
    """Name → item of a list of ``NAME`` or ``NAME=PATH``.

    Raises:
      ValueError: a name that cannot be one, or is there twice.
    """
    corpora: dict[str, str] = {}
    for item in filter(None, map(str.strip, items)):
        name = check_name(item.partition("=")[0])
        if name in corpora or item == "synthetic":
            raise ValueError(f"{item!r}: name each corpus once, as it is called in its tables")
        corpora[name] = item
    return corpora


def parse_bases(items: Iterable[str], corpora: Mapping[str, str]) -> dict[str, str]:
    """Name → item of a list of ``NAME`` or ``NAME=PATH``; a name of one of the corpora is that corpus.

    Raises:
      ValueError: as :func:`parse_corpora`, or a name that is one of the corpora's with another path.

    >>> parse_bases(["x"], {"x": "x=x.csv"})
    {'x': 'x=x.csv'}
    """
    bases = parse_corpora(items)
    for name, item in bases.items():
        if item not in (name, corpora.get(name, item)):
            raise ValueError(
                f"--base_corpora={item} is another corpus than {corpora[name]} of --corpora; "
                f"give --base_corpora={name}, or give one of them another name"
            )
    return {name: corpora.get(name, item) for name, item in bases.items()}


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
