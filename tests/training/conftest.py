import json
import socket
import sys

import numpy as np
import pytest

from emojax.data.feeds import HostFeed
from emojax.data.partitioned import open_corpora
from emojax.training.run import make_layout
from emojax.training.train_state import EmoState


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


@pytest.fixture
def parts(tiny_config, tiny_paths):
    corpora = open_corpora(tiny_paths, **vars(tiny_config.data))
    return {name: corpus.load("train") for name, corpus in corpora.items()}


@pytest.fixture
def begin(tiny_config, parts):
    """Begins rounds of a kind, of a network that is never asked."""

    def begin(kind, step, schedules, done=0, windows=None, **settings):
        config = tiny_config.replace(**settings)
        feed = HostFeed(parts)
        state = EmoState(np.zeros(1), {name: np.zeros(1) for name in parts}, done)
        lengths = {name: part.lengths for name, part in parts.items()}
        return kind(
            config,
            lengths,
            feed,
            windows or dict.fromkeys(parts, 16_000),
            step,
            make_layout(config, 1),
            state,
            schedules,
        )

    return begin


@pytest.fixture
def tiny_command(tiny_config):
    """Makes the command that trains what ``tiny_run`` is, in a work directory, with flags."""
    changed = ("corpora", "data_dir", "width", "depth", "batch_size", "window_s")
    changed += ("rounds_per_phase", "eval_every_rounds")
    settings = [f"--config.{name}={tiny_config.flat()[name]}" for name in changed]

    def command(workdir, *flags):
        begin = [sys.executable, "train.py", "--config=configs/base.py", f"--workdir={workdir}"]
        return [*begin, *settings, *flags]

    return command
