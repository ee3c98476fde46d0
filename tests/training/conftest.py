import numpy as np
import pytest

from emojax.data.feeds import DeviceFeed, HostFeed
from emojax.data.partitioned import open_corpora
from emojax.training.round_robin import RoundRobin
from emojax.training.run import make_layout, make_manifest, make_run
from emojax.training.train_state import EmoState


@pytest.fixture(scope="session")
def tiny_corpora(tiny_config, tiny_paths):
    return open_corpora(tiny_paths, **vars(tiny_config.data))


@pytest.fixture(scope="session")
def parts(tiny_corpora):
    return {name: corpus.load("train") for name, corpus in tiny_corpora.items()}


@pytest.fixture(scope="session")
def beginning(tiny_config, tiny_corpora, parts):
    """Manifest and state of a run before its first step; tests only read them."""
    manifest = make_manifest(tiny_config, tiny_corpora)
    layout = make_layout(tiny_config, len(tiny_corpora))
    return manifest, make_run(tiny_config, manifest, parts, DeviceFeed.batch, layout).state


@pytest.fixture
def begin(tiny_config, parts):
    """Begins rounds of a network that is never asked; the step is one that changes nothing."""

    def step(shared, stacks, data, plans, rates, windows):
        return shared, stacks, np.concatenate(rates)

    def begin(schedules, done=0, windows=None, feed=HostFeed, **settings):
        config = tiny_config.replace(**settings)
        state = EmoState(np.zeros(1), {name: np.zeros(1) for name in parts}, done)
        lengths = {name: part.lengths for name, part in parts.items()}
        return RoundRobin(
            config,
            lengths,
            feed(parts),
            windows or dict.fromkeys(parts, 16_000),
            step,
            make_layout(config, 1),
            state,
            schedules,
        )

    return begin
