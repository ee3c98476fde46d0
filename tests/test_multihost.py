"""Two real processes make one run over gloo, with the checkpoints of a single process."""

import fcntl
import subprocess
from pathlib import Path

import pytest

from emojax.checkpoints import read_manifest
from emojax.inference.network import load_networks
from emojax.multihost import join

ROOT = Path(__file__).parents[1]


def run(*commands):
    """Start the processes of a run; their exit codes and what they said."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    started = [subprocess.Popen(command, cwd=ROOT, **pipes) for command in commands]
    outputs = [process.communicate(timeout=300)[0] for process in started]
    return [process.returncode for process in started], outputs


def two(command, workdir, address):
    flags = [f"--coordinator={address}", "--processes=2"]
    return [command(workdir, *flags, f"--process={number}") for number in (0, 1)]


def test_two_processes_train_what_one_trains(
    tiny_command, tiny_paths, tiny_run, free_address, tmp_path, metrics
):
    codes, outputs = run(*two(tiny_command, tmp_path, free_address()))
    assert codes == [0, 0], outputs
    assert ["windows in s" in output for output in outputs] == [True, False]
    ours, theirs = metrics(tmp_path), metrics(tiny_run)
    assert [line["step"] for line in ours] == [line["step"] for line in theirs]
    # Later, training itself has enlarged rounding errors.
    assert ours[0]["loss/mean"] == pytest.approx(theirs[0]["loss/mean"], abs=1e-3)
    assert read_manifest(tmp_path)["schedules"].keys() == {"all"}
    assert set(load_networks(tmp_path).networks) == {"tones", "levels"}


def test_what_stops_one_process_stops_all(tiny_command, tiny_paths, free_address, tmp_path):
    with open(tmp_path / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        codes, outputs = run(*two(tiny_command, tmp_path, free_address()))
    assert codes == [1, 1]
    assert all("another process trains here" in output for output in outputs)


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
        join(*arguments)
