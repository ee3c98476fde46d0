"""A prepared corpus on disk: its spec, its table of clips, and the audio of the clips asked for."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emojax.corpora.spec import Clip, CorpusSpec, read_clips

_FEATURES = {"emojax.data.features.PcmAudio"} | {
    f"tensorflow_datasets.core.features.{name}"
    for name in (
        "class_label_feature.ClassLabel",
        "features_dict.FeaturesDict",
        "scalar.Scalar",
        "text_feature.Text",
    )
}
_MEND = "remove the folder and prepare the corpus again"


@dataclasses.dataclass(frozen=True)
class PreparedCorpus:
    """A corpus that `datasets` prepared; opening it reads no audio.

    Attributes:
      spec: what the corpus is.
      clips: one row per recording, in the order of the records.
      path: the folder of the records.
    """

    spec: CorpusSpec
    clips: Sequence[Clip]
    path: Path


@dataclasses.dataclass(frozen=True)
class Recordings:
    """Some clips of one corpus in memory.

    Attributes:
      samples: int16 ``[n]`` at 16 kHz, one array per clip.
      labels: int32 ``[N]``, indices into the corpus's label set.
    """

    samples: Sequence[np.ndarray]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def lengths(self) -> np.ndarray:
        """int64 ``[N]``, samples of each clip."""
        return np.array([len(clip) for clip in self.samples], np.int64)


def open_corpus(path: str | Path) -> PreparedCorpus:
    """Open a prepared corpus.

    Raises:
      ValueError: the folder is not a prepared corpus.
    """
    path = Path(path)
    try:
        metadata = _builder(path).info.metadata
        return PreparedCorpus(CorpusSpec.from_json(metadata["spec"]), read_clips(path / "clips.csv"), path)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is not a prepared corpus ({error}); prepare it with `python -m datasets`"
        ) from error


def load_recordings(corpus: PreparedCorpus, indices: np.ndarray) -> Recordings:
    """Read the clips at ``indices`` of the corpus's table, and no others.

    Raises:
      ValueError: the records are not those of the table.
    """
    if not len(indices):
        return Recordings([], np.zeros(0, np.int32))
    try:
        source = _builder(corpus.path).as_data_source(split="all")
        records = source.__getitems__([int(index) for index in indices])
    except (OSError, RuntimeError, ValueError, IndexError) as error:
        raise ValueError(f"{corpus.path}: {error}; {_MEND}") from error
    for index, record in zip(indices, records, strict=True):
        if record["file"].decode() != corpus.clips[index].file:
            raise ValueError(
                f"{corpus.path}: record {index} is {record['file'].decode()!r} but clips.csv says "
                f"{corpus.clips[index].file!r}; {_MEND}"
            )
    labels = np.array([record["label"] for record in records], np.int32)
    return Recordings([record["audio"] for record in records], labels)


def _builder(path: Path):
    import tensorflow_datasets as tfds  # seconds to import, and inference never needs it

    # tfds imports whatever module features.json names, and the folder may come from a stranger.
    strange = sorted(_strange(json.loads((path / "features.json").read_text("utf-8"))))
    if strange:
        raise ValueError(f"features.json names {', '.join(strange)}, which no prepared corpus has")
    return tfds.builder_from_directory(path)


def _strange(node: Any) -> Iterator[str]:
    """What names a class that is not ours to name, in any of the spellings that tfds reads."""
    if isinstance(node, list):
        for inner in node:
            yield from _strange(inner)
    if isinstance(node, dict):
        for key, inner in node.items():
            if key == "pythonClassName":
                yield from {str(inner)} - _FEATURES
            elif key in ("python_class_name", "type"):
                yield f"{key} {inner}"
            yield from _strange(inner)
