"""Simulated devices give the loss and the parameters of one, in both training orders."""

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from emojax.training.devices import check_batch_size

SCRIPT = Path(__file__).with_name("on_devices.py")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What one, two and four simulated devices give, by their number."""
    folder, root = tmp_path_factory.mktemp("devices"), Path(__file__).parents[2]
    environment = {
        **os.environ,
        "PYTHONPATH": str(root),
        "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
        "JAX_PLATFORMS": "cpu",
    }
    script = [sys.executable, str(SCRIPT), str(folder)]
    done = subprocess.run(script, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {count: np.load(folder / f"{count}.npz") for count in (1, 2, 4)}


@pytest.mark.parametrize("count", [2, 4])
def test_several_devices_give_the_loss_of_one(count, results):
    one, several = results[1], results[count]
    assert set(one) == set(several)
    for name in one:
        np.testing.assert_allclose(several[name], one[name], rtol=0, atol=1e-5, err_msg=name)


def test_a_batch_that_cannot_be_split_is_refused():
    layout = types.SimpleNamespace(mesh=types.SimpleNamespace(shape={"batch": 4}))
    with pytest.raises(ValueError, match="a batch of 7 clips cannot be split over 4 devices"):
        check_batch_size(7, layout)
