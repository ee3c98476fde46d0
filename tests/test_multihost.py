"""Two real processes make one run over gloo, with the checkpoints of a single process."""

import fcntl
import os
import subprocess
import time
from pathlib import Path

import pytest

from emojax.checkpoints import read_manifest
from emojax.inference.network import load_networks
from emojax.multihost import join

ROOT = Path(__file__).parents[1]


def start(*commands):
    """Start the processes of a run."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return [subprocess.Popen(command, cwd=ROOT, **pipes) for command in commands]


def end(started):
    """Wait for the processes of a run; their exit codes and what they said."""
    outputs = [process.communicate(timeout=300)[0] for process in started]
    return [process.returncode for process in started], outputs


def run(*commands):
    """The exit codes of the processes of a run, and what they said."""
    return end(start(*commands))


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


def test_two_hosts_of_two_devices_are_gone_on_with_on_one_of_four(
    tiny_command, tiny_paths, tiny_run, free_address, tmp_path, metrics, monkeypatch
):
    flags = os.environ["XLA_FLAGS"]

    def of_devices(count):
        many = f"--xla_force_host_platform_device_count={count}"
        monkeypatch.setenv("XLA_FLAGS", f"{flags} {many}")

    of_devices(2)
    started = start(*two(tiny_command, tmp_path, free_address()))
    while not (tmp_path / "metrics.jsonl").exists() and started[0].poll() is None:
        time.sleep(0.05)
    started[1].terminate()  # the one that writes nothing
    codes, outputs = end(started)
    assert codes == [os.EX_TEMPFAIL] * 2, outputs
    stopped, theirs = metrics(tmp_path), metrics(tiny_run)
    assert 0 < len(stopped) < len(theirs)

    of_devices(4)
    codes, outputs = run(tiny_command(tmp_path))
    assert codes == [0], outputs
    ours = metrics(tmp_path)
    assert ours[: len(stopped)] == stopped
    assert [line["step"] for line in ours] == [line["step"] for line in theirs]
    assert ours[0]["loss/mean"] == pytest.approx(theirs[0]["loss/mean"], abs=1e-3)


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
