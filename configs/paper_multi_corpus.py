r"""The paper's shared training on several corpora: 3 × 2,500 rounds (section 5.2.2).

python train.py --config=configs/paper_multi_corpus.py --workdir=runs/paper_all --config.corpora=emodb,casia \
        [--config.aggregate=arousal | valence | a+v]
"""

import ml_collections

from configs import base


def get_config() -> ml_collections.ConfigDict:
    """Those of configs/base.py, which are the paper's."""
    return base.get_config()
