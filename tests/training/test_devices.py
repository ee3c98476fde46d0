"""Two simulated devices give the loss and the parameters of one.

Every step begins at the first state: over several steps, training itself enlarges rounding errors.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

SCRIPT = """
import sys, jax, numpy as np
from emojax.data.batches import Batch
from emojax.models.adapter_resnet import AdapterResNet
from emojax.training import devices, optim
from emojax.training.rounds import advance
from emojax.training.state import init_state
from emojax.training.steps import make_train_step

assert len(jax.devices()) == int(sys.argv[1])
tx = (optim.sgd(0.9, 1e-6),) * 2
model = AdapterResNet(classes=3, width=4, depth=1)
step = make_train_step(model, tx, jax.random.key(1))
random = np.random.default_rng(0)
losses, leaves = [], []
for _ in range(3):
    state = init_state(model, {"a": np.ones(3, np.float32)}, {"a": 3}, tx, jax.random.key(0))
    length = random.integers(4_000, 16_000, 8).astype(np.int32)
    audio = random.normal(0, 0.1, (8, 16_000)).astype(np.float32) * (np.arange(16_000) < length[:, None])
    batch = devices.shard(Batch(audio.astype(np.float32), length, random.integers(0, 3, 8).astype(np.int32)))
    state, loss = advance(step, devices.replicate(state), "a", batch, 0.1)
    losses.append(float(loss))
    leaves += jax.tree.leaves((state.shared.params, state.corpora["a"].params, state.corpora["a"].stats))
np.savez(sys.argv[2], *leaves, losses=np.array(losses))
try:
    devices.shard(Batch(audio[:7], length[:7], length[:7]))
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


def test_two_devices_give_the_loss_of_one(tmp_path):
    one, _ = run_on(1, tmp_path / "one.npz")
    two, output = run_on(2, tmp_path / "two.npz")
    assert set(one) == set(two)
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=0, atol=1e-5, err_msg=name)
    assert "cannot be split over 2 devices" in output
