"""Evaluation on devel; the clips are batched once, and kept on the devices if they fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping

import numpy as np

from emojax.concordance import concordance
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
      windows: windows of its clips, and of other clips of domains that share recordings.
      labels: int32 ``[N]``.
      rows: int64 ``[N]``, index of each of its clips among the clips of the windows.
      numbers: scaled numbers instead of labels, float32 ``[N, D]``.
    """

    windows: Windows
    labels: np.ndarray
    rows: np.ndarray
    numbers: np.ndarray | None = None

    @property
    def measure(self) -> str:
        """Name of the score in a run's metrics: ``uar``, or ``ccc`` for numbers."""
        return "uar" if self.numbers is None else "ccc"

    def score(self, answers: np.ndarray) -> float:
        """Return the UAR of probabilities ``[N, K]``, or the mean CCC of numbers ``[N, D]``."""
        if self.numbers is not None:
            answers = answers[:, : self.numbers.shape[1]]
            weight = np.ones((len(answers), 1))
            return float(concordance(self.numbers.astype(np.float64), answers, weight).mean())
        right = answers.argmax(axis=1) == self.labels
        recalls = [right[self.labels == label].mean() for label in np.unique(self.labels)]
        return float(np.mean(recalls))


def make_devel(parts: Mapping[str, Recordings], layout: Layout) -> dict[str, Devel]:
    """Batch the devel part of each corpus, on the devices if there is room.

    When a round takes milliseconds, sending the clips each time would take longer than training.
    """
    groups = _sharing(parts)
    windows = [make_windows([*group.values()]) for group in groups]
    batches = [[*own.batches] for own in windows]
    audio_bytes = sum(batch.audio.nbytes for own in batches for batch in own)
    if on_all_processes(has_room(audio_bytes, _ROOM)):
        batches = [[place_rows(batch, layout) for batch in own] for own in batches]
    devel = {}
    for name, part in parts.items():
        number = next(n for n, group in enumerate(groups) if {*part.keys} <= group.keys())
        shared = dataclasses.replace(windows[number], batches=batches[number])
        place = {key: row for row, key in enumerate(groups[number])}
        rows = np.array([place[key] for key in part.keys])
        devel[name] = Devel(shared, part.labels, rows, part.numbers)
    return devel


def _sharing(parts: Mapping[str, Recordings]) -> list[dict[Hashable, np.ndarray]]:
    """Group the domains that share at least half of their recordings; return each group's."""
    groups: list[dict[Hashable, np.ndarray]] = []
    for part in parts.values():
        own = dict(zip(part.keys, part.samples, strict=True))
        for group in groups:
            if 2 * len(own.keys() & group.keys()) >= len(own.keys() | group.keys()):
                group |= own
                break
        else:
            groups.append(own)
    return groups


def devel_uars(forward: Forward, state: EmoState, devel: Mapping[str, Devel]) -> dict[str, float]:
    """Compute the devel UAR of each corpus, or the mean CCC of numbers."""
    # All batches are dispatched before the first result is read, so the device never waits.
    outputs = {
        name: run_forward(
            forward, network_of(state.shared.params, state.corpora[name]), part.windows
        )
        for name, part in devel.items()
    }
    uars = {}
    for name, part in devel.items():
        are_numbers = part.numbers is not None
        answers = aggregate(outputs[name], part.windows, are_numbers)[0][part.rows]
        uars[name] = part.score(answers)
        if not np.isfinite(uars[name] if are_numbers else answers).all():
            raise FloatingPointError(
                f"the network of {name} gives answers that are not finite; train again in another "
                "--workdir with smaller --config.learning_rates"
            )
    if not uars:
        return {}
    agreed = as_the_first_says(np.array([*uars.values()]))
    return dict(zip(uars, map(float, agreed), strict=True))


def network_of(shared_params, corpus: Corpus) -> Network:
    """Extract the parameters that prediction needs from a state."""
    return Network(shared_params, corpus.params, corpus.stats, corpus.class_mask)
