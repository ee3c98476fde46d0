"""Transfer: start of a run at a base run, and its trained parameters (sections 4.3 and 5.2.2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import traverse_util

from emojax.config import Config, NetworkConfig, TrainConfig, TransferConfig, read_section
from emojax.corpora.affect import emotion, of_corpus, parse_mapping
from emojax.corpora.aggregate import CORPORA, DIMENSIONS, EMOTION, split_domains
from emojax.corpora.columns import domain_name, parse_columns
from emojax.inference.network import Network, load_networks
from emojax.models.subtrees import Params
from emojax.pretrained import read_manifest
from emojax.training.averages import begin_averages
from emojax.training.train_state import Corpus, EmoState, Shared


def make_optimizers(
    transfer: TransferConfig, train: TrainConfig
) -> tuple[optax.GradientTransformation, optax.GradientTransformation]:
    """Make the optimizers ``(tx_shared, tx_corpus)`` of the transfer mode."""
    trained = _except(transfer.frozen_layers, optimizer(train))
    tx_shared = frozen() if transfer.frozen_trunk else trained
    layers = {"norms": ("norm", "head"), "last_layer": ("head",)}.get(transfer.mode)
    if layers is None:
        return tx_shared, trained

    def is_trained(params: Params) -> dict[str, bool]:
        return {name: any(part in name for part in layers) for name in params}

    return tx_shared, optax.multi_transform({True: trained, False: frozen()}, is_trained)


def _except(layers: str, tx: optax.GradientTransformation) -> optax.GradientTransformation:
    """Make an optimizer that does not update some layers."""
    if not layers:
        return tx

    def is_trained(params: Params) -> dict[str, bool]:
        return {name: not name.startswith(_beginnings(layers)) for name in params}

    return optax.multi_transform({True: tx, False: frozen()}, is_trained)


def _beginnings(layers: str) -> tuple[str, ...]:
    """Split a setting that names layers at its commas."""
    return tuple(filter(None, map(str.strip, layers.split(","))))


def optimizer(config: TrainConfig) -> optax.GradientTransformation:
    """Make the optimizer of the settings, without the learning rate."""
    if config.optimizer == "adadelta":
        return optax.chain(_decay(config.l2), optax.scale_by_adadelta())
    return sgd(config.momentum, config.l2)


def sgd(momentum: float, l2: float) -> optax.GradientTransformation:
    """Make SGD with momentum and the gradient of the loss term ``l2 · ‖kernels‖²`` (section 4.3).

    The learning rate is not included: it follows the schedule, which only the loop knows.
    Biases and norms are not regularised.
    """
    return optax.chain(_decay(l2), optax.trace(momentum))


def _decay(l2: float) -> optax.GradientTransformation:
    def kernels(params):
        return jax.tree.map(lambda leaf: leaf.ndim > 1, params)

    return optax.add_decayed_weights(2 * l2, mask=kernels)


def frozen() -> optax.GradientTransformation:
    """Make an optimizer that updates nothing; XLA then also removes the gradients."""
    return optax.set_to_zero()


# Partition without a test part: all clips are in train.
ALL = "all"
# Settings that may differ from those of the base; with another value of any other setting the
# base's parameters would not fit, or would mean something else.
_FREE = ("adapters", "dropout", "fold_adapters", "fast_conv", "precision")
NETWORK = tuple(
    field.name for field in dataclasses.fields(NetworkConfig) if field.name not in _FREE
)


def with_network_of_base(config: Config) -> Config:
    """Return the config with the network settings of its base run, if it has one."""
    if not config.transfer.base:
        return config
    base = read_section(NetworkConfig, read_manifest(config.transfer.base)["config"])
    settings = {name: getattr(base, name) for name in NETWORK}
    # The base's layers were trained with its adapters, so they are kept.
    return config.replace(**settings, adapters=config.network.adapters or base.adapters)


def base_of(config: Config) -> dict:
    """Return the manifest's entry ``base``; empty without a base.

    The entry has the base's settings and partitions, and the entry of the base's own base. It has
    neither the base's path nor its progress.
    """
    return {"base": _identity(read_manifest(config.transfer.base))} if config.transfer.base else {}


def _identity(base: Mapping) -> dict:
    settings = {name: value for name, value in base["config"].items() if name != "base"}
    return {
        **{name: base[name] for name in ("partitions", "base") if name in base},
        "config": settings,
    }


def begin_at_base(config: Config, manifest: Mapping, state: EmoState) -> EmoState:
    """Copy the base's best parameters into a new state, if the run has a base.

    A corpus that the base has starts with its adapters and norms there, and with its head if the
    labels are the same. Any other corpus starts with the adapters and norms of ``base_corpus``. If
    that is not given, it starts with those of the base's domain of common emotions, and with the
    rows of that domain's head for its common emotions. All other parameters are new.

    Args:
      config: settings of the run.
      manifest: manifest of the new run, with the entry of :func:`base_of`.
      state: a new state.

    Raises:
      ValueError: there is no such run or corpus, or, with ``last_layer``, a corpus has no adapters
        and norms to start from.
    """
    transfer = config.transfer
    if not transfer.base:
        return state
    base = read_manifest(transfer.base)
    check_division(config, manifest)
    common = EMOTION if EMOTION in base["corpora"] else ""
    other = transfer.base_corpus or common
    sources = {name: name if name in base["corpora"] else other for name in state.corpora}
    without = [name for name, source in sources.items() if not source]
    if without and transfer.mode == "last_layer":
        raise ValueError(
            f"last_layer keeps the norms of a corpus that {transfer.base} knows; it does not know "
            f"{', '.join(without)}: choose --config.base_corpus from {', '.join(base['corpora'])}"
        )
    wanted = sorted({*sources.values()} - {""}) or [next(iter(base["corpora"]))]
    networks = load_networks(transfer.base, wanted).networks
    corpora = dict(state.corpora)
    for name, source in sources.items():
        if source:
            own, theirs = manifest["corpora"][name], base["corpora"][source]
            rows = dict(enumerate(range(len(own)))) if name == source and own == theirs else {}
            if source == EMOTION and not rows:
                words = of_corpus(parse_mapping(config.data.label_words), name)
                rows = _known_labels(own, theirs, words)
            corpora[name] = _begin(state.corpora[name], networks[source], rows)
    shared = Shared(networks[wanted[0]].shared, state.shared.opt_state)
    begun = _with_new_layers(EmoState(shared, corpora, state.step), state, config)
    return begin_averages(begun) if config.train.average_decay else begun


def _with_new_layers(begun: EmoState, new: EmoState, config: Config) -> EmoState:
    """Take the layers ``new_layers`` from the new state; raise a ValueError for unknown names."""
    fresh_layers = _beginnings(config.transfer.new_layers)
    known = {*new.shared.params, *next(iter(new.corpora.values())).params}
    for text in (*fresh_layers, *_beginnings(config.transfer.frozen_layers)):
        if not any(name.startswith(text) for name in known):
            raise ValueError(
                f"no layer's name begins with {text!r}; the network has {', '.join(sorted(known))}"
            )

    def taken(old: Params, fresh: Params) -> Params:
        return {name: (fresh if name.startswith(fresh_layers) else old)[name] for name in old}

    corpora = {}
    for name, old in begun.corpora.items():
        fresh = new.corpora[name]
        params, stats = taken(old.params, fresh.params), taken(old.stats, fresh.stats)
        corpora[name] = dataclasses.replace(old, params=params, stats=stats)
    shared = dataclasses.replace(begun.shared, params=taken(begun.shared.params, new.shared.params))
    return EmoState(shared, corpora, begun.step)


def check_division(config: Config, manifest: Mapping) -> None:
    """Raise a ValueError if a base, or a base's base, may have been trained on this run's test."""
    ancestor = manifest.get("base")
    while ancestor:
        _check_ancestor(config, manifest["partitions"], ancestor)
        ancestor = ancestor.get("base")


def _check_ancestor(config: Config, own: Mapping, ancestor: Mapping) -> None:
    base, theirs = config.transfer.base, ancestor["config"]
    # Domains beside corpora have the same clips as the corpora.
    domains = theirs.get("domains", CORPORA), config.data.domains
    levels = not all(split_domains(one)[0] for one in domains)
    mine = _recordings(own, config.data.columns)
    before = _recordings(ancestor["partitions"], str(theirs.get("columns", "")))
    known = sorted({*mine} & {*before} - (set() if levels else {*DIMENSIONS}))
    if not (known or levels) or config.data.partition == ALL:
        return
    if theirs.get("partition") == ALL:
        raise ValueError(
            f"{base} learnt from every clip of {', '.join(known) or 'its corpora'}, so no test of "
            "them is left; adapt it to other corpora, give --config.partition=all for a model "
            "without a test, or give a base with another partition"
        )
    if any(theirs.get(name) != getattr(config.data, name) for name in ("partition", "seed")):
        raise ValueError(
            f"{base} divided its corpora otherwise, so it may have learnt from what is "
            f"test here; give --config.partition={theirs.get('partition')} "
            f"--config.seed={theirs.get('seed')}"
        )
    changed = [name for name in known if not levels and mine[name] != before[name]]
    if changed:
        raise ValueError(
            f"{base} learnt from other clips or labels of {', '.join(changed)}, so perhaps "
            "from what is test here; train a base on the present ones, or use those that it "
            "was trained on"
        )


def _recordings(partitions: Mapping, columns: str) -> dict[str, str]:
    """Return corpus → digest of its clips and parts; domains of columns count as their corpus."""
    corpus_of = {
        domain_name(corpus, group): corpus
        for corpus, groups in parse_columns(columns).items()
        for group in groups
    }
    digests = {}
    for name, own in partitions.items():
        # A manifest may come from a stranger.
        known = own if isinstance(own, Mapping) else {"digest": own}
        digests[corpus_of.get(name, name)] = str(known.get("whole", known.get("digest")))
    return digests


def _known_labels(
    own: Sequence[str], theirs: Sequence[str], words: Mapping[str, str]
) -> dict[int, int]:
    """Return label → index among the common emotions ``theirs``, for labels that mean one."""
    places = {label: place for place, label in enumerate(theirs)}
    meant = {number: emotion(label, words) for number, label in enumerate(own)}
    return {number: places[word] for number, word in meant.items() if word in places}


def _begin(corpus: Corpus, network: Network, labels: Mapping[int, int]) -> Corpus:
    """Copy another network's parameters and statistics into a corpus.

    Args:
      corpus: the new corpus.
      network: the network to start from.
      labels: label → label of the other network with the same meaning; if empty, the head is new.
    """
    rows, others = np.array([*labels], int), np.array([*labels.values()], int)

    def fitting(own: Params, theirs: Params) -> Params:
        own, theirs = traverse_util.flatten_dict(own), traverse_util.flatten_dict(theirs)
        for path, leaf in own.items():
            if path in theirs and (labels or not path[0].startswith("head")):
                # Only the logits can differ in shape: heads are padded to the run's most classes.
                is_logits = path[0] == "head_logits"
                new = theirs[path][..., others] if is_logits else theirs[path]
                own[path] = jnp.asarray(leaf).at[..., rows if is_logits else slice(None)].set(new)
        return traverse_util.unflatten_dict(own)

    return dataclasses.replace(
        corpus,
        params=fitting(corpus.params, network.corpus),
        stats=fitting(corpus.stats, network.stats),
    )
