"""A run that is stopped at any moment resumes, and ends like an uninterrupted one, to the bit."""

import functools
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import jax
import numpy as np
import orbax.checkpoint as ocp

from emojax.checkpoints import from_newest, read_manifest

ROOT = Path(__file__).parents[2]


def steps_written(workdir) -> list[int]:
    path = workdir / "metrics.jsonl"
    return (
        [json.loads(line)["step"] for line in path.read_text().splitlines()]
        if path.exists()
        else []
    )


def trees_of(workdir, kind):
    """All that is saved of a state."""

    folder = from_newest(workdir, lambda checkpoint: checkpoint.path)
    read = ocp.Checkpointer(ocp.PyTreeCheckpointHandler()).restore
    return {item.name: jax.tree.map(np.asarray, read(item)) for item in folder.glob(f"{kind}-*")}


def stop(command, number, evaluations, workdir):
    """Start or resume a run, and stop it after some evaluations; return its status and output."""
    log = workdir / "log.txt"
    with open(log, "w") as output:
        at_a_terminal = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=output, preexec_fn=at_a_terminal
        )
        while process.poll() is None and len(steps_written(workdir)) < evaluations:
            time.sleep(0.01)
        process.send_signal(number)
        process.wait(timeout=120)
    return process.returncode, log.read_text()


def test_stopped_three_times_and_resumed_is_bitwise_uninterrupted(
    tiny_command, tiny_paths, tiny_run, tmp_path
):
    for number, evaluations in ((signal.SIGTERM, 1), (signal.SIGINT, 2)):
        status, said = stop(tiny_command(tmp_path), number, evaluations, tmp_path)
        assert status == os.EX_TEMPFAIL, said
        assert "the same command goes on from here" in said
        assert "Traceback" not in said
    stop(tiny_command(tmp_path), signal.SIGKILL, 4, tmp_path)
    assert steps_written(tmp_path)[-1] < steps_written(tiny_run)[-1]

    finished = subprocess.run(
        tiny_command(tmp_path), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert steps_written(tmp_path) == steps_written(tiny_run)
    ours, theirs = read_manifest(tmp_path), read_manifest(tiny_run)
    assert (ours["step"], ours["best_step"]) == (theirs["step"], theirs["best_step"])
    for kind in ("latest", "best"):
        assert jax.tree.all(
            jax.tree.map(np.array_equal, trees_of(tmp_path, kind), trees_of(tiny_run, kind))
        )
