"""What of a network is trained where a run begins at another one (sections 4.3 and 5.2.2)."""

from __future__ import annotations

import ml_collections
import optax

from emojax.data.turns import ROUND_ROBIN
from emojax.models.subtrees import Params
from emojax.training import optim

# mode → what is trained; everything else stays as the base run left it.
MODES = {
    "scratch": "everything, from random parameters",
    "finetune": "everything",
    "adapters": "adapters, norms and head of each corpus",
    "last_layer": "the head of each corpus",
}
FROZEN_TRUNK = ("adapters", "last_layer")


def check_transfer(config: ml_collections.ConfigDict) -> None:
    """Raise a ValueError for a mode that is not there or does not fit the other settings."""
    if config.transfer not in MODES:
        choices = "; ".join(f"{mode} trains {what}" for mode, what in MODES.items())
        raise ValueError(f"transfer={config.transfer!r}; choose one of: {choices}")
    if config.transfer == "scratch" and config.base:
        raise ValueError(
            f"base={config.base!r} with transfer='scratch'; choose finetune, adapters or last_layer"
        )
    if config.transfer != "scratch" and not config.base:
        raise ValueError(
            f"transfer={config.transfer!r} needs the folder of a trained run: --config.base=WORKDIR"
        )
    if config.transfer in FROZEN_TRUNK and config.sampling != ROUND_ROBIN:
        raise ValueError(
            f"sampling={config.sampling!r} with transfer={config.transfer!r}, which trains every corpus by "
            f"itself; leave it at {ROUND_ROBIN}"
        )
    if config.transfer == "adapters" and not config.adapters:
        raise ValueError("transfer='adapters' with adapters=False; give --config.adapters=True")


def make_optimizers(
    config: ml_collections.ConfigDict,
) -> tuple[optax.GradientTransformation, optax.GradientTransformation]:
    """``(tx_shared, tx_corpus)`` of a mode."""
    trained = optim.sgd(config.momentum, config.l2)
    tx_shared = optim.frozen() if config.transfer in FROZEN_TRUNK else trained
    if config.transfer != "last_layer":
        return tx_shared, trained
    return tx_shared, optax.multi_transform({True: trained, False: optim.frozen()}, _is_head)


def _is_head(params: Params) -> dict[str, bool]:
    return {name: name.startswith("head") for name in params}
