"""Looks at devel: its clips are cut once, and wait on the devices where there is room."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from sklearn.metrics import recall_score

from emojax.data.feeds import has_room
from emojax.data.prepared import Recordings
from emojax.training.devices import Layout, place_rows
from emojax.training.predict import Network, Pieces, answers, ask, cut
from emojax.training.processes import as_the_first_says, of_any_process
from emojax.training.state import Corpus, EmoState
from emojax.training.steps import Forward

# Of what the training clips left free on a device: a step needs the rest.
_ROOM = 1 / 8


@dataclasses.dataclass(frozen=True)
class Devel:
    """A corpus's devel part.

    Attributes:
      pieces: of its clips.
      labels: int32 ``[N]``.
    """

    pieces: Pieces
    labels: np.ndarray


def cut_devel(parts: Mapping[str, Recordings], layout: Layout) -> dict[str, Devel]:
    """What looks at devel are given, of the devel part of each corpus.

    Where a round takes milliseconds, sending the clips anew at each look would take longer than training.
    """
    pieces = {name: cut(part.samples) for name, part in parts.items()}
    batches = {name: [*own.batches] for name, own in pieces.items()}
    audio_bytes = sum(batch.audio.nbytes for own in batches.values() for batch in own)
    if not of_any_process(not has_room(audio_bytes, _ROOM)):
        batches = {name: [place_rows(batch, layout) for batch in own] for name, own in batches.items()}
    return {
        name: Devel(dataclasses.replace(pieces[name], batches=own), parts[name].labels)
        for name, own in batches.items()
    }


def devel_uars(forward: Forward, state: EmoState, devel: Mapping[str, Devel]) -> dict[str, float]:
    """UAR of each corpus on its devel part, and their ``"mean"``."""
    # All batches are dispatched before the first answer is read, so that the device never waits.
    outputs = {
        name: ask(forward, network_of(state.shared.params, state.corpora[name]), part.pieces)
        for name, part in devel.items()
    }
    uars = {}
    for name, part in devel.items():
        probabilities, _ = answers(outputs[name], part.pieces)
        if not np.isfinite(probabilities).all():
            raise FloatingPointError(
                f"the network of {name} gives probabilities that are not finite; the checkpoints before are "
                "kept; train again in another --workdir with smaller --config.learning_rates"
            )
        spoken = np.unique(part.labels)
        uars[name] = float(
            recall_score(
                part.labels, probabilities.argmax(axis=1), labels=spoken, average="macro", zero_division=0
            )
        )
    agreed = as_the_first_says(np.array([*uars.values()]))
    return {**dict(zip(uars, map(float, agreed), strict=True)), "mean": float(np.mean(agreed))}


def network_of(shared_params, corpus: Corpus) -> Network:
    """What prediction needs of a state."""
    return Network(shared_params, corpus.params, corpus.stats, corpus.class_mask)
