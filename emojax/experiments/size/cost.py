"""Cost of a size: its parameters, the operations of an answer, and the time of its training."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.config import NetworkConfig, read_section
from emojax.experiments.parameter_count import count
from emojax.inference.network import make_model
from emojax.models.cost import forward_flops
from emojax.models.speech_network import SpeechNetwork


@dataclasses.dataclass(frozen=True)
class Cost:
    """Cost of one shared network; all but the last are numbers of parameters.

    Attributes:
      shared: of all corpora.
      own: of each corpus.
      together: of the whole shared network.
      folded: of the network of one corpus whose adapters are added to its kernels.
      mflop: million operations for a clip of one second; None without JAX's CPU backend, which
        counts them.
    """

    shared: int
    own: int
    together: int
    folded: int
    mflop: float | None


def network_cost(config: Mapping, corpora: int, classes: int) -> Cost:
    """Count what a network costs, without running it.

    Args:
      config: flat settings of a run.
      corpora: number of corpora that it learnt from.
      classes: the most labels of a corpus; all heads are as wide.
    """
    settings = read_section(NetworkConfig, config)
    model = make_model(settings, classes)
    shared, own = count(model, settings.shared_attention)
    folded = sum(count(model.clone(adapters=False)))
    return Cost(shared, own, shared + corpora * own, folded, _second_mflop(model))


def _second_mflop(model: SpeechNetwork) -> float | None:
    try:
        return forward_flops(model, SAMPLE_RATE_HZ) / 1e6
    except RuntimeError:
        return None


def training_s(workdir: Path) -> float | None:
    """Return the wall time in seconds of a run's training steps, as it noted it, or else None.

    Each line of ``metrics.jsonl`` has the mean time of a step since the line before.

    Args:
      workdir: the run's folder.
    """
    path = workdir / "metrics.jsonl"
    if not path.is_file():
        return None
    notes = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    timed = [note for note in notes if "time/step_s" in note]
    steps = np.diff([note["step"] for note in timed], prepend=0)
    return float(steps @ [note["time/step_s"] for note in timed])
