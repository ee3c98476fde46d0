"""Two real processes are one run: over gloo, with the checkpoints and the devel UAR of a single process."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emojax.checkpoints import read_manifest
from emojax.training import processes
from emojax.training.predict import load_networks

ROOT = Path(__file__).parents[2]
SETTINGS = ("corpora", "data_dir", "width", "depth", "batch_size", "window_s")


def free_port():
    with socket.socket() as server:
        server.bind(("localhost", 0))
        return server.getsockname()[1]


def command(config, workdir, *flags):
    settings = [f"--config.{name}={config[name]}" for name in SETTINGS]
    settings += [
        "--config.learning_rates=(0.1,)",
        "--config.rounds_per_phase=2",
        "--config.eval_every_rounds=1",
        "--config.fast_conv=off",
    ]
    return [sys.executable, "train.py", "--config=configs/base.py", f"--workdir={workdir}", *settings, *flags]


@pytest.mark.parametrize("sampling", ["round_robin", "synchronous"])
def test_two_processes_train_what_one_trains(sampling, tiny_config, tiny_paths, tmp_path):
    order = f"--config.sampling={sampling}"
    one, two = tmp_path / "one", tmp_path / "two"
    done = subprocess.run(
        command(tiny_config, one, order), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    flags = [order, f"--coordinator=localhost:{free_port()}", "--processes=2"]
    started = [
        subprocess.Popen(
            command(tiny_config, two, *flags, f"--process={number}"),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in (0, 1)
    ]
    outputs = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], outputs
    assert "windows in s" in outputs[0]
    assert "windows in s" not in outputs[1]
    lines = [(folder / "metrics.jsonl").read_text().splitlines() for folder in (one, two)]
    for ours, theirs in zip(*[map(json.loads, own) for own in lines], strict=True):
        assert ours["step"] == theirs["step"]
        assert ours["loss/mean"] == pytest.approx(theirs["loss/mean"], abs=1e-3)
    assert read_manifest(one, "latest")["step"] == read_manifest(two, "latest")["step"] == 4
    networks = [load_networks(folder, state="latest")[2] for folder in (one, two)]
    for name in networks[0]:
        weights = [own[name].shared["conv"]["kernel"] for own in networks]
        np.testing.assert_allclose(*weights, atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", 2, 0), "need --coordinator"),
        (("localhost:1", None, 0), "every process needs the number of all of them"),
        (("localhost:1", 2, 2), "every process needs the number of all of them"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        processes.join(*arguments)
