"""Base class of the builders: lists the recordings, skips bad ones and writes the CSVs.

A subclass defines two things: its ``spec`` and its ``sources``, in the order of the records:

    class Builder(SpeechBuilder):
        BUILDER_CONFIGS = [tfds.core.BuilderConfig(name="beeps")]

        @property
        def spec(self) -> CorpusSpec:
            return CorpusSpec("beeps", ("high", "low"), language="none")

        def sources(self) -> Iterator[Source | Skipped]:
            yield Source("high/a.wav", "high", speaker="a", audio=self.source_dir / "high/a.wav")
            yield Source("low/a.wav", "low", speaker="a", audio=lambda: make_beep(220))

``audio`` is a path, or a function without arguments that returns float32 samples ``[n]`` at 16 kHz.
The function is called from several threads at once. A subclass yields a file that it knows to be
unusable as ``Skipped``. ``fingerprint`` is a hash of the metadata that the records depend on: when
it or a recording changes, ``datasets.prepare`` prepares the corpus again.
"""

from __future__ import annotations

import abc
import csv
import functools
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from tqdm import tqdm

from datasets.confounds import has_digital_silence, uneven_silence
from datasets.copies import without_copies
from datasets.decoding import decode
from datasets.errors import CorpusError
from datasets.recordings import RECORDINGS_FILE, Recording, write_recordings
from datasets.sources import Skipped, Source
from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.corpora.columns import write_columns
from emojax.corpora.spec import Clip, CorpusSpec, write_clips
from emojax.data.tfds_features import PcmAudio

__all__ = ["CorpusError", "Skipped", "Source", "SpeechBuilder", "read_skipped", "write_skipped"]

MAX_BAD = 0.05
# Increase it when the same files would give other records: every corpus is then prepared again.
_FORMAT = 2
_NO_LABEL = -1  # in the records, as tfds has it


class SpeechBuilder(tfds.core.GeneratorBasedBuilder):
    """Builder of one corpus as array_record: a split ``clips`` in a fixed order, and its CSVs.

    Args:
      source_dir: folder with the publisher's files.
      allow_bad: prepare the corpus even if more than 5 % of its files are left out.
      kwargs: ``config``, ``data_dir``, ..., as for any tfds builder.
    """

    VERSION = tfds.core.Version("1.0.0")
    # This builder downloads nothing. Without this, tfds looks for checksums in a package.
    url_infos = None

    def __init__(self, *, source_dir: str | Path = "", allow_bad: bool = False, **kwargs):
        self.source_dir = Path(source_dir)
        self._allow_bad = allow_bad
        self.confounds: list[str] = []  # of the channel, once the corpus is prepared
        super().__init__(**{"file_format": "array_record", **kwargs})

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hash of the metadata that the records depend on: file names, labels, speakers, splits."""
        rows = [
            (item.file, item.reason) if isinstance(item, Skipped) else item.said
            for item in self.listing
        ]
        return hashlib.blake2b(repr(rows).encode(), digest_size=16).hexdigest()

    @property
    def prepared_from(self) -> str:
        """Format number and fingerprint; if they differ, the corpus is prepared again."""
        return f"{_FORMAT} {self.fingerprint}"

    @property
    def remarks(self) -> list[str]:
        """Notes for the user on how the corpus was read, one line each."""
        return []

    @property
    @abc.abstractmethod
    def spec(self) -> CorpusSpec:
        """Description of the corpus."""

    @abc.abstractmethod
    def sources(self) -> Iterable[Source | Skipped]:
        """Return the recordings in the order of the records; CorpusError for a wrong folder."""

    @functools.cached_property
    def listing(self) -> list[Source | Skipped]:
        """The sources without copies, cached."""
        return without_copies(list(self.sources()))

    def _info(self) -> tfds.core.DatasetInfo:
        text = tfds.features.Text
        features = {
            "audio": PcmAudio(),
            "label": tfds.features.ClassLabel(names=list(self.spec.labels)),
            "speaker": text(),
            "language": text(),
            "file": text(),
            "split": text(),
            "duration_s": tfds.features.Scalar(np.float32),
        }
        metadata = {"spec": self.spec.to_json(), "fingerprint": self.prepared_from}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            metadata=tfds.core.MetadataDict(metadata),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict:
        return {"clips": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict]]:
        clips: list[Clip] = []
        silent: list[bool] = []
        skipped: list[Skipped] = []
        recordings: list[Recording] = []
        decoded = decode(self.listing, recordings)
        for item in tqdm(decoded, self.spec.name, len(self.listing), unit="clip"):
            if isinstance(item, Skipped):
                skipped.append(item)
                self._check_bad(skipped)
                continue
            source, pcm = item
            clip = self._clip(source, pcm)
            yield len(clips), {"audio": pcm, **_record(clip)}
            clips.append(clip)
            silent.append(has_digital_silence(pcm))
        if not clips:
            raise CorpusError(
                f"{self.spec.name}: no usable clip among {len(self.listing)} "
                f"files{_reasons(skipped)}"
            )
        self.confounds = uneven_silence(clips, silent)
        write_clips(Path(self.data_dir) / "clips.csv", clips)
        self.write_columns(Path(self.data_dir))
        write_skipped(Path(self.data_dir) / "skipped.csv", skipped)
        write_recordings(Path(self.data_dir) / RECORDINGS_FILE, recordings)

    def write_columns(self, folder: Path) -> None:
        """Write the further columns of the table into a prepared folder, if there are any.

        The records do not depend on them, so a column that is added decodes nothing anew.
        """
        sources = (item for item in self.listing if isinstance(item, Source))
        write_columns(folder, {source.file: source.columns for source in sources})

    def _clip(self, source: Source, pcm: np.ndarray) -> Clip:
        """Return the row of ``clips.csv`` for int16 samples."""
        return Clip(
            file=source.file,
            label=source.label,
            speaker=source.speaker,
            language=self.spec.language,
            duration_s=len(pcm) / SAMPLE_RATE_HZ,
            split=source.split,
            digest=hashlib.blake2b(pcm.tobytes(), digest_size=16).hexdigest(),
        )

    def _check_bad(self, skipped: list[Skipped]) -> None:
        if self._allow_bad or skipped[-1].is_extra:
            return
        bad = [item for item in skipped if not item.is_extra]
        wanted = [item for item in self.listing if isinstance(item, Source) or not item.is_extra]
        if len(bad) <= MAX_BAD * len(wanted):
            return
        raise CorpusError(
            f"{self.spec.name}: more than {MAX_BAD:.0%} of {len(wanted)} files cannot be used, so "
            f"nothing was prepared; mend or remove them, or allow them (--allow_bad){_reasons(bad)}"
        )


def write_skipped(path: Path, skipped: Iterable[Skipped]) -> None:
    """Write ``skipped.csv``: a header, then one row per skipped file."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "reason"))
        writer.writerows((item.file, item.reason) for item in skipped)


def read_skipped(path: Path) -> list[Skipped]:
    """Read the file that :func:`write_skipped` wrote."""
    with open(path, newline="", encoding="utf-8") as file:
        return [Skipped(row["file"], row["reason"]) for row in csv.DictReader(file)]


def _record(clip: Clip) -> dict:
    """Return the features of a clip without the digest, which only partitions need."""
    features = {name: value for name, value in vars(clip).items() if name != "digest"}
    return {**features, "label": clip.label or _NO_LABEL}


def _reasons(skipped: list[Skipped], shown: int = 10) -> str:
    """Return the first skipped files, one line each."""
    lines = [f"\n  {item.file}: {item.reason}" for item in skipped[:shown]]
    return "".join(lines) + ("\n  ..." if len(skipped) > shown else "")
