"""tfds builders of speech corpora, and `prepare`, which gets them ready for training."""

from __future__ import annotations

from pathlib import Path

import tensorflow_datasets as tfds

from datasets.base import CorpusError, SpeechBuilder

__all__ = ["CorpusError", "prepare"]


def prepare(corpora: str, source_dir: str, data_dir: str, allow_bad: bool = False) -> dict[str, Path]:
    from datasets.emoset.emoset_dataset_builder import Builder
    r={}
    for n in corpora.split(","):
        b=Builder(config=n,source_dir=Path(source_dir)/n,data_dir=data_dir,allow_bad=allow_bad)
        b.download_and_prepare()
        r[n]=Path(b.data_dir)
    return r
