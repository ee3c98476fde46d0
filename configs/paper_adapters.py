r"""The paper's tuning of adapters and head for each corpus, over a trunk of another run (section 5.2.2).

Of a trunk that one corpus trained: single-task transfer; of one that several trained: their further tuning.

python train.py --config=configs/paper_adapters.py --workdir=runs/paper_all_tuned \
        --config.base=runs/paper_all --config.corpora=emodb,casia
"""

import ml_collections

from configs import paper_scratch


def get_config() -> ml_collections.ConfigDict:
    """The settings that differ from configs/paper_scratch.py."""
    config = paper_scratch.get_config()
    config.adapters = True
    config.transfer = "adapters"
    config.base = "runs/paper_all"
    config.tuned_at_once = 8
    return config
