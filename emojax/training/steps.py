"""The jitted functions of a run: training steps, one after the other or side by side, and a forward pass."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from emojax.audio.log_mel import frame_count, log_mel, standardise
from emojax.data.batches import Batch, waveforms
from emojax.models.adapter_resnet import AdapterResNet, Output
from emojax.models.subtrees import Params, join
from emojax.training.devices import Layout, place_rows
from emojax.training.losses import weighted_cross_entropy
from emojax.training.state import Corpus, Shared

Optimizers = tuple[optax.GradientTransformation, optax.GradientTransformation]
TrainSteps = Callable[..., tuple[Shared, list[Corpus], jax.Array]]
TuneStep = Callable[..., tuple[tuple[Corpus, ...], jax.Array]]
Augment = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]
Tree = TypeVar("Tree")
BatchOf = Callable[[Any, Any, int], Batch]
Forward = Callable[[Params, Params, Params, jax.Array, Batch], Output]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Plan:
    """Successive steps of one window, S of them.

    Attributes:
      step: i32 ``[S]``, their numbers in the run.
      corpus: i32 ``[S]``, where the corpus of each is among the stacked ones.
      rows: what the feed sends along, a pytree of ``[S, B, ...]``.
    """

    step: jax.Array | np.ndarray
    corpus: jax.Array | np.ndarray
    rows: Any


def _as_it_is(mel: jax.Array, frames: jax.Array, key: jax.Array) -> jax.Array:
    return mel


def make_train_steps(
    model: AdapterResNet,
    optimizers: Optimizers,
    key: jax.Array,
    batch_of: BatchOf,
    augment: Augment = _as_it_is,
) -> TrainSteps:
    """Successive steps in one call, each of which updates ``shared`` and its corpus, and nothing else.

    Args:
      model: the network.
      optimizers: ``(tx_shared, tx_corpus)``, without a learning rate.
      key: of the run; each step folds its number in, so nothing random needs a checkpoint.
      batch_of: of a :class:`emojax.data.feeds.Feed`.
      augment: ``(mel, frames, key) -> mel`` of a training batch.

    Returns:
      ``train_steps(shared, stacks, data, plans, rate, windows) -> shared, stacks, losses``: a stack is one
      :class:`Corpus` whose leaves have a first axis of corpora; for each there is a :class:`Plan` and a
      window in samples, and they come one after the other.  ``data`` is the feed's.  ``shared`` and the
      stacks are donated.
    """
    gradients = _make_gradients(model, augment)
    tx_shared, tx_corpus = optimizers

    @functools.partial(jax.jit, donate_argnums=(0, 1), static_argnames="windows")
    def train_steps(shared: Shared, stacks: Sequence[Corpus], data, plans: Sequence[Plan], rate, windows):
        def step(window: int, carry: tuple[Shared, Corpus], one: Plan):
            shared, corpora = carry
            corpus, batch = _taken(corpora, one.corpus), batch_of(data, one.rows, window)
            key_step = jax.random.fold_in(key, one.step)
            loss, stats, grad_shared, grad_corpus = gradients(shared, corpus, batch, key_step)
            corpus = _updated_corpus(tx_corpus, grad_corpus, corpus, stats, rate)
            put = functools.partial(jax.lax.dynamic_update_index_in_dim, index=one.corpus, axis=0)
            shared = Shared(*_update(tx_shared, grad_shared, shared, rate))
            return (shared, jax.tree.map(put, corpora, corpus)), loss

        trained, losses = [], []
        for corpora, plan, window in zip(stacks, plans, windows, strict=True):
            (shared, corpora), loss = _scan(functools.partial(step, window), (shared, corpora), plan)
            trained.append(corpora)
            losses.append(loss)
        return shared, trained, jnp.concatenate(losses)

    return train_steps


def _scan(step: Callable, carry, plan: Plan):
    """``jax.lax.scan``, but without a loop for a single step: on CPUs a step takes twice as long in one."""
    if len(plan.step) > 1:
        return jax.lax.scan(step, carry, plan)
    carry, loss = step(carry, _taken(plan, 0))
    return carry, loss[None]


def _taken(stacked: Tree, number) -> Tree:
    return jax.tree.map(operator.itemgetter(number), stacked)


def make_synchronous_rounds(
    model: AdapterResNet,
    optimizers: Optimizers,
    key: jax.Array,
    batch_of: BatchOf,
    augment: Augment = _as_it_is,
    *,
    mesh: Mesh,
) -> TrainSteps:
    """A round in one call, of all corpora side by side: they share one update of ``shared``.

    The corpora are spread over the mesh's axis ``"corpus"``, where their subtrees live, and their gradients
    for ``shared`` are summed.  Another training order than the paper's, whose steps come one after the other.

    The other arguments, and the function returned, are those of :func:`make_train_steps`; there is one stack
    and one window, and the plan has one step of every corpus, in the order of the stack.
    """
    gradients = _make_gradients(model, augment)
    tx_shared, tx_corpus = optimizers

    @functools.partial(jax.jit, donate_argnums=(0, 1), static_argnames="windows")
    def round_(shared: Shared, stacks: Sequence[Corpus], data, plans: Sequence[Plan], rate, windows):
        def local(shared: Shared, corpora: Corpus, data, plan: Plan, rate):
            def step(total: Params, own: tuple[Corpus, Plan]):
                corpus, one = own
                batch, key_step = batch_of(data, one.rows, *windows), jax.random.fold_in(key, one.step)
                loss, stats, grad_shared, grad_corpus = gradients(shared, corpus, batch, key_step)
                corpus = _updated_corpus(tx_corpus, grad_corpus, corpus, stats, rate)
                return jax.tree.map(jnp.add, total, grad_shared), (corpus, loss)

            nothing = jax.tree.map(jnp.zeros_like, shared.params)
            total, (corpora, losses) = jax.lax.scan(step, nothing, (corpora, plan))
            return jax.lax.psum(total, "corpus"), corpora, losses

        copied, spread = PartitionSpec(), PartitionSpec("corpus")
        grad_shared, corpora, losses = jax.shard_map(
            local,
            mesh=mesh,
            in_specs=(copied, spread, copied, spread, copied),
            out_specs=(copied, spread, spread),
            axis_names={"corpus"},  # the rows of a batch are split as in any other step
            check_vma=False,
        )(shared, stacks[0], data, plans[0], rate)
        losses = jax.lax.with_sharding_constraint(
            losses, NamedSharding(mesh, copied)
        )  # whoever asks has them
        return Shared(*_update(tx_shared, grad_shared, shared, rate)), [corpora], losses

    return round_


def make_tune_step(
    model: AdapterResNet,
    optimizers: Optimizers,
    key: jax.Array,
    batch_of: BatchOf,
    augment: Augment = _as_it_is,
) -> TuneStep:
    """The step that updates several corpora at once over a shared subtree that stays as it is.

    The arguments are those of :func:`make_train_steps`; the first optimizer leaves the shared subtree alone.

    Returns:
      ``tune_step(shared, corpora, data, rows, numbers, rounds, rates, window) -> corpora, losses``:
      ``corpora`` is a tuple of G, donated; ``rows`` have a first axis G; ``numbers`` (of each corpus in the
      run) and ``rounds`` are i32 ``[G]``, ``rates`` f32 ``[G]``.
    """
    gradients, (_, tx_corpus) = _make_gradients(model, augment), optimizers

    @functools.partial(jax.jit, donate_argnums=1, static_argnames="window")
    def tune_step(shared: Shared, corpora: tuple[Corpus, ...], data, rows, numbers, rounds, rates, window):
        def one(corpus, rows, number, round_, rate):
            key_step = jax.random.fold_in(jax.random.fold_in(key, number), round_)
            loss, stats, _, gradient = gradients(shared, corpus, batch_of(data, rows, window), key_step)
            return _updated_corpus(tx_corpus, gradient, corpus, stats, rate), loss

        stacked, losses = jax.vmap(one)(stack_corpora(corpora), rows, numbers, rounds, rates)
        return unstack_corpora(stacked, len(corpora)), losses

    return tune_step


def stack_corpora(corpora: Sequence[Corpus]) -> Corpus:
    """Corpora as one, with a first axis of corpora."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *corpora)


def unstack_corpora(stacked: Corpus, count: int) -> tuple[Corpus, ...]:
    """The corpora that :func:`stack_corpora` put together."""
    return tuple(_taken(stacked, i) for i in range(count))


def _make_gradients(model: AdapterResNet, augment: Augment) -> Callable:
    def gradients(shared: Shared, corpus: Corpus, batch: Batch, key: jax.Array):
        mel, frames = front_end(batch)
        key_dropout, key_augment = jax.random.split(key)
        mel = augment(mel, frames, key_augment)

        def loss_of(shared_params, corpus_params):
            variables = {"params": join(shared_params, corpus_params), "stats": corpus.stats}
            output, updated = model.apply(
                variables,
                mel,
                frames,
                corpus.class_mask,
                train=True,
                rngs={"dropout": key_dropout},
                mutable=["stats"],
            )
            loss = weighted_cross_entropy(output.logits, jnp.asarray(batch.label), corpus.class_weight)
            return loss, updated["stats"]

        gradient = jax.value_and_grad(loss_of, argnums=(0, 1), has_aux=True)
        (loss, stats), (grad_shared, grad_corpus) = gradient(shared.params, corpus.params)
        return loss, stats, grad_shared, grad_corpus

    return gradients


def _updated_corpus(
    tx: optax.GradientTransformation, gradient: Params, corpus: Corpus, stats: Params, rate
) -> Corpus:
    params, opt_state = _update(tx, gradient, corpus, rate)
    return dataclasses.replace(corpus, params=params, stats=stats, opt_state=opt_state)


def _update(tx: optax.GradientTransformation, gradient: Params, part: Shared | Corpus, rate):
    updates, opt_state = tx.update(gradient, part.opt_state, part.params)
    params = jax.tree.map(lambda param, update: param - rate * update, part.params, updates)
    return params, opt_state


def make_forward(model: AdapterResNet) -> Forward:
    """``forward(shared_params, corpus_params, stats, class_mask, batch) -> Output``, jitted."""

    @jax.jit
    def forward(shared, corpus, stats, class_mask, batch: Batch) -> Output:
        mel, frames = front_end(batch)
        variables = {"params": join(shared, corpus), "stats": stats}
        return cast(Output, model.apply(variables, mel, frames, class_mask, train=False))

    return forward


def make_split_forward(model: AdapterResNet, layout: Layout) -> Forward:
    """As :func:`make_forward`; the devices have their share of the rows, where these can be split evenly."""
    forward = make_forward(model)
    if layout.mesh.size == 1:
        return forward
    # So that every process has all answers.
    gather = jax.jit(lambda output: output, out_shardings=layout.everywhere)

    def split_forward(shared, corpus, stats, class_mask, batch: Batch) -> Output:
        if isinstance(batch.length, np.ndarray):
            batch = place_rows(batch, layout)
        return gather(forward(shared, corpus, stats, class_mask, batch))

    return split_forward


def front_end(batch: Batch) -> tuple[jax.Array, jax.Array]:
    """What the network is given of a batch: standardised log-mel f32 ``[B, F, M]``, frames i32 ``[B]``."""
    frames = frame_count(jnp.asarray(batch.length))
    return standardise(log_mel(waveforms(batch)), frames), frames
