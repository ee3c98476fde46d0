"""Cache of features on disk, a file per recording."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import tqdm

from emojax.data.prepared import PreparedCorpus
from emojax.files import replacing

_DIGEST = re.compile(r"[0-9a-f]{32}")


def kept_features(
    corpus: PreparedCorpus,
    folder: Path,
    extract: Callable[[list[int]], Generator[np.ndarray, None, None]],
    name: str,
) -> np.ndarray:
    """Return the features of every clip, float32 ``[N, D]``, in the order of the corpus's table.

    Each file is named by its recording's digest. Features that are in the folder are not extracted
    again, so a stopped extraction resumes.

    Args:
      corpus: prepared corpus.
      folder: folder for these features only; made if missing.
      extract: indices of clips → features of each clip, float32 ``[D]``.
      name: name of the features, for the progress bar.

    Raises:
      ValueError: the corpus's table has a clip without a valid digest.
    """
    strange = [clip.file for clip in corpus.clips if not _DIGEST.fullmatch(clip.digest)]
    if strange:
        raise ValueError(
            f"{corpus.path}: clips.csv has no digest of {strange[0]}; prepare the corpus again"
        )
    features = {clip.digest: _read(folder / f"{clip.digest}.npy") for clip in corpus.clips}
    missing = {
        clip.digest: i for i, clip in enumerate(corpus.clips) if not features[clip.digest].size
    }
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(extract(list(missing.values()))) as extracted:
            bar = tqdm.tqdm(extracted, f"{corpus.spec.name} {name}", len(missing), unit="clip")
            for digest, found in zip(missing, bar, strict=True):
                with replacing(folder / f"{digest}.npy") as draft, open(draft, "wb") as file:
                    np.save(file, found, allow_pickle=False)
                features[digest] = found
    return np.stack([features[clip.digest] for clip in corpus.clips])


def _read(path: Path) -> np.ndarray:
    """Read features from disk; empty where the file is missing or unreadable."""
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return np.zeros(0, np.float32)
