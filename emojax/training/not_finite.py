"""A loss that is not finite: which clips it was of, and where to go back to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from emojax.files import replacing
from emojax.training.corpora import PartitionedCorpus
from emojax.training.keeper import Keeper
from emojax.training.meter import NotFiniteLossError
from emojax.training.processes import is_first
from emojax.training.rounds import RoundRobin
from emojax.training.tuning import Tuning

CLIPS_FILE = "not_finite.txt"
_SHOWN = 3


@contextlib.contextmanager
def naming_clips(
    workdir: Path, corpora: Mapping[str, PartitionedCorpus], rounds: RoundRobin | Tuning, keeper: Keeper
) -> Iterator[None]:
    """Save the best state; add the last checkpoint to the error, and clips, all of which are in a file.

    Raises:
      FloatingPointError: a loss is not finite.
    """
    try:
        yield
    except FloatingPointError as loss:
        if not isinstance(loss, NotFiniteLossError):
            keeper.save_best()
            raise
        corpus = corpora[loss.corpus]
        indices = corpus.partition.parts["train"][rounds.clips_of(loss.step, loss.corpus)]
        files = [corpus.clips[index].file for index in indices]
        if is_first():
            with replacing(workdir / CLIPS_FILE) as draft:
                draft.write_text("".join(f"{file}\n" for file in files), encoding="utf-8")
        keeper.save_best()
        saved = keeper.last_saved()
        last_good = f"the last good checkpoint is of step {saved.name}: {saved}" if saved else "none is saved"
        raise FloatingPointError(
            f"{loss}, which had {', '.join(files[:_SHOWN])}, ... (all {len(files)} clips: "
            f"{workdir / CLIPS_FILE}); {last_good}; train again in another --workdir with smaller "
            "--config.learning_rates, or without that corpus or these clips"
        ) from None
