"""Clips before decoding (recordings or segments), and skipped files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ, BadAudio, check_audible, read_audio, to_pcm16

# Tables round times, and decoders add or drop a frame at the end.
_SLACK_S = 0.02


@dataclasses.dataclass(frozen=True)
class Source:
    """A clip before it is decoded.

    Attributes:
      file: path relative to the corpus, with forward slashes; for a segment, its
        ``segment_name``.
      label: one of the labels of the corpus; empty in a corpus that has only further columns.
      audio: path of the recording, or a function that returns float32 samples ``[n]`` at 16 kHz.
      speaker: empty if unknown.
      split: ``train``, ``devel``, ``test`` or empty.
      start_s: start of the clip in the recording.
      end_s: end of the clip; None means the end of the recording.
      sex: of the speaker, ``female``, ``male`` or empty if unknown.
      columns: further columns of its table, by name; empty texts where nothing is said.
    """

    file: str
    label: str
    _: dataclasses.KW_ONLY
    audio: Path | Callable[[], np.ndarray]
    speaker: str = ""
    split: str = ""
    start_s: float = 0.0
    end_s: float | None = None
    sex: str = ""
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)

    @property
    def said(self) -> tuple[str, ...]:
        """Metadata of the clip: file, label, speaker and split."""
        return self.file, self.label, self.speaker, self.split

    def recording(self) -> np.ndarray:
        """Return the whole recording, int16 ``[n]``, mono, 16 kHz; BadAudio if it is unusable."""
        if isinstance(self.audio, Path):
            return to_pcm16(read_audio(self.audio))
        samples = self.audio()
        check_audible(samples, SAMPLE_RATE_HZ)
        return to_pcm16(samples)

    def cut(self, recording: np.ndarray) -> np.ndarray:
        """Cut the clip out of its recording ``[n]``; BadAudio if it lies outside.

        >>> segment = Source("a.wav", "joy", audio=Path("a.wav"), start_s=0.5, end_s=1)
        >>> segment.cut(np.arange(32000)).size
        8000
        """
        duration_s = len(recording) / SAMPLE_RATE_HZ
        end_s = duration_s if self.end_s is None else self.end_s
        if not self.start_s and self.end_s is None:
            return recording
        if not 0 <= self.start_s < end_s:
            raise BadAudio(
                f"segment from {self.start_s:g} s to {end_s:g} s: give a start before the end"
            )
        if end_s > duration_s + _SLACK_S:
            raise BadAudio(
                f"segment ends at {end_s:g} s, but the recording at {duration_s:g} s; a column of "
                "milliseconds is to be named so, as in end_ms"
            )
        first, last = (round(time_s * SAMPLE_RATE_HZ) for time_s in (self.start_s, end_s))
        check_audible(recording[first:last], SAMPLE_RATE_HZ)
        return recording[first:last]


@dataclasses.dataclass(frozen=True)
class Skipped:
    """A skipped file with the reason: a row of ``skipped.csv``.

    ``is_extra`` means that the file is no part of the corpus, so it does not count as bad.
    """

    file: str
    reason: str
    is_extra: bool = dataclasses.field(default=False, compare=False)
