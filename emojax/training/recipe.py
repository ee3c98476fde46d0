"""Recipe of an adaptation: settings of ``configs/adapt.py`` that the installed package needs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

ADAPT: Mapping[str, Any] = MappingProxyType(
    {
        "base": "emojax-small",  # or the folder of a run or of another published model
        "transfer": "finetune",
        # The rate falls to 0, so the last state need not be chosen.
        "learning_rates": (0.05,),
        "cosine": True,
        "warmup_rounds": 10,
        "rounds_per_phase": 300,
        "patience_epochs": 0,
        "learning_rate_decay": 1e-6,
        "eval_every_rounds": 25,
        "sampling": "round_robin",
        "batch_size": 32,
        "window_s": 2.0,
        "momentum": 0.9,
        "l2": 1e-6,
        "label_smoothing": 0.0,
        "mixup": 0.0,
        "average_decay": 0.0,
        "frequency_warp": 0.0,
        "tempo": 0.0,
        "colour_db": 0.0,
        "noise_share": 0.0,
        "telephone": 0.0,
        "masked_mels": 0.0,
        "masked_share": 0.0,
    }
)
