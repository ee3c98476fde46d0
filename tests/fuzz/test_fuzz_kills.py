"""Commands that are stopped at random moments, more often with ``--fuzz-rounds=N``, end alike."""

import csv
import itertools
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest

from emojax.checkpoints import from_newest

ROOT = Path(__file__).parents[2]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT)


def pipeline(folder, sources):
    """The commands that prepare, train and score, all below a folder."""
    corpora = ",".join(f"{name}={sources / name}" for name in ("tones", "levels"))
    settings = {
        "corpora": corpora,
        "data_dir": folder / "data",
        "width": 4,
        "depth": 1,
        "batch_size": 8,
        "window_s": 1.0,
        "rounds_per_phase": 4,
        "eval_every_rounds": 2,
    }
    workdir = f"--workdir={folder / 'run'}"
    flags = [f"--config.{name}={value}" for name, value in settings.items()]
    return [
        [sys.executable, "-m", "datasets", corpora, f"--data_dir={folder / 'data'}"],
        [sys.executable, "train.py", "--config=configs/base.py", workdir, *flags],
        [sys.executable, "evaluate.py", workdir],
    ]


def run(command, stop_after_s=None, number=signal.SIGKILL):
    """Run a command; it gets a signal if it takes longer. Returns its status and its seconds."""
    begin_s = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        said = process.communicate(timeout=stop_after_s)[1]
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        said = process.communicate(timeout=120)[1]
    # An interrupt that meets a callback of the garbage collector is lost there, which Python says.
    assert "Traceback" not in said or said.startswith("Exception ignored in"), said
    return process.returncode, time.monotonic() - begin_s


def remains(folder):
    """What the commands left: tables, scores and every number of both states."""
    tables = sorted((folder / "data").glob("*/*/*/clips.csv"))
    clips = [list(csv.reader(path.open(newline=""))) for path in tables]
    results = json.loads((folder / "run" / "results.json").read_text())
    checkpoint = from_newest(folder / "run", lambda found: found)
    read = ocp.Checkpointer(ocp.PyTreeCheckpointHandler()).restore
    items = {item.name: read(item) for item in sorted(checkpoint.path.glob("*-*"))}
    predictions = (folder / "run" / "predictions.csv").read_text()
    return clips, results["corpora"], predictions, jax.tree.map(np.asarray, items)


@pytest.fixture(scope="module")
def whole(tiny_sources, tmp_path_factory):
    """A pipeline that nobody stopped, and the seconds that each command took."""
    folder = tmp_path_factory.mktemp("whole")
    done = [run(command) for command in pipeline(folder, tiny_sources)]
    assert [status for status, _ in done] == [0, 0, 0]
    return remains(folder), [seconds for _, seconds in done]


@pytest.fixture(scope="module", autouse=True)
def only_when_asked(fuzz_rounds):
    if fuzz_rounds == 1:
        pytest.skip("minutes; --fuzz-rounds=13 stops 39 commands (test_resume.py stops a few)")


def test_stopped_at_random_moments_the_end_is_the_same(whole, tiny_sources, tmp_path, fuzz_rounds):
    expected, took_s = whole
    dice = np.random.default_rng(fuzz_rounds)
    commands = pipeline(tmp_path, tiny_sources)
    numbers = itertools.cycle(SIGNALS)
    for command, whole_s in zip(commands, took_s, strict=True):
        for _ in range(fuzz_rounds):
            # Before a second has passed, Python itself is still starting.
            run(command, dice.uniform(1.0, whole_s), next(numbers))
        assert run(command)[0] == 0
        # A killed command leaves nothing half-prepared once the next one has ended.
        assert not list(tmp_path.rglob("incomplete.*"))
    clips, corpora, predictions, items = remains(tmp_path)
    assert clips == expected[0]
    assert corpora == expected[1]
    assert predictions == expected[2]
    assert jax.tree.all(jax.tree.map(np.array_equal, items, expected[3]))
