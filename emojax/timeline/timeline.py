"""Timeline of a recording: what is spoken when, with which emotion.

    from emojax.timeline.timeline import make_timeline
    from emojax.timeline.writers import write
    timeline = make_timeline(emojax.load("emojax-small"), "call.wav")
    write(timeline, "call.html")

Each second of speech has the mean probabilities of the windows that cover it; seconds of one label
that follow each other without a pause are one segment.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from tqdm import tqdm

from emojax.audio.reading import (
    SAMPLE_RATE_HZ,
    BadAudio,
    Recording,
    Silent,
    count_channels,
    survey,
)
from emojax.files import printable
from emojax.inference.answer import Answer
from emojax.timeline.speech import Scan, Span, find_stretches, scan
from emojax.timeline.windows import answer_windows, hop_spans, window_spans

if TYPE_CHECKING:
    from emojax.inference.api import Model

MIX, SPLIT = CHANNELS = ("mix", "split")
_BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left"


class Segment(NamedTuple):
    """Piece of a recording in which somebody speaks with one emotion.

    ``channel`` counts from 1, as recorders do; it is None where all channels are mixed.
    """

    start_s: float
    end_s: float
    channel: int | None
    answer: Answer

    @property
    def duration_s(self) -> float:
        """Length of the segment."""
        return self.end_s - self.start_s


@dataclasses.dataclass(frozen=True)
class Track:
    """One channel of a recording, or the mean of all.

    Attributes:
      channel: from 1; None where all are mixed.
      scan: extremes of the samples, and the probability of speech.
      seconds: each second of speech, in order.
    """

    channel: int | None
    scan: Scan
    seconds: Sequence[Segment]

    @property
    def segments(self) -> list[Segment]:
        """Seconds of one label that touch each other, as one segment with their mean."""
        groups: list[list[Segment]] = []
        for one in self.seconds:
            before = groups[-1][-1] if groups else None
            if before and before.end_s == one.start_s and before.answer.label == one.answer.label:
                groups[-1].append(one)
            else:
                groups.append([one])
        return list(map(_joined, groups))


@dataclasses.dataclass(frozen=True)
class Timeline:
    """Timeline of one recording; :func:`make_timeline` makes it.

    Attributes:
      file: name of the recording, as given.
      duration_s: length of the recording.
      labels: the labels to choose from.
      tracks: one of all channels, or one for each.
    """

    file: str
    duration_s: float
    labels: tuple[str, ...]
    tracks: Sequence[Track]

    @property
    def segments(self) -> list[Segment]:
        """The segments of all channels by their start; empty if nobody speaks."""
        return sorted(
            itertools.chain.from_iterable(track.segments for track in self.tracks),
            key=lambda segment: segment.start_s,
        )

    @property
    def is_split(self) -> bool:
        """Whether each channel has segments of its own."""
        return self.tracks[0].channel is not None


def make_timeline(model: Model, path: str | os.PathLike, channels: str = MIX) -> Timeline:
    """Find the emotions over time in a recording of up to a day, in constant memory.

    Speech is found by Silero's detector (extra ``vad``); without it all of the recording counts.

    Args:
      model: from :func:`emojax.load`.
      path: path of a wav, flac, ogg, opus or mp3 file.
      channels: ``"mix"`` for the mean of all, or ``"split"`` for each channel by itself.

    Raises:
      ValueError: the recording cannot be used, ``channels`` is none of the two, or the model
        answers with numbers.
    """
    if channels not in CHANNELS:
        raise ValueError(f"channels={channels!r}; give one of {', '.join(CHANNELS)}")
    model.refuse_numbers("a timeline")
    name = os.fsdecode(path)
    try:
        recordings = _each_channel(path) if channels == SPLIT else {None: survey(path)}
        tracks = [_track(model, channel, one) for channel, one in recordings.items()]
    except BadAudio as error:
        raise ValueError(f"{printable(name)}: {error}") from error
    samples = max(recording.samples for recording in recordings.values())
    return Timeline(name, samples / SAMPLE_RATE_HZ, model.labels, tracks)


def _each_channel(path: str | os.PathLike) -> dict[int | None, Recording]:
    """Survey each channel; one that is silent is left out if another one is not."""
    found: dict[int | None, Recording] = {}
    count = count_channels(path)
    for channel in range(count):
        try:
            found[channel + 1] = survey(path, channel)
        except Silent:
            if channel == count - 1 and not found:
                raise
    return found


def _track(model: Model, channel: int | None, recording: Recording) -> Track:
    seen = scan(_progress(recording, "finding speech"))
    stretches = find_stretches(seen.speech, recording.samples)
    spans = [window_spans(stretch) for stretch in stretches]
    flat = list(itertools.chain.from_iterable(spans))
    answers = answer_windows(model, _progress(recording, "listening"), flat)
    seconds = [
        second
        for stretch, own in zip(stretches, spans, strict=True)
        for second in _seconds(stretch, own, list(itertools.islice(answers, len(own))), channel)
    ]
    return Track(channel, seen, seconds)


def _seconds(
    stretch: Span, windows: Sequence[Span], answers: Sequence[Answer], channel: int | None
) -> Iterator[Segment]:
    """Yield the seconds of a stretch, each with the mean of the windows that cover it."""
    starts, ends = np.array(windows).T
    for first, last in hop_spans(stretch):
        covering = np.flatnonzero((starts < last) & (ends > first))
        answer = _mean([answers[place] for place in covering.tolist()])
        yield Segment(first / SAMPLE_RATE_HZ, last / SAMPLE_RATE_HZ, channel, answer)


def _joined(segments: Sequence[Segment]) -> Segment:
    answer = _mean(
        [segment.answer for segment in segments], [segment.duration_s for segment in segments]
    )
    return segments[0]._replace(end_s=segments[-1].end_s, answer=answer)


def _mean(answers: Sequence[Answer], weights: Sequence[float] | None = None) -> Answer:
    """Return the mean probabilities, with the warning that most of the answers have."""
    shares = np.average([list(answer.values()) for answer in answers], axis=0, weights=weights)
    warning = Counter(answer.warning for answer in answers).most_common(1)[0][0]
    return Answer(zip(answers[0], map(float, shares), strict=True), warning)


def _progress(recording: Recording, doing: str) -> Iterable[np.ndarray]:
    """Yield the blocks of a recording; show the time left where it takes more than seconds."""
    bar = tqdm(
        total=recording.samples,
        desc=doing,
        bar_format=_BAR,
        delay=3,
        leave=False,
        disable=None,
    )
    with bar:
        for block in recording.blocks():
            yield block
            bar.update(len(block))
