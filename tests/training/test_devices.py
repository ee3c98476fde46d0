"""Simulated devices give the loss and the parameters of one, in both training orders."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).with_name("on_devices.py")


def run_on(count, path):
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={count}",
        "JAX_PLATFORMS": "cpu",
    }
    script = [sys.executable, str(SCRIPT), str(count), str(path)]
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
    assert str({"corpus": 2, "batch": count // 2}) in output
    assert set(one) == set(several)
    for name in one:
        np.testing.assert_allclose(several[name], one[name], rtol=0, atol=1e-5, err_msg=name)
    assert f"cannot be split over {count} devices" in output
