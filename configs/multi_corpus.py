r"""One network on seven corpora, in under 90 minutes on two cores, at half the paper's width.

python train.py --config=configs/multi_corpus.py --workdir=runs/multi_corpus \
        --config.source_dir=CORPORA
"""

import ml_collections

from configs import base


def get_config() -> ml_collections.ConfigDict:
    """Return the settings; they differ from configs/base.py in a few values."""
    config = base.get_config()
    config.width = 16
    config.window_s = 2.0  # random crops of at most 2 s
    # In so few rounds, these give a better devel UAR than the paper's 0.1 and 0.01.
    config.learning_rates = (0.03, 0.003)
    config.rounds_per_phase = 150
    return config
