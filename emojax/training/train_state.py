"""Training state: the shared subtree, and a subtree of the same shapes for each corpus."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Mapping

import jax
import jax.numpy as jnp
import numpy as np
import optax

from emojax.inference.network import init_network
from emojax.models.speech_network import SpeechNetwork
from emojax.models.subtrees import Params
from emojax.target import here
from emojax.training.loss_scale import all_finite

# The program that initialises runs once; on a CPU its optimisation would take ten seconds.
_UNOPTIMISED = {"cpu": {"xla_backend_optimization_level": 0}}


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Average:
    """Exponential moving average of a part: :mod:`emojax.training.averages`.

    Attributes:
      weights: field of the part → its average.
      updates: i32 scalar, number of updates so far.
    """

    weights: Params
    updates: jax.Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Shared:
    """Parameters that all corpora share, and the optimizer's state for them.

    Attributes:
      params: the parameters.
      opt_state: the optimizer's state.
      average: averaged weights, if the run has them.
    """

    params: Params
    opt_state: optax.OptState
    average: Average | None = None


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Corpus:
    """Part of the network that belongs to one corpus.

    Attributes:
      params: adapters, norms and head.
      stats: running statistics of the norms.
      opt_state: the optimizer's state for ``params``.
      class_mask: bool ``[K]``, the classes this corpus has.
      class_weight: f32 ``[K]``.
      average: averaged weights, if the run has them.
      numeric: bool scalar, whether the first outputs are numbers; None in a run without numbers.
    """

    params: Params
    stats: Params
    opt_state: optax.OptState
    class_mask: jax.Array
    class_weight: jax.Array
    average: Average | None = None
    numeric: jax.Array | None = None


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class EmoState:
    """State of a run after ``step`` steps."""

    shared: Shared
    corpora: dict[str, Corpus]
    step: int = dataclasses.field(metadata={"static": True})


def init_state(
    model: SpeechNetwork,
    class_weights: Mapping[str, np.ndarray],
    labels: Mapping[str, int],
    optimizers: tuple[optax.GradientTransformation, optax.GradientTransformation],
    key: jax.Array,
    shared_attention: bool = True,
    numeric: Collection[str] = (),
) -> EmoState:
    """Initialise a state; every corpus gets the same subtree shapes and its own random head.

    Args:
      model: the network.
      class_weights: corpus → f32 ``[K]``.
      labels: corpus → number of its labels.
      optimizers: ``(tx_shared, tx_corpus)``.
      key: random key of the run.
      shared_attention: put the attention into the shared subtree.
      numeric: the corpora with numbers.
    """
    tx_shared, tx_corpus = optimizers
    init = _make_init(model, shared_attention)
    shared, _, _ = init(key)
    corpora = {}
    for number, (name, weight) in enumerate(class_weights.items()):
        _, params, stats = init(jax.random.fold_in(key, number))
        mask = jnp.arange(model.classes) < labels[name]
        own = jnp.array(name in numeric) if numeric else None
        opt_state = tx_corpus.init(params)
        corpora[name] = Corpus(params, stats, opt_state, mask, jnp.asarray(weight), numeric=own)
    return EmoState(Shared(shared, tx_shared.init(shared)), corpora, step=0)


@functools.lru_cache(maxsize=8)
def _make_init(
    model: SpeechNetwork, shared_attention: bool
) -> Callable[[jax.Array], tuple[Params, Params, Params]]:
    return jax.jit(
        lambda key: init_network(model, key, shared_attention),
        compiler_options=_UNOPTIMISED.get(here().platform),
    )


def check_finite(state: EmoState) -> None:
    """Raise a FloatingPointError if a number of a state is not finite.

    The loss of the next step would show it, but there may be none.
    """
    if not all(map(_all_finite, (state.shared, *state.corpora.values()))):
        raise FloatingPointError(
            f"a number of the network is not finite after step {state.step}; train again with "
            "smaller learning_rates"
        )


_all_finite = jax.jit(all_finite)
