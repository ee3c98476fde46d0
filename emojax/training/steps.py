"""The jitted functions of a run: a training step, for one corpus or several, and a forward pass."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import cast

import jax
import jax.numpy as jnp
import optax

from emojax.audio.log_mel import frame_count, log_mel, standardise
from emojax.data.batches import Batch
from emojax.models.adapter_resnet import AdapterResNet, Output
from emojax.models.subtrees import Params, join
from emojax.training.losses import weighted_cross_entropy
from emojax.training.state import Corpus, Shared

Optimizers = tuple[optax.GradientTransformation, optax.GradientTransformation]
TrainStep = Callable[[Shared, Corpus, Batch, int, float], tuple[Shared, Corpus, jax.Array]]
TuneStep = Callable[..., tuple[tuple[Corpus, ...], jax.Array]]
Augment = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]
Forward = Callable[[Params, Params, Params, jax.Array, Batch], Output]


def _as_it_is(mel: jax.Array, frames: jax.Array, key: jax.Array) -> jax.Array:
    return mel


def make_train_step(
    model: AdapterResNet, optimizers: Optimizers, key: jax.Array, augment: Augment = _as_it_is
) -> TrainStep:
    """The step that updates ``shared`` and the corpus in hand, and nothing else.

    Args:
      model: the network.
      optimizers: ``(tx_shared, tx_corpus)``, without a learning rate.
      key: of the run; each step folds its number in, so nothing random needs a checkpoint.
      augment: ``(mel, frames, key) -> mel`` of a training batch.

    Returns:
      ``train_step(shared, corpus, batch, step, rate) -> shared, corpus, loss``; the first two are donated.
    """
    update = _make_update(model, optimizers, augment)

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def train_step(shared: Shared, corpus: Corpus, batch: Batch, step, rate):
        return update(shared, corpus, batch, jax.random.fold_in(key, step), rate)

    return train_step


def make_tune_step(
    model: AdapterResNet, optimizers: Optimizers, key: jax.Array, augment: Augment = _as_it_is
) -> TuneStep:
    """The step that updates several corpora at once over a shared subtree that stays as it is.

    Args:
      model: the network.
      optimizers: ``(tx_shared, tx_corpus)``; the first one leaves the shared subtree alone.
      key: of the run.
      augment: see :func:`make_train_step`.

    Returns:
      ``tune_step(shared, corpora, batch, numbers, rounds, rates) -> corpora, losses``: ``corpora`` is a tuple
      of G, donated; ``batch`` has a first axis G; ``numbers`` (of each corpus in the run) and ``rounds`` are
      i32 ``[G]``, ``rates`` f32 ``[G]``.
    """
    update = _make_update(model, optimizers, augment)

    @functools.partial(jax.jit, donate_argnums=1)
    def tune_step(shared: Shared, corpora: tuple[Corpus, ...], batch: Batch, numbers, rounds, rates):
        def one(corpus, batch, number, round_, rate):
            key_step = jax.random.fold_in(jax.random.fold_in(key, number), round_)
            _, corpus, loss = update(shared, corpus, batch, key_step, rate)
            return corpus, loss

        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *corpora)
        stacked, losses = jax.vmap(one)(stacked, batch, numbers, rounds, rates)
        return tuple(jax.tree.map(operator.itemgetter(i), stacked) for i in range(len(corpora))), losses

    return tune_step


def _make_update(model: AdapterResNet, optimizers: Optimizers, augment: Augment) -> Callable:
    tx_shared, tx_corpus = optimizers

    def update(shared: Shared, corpus: Corpus, batch: Batch, key: jax.Array, rate):
        mel, frames = _front_end(batch)
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
        new_shared = Shared(*_update(tx_shared, grad_shared, shared, rate))
        params, opt_state = _update(tx_corpus, grad_corpus, corpus, rate)
        return new_shared, Corpus(params, stats, opt_state, corpus.class_mask, corpus.class_weight), loss

    return update


def _update(tx: optax.GradientTransformation, gradient: Params, part: Shared | Corpus, rate):
    updates, opt_state = tx.update(gradient, part.opt_state, part.params)
    params = jax.tree.map(lambda param, update: param - rate * update, part.params, updates)
    return params, opt_state


def make_forward(model: AdapterResNet) -> Forward:
    """``forward(shared_params, corpus_params, stats, class_mask, batch) -> Output``, jitted."""

    @jax.jit
    def forward(shared, corpus, stats, class_mask, batch: Batch) -> Output:
        mel, frames = _front_end(batch)
        variables = {"params": join(shared, corpus), "stats": stats}
        return cast(Output, model.apply(variables, mel, frames, class_mask, train=False))

    return forward


def _front_end(batch: Batch) -> tuple[jax.Array, jax.Array]:
    frames = frame_count(jnp.asarray(batch.length))
    return standardise(log_mel(jnp.asarray(batch.audio)), frames), frames
