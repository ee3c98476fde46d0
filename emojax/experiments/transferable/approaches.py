"""Approaches to transfer as data (section 3.2 of the transferable-features paper)."""

from __future__ import annotations

from typing import NamedTuple

from emojax.corpora.aggregate import EMOTION

SIX = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
# A corpus with fewer of the six emotions is left out.
FEWEST = 4
# Setting domains of every network, so that all have common labels.
DOMAIN = f"{EMOTION}:{','.join(SIX)}"


class Approach(NamedTuple):
    """Layers of a pre-trained network in its tuning, by the beginning of their names.

    Attributes:
      frozen: layers that keep the parameters of pre-training.
      new: layers that start from random parameters.
    """

    frozen: str = ""
    new: str = ""

    @property
    def tunes(self) -> bool:
        """True where any layer is trained."""
        return self.frozen != EVERY_LAYER


EVERY_LAYER = "conv,lstm,dense,head"
APPROACHES = {
    "A1": Approach(EVERY_LAYER),
    "A2": Approach(),
    "A3": Approach("conv0"),
    "A4": Approach("conv"),
    "A5": Approach("conv,lstm"),
    "A6": Approach("conv0", "conv1,lstm,dense,head"),
    "A7": Approach("conv", "lstm,dense,head"),
    "A8": Approach("conv,lstm", "dense,head"),
}
# Scenario → whether the target's training part takes part in pre-training.
SCENARIOS = {"S1": True, "S2": False}

SVM_IS, CNN, CNN_LSTM = "SVM-IS", "CNN", "CNN+LSTM"
TARGET_ONLY = "TT"
ADAPTIVE_SVM = "adaptive SVM"
TRANSFERS = tuple(f"{scenario}-{approach}" for scenario in SCENARIOS for approach in APPROACHES)
# Of Table 4: the best of each scenario in the paper's Table 3, and pre-training alone.
ABLATED = ("S1-A1", "S1-A2", "S2-A2")


def without(transfer: str, source: str) -> str:
    """Return the name of a setting in which one corpus was left out of pre-training.

    >>> without("S1-A2", "emodb")
    'S1-A2 without emodb'
    """
    return f"{transfer} without {source}"
