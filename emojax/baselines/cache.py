"""Features of recordings, extracted once and kept on disk, a file per recording."""

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
    """The features of every clip, float32 ``[N, D]``, in the order of the corpus's table.

    What is in the folder, by the recording's digest, is not extracted again; a stopped extraction
    goes on where it was.

    Args:
      corpus: prepared.
      folder: of these features and no others; may not exist yet.
      extract: indices of clips → the features of each, float32 ``[D]``.
      name: of the features, for the progress bar.

    Raises:
      ValueError: a table whose digests are none.
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
    """What was kept there; empty where nothing is, or nothing that can be read."""
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return np.zeros(0, np.float32)
