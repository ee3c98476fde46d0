r"""Adapt a trained model to new recordings in minutes.

python train.py --config=configs/adapt.py --workdir=runs/calls \
        --config.corpora=calls=calls/labels.csv
"""

import ml_collections

from configs import multi_corpus
from emojax.training.recipe import ADAPT


def get_config() -> ml_collections.ConfigDict:
    """Return the settings: the recipe, which ``emojax.sklearn`` has too, and a run's other ones."""
    config = multi_corpus.get_config()
    config.corpora = ""
    config.update(ADAPT)
    return config
