r"""One network on several corpora, at half the paper's width, for two CPU cores.

python train.py --config=configs/multi_corpus.py --workdir=runs/multi_corpus \
        --config.source_dir=CORPORA
"""

import ml_collections

from configs import base


def get_config() -> ml_collections.ConfigDict:
    """Return the settings; they differ from configs/base.py in a few values."""
    config = base.get_config()
    config.width = 16
    config.batch_size = 32
    config.window_s = 2.0  # random crops of at most 2 s
    config.trim_db = 25.0  # without silence at both ends of a clip
    config.learning_rates = (0.05,)
    config.cosine = True
    config.warmup_rounds = 10
    config.rounds_per_phase = 300
    # The rate falls to 0, so the last state need not be chosen: devel is learnt from too.
    config.refit = True
    return config
