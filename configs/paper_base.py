r"""The paper's base network of single-task transfer: one corpus, with adapters (section 5.2.2).

python train.py --config=configs/paper_base.py --workdir=runs/paper_base_iemocap --config.corpora=iemocap
"""

import ml_collections

from configs import paper_scratch


def get_config() -> ml_collections.ConfigDict:
    """The settings that differ from configs/paper_scratch.py."""
    config = paper_scratch.get_config()
    config.corpora = "iemocap"
    config.adapters = True
    return config
