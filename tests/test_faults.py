"""A fault of a person or a machine: one line, a status that says so, and nothing half-written."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TRAIN = ["train.py", "--config=configs/scratch.py"]
DATASETS = ["-m", "datasets"]
EXPERIMENTS = ["-m", "emojax.experiments"]


@pytest.fixture
def places(tmp_path, tiny_sources, tiny_run, tiny_config):
    """Where things are: what the table's arguments name in braces."""
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    return {
        "gone": tmp_path / "gone",
        "file": tmp_path / "file",
        "picture": tmp_path / "picture.csv",
        "new": tmp_path / "new",
        "tones": tiny_sources / "tones",
        "run": tiny_run,
        "data": tiny_config.paths.data_dir,
    }


def start(arguments, places, **options):
    command = [sys.executable, *(argument.format(**places) for argument in arguments)]
    options = {"preexec_fn": as_at_a_terminal, **options}
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, **options)


def as_at_a_terminal():
    """Whoever runs the tests in the background has Ctrl-C ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def check(process, name, said, tmp_path):
    lines = [line for line in said.splitlines() if line.startswith(f"{name}: ")]
    assert process.returncode != 0
    assert "Traceback" not in said
    assert len(lines) == 1, said
    left = [
        path for path in tmp_path.rglob("*") if ".draft" in path.name or "incomplete." in path.name
    ]
    assert not left
    return lines[0]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        # What is not there.
        ("train.py", [*TRAIN, "--workdir={new}", "--config.corpora=a={gone}"], "gone"),
        ("baseline.py", ["baseline.py", "--corpora=a={gone}", "--data_dir={new}"], "gone"),
        ("compare.py", ["compare.py", "--workdirs={gone},{run}"], "gone: there is no such folder"),
        ("datasets", [*DATASETS, "a={gone}", "--data_dir={new}"], "gone"),
        ("experiments", [*EXPERIMENTS, "statistics", "--data_dir={gone}", "--out={new}"], "gone"),
        # A file where a folder is meant, or something else than a table.
        (
            "train.py",
            [
                *TRAIN,
                "--workdir={file}",
                "--config.corpora=tones={tones}",
                "--config.data_dir={data}",
            ],
            "file",
        ),
        ("datasets", [*DATASETS, "a={tones}", "--data_dir={file}"], "file"),
        ("datasets", [*DATASETS, "a={picture}", "--data_dir={new}"], "picture.csv"),
        ("experiments", [*EXPERIMENTS, "statistics", "--data_dir={data}", "--out={file}"], "file"),
    ],
)
def test_what_is_not_as_it_should_be_is_named(name, arguments, message, places, tmp_path):
    process = start(arguments, places)
    said = process.communicate(timeout=300)[1]
    assert message in check(process, name, said, tmp_path)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("datasets", [*DATASETS, "a={tones}", "--data_dir={new}"]),
        ("evaluate.py", ["evaluate.py", "--workdir={run}", "--part=devel"]),
    ],
)
def test_a_full_disk_is_said_in_one_line(name, arguments, places, tmp_path):
    def fill():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that a write fails as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))

    # Python would leave half of its bytecode, which the next process would run.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    process = start(arguments, places, preexec_fn=fill, env=environment)
    said = process.communicate(timeout=300)[1]
    check(process, name, said, tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_says_that_it_can_go_on(number, places, tmp_path):
    process = start([*DATASETS, "a={tones}", "--data_dir={new}"], places)
    while not list(tmp_path.rglob("incomplete.*")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    said = process.communicate(timeout=300)[1]
    assert "stopped" in check(process, "datasets", said, tmp_path)
    assert process.returncode == os.EX_TEMPFAIL
