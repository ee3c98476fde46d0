"""Training on four small synthetic corpora, in about two minutes on two cores.

python train.py && python evaluate.py
"""

import ml_collections

from configs import base


def get_config() -> ml_collections.ConfigDict:
    """Return the settings; they differ from configs/base.py in a few values."""
    config = base.get_config()
    config.corpora = "synthetic"
    config.depth = 1
    config.batch_size = 32
    config.window_s = 1.0
    config.rounds_per_phase = 24
    config.eval_every_rounds = 8
    return config
