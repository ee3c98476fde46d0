"""What the builders share: decoding, leaving out what is bad, and the CSVs beside the records.

A builder is a subclass that says two things: its ``spec``, and its ``sources``, in the order of the records:

    class Builder(SpeechBuilder):
        BUILDER_CONFIGS = [tfds.core.BuilderConfig(name="beeps")]

        @property
        def spec(self) -> CorpusSpec:
            return CorpusSpec("beeps", ("high", "low"), language="none")

        def sources(self) -> Iterator[Source | Skipped]:
            yield Source("high/a.wav", "high", speaker="a", audio=self.source_dir / "high/a.wav")
            yield Source("low/a.wav", "low", speaker="a", audio=lambda: make_beep(220))

``audio`` is a path, or a function without arguments that returns float32 samples ``[n]`` at 16 kHz; it is
called from several threads at once, while the corpus is being prepared. What a subclass knows to be unusable
it yields as ``Skipped``. ``fingerprint`` stands for what the records depend on besides the files (a CSV,
settings): when it changes, ``datasets.prepare`` prepares the corpus again.
"""

from __future__ import annotations

import abc
import collections
import csv
import dataclasses
import functools
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from tqdm import tqdm

from emojax.audio.reading import SAMPLE_RATE_HZ, BadAudio, check_audible, read_audio, to_pcm16
from emojax.corpora.spec import Clip, CorpusSpec, write_clips
from emojax.data.features import PcmAudio
from emojax.files import printable

MAX_BAD = 0.05
# Each thread holds one recording while it decodes.
_THREADS = min(8, os.cpu_count() or 1)
# Bounds how many decoded clips wait in memory for the writer.
_CLIPS_AHEAD = 2 * _THREADS


class CorpusError(ValueError):
    """What a person gave cannot be prepared; the message says what was found and how to mend it."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A recording before it is decoded; ``file`` is relative to the corpus, with forward slashes."""

    file: str
    label: str
    _: dataclasses.KW_ONLY
    audio: Path | Callable[[], np.ndarray]
    speaker: str = ""
    split: str = ""

    def samples(self) -> np.ndarray:
        """float32 ``[n]``, mono, 16 kHz; BadAudio where it cannot be used."""
        if isinstance(self.audio, Path):
            return read_audio(self.audio)
        samples = self.audio()
        check_audible(samples, SAMPLE_RATE_HZ)
        return samples


@dataclasses.dataclass(frozen=True)
class Skipped:
    """A file that is left out, and why: a row of ``skipped.csv``."""

    file: str
    reason: str


class SpeechBuilder(tfds.core.GeneratorBasedBuilder):
    """Prepares one corpus as array_record: a split ``clips`` in a fixed order, with the CSVs beside it.

    Args:
      source_dir: the folder that the publisher's files lie in.
      allow_bad: prepare the corpus even if more than 5 % of its files are left out.
      kwargs: ``config``, ``data_dir``, ..., as for any tfds builder.
    """

    VERSION = tfds.core.Version("1.0.0")
    # Checksums of downloads, of which there are none; tfds needs a package to look for them.
    url_infos = None

    def __init__(self, *, source_dir: str | Path = "", allow_bad: bool = False, **kwargs):
        self.source_dir = Path(source_dir)
        self._allow_bad = allow_bad
        super().__init__(**{"file_format": "array_record", **kwargs})

    @property
    def fingerprint(self) -> str:
        """What the records depend on; a prepared corpus with another one is prepared anew."""
        return ""

    @property
    @abc.abstractmethod
    def spec(self) -> CorpusSpec:
        """What the corpus is."""

    @abc.abstractmethod
    def sources(self) -> Iterable[Source | Skipped]:
        """The recordings, in the order of the records; a CorpusError where the folder is not as expected."""

    @functools.cached_property
    def listing(self) -> list[Source | Skipped]:
        """The sources, listed once."""
        return list(self.sources())

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
        metadata = {"spec": self.spec.to_json(), "fingerprint": self.fingerprint}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            metadata=tfds.core.MetadataDict(metadata),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict:
        return {"clips": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict]]:
        clips: list[Clip] = []
        skipped: list[Skipped] = []
        for item in tqdm(self._decoded(), self.spec.name, len(self.listing), unit="clip"):
            if isinstance(item, Skipped):
                skipped.append(item)
                self._check_bad(skipped)
                continue
            clip, pcm = item
            yield len(clips), {"audio": pcm, **_record(clip)}
            clips.append(clip)
        if not clips:
            raise CorpusError(
                f"{self.spec.name}: no usable clip among {len(self.listing)} files{_reasons(skipped)}"
            )
        write_clips(Path(self.data_dir) / "clips.csv", clips)
        write_skipped(Path(self.data_dir) / "skipped.csv", skipped)

    def _decoded(self) -> Iterator[tuple[Clip, np.ndarray] | Skipped]:
        with ThreadPoolExecutor(_THREADS) as pool:
            ahead: collections.deque[Future] = collections.deque()
            for source in self.listing:
                if len(ahead) == _CLIPS_AHEAD:
                    yield ahead.popleft().result()
                ahead.append(pool.submit(self._decode, source))
            while ahead:
                yield ahead.popleft().result()

    def _decode(self, source: Source | Skipped) -> tuple[Clip, np.ndarray] | Skipped:
        """The clip and its int16 samples, or why there is none."""
        if isinstance(source, Skipped):
            return source
        try:
            pcm = to_pcm16(source.samples())
        except BadAudio as bad:
            return Skipped(source.file, str(bad))
        clip = Clip(
            file=source.file,
            label=source.label,
            speaker=source.speaker,
            language=self.spec.language,
            duration_s=len(pcm) / SAMPLE_RATE_HZ,
            split=source.split,
            digest=hashlib.blake2b(pcm.tobytes(), digest_size=16).hexdigest(),
        )
        return clip, pcm

    def _check_bad(self, skipped: list[Skipped]) -> None:
        if self._allow_bad or len(skipped) <= MAX_BAD * len(self.listing):
            return
        raise CorpusError(
            f"{self.spec.name}: more than {MAX_BAD:.0%} of {len(self.listing)} files cannot be used, so "
            f"nothing was prepared; mend or remove them, or allow them (--allow_bad){_reasons(skipped)}"
        )


def write_skipped(path: Path, skipped: Iterable[Skipped]) -> None:
    """Write ``skipped.csv``: a header, then a row per file that was left out."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in dataclasses.fields(Skipped))
        writer.writerows(dataclasses.astuple(item) for item in skipped)


def read_skipped(path: Path) -> list[Skipped]:
    """Read what ``write_skipped`` wrote."""
    with open(path, newline="", encoding="utf-8") as file:
        return [Skipped(**row) for row in csv.DictReader(file)]


def _record(clip: Clip) -> dict:
    """The clip's features; its digest is for partitions, which read ``clips.csv``."""
    record = dataclasses.asdict(clip)
    del record["digest"]
    return record


def _reasons(skipped: list[Skipped], shown: int = 10) -> str:
    """The first files that were left out, a line each."""
    lines = [f"\n  {printable(item.file)}: {item.reason}" for item in skipped[:shown]]
    return "".join(lines) + ("\n  ..." if len(skipped) > shown else "")
