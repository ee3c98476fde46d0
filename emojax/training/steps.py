"""The two jitted functions of a run: a training step and a forward pass."""

from __future__ import annotations

import functools
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

TrainStep = Callable[[Shared, Corpus, Batch, int], tuple[Shared, Corpus, jax.Array]]
Augment = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]
Forward = Callable[[Params, Params, Params, jax.Array, Batch], Output]


def make_train_step(
    model: AdapterResNet,
    optimizers: tuple[optax.GradientTransformation, optax.GradientTransformation],
    learning_rate: Callable[[jax.Array], jax.Array],
    key: jax.Array,
    augment: Augment = lambda mel, frames, key: mel,
) -> TrainStep:
    """The step that updates ``shared`` and the corpus in hand, and nothing else.

    Args:
      model: the network.
      optimizers: ``(tx_shared, tx_corpus)``, without a learning rate.
      learning_rate: of a step.
      key: of the run; each step folds its number in, so nothing random needs a checkpoint.
      augment: ``(mel, frames, key) -> mel`` of a training batch.

    Returns:
      ``train_step(shared, corpus, batch, step) -> shared, corpus, loss``; the first two are donated.
    """
    tx_shared, tx_corpus = optimizers

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def train_step(shared: Shared, corpus: Corpus, batch: Batch, step):
        mel, frames = _front_end(batch)
        key_dropout, key_augment = jax.random.split(jax.random.fold_in(key, step))
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
        rate = learning_rate(step)
        new_shared = Shared(*_update(tx_shared, grad_shared, shared, rate))
        params, opt_state = _update(tx_corpus, grad_corpus, corpus, rate)
        new_corpus = Corpus(params, stats, opt_state, corpus.class_mask, corpus.class_weight)
        return new_shared, new_corpus, loss

    return train_step


def _update(tx: optax.GradientTransformation, gradient: Params, part: Shared | Corpus, rate: jax.Array):
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
