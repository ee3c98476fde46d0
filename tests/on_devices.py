"""Script of ``test_sharding.py``: ``on_devices.py FOLDER``, on one and four simulated devices.

With ``ADDRESS NUMBER`` behind it, as one of two processes that find each other there, a device in
each.

Every call begins at the first state: over several calls, training itself enlarges rounding errors.
"""

import functools
import operator
import sys
from pathlib import Path

import jax
import numpy as np
from jax.experimental import multihost_utils
from minimal_manifest import MANIFEST

from emojax.checkpoints import Checkpoints, from_newest
from emojax.data.batches import make_batch
from emojax.data.feeds import DeviceFeed
from emojax.data.prepared import Recordings
from emojax.data.sampling import sample_clips
from emojax.inference.network import make_split_forward
from emojax.models.adapter_resnet import AdapterResNet
from emojax.multihost import is_first, join
from emojax.sharding import make_layout, place
from emojax.training.train_state import init_state
from emojax.training.train_step import (
    Plan,
    make_synchronous_rounds,
    make_train_steps,
    stack_corpora,
)
from emojax.training.transfer import sgd

WINDOW, BATCH_SIZE, CLASSES = 16_000, 8, 3
SGD = (sgd(0.9, 1e-6),) * 2
MODEL = AdapterResNet(CLASSES, width=4, depth=1, trim_db=25.0, fast_conv=False)


def recordings(seed):
    random = np.random.default_rng(seed)
    clips = [
        random.normal(0, 3_000, random.integers(4_000, WINDOW)).astype(np.int16) for _ in range(30)
    ]
    return Recordings(clips, random.integers(0, CLASSES, 30).astype(np.int32))


TRAIN = {"a": recordings(0), "b": recordings(1)}


@functools.cache
def first_state():
    """The shared subtree and the stacked corpora before the first step, in the host's memory."""
    weights = dict.fromkeys(TRAIN, np.ones(CLASSES, np.float32))
    state = init_state(MODEL, weights, dict.fromkeys(TRAIN, CLASSES), SGD, jax.random.key(0))
    return jax.device_get((state.shared, stack_corpora([*state.corpora.values()])))


def after(layout, steps, turn, *corpora, windows=(WINDOW,), rate=0.1):
    """Return losses and parameters of a call with a step on each corpus of each window."""
    shared, stacked = first_state()
    put = functools.partial(place, sharding=layout.everywhere)
    feed, parts = DeviceFeed(TRAIN, put), list(TRAIN.values())
    plans = []
    for own, window in zip(corpora, windows, strict=True):
        drawn = [
            sample_clips(parts[corpus].lengths, window, BATCH_SIZE, 0, corpus, turn)
            for corpus in own
        ]
        rows = place(feed.rows(drawn, window), layout.rows)
        plans.append(Plan(turn + np.arange(len(own)), np.array(own), rows))
    stacks = [place(stacked, layout.corpora) for _ in windows]
    rates = [np.full(len(own), rate, np.float32) for own in corpora]
    shared, stacks, losses = steps(put(shared), stacks, feed.data, plans, rates, windows=windows)
    trained = [(stack.params, stack.stats) for stack in stacks]
    return {"shared": shared.params, "corpora": trained, "losses": losses}


def answers(layout):
    """Embeddings and logits of as many clips as a batch has."""
    shared, stacked = first_state()
    corpus = jax.tree.map(operator.itemgetter(0), stacked)
    clips = TRAIN["a"].samples[:BATCH_SIZE]
    batch = make_batch(clips, np.zeros(len(clips), np.int32), BATCH_SIZE)
    split = place(batch.audio, layout.all_rows)
    assert len(split.addressable_shards[0].data) == BATCH_SIZE // layout.mesh.size
    network = shared.params, corpus.params, corpus.stats, corpus.class_mask
    return make_split_forward(MODEL, layout)(*place(network, layout.everywhere), batch)


def hand_over(workdir, shared, layout):
    """Save, or find in the checkpoint of another number of devices what is nearly the same."""
    if not workdir.exists():
        checkpoints = Checkpoints(workdir)
        checkpoints.save(0, {"best": {"shared": shared}}, MANIFEST)
        checkpoints.close()
    like = jax.tree.map(lambda leaf: jax.device_put(leaf, layout.everywhere), shared)
    restored = from_newest(workdir, lambda one: one.restore("best", {"shared": like}))["shared"]
    for ours, theirs in zip(jax.tree.leaves(shared), jax.tree.leaves(restored), strict=True):
        assert theirs.sharding.is_equivalent_to(layout.everywhere, theirs.ndim)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


@functools.cache
def steps():
    """The jitted call that trains in turn."""
    return make_train_steps(MODEL, SGD, jax.random.key(1), DeviceFeed.batch)


def trained(count=None):
    """The layouts in turn and side by side on so many devices, and what calls on both train."""
    in_turn, side_by_side = (make_layout(corpora, count) for corpora in (1, len(TRAIN)))
    rounds = make_synchronous_rounds(
        MODEL, SGD, jax.random.key(1), DeviceFeed.batch, mesh=side_by_side.mesh
    )
    trees = {
        "a": after(in_turn, steps(), 0, [0]),
        "b": after(in_turn, steps(), 1, [1]),
        "together": after(side_by_side, rounds, 2, [0, 1]),
    }
    return in_turn, side_by_side, trees


def run_on(count, folder):
    """Train and answer on so many devices; writes ``COUNT.npz``."""
    in_turn, side_by_side, trees = trained(count)
    assert dict(side_by_side.mesh.shape) == {"corpus": min(count, 2), "batch": max(count // 2, 1)}
    trees["answers"] = answers(side_by_side)
    # As accelerators take it; each step enlarges the rounding errors of those before.
    trees["round"] = after(
        in_turn, steps(), 3, [1], [0, 1], windows=(WINDOW // 2, WINDOW), rate=0.001
    )
    write(trees, folder / f"{count}.npz")
    hand_over(folder / "handed_over", trees["a"]["shared"], in_turn)


def run_in_two_processes(folder, address, number):
    """Train in turn and side by side on the devices of both; writes ``processes.npz``."""
    join(address, 2, number)
    in_turn, _, trees = trained()
    assert in_turn.mesh.size == 2 > len(in_turn.mesh.local_devices)
    trees = multihost_utils.process_allgather(trees, tiled=True)  # each has a corpus of its own
    if is_first():
        write(trees, folder / "processes.npz")


def write(trees, path):
    """Write all leaves, by their places."""
    leaves = jax.tree_util.tree_leaves_with_path(trees)
    np.savez(path, **{jax.tree_util.keystr(where): np.asarray(leaf) for where, leaf in leaves})


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        run_in_two_processes(folder, sys.argv[2], int(sys.argv[3]))
    else:
        for count in (1, 4):
            run_on(count, folder)
