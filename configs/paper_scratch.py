"""The paper's ResNet from scratch on one corpus; patience ends a phase (section 4.3).

python train.py --config=configs/paper_scratch.py --workdir=runs/paper_scratch_emodb --config.corpora=emodb
"""

import ml_collections

from configs import base


def get_config() -> ml_collections.ConfigDict:
    """The settings that differ from configs/base.py."""
    config = base.get_config()
    config.corpora = "emodb"
    config.adapters = False
    config.patience_epochs = 50
    config.rounds_per_phase = 100_000  # the paper has no limit; patience ends a phase long before
    return config
