"""Begin at another run's parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import jax.numpy as jnp
import ml_collections
from flax import traverse_util

from emojax.checkpoints import read_manifest
from emojax.models.subtrees import Params
from emojax.training.predict import Network, load_networks
from emojax.training.state import Corpus, EmoState, Shared

# The parameters of a base run only fit a network with its settings.
NETWORK = ("width", "depth", "attention_units", "attention_smoothing", "shared_attention", "head_units")


def with_network_of_base(config: ml_collections.ConfigDict) -> ml_collections.ConfigDict:
    """The config, with the network settings of its base run if it has one."""
    config = config.copy_and_resolve_references()
    if config.base:
        base = read_manifest(config.base, "best")["config"]
        config.update({name: base[name] for name in NETWORK})
        # Without them, what was trained beside them would stand on features that never were.
        config.adapters = config.adapters or base["adapters"]
    return config


def base_of(config: ml_collections.ConfigDict) -> dict:
    """What a run's manifest says of its base: ``{"base": ...}`` with the base's own base in it, or nothing.

    That is the base's settings and who was in which part, and neither where it lies nor how far it came.
    """
    return {"base": _identity(read_manifest(config.base, "best"))} if config.base else {}


def _identity(base: Mapping) -> dict:
    settings = {name: value for name, value in base["config"].items() if name != "base"}
    return {**{name: base[name] for name in ("partitions", "base") if name in base}, "config": settings}


def begin_at_base(config: ml_collections.ConfigDict, manifest: Mapping, state: EmoState) -> EmoState:
    """Put the base run's best parameters into a fresh state.

    A corpus that the base was trained on begins at its own adapters, norms and, if its labels are the same,
    head; any other begins at those of ``config.base_corpus``, with a fresh head, or at fresh ones.

    Args:
      config: the settings.
      manifest: of the run that begins, with :func:`base_of` in it.
      state: a fresh one.

    Raises:
      ValueError: there is no such run or corpus, or nothing that the last layer could stand on.
    """
    base = read_manifest(config.base, "best")
    check_division(config, manifest)
    sources = {name: name if name in base["corpora"] else config.base_corpus for name in state.corpora}
    without = [name for name, source in sources.items() if not source]
    if without and config.transfer == "last_layer":
        raise ValueError(
            f"last_layer keeps the norms of a corpus that {config.base} knows; it does not know "
            f"{', '.join(without)}: choose --config.base_corpus from {', '.join(base['corpora'])}"
        )
    wanted = sorted({*sources.values()} - {""}) or [next(iter(base["corpora"]))]
    _, _, networks = load_networks(config.base, wanted)
    corpora = dict(state.corpora)
    for name, source in sources.items():
        if source:
            same_head = name == source and base["corpora"][name] == manifest["corpora"][name]
            corpora[name] = _begin(
                state.corpora[name], networks[source], same_head, len(manifest["corpora"][name])
            )
    shared = Shared(networks[wanted[0]].shared, state.shared.opt_state)
    return EmoState(shared, corpora, state.step)


def check_division(config: ml_collections.ConfigDict, manifest: Mapping) -> None:
    """Raise a ValueError where the trunk may have learnt from what is test here, from its first base on."""
    ancestor, own = manifest.get("base"), manifest["partitions"]
    while ancestor:
        theirs, divided = ancestor["config"], ancestor["partitions"]
        known = sorted(set(own) & set(divided))
        levels = bool(theirs["aggregate"] or config.aggregate)
        if (known or levels) and any(theirs[name] != config[name] for name in ("partition", "seed")):
            raise ValueError(
                f"{config.base} divided its corpora otherwise, so it may have learnt from what is test here; "
                f"give --config.partition={theirs['partition']} --config.seed={theirs['seed']}"
            )
        changed = [name for name in known if not levels and own[name] != divided[name]]
        if changed:
            raise ValueError(
                f"{config.base} learnt from other clips or labels of {', '.join(changed)}, so perhaps from "
                "what is test here; train a base on the present ones, or use those that it was trained on"
            )
        ancestor = ancestor.get("base")


def _begin(corpus: Corpus, network: Network, same_head: bool, classes: int) -> Corpus:
    """The corpus with what fits of another network's parameters and statistics."""

    def taken(own: Params, theirs: Params) -> Params:
        own, theirs = traverse_util.flatten_dict(own), traverse_util.flatten_dict(theirs)
        for path, leaf in own.items():
            if path in theirs and (same_head or not path[0].startswith("head")):
                # Only the logits can differ in shape: heads are padded to the most classes of a run.
                used = (..., slice(classes)) if path[0] == "head_logits" else ...
                own[path] = jnp.asarray(leaf).at[used].set(theirs[path][used])
        return traverse_util.unflatten_dict(own)

    return dataclasses.replace(
        corpus, params=taken(corpus.params, network.corpus), stats=taken(corpus.stats, network.stats)
    )
