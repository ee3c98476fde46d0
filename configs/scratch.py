"""One corpus alone, without adapters (section 4.3): the baseline of configs/multi_corpus.py, in its budget.

python train.py --config=configs/scratch.py --workdir=runs/scratch_emodb --config.corpora=emodb \
        --config.source_dir=CORPORA
"""

import ml_collections

from configs import multi_corpus


def get_config() -> ml_collections.ConfigDict:
    """The settings that differ from configs/multi_corpus.py."""
    config = multi_corpus.get_config()
    config.corpora = "emodb"
    config.adapters = False
    return config
