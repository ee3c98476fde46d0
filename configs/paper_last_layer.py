r"""The paper's tuning of the head alone, from a learning rate of 0.01 (section 5.2.2).

python train.py --config=configs/paper_last_layer.py --workdir=runs/paper_last_layer_emodb \
        --config.base=runs/paper_scratch_iemocap --config.base_corpus=iemocap --config.corpora=emodb
"""

import ml_collections

from configs import paper_adapters


def get_config() -> ml_collections.ConfigDict:
    """The settings that differ from configs/paper_adapters.py."""
    config = paper_adapters.get_config()
    config.transfer = "last_layer"
    config.learning_rates = (0.01, 0.001)
    return config
