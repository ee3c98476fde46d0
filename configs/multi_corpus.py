"""One network over seven corpora, in under 90 minutes on two cores: half the paper's width, two short phases.

python train.py --config=configs/multi_corpus.py --workdir=runs/multi_corpus
--config.source_dir=CORPORA
"""

import ml_collections

from configs import base


def get_config() -> ml_collections.ConfigDict:
    """The settings that differ from configs/base.py."""
    config = base.get_config()
    config.width = 16
    config.window_s = 2.0  # random chunks of 2 s at most
    config.learning_rates = (
        0.03,
        0.003,
    )  # in so few rounds devel prefers them to the paper's 0.1 and 0.01
    config.rounds_per_phase = 150
    return config
