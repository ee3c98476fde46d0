r"""Adapt a trained model to new recordings in minutes: only adapters, norms and head are trained.

python train.py --config=configs/adapt.py --workdir=runs/calls \
        --config.corpora=calls=calls/labels.csv
"""

import ml_collections

from configs import multi_corpus


def get_config() -> ml_collections.ConfigDict:
    """Return the settings; they differ from configs/multi_corpus.py in a few values."""
    config = multi_corpus.get_config()
    config.corpora = ""
    config.transfer = "adapters"
    config.base = "emojax-small"  # or the folder of a run or of another published model
    config.rounds_per_phase = 100
    return config
