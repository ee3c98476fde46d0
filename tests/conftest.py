"""Fixtures that more than one room needs."""

import csv
import json
import os
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, settings

# A busy machine may take long for one example.
settings.register_profile("any_speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any_speed")

TINY = {"tones": ("high", "low", "middle"), "levels": ("loud", "soft")}
TINY_SPEAKERS = 5


# They wait for processes of their own, beside which other tests can run.
WAITING = ("test_sharding", "test_resume", "test_multihost")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem not in WAITING)  # so that no core is idle at the end


def pytest_addoption(parser):
    parser.addoption(
        "--fuzz-rounds", type=int, default=1, help="Rounds of each fuzzer; one takes seconds."
    )


@pytest.fixture(scope="session")
def fuzz_rounds(request) -> int:
    """How often each fuzzer does its work."""
    return request.config.getoption("--fuzz-rounds")


@pytest.fixture(scope="session")
def corpora_dir() -> Path:
    """The folder of restored real corpora, or a skip that says how to get them tested."""
    path = os.environ.get("EMOJAX_CORPORA")
    if not path:
        pytest.skip(
            "needs real corpora: set EMOJAX_CORPORA to a folder that holds emodb/, emovo/, ..."
        )
    return Path(path)


@pytest.fixture(scope="session")
def tiny_sources(tmp_path_factory) -> Path:
    """Make two folders of tones with a CSV each: own labels, five speakers, clips of 0.3 to 1 s."""
    root = tmp_path_factory.mktemp("sources")
    random = np.random.default_rng(0)
    for corpus, labels in TINY.items():
        (root / corpus).mkdir()
        rows = [
            (f"{speaker}_{label}_{take}.wav", label, speaker)
            for speaker in range(TINY_SPEAKERS)
            for label in labels
            for take in range(3)
        ]
        for file, label, speaker in rows:
            time_s = np.arange(int(16_000 * random.uniform(0.3, 1.0))) / 16_000
            pitch_hz = {"low": 200, "middle": 800, "high": 3000}.get(label, 500) + 20 * speaker
            tone = 0.2 * np.sin(2 * np.pi * pitch_hz * time_s) * (1 + (label == "loud"))
            noise = random.normal(0, 0.001 + 0.05 * (label == "soft"), len(time_s))
            soundfile.write(root / corpus / file, tone + noise, 16_000, subtype="PCM_16")
        with open(root / corpus / "labels.csv", "w", newline="") as table:
            csv.writer(table).writerows([("file", "label", "speaker"), *rows])
    return root


@pytest.fixture(scope="session")
def tiny_config(tiny_sources, tmp_path_factory):
    """Settings of a run on the tiny corpora that ends within seconds."""
    from configs import base
    from emojax.config import read_config

    return read_config(base.get_config().to_dict()).replace(
        corpora=",".join(f"{name}={tiny_sources / name}" for name in TINY),
        data_dir=str(tmp_path_factory.mktemp("data")),
        width=4,
        depth=1,
        batch_size=8,
        window_s=1.0,
        fast_conv="off",  # the forms that are fast on CPUs take longer to compile
        rounds_per_phase=4,
        eval_every_rounds=2,
    )


@pytest.fixture(scope="session")
def tiny_paths(tiny_config) -> dict[str, Path]:
    """The tiny corpora, prepared."""
    import datasets

    return datasets.prepare(**vars(tiny_config.paths))


@pytest.fixture(scope="session")
def tiny_run(tiny_config, tiny_paths, tmp_path_factory) -> Path:
    """Work directory of a finished run on the tiny corpora; tests only read it."""
    from emojax.training.loop import train

    workdir = tmp_path_factory.mktemp("run")
    train(tiny_config, workdir, tiny_paths)
    return workdir


@pytest.fixture
def tiny_command(tiny_config):
    """Makes the command that trains what ``tiny_run`` is, in a work directory, with flags."""
    changed = ("corpora", "data_dir", "width", "depth", "batch_size", "window_s", "fast_conv")
    changed += ("rounds_per_phase", "eval_every_rounds")
    settings = [f"--config.{name}={tiny_config.flat()[name]}" for name in changed]

    def command(workdir, *flags):
        begin = [sys.executable, "train.py", "--config=configs/base.py", f"--workdir={workdir}"]
        return [*begin, *settings, *flags]

    return command


@pytest.fixture(scope="session")
def free_address():
    """Gives addresses where nobody listens yet."""

    def address():
        with socket.socket() as server:
            server.bind(("localhost", 0))
            return f"localhost:{server.getsockname()[1]}"

    return address


@pytest.fixture(scope="session")
def metrics():
    """Reads what a run noted at each look, a dict each."""

    def metrics(workdir):
        return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]

    return metrics
