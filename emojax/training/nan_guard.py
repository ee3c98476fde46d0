"""Report of a loss that is not finite: its clips, and the last good checkpoint."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from emojax.data.partitioned_corpus import PartitionedCorpus
from emojax.files import replacing
from emojax.multihost import is_first
from emojax.training.checkpointing import CheckpointKeeper
from emojax.training.metrics import NotFiniteLossError

CLIPS_FILE = "not_finite.txt"
_SHOWN = 3
# Step → indices into the training part of its corpus.
ClipsOf = Callable[[int], np.ndarray]


@contextlib.contextmanager
def naming_clips(
    workdir: Path,
    corpora: Mapping[str, PartitionedCorpus],
    clips_of: ClipsOf,
    keeper: CheckpointKeeper,
) -> Iterator[None]:
    """Name the clips of a loss that is not finite, and the last checkpoint; save pending states.

    Raises:
      FloatingPointError: a loss, or a number of the network, is not finite.
    """
    try:
        yield
    except FloatingPointError as loss:
        keeper.flush()
        saved = keeper.last_saved()
        last_good = (
            f"the last good checkpoint is of step {saved.name}: {saved}"
            if saved
            else "none is saved"
        )
        if not isinstance(loss, NotFiniteLossError):
            raise FloatingPointError(f"{loss}; {last_good}") from None
        corpus = corpora[loss.corpus]
        indices = corpus.partition.parts["train"][clips_of(loss.step)]
        files = [corpus.clips[index].file for index in indices]
        if is_first():
            with replacing(workdir / CLIPS_FILE) as draft:
                draft.write_text("".join(f"{file}\n" for file in files), encoding="utf-8")
        raise FloatingPointError(
            f"{loss}, which had {', '.join(files[:_SHOWN])}, ... (all {len(files)} clips: "
            f"{workdir / CLIPS_FILE}); {last_good}; train again in another --workdir with smaller "
            "--config.learning_rates, or without that corpus or these clips"
        ) from None
