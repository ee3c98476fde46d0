r"""Trainings of the EmoNet paper: ``configs/paper.py:MODE``.

multi_corpus  shared training on several corpora, 3 x 2,500 rounds (section 5.2.2)
scratch       a ResNet of one corpus; patience ends a phase (section 4.3)
adapters      tuning of each corpus's adapters and head over the trunk of another run (section
              5.2.2); single-task transfer if that run has a single corpus
last_layer    tuning of the head alone, from a learning rate of 0.01 (section 5.2.2)
finetune      finetuning of a whole network, from a learning rate of 0.01 (section 5.2.2)

python train.py --config=configs/paper.py:multi_corpus --workdir=runs/paper_all \
        --config.corpora=emodb,casia
python train.py --config=configs/paper.py:adapters --workdir=runs/paper_all_tuned \
        --config.base=runs/paper_all --config.corpora=emodb,casia
"""

import ml_collections

from configs import base

_ALONE = {
    "adapters": False,
    "patience_epochs": 50,
    "rounds_per_phase": 100_000,  # no limit in the paper; patience ends a phase long before
}
_TUNED = {**_ALONE, "adapters": True, "base": "runs/paper_all"}
_SLOW = {"learning_rates": (0.01, 0.001)}
MODES = {
    "multi_corpus": {},
    "scratch": {**_ALONE, "corpora": "emodb"},
    "adapters": {**_TUNED, "transfer": "adapters"},
    "last_layer": {**_TUNED, **_SLOW, "transfer": "last_layer"},
    # Adapters are redundant when kernels are trained.
    "finetune": {**_TUNED, **_SLOW, "transfer": "finetune", "adapters": False},
}


def get_config(mode: str = "multi_corpus") -> ml_collections.ConfigDict:
    """Return the settings of a mode; they differ from configs/base.py in a few values."""
    if mode not in MODES:
        raise ValueError(f"configs/paper.py:{mode}; choose one of {', '.join(MODES)}")
    config = base.get_config()
    config.update(MODES[mode])
    return config
