import dataclasses
import functools
from itertools import chain

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.data.batches import Batch
from emojax.data.feeds import HostFeed
from emojax.models.adapter_resnet import AdapterResNet
from emojax.models.cnn_lstm import CnnLstm
from emojax.models.fusion import Fusion
from emojax.training.train_state import EmoState, init_state
from emojax.training.train_step import (
    Plan,
    make_train_steps,
    stack_corpora,
    train_step,
    unstack_corpora,
)
from emojax.training.transfer import frozen, make_optimizers, sgd

CLASSES = {"a": 2, "b": 3, "c": 4, "d": 5, "e": 6, "f": 7}
# The forms that are fast on CPUs take longer to compile, and have tests of their own.
MODEL = AdapterResNet(classes=7, width=4, depth=1, fast_conv=False)
SGD = sgd(0.9, 1e-6)


@functools.cache
def first_state():
    """The state before the first step, in the host's memory."""
    weights = dict.fromkeys(CLASSES, np.ones(7, np.float32))
    return numpy_of(init_state(MODEL, weights, CLASSES, (SGD, SGD), jax.random.key(0)))


@functools.cache
def steps_of(tx_shared):
    """The jitted call, compiled once for all tests."""
    return make_train_steps(MODEL, (tx_shared, SGD), jax.random.key(1), HostFeed.batch)


def fresh(tx_shared=SGD):
    state = jax.tree.map(jnp.array, first_state())  # copies, as every call takes its arrays
    shared = dataclasses.replace(state.shared, opt_state=tx_shared.init(state.shared.params))
    return dataclasses.replace(state, shared=shared), steps_of(tx_shared)


def advance(train_steps, state, names, batches, rate=0.1):
    """The state after a step on each of ``names`` in one call, and the losses."""
    order = list(state.corpora)
    plan = Plan(
        state.step + np.arange(len(names)),
        np.array([order.index(name) for name in names]),
        jax.tree.map(lambda *leaves: np.stack(leaves), *batches),
    )
    stacks, windows = [stack_corpora([*state.corpora.values()])], (batches[0].audio.shape[-1],)
    shared, (stacked,), losses = train_steps(
        state.shared, stacks, (), [plan], [np.resize(rate, len(names))], windows=windows
    )
    corpora = dict(zip(order, unstack_corpora(stacked, len(order)), strict=True))
    return EmoState(shared, corpora, state.step + len(names)), losses


def batch_of(classes, seed=0):
    random = np.random.default_rng(seed)
    audio = random.normal(0, 3_000, (8, 8_000)).astype(np.int16)
    return Batch(
        audio, np.full(8, 8_000, np.int32), random.integers(0, classes, 8).astype(np.int32)
    )


def numpy_of(tree):
    return jax.tree.map(np.array, tree)


def equal(a, b):
    return jax.tree.all(jax.tree.map(lambda x, y: np.array_equal(x, y), a, b))


def test_a_step_updates_shared_and_its_corpus_and_nothing_else():
    state, train_steps = fresh()
    before = numpy_of((state.shared.params, state.corpora))
    after, _ = advance(train_steps, state, ["c"], [batch_of(4)])
    assert not equal(after.shared.params, before[0])
    for name, corpus in after.corpora.items():
        assert equal(corpus, before[1][name]) == (name != "c")


def test_one_trace_serves_six_corpora_of_different_class_counts():
    state, _ = fresh()
    once = chex.assert_max_traces(train_step, n=1)
    train_steps = make_train_steps(MODEL, (SGD, SGD), jax.random.key(1), HostFeed.batch, once)
    for rate in (0.1, 0.01):
        for name, classes in CLASSES.items():
            state, losses = advance(train_steps, state, [name], [batch_of(classes)], rate)
            assert np.isfinite(losses).all()


def test_one_trace_serves_corpora_of_labels_and_of_numbers():
    classes = {"a": 2, "b": 3, "numbers": 2, "one": 1}
    weights = {name: np.full(7, name in "ab", np.float32) for name in classes}
    state = init_state(
        MODEL, weights, classes, (SGD, SGD), jax.random.key(0), numeric={"numbers", "one"}
    )
    once = chex.assert_max_traces(train_step, n=1)
    train_steps = make_train_steps(MODEL, (SGD, SGD), jax.random.key(1), HostFeed.batch, once)
    numbers = np.random.default_rng(1).normal(size=(8, 2)).astype(np.float32)
    for name, count in classes.items():
        own = numbers * (np.arange(2) < count) * (name not in "ab")
        batch = dataclasses.replace(batch_of(count), numbers=own.astype(np.float32))
        losses = []
        for _ in range(8):
            state, loss = advance(train_steps, state, [name], [batch], 0.02)
            losses.append(float(loss[0]))
        assert np.isfinite(losses).all()
        if name not in "ab":
            assert 0 <= min(losses) <= losses[0] <= 2  # 1 - CCC
        assert np.mean(losses[4:]) < np.mean(losses[:4])


LSTM = {"conv_features": 4, "lstm_units": 3, "dense_units": 5, "adapter_rank": 2}
OTHERS = (
    CnnLstm(classes=7, **LSTM),
    Fusion(classes=7, width=4, depth=1, fast_conv=False, **LSTM),
)


@pytest.mark.parametrize("model", OTHERS, ids=lambda model: type(model).__name__)
def test_other_networks_take_the_same_step_in_one_trace(model):
    chex.clear_trace_counter()  # another network was traced before
    weights = dict.fromkeys(CLASSES, np.ones(7, np.float32))
    state = init_state(model, weights, CLASSES, (SGD, SGD), jax.random.key(0))
    once = chex.assert_max_traces(train_step, n=1)
    train_steps = make_train_steps(model, (SGD, SGD), jax.random.key(1), HostFeed.batch, once)
    before = numpy_of((state.shared.params, state.corpora))
    after, losses = advance(train_steps, state, ["a"], [batch_of(2)])
    assert np.isfinite(losses).all()
    assert not equal(after.shared.params, before[0])
    assert not equal(after.corpora["a"], before[1]["a"])
    assert equal(after.corpora["b"], before[1]["b"])
    for name, classes in CLASSES.items():
        after, losses = advance(train_steps, after, [name], [batch_of(classes)])
        assert np.isfinite(losses).all()


def test_with_everything_on_a_step_stays_finite():
    on = {"frequency_warp": 0.12, "tempo": 0.15, "colour_db": 6.0, "noise_share": 0.1}
    on |= {"telephone": 0.5}
    step = functools.partial(
        train_step,
        model=MODEL.clone(attention_deviation=True),
        optimizers=(SGD, SGD),
        augment={**on, "masked_mels": 8, "masked_share": 0.2},
        label_smoothing=0.1,
        mixup=0.2,
    )
    weights = {"a": np.ones(7, np.float32)}
    state = init_state(
        MODEL.clone(attention_deviation=True), weights, CLASSES, (SGD, SGD), jax.random.key(0)
    )
    batch = batch_of(2)
    batch = dataclasses.replace(
        batch,
        audio=batch.audio * (np.arange(8) != 2)[:, None].astype(np.int16),  # one is silent
        length=np.array([8_000] * 5 + [3_000, 1, 0], np.int32),
    )
    after = jax.jit(step)(state.shared, state.corpora["a"], batch, jax.random.key(0), 0.1)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(after))


def test_many_steps_in_one_call_are_those_steps_stack_after_stack():
    stacked, windows = [["a", "c"], ["f"]], (8_000, 4_000)
    order = [["c", "a", "c"], ["f"]]
    batches = [[batch_of(CLASSES[name], seed) for seed, name in enumerate(own)] for own in order]
    (long,) = batches[1]
    batches[1] = [Batch(long.audio[:, :4_000], np.full(8, 4_000, np.int32), long.label)]
    state, train_steps = fresh()
    stacks = [stack_corpora([state.corpora[name] for name in own]) for own in stacked]
    plans = [
        Plan(
            first + np.arange(len(own)),
            np.array([names.index(name) for name in own]),
            jax.tree.map(lambda *leaves: np.stack(leaves), *some),
        )
        for first, names, own, some in zip((0, 3), stacked, order, batches, strict=True)
    ]
    rate = 1e-3  # each step enlarges the rounding errors of those before
    rates = [np.full(len(own), rate) for own in order]
    shared, stacks, losses = train_steps(state.shared, stacks, (), plans, rates, windows=windows)
    state, _ = fresh()
    for name, batch, expected in zip(chain(*order), chain(*batches), losses, strict=True):
        state, loss = advance(train_steps, state, [name], [batch], rate)
        np.testing.assert_allclose(loss, [expected], rtol=1e-5)
    alone = state.shared, *(stack_corpora([state.corpora[name] for name in own]) for own in stacked)
    for one, other in zip(jax.tree.leaves((shared, *stacks)), jax.tree.leaves(alone), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def flops(mode, tiny_config):
    """Floating-point operations of a step of a mode of transfer."""
    config = tiny_config.replace(transfer=mode, base="runs/base")
    optimizers = make_optimizers(config.transfer, config.train)
    norms = mode == "last_layer"
    model = MODEL.clone(frozen_kernels=True, frozen_norms=norms)
    step = functools.partial(train_step, model=model, optimizers=optimizers)
    shared, corpus = (
        dataclasses.replace(part, opt_state=tx.init(part.params))
        for part, tx in zip(
            (first_state().shared, first_state().corpora["a"]), optimizers, strict=True
        )
    )
    lowered = jax.jit(step).lower(shared, corpus, batch_of(2), jax.random.key(0), 0.1)
    return lowered.cost_analysis()["flops"]


def test_what_is_frozen_has_no_gradient(tiny_config):
    adapters, norms, last_layer = (
        flops(mode, tiny_config) for mode in ("adapters", "norms", "last_layer")
    )
    assert last_layer < norms < adapters


def test_what_is_trained_is_donated():
    state, train_steps = fresh()
    stacked = stack_corpora([*state.corpora.values()])
    plan = Plan(*[np.zeros(1, int)] * 2, jax.tree.map(lambda leaf: leaf[None], batch_of(2)))
    train_steps(state.shared, [stacked], (), [plan], [np.full(1, 0.1)], windows=(8_000,))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves((state.shared, stacked.params)))


def test_class_weights_change_the_gradient():
    # EmoNet computed them and never used them in multi-corpus training.
    after = []
    for weights in ([1.0, 1.0], [5.0, 0.2]):
        state, train_steps = fresh()
        own = dataclasses.replace(state.corpora["a"], class_weight=jnp.array(weights + [1.0] * 5))
        state = dataclasses.replace(state, corpora={**state.corpora, "a": own})
        after.append(numpy_of(advance(train_steps, state, ["a"], [batch_of(2)])[0].shared.params))
    assert not equal(*after)


def test_frozen_means_frozen():
    state, train_steps = fresh(frozen())
    before = numpy_of(state.shared.params)
    after, _ = advance(train_steps, state, ["c"], [batch_of(4)])
    assert equal(after.shared.params, before)


def test_each_step_has_a_rate_of_its_own():
    before, train_steps = fresh()
    batches = [batch_of(4), batch_of(5)]
    kept = numpy_of((before.corpora["c"].params, before.corpora["d"].params))
    after, _ = advance(train_steps, before, ["c", "d"], batches, rate=[0.0, 0.1])
    assert equal(after.corpora["c"].params, kept[0])
    assert not equal(after.corpora["d"].params, kept[1])


def test_training_learns():
    state, train_steps = fresh()
    losses = []
    for _ in range(30):
        state, loss = advance(train_steps, state, ["b"], [batch_of(3)])
        losses.append(float(loss[0]))
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_a_step_is_a_function_of_its_number():
    results = []
    for step in (3, 3, 4):
        state, train_steps = fresh()
        state = dataclasses.replace(state, step=step)
        _, loss = advance(train_steps, state, ["a"], [batch_of(2)])
        results.append(float(loss[0]))
    assert results[0] == results[1] != results[2]  # the dropout of another step is another
