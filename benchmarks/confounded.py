"""What helps where most training speakers have one emotion only, as in many people's own tables.

python benchmarks/confounded.py --base=RUN --corpora=emodb,ravdess --data_dir=DATA --folds=3

Of each fold's training speakers only clips of one label stay, or of few where there are more labels
than speakers, so who speaks gives the label away; test speakers keep all. The table is Markdown:
UAR in percent, pooled over the folds, of each system. RUN learnt from other corpora. Settings are
those of configs/adapt.py and configs/scratch.py, but for --rounds and what a row changes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from emojax.baselines.feature_sets import NAMES, open_features
from emojax.baselines.svm import unweighted_recall
from emojax.config import Config
from emojax.corpora.groups import speaker_groups
from emojax.corpora.partitions import Partition, make_partition
from emojax.data.prepared import PreparedCorpus, find_corpora
from emojax.experiments.launch.changes import parse_row
from emojax.experiments.launch.spec import read_config_file
from emojax.experiments.shots.systems import network_answers, svm_answers
from emojax.training.adapting import in_memory

CONFIGS = {"scratch": "configs/scratch.py", "adapt": "configs/adapt.py"}
# Rows of networks with changed settings (emojax.experiments.launch.changes), and features of SVMs.
SYSTEMS = (
    "scratch",
    "scratch:balance_speakers=True",
    "adapt",
    "adapt:balance_speakers=True",
    "adapt:transfer=adapters",
    "adapt:transfer=norms",
    "egemaps",
    "compare",
)


def own_labels(labels: np.ndarray, speakers: np.ndarray, seed: int) -> np.ndarray:
    """Choose the clips that stay where each speaker has few labels, bool ``[N]``.

    The labels go around over the speakers, in random order of both, until each speaker and each
    label had a turn.

    Args:
      labels: ``[N]``.
      speakers: ``[N]``.
      seed: of the order.

    >>> int(own_labels(np.array(["joy", "fear"] * 2), np.array([0, 0, 1, 1]), seed=0).sum())
    2
    """
    random = np.random.default_rng(seed)
    words, people = (random.permutation(np.unique(one)) for one in (labels, speakers))
    turns = range(max(len(words), len(people)))
    pairs = {(words[turn % len(words)], people[turn % len(people)]) for turn in turns}
    return np.array([pair in pairs for pair in zip(labels, speakers, strict=True)])


def confounded(fold: Partition, corpus: PreparedCorpus, seed: int) -> Partition:
    """Return a fold whose train part, devel in it, has few labels of each speaker."""
    parts = fold.refitted().parts
    train = parts["train"]
    labels = np.array([corpus.clips[i].label for i in train])
    own = own_labels(labels, speaker_groups(corpus.clips)[train], seed)
    return Partition(fold.protocol, {**parts, "train": train[own]})


def uar(corpus: PreparedCorpus, system: str, arguments: argparse.Namespace) -> float:
    """Return the UAR of a system in percent, pooled over the folds."""
    truth, said = [], []
    for number in range(1, arguments.folds + 1):
        partition = f"fold:{number}/{arguments.folds}"
        whole = make_partition(corpus.spec, corpus.clips, partition, arguments.seed)
        folds = {"": confounded(whole, corpus, arguments.seed)}
        if system in NAMES:
            features = open_features(system)
            answers = svm_answers(corpus, folds, features, arguments.data_dir / "features")
        else:
            answers = network_answers(corpus, folds, _config(system, arguments))
        ((_, shares),) = answers
        said += shares.argmax(axis=1).tolist()
        truth += [corpus.spec.labels.index(corpus.clips[i].label) for i in whole.parts["test"]]
    return 100 * unweighted_recall(np.array(truth), np.array(said))


def _config(system: str, arguments: argparse.Namespace) -> Config:
    name, changes = parse_row(system)
    base = {"base": str(arguments.base)} if name == "adapt" else {}
    rounds = {"rounds_per_phase": arguments.rounds, "eval_every_rounds": arguments.rounds}
    config = read_config_file(CONFIGS[name])
    return in_memory(config.replace(seed=arguments.seed, **base, **rounds, **changes))


def main() -> None:
    """Print the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--corpora", required=True, help="prepared corpora that RUN never saw")
    parser.add_argument("--data_dir", type=Path, default="data")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    corpora = find_corpora(arguments.corpora.split(","), arguments.data_dir)
    print("| corpus | system | UAR |\n|---|---|---|", flush=True)
    for name, corpus in corpora.items():
        for system in SYSTEMS:
            print(f"| {name} | {system} | {uar(corpus, system, arguments):.1f} |", flush=True)


if __name__ == "__main__":
    main()
