import numpy as np
import pytest

from emojax.data.feeds import HostFeed
from emojax.data.partitioned import open_corpora
from emojax.training.run import make_layout
from emojax.training.train_state import EmoState


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
