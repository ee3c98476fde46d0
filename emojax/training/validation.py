"""Evaluation on devel; its clips are batched once, and kept on the devices if they fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from emojax.data.feeds import has_room
from emojax.data.prepared import Recordings
from emojax.inference.network import Forward, Network
from emojax.inference.predict import Windows, aggregate, make_windows, run_forward
from emojax.multihost import as_the_first_says, on_all_processes
from emojax.sharding import Layout, place_rows
from emojax.training.train_state import Corpus, EmoState

# Share of a device's free memory for the devel clips; a training step needs the rest.
_ROOM = 1 / 8


@dataclasses.dataclass(frozen=True)
class Devel:
    """Devel part of a corpus.

    Attributes:
      windows: windows of its clips.
      labels: int32 ``[N]``.
    """

    windows: Windows
    labels: np.ndarray


def make_devel(parts: Mapping[str, Recordings], layout: Layout) -> dict[str, Devel]:
    """Batch the devel part of each corpus, on the devices if there is room.

    When a round takes milliseconds, sending the clips each time would take longer than training.
    """
    windows = {name: make_windows(part.samples) for name, part in parts.items()}
    batches = {name: [*own.batches] for name, own in windows.items()}
    audio_bytes = sum(batch.audio.nbytes for own in batches.values() for batch in own)
    if on_all_processes(has_room(audio_bytes, _ROOM)):
        batches = {
            name: [place_rows(batch, layout) for batch in own] for name, own in batches.items()
        }
    return {
        name: Devel(dataclasses.replace(windows[name], batches=own), parts[name].labels)
        for name, own in batches.items()
    }


def devel_uars(forward: Forward, state: EmoState, devel: Mapping[str, Devel]) -> dict[str, float]:
    """Compute the UAR of each corpus on its devel part."""
    # All batches are dispatched before the first result is read, so the device never waits.
    outputs = {
        name: run_forward(
            forward, network_of(state.shared.params, state.corpora[name]), part.windows
        )
        for name, part in devel.items()
    }
    uars = {}
    for name, part in devel.items():
        probabilities, _ = aggregate(outputs[name], part.windows)
        if not np.isfinite(probabilities).all():
            raise FloatingPointError(
                f"the network of {name} gives probabilities that are not finite; the checkpoints "
                "before are kept; train again in another --workdir with smaller "
                "--config.learning_rates"
            )
        right = probabilities.argmax(axis=1) == part.labels
        recalls = [right[part.labels == label].mean() for label in np.unique(part.labels)]
        uars[name] = float(np.mean(recalls))
    if not uars:
        return {}
    agreed = as_the_first_says(np.array([*uars.values()]))
    return dict(zip(uars, map(float, agreed), strict=True))


def network_of(shared_params, corpus: Corpus) -> Network:
    """Extract the parameters that prediction needs from a state."""
    return Network(shared_params, corpus.params, corpus.stats, corpus.class_mask)
