r"""Baseline of configs/multi_corpus.py: one corpus, without adapters (section 4.3), same budget.

python train.py --config=configs/scratch.py --workdir=runs/scratch_emodb --config.corpora=emodb \
        --config.source_dir=CORPORA
"""

import ml_collections

from configs import multi_corpus


def get_config() -> ml_collections.ConfigDict:
    """Return the settings; they differ from configs/multi_corpus.py in a few values."""
    config = multi_corpus.get_config()
    config.corpora = "emodb"
    config.adapters = False
    return config
