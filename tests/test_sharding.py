"""Several devices, simulated or of two real processes, give the loss and the parameters of one."""

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from emojax.sharding import check_batch_size

SCRIPT = Path(__file__).with_name("on_devices.py")
ROOT = Path(__file__).parents[1]


# Unoptimised programs of several devices lose a thousandth of the gradient.
FLAGS = "--xla_force_host_platform_device_count="


def start(*arguments, devices):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "XLA_FLAGS": f"{FLAGS}{devices}",
        "JAX_PLATFORMS": "cpu",
    }
    script = [sys.executable, str(SCRIPT), *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(script, env=environment, cwd=ROOT, **pipes)


@pytest.fixture(scope="module")
def results(free_address, tmp_path_factory):
    """What one and four simulated devices give, by their number, and two real processes."""
    folder, address = tmp_path_factory.mktemp("devices"), free_address()
    started = [
        start(folder, devices=4),
        start(folder, address, 0, devices=1),
        start(folder, address, 1, devices=1),
    ]
    try:
        outputs = [process.communicate(timeout=600)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 0, 0], outputs
    return {name: np.load(folder / f"{name}.npz") for name in (1, 4, "processes")}


def test_four_devices_give_the_loss_of_one(results):
    one, several = results[1], results[4]
    assert {name.split("'")[1] for name in several} >= {"a", "b", "answers", "together"}
    for name in several:
        np.testing.assert_allclose(several[name], one[name], rtol=0, atol=1e-5, err_msg=name)


def test_two_processes_give_the_loss_of_one(results):
    assert any(name.startswith("['a']['corpora']") for name in results["processes"])
    for name, leaf in results["processes"].items():
        np.testing.assert_allclose(leaf, results[1][name], rtol=0, atol=1e-5, err_msg=name)


def test_a_batch_that_cannot_be_split_is_refused():
    layout = types.SimpleNamespace(mesh=types.SimpleNamespace(shape={"batch": 4}))
    with pytest.raises(ValueError, match="a batch of 7 clips cannot be split over 4 devices"):
        check_batch_size(7, layout)
