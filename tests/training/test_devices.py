"""Simulated devices give the loss and the parameters of one.

Every step begins at the first state: over several steps, training itself enlarges rounding errors.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = """
import sys, jax, numpy as np
from emojax.data.feeds import DeviceFeed
from emojax.data.prepared import Recordings
from emojax.data.sampling import draw
from emojax.models.adapter_resnet import AdapterResNet
from emojax.training import devices, optim
from emojax.training.state import init_state
from emojax.training.steps import Plan, make_train_steps, stack_corpora

assert len(jax.devices()) == int(sys.argv[1])
tx = (optim.sgd(0.9, 1e-6),) * 2
model = AdapterResNet(classes=3, width=4, depth=1)
steps = make_train_steps(model, tx, jax.random.key(1), DeviceFeed.batch)
random = np.random.default_rng(0)
clips = [random.normal(0, 3_000, random.integers(4_000, 16_000)).astype(np.int16) for _ in range(30)]
part = Recordings(clips, random.integers(0, 3, 30).astype(np.int32))
feed = DeviceFeed({"a": part})
layout = devices.make_layout()
data = devices.place(feed.data, layout.everywhere)
losses, leaves = [], []
for turn in range(3):
    state = init_state(model, {"a": np.ones(3, np.float32)}, {"a": 3}, tx, jax.random.key(0))
    rows = feed.rows([draw(part.lengths, 16_000, 8, 0, 0, turn)], 16_000)
    plan = Plan(np.array([turn]), np.zeros(1, int), np.zeros(1, int), devices.place(rows, layout.rows))
    shared, corpora = devices.place((state.shared, stack_corpora([state.corpora["a"]])), layout.everywhere)
    shared, corpora, loss = steps(shared, corpora, data, plan, 0.1, windows=(16_000,))
    losses.append(float(loss[0]))
    leaves += jax.tree.leaves((shared.params, corpora.params, corpora.stats))
np.savez(sys.argv[2], *leaves, losses=np.array(losses))
try:
    devices.check_batch_size(7, layout)
    print("split 7 rows")
except ValueError as error:
    print(error)
"""


def run_on(count, path):
    environment = {
        **os.environ,
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={count}",
        "JAX_PLATFORMS": "cpu",
    }
    script = [sys.executable, "-c", SCRIPT, str(count), str(path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(script, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return np.load(path), done.stdout


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return run_on(1, tmp_path_factory.mktemp("one") / "one.npz")[0]


@pytest.mark.parametrize("count", [2, 4])
def test_several_devices_give_the_loss_of_one(count, one, tmp_path):
    several, output = run_on(count, tmp_path / "several.npz")
    assert set(one) == set(several)
    for name in one:
        np.testing.assert_allclose(several[name], one[name], rtol=0, atol=1e-5, err_msg=name)
    assert f"cannot be split over {count} devices" in output
