"""Parameter counts of one shared network, and of a network for each corpus."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
from matplotlib.figure import Figure

from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.listing import prepared
from emojax.data.prepared import find_corpora, open_corpus
from emojax.experiments.reports.report import Picture, Report
from emojax.experiments.reports.table import Cell, Table
from emojax.inference.network import init_network
from emojax.models.adapter_resnet import AdapterResNet
from emojax.models.speech_network import SpeechNetwork

_COLUMNS = {"corpora": "d", "with": "", "labels": "d", "shared": ",d", "own, each": ",d"}
_COLUMNS |= {
    "one shared network": ",d",
    "a network each": ",d",
    "ratio %": ".1f",
    "times one network": ".2f",
}
EMOSET = "emoset"


@functools.cache
def count(model: SpeechNetwork, shared_attention: bool = True) -> tuple[int, int]:
    """Return the number of parameters that all corpora share, and of those that each corpus has.

    Args:
      model: the network.
      shared_attention: whether the corpora share the attention.

    >>> shared, own = count(AdapterResNet(classes=7, adapters=False))
    >>> round(100 * own / shared)
    1
    """
    init = functools.partial(init_network, model, shared_attention=shared_attention)
    trees = jax.eval_shape(init, jax.random.key(0))[:2]
    shared, own = (sum(leaf.size for leaf in jax.tree.leaves(tree)) for tree in trees)
    return shared, own


def read_labels(names: Sequence[str], data_dir: Path) -> dict[str, int]:
    """Read the number of labels of each corpus, from its prepared copy or else the catalogue.

    Args:
      names: names of corpora that are prepared or in the catalogue, or ``["emoset"]`` for Table 1
        of the paper; all prepared ones, if empty.
      data_dir: folder of the prepared corpora.

    Raises:
      ValueError: a corpus is neither prepared nor in the catalogue, or has no labels; or no name is
        given and no corpus is prepared.

    >>> read_labels(["bes"], Path("no/such/folder"))
    {'bes': 6}
    """
    if list(names) == [EMOSET]:
        return {
            name: int(spec.table_1["labels"])
            for name, spec in CATALOGUE.items()
            if "labels" in spec.table_1
        }
    here = prepared(data_dir)
    unknown = [name for name in names if name not in here and name not in CATALOGUE]
    if unknown:
        raise ValueError(
            f"corpus {', '.join(map(repr, unknown))} is neither prepared in {data_dir} "
            "nor in the catalogue; "
            f"choose of {', '.join(sorted({*here, *CATALOGUE}))}, "
            f"or {EMOSET} alone for the paper's 26"
        )
    labels = {}
    for name in names or find_corpora([], data_dir):
        spec = open_corpus(here[name]).spec if name in here else CATALOGUE[name]
        # The catalogue does not know the labels of every corpus in Table 1.
        labels[name] = len(spec.labels) or int(spec.table_1.get("labels", 0))
    if without := [name for name, number in labels.items() if not number]:
        raise ValueError(
            f"{', '.join(without)} has no labels, only other columns; give --corpora=NAME,NAME "
            "with labels"
        )
    return labels


def parameter_report(labels: Mapping[str, int]) -> Report:
    """Count the parameters for the first K corpora, K = 1, 2, …; no network is run.

    Args:
      labels: corpus → number of its labels.

    >>> parameter_report(read_labels(["emoset"], Path())).pieces[0].rows[-1][0]
    26
    """
    rows = [_row(dict(list(labels.items())[:k])) for k in range(1, len(labels) + 1)]
    return Report(
        name="parameters",
        title="Parameters: one shared network, or a network for each corpus",
        protocol="No data is used but the number of labels of each corpus.",
        seeds="None: only shapes are computed.",
        normalisation="None.",
        selection="The corpora are added in the order given.",
        pieces=[
            _table(rows, labels),
            Picture("parameters", "Parameters by the number of corpora", _figure(rows)),
        ],
    )


def _row(labels: Mapping[str, int]) -> tuple[Cell, ...]:
    """Return the row of these corpora; the last of them is the added one."""
    shared, own = count(AdapterResNet(classes=max(labels.values())))
    together = shared + len(labels) * own
    apart = sum(sum(count(AdapterResNet(classes=k, adapters=False))) for k in labels.values())
    *_, (last, classes) = labels.items()
    times = together / (shared + own)
    return len(labels), last, classes, shared, own, together, apart, 100 * together / apart, times


def _table(rows: list[tuple[Cell, ...]], labels: Mapping[str, int]) -> Table:
    return Table(
        "parameters",
        "Parameters of one network with adapters for the first K corpora, "
        "and of K networks without",
        _COLUMNS,
        rows,
        notes=[
            "The network of configs/base.py at the paper's width. Own are adapters, norms and "
            "head; heads of the shared network are as wide as the corpus with the most labels "
            "needs. A norm's running statistics are no parameters. Times one network: beside such "
            "a network of one corpus; the paper, which counts 3 million parameters of which "
            "300,000 are a corpus's own, has 3.5 for 26.",
            *_doubts(labels),
        ],
    )


def _doubts(labels: Mapping[str, int]) -> list[str]:
    """Return notes on unknown label sets, and on numbers of labels other than the publisher's."""
    known = {name: len(CATALOGUE[name].labels) for name in labels if name in CATALOGUE}
    unknown = [name for name, count in known.items() if not count]
    other = [f"{name} {labels[name]} ({n})" for name, n in known.items() if n and n != labels[name]]
    notes = []
    if unknown:
        notes.append(
            "Label sets that are not known, of which only Table 1's number is: "
            f"{', '.join(unknown)}."
        )
    if other:
        notes.append(
            f"Labels here, and in brackets those that the publisher names: {', '.join(other)}."
        )
    return notes


def _figure(rows: list[tuple[Cell, ...]]) -> Figure:
    figure = Figure(figsize=(7, 3.8), layout="constrained")
    ax = figure.subplots()
    columns = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True))
    for name, marker in {"a network each": "s", "one shared network": "o"}.items():
        ax.plot(
            columns["corpora"], [value / 1e6 for value in columns[name]], marker=marker, label=name
        )
    ax.set_xticks(columns["corpora"])
    ax.set_ylim(bottom=0)
    ax.set_xlabel("number of corpora")
    ax.set_ylabel("parameters in millions")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return figure
