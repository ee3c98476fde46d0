"""Training step, and jitted calls of many steps: corpora in turn, or side by side."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from emojax.data.batches import Batch, waveforms
from emojax.models.speech_network import SpeechNetwork
from emojax.models.subtrees import join
from emojax.training.averages import follow
from emojax.training.flat_corpora import FlatCorpora, flatten, index, put, stacked, take
from emojax.training.loss_scale import value_and_grad
from emojax.training.targets import loss_of, make_targets
from emojax.training.train_state import Corpus, Shared

Optimizers = tuple[optax.GradientTransformation, optax.GradientTransformation]
TrainSteps = Callable[..., tuple[Shared, list[Corpus], jax.Array]]
BatchOf = Callable[[Any, Any, int], Batch]
Part = TypeVar("Part", Shared, Corpus)


def train_step(
    shared: Shared,
    corpus: Corpus,
    batch: Batch,
    key: jax.Array,
    rate: jax.Array | float,
    *,
    model: SpeechNetwork,
    optimizers: Optimizers,
    augment: Mapping[str, float] = {},
    label_smoothing: float = 0.0,
    mixup: float = 0.0,
    average_decay: float = 0.0,
    frozen_trunk: bool = False,
) -> tuple[Shared, Corpus, jax.Array]:
    """Take one step on a batch of one corpus; update ``shared`` and that corpus, nothing else.

    Args:
      shared: the shared subtree and its optimizer's state.
      corpus: the subtree of the batch's corpus.
      batch: clips of that corpus.
      key: random key of this step.
      rate: the learning rate, f32 scalar.
      model: the network.
      optimizers: ``(tx_shared, tx_corpus)``, without a learning rate.
      augment: settings of the network's augmentation.
      label_smoothing: see :func:`emojax.training.losses.weighted_cross_entropy`.
      mixup: ``alpha`` of :func:`emojax.training.mixup.mix`; 0 for none.
      average_decay: see :func:`emojax.training.averages.follow`.
      frozen_trunk: do not update ``shared``.

    Returns:
      both updated parts, and the loss, f32 scalar.
    """
    key_dropout, key_augment = jax.random.split(key)
    features, length = model.features(waveforms(batch), jnp.asarray(batch.length))
    inputs = model.augment(features, length, key_augment, **augment)
    inputs, targets = make_targets(inputs, batch, key, mixup)

    def loss_fn(shared_params, corpus_params):
        output, updated = model.apply(
            {"params": join(shared_params, corpus_params), "stats": corpus.stats},
            *inputs,
            corpus.class_mask,
            train=True,
            rngs={"dropout": key_dropout},
            mutable=["stats"],
        )
        loss = loss_of(output.logits, targets, corpus, label_smoothing)
        return loss, updated.get("stats", {})

    grad_fn = value_and_grad(loss_fn, model.compute_dtype)
    (loss, stats), (grad_shared, grad_corpus) = grad_fn(shared.params, corpus.params)
    tx_shared, tx_corpus = optimizers
    if not frozen_trunk:
        shared = follow(_apply_gradients(tx_shared, grad_shared, shared, rate), average_decay)
    corpus = _apply_gradients(tx_corpus, grad_corpus, corpus, rate)
    corpus = dataclasses.replace(corpus, stats=stats)
    return shared, follow(corpus, average_decay), loss


def _apply_gradients(tx: optax.GradientTransformation, grads, part: Part, rate) -> Part:
    updates, opt_state = tx.update(grads, part.opt_state, part.params)
    params = jax.tree.map(lambda param, update: param - rate * update, part.params, updates)
    return dataclasses.replace(part, params=params, opt_state=opt_state)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Plan:
    """Plan of S successive steps with one window.

    Attributes:
      step: i32 ``[S]``, number of each step's random key.
      corpus: i32 ``[S]``, index of each step's corpus in the stack.
      rows: the feed's input for the steps, a pytree of ``[S, B, ...]``.
    """

    step: jax.Array | np.ndarray
    corpus: jax.Array | np.ndarray
    rows: Any


def make_train_steps(
    model: SpeechNetwork,
    optimizers: Optimizers,
    key: jax.Array,
    batch_of: BatchOf,
    one_step: Callable = train_step,
    *,
    flat: bool = False,
) -> TrainSteps:
    """Make the jitted call that takes successive steps.

    Args:
      model: the network.
      optimizers: as for :func:`train_step`.
      key: random key of the run; each step folds in its number, so no random state is saved.
      batch_of: ``batch`` of a :class:`emojax.data.feeds.Feed`.
      one_step: :func:`train_step`, with its augmentation and label smoothing.
      flat: take and put back a corpus as one vector (:mod:`emojax.training.flat_corpora`).

    Returns:
      ``train_steps(shared, stacks, data, plans, rates, windows) -> shared, stacks, losses``: a
      stack is a :class:`Corpus` whose leaves have a first axis of corpora. Each stack has a
      :class:`Plan`, f32 ``[S]`` learning rates of its steps, and a window in samples; the stacks
      are trained one after the other. ``data`` is the feed's. ``shared`` and the stacks are
      donated.
    """
    one_step = functools.partial(one_step, model=model, optimizers=optimizers)

    @functools.partial(jax.jit, donate_argnums=(0, 1), static_argnames="windows")
    def train_steps(
        shared: Shared, stacks: Sequence[Corpus], data, plans: Sequence[Plan], rates, windows
    ):
        def step(window: int, carry: tuple[Shared, Corpus | FlatCorpora], given):
            (shared, corpora), (plan, rate) = carry, given
            batch, key_step = batch_of(data, plan.rows, window), jax.random.fold_in(key, plan.step)
            shared, corpus, loss = one_step(
                shared, take(corpora, plan.corpus), batch, key_step, rate
            )
            return (shared, put(corpora, corpus, plan.corpus)), loss

        trained, losses = [], []
        for corpora, *given, window in zip(stacks, plans, rates, windows, strict=True):
            begin = shared, flatten(corpora) if flat else corpora
            (shared, corpora), loss = _scan(functools.partial(step, window), begin, given)
            trained.append(stacked(corpora))
            losses.append(loss)
        return shared, trained, jnp.concatenate(losses)

    return train_steps


def _scan(step: Callable, carry, given: list):
    """Scan over the steps; a single step has no loop, which would double its time on a CPU."""
    *_, rates = given
    if len(rates) > 1:
        return jax.lax.scan(step, carry, given)
    carry, loss = step(carry, index(given, 0))
    return carry, loss[None]


def make_synchronous_rounds(
    model: SpeechNetwork,
    optimizers: Optimizers,
    key: jax.Array,
    batch_of: BatchOf,
    one_step: Callable = train_step,
    *,
    mesh: Mesh,
    average_decay: float = 0.0,
) -> TrainSteps:
    """Make the jitted call of a round: all corpora side by side, with one update of ``shared``.

    The corpora and their subtrees are spread over the mesh's axis ``"corpus"``, and their gradients
    for ``shared`` are summed. The paper instead trains the corpora one after the other.

    The other arguments and the result are those of :func:`make_train_steps`. There is one stack and
    one window; the plan has one step of every corpus, in the order of the stack.
    """
    tx_shared, tx_corpus = optimizers
    summing = _sum_gradients(), tx_corpus
    one_step = functools.partial(one_step, model=model, optimizers=summing)

    @functools.partial(jax.jit, donate_argnums=(0, 1), static_argnames="windows")
    def round_(
        shared: Shared, stacks: Sequence[Corpus], data, plans: Sequence[Plan], rates, windows
    ):
        rate = rates[0][0]  # all steps are of one round

        def local(params, corpora: Corpus, data, plan: Plan, rate):
            def step(summed: Shared, own: tuple[Corpus, Plan]):
                corpus, plan = own
                batch, key_step = (
                    batch_of(data, plan.rows, *windows),
                    jax.random.fold_in(key, plan.step),
                )
                summed, corpus, loss = one_step(summed, corpus, batch, key_step, rate)
                return summed, (corpus, loss)

            summed = Shared(params, jax.tree.map(jnp.zeros_like, params))
            summed, (corpora, losses) = jax.lax.scan(step, summed, (corpora, plan))
            return jax.lax.psum(summed.opt_state, "corpus"), corpora, losses

        copied, spread = PartitionSpec(), PartitionSpec("corpus")
        grads, corpora, losses = jax.shard_map(
            local,
            mesh=mesh,
            in_specs=(copied, spread, copied, spread, copied),
            out_specs=(copied, spread, spread),
            axis_names={"corpus"},  # the rows of a batch are split as usual
            check_vma=False,
        )(shared.params, stacks[0], data, plans[0], rate)
        # Copy the losses to every process.
        losses = jax.lax.with_sharding_constraint(losses, NamedSharding(mesh, copied))
        shared = follow(_apply_gradients(tx_shared, grads, shared, rate), average_decay)
        return shared, [corpora], losses

    return round_


def _sum_gradients() -> optax.GradientTransformation:
    """Make an optimizer that sums all gradients in its state and updates nothing."""

    def update(grads, total, params=None):
        return jax.tree.map(jnp.zeros_like, grads), jax.tree.map(jnp.add, total, grads)

    return optax.GradientTransformation(lambda params: jax.tree.map(jnp.zeros_like, params), update)


def stack_corpora(corpora: Sequence[Corpus]) -> Corpus:
    """Stack corpora along a new first axis."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *corpora)


def unstack_corpora(stacked: Corpus, count: int) -> tuple[Corpus, ...]:
    """Split the result of :func:`stack_corpora` into its corpora."""
    return tuple(index(stacked, i) for i in range(count))
