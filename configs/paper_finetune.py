r"""The paper's finetuning of a whole network on one corpus, from a learning rate of 0.01 (section 5.2.2).

python train.py --config=configs/paper_finetune.py --workdir=runs/paper_finetune_emodb \
        --config.base=runs/paper_scratch_iemocap --config.base_corpus=iemocap --config.corpora=emodb
"""

import ml_collections

from configs import paper_last_layer


def get_config() -> ml_collections.ConfigDict:
    """The settings that differ from configs/paper_last_layer.py."""
    config = paper_last_layer.get_config()
    config.adapters = False  # beside kernels that are trained they would only be a second step for one tap
    config.transfer = "finetune"
    return config
